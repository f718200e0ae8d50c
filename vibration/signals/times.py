"""What the times beside the samples of a signal say: its rate, and whether it is evenly sampled at all."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from vibration.numbers.evenness import Spacing, even_step, longest, quantum_of, shift_of, spacings_of

# A sample further from its place on an even grid could be its neighbour.
MAX_SHIFT_STEPS = 0.5
# So much may the rate change from the first half to the second: a tone at 1,000 Hz then moves by 1 Hz.
MOST_DRIFT = 1e-3
MIN_HALF = 32  # samples, to tell a rate from


@dataclass(frozen=True)
class TimeCheck:
    """Of n times. Positions are the numbers, from 0, of the later of two samples."""

    step: float  # seconds, the median of the steps
    repeats: tuple[int, ...]  # samples at the time of the one before
    falls_back: tuple[int, ...]  # samples before the one before
    gaps: tuple[int, ...] = ()  # samples before which others are missing; of rising times only
    sampling_hz: float | None = None  # of the even grid that fits best; None: fewer than 2 times, or not rising
    drift: float | None = None  # the change of the rate, as a share, beyond what rounding makes; None: too few to tell
    is_even: bool = False  # each sample of a stretch without a gap is near its place on the grid

    @property
    def rises(self) -> bool:
        return not self.repeats and not self.falls_back

    @property
    def has_gap(self) -> bool:
        return bool(self.gaps)

    @property
    def clock_drifts(self) -> bool:
        """Whether a spectrum of the samples would be blurred, as they rise but are not evenly spaced."""
        return self.sampling_hz is not None and (not self.is_even or abs(self.drift or 0.0) > MOST_DRIFT)


def check_times(time: np.ndarray, per_second: int = 1) -> TimeCheck:
    """What times (n,) say, float64 or int64 in units of which a second has `per_second`, from any origin.

    Times may be rounded: see numbers/evenness.py for what counts as a gap then.
    """
    seconds = (time - time[:1]) / per_second  # exact before it is divided, of int64 nanoseconds too
    steps = np.diff(seconds)
    if not len(steps):
        return TimeCheck(0.0, (), ())
    repeats = tuple((np.flatnonzero(steps == 0) + 1).tolist())
    falls_back = tuple((np.flatnonzero(steps < 0) + 1).tolist())
    step = float(np.median(steps))
    if repeats or falls_back:
        return TimeCheck(step, repeats, falls_back)
    readings = [_read(seconds, step, spacing) for spacing in spacings_of(seconds)]
    return next((it for it in readings if it.is_even), readings[-1])


def _read(seconds: np.ndarray, median: float, spacing: Spacing) -> TimeCheck:
    """What rising times say if they are read so."""
    stretches = spacing.stretches(seconds)
    gaps = tuple(start for start, _end in stretches[1:])
    long = [(first, last) for first, last in stretches if last - first > 1]
    if not long:  # each step is longer than the usual one, which no median is
        return TimeCheck(median, (), (), gaps)
    step = even_step(seconds, long)
    allowed = spacing.rounding + 2 * MAX_SHIFT_STEPS * step
    is_even = all(shift_of(seconds[first:last], step) <= allowed for first, last in long)
    first, last = longest(long)
    return TimeCheck(median, (), (), gaps, 1 / step, _drift(seconds[first:last]), is_even)


def _drift(seconds: np.ndarray) -> float | None:
    """The change of the rate from the first half of evenly spaced times to the second, as a share.

    Less what rounding to a quantum can make of none: 1.5 quanta, and as much in the other direction, in each half.
    """
    half = len(seconds) // 2
    if half < MIN_HALF:
        return None
    edges = [0, half, len(seconds)]
    before, after = (even_step(seconds, [pair]) for pair in itertools.pairwise(edges))
    by_rounding = 6 * quantum_of(seconds) / float(seconds[-1] - seconds[0])
    change = before / after - 1
    return math.copysign(max(0.0, abs(change) - by_rounding), change)
