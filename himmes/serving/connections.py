"""Connections of waitress whose every wait has an end, and which make room for others when there are too many.

waitress closes what is silent for long. Whoever sends a byte now and then, or reads none of an answer, would keep a
connection for ever; and its clock is that of the wall, which may jump.
"""

import socket
import time
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any

from django.conf import settings
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import Error

from himmes.serving.bodies import BUSY, REFUSAL, Refusal, limit_of, refusal_of, too_large

HEAD_S = 10.0  # from the first byte of a request, or from a connection that says nothing, to the end of the head
STALLED_S = 15.0  # in which a sender sends, or a reader takes, at least something
BODY_S = 20.0  # for any body, and beyond that
SLOWEST_BYTES_PER_S = 32 * 1024  # on average of a body
LINGER_S = 5.0  # in which the sender of a refused body may still be sending, and then reads why
REQUEST_LINE_BYTES = 4094  # as gunicorn's own; the time to look an address up may grow with the square of its length
FRAMING = 8  # bytes on the line for each byte of a chunked body, at the most


class LineTooLong(Error):
    code = 414
    reason = "URI Too Long"


class Spool:
    """The bytes of large bodies that a process holds at one time; they lie on a disk, or in a /tmp in memory."""

    def __init__(self):
        self._lock = Lock()
        self.held = 0

    def take(self, count: int) -> bool:
        """Whether there was room for so many."""
        with self._lock:
            has_room = self.held + count <= settings.API_MAX_UPLOAD_BYTES * 3 // 2
            self.held += count if has_room else 0
        return has_room

    def give_back(self, count: int) -> None:
        with self._lock:
            self.held -= count


class Request(HTTPRequestParser):
    """A request that is being received. One whose body is refused is complete without it, and ends its connection."""

    error: Error | None
    body_rcv: Any

    def __init__(self, adjustments, listener: "Listener"):
        super().__init__(adjustments)
        self.listener = listener
        self.refusal: Refusal | None = None
        self._spooled = 0

    def received(self, data: bytes) -> int:
        """How many of the bytes belong to it; all, once its body is refused, as what follows is no request."""
        is_head = not self.headers_finished
        consumed = super().received(data)
        if self.headers_finished and not self.error and self.refusal is None:
            if is_head and len(self.first_line) > REQUEST_LINE_BYTES:
                self.error = LineTooLong(f"A request line has at most {REQUEST_LINE_BYTES} bytes.")
                self.completed = True
            elif is_head:
                self._judge_head()
            elif self.chunked:
                self._judge_chunks()
        return consumed if self.refusal is None else len(data)

    def allowed_s(self) -> float:
        """How long it may take to arrive, from its first byte on."""
        if not self.headers_finished:
            return HEAD_S
        length = limit_of(self._environ()) if self.chunked else self.content_length
        return HEAD_S + BODY_S + length / SLOWEST_BYTES_PER_S

    def close(self) -> None:
        super().close()
        self.listener.spool.give_back(self._spooled)
        self._spooled = 0

    def _judge_head(self) -> None:
        if self.listener.is_ending:
            self.headers["CONNECTION"] = "close"
        if refusal := refusal_of(self._environ()):
            self._refuse(refusal)
        elif not self.completed:
            self._spool(self.content_length)

    def _judge_chunks(self) -> None:
        """Their number is not known beforehand; nor may a few bytes come in endless framing."""
        limit = limit_of(self._environ())
        size = len(self.body_rcv)
        if size > limit or self.body_bytes_received > FRAMING * limit:
            self._refuse(too_large(self._environ()))
        else:
            self._spool(size)

    def _spool(self, size: int) -> None:
        """Count the body while it is so large that it lies in a file."""
        if size <= max(self.adj.inbuf_overflow, self._spooled):
            return
        if self.listener.spool.take(size - self._spooled):
            self._spooled = size
        else:
            self._refuse(BUSY)

    def _refuse(self, refusal: Refusal) -> None:
        self.close()
        self.refusal, self.body_rcv = refusal, None
        self.completed, self.expect_continue = True, False
        self.headers["CONNECTION"] = "close"

    def _environ(self) -> dict:
        """As much of the environ as the limits depend on."""
        named = {f"HTTP_{name}": value for name, value in self.headers.items() if name in ("AUTHORIZATION", "COOKIE")}
        return named | {"PATH_INFO": self.path, "CONTENT_LENGTH": self.headers.get("CONTENT_LENGTH", "")}


class Task(WSGITask):
    def get_environment(self) -> dict:
        environ = super().get_environment()
        environ[REFUSAL] = self.request.refusal
        return environ


class Connection(HTTPChannel):
    """Of one client. Its methods run in the loop's thread, but for what sends the answer."""

    task_class = Task
    request: Request | None  # that is being received

    def __init__(self, server, sock, addr, adj, map=None):
        super().__init__(server, sock, addr, adj, map)
        self.parser_class = partial(Request, listener=server)
        self.has_asked = False
        self.refused = False  # whether the last request came without its body
        self.lingers = False
        self.moved = self.waits_since = time.monotonic()

    def is_at_work(self) -> bool:
        return bool(self.requests or self.total_outbufs_len)

    def is_late(self, now: float) -> bool:
        """Whether what it waits for should have come by now (time.monotonic)."""
        if self.lingers:
            return now - self.moved > LINGER_S
        if self.is_at_work():
            return self.total_outbufs_len > 0 and now - self.moved > STALLED_S
        if self.request is not None:
            return now - self.moved > STALLED_S or now - self.waits_since > self.request.allowed_s()
        return now - self.waits_since > (self.adj.channel_timeout if self.has_asked else HEAD_S)

    def received(self, data: bytes) -> bool:
        self.moved = time.monotonic()
        was_waiting = self.request is None
        taken = super().received(data)
        self.has_asked = self.has_asked or bool(self.requests)
        if was_waiting or self.request is None:
            self.waits_since = self.moved
        return taken

    def readable(self) -> bool:
        return self.lingers or super().readable()

    def writable(self) -> bool:
        return not self.lingers and super().writable()

    def handle_read(self) -> None:
        if not self.lingers:
            super().handle_read()
        elif not self.recv(self.adj.recv_bytes):  # closes by itself at the end
            self.handle_close()

    def handle_write(self) -> None:
        if self.close_when_flushed and self.refused and not self.will_close:
            # Closed with something unread, the connection would be reset, and the answer might be lost.
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self.lingers, self.moved = True, time.monotonic()
                with suppress(OSError):
                    self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_write()

    def service(self) -> None:
        self.refused = getattr(self.requests[0], "refusal", None) is not None
        super().service()
        self.waits_since = time.monotonic()

    def handle_close(self) -> None:
        if self.request is not None:
            self.request.close()
            self.request = None
        super().handle_close()

    def _flush_some(self, do_close=True):
        if sent := super()._flush_some(do_close=do_close):
            self.moved = time.monotonic()
        return sent


class Listener(TcpWSGIServer):
    """Takes connections from a socket of gunicorn's."""

    channel_class = Connection

    def __init__(self, application, map, adjustments, dispatcher, sock, most: int):
        """`most` is how many connections it holds."""
        self.spool, self.is_ending, self.most = Spool(), False, most
        sockinfo = (sock.family, sock.type, sock.proto, sock.getsockname())
        super().__init__(
            application,
            map,
            _sock=sock,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=sockinfo,
            bind_socket=False,
        )

    def handle_accept(self) -> None:
        super().handle_accept()
        if len(self.active_channels) > self.most:
            # Whoever has waited longest without a request makes room: else some hundred connections that say nothing
            # would keep everybody out.
            waiting = [it for it in self.active_channels.values() if not it.is_at_work()]
            if waiting:
                min(waiting, key=lambda it: it.waits_since).handle_close()

    def maintenance(self, now: float) -> None:
        """Nothing: waitress calls it by the clock on the wall."""

    def close_late(self) -> None:
        now = time.monotonic()
        for connection in list(self.active_channels.values()):
            if connection.is_late(now):
                connection.handle_close()

    def end(self) -> None:
        """Take no more connections."""
        self.is_ending, self.accepting = True, False
        self.del_channel()
        self.socket.close()

    def is_busy(self, *, with_idle: bool) -> bool:
        """Whether a request is being received or answered; with idle connections, whether there is any connection."""
        return any(with_idle or it.is_at_work() or it.request is not None for it in self.active_channels.values())
