"""Reads and writes rollups, and reads along with them the tail, which has none: see tails.py."""

import math
from collections.abc import Iterable
from itertools import chain

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce

from vibration.models import Recording, VibrationData, VibrationRollup
from vibration.numbers.buckets import FACTOR, LEVELS, Buckets, coarsen, concatenate, summarise
from vibration.numbers.states import STATES

STATISTICS = {
    "minimum": "min",
    "maximum": "max",
    "total": "sum",
    "squares": "squares",
}  # of Buckets: suffix of the field
NO_TAIL = 2**62  # beyond all buckets, and exact as a double
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
        family = [neighbours.part(0, left), levels[-1], neighbours.part(left, None)]
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


def read_level(recording: Recording, level: int, first: int, last: int) -> Buckets:
    """The buckets of a level from `first` to `last`, in order, of all stored samples: those of the tail, too."""
    stored = VibrationRollup.objects.of(recording, level).in_range(first, last)
    width = FACTOR**level
    buckets, tail = _read_with_tail(recording, stored, first * width, (last + 1) * width - 1)
    if not len(tail):
        return buckets
    # The bucket in which the tail begins may have samples in both.
    return coarsen(concatenate([buckets, coarsen(tail, width)]), 1)


def read_cover(recording: Recording, first: int, last: int) -> Buckets:
    """Buckets of all levels that together hold the samples of the base buckets first to last, each once.

    At most some tens, of the widest level as many as there are, and those of the tail. Their `index` is that of their
    own level.
    """
    parts, start, end = Q(), first, last
    for level in range(LEVELS):
        above = (-(-start // FACTOR), (end + 1) // FACTOR - 1)  # the wider buckets that lie within
        if level + 1 == LEVELS or above[0] > above[1]:
            parts |= Q(level=level, bucket__range=(start, end))
            break
        for begin, until in ((start, above[0] * FACTOR - 1), ((above[1] + 1) * FACTOR, end)):
            if begin <= until:
                parts |= Q(level=level, bucket__range=(begin, until))
        start, end = above
    return concatenate(
        [*_read_with_tail(recording, VibrationRollup.objects.filter(parts, recording=recording), first, last)]
    )


def _read_with_tail(recording: Recording, rollups, first: int, last: int) -> tuple[Buckets, Buckets]:
    """The buckets of a queryset, and the base buckets of the tail from `first` to `last`: no sample is in both.

    Where the tail begins is read in the statement that reads the rollups, as a write may move it at any moment. Where
    that returns no rollup, it begins as it did when the recording was read. Where retention has rolled up and removed
    samples of the tail before they were read, all is read anew.
    """
    rows = _read(rollups.annotate(tail_from=Coalesce("recording__tail_from", NO_TAIL)), of="tail_from")
    buckets, none = _as_buckets(rows[:, 1:]), _as_buckets(rows[:0, 1:])
    tail_from = int(rows[0, 0]) if len(rows) else recording.tail_from
    if tail_from is None or tail_from > last or recording.rollup_exponent is None:
        return buckets, none
    edges = [math.ldexp(index, recording.rollup_exponent) for index in (max(first, tail_from), last + 1)]
    samples, known_border = VibrationData.objects.of(recording).in_window(*edges).as_samples(), recording.pruned_before
    if recording.is_pruned_by_now(edges[0]) and recording.pruned_before != known_border:
        return _read_with_tail(recording, rollups, first, last)
    return buckets, summarise(samples, recording.rollup_exponent) if len(samples) else none


def _read(queryset, of: str = "") -> np.ndarray:
    """Rows in order of their buckets, float64 (m, columns): the annotation `of`, if any, then the fields of Buckets."""
    fields = [*filter(None, [of]), *_FIELDS]
    return _as_array(queryset.order_by("bucket").values_list(*fields), len(fields))


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
