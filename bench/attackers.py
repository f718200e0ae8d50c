"""Who attacks the site in bench/attack, and who wants to work with it meanwhile; all on the loopback."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Thread
from urllib.parse import urlsplit

import numpy as np

from vibration.numbers.states import STATES

PACE_S = 0.25
GIVE_UP_S = 60
ROWS = 100
UNCHECKED = ssl._create_unverified_context()  # noqa: S323  the proxy's certificate is made for this run


class Target:
    """Where the site is reached, directly or through the proxy."""

    def __init__(self, name: str, address: str):
        self.name, parts = name, urlsplit(address)
        self.host, self.port, self.is_tls = parts.hostname, parts.port, parts.scheme == "https"
        # What a proxy would add; the real one overwrites it.
        self.headers = {"X-Forwarded-Proto": "https"}

    def connection(self, timeout: float = GIVE_UP_S) -> HTTPConnection:
        if self.is_tls:
            return HTTPSConnection(self.host, self.port, timeout=timeout, context=UNCHECKED)
        return HTTPConnection(self.host, self.port, timeout=timeout)

    def call(self, method: str, path: str, body=None, headers: dict | None = None) -> tuple[int, dict, bytes]:
        """Status, headers and body; raises OSError or HTTPException when no answer comes."""
        connection = self.connection()
        try:
            connection.request(method, path, body, self.headers | (headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def socket(self, receive_bytes: int | None = None) -> socket.socket:
        caller = socket.socket()
        if receive_bytes:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        caller.settimeout(GIVE_UP_S)
        caller.connect((self.host, self.port))
        return UNCHECKED.wrap_socket(caller) if self.is_tls else caller


class Worker(Thread):
    """Asks for one thing again and again, each time on a new connection, until it is told to end."""

    def __init__(self, target: Target):
        super().__init__(daemon=True)
        self.target, self._end = target, Event()
        self.seconds: list[float] = []
        self.faults: list[str] = []

    def ask(self) -> tuple[int, dict, bytes]:
        raise NotImplementedError

    def run(self) -> None:
        while not self._end.wait(PACE_S):
            began = time.monotonic()
            try:
                status, _headers, content = self.ask()
                if status != 200:
                    self.faults.append(f"{status} {content[:200]}")
            except (OSError, HTTPException) as error:
                self.faults.append(repr(error))
            self.seconds.append(time.monotonic() - began)

    def finish(self) -> None:
        self._end.set()
        self.join()


class Health(Worker):
    def ask(self):
        return self.target.call("GET", "/healthz")


class Collector(Worker):
    """Posts lists of a recording that goes on."""

    def __init__(self, target: Target, token: str, recording: str):
        super().__init__(target)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.place = {"machine_name": "attacked", "sensor_no": "sensor1", "recording": recording}
        self.values = np.random.default_rng(1).normal(size=(ROWS, len(STATES))).round(6).tolist()
        self.first = 0

    def ask(self):
        rows = [
            self.place | {"measured_time": (self.first + number) / 1_000} | dict(zip(STATES, row, strict=True))
            for number, row in enumerate(self.values)
        ]
        answer = self.target.call("POST", "/api/vibration-data/bulk", json.dumps(rows).encode(), self.headers)
        self.first += ROWS
        return answer


@contextmanager
def at_work(target: Target, token: str, recording: str) -> Iterator[tuple[Health, Collector]]:
    workers = Health(target), Collector(target, token, recording)
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.finish()


class SlowCompany(Thread):
    """Keeps so many slow connections open, of all kinds in turn; those that the server ends are opened anew."""

    def __init__(self, target: Target, token: str, count: int):
        super().__init__(daemon=True)
        self.target, self.kinds, self.count = target, list(slow_kinds(token).values()), count
        self.opened = 0
        self._end = Event()

    def run(self) -> None:
        callers: list[socket.socket] = []
        while not self._end.wait(1):
            for caller in [it for it in callers if ended([it])]:
                caller.close()
                callers.remove(caller)
            while len(callers) < self.count:
                caller = self.target.socket()
                callers.append(caller)
                with suppress(OSError):  # seen as ended at the next look
                    caller.sendall(self.kinds[self.opened % len(self.kinds)])
                self.opened += 1
        for caller in callers:
            caller.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self._end.set()
        self.join()


def head(method: str, path: str, **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "X-Forwarded-Proto: https"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def slow_kinds(token: str) -> dict[str, bytes]:
    """What a slow client sends before it falls silent."""
    form = head("POST", "/login/", Content_Type="application/x-www-form-urlencoded", Content_Length="60000")
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="g1_s1.csv"\r\n\r\n'
    upload = head(
        "POST",
        "/api/vibration-data/csv",
        Authorization=f"Bearer {token}",
        Content_Type="multipart/form-data; boundary=x",
        Content_Length="1000000",
    )
    return {
        "silent": b"",
        "half a request line": b"GET /heal",
        "half a head": head("GET", "/login/")[:-2],
        "half a small body": form + b"x" * 4,
        "half a body": form + b"x" * 30_000,
        "half an upload": upload + part + b"1,2,3,4,5\n" * 30_000,
    }


@contextmanager
def slow_senders(target: Target, sent: bytes, count: int) -> Iterator[list[socket.socket]]:
    callers = []
    try:
        for _ in range(count):
            caller = target.socket()
            callers.append(caller)
            caller.sendall(sent)
        yield callers
    finally:
        for caller in callers:
            caller.close()


@contextmanager
def slow_readers(target: Target, path: str, count: int) -> Iterator[list[socket.socket]]:
    """They ask for something large, and read none of it."""
    callers = []
    try:
        for _ in range(count):
            caller = target.socket(receive_bytes=4096)
            callers.append(caller)
            caller.sendall(head("GET", path, Accept_Encoding="identity"))
        yield callers
    finally:
        for caller in callers:
            caller.close()


def ended(callers: list[socket.socket]) -> int:
    """How many of the connections the server has ended."""
    count = 0
    for caller in callers:
        caller.settimeout(0.01)
        with suppress(TimeoutError, ssl.SSLWantReadError):
            try:
                while caller.recv(65536):
                    pass
                count += 1
            except OSError as error:
                if isinstance(error, TimeoutError | ssl.SSLWantReadError):
                    raise
                count += 1  # reset
    return count


def post_endlessly(target: Target, path: str, size: int) -> tuple[int, int]:
    """A stranger's form with a file of so many bytes: the status of the answer (0: none), and the bytes sent."""
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    given = {"Cookie": f"__Host-csrftoken={'a' * 32}", "Referer": "https://127.0.0.1/login/"}
    sent, part = 0, b"x" * 2**20
    with target.socket() as caller:
        content = {"Content_Type": "multipart/form-data; boundary=x", "Content_Length": str(len(start) + size)}
        answer = b""
        try:
            caller.sendall(head("POST", path, **content, **given) + start)
            while sent < size:
                caller.sendall(part)
                sent += len(part)
        except OSError:
            pass  # refused meanwhile
        with suppress(OSError):
            answer = caller.recv(65536)
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0, sent
