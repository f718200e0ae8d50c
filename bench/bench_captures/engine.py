"""What captures cost on one database, that of DATABASE_URL; the last line is JSON. See __main__.py."""

import argparse
import io
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
django.setup()

import numpy as np  # noqa: E402  Django first
import urllib3  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from bench.bench_captures.signals import AXES, RATE_HZ, SAMPLES, SCALE, SHAFT_HZ, Signal, make_signal  # noqa: E402
from bench.serving import Server, children_of, in_production  # noqa: E402
from vibration.captures.reading import samples_of  # noqa: E402
from vibration.models import Capture  # noqa: E402

SIGNALS = 20  # different ones, which are posted in turn
KINDS = ("float32", "int16")
WARM_UP = 5  # posts
AXES_PER_S = 20
PLAIN_POSTS = 4  # so many posts as plain rows: a post of them takes as long as dozens of ours
READS = 60
READ = {  # what is read of a capture, and the encoding that the client takes
    "samples": ("samples?format=npy", "identity"),
    "samples_gzip": ("samples?format=npy", "gzip"),
    "waveform": ("waveform", "gzip"),
    "spectrum": ("spectrum", "gzip"),
}
START = datetime(2026, 3, 2, tzinfo=UTC)
TABLES = ("vibration_capture", "vibration_capture_features")
PLAIN = "bench_plain_rows"


class Collector:
    """Posts captures and reads them back over one kept connection."""

    def __init__(self, server: Server, token: str):
        self.headers = {"Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"}
        self.connection = urllib3.connection_from_url(server.address, timeout=60, retries=False)
        self.posted = 0  # which tells the start of the next

    def post(self, sensor: str, signal: Signal, kind: str) -> float:
        """Seconds until the answer is there."""
        said = {"machine_name": "bench", "sensor_no": sensor, "axis": ",".join(AXES), "sampling_hz": RATE_HZ}
        said |= {"started_at": (START + timedelta(seconds=self.posted)).isoformat(), "unit": "g"}
        said |= {"rpm": SHAFT_HZ * 60, "dtype": kind} | ({"scale": repr(SCALE)} if kind == "int16" else {})
        self.posted += 1
        body, path = signal.body(kind), f"/api/captures?{urlencode(said)}"
        began = time.perf_counter()
        headers = self.headers | {"Content-Type": "application/octet-stream"}
        answer = self.connection.request("POST", path, body=body, headers=headers)
        seconds = time.perf_counter() - began
        assert answer.status == 201, answer.data
        assert answer.json()["inserted"] == len(AXES), answer.data
        return seconds

    def get(self, path: str, encoding: str) -> tuple[float, bytes]:
        """Seconds, and the body; `encoding` is what is accepted, "identity" or "gzip"."""
        began = time.perf_counter()
        answer = self.connection.request("GET", path, headers=self.headers | {"Accept-Encoding": encoding})
        seconds = time.perf_counter() - began
        assert answer.status == 200, answer.data
        return seconds, answer.data


def in_ms(seconds: list[float]) -> dict[str, float]:
    return {
        "p50_ms": round(float(np.percentile(seconds, 50)) * 1e3, 1),
        "p95_ms": round(float(np.percentile(seconds, 95)) * 1e3, 1),
    }


def named(prefix: str, figures: dict) -> dict:
    return {f"{prefix}_{name}": value for name, value in figures.items()}


def held_bytes(*tables: str) -> int:
    """On disk: of tables with their indexes, or of the whole file of SQLite."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA page_count")
            [pages] = cursor.fetchone()
            cursor.execute("PRAGMA page_size")
            return pages * cursor.fetchone()[0]
        for table in tables:
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
        marks = ", ".join(["%s"] * len(tables))
        cursor.execute(
            "SELECT SUM(data_length + index_length) FROM information_schema.tables "
            f"WHERE table_schema = DATABASE() AND table_name IN ({marks})",
            tables,
        )
        return int(cursor.fetchone()[0])


def measure_posts(collector: Collector, server: Server, signals: list[Signal], kind: str, posts: int) -> dict:
    """Posted to stored, one after the other, and the bytes that each sample takes.

    Beside it the CPU that the server takes for a post, which other programs on the machine change less.
    """
    for number in range(WARM_UP):
        collector.post("warm-up", signals[number], kind)
    before, cpu_before = held_bytes(*TABLES), cpu_seconds(server)
    took = [collector.post(kind, signals[number % len(signals)], kind) for number in range(posts)]
    cpu_ms = (cpu_seconds(server) - cpu_before) / posts * 1e3
    held = held_bytes(*TABLES) - before
    return in_ms(took) | {
        "cpu_ms": round(cpu_ms, 1),
        "bytes_per_sample": round(held / (posts * len(AXES) * SAMPLES), 2),
    }


def assert_exact(signals: list[Signal], kind: str, posts: int) -> int:
    """Each capture of `measure_posts` is what was posted; so many there are."""
    captures = Capture.objects.filter(sensor__sensor_no=kind).order_by("started_at", "axis")
    assert captures.count() == posts * len(AXES)
    for number, capture in enumerate(captures.iterator(chunk_size=100)):
        expected = signals[number // len(AXES) % len(signals)].axis(number % len(AXES), kind)
        assert samples_of(capture).tobytes() == expected.tobytes(), f"{capture} is not what was posted"
    return posts * len(AXES)


def measure_reads(collector: Collector, server: Server, signals: list[Signal], kind: str) -> dict:
    """One capture at a time, each another one."""
    captures = Capture.objects.filter(sensor__sensor_no=kind).order_by("started_at", "axis")
    numbers = list(captures.values_list("pk", flat=True))
    figures: dict = {}
    for name, (what, encoding) in READ.items():
        collector.get(f"/api/captures/{numbers[0]}/{what}", encoding)
        cpu_before = cpu_seconds(server)
        found = [collector.get(f"/api/captures/{pk}/{what}", encoding) for pk in numbers[:READS]]
        cpu_ms = (cpu_seconds(server) - cpu_before) / len(found) * 1e3
        told = in_ms([seconds for seconds, _body in found]) | {"cpu_ms": round(cpu_ms, 1)}
        figures |= named(f"read_{name}", told)
        if what.endswith("npy"):
            for number, (_seconds, body) in enumerate(found):
                expected = signals[number // len(AXES) % len(signals)].axis(number % len(AXES), kind)
                assert np.load(io.BytesIO(body)).tobytes() == expected.tobytes()
    return figures


def sustain(collector: Collector, server: Server, signals: list[Signal], seconds: float) -> dict:
    """Posts of three axes at 20 axes a second, and the memory of the server meanwhile."""
    step = len(AXES) / AXES_PER_S
    took, late, memory = [], 0.0, []
    began = time.monotonic()
    for number in range(round(seconds / step)):
        due = began + number * step
        if (wait := due - time.monotonic()) > 0:
            time.sleep(wait)
        late = max(late, time.monotonic() - due)
        took.append(collector.post("steady", signals[number % len(signals)], KINDS[number % 2]))
        memory.append(resident_mb(server))
    passed, quarter = time.monotonic() - began, max(1, len(memory) // 4)
    first, last = statistics.mean(memory[:quarter]), statistics.mean(memory[-quarter:])
    return {
        **in_ms(took),
        "axes_per_second": round(len(took) * len(AXES) / passed, 1),
        "seconds": round(passed),
        "latest_s": round(late, 2),
        "memory_first_quarter_MB": round(first, 1),
        "memory_last_quarter_MB": round(last, 1),
        "memory_last_over_first": round(last / first, 3),
    }


def cpu_seconds(server: Server) -> float:
    """Of the process that answers, since it began."""
    [process] = children_of(server.pid)
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def resident_mb(server: Server) -> float:
    """Of the process that answers."""
    [process] = children_of(server.pid)
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())[1]) / 1_000


def measure_plain_rows(signals: list[Signal]) -> dict:
    """A row of time and value for each sample, written in one transaction a post, without a server in between."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {PLAIN} (capture INT NOT NULL, measured_time DOUBLE NOT NULL, value DOUBLE NOT NULL, "
            "PRIMARY KEY (capture, measured_time))"
        )
    before, took = held_bytes(PLAIN), []
    times = (np.arange(SAMPLES) / RATE_HZ).tolist()
    for post in range(PLAIN_POSTS):
        rows = [
            (post * len(AXES) + axis, *row)
            for axis in range(len(AXES))
            for row in zip(times, signals[post].axis(axis, "float32").tolist(), strict=True)
        ]
        took.append(timed(lambda rows=rows: insert_plain(rows)))
    held = held_bytes(PLAIN) - before
    read = [timed(lambda number=number: read_plain(number)) for number in range(PLAIN_POSTS * len(AXES))]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {PLAIN}")
    figures = {"bytes_per_sample": round(held / (PLAIN_POSTS * len(AXES) * SAMPLES), 2)}
    return in_ms(took) | figures | named("read", in_ms(read))


def insert_plain(rows: list[tuple]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {PLAIN} (capture, measured_time, value) VALUES (%s, %s, %s)", rows)


def read_plain(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT value FROM {PLAIN} WHERE capture = %s ORDER BY measured_time", [number])
        assert len(np.array(cursor.fetchall())) == SAMPLES


def measure_npy(signals: list[Signal], kind: str, folder: Path) -> dict:
    """A file a capture as people keep them, each forced to the disk as a database does; without features."""
    took, paths = [], []
    for post, signal in enumerate(signals):
        arrays = [
            signal.counts[axis :: len(AXES)] if kind == "int16" else signal.values()[axis :: len(AXES)]
            for axis in range(len(AXES))
        ]
        files = [folder / f"{kind}-{post}-{axis}.npy" for axis in AXES]
        took.append(timed(lambda files=files, arrays=arrays: save_npy(files, arrays)))
        paths += files
    size = sum(path.stat().st_size for path in paths)
    read = [timed(lambda path=path: np.load(path)) for path in paths]
    figures = {"bytes_per_sample": round(size / (len(paths) * SAMPLES), 2)}
    return in_ms(took) | figures | named("read", in_ms(read))


def save_npy(files: list[Path], arrays: list[np.ndarray]) -> None:
    for path, values in zip(files, arrays, strict=True):
        with path.open("wb") as file:
            np.save(file, values)
            file.flush()
            os.fsync(file.fileno())


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(posts: int, seconds: float) -> dict:
    token = io.StringIO()
    call_command("create_api_token", "bench", role="collector", stdout=token, stderr=io.StringIO())
    signals = [make_signal(seed) for seed in range(SIGNALS)]
    figures: dict = {}
    with (
        tempfile.TemporaryDirectory(prefix="himmes-bench-") as folder,
        in_production(Path(folder), pages=False) as server,
    ):
        collector = Collector(server, token.getvalue().strip())
        for kind in KINDS:
            figures |= named(kind, measure_posts(collector, server, signals, kind, posts))
            figures[f"{kind}_exact_captures"] = assert_exact(signals, kind, posts)
            figures |= named(kind, measure_reads(collector, server, signals, kind))
            figures |= named(f"npy_{kind}", measure_npy(signals, kind, Path(folder)))
        figures |= named("steady", sustain(collector, server, signals, seconds))
    return figures | named("plain_rows", measure_plain_rows(signals))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    call_command("migrate", verbosity=0)
    figures = measure(given.posts, given.seconds)
    json.dump(figures, sys.stdout)
    print()


if __name__ == "__main__":
    main()
