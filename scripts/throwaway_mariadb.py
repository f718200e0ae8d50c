"""Run a command with a MariaDB server of its own, then remove every trace of it.

    python scripts/throwaway_mariadb.py [--buffer-pool 256M] [--local-infile] [--not-durable] -- COMMAND

COMMAND finds the server in DATABASE_URL; its exit status is that of this program.
The data folder is made where temporary files go; TMPDIR names another place.
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

START_SECONDS = STOP_SECONDS = 60
# The terminal sends Ctrl-C to COMMAND too: its time to finish by itself.
GRACE_SECONDS = 5

# As durable as in production, so that timings are honest; no binary log, which is
# the default. The socket is in the data folder: its full path may be too long.
SERVER_OPTIONS = [
    "--skip-name-resolve",
    "--bind-address=127.0.0.1",
    "--socket=socket",
    "--character-set-server=utf8mb4",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=1",
]
# For what neither times anything nor cuts the power: nothing waits for the disk.
NOT_DURABLE = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync"]

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


def server_version(port):
    """What a server says when it is ready for connections; None until then."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            found = re.search(rb"(\d+\.\d+\.\d+)-MariaDB", connection.recv(200))
    except OSError:
        return None
    return found and found[1].decode()


class Server:
    """A server with all its files in folder; it starts on the same port and data each time."""

    def __init__(self, folder, *options):
        self.folder, self.log = folder, folder / "log"
        self.process: Popen | None = None
        first_sql, password = folder / "sql", secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as probe:  # a free port
            self.port = probe.getsockname()[1]
        self.database_url = f"mysql://himmes:{password}@127.0.0.1:{self.port}/himmes"
        # The database's root may only log in through the socket in the folder, so
        # nobody else on the machine gets in.
        login = "--auth-root-authentication-method=socket"
        if self._program("mariadb-install-db", login, "--skip-test-db").wait() != 0:
            sys.exit(f"mariadb-install-db failed:\n{self._said()}")
        first_sql.write_text(FIRST_SQL.format(password=password))
        self.options = [*SERVER_OPTIONS, *options]
        self.options += [f"--port={self.port}", f"--tmpdir={folder}", f"--init-file={first_sql}"]

    def start(self):
        """Its version, once it is ready for connections."""
        self.process = self._program("mariadbd", *self.options)
        deadline = time.monotonic() + START_SECONDS
        while not (version := server_version(self.port)):
            if received:
                sys.exit(128 + received[0])
            if wait(self.process, 0.1) is not None or time.monotonic() > deadline:
                sys.exit(f"MariaDB did not start:\n{self._said()}")
        return version

    def stop(self):
        if self.process:
            stop(self.process)

    def kill(self):
        """Without a warning, as a power cut ends it."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def _program(self, name, *options):
        command = [name, "--no-defaults", f"--datadir={self.folder}/data", *options]
        if os.geteuid() == 0:
            command.append("--user=root")  # else the server refuses to run as root
        # In a session of its own, Ctrl-C does not take it away from COMMAND.
        with self.log.open("ab") as out:
            return Popen(command, stdout=out, stderr=out, start_new_session=True)

    def _said(self):
        return self.log.read_text(errors="replace")


@contextmanager
def running_server(folder, *options):
    """A Server that runs, and is stopped whatever happens meanwhile."""
    # Debian's servers are not on the PATH of normal users.
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin"
    server = Server(folder, *options)
    try:
        print(f"MariaDB {server.start()} on 127.0.0.1:{server.port}", flush=True)
        yield server
    finally:
        server.stop()


def run(command, database_url):
    """Exit status of command, as a shell would give it."""
    process = Popen(command, env={**os.environ, "DATABASE_URL": database_url})
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
    parser.add_argument("--buffer-pool", default="256M", metavar="SIZE")
    parser.add_argument("--local-infile", action="store_true")
    parser.add_argument("--not-durable", action="store_true", help="do not wait for the disk")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: received.append(number))

    pool = f"--innodb-buffer-pool-size={given.buffer_pool}"
    infile = f"--local-infile={int(given.local_infile)}"
    with (
        tempfile.TemporaryDirectory(prefix="himmes-mariadb-") as folder,
        running_server(Path(folder), pool, infile, *(NOT_DURABLE if given.not_durable else [])) as server,
    ):
        return run(given.command, server.database_url)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError as missing:
        hint = "scripts/system_packages.sh mariadb installs what belongs to MariaDB"
        sys.exit(f"{missing.filename} not found; {hint}")
