"""Whether samples follow each other evenly and without a gap, judged by their times: pure numbers, no database."""

import numpy as np

GAP_STEPS = 1.5  # samples further apart than so many usual steps have a gap between them
FINEST_DECIMALS = 6  # of a second, to which stamps are known to be rounded; finer ones count as exact
CHECKED_STAMPS = 10_000


def quantum_of(time: np.ndarray) -> float:
    """To what these times (seconds) are rounded: 1, 0.1, ... or 1e-6; 0 if to none of these."""
    checked = time[:CHECKED_STAMPS]
    for decimals in range(FINEST_DECIMALS + 1):
        scaled = checked * 10.0**decimals
        if (np.abs(scaled - np.rint(scaled)) <= 1e-3).all():
            return 10.0**-decimals
    return 0.0


def usual_step(time: np.ndarray) -> float:
    """Seconds between two samples where none is missing; 0 of fewer than two.

    Rounded stamps have steps of several lengths: 800 Hz in whole milliseconds is 1, 1, 1, 2 ms. Their mean is the step.
    """
    steps = np.diff(time)
    if not len(steps):
        return 0.0
    median = np.median(steps)
    return float(steps[np.abs(steps - median) <= quantum_of(time) * 1.001].mean())


def stretches_of(time: np.ndarray) -> list[tuple[int, int]]:
    """First and past-the-last index of each stretch of samples without a gap.

    A gap is a step of more than GAP_STEPS usual ones, and of what the rounding of the stamps may have added to it.
    """
    steps = np.diff(time)
    allowed = GAP_STEPS * usual_step(time) + quantum_of(time) * 1.001
    edges = [0, *(np.flatnonzero(steps > allowed) + 1).tolist(), len(time)]
    return list(zip(edges[:-1], edges[1:], strict=True))


def longest(stretches: list[tuple[int, int]]) -> tuple[int, int]:
    """The one with the most samples; the earlier of two that have as many."""
    return max(stretches, key=lambda it: it[1] - it[0])
