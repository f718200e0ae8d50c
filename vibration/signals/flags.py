"""What can be wrong with the samples of a signal by themselves: flat, or clipped."""

import numpy as np

INT16 = np.iinfo(np.int16)
# A converter's positive end is one step less than its range: 1 / 32,768 of 16 bits. Sensors are not exact, either.
AT_RANGE = 0.9999
# A plateau: so many samples in a row at the very extreme, and so often
PLATEAU_SAMPLES, PLATEAUS = 3, 3
# Values on a grid stay at their extreme for a while, too. The time that a sine spends in the highest step of the grid
# is at most that in the three below it, as it grows with the root of the depth; that of noise is far less.
STEPS_BELOW, TIMES_BELOW = 3, 4
LEVELS = 16  # steps of the grid from extreme to extreme, fewer of which tell nothing


def is_flat(values: np.ndarray) -> bool:
    """Whether all values (n,), n > 0, are alike, as a dead or disconnected sensor sends them."""
    return bool((values == values[0]).all())


def is_clipped(values: np.ndarray, measuring_range: float | None = None) -> bool:
    """Whether values (n,), n > 0, were cut off where sensor or converter end.

    int16 reach one of its ends; others reach the measuring range, which is that to each side of 0 in the unit of the
    values, so int16 with a scale are to be scaled for it; any are cut off at a level that is in neither's data sheet,
    so that they stay at their very extreme again and again.
    """
    least, greatest = values.min(), values.max()
    if values.dtype == np.int16 and (least == INT16.min or greatest == INT16.max):
        return True
    if measuring_range and max(-float(least), float(greatest)) >= AT_RANGE * measuring_range:
        return True
    ends = [end for end in (least, greatest) if _plateaus(values, end) >= PLATEAUS]
    return bool(ends) and _is_cut_off(values, ends)


def _plateaus(values: np.ndarray, end: np.generic) -> int:
    """How many runs of PLATEAU_SAMPLES or more stay at an extreme."""
    places = np.flatnonzero(values == end)
    if len(places) < PLATEAUS * PLATEAU_SAMPLES:
        return 0
    edges = np.flatnonzero(np.diff(places) > 1) + 1
    lengths = np.diff(np.concatenate([[0], edges, [len(places)]]))
    return int(np.count_nonzero(lengths >= PLATEAU_SAMPLES))


def _is_cut_off(values: np.ndarray, ends: list[np.generic]) -> bool:
    """Whether far more samples are at one of these extremes than in the steps next to it of the values' grid."""
    levels, counts = np.unique(values.astype(np.float64), return_counts=True)
    if len(levels) < LEVELS:
        return False
    depth = (STEPS_BELOW + 0.5) * float(np.diff(levels).min())
    for end in map(float, ends):
        beside = counts[np.abs(levels - end) <= depth].sum() - counts[levels == end].sum()
        if counts[levels == end].sum() > TIMES_BELOW * max(1, beside):
            return True
    return False
