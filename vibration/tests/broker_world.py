"""A Mosquitto of the tests' own, on a free port of the loopback; it keeps what it has over a restart."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 60
# Debian keeps servers here, which is not on the PATH of normal users.
PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
ON_CI = os.environ.get("CI") == "true"

needs_broker = pytest.mark.skipif(
    not PROGRAM and not ON_CI, reason="Mosquitto is not installed: scripts/system_packages.sh mqtt"
)


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Broker:
    """Started when it is made; `more` are lines of its configuration."""

    def __init__(self, folder: Path, *more: str):
        self.port, self._folder = free_port(), folder
        self._more = more or ("allow_anonymous true",)
        self._process: subprocess.Popen | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        configuration = self._folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",  # else it becomes another one, who may not write here
            "persistence true",
            f"persistence_location {self._folder}/",
            *self._more,
        ]
        configuration.write_text("\n".join(lines) + "\n")
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM or "mosquitto", "-c", str(configuration)], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()
                assert time.monotonic() < deadline, "the broker did not start"
                time.sleep(0.02)

    def stop(self) -> None:
        """As an administrator does: it stores what it has."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None


class Publisher:
    """Somebody who measures and publishes; each message is known to be with the broker when `send` returns."""

    def __init__(self, port: int, **login: str):
        self._client = Client(CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(**login)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, topic: str, payload: bytes, qos: int = 1) -> None:
        self._client.publish(topic, payload, qos).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
