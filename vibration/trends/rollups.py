"""The extremes of features by the hour and longer: stored with the features, and made anew when some go.

Only who holds the row of an axis in CaptureAxis writes here: what is read and then written is nobody else's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from vibration.models import CaptureFeatures, FeatureRollup
from vibration.trends.extremes import (
    WIDTHS,
    Extremes,
    begin_of,
    bucket_of,
    decoded,
    extremes_of,
    merged,
)

ROWS_AT_ONCE = 100  # in one statement


class Key(NamedTuple):
    """That of a FeatureRollup."""

    sensor: int
    axis: str
    unit: str
    width: int
    bucket: int


class Changed(NamedTuple):
    """A capture whose features came or went."""

    sensor: int
    axis: str
    unit: str
    started_at: datetime

    def buckets(self) -> list[Key]:
        return [Key(self.sensor, self.axis, self.unit, width, bucket_of(self.started_at, width)) for width in WIDTHS]


def add(new: Iterable[CaptureFeatures]) -> None:
    """Widen the buckets of features that have just been stored."""
    parts: dict[Key, list[Extremes]] = defaultdict(list)
    for it in new:
        for key in Changed(it.sensor_id, it.axis, it.unit, it.started_at).buckets():
            parts[key].append(extremes_of(it))
    every = sorted(parts)
    for start in range(0, len(every), ROWS_AT_ONCE):
        keys = every[start : start + ROWS_AT_ONCE]
        stored = {key_of(row): of_row(row) for row in rows_of(keys)}
        _write({key: merged([*([stored[key]] if key in stored else []), *parts[key]]) for key in keys})


def remake(changed: Iterable[Changed]) -> None:
    """Make the buckets of these anew: those of an hour from the features that are stored, wider ones from narrower."""
    keys = {key for it in changed for key in it.buckets()}
    for width in WIDTHS:
        for key in sorted(it for it in keys if it.width == width):
            parts = _parts_of(key)
            if parts:
                _write({key: merged(parts)})
            else:
                rows_of([key]).delete()


def _parts_of(key: Key) -> list[Extremes]:
    place = WIDTHS.index(key.width)
    if not place:
        begin, end = begin_of(key.bucket, key.width), begin_of(key.bucket + 1, key.width)
        features = CaptureFeatures.objects.filter(sensor=key.sensor, axis=key.axis, unit=key.unit)
        return [extremes_of(it) for it in features.filter(started_at__gte=begin, started_at__lt=end)]
    narrower = WIDTHS[place - 1]
    first = key.bucket * (key.width // narrower)
    rows = FeatureRollup.objects.filter(sensor=key.sensor, axis=key.axis, unit=key.unit, width=narrower)
    return [of_row(it) for it in rows.filter(bucket__gte=first, bucket__lt=first + key.width // narrower)]


def rows_of(keys: Sequence[Key]) -> QuerySet[FeatureRollup]:
    return FeatureRollup.objects.filter(pk__in=[tuple(key) for key in keys])


def key_of(row: FeatureRollup) -> Key:
    return Key(row.sensor_id, row.axis, row.unit, row.width, row.bucket)


def of_row(row: FeatureRollup) -> Extremes:
    return Extremes(row.count, row.flat, row.first_at, decoded(bytes(row.extremes)))


_OWN = ["count", "flat", "first_at", "extremes"]


def _write(found: dict[Key, Extremes]) -> None:
    """Store these, in place of what is stored under their keys."""
    rows = [
        FeatureRollup(
            sensor_id=key.sensor,
            axis=key.axis,
            unit=key.unit,
            width=key.width,
            bucket=key.bucket,
            count=it.count,
            flat=it.flat,
            first_at=it.first_at,
            extremes=it.encoded(),
        )
        for key, it in found.items()
    ]
    # MySQL goes by whatever unique key is met, and takes none by name.
    by = Key._fields if connection.features.supports_update_conflicts_with_target else None
    FeatureRollup.objects.bulk_create(rows, update_conflicts=True, unique_fields=by, update_fields=_OWN)
