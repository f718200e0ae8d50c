"""What is stored of a recording, read in pieces of whole buckets: at most a page of samples is in memory at once."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vibration.models import Recording, VibrationData
from vibration.numbers.buckets import bucket_of
from vibration.numbers.samples import Samples

PAGE_ROWS = 100_000  # the most stored samples held in memory at once
MAX_GAP_BUCKETS = 64  # of base buckets that a write leaves out: reading them along is cheaper than another query
MAX_STRETCHES = 100  # that a write is split into, at its longest gaps


@dataclass(frozen=True)
class Piece:
    """What is stored in the whole buckets from index `first` to `last`."""

    first: int
    last: int
    samples: Samples  # in rising order of time, without when they were collected


def pieces_of(recording: Recording, time: np.ndarray) -> Iterator[tuple[np.ndarray, Piece]]:
    """Each piece of what is stored that some of these times, float64 (n,), fall into; and which, int64 rising."""
    order = np.argsort(time, kind="stable")
    bucket = bucket_of(time[order], recording.rollup_exponent)
    for first, last in _stretches(recording, bucket):
        for piece in read_pieces(recording, first, last):
            start, end = np.searchsorted(bucket, [piece.first, piece.last + 1])
            yield np.sort(order[start:end]), piece  # as they came: of two rows with one time the first counts first


def _stretches(recording: Recording, bucket: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last of each stretch of buckets to look at, of rising bucket indexes.

    One stretch, unless more than a page of samples is stored there: then long gaps are left out. Not always, as each
    stretch costs some statements, and a sample an hour would be a stretch each.
    """
    gaps = np.diff(bucket)
    least = MAX_GAP_BUCKETS
    if len(gaps) > MAX_STRETCHES:
        least = max(least, int(np.partition(gaps, -MAX_STRETCHES)[-MAX_STRETCHES]))
    ends = np.append(np.flatnonzero(gaps > least), len(bucket) - 1)
    starts = np.append(0, ends[:-1] + 1)
    if len(ends) > 1:
        first, last = int(bucket[0]), int(bucket[-1])
        edges = math.ldexp(first, recording.rollup_exponent), math.ldexp(last + 1, recording.rollup_exponent)
        stored = VibrationData.objects.of(recording).in_window(*edges).order_by("measured_time")
        if not stored.values_list("measured_time")[PAGE_ROWS : PAGE_ROWS + 1]:
            return iter([(first, last)])
    return zip(bucket[starts].tolist(), bucket[ends].tolist(), strict=True)


def read_pieces(recording: Recording, first: int, last: int) -> Iterator[Piece]:
    """What is stored in the base buckets from `first` to `last`, in pieces of whole buckets that fit the memory."""
    exponent = recording.rollup_exponent
    samples = VibrationData.objects.of(recording)
    while first <= last:
        start = math.ldexp(first, exponent)
        stored = samples.in_window(start, math.ldexp(last + 1, exponent)).as_samples(limit=PAGE_ROWS)
        piece_last = last
        if len(stored) == PAGE_ROWS:
            # The page may end within a bucket, which then belongs to the next piece.
            piece_last = int(bucket_of(stored.time[-1:], exponent)[0]) - 1
            if piece_last < first:  # one bucket that is larger than a page
                piece_last = first
                stored = samples.in_window(start, math.ldexp(first + 1, exponent)).as_samples()
        yield Piece(first, piece_last, stored.take(bucket_of(stored.time, exponent) <= piece_last))
        first = piece_last + 1
