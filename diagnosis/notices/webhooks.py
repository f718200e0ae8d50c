"""Notices as JSON, posted to an address of the subscriber's and signed.

The receiver computes HMAC-SHA256 over the timestamp, a dot and the body as it came, with the secret of the
subscription, and compares it with `v1` of the header `X-HIMMES-Signature: t=TIMESTAMP,v1=HEX`.
"""

import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from threading import Timer
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from diagnosis.models import Subscription
from diagnosis.notices.messages import Message, NotSent
from diagnosis.notices.reachable import IP, Refused, Unreachable, addresses_of

CONNECT_S = 5.0  # to one address, and as long again for TLS
WHOLE_S = 15.0  # for the request and the head of the answer, however slowly it comes
MOST_ADDRESSES = 3  # of one name that are tried


class Place(NamedTuple):
    """Where a webhook goes."""

    is_tls: bool
    host: str
    port: int
    path: str
    header: str  # host and port as they are written in the address


def check(target: str) -> None:
    """Raises ValidationError for what is no address of a webhook, and for one that may not be called."""
    place = read(target)
    try:
        addresses_of(place.host, place.port, needs_listing=not place.is_tls)
    except (Unreachable, Refused) as error:
        raise ValidationError(_why(error, place)) from error


def read(target: str) -> Place:
    """Raises ValidationError."""
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_written_well = target.isascii() and target.isprintable() and " " not in target
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_written_well:
        raise ValidationError(_("Enter an address that begins with https://, such as https://example.org/alarms."))
    if "@" in parts.netloc or parts.fragment:
        raise ValidationError(_("Leave user, password and # out of the address. What is sent is signed."))
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    is_tls = parts.scheme == "https"
    return Place(is_tls, parts.hostname, port or (443 if is_tls else 80), path, parts.netloc)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of the header X-HIMMES-Signature."""
    code = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={code}"


def send(subscription: Subscription, message: Message) -> None:
    """Raises NotSent. The address is looked up and judged anew, and the one that was judged is connected to."""
    body = json.dumps(message.payload, ensure_ascii=False).encode()
    try:
        place = read(subscription.target)
        status = _post(place, body, _headers(place, subscription, message, body))
    except ValidationError as error:
        raise NotSent(error.messages[0]) from error
    except (Unreachable, Refused) as error:
        raise NotSent(_why(error, place)) from error
    except (HTTPException, HTTPError, OSError) as error:
        raise NotSent(
            _("%(host)s does not answer: %(error)s") % {"host": place.host, "error": _in_words(error)}
        ) from error
    if not 200 <= status < 300:  # nor does it go where a redirect leads: that address was not judged
        raise NotSent(_("%(host)s answered with HTTP status %(status)s.") % {"host": place.host, "status": status})


def _headers(place: Place, subscription: Subscription, message: Message, body: bytes) -> dict[str, str]:
    return {
        "Host": place.header,
        "Content-Type": "application/json",
        "User-Agent": "HIM-MES",
        "X-HIMMES-Notice": message.key,
        "X-HIMMES-Signature": signature(subscription.secret, int(time.time()), body),
    }


def _post(place: Place, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer. What else it says is not read, so it can be of any length."""
    with closing(_connected(place)) as connection, _ended_after(WHOLE_S, connection.sock):
        connection.timeout = WHOLE_S
        connection.request("POST", place.path, body=body, headers=headers, preload_content=False)
        return connection.getresponse().status


def _connected(place: Place) -> HTTPConnection:
    """A connection to the first of the addresses that takes one."""
    *others, last = addresses_of(place.host, place.port, needs_listing=not place.is_tls)[:MOST_ADDRESSES]
    for address in others:
        with suppress(HTTPError, OSError):
            return _connection(place, address)
    return _connection(place, last)


def _connection(place: Place, address: IP) -> HTTPConnection:
    if place.is_tls:
        connection: HTTPConnection = HTTPSConnection(
            str(address),
            place.port,
            timeout=CONNECT_S,
            # To an address, but with the certificate of the name
            server_hostname=place.host,
            ssl_context=ssl.create_default_context(),
        )
    else:
        connection = HTTPConnection(str(address), place.port, timeout=CONNECT_S)
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _ended_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Time-outs of sockets begin anew with each byte; this one does not."""

    def end() -> None:
        with suppress(OSError):  # it has ended by itself
            connected.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _why(error: Unreachable | Refused, place: Place) -> str:
    if isinstance(error, Unreachable):
        return _("There is no address of %(host)s.") % {"host": place.host}
    if place.is_tls:
        return _(
            "%(host)s is not a public address. Webhooks go to others only if an administrator lists the network in "
            "DJANGO_WEBHOOK_ALLOWED_NETWORKS."
        ) % {"host": place.host}
    return _(
        "http:// is for networks that an administrator lists in DJANGO_WEBHOOK_ALLOWED_NETWORKS; %(host)s is in none. "
        "Use https://."
    ) % {"host": place.host}


def _in_words(error: Exception) -> str:
    """Without the address that was connected to, which urllib3 puts in front."""
    reason = getattr(error, "__cause__", None) or error
    return str(reason) or type(reason).__name__
