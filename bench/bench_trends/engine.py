"""What trends and waterfalls cost on one database, that of DATABASE_URL; the last line is JSON. See __main__.py."""

import argparse
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import django

from bench.serving import AS_IN_PRODUCTION, SESSION_COOKIE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
os.environ |= AS_IN_PRODUCTION | {"DJANGO_LOG_LEVEL": "WARNING"}
django.setup()

import numpy as np  # noqa: E402  Django first
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bench_captures import signals  # noqa: E402
from bench.bench_trends import peer  # noqa: E402
from bench.bench_trends.plant import A_DAY, AXES, DAYS, EVERY_S, MACHINE, SENSOR, Plant  # noqa: E402
from bench.page_requests import Request, at  # noqa: E402
from bench.whole_requests import Site, analyze  # noqa: E402
from common.tests.rows_read import rows_read  # noqa: E402
from machines.models import RegisteredBy, Sensor  # noqa: E402
from vibration.captures.incoming import NewCapture  # noqa: E402
from vibration.captures.storing import store_captures  # noqa: E402
from vibration.models import CaptureFeatures  # noqa: E402
from vibration.trends import outlines, rollups  # noqa: E402
from vibration.trends.reading import Span  # noqa: E402

RECENT_DAYS = 20  # that each size has
LONG_S = 10.0
WARM_UP = 4


class Questions:
    """What is asked, by name; the same at each size, but for those of the whole history."""

    def __init__(self, plant: Plant):
        self._now, self._plant = plant.now, plant
        self._machine = {"machine_name": MACHINE}
        self._series = self._machine | {"series": f"{SENSOR}/{AXES[0]}"}

    def _since(self, **length: float) -> dict[str, str]:
        return {"started_at_after": (self._now - timedelta(**length)).isoformat()}

    def of_each_size(self) -> dict[str, Request]:
        recent, day = self._since(days=RECENT_DAYS), self._since(days=1)
        shown = self._since(seconds=500 * EVERY_S)
        return {
            "trend, 1 day x 3": self._ask("api-trend", self._machine | day),
            f"trend, {RECENT_DAYS} days x 3": self._ask("api-trend", self._machine | recent),
            f"numbers, {RECENT_DAYS} days x 3": self._ask("api-trend-numbers", self._machine | recent),
            "waterfall, 500 captures": self._ask("api-waterfall", self._series | shown),
            f"waterfall, {RECENT_DAYS} days": self._ask("api-waterfall", self._series | recent),
            "machine page": Request("machine page", at("machine", MACHINE)),
        }

    def of_years(self) -> dict[str, Request]:
        years = self._since(days=self._plant.days)
        return {
            "trend, 90 days x 3": self._ask("api-trend", self._machine | self._since(days=90)),
            "trend, 5 years x 3": self._ask("api-trend", self._machine | years),
            "trend as CSV, 5 years x 3": self._ask("api-trend", self._machine | years | {"format": "csv"}),
            "waterfall, 5 years": self._ask("api-waterfall", self._series | years),
        }

    def _ask(self, view: str, query: dict) -> Request:
        cache_off: Callable[[], dict] = _nothing_kept
        return Request(view, at(view, **query), cache_off)


def _nothing_kept() -> dict:
    cache.clear()  # nor is an export held back
    return {}


def measured(site: Site, asked: Request, times: int) -> dict[str, float]:
    """Milliseconds, and those of the processor in this process; rows, statements; bytes as sent, and unpacked.

    The lower quartile of some calls: what else runs on the machine only adds to it. The rows that MariaDB reads are as
    many whatever else runs.
    """
    for _ in range(WARM_UP):
        site.ask(asked)
    cpu = time.process_time()
    seconds = []
    for _ in range(times):
        took, body = site.ask(asked)
        seconds.append(took)
    cpu = time.process_time() - cpu
    unpacked = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    assert b'"captures":0' not in unpacked, unpacked
    return {
        "ms": in_ms(seconds),
        "cpu_ms": round(cpu / times * 1e3, 1),
        **({"rows": rows_read(lambda: site.ask(asked))} if connection.vendor == "mysql" else {}),
        "statements": site.measure(asked, 1).queries,
        "sent_bytes": len(body),
        "bytes": len(unpacked),
    }


def unchanged(site: Site, plant: Plant, times: int) -> float:
    """Milliseconds of a 304, as pages get that ask each 10 s."""
    path = at("api-trend", machine_name=MACHINE, started_at_after=(plant.now - timedelta(days=90)).isoformat())
    environ = site.factory.get(
        path, headers={"Host": "127.0.0.1", "X-Forwarded-Proto": "https", "Cookie": _cookie(site)}
    ).environ

    def ask(**more: str) -> tuple[float, str, dict]:
        told: list = []
        began = time.perf_counter()
        answer = site.application(environ | more, lambda status, headers: told.extend([status, dict(headers)]))
        b"".join(answer)
        answer.close()
        return time.perf_counter() - began, told[0], told[1]

    seconds = []
    version = ask()[2]["ETag"]
    while len(seconds) < times:
        took, status, headers = ask(HTTP_IF_NONE_MATCH=version)
        if status.startswith("304"):
            seconds.append(took)
        else:  # at the turn of a minute
            version = headers["ETag"]
    return in_ms(seconds)


def in_ms(seconds: list[float]) -> float:
    return round(statistics.quantiles(seconds, n=4, method="inclusive")[0] * 1e3, 1)


def _cookie(site: Site) -> str:
    return f"{SESSION_COOKIE}={site.sessions['viewer']}"


def spectrum_of_long(site: Site, now: datetime, times: int) -> dict[str, float]:
    """Of a capture of 10 s."""
    count = round(LONG_S * signals.RATE_HZ)
    seconds = np.arange(count) / signals.RATE_HZ
    values = np.sin(2 * np.pi * signals.SHAFT_HZ * seconds) + np.random.default_rng(1).normal(0, 0.05, count)
    new = NewCapture("long", SENSOR, "x", now, signals.RATE_HZ, values.astype(np.float32), "g", signals.SHAFT_HZ * 60)
    [stored] = store_captures([new], register=RegisteredBy.API)
    return measured(site, Request("spectrum", at("api-capture-spectrum", stored.capture.pk)), times)


def posts(now: datetime, pairs: int) -> dict[str, float]:
    """Storing a capture of three axes with and without rollups and outlines, in turn."""
    made = [signals.make_signal(seed) for seed in range(5)]
    took: dict[bool, list[float]] = {True: [], False: []}
    cpu: dict[bool, list[float]] = {True: [], False: []}

    def store(number: int) -> None:
        signal = made[number % len(made)]
        values = [signal.counts[axis :: len(AXES)] for axis in range(len(AXES))]
        at_ = now - timedelta(seconds=2 * pairs + WARM_UP - number)
        new = [
            NewCapture("posted", SENSOR, axis, at_, signals.RATE_HZ, its, "g", signals.SHAFT_HZ * 60, signals.SCALE)
            for axis, its in zip(AXES, values, strict=True)
        ]
        store_captures(new, register=RegisteredBy.API)

    for number in range(WARM_UP):
        store(number)
    for number in range(WARM_UP, WARM_UP + 2 * pairs):
        is_whole = bool(number % 2)
        with (
            patch.object(rollups, "add", rollups.add if is_whole else lambda new: None),
            patch.object(outlines, "outline_row", outlines.outline_row if is_whole else lambda *_given: None),
        ):
            began, cpu_began = time.perf_counter(), time.process_time()
            store(number)
            took[is_whole].append(time.perf_counter() - began)
            cpu[is_whole].append(time.process_time() - cpu_began)
    more = [whole - plain for whole, plain in zip(took[True], took[False], strict=True)]
    cpu_more = [whole - plain for whole, plain in zip(cpu[True], cpu[False], strict=True)]
    return {
        "post_ms": in_ms(took[True]),
        "post_without_ms": in_ms(took[False]),
        "post_more_ms": round(statistics.median(more) * 1e3, 1),
        "post_more_cpu_ms": round(statistics.median(cpu_more) * 1e3, 1),
    }


def beside(plant: Plant, folder: Path, times: int) -> dict[str, float]:
    """Milliseconds of the peers for the trends of 90 days and 5 years."""
    sensor = Sensor.objects.get(machine__name=MACHINE, sensor_no=SENSOR).pk
    path, figures = folder / "rms.parquet", {}
    peer.save_parquet(sensor, Span(plant.now - timedelta(days=plant.days), plant.now), path)
    for name, days, width in (("90_days", 90, 6 * 3_600), ("5_years", plant.days, 5 * 86_400)):
        span = Span(plant.now - timedelta(days=days), plant.now)
        start_ns = int(span.start.timestamp()) * 1_000_000_000
        ways: dict[str, Callable[[], int]] = {
            "pandas": lambda span=span, width=width: peer.with_pandas(sensor, span, width),
            "parquet": lambda start_ns=start_ns, width=width: peer.with_parquet(path, start_ns, width),
        }
        for way, read in ways.items():
            read()
            figures[f"{way}_{name}_ms"] = in_ms([_timed(read) for _ in range(times)])
    return figures


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def key_of(name: str) -> str:
    return "_".join("".join(it if it.isalnum() else " " for it in name).split())


def sizes_up_to(most: int, days: int) -> list[tuple[int, int]]:
    """Days of the machine's history, and axes beside it, that make 10,000 features and ten times more each time."""
    a_day, found, size = A_DAY * len(AXES), [], 10_000
    while size <= most:
        own = min(days, max(RECENT_DAYS + 2, -(-size // a_day)))
        found.append((own, max(0, round((size - own * a_day) / (days * A_DAY))) if own == days else 0))
        size *= 10
    return found


def measure(most: int, days: int, times: int, pairs: int) -> dict[str, float]:
    site, plant = Site(), Plant(timezone.now().replace(microsecond=0), days)
    questions, figures, others = Questions(plant), {}, 0
    stored = []
    for number, (own, beside_it) in enumerate(sizes_up_to(most, days), start=1):
        began = time.perf_counter()
        plant.grow(own)
        plant.add_others(beside_it - others)
        others = beside_it
        if connection.vendor == "mysql":  # SQLite looks at no statistics unless somebody has them made
            analyze()
        stored.append(CaptureFeatures.objects.count())
        figures[f"features_{number}"] = stored[-1]
        figures[f"fill_s_{number}"] = round(time.perf_counter() - began)
        print(f"{stored[-1]:,} features in {figures[f'fill_s_{number}']} s", file=sys.stderr, flush=True)
        for name, asked in questions.of_each_size().items():
            for what, value in measured(site, asked, times).items():
                figures[f"{key_of(name)}_{what}_{number}"] = value
            print(f"{name}: {figures[f'{key_of(name)}_ms_{number}']} ms", file=sys.stderr, flush=True)
    for name in questions.of_each_size():
        for what in ("ms", "cpu_ms", "rows"):
            if f"{key_of(name)}_{what}_1" in figures:
                first, last = (figures[f"{key_of(name)}_{what}_{number}"] for number in (1, len(stored)))
                figures[f"{key_of(name)}_{what}_growth"] = round(last / first, 2)
    for name, asked in questions.of_years().items():
        figures |= {f"{key_of(name)}_{what}": value for what, value in measured(site, asked, times).items()}
    figures["unchanged_ms"] = unchanged(site, plant, times)
    figures |= {f"spectrum_10_s_{what}": value for what, value in spectrum_of_long(site, plant.now, times).items()}
    with tempfile.TemporaryDirectory(prefix="himmes-bench-") as folder:
        figures |= beside(plant, Path(folder), max(3, times // 4))
    for name, days_ in (("90_days", "90_days_x_3"), ("5_years", "5_years_x_3")):
        for way in ("pandas", "parquet"):
            figures[f"{way}_{name}_over_ours"] = round(figures[f"{way}_{name}_ms"] / figures[f"trend_{days_}_ms"], 2)
    return figures | posts(plant.now, pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, required=True)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--pairs", type=int, default=40)
    given = parser.parse_args()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    json.dump(measure(given.features, given.days, given.requests, given.pairs), sys.stdout)
    print()


if __name__ == "__main__":
    main()
