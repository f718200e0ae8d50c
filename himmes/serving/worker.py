"""How requests reach the application: a worker of gunicorn in which waitress reads and writes.

gunicorn starts, watches and ends the processes. In each, one loop of waitress holds all connections: a request comes to
one of the few threads only when it is there as a whole, and an answer leaves the thread as soon as it is written. So
whoever sends or reads slowly holds a connection, and no thread.
"""

import os
import resource
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

if TYPE_CHECKING:
    from himmes.serving.connections import Listener

LOOP_S = 1.0  # at the longest, from one look at the clock to the next
FILES_PER_CONNECTION, OTHER_FILES = 3, 100  # its socket, a large body and a large answer; databases, modules
IDLE_LINGER_S = 2.0  # an open connection that says nothing may be about to send a request when the server ends


class BufferedWorker(Worker):
    """Settings of gunicorn that it knows: `threads`, `keepalive`, `worker_connections`, `graceful_timeout`."""

    listeners: "Sequence[Listener]" = ()  # until it runs

    def run(self) -> None:
        from himmes.serving.connections import Listener  # reads the settings, which the application has by now

        allow_files(FILES_PER_CONNECTION * self.cfg.worker_connections + OTHER_FILES)
        self.map: dict = {}
        self.next_look = 0.0
        adjustments = Adjustments(
            # Bound by gunicorn; the address here is never used.
            sockets=[listener.sock for listener in self.sockets],
            ident=None,
            # Who the proxy is believed to be is for Django to say, by DJANGO_BEHIND_PROXY.
            clear_untrusted_proxy_headers=False,
            threads=self.cfg.threads,
            channel_timeout=self.cfg.keepalive,
            max_request_header_size=32 * 1024,
            recv_bytes=64 * 1024,
            # Ours are others: by address, and with room made instead of a closed door.
            max_request_body_size=2**40,
            connection_limit=2**40,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(adjustments.threads)
        self.listeners = [
            Listener(self.wsgi, self.map, adjustments, dispatcher, listener.sock, most=self.cfg.worker_connections)
            for listener in self.sockets
        ]
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._end(dispatcher)

    def handle_exit(self, sig, frame) -> None:
        super().handle_exit(sig, frame)
        for listener in self.listeners:
            listener.pull_trigger()

    def _turn(self) -> None:
        self.notify()
        wasyncore.loop(LOOP_S, use_poll=True, map=self.map, count=1)
        if (now := time.monotonic()) >= self.next_look:
            self.next_look = now + LOOP_S
            for listener in self.listeners:
                listener.close_late()

    def _end(self, dispatcher: ThreadedTaskDispatcher) -> None:
        """Take no new connections, and let those that are at work finish, for `graceful_timeout` at the longest."""
        began = time.monotonic()
        for listener in self.listeners:
            listener.end()
        while (passed := time.monotonic() - began) < self.cfg.graceful_timeout:
            if not any(listener.is_busy(with_idle=passed < IDLE_LINGER_S) for listener in self.listeners):
                break
            self._turn()
        dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self.map)


def allow_files(number: int) -> None:
    """Raise the number of files that this process may open, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
