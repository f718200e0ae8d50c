"""What growth is measured by: requests, posts and an import, each with how many rows the server reads for it.

Milliseconds are the lower quartile of some calls: what else runs on the machine only adds to them. Rows are those that
the storage engine hands to the server in one call, which says why a cost grows where it does.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.db import connection
from django.utils import timezone

from bench.bench_growth.plant import Plant
from bench.page_requests import CHART_PIXELS, Request, at, nothing_kept
from bench.whole_requests import Poster, Site
from diagnosis.history.reading import instant_of, microseconds
from diagnosis.models import CurrentState, Episode
from diagnosis.pages.alarm_list import TABS
from diagnosis.pages.forms import MACHINES_PER_PAGE
from vibration.csv.synthetic import sample_lines, step_us
from vibration.files.importing import Options, import_file
from vibration.files.names import Naming
from vibration.models import ImportRun
from vibration.numbers.states import STATES

IMPORTED_S = 15.0  # length of the file that is imported; some 20,000 rows
PATIENCE_S = 10.0  # that one cost is measured at most, but for three calls
LEAST_CALLS = 3
LISTS = (200, 1_000)  # rows


class Cost(NamedTuple):
    ms: float
    rows: int


def measure(call: Callable[[], float], times: int) -> Cost:
    """Of a call that gives its own seconds."""
    first = call()  # warms up
    call()
    calls = min(times, max(LEAST_CALLS, int(PATIENCE_S / first)))
    seconds = [call() for _ in range(calls)]
    idle = -_rows_read() + _rows_read()  # asking reads some rows itself
    before = _rows_read()
    call()
    rows = _rows_read() - before - idle
    return Cost(statistics.quantiles(seconds, n=4, method="inclusive")[0] * 1e3, rows)


def _rows_read() -> int:
    with connection.cursor() as cursor:
        # What the storage engine looks at and hands to nobody, MariaDB counts apart; matches are attempts, and read.
        cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name RLIKE '^Handler_(read|icp)'")
        counts = {name: int(value) for name, value in cursor.fetchall()}
    return sum(counts.values()) - 2 * counts.get("Handler_icp_match", 0)


# --- Writing


class Writers:
    """An uploader, an AI and an import, each of which stores new rows with each call."""

    def __init__(self, site: Site, folder: Path):
        self._samples = Poster(site, "collector", "api-sample-bulk")
        self._diagnoses = Poster(site, "diagnoser", "api-diagnosis-bulk")
        self._file = folder / "g2_sensor1.csv"
        self._file.write_text("".join(sample_lines(2, 1, IMPORTED_S, seed=1)))
        self._number = count(1)

    def ways(self, plant: Plant) -> dict[str, Callable[[], float]]:
        return {
            "import, 10,000 rows": self._import,
            **{f"post of {size:,} samples": self._poster_of_samples(size) for size in LISTS},
            f"post of {plant.machines} diagnoses": self._poster_of_diagnoses(),
        }

    def _import(self) -> float:
        name = f"import{next(self._number)}"
        with self._file.open("rb") as stream:
            began = time.perf_counter()
            run = import_file(stream, self._file, Options(Naming(recording=name), started_by="bench")).run
            seconds = time.perf_counter() - began
        assert run.outcome == ImportRun.Outcome.COMPLETE
        assert run.new == run.read
        return seconds / run.new * 10_000

    def _poster_of_samples(self, size: int) -> Callable[[], float]:
        name, number, began = f"posted{next(self._number)}", count(), timezone.now() - timedelta(minutes=30)
        random = np.random.default_rng(5)

        def post() -> float:
            first = next(number) * size
            times = [place * step_us(1) / 1e6 for place in range(first, first + size)]
            values = np.round(random.normal(size=(size, len(STATES))), 6).tolist()
            place = {"machine_name": "g2", "sensor_no": "sensor1", "recording": name}
            return self._samples.post(
                [
                    place
                    | {"collected_at": (began + timedelta(seconds=at)).isoformat(), "measured_time": at}
                    | dict(zip(STATES, row, strict=True))
                    for at, row in zip(times, values, strict=True)
                ]
            )

        return post

    def _poster_of_diagnoses(self) -> Callable[[], float]:
        """Each machine goes on as it is, so that as many alarms are open afterwards."""
        said = dict(CurrentState.objects.values_list("machine__name", "fault_type"))
        instants = self._instants()

        def post() -> float:
            instant = instant_of(next(instants)).isoformat()
            return self._diagnoses.post(
                [
                    {
                        "machine_name": name,
                        "detected_at": instant,
                        "fault_type": fault_type,
                        "model_name": "synthetic",
                        "confidence": 0.9,
                    }
                    for name, fault_type in said.items()
                ]
            )

        return post

    def _instants(self) -> Iterator[int]:
        """Later than all that is stored, and none ahead of the clock by more than a program's clock may be."""
        return count(microseconds(timezone.now()), 1_000)


# --- Reading


def requests(plant: Plant, site: Site) -> list[Request]:
    plant.long.refresh_from_db()
    page_of = {"machine": "g1", "sensor": "sensor1", "recording": plant.long.name}
    of_long = {"machine_name": "g1", "sensor_no": "sensor1", "recording": plant.long.name}
    middle = plant.long.last_time / 2
    two_seconds = {"start": middle, "end": middle + 2}
    machines = [f"g{number}" for number in range(1, min(plant.machines, MACHINES_PER_PAGE) + 1)]
    since = plant.now - timedelta(hours=24)
    oldest = dict(zip(("collected_at_after", "collected_at_before"), map(_text, plant.oldest_day), strict=True))
    oldest_page = dict(zip(("after", "before"), map(_text, plant.oldest_day), strict=True))
    return [
        Request("waveform data, 2 s", at("api-waveform", **of_long, **two_seconds)),
        Request("waveform data, whole long recording", at("api-waveform", **of_long)),
        Request("spectrum data, whole long recording", at("api-spectrum", **of_long)),
        Request("waveform page", at("waveform", **page_of)),
        Request("sample table", at("table")),
        Request("sample table, older rows", at("table") + site.older_rows()),
        Request("sample table of a machine", at("table", machine="g1")),
        Request("sample table, last 24 h", at("table", range="24h")),
        Request("sample table, oldest day", at("table", **oldest_page)),
        Request("samples API, first 1,000", at("api-samples", limit=1_000)),
        Request("samples API, last 24 h, 1,000", at("api-samples", limit=1_000, collected_at_after=_text(since))),
        Request("samples API, oldest day, 1,000", at("api-samples", limit=1_000, **oldest)),
        Request("grouped-range, 10 of each sensor", at("api-grouped-range", recording="day0", per_group_limit=10)),
        Request("recordings API, 100", at("api-recordings", limit=100)),
        Request("overview, nothing kept", at("home"), nothing_kept),
        Request("machine page", at("machine", "g3")),
        Request("diagnoses page", at("dashboard")),
        Request("history of a machine", at("history", machine="g3")),
        Request("timeline page", at("timeline")),
        Request("timeline data", at("api-timeline", machine_name=machines, points=CHART_PIXELS), nothing_kept),
        Request("latest of each machine", at("api-latest")),
        Request("grouped-recent, 10 of each machine", at("api-grouped-recent", per_group_limit=10)),
        Request("diagnoses API, 1,000", at("api-diagnoses", limit=1_000)),
        *(Request(f"alarms, {tab}", at("alarms", tab=tab)) for tab in TABS),
        Request("alarms of a machine", at("alarms", machine="g3", tab="closed")),
        Request("alarm", at("alarm", _an_alarm())),
        Request("episodes API, 100", at("api-episodes", limit=100)),
    ]


def _an_alarm() -> int:
    """One that is over, of the latest week."""
    return Episode.objects.filter(ended_at__isnull=False).order_by("-opened_at").values_list("pk", flat=True)[0]


def _text(instant) -> str:
    return timezone.localtime(instant).replace(tzinfo=None).isoformat(timespec="seconds")
