"""Whether samples follow each other without a gap, judged by their times: pure numbers, no database.

Times may be rounded. 800 Hz in whole milliseconds has steps of 1, 1, 1, 2 ms, though no sample is missing: what
rounding can have added to a step is no gap. But 1 kHz without each fourth sample, and 750 Hz, are the same in whole
milliseconds: 1, 1, 2 ms. So rounding is taken for the reason only where at most a quarter of the steps are that long.
"""

import itertools
from dataclasses import dataclass

import numpy as np

GAP_STEPS = 1.5  # samples further apart than so many usual steps have a gap between them
MOST_ROUNDED_UP = 0.25  # of all steps; down to 800 Hz in whole milliseconds, or 80 Hz in hundredths of a second
ROUNDED_UP_AT_EDGE = 0.75  # of a step more, as a window need not begin where a pattern of steps does
FINEST_DECIMALS = 6  # of a second, to which times are known to be rounded; finer ones count as exact
CHECKED_TIMES = 10_000
SLACK = 1.001  # for what a float has beside a decimal number


def quantum_of(time: np.ndarray) -> float:
    """To what these rising times (seconds) are rounded: 1, 0.1, ... or 1e-6; 0 if to none of these.

    Different times that are rounded are that far apart at least: those within a thousandth of a second are near 0 in
    any case, and yet not rounded to seconds.
    """
    checked = time[:CHECKED_TIMES]
    finest = float(np.diff(checked).min()) if len(checked) > 1 else np.inf
    for decimals in range(FINEST_DECIMALS + 1):
        scaled = checked * 10.0**decimals
        is_apart = SLACK * finest * 10.0**decimals >= 1
        if is_apart and (np.abs(scaled - np.rint(scaled)) < SLACK - 1).all():
            return 10.0**-decimals
    return 0.0


@dataclass(frozen=True)
class Spacing:
    """One way to read times: which steps between them are gaps."""

    step: float  # seconds, the usual one; 0 of fewer than two times
    rounding: float  # seconds that a step may be longer for it

    def stretches(self, time: np.ndarray) -> list[tuple[int, int]]:
        """First and past-the-last index of each stretch of rising times (n,) without a gap."""
        gaps = np.flatnonzero(np.diff(time) > GAP_STEPS * self.step + self.rounding)
        edges = [0, *(gaps + 1).tolist(), len(time)]
        return list(itertools.pairwise(edges))


def spacings_of(time: np.ndarray) -> list[Spacing]:
    """How rising times (seconds) may be read, the likelier first: as rounded, if they can be, and as they stand."""
    steps = np.diff(time)
    if not len(steps):
        return [Spacing(0.0, 0.0)]
    median, quantum = float(np.median(steps)), SLACK * quantum_of(time)
    near = steps[np.abs(steps - median) <= quantum]
    whole = near[near <= GAP_STEPS * median]
    plain = Spacing(float(whole.mean()) if len(whole) else median, 0.0)
    rounded_up = len(near) - len(whole)
    if 0 < rounded_up <= MOST_ROUNDED_UP * len(near) + ROUNDED_UP_AT_EDGE:
        return [Spacing(float(near.mean()), quantum), plain]
    return [plain]


def longest(stretches: list[tuple[int, int]]) -> tuple[int, int]:
    """The one with the most samples; the earlier of two that have as many."""
    return max(stretches, key=lambda it: it[1] - it[0])


def even_step(time: np.ndarray, stretches: list[tuple[int, int]]) -> float:
    """Seconds from sample to sample of the even grid that fits these stretches best; each has two samples or more."""
    covariance = variance = 0.0
    for first, last in stretches:
        number = np.arange(last - first) - (last - first - 1) / 2
        # No dot products: BLAS would start threads for them, which wait busily.
        covariance += float((number * (time[first:last] - time[first])).sum())
        variance += float((number * number).sum())
    return covariance / variance


def shift_of(time: np.ndarray, step: float) -> float:
    """Seconds between the sample that is earliest and the one that is latest, each against its place on a grid."""
    shift = time - time[0] - step * np.arange(len(time))
    return float(shift.max() - shift.min())
