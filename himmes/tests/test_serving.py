"""Slow and oversized requests: what the worker makes of them, on real sockets; and the limits of the middleware."""

import io
import json
import socket
import threading
import time
from itertools import pairwise

import pytest
from django.contrib.auth import get_user_model
from django.test.client import ClientHandler
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from himmes.api.tests.api_world import make_program
from himmes.serving import connections
from himmes.serving.bodies import STRANGERS_BYTES
from himmes.serving.connections import Listener
from machines.models import Machine

PATIENCE_S = 30  # of this side; more than any wait of the server's in these tests
THREADS = 2


class Served:
    """A listener with two threads whose loop runs in a thread; the application answers with what it has received."""

    def __init__(self, most: int = 100):
        self.seen: list[tuple[str, bytes]] = []
        self.last: dict = {}  # of the last request, what an application is given
        self.release = threading.Event()
        self.answer = b"fine"
        sock = socket.create_server(("127.0.0.1", 0))
        self.port = sock.getsockname()[1]
        adjustments = Adjustments(
            sockets=[sock], threads=THREADS, channel_timeout=PATIENCE_S, max_request_body_size=2**40, recv_bytes=65536
        )
        self.dispatcher = ThreadedTaskDispatcher()
        self.dispatcher.set_thread_count(THREADS)
        self.map: dict = {}
        self.listener = Listener(self.application, self.map, adjustments, self.dispatcher, sock, most=most)
        self.is_over = False
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self) -> None:
        while not self.is_over:
            wasyncore.loop(0.05, use_poll=True, map=self.map, count=1)
            self.listener.close_late()

    def application(self, environ, start_response):
        if environ["PATH_INFO"] == "/wait":
            self.release.wait(PATIENCE_S)
        refusal = environ["himmes.refusal"]
        body = environ["wsgi.input"].read()
        self.seen.append((environ["PATH_INFO"], body))
        self.last = environ | {"wsgi.input": io.BytesIO(body)}
        answer = refusal.detail.encode() if refusal else self.answer
        start_response("413 Large" if refusal else "200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    def call(self, *sent: bytes) -> socket.socket:
        caller = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        for part in sent:
            caller.sendall(part)
        return caller

    def get(self) -> bytes:
        with self.call(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as caller:
            return read_all(caller)

    def close(self) -> None:
        self.release.set()
        self.is_over = True
        self.listener.pull_trigger()
        self.thread.join(PATIENCE_S)
        self.dispatcher.shutdown(timeout=PATIENCE_S)
        wasyncore.close_all(self.map)


def read_all(caller: socket.socket) -> bytes:
    """Up to the end of the connection; raises TimeoutError when the server does not end it."""
    return b"".join(iter(lambda: caller.recv(65536), b""))


@pytest.fixture
def serve():
    running = []

    def serve(**given) -> Served:
        running.append(Served(**given))
        return running[-1]

    yield serve
    for it in running:
        it.close()


def head(path: str, length: int, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


TOKEN = "Authorization: Bearer x"
SLOW = {
    "silent": b"",
    "half a request line": b"GET / HT",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "half a body": head("/login/", 1_000) + b"x" * 500,
    "half an upload": head("/api/vibration-data/csv", 10**6, TOKEN) + b"x" * 500_000,
    "half a chunk": b"POST /api/machines HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
}


@pytest.mark.parametrize("kind", SLOW)
def test_slow_senders_hold_no_thread(serve, kind):
    served = serve()
    callers = [served.call(SLOW[kind]) for _ in range(50)]
    for _ in range(3):
        assert served.get().startswith(b"HTTP/1.1 200")
    assert {path for path, _body in served.seen} == {"/"}
    for caller in callers:
        caller.close()


@pytest.mark.parametrize("kind", SLOW)
def test_each_wait_for_a_sender_has_an_end(serve, monkeypatch, kind):
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    monkeypatch.setattr(connections, "STALLED_S", 0.3)
    served = serve()
    with served.call(SLOW[kind]) as caller:
        assert read_all(caller) == b""
    assert served.seen == []
    assert served.listener.spool.held == 0


@pytest.mark.parametrize(("sent", "step"), [(b"GET / HTTP/1.1\r\nX: ", b"x"), (head("/login/", 60_000), b"x")])
def test_a_byte_now_and_then_does_not_keep_a_connection(serve, monkeypatch, sent, step):
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    monkeypatch.setattr(connections, "BODY_S", 0.5)
    monkeypatch.setattr(connections, "SLOWEST_BYTES_PER_S", 10**9)
    served = serve()
    caller = served.call(sent)
    deadline = time.monotonic() + PATIENCE_S
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        while time.monotonic() < deadline:
            caller.sendall(step)
            time.sleep(0.02)
    assert served.seen == []


def test_slow_readers_hold_no_thread_and_are_left(serve, monkeypatch):
    served = serve()
    served.answer = b"x" * 8_000_000
    callers = []
    for _ in range(20):
        caller = socket.socket()
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", served.port))
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        callers.append(caller)
    assert served.get().startswith(b"HTTP/1.1 200")
    monkeypatch.setattr(connections, "STALLED_S", 0.3)
    wait_until(lambda: not served.listener.active_channels)
    for caller in callers:
        caller.close()


def test_a_slow_reader_of_what_does_not_fit_into_memory_gives_the_thread_back(serve, monkeypatch):
    monkeypatch.setattr(connections, "STALLED_S", 0.3)
    served = serve()
    served.answer = b"x" * 1_000
    parts = [b"x" * 1_000_000] * 100
    served.listener.application = lambda environ, start_response: (start_response("200 OK", []), iter(parts))[1]
    callers = [served.call(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(THREADS * 2)]
    wait_until(lambda: not served.listener.active_channels)
    served.listener.application = served.application
    assert served.get().startswith(b"HTTP/1.1 200")
    for caller in callers:
        caller.close()


def test_whoever_has_waited_longest_makes_room(serve):
    served = serve(most=10)
    callers = [served.call() for _ in range(40)]
    assert served.get().startswith(b"HTTP/1.1 200")
    assert callers[0].recv(1) == b""
    wait_until(lambda: len(served.listener.active_channels) <= 10)
    for caller in callers:
        caller.close()


def test_a_request_at_work_makes_no_room(serve):
    served = serve(most=5)
    at_work = served.call(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    callers = [served.call() for _ in range(20)]
    served.release.set()
    assert read_all(at_work).endswith(b"fine")
    for caller in callers:
        caller.close()


@pytest.mark.parametrize(
    ("path", "length", "more"),
    [
        ("/login/", STRANGERS_BYTES + 1, []),
        ("/i18n/setlang/", 300_000_000, []),
        ("/login/", 2_621_441, ["Cookie: __Host-sessionid=x; sessionid=x"]),
        ("/api/machines", 10 * 2**20 + 1, [TOKEN]),
        ("/api/vibration-data/csv", STRANGERS_BYTES + 1, []),
        ("/api/vibration-data/csv/", 200 * 2**20 + 1, [TOKEN]),
    ],
)
def test_a_body_that_is_too_large_is_not_received(serve, path, length, more):
    """And what follows it is no request: neither the rest of the body, nor what hides in it."""
    served = serve()
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    with served.call(head(path, length, *more) + hidden) as caller:
        caller.sendall(hidden * 100)
        caller.shutdown(socket.SHUT_WR)
        answer = read_all(caller)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in answer
    assert served.seen == [(path, b"")]


def test_who_goes_on_sending_still_reads_why(serve):
    served = serve()
    with served.call(head("/login/", 50_000_000)) as caller:
        for _ in range(50):
            caller.sendall(b"x" * 1_000_000)
        assert read_all(caller).startswith(b"HTTP/1.1 413")


def test_a_refused_sender_does_not_linger_for_ever(serve, monkeypatch):
    monkeypatch.setattr(connections, "LINGER_S", 0.3)
    served = serve()
    with served.call(head("/login/", 50_000_000)):
        wait_until(lambda: served.seen)
        wait_until(lambda: not served.listener.active_channels)


def test_chunks_are_put_together_and_counted(serve, settings):
    served = serve()
    start = f"POST /api/machines HTTP/1.1\r\nHost: x\r\n{TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with served.call(start, b"5\r\nhello\r\n", b"6\r\n world\r\n", b"0\r\n\r\n") as caller:
        assert caller.recv(65536).startswith(b"HTTP/1.1 200")
    assert served.seen == [("/api/machines", b"hello world")]
    settings.API_MAX_BODY_BYTES = 1_000
    with served.call(start, b"5dc\r\n" + b"x" * 1_500 + b"\r\n") as caller:
        assert read_all(caller).startswith(b"HTTP/1.1 413")
    framing = b"".join(b"1;" + b"e" * 200 + b"\r\nx\r\n" for _ in range(100))
    with served.call(start, framing) as caller:
        assert read_all(caller).startswith(b"HTTP/1.1 413")


@pytest.mark.django_db
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_chunked_change_is_made(serve, roles, pieces):
    """By the server and Django together: what comes in chunks is what would come in one piece."""
    machine, program = Machine.objects.create(name="g1"), make_program(roles, "administrator")
    body = json.dumps({"title": "급수 펌프", "rated_rpm": 1_650}).encode()
    cuts = [round(len(body) * piece / pieces) for piece in range(pieces + 1)]
    chunks = [body[start:end] for start, end in pairwise(cuts)]
    lines = [f"PATCH /api/machines/{machine.pk} HTTP/1.1", "Host: example.org", "Transfer-Encoding: chunked"]
    lines += [f"Authorization: Bearer {program.token}", "Content-Type: application/json", "", ""]
    served = serve()
    sent = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    with served.call("\r\n".join(lines).encode(), *sent, b"0\r\n\r\n") as caller:
        assert caller.recv(65536).startswith(b"HTTP/1.1 200")
    answer = ClientHandler()(served.last)  # Django's own, but for what it does with connections to the database
    assert (answer.status_code, json.loads(answer.content)["title"]) == (200, "급수 펌프")
    machine.refresh_from_db()
    assert (machine.title, machine.rated_rpm) == ("급수 펌프", 1_650)


def test_a_request_line_is_bounded(serve):
    served = serve()
    with served.call(b"GET /" + b"a" * 4_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as caller:
        assert read_all(caller).startswith(b"HTTP/1.1 200")
    with served.call(b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n") as caller:
        assert read_all(caller).startswith(b"HTTP/1.1 414")
    assert len(served.seen) == 1


def test_large_bodies_share_what_there_is_for_them(serve, settings):
    settings.API_MAX_UPLOAD_BYTES = 1_900_000
    served = serve()
    half = head("/api/vibration-data/csv", 1_500_000, TOKEN) + b"x" * 100_000
    first = served.call(half)
    wait_until(lambda: served.listener.spool.held == 1_500_000)
    second = served.call(half, b"x" * 1_000)
    second.shutdown(socket.SHUT_WR)
    assert b"holds as many large bodies" in read_all(second)
    first.sendall(b"x" * 1_400_000)
    assert first.recv(65536).startswith(b"HTTP/1.1 200")
    wait_until(lambda: served.listener.spool.held == 0)
    first.close()


def test_a_100_continue_is_not_said_to_what_is_refused(serve):
    served = serve()
    with served.call(head("/login/", 50_000_000, "Expect: 100-continue")) as caller:
        caller.shutdown(socket.SHUT_WR)
        answer = read_all(caller)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 Continue" not in answer


def test_the_clock_on_the_wall_may_jump(serve, monkeypatch):
    served = serve()
    with served.call(b"GET / HTTP/1.1\r\nHo") as caller:
        wait_until(lambda: served.listener.active_channels)
        monkeypatch.setattr(time, "time", lambda: 4e9)
        time.sleep(0.3)  # some turns of the loop, in which it would be closed
        caller.sendall(b"st: x\r\n\r\n")
        assert caller.recv(65536).startswith(b"HTTP/1.1 200")


def test_at_the_end_what_was_begun_is_answered_and_the_connection_closed(serve):
    served = serve()
    with served.call(b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab") as caller:
        wait_until(lambda: served.listener.is_busy(with_idle=False))
        served.listener.end()
        caller.sendall(b"cd")
        served.release.set()
        received = b""
        while not received.endswith(b"fine"):
            part = caller.recv(65536)
            assert part, received
            received += part
    wait_until(lambda: not served.listener.is_busy(with_idle=True))


def wait_until(holds) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


# --- The middleware, which every server has


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/i18n/setlang/", "/admin/login/", "/api/machines", "/nothing/here"])
def test_a_strangers_large_body_is_refused_unread(client, path):
    answer = client.post(path, "x" * (STRANGERS_BYTES + 1), content_type="text/plain")
    assert answer.status_code == 413


@pytest.mark.django_db
def test_a_file_is_taken_where_files_belong_only(client, tmp_path, settings, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for path in ("/login/", "/i18n/setlang/"):
        file = io.BytesIO(b"x" * 10_000)
        file.name = "x.bin"
        answer = client.post(path, {"username": "x", "password": "y", "file": file})
        assert answer.status_code == 400
    client.force_login(get_user_model().objects.create_superuser("admin"))
    file = io.BytesIO(b"x" * 1_000_000)
    file.name = "x.bin"
    assert client.post("/admin/machines/machine/add/", {"name": "g1", "file": file}).status_code == 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/api/machines", "/api/vibration-data/bulk", "/api/vibration-data/csv"])
def test_a_server_that_reads_no_chunks_says_so(client, path):
    answer = client.post(path, "{}", content_type="application/json", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_it_changes_nothing_then(roles, method):
    machine, program = Machine.objects.create(name="g1", title="before"), make_program(roles, "administrator")
    # As under servers that take no note of chunks, and give the application an empty body
    answer = program(method, f"machines/{machine.pk}", b"", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, "Content-Length" in answer.json()["detail"]) == (411, True)
    machine.refresh_from_db()
    assert machine.title == "before"


@pytest.mark.django_db
def test_a_page_says_in_both_languages_that_a_body_is_too_large(client):
    for language, words in (("ko", "크기보다 큽니다"), ("en", "larger than this page accepts")):
        answer = client.post("/login/", {"x": "y" * 100_000}, headers={"Accept-Language": language})
        assert (answer.status_code, words in answer.content.decode()) == (413, True)
