"""A mail server and a web server that keep what they get, and that kill who sends to them.

Once armed, the next who comes is killed: before anything of the notice was said, or after all of it was received and
before that is answered. So a kill always falls between the writing of a notice and the note that it was sent.
"""

import threading
import time
from collections.abc import Callable
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Moment(Enum):
    """When somebody who sends is killed."""

    BEFORE = "before"  # the notice has been sent
    AFTER = "after"  # it was received, and before its sender knows


class Got(NamedTuple):
    """One message; `key` is empty where it carried none."""

    channel: str
    key: str
    at: float


class Kept:
    """What both receivers got, and whom they kill."""

    def __init__(self, kill: Callable[[Moment], None]):
        self.got: list[Got] = []
        self._kill = kill
        self._armed: Moment | None = None
        self._lock = threading.Lock()

    def arm(self, moment: Moment) -> None:
        self._armed = moment

    @property
    def is_armed(self) -> bool:
        return self._armed is not None

    def came(self, moment: Moment) -> None:
        """Somebody has come as far as this."""
        with self._lock:
            if self._armed is moment:
                self._kill(moment)
                self._armed = None

    def keep(self, channel: str, key: str | None) -> None:
        with self._lock:
            self.got.append(Got(channel, key or "", time.monotonic()))


class _Mail:
    def __init__(self, kept: Kept):
        self.kept = kept

    async def handle_EHLO(  # noqa: N802  as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.kept.came(Moment.BEFORE)
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        head = bytes(envelope.content or b"").split(b"\r\n\r\n")[0].decode(errors="replace")
        keys = [line.partition(": ")[2] for line in head.splitlines() if line.startswith("X-HIMMES-Notice: ")]
        self.kept.keep("email", keys[0] if keys else "")
        self.kept.came(Moment.AFTER)
        return "250 OK"


class _Web(BaseHTTPRequestHandler):
    kept: Kept

    def do_POST(self) -> None:
        self.kept.came(Moment.BEFORE)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body:  # else its sender has been killed, and nothing was received
            self.kept.keep("webhook", self.headers["X-HIMMES-Notice"])
            self.kept.came(Moment.AFTER)
        try:
            self.send_response(204)
            self.end_headers()
        except OSError:
            pass  # who sent it is gone

    def log_message(self, format: str, *args: object) -> None:
        pass


class Receivers:
    """Both, at ports of their own; up and down as they are told."""

    def __init__(self, kept: Kept, mail_port: int, web_port: int):
        self.mail_port, self.web_port = mail_port, web_port
        self._kept = kept
        self._mail: Controller | None = None
        self._web: ThreadingHTTPServer | None = None

    def __enter__(self) -> "Receivers":
        return self

    def __exit__(self, *args: object) -> None:
        self.down()

    def up(self) -> None:
        self._mail = Controller(_Mail(self._kept), hostname="127.0.0.1", port=self.mail_port)
        self._mail.start()
        handler = type("Handler", (_Web,), {"kept": self._kept})
        self._web = ThreadingHTTPServer(("127.0.0.1", self.web_port), handler)
        threading.Thread(target=self._web.serve_forever, daemon=True).start()

    def down(self) -> None:
        if self._mail and self._web:
            self._mail.stop()
            self._web.shutdown()
            self._web.server_close()
            self._mail = self._web = None
