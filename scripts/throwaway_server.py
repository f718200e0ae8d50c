"""Run a command with a database server of its own, then remove every trace of it.

    python -m scripts.throwaway_server [--product mysql] [--not-durable] -- COMMAND

`--help` tells the other options. The server is a MariaDB, or a MySQL with its own client tools on the PATH. COMMAND
finds it in DATABASE_URL; its exit status is that of this program. The data folder is made where temporary files go;
TMPDIR names another place.
"""

import argparse
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from scripts.mysql_programs import programs, server_command

START_SECONDS = STOP_SECONDS = 60
# The terminal sends Ctrl-C to COMMAND too: its time to finish by itself.
GRACE_SECONDS = 5

# As durable as in production, so that timings are honest; each with the binary log as is its default. The socket is in
# the data folder: its full path may be too long.
SERVER_OPTIONS = [
    "--skip-name-resolve",
    "--bind-address=127.0.0.1",
    "--socket=socket",
    "--character-set-server=utf8mb4",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=1",
]
# For what neither times anything nor cuts the power: nothing waits for the disk.
NOT_DURABLE = [
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--sync-binlog=0",
]

# Run by the server before it lets anyone in, each time it starts. One statement a line.
FIRST_SQL = r"""CREATE DATABASE IF NOT EXISTS himmes CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS himmes@127.0.0.1 IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON `himmes%`.* TO himmes@127.0.0.1;
GRANT ALL PRIVILEGES ON `test\_himmes%`.* TO himmes@127.0.0.1;
"""

# Signals received that ask this program to end. They are only noted, and looked
# at while waiting, so that none can interrupt the cleaning up.
received: list[int] = []


def wait(process, seconds=float("inf"), unless=received):
    """Exit status of a process; None when time is up or a signal came first."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and not unless and time.monotonic() < deadline:
        time.sleep(0.05)
    return process.poll()


def stop(process):
    """Ask a process to end, then force it."""
    process.terminate()
    if wait(process, STOP_SECONDS, unless=()) is None:
        process.kill()
        process.wait()


class Server:
    """A server with all its files in folder; it starts on the same port and data each time."""

    name: str
    greeting: bytes  # with its version, in what it says when it is ready for connections
    first_sql = FIRST_SQL
    tools: Path | None = None  # a folder with client tools of its own

    def __init__(self, folder, *options):
        self.folder, self.log = folder, folder / "log"
        self.process: Popen | None = None
        first_sql, password = folder / "sql", secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as probe:  # a free port
            self.port = probe.getsockname()[1]
        self.database_url = f"mysql://himmes:{password}@127.0.0.1:{self.port}/himmes"
        if self._program(*self.installer()).wait() != 0:
            sys.exit(f"{self.name} made no data folder:\n{self._said()}")
        first_sql.write_text(self.first_sql.format(password=password))
        self.options = [*SERVER_OPTIONS, *options]
        self.options += [f"--port={self.port}", f"--tmpdir={folder}", f"--init-file={first_sql}"]

    def installer(self) -> list[str]:
        """The command that makes the data folder."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The command that is the server."""
        raise NotImplementedError

    def start(self):
        """Its version, once it is ready for connections."""
        self.process = self._program(*self.command(), *self.options)
        deadline = time.monotonic() + START_SECONDS
        while not (version := self._version()):
            if received:
                sys.exit(128 + received[0])
            if wait(self.process, 0.1) is not None or time.monotonic() > deadline:
                sys.exit(f"{self.name} did not start:\n{self._said()}")
        return version

    def stop(self):
        if self.process:
            stop(self.process)

    def kill(self):
        """Without a warning, as a power cut ends it."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def _program(self, *program):
        command = [*program, f"--datadir={self.folder}/data"]
        if os.geteuid() == 0:
            command.append("--user=root")  # else the server refuses to run as root
        # In a session of its own, Ctrl-C does not take it away from COMMAND.
        with self.log.open("ab") as out:
            return Popen(command, stdout=out, stderr=out, start_new_session=True)

    def _version(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                found = re.search(self.greeting, connection.recv(200))
        except OSError:
            return None
        return found and found[1].decode()

    def _said(self):
        return self.log.read_text(errors="replace")


class MariaDB(Server):
    """MariaDB, as it is installed on this machine."""

    name = "MariaDB"
    greeting = rb"(\d+\.\d+\.\d+)-MariaDB"

    def installer(self):
        # The database's root may only log in through the socket in the folder, so
        # nobody else on the machine gets in.
        login = "--auth-root-authentication-method=socket"
        return ["mariadb-install-db", "--no-defaults", login, "--skip-test-db"]

    def command(self):
        return ["mariadbd", "--no-defaults"]


class MySQL(Server):
    """MySQL, from a folder of the project."""

    name = "MySQL"
    greeting = rb"\n(\d+\.\d+\.\d+)"
    # Made without a password: nobody else on the machine gets in as the database's root.
    first_sql = f"{FIRST_SQL}ALTER USER root@localhost ACCOUNT LOCK;\n"

    def __init__(self, folder, *options):
        self.programs = programs()
        self.tools = self.programs / "bin"
        # Debian's folder for files of LOAD DATA is not there; the X protocol has a port of its own.
        super().__init__(folder, "--secure-file-priv=NULL", "--mysqlx=OFF", *options)

    def installer(self):
        # Nobody needs a data folder after a power cut that came while it was made.
        return [*self.command(), "--initialize-insecure", "--innodb-flush-method=nosync"]

    def command(self):
        return server_command(self.programs)


PRODUCTS = {product.name.lower(): product for product in (MariaDB, MySQL)}


@contextmanager
def running_server(folder, *options, product=MariaDB):
    """A Server that runs, and is stopped whatever happens meanwhile."""
    # Debian's servers are not on the PATH of normal users.
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin"
    server = product(folder, *options)
    try:
        print(f"{server.name} {server.start()} on 127.0.0.1:{server.port}", flush=True)
        yield server
    finally:
        server.stop()


def run(command, server):
    """Exit status of command, as a shell would give it."""
    environment = {**os.environ, "DATABASE_URL": server.database_url}
    if server.tools:
        environment["PATH"] = f"{server.tools}:{environment['PATH']}"
    process = Popen(command, env=environment)
    status = wait(process)
    if not received:
        return status if status >= 0 else 128 - status
    if received[0] == signal.SIGINT:
        wait(process, GRACE_SECONDS, unless=())
    stop(process)
    return 128 + received[0]


def main():
    """Read the arguments, note signals, run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--product", choices=PRODUCTS, default="mariadb")
    parser.add_argument("--buffer-pool", default="256M", metavar="SIZE")
    parser.add_argument("--local-infile", action="store_true")
    parser.add_argument("--not-durable", action="store_true", help="do not wait for the disk")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: received.append(number))

    pool = f"--innodb-buffer-pool-size={given.buffer_pool}"
    infile = f"--local-infile={int(given.local_infile)}"
    durability = NOT_DURABLE if given.not_durable else []
    with (
        tempfile.TemporaryDirectory(prefix=f"himmes-{given.product}-") as folder,
        running_server(Path(folder), pool, infile, *durability, product=PRODUCTS[given.product]) as server,
    ):
        return run(given.command, server)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError as missing:
        hint = "scripts/system_packages.sh installs what belongs to mariadb and to mysql"
        sys.exit(f"{missing.filename} not found; {hint}")
