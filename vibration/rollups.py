"""Buckets in the database: how they get there and how they come back."""

from functools import reduce
from itertools import chain
from operator import or_

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
    spans = [(first // FACTOR**level, last // FACTOR**level) for level in range(LEVELS)]
    stored = VibrationRollup.objects.filter(recording=recording)
    # All levels in one statement each: of the time that one for each level took, most was Django's.
    beside = _read(stored.filter(_any(_beside(level, *span) for level, span in enumerate(spans[:-1]))), "level")
    stored.filter(_any(Q(level=level, bucket__range=span) for level, span in enumerate(spans))).delete()

    frames = [_frame(recording, 0, buckets)]
    for level, (first, _last) in enumerate(spans[:-1]):
        neighbours = _as_buckets(beside[beside[:, 0] == level, 1:])
        left = int(np.searchsorted(neighbours.index, first))
        family = [_part(neighbours, 0, left), buckets, _part(neighbours, left, len(neighbours))]
        buckets = coarsen(concatenate(family), FACTOR)
        frames.append(_frame(recording, level + 1, buckets))
    VibrationRollup.objects.bulk_create(pl.concat(frames))


def read_buckets(queryset) -> Buckets:
    """The buckets of a VibrationRollup queryset of one recording and level, in order."""
    return _as_buckets(_read(queryset))


def _read(queryset, *more: str) -> np.ndarray:
    """Rows in order, float64 (m, columns): the fields in `more`, then those of Buckets."""
    fields = [*more, *_FIELDS]
    rows = queryset.order_by(*more, "bucket").values_list(*fields)
    return np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, len(fields))


def _as_buckets(numbers: np.ndarray) -> Buckets:
    index, count = numbers[:, :2].astype(np.int64).T  # exact: both stay below 2**53
    statistics = numbers[:, 2:].reshape(-1, len(STATISTICS), len(STATES))
    return Buckets(index, count, *(statistics[:, i] for i in range(len(STATISTICS))))


def _beside(level: int, first: int, last: int) -> Q:
    """The buckets that share a parent with one from `first` to `last`, without being one of them."""
    from_parent, to_parent = first // FACTOR * FACTOR, (last // FACTOR + 1) * FACTOR
    before = Q(bucket__gte=from_parent, bucket__lt=first)
    after = Q(bucket__gt=last, bucket__lt=to_parent)
    return Q(level=level) & (before | after)


def _any(conditions) -> Q:
    return reduce(or_, conditions)


def _frame(recording: Recording, level: int, buckets: Buckets) -> pl.DataFrame:
    columns = {"bucket": buckets.index, "samples": buckets.count}
    for attribute, suffix in STATISTICS.items():
        for position, state in enumerate(STATES):
            columns[f"{state}_{suffix}"] = getattr(buckets, attribute)[:, position]
    return pl.DataFrame(columns).with_columns(pl.lit(recording.pk).alias("recording_id"), pl.lit(level).alias("level"))


def _part(buckets: Buckets, start: int, end: int) -> Buckets:
    return Buckets(*(getattr(buckets, name)[start:end] for name in Buckets.__dataclass_fields__))
