"""Caddy in front of a server of this machine, as docs/deploy-aws.md has it."""

import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from subprocess import Popen

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "deploy-aws.md"
START_SECONDS = 60
OPTIONS = "{\n    admin off\n    auto_https disable_redirects\n    skip_install_trust\n}\n"


@contextmanager
def behind_caddy(folder: Path, port: int) -> Iterator[str]:
    """Address of a Caddy that has a certificate and files of its own, in `folder`, and passes requests on to `port`."""
    [documented] = re.findall(r"^    mes\.example\.org \{\n.*?^    \}$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as probe:  # a free port
        own_port = probe.getsockname()[1]
    here = f"https://127.0.0.1:{own_port} {{\n        tls internal\n        bind 127.0.0.1"
    site = documented.replace("mes.example.org {", here, 1).replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    config, log = folder / "Caddyfile", folder / "caddy.log"
    config.write_text(f"{OPTIONS}{site}\n")
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    with log.open("wb") as out:
        proxy = Popen(command, env=environment, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _is_healthy(own_port):
            if proxy.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"Caddy did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield f"https://127.0.0.1:{own_port}"
    finally:
        proxy.terminate()
        proxy.wait()


def _is_healthy(port: int) -> bool:
    # Whose authority lives as long as Caddy
    context = ssl._create_unverified_context()  # noqa: S323
    connection = HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
