"""Servers for the measurements, started and ended; ours as in production: gunicorn, its settings, collected files."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management import call_command

SESSION_COOKIE = "__Host-sessionid"  # its name with debug off
START_SECONDS = STOP_SECONDS = 30
AS_IN_PRODUCTION = {
    "DJANGO_DEBUG": "False",
    "DJANGO_BEHIND_PROXY": "True",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "DJANGO_API_RATE": "100000/second",  # the one exception: nobody is to be held back in a measurement
}


class Server(NamedTuple):
    address: str
    pid: int  # of its first process
    log: Path  # what it says


@contextmanager
def served(folder: Path, command: list[str], port: int, **variables: str) -> Iterator[Server]:
    """A server that is started, and ended whatever happens meanwhile."""
    log = folder / f"{port}.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=settings.BASE_DIR, stdout=out, stderr=out, env=os.environ | variables
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{command[0]} did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        try:
            yield Server(f"http://127.0.0.1:{port}", server.pid, log)
        except Exception as error:
            error.add_note(f"{command[0]} said:\n{log.read_text(errors='replace')[-10_000:]}")
            raise
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def in_production(folder: Path, *, workers: int = 1, pages: bool = True, **variables: str) -> Iterator[Server]:
    """Our application, started as in production on the database of DATABASE_URL; without `pages` only for its API."""
    if pages:
        call_command("collectstatic", interactive=False, verbosity=0)
    else:
        variables["DJANGO_SETTINGS_MODULE"] = "bench.api_settings"
    port = free_port()
    gunicorn = ["gunicorn", f"--bind=127.0.0.1:{port}", f"--workers={workers}", "--log-level=warning"]
    with served(folder, gunicorn, port, **AS_IN_PRODUCTION | variables) as server:
        yield server


def children_of(pid: int) -> list[int]:
    """The processes that a process has started; of gunicorn's first one, those that answer."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _answers(port: int) -> bool:
    """Anything at all. That it listens says nothing: gunicorn does so before it loads the application."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
