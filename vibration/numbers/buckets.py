"""Samples summed up in time buckets: pure numbers, no database.

A bucket lasts 2**e seconds for a whole e, and bucket i spans [i * 2**e, (i + 1) * 2**e). Scaling by a power of two is
exact in binary floating point, so which bucket a sample is in, and where a bucket begins, can never disagree by a
rounding. Sums are taken in time order, one sample after the other: the same samples give the same bits, in however many
writes they came.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES

SAMPLES_PER_BUCKET = 50  # the least in a base bucket of an evenly sampled recording; the most is twice that
FACTOR = 8  # a bucket of one level spans so many of the level below
LEVELS = 6  # the widest buckets span 8**5 base buckets, some two million samples: 20,000 of them are 40 billion
MIN_EXPONENT = -19  # 2 us; up to the longest time allowed (10^10 s) an index is still exact as a double
MAX_EXPONENT = 24


@dataclass(frozen=True)
class Buckets:
    """m buckets in rising order of index; the statistics have one column a state."""

    index: np.ndarray  # int64 (m,)
    count: np.ndarray  # int64 (m,)
    minimum: np.ndarray  # float64 (m, 4)
    maximum: np.ndarray  # float64 (m, 4)
    total: np.ndarray  # float64 (m, 4)
    squares: np.ndarray  # float64 (m, 4), the sum of the squares

    def __len__(self) -> int:
        return len(self.index)

    def part(self, start: int, end: int | None) -> "Buckets":
        """Those from one number to another, as a slice counts."""
        return Buckets(*(getattr(self, field.name)[start:end] for field in fields(self)))


def bucket_of(time: np.ndarray, exponent: int) -> np.ndarray:
    """The index of the bucket of 2**exponent seconds that each time (seconds) lies in, as int64."""
    return np.floor(np.ldexp(time, -exponent)).astype(np.int64)


def bucket(time: float, exponent: int) -> int:
    """The index of the bucket of 2**exponent seconds that a time (seconds) lies in."""
    return math.floor(math.ldexp(time, -exponent))


def base_exponent(time: np.ndarray) -> int:
    """The exponent that gives 50 to 100 samples a bucket at the median step of these times (seconds, any order).

    Fewer than two distinct times tell no step: 0 (1 s), which `narrower` corrects when more have come.
    """
    distinct = np.unique(time)
    if len(distinct) < 2:
        return 0
    step = float(np.median(np.diff(distinct)))
    return int(np.clip(np.ceil(np.log2(step * SAMPLES_PER_BUCKET)), MIN_EXPONENT, MAX_EXPONENT))


def narrower(exponent: int, fullest: int) -> int:
    """The exponent to change to when the fullest base bucket holds so many samples; the same one while that is few.

    A bucket that grew full would be read again by each write to it. It happens when the first samples of a recording
    came further apart than the later ones.
    """
    if fullest <= 4 * SAMPLES_PER_BUCKET:
        return exponent
    return max(MIN_EXPONENT, exponent - int(np.ceil(np.log2(fullest / (2 * SAMPLES_PER_BUCKET)))))


def summarise(samples: Samples, exponent: int) -> Buckets:
    """Samples in rising order of time, at least one, as buckets of 2**exponent seconds."""
    index, start, group = _groups(bucket_of(samples.time, exponent))
    values = samples.values
    return Buckets(
        index=index,
        count=np.bincount(group),
        minimum=np.minimum.reduceat(values, start),
        maximum=np.maximum.reduceat(values, start),
        total=_sums(group, values),
        squares=_sums(group, values * values),
    )


def coarsen(buckets: Buckets, factor: int) -> Buckets:
    """The same samples in buckets `factor` times as wide; at least one bucket."""
    index, start, group = _groups(buckets.index // factor)
    return Buckets(
        index=index,
        count=np.add.reduceat(buckets.count, start),
        minimum=np.minimum.reduceat(buckets.minimum, start),
        maximum=np.maximum.reduceat(buckets.maximum, start),
        total=_sums(group, buckets.total),
        squares=_sums(group, buckets.squares),
    )


def concatenate(parts: list[Buckets]) -> Buckets:
    """Buckets of one width, joined; the parts must follow each other in time. `coarsen` by 1 joins what they share."""
    return Buckets(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Buckets)))


def _groups(index: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct values of a rising index, where each starts, and for each row the number of its group."""
    new = np.empty(len(index), dtype=bool)
    new[0] = True
    np.not_equal(index[1:], index[:-1], out=new[1:])
    start = np.flatnonzero(new)
    return index[start], start, np.cumsum(new) - 1


def _sums(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    # bincount adds row by row; np.add.reduceat adds pairwise, in an order that depends on the length
    return np.column_stack([np.bincount(group, weights=values[:, state]) for state in range(len(STATES))])
