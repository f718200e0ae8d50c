"""Who uses the site in bench/soak, each a thread with a connection of its own, all at a pace of their own.

Nobody waits for anybody else: what comes late is sent late, but none of it is left out, so that a server which does not
keep up is seen to fall behind instead of being asked less.
"""

import itertools
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event, Lock, Thread

import httpx
import numpy as np

from bench.serving import SESSION_COOKIE
from vibration.numbers.states import STATES

TIMEOUT_S = 60
LIST_S = 1.0  # a collector posts what it measured in this time
DIAGNOSES_S = 2.0
POLL_S = 1.0  # as the pages do
READING_S = 2.0  # that a person looks at a page, on average
AS_A_PROXY = {"X-Forwarded-Proto": "https"}


class Answers:
    """Each answer's kind, status and seconds; and how far behind its time the latest post was sent."""

    def __init__(self):
        self._lock = Lock()
        self.all: list[tuple[float, str, int, float]] = []  # when, kind, status (0: none came), seconds
        self.rows = 0  # of samples, acknowledged
        self.late = 0.0
        self.failures: list[str] = []

    def add(self, kind: str, status: int, seconds: float, rows: int = 0) -> None:
        with self._lock:
            self.all.append((time.monotonic(), kind, status, seconds))
            self.rows += rows

    def fail(self, kind: str, said: str) -> None:
        with self._lock:
            self.failures.append(f"{kind}: {said}")

    def be_late(self, seconds: float) -> None:
        with self._lock:
            self.late = max(self.late, seconds)

    def seconds_of(self, kind: str) -> np.ndarray:
        return np.array([it[3] for it in self.all if it[1].startswith(kind)])

    def statuses(self) -> dict[int, int]:
        statuses = [it[2] for it in self.all]
        return {status: statuses.count(status) for status in sorted(set(statuses))}


class Visitors:
    """Threads that ask one server until they are told to end: use it with `with`."""

    def __init__(self, address: str, answers: Answers):
        self.address, self.answers = address, answers
        self._end = Event()
        self._threads: list[Thread] = []

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def add_collector(self, token: str, sensor: str, rows_per_second: int) -> None:
        rows = round(rows_per_second * LIST_S)
        bodies = _lists_of_samples(sensor, rows, rows_per_second)
        self._every(LIST_S, "post samples", lambda ask: _post(ask, "bulk of samples", token, next(bodies), rows))

    def add_diagnoser(self, token: str, machines: list[str]) -> None:
        bodies = _lists_of_diagnoses(machines)
        self._every(DIAGNOSES_S, "post diagnoses", lambda ask: _post(ask, "bulk of diagnoses", token, next(bodies)))

    def add_wall(self, session: str, path: str) -> None:
        """A screen that asks for what is new each second."""
        version = ""

        def poll(ask):
            nonlocal version
            headers = {"HX-Request": "true", "Known-Version": version, "Cookie": f"{SESSION_COOKIE}={session}"}
            response = ask("GET", path, headers=headers)
            if response is not None and response.status_code == 200:
                version = re.search(r'"Known-Version": "([^"]+)"', response.text)[1]

        self._every(POLL_S, "poll", poll)

    def add_person(self, session: str, pages: list[tuple[str, str]], seed: int) -> None:
        """Opens one page after the other; `pages` are names and paths."""
        choose = random.Random(seed)
        headers = {"Cookie": f"{SESSION_COOKIE}={session}"}
        self._every(
            lambda: choose.expovariate(1 / READING_S),
            "page",
            lambda ask: ask("GET", choose.choice(pages)[1], headers=headers),
        )

    def _every(self, pause: float | Callable[[], float], kind: str, act: Callable) -> None:
        """`act` is called with what asks the server; by the clock if `pause` is a number, else after each answer."""

        def live():
            with httpx.Client(
                base_url=self.address,
                timeout=TIMEOUT_S,
                trust_env=False,
                headers=AS_A_PROXY | {"Accept-Encoding": "gzip", "Accept-Language": "ko"},
            ) as client:

                def ask(method: str, path: str, rows: int = 0, **given) -> httpx.Response | None:
                    began = time.monotonic()
                    try:
                        response = client.request(method, path, **given)
                    except httpx.HTTPError as error:
                        self.answers.add(kind, 0, time.monotonic() - began)
                        self.answers.fail(kind, repr(error))
                        return None
                    fine = response.status_code < 400
                    self.answers.add(kind, response.status_code, time.monotonic() - began, rows if fine else 0)
                    if not fine:
                        self.answers.fail(kind, f"{path}: {response.status_code} {response.text[:300]}")
                    return response

                # Not all at one instant
                due = time.monotonic() + random.random() * (pause if isinstance(pause, float) else pause())
                while not self._end.wait(max(0.0, due - time.monotonic())):
                    if isinstance(pause, float):
                        self.answers.be_late(time.monotonic() - due)
                        act(ask)
                        due += pause
                    else:
                        act(ask)
                        due = time.monotonic() + pause()

        self._threads.append(Thread(target=live))


def _post(ask, kind: str, token: str, body: bytes, rows: int = 0) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    path = "/api/vibration-data/bulk" if kind == "bulk of samples" else "/api/vibration-diagnosis/bulk"
    ask("POST", path, rows=rows, content=body, headers=headers)


def _lists_of_samples(sensor: str, rows: int, rows_per_second: int) -> Iterator[bytes]:
    """JSON lists of a recording that goes on, in steps of whole microseconds."""
    step_us = 1_000_000 // rows_per_second
    values = np.random.default_rng(7).normal(size=(rows, len(STATES))).round(6).tolist()
    place = {"machine_name": "soak", "sensor_no": sensor, "recording": datetime.now(UTC).isoformat()}
    for first in itertools.count(step=rows):
        times = [(first + number) * step_us / 1e6 for number in range(rows)]
        yield json.dumps(
            [
                place | {"measured_time": time_s} | dict(zip(STATES, row, strict=True))
                for time_s, row in zip(times, values, strict=True)
            ]
        ).encode()


def _lists_of_diagnoses(machines: list[str]) -> Iterator[bytes]:
    choose = random.Random(11)
    while True:
        now = datetime.now(UTC).isoformat()
        yield json.dumps(
            [
                {"machine_name": name, "detected_at": now, "fault_type": choose.choice([0, 0, 0, 1, 2, 3])}
                for name in choose.sample(machines, min(20, len(machines)))
            ]
        ).encode()
