"""Buckets in the database: how they get there and how they come back."""

from collections.abc import Iterable
from itertools import chain

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Q

from vibration.models import Recording, VibrationRollup
from vibration.numbers.buckets import FACTOR, LEVELS, Buckets, coarsen, concatenate
from vibration.numbers.states import STATES

STATISTICS = {
    "minimum": "min",
    "maximum": "max",
    "total": "sum",
    "squares": "squares",
}  # of Buckets: suffix of the field
_FIELDS = ["bucket", "samples", *(f"{state}_{suffix}" for suffix in STATISTICS.values() for state in STATES)]
_TABLE = VibrationRollup._meta.db_table
_DELETE = f"DELETE FROM {_TABLE} WHERE recording_id = %s AND ({{}})"  # noqa: S608  names of ours
_SELECT = (
    f"SELECT level, {', '.join(_FIELDS)} FROM {_TABLE} WHERE recording_id = %s AND ({{}}) "  # noqa: S608
    "ORDER BY level, bucket"
)


def replace_rollups(recording: Recording, first: int, last: int, buckets: Buckets) -> None:
    """Store base buckets, at least one, as all that there are from `first` to `last`, and all levels above them.

    Each level is made from the one below, and from stored buckets only where a wider bucket sticks out of the range.
    The caller holds the recording's lock.
    """
    spans = [(first // FACTOR**level, last // FACTOR**level) for level in range(LEVELS)]
    with connection.cursor() as cursor:
        # As SQL text: of the time that a post of 200 samples takes, Django took a third to make it of Q objects.
        beside = _rows_beside(cursor, recording, spans)
        within = " OR ".join(["(level = %s AND bucket BETWEEN %s AND %s)"] * LEVELS)
        numbers = chain.from_iterable((level, *span) for level, span in enumerate(spans))
        cursor.execute(_DELETE.format(within), [recording.pk, *numbers])

    levels = [buckets]
    for level, (first, _last) in enumerate(spans[:-1]):
        neighbours = _as_buckets(beside[beside[:, 0] == level, 1:])
        left = int(np.searchsorted(neighbours.index, first))
        family = [_part(neighbours, 0, left), levels[-1], _part(neighbours, left, len(neighbours))]
        levels.append(coarsen(concatenate(family), FACTOR))
    VibrationRollup.objects.bulk_create(_frame(recording, levels))


def _rows_beside(cursor, recording: Recording, spans: list[tuple[int, int]]) -> np.ndarray:
    """The stored buckets that share a parent with one of a level's span without being in it, as rows of `_read`."""
    conditions: list[str] = []
    numbers: list[int] = []
    for level, (first, last) in enumerate(spans[:-1]):
        from_parent, to_parent = first // FACTOR * FACTOR, (last // FACTOR + 1) * FACTOR
        for start, end in ((from_parent, first), (last + 1, to_parent)):
            if start < end:
                conditions.append("(level = %s AND bucket >= %s AND bucket < %s)")
                numbers += (level, start, end)
    if not conditions:
        return np.empty((0, 1 + len(_FIELDS)))
    cursor.execute(_SELECT.format(" OR ".join(conditions)), [recording.pk, *numbers])
    return _as_array(cursor.fetchall(), 1 + len(_FIELDS))


def read_buckets(queryset) -> Buckets:
    """The buckets of a VibrationRollup queryset of one recording and level, in order."""
    return _as_buckets(_read(queryset))


def read_cover(recording: Recording, first: int, last: int) -> Buckets:
    """Buckets of all levels that together hold the samples of the base buckets first to last, each once.

    At most some tens, and of the widest level as many as there are. Their `index` is that of their own level.
    """
    parts = Q()
    for level in range(LEVELS):
        above = (-(-first // FACTOR), (last + 1) // FACTOR - 1)  # the wider buckets that lie within
        if level + 1 == LEVELS or above[0] > above[1]:
            parts |= Q(level=level, bucket__range=(first, last))
            break
        for start, end in ((first, above[0] * FACTOR - 1), ((above[1] + 1) * FACTOR, last)):
            if start <= end:
                parts |= Q(level=level, bucket__range=(start, end))
        first, last = above
    return read_buckets(VibrationRollup.objects.filter(parts, recording=recording))


def _read(queryset, *more: str) -> np.ndarray:
    """Rows in order, float64 (m, columns): the fields in `more`, then those of Buckets."""
    fields = [*more, *_FIELDS]
    return _as_array(queryset.order_by(*more, "bucket").values_list(*fields), len(fields))


def _as_array(rows: Iterable[tuple], columns: int) -> np.ndarray:
    return np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, columns)


def _as_buckets(numbers: np.ndarray) -> Buckets:
    index, count = numbers[:, :2].astype(np.int64).T  # exact: both stay below 2**53
    statistics = numbers[:, 2:].reshape(-1, len(STATISTICS), len(STATES))
    return Buckets(index, count, *(statistics[:, i] for i in range(len(STATISTICS))))


def _frame(recording: Recording, levels: list[Buckets]) -> pl.DataFrame:
    """All levels as rows of the table."""
    whole = concatenate(levels)
    columns = {
        "recording_id": np.full(len(whole), recording.pk),
        "level": np.repeat(np.arange(len(levels)), [len(buckets) for buckets in levels]),
        "bucket": whole.index,
        "samples": whole.count,
    }
    for attribute, suffix in STATISTICS.items():
        columns |= {f"{state}_{suffix}": getattr(whole, attribute)[:, i] for i, state in enumerate(STATES)}
    return pl.DataFrame(columns)


def _part(buckets: Buckets, start: int, end: int) -> Buckets:
    return Buckets(*(getattr(buckets, name)[start:end] for name in Buckets.__dataclass_fields__))
