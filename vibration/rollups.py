"""Buckets in the database: how they get there and how they come back."""

from itertools import chain

import numpy as np
import polars as pl
from django.db.models import Q

from vibration.buckets import FACTOR, LEVELS, Buckets, coarsen, concatenate
from vibration.models import Recording, VibrationRollup
from vibration.states import STATES

STATISTICS = {
    "minimum": "min",
    "maximum": "max",
    "total": "sum",
    "squares": "squares",
}  # of Buckets: suffix of the field
_FIELDS = ["bucket", "samples", *(f"{state}_{suffix}" for suffix in STATISTICS.values() for state in STATES)]


def replace_rollups(recording: Recording, first: int, last: int, buckets: Buckets) -> None:
    """Store base buckets, at least one, as all that there are from `first` to `last`, and all levels above them.

    Each level is made from the one below, and from stored buckets only where a wider bucket sticks out of the range.
    The caller holds the recording's lock.
    """
    frames = []
    for level in range(LEVELS):
        stored = VibrationRollup.objects.of(recording, level)
        stored.in_range(first, last).delete()
        frames.append(_frame(recording, level, buckets))
        parent_first, parent_last = first // FACTOR, last // FACTOR
        beside = read_buckets(
            stored.filter(
                Q(bucket__gte=parent_first * FACTOR, bucket__lt=first)
                | Q(bucket__gt=last, bucket__lt=(parent_last + 1) * FACTOR)
            )
        )
        left = int(np.searchsorted(beside.index, first))
        family = concatenate([_part(beside, 0, left), buckets, _part(beside, left, len(beside))])
        buckets, first, last = coarsen(family, FACTOR), parent_first, parent_last
    VibrationRollup.objects.bulk_create(pl.concat(frames))


def read_buckets(queryset) -> Buckets:
    """The buckets of a VibrationRollup queryset of one recording and level, in order."""
    rows = queryset.order_by("bucket").values_list(*_FIELDS)
    numbers = np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, len(_FIELDS))
    index, count = numbers[:, :2].astype(np.int64).T  # exact: both stay below 2**53
    statistics = numbers[:, 2:].reshape(-1, len(STATISTICS), len(STATES))
    return Buckets(index, count, *(statistics[:, i] for i in range(len(STATISTICS))))


def _frame(recording: Recording, level: int, buckets: Buckets) -> pl.DataFrame:
    columns = {"bucket": buckets.index, "samples": buckets.count}
    for attribute, suffix in STATISTICS.items():
        for position, state in enumerate(STATES):
            columns[f"{state}_{suffix}"] = getattr(buckets, attribute)[:, position]
    return pl.DataFrame(columns).with_columns(pl.lit(recording.pk).alias("recording_id"), pl.lit(level).alias("level"))


def _part(buckets: Buckets, start: int, end: int) -> Buckets:
    return Buckets(*(getattr(buckets, name)[start:end] for name in Buckets.__dataclass_fields__))
