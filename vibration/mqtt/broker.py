"""The broker: its address as one setting, and a client that keeps its session and acknowledges by hand."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

PORTS = {"mqtt": 1883, "mqtts": 8883}  # without and with TLS
KEEPALIVE_S = 60
QOS = 1


class BadAddress(ValueError):
    """An address of a broker that can't be; the message says why, and never the password."""


@dataclass(frozen=True)
class Address:
    """Where the broker is, and as whom to come."""

    host: str
    port: int
    uses_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    authority: str = ""  # a PEM file of who signed the broker's certificate; empty: those that the system trusts

    @classmethod
    def read(cls, text: str) -> Self:
        """Of `mqtt://host:1883`, `mqtts://user:password@host:8883?ca=FILE`. Raises BadAddress."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise BadAddress("its port is no number from 1 to 65535") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise BadAddress("write mqtt://host:1883, or mqtts://user:password@host:8883 with TLS")
        if parts.path not in ("", "/") or parts.fragment:
            raise BadAddress("nothing may stand behind host and port but ?ca=FILE; encode a / in a password as %2F")
        query = parse_qs(parts.query, keep_blank_values=True)
        authority = query.pop("ca", [""])[0]
        if query or (authority and parts.scheme != "mqtts"):
            raise BadAddress("only ?ca=FILE may stand behind it, and only of mqtts://")
        if authority and not Path(authority).is_file():
            raise BadAddress(f"there is no file {authority}")
        return cls(
            parts.hostname,
            port or PORTS[parts.scheme],
            parts.scheme == "mqtts",
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            authority,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def new_client(address: Address, client_id: str) -> Client:
    """A client that is not connected yet. The broker keeps what comes for `client_id` while nobody of it is there."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=False,
        protocol=MQTTv311,
        manual_ack=True,
        reconnect_on_failure=False,
    )
    if address.user:
        client.username_pw_set(address.user, address.password or None)
    if address.uses_tls:
        client.tls_set_context(ssl.create_default_context(cafile=address.authority or None))
    client.connect_async(address.host, address.port, keepalive=KEEPALIVE_S)
    return client
