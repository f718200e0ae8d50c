"""MySQL's and MariaDB's command-line tools: found, given their login, run, and their failures put into words."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from himmes.operations.backups.archive import BLOCK_BYTES, BackupError

STOP_S = 5  # that a tool has to say why it failed
_HINTS = {
    (1044, 1142, 1143, 1227, 1370): "The database user lacks a right; docs/operate.md lists those that are needed.",
    (1045, 1698, 1862, 3118): "The server refuses the user or the password of DATABASE_URL.",
    (2002, 2003, 2005, 2006, 2013): "The database server does not answer.",
    (2026,): "TLS to the database server failed; see ssl_mode and the certificate in DATABASE_URL.",
    (1153,): "A row is larger than the server's max_allowed_packet; raise that.",
    (1114, 1021, 3): "The server's disk is full.",
    (1205,): "Another program holds a lock; stop it and try again.",
}


def find_tool(kind: str, *, mariadb: bool) -> list[str]:
    """Path of the dump tool (`-dump`) or of the client (``), and `--version` output of it."""
    names = [f"mariadb{kind}", f"mysql{kind.lstrip('-')}"]
    for name in names if mariadb else reversed(names):
        if path := shutil.which(name):
            version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            return [path, version.stdout.strip()]
    raise BackupError(
        f"Neither {names[0]} nor {names[1]} is installed. Debian and Ubuntu: apt-get install mariadb-client."
    )


def option_text(settings: dict, *, mariadb_tool: bool) -> str:
    """The option file for a tool that logs in as Django does with these settings of a database."""
    options = settings.get("OPTIONS", {})
    host = _host(settings)
    values = {
        "user": options.get("user") or settings["USER"],
        "password": options.get("password") or options.get("passwd") or settings["PASSWORD"],
        "socket" if "/" in host else "host": host,
        "port": options.get("port") or settings["PORT"],
        "default-character-set": "utf8mb4",
        "max-allowed-packet": "1G",
    }
    lines = [f"{name}={_quoted(str(value))}" for name, value in values.items() if value]
    lines += _tls_lines(options.get("ssl"), options.get("ssl_mode"), mariadb_tool=mariadb_tool)
    return "[client]\n" + "".join(f"{line}\n" for line in lines)


def address(settings: dict) -> str:
    """Where the server is that Django connects to with these settings of a database: HOST:PORT, or its socket."""
    host = _host(settings) or "localhost"
    return host if "/" in host else f"{host}:{settings.get('OPTIONS', {}).get('port') or settings['PORT'] or 3306}"


def _host(settings: dict) -> str:
    options = settings.get("OPTIONS", {})
    return options.get("unix_socket") or options.get("host") or settings["HOST"]


def _tls_lines(ssl, mode: str | None, *, mariadb_tool: bool) -> list[str]:
    files = ssl if isinstance(ssl, dict) else {}
    if mode is None and isinstance(ssl, bool):
        mode = "REQUIRED" if ssl else "DISABLED"
    lines = [f"ssl-{name}={_quoted(str(value))}" for name, value in files.items() if value]
    if not mariadb_tool:
        return lines + ([f"ssl-mode={mode}"] if mode else [])
    if mode == "DISABLED":
        return ["skip-ssl"]
    if mode in ("VERIFY_CA", "VERIFY_IDENTITY"):
        return [*lines, "ssl", "ssl-verify-server-cert"]
    # From MariaDB 11.4 on, the tools would check the certificate unasked; the driver does not. Older ones speak TLS
    # where the server does, but can't be told to insist: the driver, which connects before, does.
    return [*lines, *(["ssl"] if mode == "REQUIRED" else []), "skip-ssl-verify-server-cert"]


def _quoted(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


@contextmanager
def running(tool: str, options: str, *arguments: str, **streams) -> Iterator[subprocess.Popen]:
    """The tool, running; at the end of the block it is waited for.

    Its options are in memory only, in a file that it inherits: others can't read the password there, and a kill leaves
    nothing behind. Raises BackupError when it fails.
    """
    with tempfile.TemporaryFile() as errors, os.fdopen(os.memfd_create("options"), "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # the tools ignore one that everybody may write
        file.write(options.encode())
        file.flush()
        command = [tool, f"--defaults-file=/dev/fd/{file.fileno()}", *arguments]
        more: dict[str, Any] = {
            "stderr": errors,
            "pass_fds": [file.fileno()],
            "bufsize": BLOCK_BYTES,
            "start_new_session": True,
        }
        trouble = None
        try:
            with subprocess.Popen(command, **more, **streams) as process:
                try:
                    yield process
                except (BackupError, BrokenPipeError) as error:
                    # Maybe it failed, and its output or input is cut for that reason, which it tells.
                    trouble = error
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(STOP_S)
                    process.kill()
                except BaseException:
                    process.kill()
                    raise
        except BrokenPipeError as error:  # of the last bytes
            trouble = error
        if process.returncode > 0 or (trouble is None and process.returncode != 0):
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise BackupError(_in_words(tool, said or f"ended with status {process.returncode}"))
        if trouble is not None:
            raise trouble


def _in_words(tool: str, said: str) -> str:
    numbers = {
        int(number) for found in re.findall(r"(?i)error:? (\d+)|\((\d{4})\)", said) for number in found if number
    }
    hints = [hint for codes, hint in _HINTS.items() if numbers.intersection(codes)]
    return " ".join([f"{os.path.basename(tool)}: {said}", *hints])  # noqa: PTH119  a word of a message
