"""Made-up data of a large plant, for measurements and for tests of the pages: it says nothing about any machine.

Everything goes through the code that writes what comes in by files and by the API, so that rollups, counts and current
states are what they would be in production. On SQLite and on MariaDB.
"""

import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import polars as pl
from django.utils import timezone

from diagnosis.history.reading import microseconds
from diagnosis.states import FaultType
from diagnosis.storage.writing import post_diagnoses
from diagnosis.synthetic import make_confidences, make_states
from machines.models import Machine, RegisteredBy
from vibration.csv.reader import BATCH_ROWS
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count, sample_lines, step_us
from vibration.models import ImportRun
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples

DAYS = 7  # that the diagnoses reach back
SENSORS = 4  # of a machine whose recordings are whole
SHORT_ROWS = 200  # of the one recording of each other machine
STARTED_BEFORE = timedelta(hours=1)  # when the recordings started
RECORDING = "synthetic"
MODEL = "synthetic"
ROWS_PER_POST = 50_000  # more than the API takes: each list looks up what is stored of every machine
RATED_RPM = 1_650
FLICKERING = "flicker"


def fill(
    samples: int = 1_500_000,
    machines: int = 200,
    diagnoses: int = 100_000,
    *,
    seed: int = 1,
    now: datetime | None = None,
) -> None:
    """Fill an empty database with so many of each; none of a number that is 0.

    Machines g1, g2, ... each have a short recording. What is left of the samples makes recordings of the shape of
    KAMP's files, about 190,000 samples each, of four sensors of g1, then of g2, and so on; the last is cut off. Each
    recording has a record of an import, as if it had come from a file.
    The diagnoses, as many of each machine, are evenly spread over the last 7 days up to `now`, and stored in order of
    time. Raises ValueError for samples without machines, or more than their sensors record in 140 s.
    """
    now = now or timezone.now()
    names = [f"g{number}" for number in range(1, machines + 1)]
    Machine.objects.bulk_create(
        Machine(
            name=name,
            title=f"급수 펌프 {number}호기",
            location=f"제{number % 5 + 1}공장",
            rated_rpm=RATED_RPM,
            registered_by=RegisteredBy.IMPORT,
        )
        for number, name in enumerate(names, start=1)
    )
    _fill_samples(samples, machines, seed, now - STARTED_BEFORE)
    if machines:
        _fill_diagnoses(names, diagnoses // machines, seed, now)


def add_flickering(
    days: float = DAYS, per_day: int = 1_000, *, name: str = FLICKERING, seed: int = 1, now: datetime | None = None
) -> None:
    """A machine whose every diagnosis says another state than the one before: the most that a timeline can hold."""
    count = round(days * per_day)
    random = np.random.default_rng([seed, count])
    states = np.cumsum(random.integers(1, len(FaultType), count)) % len(FaultType)
    at = _spread(count, now or timezone.now(), timedelta(days=days))
    post([name] * count, at, states, make_confidences(count, random))


def post(names: list[str], at: np.ndarray, states: np.ndarray, confidences: np.ndarray, model: str = MODEL) -> None:
    """Store diagnoses, given as columns of one length, as a program that posts long lists does.

    `at` is datetime64[us] (n,) in UTC, `states` int64 (n,), `confidences` float64 (n,).
    """
    for start in range(0, len(names), ROWS_PER_POST):
        part = slice(start, start + ROWS_PER_POST)
        post_diagnoses(
            {
                "machine_name": names[part],
                "detected_at": at[part],
                "fault_type": states[part].tolist(),
                "model_name": [model] * len(names[part]),
                "confidence": confidences[part],
            }
        )


def _fill_samples(samples: int, machines: int, seed: int, started_at: datetime) -> None:
    runs = []
    for machine, sensor, rows in _share(samples, machines):
        recording = open_recording(f"g{machine}", f"sensor{sensor}", name=RECORDING, started_at=started_at)
        time, values = make_samples(machine, sensor, rows, seed)
        for start in range(0, rows, BATCH_ROWS):
            part = slice(start, start + BATCH_ROWS)
            write_samples(recording, Samples(time[part], values[part]))
        runs.append(
            ImportRun(
                started_by="much_data",
                file_name=f"g{machine}_sensor{sensor}.csv",
                file_size=0,
                sha256="",
                recording=recording,
                place=str(recording),
                new=rows,
                outcome=ImportRun.Outcome.COMPLETE,
            )
        )
    ImportRun.objects.bulk_create(runs)


def _share(samples: int, machines: int) -> Iterable[tuple[int, int, int]]:
    """Machine and sensor, both from 1, and how many rows each has."""
    if not samples:
        return []
    short = min(SHORT_ROWS, samples // machines) if machines else 0
    rows = {(machine, 1): short for machine in range(1, machines + 1)} if short else {}
    left = samples - short * machines
    for machine, sensor in product(range(1, machines + 1), range(1, SENSORS + 1)):
        more = min(left, row_count(sensor, DEFAULT_SECONDS) - rows.get((machine, sensor), 0))
        if more:
            rows[machine, sensor] = rows.get((machine, sensor), 0) + more
            left -= more
    if left:
        raise ValueError(f"{machines} machines have no room for {samples:,} samples")
    return [(*place, count) for place, count in sorted(rows.items())]


def make_samples(machine: int, sensor: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Times float64 (rows,) and values float64 (rows, 4), read from the text of a synthetic file."""
    text = "".join(sample_lines(machine, sensor, rows * step_us(sensor) / 1e6, seed))
    numbers = pl.read_csv(io.BytesIO(text.encode()), has_header=False, schema_overrides=[pl.Float64] * 5).to_numpy()
    return np.ascontiguousarray(numbers[:rows, 0]), np.ascontiguousarray(numbers[:rows, 1:])


def _fill_diagnoses(names: list[str], each: int, seed: int, now: datetime) -> None:
    shape = len(names), each
    at, states, confidences = np.empty(shape, "datetime64[us]"), np.empty(shape, np.int64), np.empty(shape)
    step = timedelta(days=DAYS) / max(1, each)
    for number in range(len(names)):
        random = np.random.default_rng([seed, number])
        # Not all at one instant
        at[number] = _spread(each, now - step * number / len(names), timedelta(days=DAYS))
        states[number], confidences[number] = make_states(each, DAYS * 24, random), make_confidences(each, random)
    order = np.argsort(at, axis=None, kind="stable")
    machine = np.repeat(np.arange(len(names)), each)[order].tolist()
    post([names[number] for number in machine], at.ravel()[order], states.ravel()[order], confidences.ravel()[order])


def _spread(count: int, end: datetime, span: timedelta) -> np.ndarray:
    """Instants datetime64[us] (count,) in UTC, evenly spaced, the last one at the end."""
    step = span // max(1, count) // timedelta(microseconds=1)
    return (microseconds(end) - np.arange(count)[::-1] * step).astype("datetime64[us]")
