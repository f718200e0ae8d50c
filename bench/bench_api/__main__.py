"""Samples posted to our API beside the old way, on one MariaDB in one run: `make bench-api`.

An uploader posts a synthetic file of one sensor as lists of 200 and of 1,000 rows, over one kept connection, each list
once the one before it is answered. Both servers are of one process, get the same bytes, and are on the same database:
ours under gunicorn with the settings of production, the old way (old_api.py) under uvicorn. The lists are made
JSON, and compressed where they are, before the clock starts: what counts is what the server takes. Server, database and
uploader share the machine.

Each round posts as sensors of its own, so that its rows are new; posting them once more to ours stores nothing. With 4
clients each posts a quarter of the file as another sensor, all at once. The order is turned about from round to round,
and the median of the rounds counts.

Then the rows are read back from ours as one list, of as many as an answer may have, and it is looked how much memory
that takes of the server.

Ratios: rows a second of the first named over those of the second; above 1 the first is faster.
"""

import argparse
import gzip
import io
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice, product
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
django.setup()

import httpx  # noqa: E402  Django first
import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.report import print_report, print_table  # noqa: E402
from bench.serving import Server, children_of, free_port, in_production, served  # noqa: E402
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count, sample_lines  # noqa: E402
from vibration.models import Recording, VibrationData  # noqa: E402
from vibration.numbers.states import STATES  # noqa: E402

MACHINE = "bench"
SIZES = (200, 1_000)  # rows in a list
CLIENTS = (1, 4)  # that post at once
LIST = "/api/vibration-data"
PATH = f"{LIST}/bulk"
COLLECTED = datetime(2024, 3, 4, 9)  # plant time without an offset, as uploaders send it


class Refused(Exception):
    """A server answered something else than success."""


class Uploader:
    """Posts lists of rows to one server."""

    def __init__(self, address: str, token: str = ""):
        # As the proxy in front of it says in production: without it, ours would redirect to HTTPS.
        self.headers = {"Content-Type": "application/json", "X-Forwarded-Proto": "https"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self.address = address

    def post(self, bodies: list[bytes], **headers: str) -> tuple[float, int, int]:
        """Seconds, and the sums of what was `inserted` and what was `identical`."""
        inserted = identical = 0
        # No proxy that the environment may name
        with httpx.Client(base_url=self.address, headers=self.headers | headers, timeout=60, trust_env=False) as client:
            began = time.perf_counter()
            for body in bodies:
                response = client.post(PATH, content=body)
                answer = response.json() if response.status_code == 200 else {}
                if answer.get("status") != "success":
                    raise Refused(f"{self.address} answered {response.status_code}: {response.text[:1000]}")
                inserted += answer["inserted"]
                identical += answer.get("identical", 0)
            return time.perf_counter() - began, inserted, identical

    def read(self, encoding: str) -> tuple[float, float, int, int]:
        """Seconds until the list of samples begins and until it is there, its bytes on the line, and its rows."""
        headers = self.headers | {"Accept-Encoding": encoding}
        began = time.perf_counter()
        with httpx.stream("GET", self.address + LIST, headers=headers, timeout=60, trust_env=False) as response:
            first = time.perf_counter() - began
            body = response.read()
            seconds = time.perf_counter() - began
        response.raise_for_status()
        return first, seconds, response.num_bytes_downloaded, len(json.loads(body))


def post_at_once(uploader: Uploader, lists: list[list[bytes]], **headers: str) -> tuple[float, int, int]:
    """The same of as many clients as there are lists of bodies, until the last one has done."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(lists)) as clients:
        answers = list(clients.map(lambda bodies: uploader.post(bodies, **headers), lists))
    seconds = time.perf_counter() - began
    return seconds, sum(answer[1] for answer in answers), sum(answer[2] for answer in answers)


class File:
    """The synthetic file of a sensor, or the first `rows` of it, in the lists that an uploader makes of it."""

    def __init__(self, rows: int):
        lines = "".join(sample_lines(1, 1, DEFAULT_SECONDS, seed=1)).splitlines()
        numbers = np.array([line.split(",") for line in islice(lines, rows)], dtype=np.float64)
        self.time, self.values = numbers[:, 0], numbers[:, 1:]
        assert len(self.time) == rows

    def bodies(self, sensor: str, size: int) -> list[bytes]:
        rows = [
            {
                "machine_name": MACHINE,
                "sensor_no": sensor,
                "collected_at": (COLLECTED + timedelta(seconds=time_s)).isoformat(timespec="microseconds"),
                "measured_time": time_s,
                **dict(zip(STATES, values, strict=True)),
            }
            for time_s, values in zip(self.time.tolist(), self.values.tolist(), strict=True)
        ]
        return [json.dumps(rows[start : start + size]).encode() for start in range(0, len(rows), size)]


def assert_stored(file: File, sensor: str) -> None:
    """Ours: every row is there once, with the very numbers that were posted, and in the counts."""
    recording = Recording.objects.get(sensor__machine__name=MACHINE, sensor__sensor_no=sensor)
    assert recording.sample_count == VibrationData.objects.of(recording).count() == len(file.time)
    stored = VibrationData.objects.of(recording).as_samples()
    assert stored.time.tobytes() == file.time.tobytes()
    assert stored.values.tobytes() == file.values.tobytes()


def assert_stored_the_old_way(file: File, sensor: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM old_vibration_data WHERE sensor_no = %s", [sensor])
        assert cursor.fetchone() == (len(file.time),)


def measure(ours: Uploader, old: Uploader, rows: int, rounds: int) -> dict[str, list[float]]:
    """Rows a second of each way, round by round."""
    rates: dict[str, list[float]] = defaultdict(list)
    files = {clients: File(rows // clients) for clients in CLIENTS}

    def take(way: str, uploader: Uploader, lists: list[list[bytes]], expected: tuple[int, int], **headers: str) -> None:
        seconds, *counts = post_at_once(uploader, lists, **headers)
        assert tuple(counts) == expected, f"{way}: {counts} inserted and identical, not {expected}"
        rates[way].append(sum(expected) / seconds)

    def post_ours(clients: int, size: int, lists: dict[str, list[bytes]]) -> None:
        count = clients * len(files[clients].time)
        for way, expected in (
            (f"ours, {clients} x {size:,}", (count, 0)),
            (f"ours, {clients} x {size:,}, again", (0, count)),
        ):
            take(way, ours, list(lists.values()), expected)
            for sensor in lists:
                assert_stored(files[clients], sensor)

    def post_old(clients: int, size: int, lists: dict[str, list[bytes]]) -> None:
        take(f"old way, {clients} x {size:,}", old, list(lists.values()), (clients * len(files[clients].time), 0))
        for sensor in lists:
            assert_stored_the_old_way(files[clients], sensor)

    def post_compressed(size: int, sensor: str) -> None:
        bodies = [gzip.compress(body) for body in files[1].bodies(sensor, size)]
        take(f"ours, 1 x {size:,}, gzip", ours, [bodies], (rows, 0), **{"Content-Encoding": "gzip"})
        assert_stored(files[1], sensor)

    for uploader in (ours, old):  # what a server does at its first request alone
        uploader.post(File(SIZES[0]).bodies("warm-up", SIZES[0]))
    for number in range(rounds):
        turn = 1 if number % 2 == 0 else -1
        for clients, size in list(product(CLIENTS, SIZES))[::turn]:
            sensors = [f"{number}-{size}-{clients}-{client}" for client in range(clients)]
            lists = {sensor: files[clients].bodies(sensor, size) for sensor in sensors}
            for post in (post_ours, post_old)[::turn]:
                post(clients, size, lists)
        post_compressed(SIZES[-1], f"{number}-gzip")
    return rates


def measure_reading(ours: Uploader, server: Server, times: int) -> dict[str, float]:
    """Medians of reading a list of 250,000 rows, or of all that there are."""
    numbers: dict[str, float] = {}
    expected = min(VibrationData.objects.count(), settings.API_MAX_RESULT_ROWS)
    most_before = most_memory_mb(server)
    for encoding in ("identity", "gzip"):
        found = [ours.read(encoding) for _ in range(times)]
        first, seconds, size, rows = map(statistics.median, zip(*found, strict=True))
        assert rows == expected, f"{rows} rows, not {expected}"
        numbers |= {
            f"read_{encoding}_rows_per_second": round(rows / seconds),
            f"read_{encoding}_first_ms": round(first * 1e3),
            f"read_{encoding}_MB": round(size / 1e6, 1),
        }
    return numbers | {"read_rows": expected, "read_takes_memory_MB": round(most_memory_mb(server) - most_before, 1)}


def most_memory_mb(server: Server) -> float:
    """The most that the server's process has had so far."""
    [process] = children_of(server.pid)
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())[1]) / 1_000


def report(rates: dict[str, list[float]], rows: int, reading: dict[str, float]) -> None:
    median = {way: statistics.median(values) for way, values in rates.items()}
    lines, ratios = [], {}
    for clients, size in product(CLIENTS, SIZES):
        posts, key = f"{clients} x {size:,}", f"{clients}x{size}"
        old = median[f"old way, {posts}"]
        for way in (f"old way, {posts}", f"ours, {posts}", f"ours, {posts}, gzip", f"ours, {posts}, again"):
            if way in rates:
                least, most = min(rates[way]) / median[way], max(rates[way]) / median[way]
                lines.append([way, f"{median[way]:,.0f}", f"{median[way] / old:.2f}", f"{least:.2f} - {most:.2f}"])
        ratios[f"ours_over_old_at_{key}"] = round(median[f"ours, {posts}"] / old, 3)
        ratios[f"again_over_new_at_{key}"] = round(median[f"ours, {posts}, again"] / median[f"ours, {posts}"], 3)
    ratios["gzip_over_plain_at_1x1000"] = round(median["ours, 1 x 1,000, gzip"] / median["ours, 1 x 1,000"], 3)
    for way, rate in median.items():
        key = way.replace("old way", "old").replace(" x ", "x").replace(",", "").replace(" ", "_")
        ratios[f"{key}_rows_per_second"] = round(rate)
    rounds = len(rates["ours, 1 x 1,000"])
    print_table(
        f"{reading['read_rows']:,} rows read as one list, {reading['read_takes_memory_MB']} MB more of memory",
        ["encoding", "rows/s", "first byte, ms", "MB"],
        [
            [it, *(f"{reading[f'read_{it}_{what}']:,}" for what in ("rows_per_second", "first_ms", "MB"))]
            for it in ("identity", "gzip")
        ],
    )
    print_report(
        f"{rows:,} rows posted, on {connection.mysql_server_info}, median of {rounds} rounds",
        ["way, clients x rows a list", "rows/s", "times old way", "spread"],
        lines,
        ratios | reading,
    )


def main() -> None:
    whole = row_count(1, DEFAULT_SECONDS)
    parser = argparse.ArgumentParser("bench_api", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=whole, help="of each post of the file; the whole file: %(default)s")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if not CLIENTS[-1] * SIZES[-1] <= given.rows <= whole or given.rounds < 1:
        parser.error(f"--rows from {CLIENTS[-1] * SIZES[-1]} to {whole}, --rounds from 1")
    assert connection.vendor == "mysql", "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    # Else SIGTERM would end this program alone, and leave its servers running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    call_command("migrate", verbosity=0)
    token = io.StringIO()
    call_command("create_api_token", MACHINE, role="collector", stdout=token, stderr=io.StringIO())

    # Neither server writes a line for each request.
    old_port = free_port()
    uvicorn = ["uvicorn", "bench.bench_api.old_api:app", "--host=127.0.0.1", f"--port={old_port}", "--workers=1"]
    uvicorn += ["--no-access-log", "--log-level=warning"]
    with (
        tempfile.TemporaryDirectory(prefix="himmes-bench-") as folder,
        in_production(Path(folder)) as server,
        served(Path(folder), uvicorn, old_port) as old_server,
    ):
        ours, old = Uploader(server.address, token.getvalue().strip()), Uploader(old_server.address)
        rates = measure(ours, old, given.rows, given.rounds)
        reading = measure_reading(ours, server, given.rounds)
    report(rates, given.rows, reading)


if __name__ == "__main__":
    main()
