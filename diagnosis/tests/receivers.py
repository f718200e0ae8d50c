"""Receivers of notices on the loopback: a mail server and a web server that keep what they get."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default as email_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class MailServer:
    """Takes mail; while `refuses` it says why not."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.refuses = ""

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  as aiosmtpd calls it
        if self.refuses:
            return self.refuses
        self.received.append(message_from_bytes(envelope.content, policy=email_policy))
        return "250 OK"


@contextmanager
def mail_server(settings=None, port: int | None = None) -> Iterator[MailServer]:
    """Listens, and lets Django hand over its mail there."""
    kept = MailServer()
    controller = Controller(kept, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    if settings is not None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
        settings.DEFAULT_FROM_EMAIL = "HIM-MES <mes@example.org>"
        settings.MAIL_IS_CONFIGURED = True
    try:
        yield kept
    finally:
        controller.stop()


class WebServer(ThreadingHTTPServer):
    """Takes posts; answers with `status`."""

    daemon_threads = True

    def __init__(self, port: int = 0, host: str = "127.0.0.1"):
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status in (301, 302, 307, 308):
            self.send_header("Location", f"http://127.0.0.1:{self.server.port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def web_server(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[WebServer]:
    with WebServer(port) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
