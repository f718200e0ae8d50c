"""A plant with years of features, written in columns: each row is what storing captures would have written.

A capture of three axes each 10 minutes: of one machine first, whose history grows backwards in whole days, then of
others beside it. Samples are removed, as retention does; outlines are those of the latest month and one a day before.
Nothing here says anything about a real machine.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection, transaction
from django.db.models import Model

from machines.models import Machine, Sensor
from vibration.models import Capture, CaptureAxis, CaptureFeatures, FeatureRollup, SpectrumOutline
from vibration.signals.features import VERSION
from vibration.spectra.outline import EDGES, coded
from vibration.trends.extremes import DAY, NAMES, WIDTHS, bucket_of

MACHINE, SENSOR, AXES = "bench", "de", ("x", "y", "z")
EVERY_S = 600
A_DAY = DAY // EVERY_S  # captures of an axis
DAYS = 1_826  # five years
OUTLINES_EACH = 30  # days of which each capture has an outline
RATE_HZ, SHAFT_HZ, SAMPLES = 25_600.0, 24.7, 25_600
ROWS_AT_ONCE = 2_000
COPIED = (Capture, CaptureFeatures, FeatureRollup, SpectrumOutline)


class Plant:
    """Fills an empty database, and grows it."""

    def __init__(self, now: datetime, days: int = DAYS):
        self.now = now
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        begin = midnight - timedelta(days=days - 1)
        count = int((now - begin).total_seconds()) // EVERY_S
        self.starts = np.int64(begin.timestamp()) + EVERY_S * np.arange(count)  # seconds of 1970 on
        self.values = made_values(count)
        self.days, self._stored = days, 0
        self._axes = [self._axis(MACHINE, SENSOR, axis) for axis in AXES]
        self._others = 0

    def grow(self, days: int) -> None:
        """Until the machine's history has so many, today included; what came lately stays as it is."""
        if days <= self._stored:
            return  # only what stands beside it grows
        part = slice(self._from(days), self._from(self._stored))
        with transaction.atomic():
            self._write(self._axes[0], part)
        for axis in self._axes[1:]:
            copy(self._axes[0], axis, *self._between(part))
        self._stored = days

    def add_others(self, axes: int) -> None:
        """So many axes of other machines with the same history."""
        for number in range(self._others, self._others + axes):
            other = self._axis(f"{MACHINE}-{2 + number // len(AXES)}", SENSOR, AXES[number % len(AXES)])
            copy(self._axes[0], other, *self._between(slice(0, len(self.starts))))
        self._others += axes

    def _from(self, days: int) -> int:
        """Where the history of the latest days begins."""
        return (
            int(np.searchsorted(self.starts, self.starts[0] + (self.days - days) * DAY)) if days else len(self.starts)
        )

    def _between(self, part: slice) -> tuple[int, int]:
        begin, *_rest, last = self.starts[part].tolist()
        return begin, (last // DAY + 1) * DAY

    def _axis(self, machine: str, sensor: str, axis: str) -> CaptureAxis:
        of, _is_new = Machine.objects.get_or_create(name=machine, defaults={"rated_rpm": round(SHAFT_HZ * 60)})
        where, _is_new = Sensor.objects.get_or_create(machine=of, sensor_no=sensor)
        newest = datetime.fromtimestamp(int(self.starts[-1]), UTC)
        return CaptureAxis.objects.create(sensor=where, axis=axis, newest_at=newest, stored_at=newest)

    def _write(self, axis: CaptureAxis, part: slice) -> None:
        starts, values = self.starts[part], self.values[part]
        place = {"sensor_id": axis.sensor_id, "axis": axis.axis, "unit": "g"}
        at = texts(starts)
        insert(Capture, place | _OF_CAPTURE | {"started_at": at, "received_at": at})
        columns = {name: column.tolist() for name, column in zip(NAMES, values.T, strict=True)}
        insert(CaptureFeatures, place | _OF_FEATURES | {"started_at": at} | columns)
        for width in WIDTHS:
            insert(FeatureRollup, place | {"width": width, "flat": 0} | rollups(starts, values, width))
        last = bucket_of(self.now, DAY)
        chosen = (starts // DAY > last - OUTLINES_EACH) | (np.diff(starts // DAY, prepend=-1) > 0)
        told = {"sampling_hz": RATE_HZ, "shaft_hz": SHAFT_HZ, "data": made_outlines(int(chosen.sum()))}
        insert(SpectrumOutline, place | {"started_at": texts(starts[chosen])} | told)


_OF_CAPTURE = {
    "sampling_hz": RATE_HZ,
    "count": SAMPLES,
    "rpm": SHAFT_HZ * 60,
    "source": "bench",
    **dict.fromkeys(["is_clipped", "is_flat", "has_gap", "clock_drifts", "has_samples", "is_kept"], 0),
    "scale": None,
    "sha256": "0" * 64,
    "codec": 1,
    "size": 40_000,
    "data": None,
}
_OF_FEATURES = {
    "version": VERSION,
    "shaft_source": "measured",
    **dict.fromkeys(["velocity_reason", "orders_reason", "envelope_reason"], ""),
}


def made_values(count: int) -> np.ndarray:
    """float64 (n, len(NAMES)): each feature drifts, swings with the day and spreads."""
    random = np.random.default_rng(1)
    number = np.arange(count)[:, None]
    level = random.uniform(0.1, 5, len(NAMES))
    slow = 1 + 0.3 * number / count + 0.1 * np.sin(2 * np.pi * number / A_DAY)
    return level * slow * random.lognormal(0, 0.1, (count, len(NAMES)))


def made_outlines(count: int) -> list[bytes]:
    """Of noise with lines at the orders of the shaft."""
    random = np.random.default_rng(2)
    bands = int(np.searchsorted(EDGES, RATE_HZ / 2))
    amplitude = random.rayleigh(1e-3, (count, bands))
    lines = np.searchsorted(EDGES, SHAFT_HZ * np.arange(1, 6), "right") - 1
    amplitude[:, lines] = random.lognormal(-2, 0.2, (count, len(lines)))
    return [it.astype("<u2").tobytes() for it in coded(amplitude)]


def rollups(starts: np.ndarray, values: np.ndarray, width: int) -> dict[str, Sequence]:
    """What FeatureRollup has of each bucket."""
    buckets = starts // width
    first = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
    least, greatest = np.minimum.reduceat(values, first), np.maximum.reduceat(values, first)
    return {
        "bucket": buckets[first].tolist(),
        "count": np.diff(first, append=len(starts)).tolist(),
        "first_at": texts(starts[first]),
        "extremes": [it.astype("<f8").tobytes() for it in np.stack([least, greatest], axis=2)],
    }


def texts(seconds: np.ndarray) -> list[str]:
    """Instants as both databases take them."""
    return [it.replace("T", " ") for it in np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()]


def insert(model: type[Model], columns: dict[str, object]) -> None:
    """Rows of columns by field; what is no list is the same in each."""
    count = max(len(it) for it in columns.values() if isinstance(it, list))
    every = [it if isinstance(it, list) else [it] * count for it in columns.values()]
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in columns)
    marks = ", ".join(["%s"] * len(columns))
    rows = list(zip(*every, strict=True))
    with connection.cursor() as cursor:
        for start in range(0, count, ROWS_AT_ONCE):
            cursor.executemany(
                f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})",
                rows[start : start + ROWS_AT_ONCE],
            )


def copy(source: CaptureAxis, target: CaptureAxis, begin: int, end: int) -> None:
    """The rows of an axis from one second of 1970 to another as those of another axis; each table by itself."""
    for model in COPIED:
        columns = [connection.ops.quote_name(it.column) for it in model._meta.concrete_fields if it.column not in _OWN]
        table = connection.ops.quote_name(model._meta.db_table)
        for condition, bounds in _conditions(model, begin, end):
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {table} (sensor_id, axis, {', '.join(columns)}) SELECT %s, %s, {', '.join(columns)} "
                    f"FROM {table} WHERE sensor_id = %s AND axis = %s AND {condition}",
                    [target.sensor_id, target.axis, source.sensor_id, source.axis, *bounds],
                )


_OWN = {"id", "sensor_id", "axis"}


def _conditions(model: type[Model], begin: int, end: int) -> Iterable[tuple[str, list]]:
    if model is FeatureRollup:
        return [
            ("unit = 'g' AND width = %s AND bucket >= %s AND bucket < %s", [width, begin // width, end // width])
            for width in WIDTHS
        ]
    return [("started_at >= %s AND started_at < %s", texts(np.array([begin, end])))]
