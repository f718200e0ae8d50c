"""Programs that call the API while its database and its processes are killed.

They remember what they were told, as good collectors do.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

import numpy as np

from vibration.numbers.states import STATES

TIMEOUT_S = 120
CALLS = 20  # on one connection, so that each process has something to do
ROWS = 100  # in a list of samples
PACE_S = 0.05  # between two calls of one program
STEP_S = 0.001  # between two samples
SINGLE_EACH = 5  # so many lists are followed by one row by itself
FIRST_INSTANT = datetime(2026, 3, 2, tzinfo=UTC)
DIAGNOSED = 5  # machines
LAST_ATTEMPTS = 20  # at a post that is still not acknowledged when all is to end


@dataclass
class Tally:
    """What all programs have met; `faults` are answers that must not be."""

    posts: int = 0
    reads: int = 0
    broken: int = 0  # connections to the application
    ready: int = 0  # how often a process said that it is
    answers: Counter[int] = field(default_factory=Counter)  # by their status
    faults: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def count(self, name: str) -> None:
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)

    def count_answer(self, status: int) -> None:
        with self.lock:
            self.answers[status] += 1

    def fault(self, text: str) -> None:
        with self.lock:
            self.faults.append(text)


class Program(Thread):
    """Calls the API again and again until it is told to end."""

    def __init__(self, address: str, headers: dict[str, str], tally: Tally, end: Event):
        super().__init__(daemon=True)
        self.host, self.tally, self.end = urlsplit(address).netloc, tally, end
        self.headers = {"X-Forwarded-Proto": "https", "Content-Type": "application/json"} | headers
        self._connection: HTTPConnection | None = None
        self._calls = 0  # on this connection

    def run(self) -> None:
        for act in self.acts():
            try:
                act()
            except Exception as error:
                self.tally.fault(f"{type(self).__name__}: {error!r}")
                raise
            if self.end.wait(PACE_S):
                return

    def acts(self) -> Iterator:
        raise NotImplementedError

    def call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict, bytes]:
        """Status, headers and body of the answer; of a 503 only one that says when to come again."""
        if self._calls == CALLS:
            self.disconnect()
        self._calls += 1
        self._connection = self._connection or HTTPConnection(self.host, timeout=TIMEOUT_S)
        try:
            self._connection.request(method, path, body, self.headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            self.disconnect()
            raise
        self.tally.count_answer(response.status)
        if response.status == 503:
            if not response.headers.get("Retry-After", "").isdecimal():
                self.tally.fault(f"{method} {path}: 503 without Retry-After: {content[:200]}")
            if path.startswith("/api/") and json.loads(content)["status"] != 503:
                self.tally.fault(f"{method} {path}: no problem details: {content[:200]}")
        elif response.status >= 300:  # also a redirection to the login, where there is nothing to see
            self.tally.fault(f"{method} {path}: {response.status} {content[:300]}")
        return response.status, response.headers, content

    def disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection, self._calls = None, 0

    def post(self, path: str, rows: list | dict) -> tuple[dict, bool] | None:
        """The answer, and whether it is to more than one attempt: it is sent until it is acknowledged."""
        body = json.dumps(rows).encode()
        last_attempts = LAST_ATTEMPTS
        for attempt in itertools.count():
            last_attempts -= self.end.is_set()
            if not last_attempts:
                self.tally.fault(f"{path}: never acknowledged")
                return None
            self.tally.count("posts")
            try:
                status, headers, content = self.call("POST", path, body)
            except (OSError, HTTPException):
                self.tally.count("broken")
                time.sleep(1)
                continue
            if status == 503:
                time.sleep(int(headers["Retry-After"]))
                continue
            return (json.loads(content), attempt > 0) if status in (200, 201) else None
        raise AssertionError("not reached")


class Collector(Program):
    """Posts the samples of a sensor of its own, in lists and some singly; `rows` of them were acknowledged."""

    def __init__(self, number: int, *given):
        super().__init__(*given)
        self.place = {"machine_name": "chaos", "sensor_no": f"sensor{number}"}
        self.random = np.random.default_rng(number)
        self.time = np.empty(0)
        self.values = np.empty((0, len(STATES)))

    def acts(self) -> Iterator:
        for number in itertools.count(1):
            yield self.post_one if number % SINGLE_EACH == 0 else self.post_list

    def post_list(self) -> None:
        self._post(ROWS, "/api/vibration-data/bulk")

    def post_one(self) -> None:
        self._post(1, "/api/vibration-data")

    def _post(self, count: int, path: str) -> None:
        time_s = (len(self.time) + np.arange(count)) * STEP_S
        values = self.random.normal(size=(count, len(STATES))).round(6)
        rows = [
            self.place | {"measured_time": at} | dict(zip(STATES, row, strict=True))
            for at, row in zip(time_s.tolist(), values.tolist(), strict=True)
        ]
        if (answer := self.post(path, rows if count > 1 else rows[0])) is None:
            return
        told, is_again = answer
        if count > 1:
            expected = {"received": count, "conflicting": 0} | ({} if is_again else {"inserted": count})
            if any(told[name] != number for name, number in expected.items()):
                self.tally.fault(f"{self.place}, sent {'again' if is_again else 'once'}: {told}")
            if told["inserted"] not in (0, count):
                self.tally.fault(f"{self.place}: a list was stored by halves: {told}")
        self.time = np.concatenate([self.time, time_s])
        self.values = np.concatenate([self.values, values])


class Diagnoser(Program):
    """Posts diagnoses of some machines; `acknowledged` has machine, instant and state of each."""

    def __init__(self, *given):
        super().__init__(*given)
        self.acknowledged: list[tuple[str, datetime, int]] = []

    def acts(self) -> Iterator:
        for number in itertools.count():
            yield lambda number=number: self.post_list(number)

    def post_list(self, number: int) -> None:
        rows = [
            (f"chaos{machine}", FIRST_INSTANT + timedelta(seconds=number), (number + machine) // 3 % 4)
            for machine in range(DIAGNOSED)
        ]
        body = [
            {"machine_name": name, "detected_at": at.isoformat(), "fault_type": state, "model_name": "chaos"}
            for name, at, state in rows
        ]
        if (answer := self.post("/api/vibration-diagnosis/bulk", body)) is None:
            return
        told, is_again = answer
        if told["conflicting"] or told["inserted"] != (0 if is_again and told["identical"] else len(rows)):
            self.tally.fault(f"diagnoses, sent {'again' if is_again else 'once'}: {told}")
        self.acknowledged += rows


class Reader(Program):
    """Opens what people and programs look at."""

    def __init__(self, paths: list[str], *given):
        super().__init__(*given)
        self.paths = paths

    def acts(self) -> Iterator:
        for path in itertools.cycle(self.paths):
            yield lambda path=path: self.read(path)

    def read(self, path: str) -> int | None:
        """The status of the answer; None when the connection broke."""
        self.tally.count("reads")
        try:
            return self.call("GET", path)[0]
        except (OSError, HTTPException):
            self.tally.count("broken")
            return None


class Asker(Reader):
    """Once nothing is killed any more: asks on a new connection each time whether the process at its end is ready.

    It must be, and then must answer what it is asked next.
    """

    def read(self, path: str) -> None:
        self.disconnect()
        if (status := super().read("/readyz")) != 200:
            self.tally.fault(f"not ready: {status}")
            return
        self.tally.count("ready")
        if (status := super().read(path)) != 200:
            self.tally.fault(f"{path}: {status} of a process that is ready")
