"""The frequency of the shaft, and the amplitudes at half its multiples: what unbalance and looseness change."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from vibration.numbers.peaks import tone_at
from vibration.numbers.spectrum import MIN_SAMPLES
from vibration.numbers.windows import HANN
from vibration.signals.reasons import Reason
from vibration.signals.transform import Transform, centred, transform_of

ORDERS = tuple(half / 2 for half in range(1, 11))
SECONDS_PER_MINUTE = 60.0

FOUND_WITHIN = 0.1  # of the rated speed, to each side
# In this many shares of the shaft's frequency, to each side, lies what a peak must stand out of.
AROUND = 0.5
STANDS_OUT = 5.0  # times the median of the amplitudes: one bin in 2**25 of Gaussian noise does
MIN_AROUND_BINS = 16

AROUND_SHAFTS = 2.0  # times the shaft's frequency, above what is looked at
STILL_THERE = 0.2  # of the line that was found: one so high was there all the time

BINS_PER_SHAFT = 10  # at least: a tone takes up 4 bins, and each half order needs its own and a little more
NEIGHBOUR_BINS = 3  # to the next order, which are left to it
SEARCHED = 0.05  # of an order's frequency, to each side: as far as a speed may be off


class ShaftSource(StrEnum):
    """How the frequency of the shaft is known; the value is how it is stored."""

    MEASURED = "measured"  # beside the signal
    FOUND = "found"  # as a peak near the rated speed
    RATED = "rated"  # it is the rated speed, as nothing near it stands out
    UNKNOWN = ""


@dataclass(frozen=True)
class Shaft:
    """The frequency at which the shaft turns."""

    hz: float | None
    source: ShaftSource


def known_shaft(rpm: float | None, rated_rpm: float | None) -> Shaft:
    """Without a look at the signal; a speed of 0 tells no frequency."""
    if rpm:
        return Shaft(rpm / SECONDS_PER_MINUTE, ShaftSource.MEASURED)
    if rpm is None and rated_rpm:
        return Shaft(rated_rpm / SECONDS_PER_MINUTE, ShaftSource.RATED)
    return Shaft(None, ShaftSource.UNKNOWN)


def shaft_of(transform: Transform, rpm: float | None, rated_rpm: float | None) -> Shaft:
    """The measured speed; or that of the highest peak within FOUND_WITHIN of the rated one; or the rated one."""
    shaft = known_shaft(rpm, rated_rpm)
    if shaft.hz is None or shaft.source == ShaftSource.MEASURED:
        return shaft
    around = transform.bins_within((1 - AROUND) * shaft.hz, (1 + AROUND) * shaft.hz)
    reach = FOUND_WITHIN * shaft.hz + transform.resolution  # a tone's highest bin lies up to half a bin beside it
    near = transform.bins_within(shaft.hz - reach, shaft.hz + reach)
    amplitude = transform.amplitude
    if around.stop - around.start < MIN_AROUND_BINS or near.start == near.stop or near.stop >= len(amplitude):
        return shaft
    noise = float(np.median(amplitude[around]))
    tone = near.start + int(np.argmax(amplitude[near]))
    is_peak = amplitude[tone - 1] <= amplitude[tone] >= amplitude[tone + 1]
    if not is_peak or amplitude[tone] <= STANDS_OUT * noise:
        return shaft
    centre, _height = tone_at(amplitude, tone, tone - 2, min(tone + 2, len(amplitude) - 1), noise)
    return Shaft(centre * transform.resolution, ShaftSource.FOUND)


@dataclass(frozen=True)
class SpeedOver:
    """The frequency of the shaft's line in the first and in the second half of a signal, in Hz."""

    from_hz: float
    to_hz: float
    resolution_hz: float  # of each half

    @property
    def is_steady(self) -> bool:
        """Whether both are the same, as far as halves tell; if not, lines are smeared, those of high orders more."""
        return abs(self.to_hz - self.from_hz) <= self.resolution_hz


def speed_over(values: np.ndarray, sampling_hz: float, shaft_hz: float) -> SpeedOver | None:
    """How the shaft's line moves within values float64 (n,), evenly sampled.

    It is looked for within FOUND_WITHIN of the shaft's frequency. None where that can't be told: where it does not
    stand out in both halves, where these are too short for it, and where what moved may be another line, as the one of
    the first half is still there in the second beside it.
    """
    half = len(values) // 2
    if half < MIN_SAMPLES or shaft_hz < BINS_PER_SHAFT * sampling_hz / half:
        return None
    halves = values[:half], values[half : 2 * half]
    first, second = (_transform_below(AROUND_SHAFTS * shaft_hz, part, sampling_hz) for part in halves)
    if first is None or second is None:
        return None
    before, after = (_found_hz(it, shaft_hz) for it in (first, second))
    if before is None or after is None:
        return None
    found = SpeedOver(before, after, first.resolution)
    is_another = not found.is_steady and (_has_maximum(second, before, after) or _has_maximum(first, after, before))
    return None if is_another else found


def _transform_below(hz: float, values: np.ndarray, sampling_hz: float) -> Transform | None:
    """The lower bins of a transform, as those above take time and are not looked at; None of a flat signal."""
    deviations, _mean = centred(values)
    if not deviations.any():
        return None
    found = transform_of(deviations, sampling_hz)
    return replace(found, plain=found.plain[: max(3, math.ceil(hz / found.resolution))])


def _found_hz(transform: Transform, shaft_hz: float) -> float | None:
    shaft = shaft_of(transform, None, shaft_hz * SECONDS_PER_MINUTE)
    return shaft.hz if shaft.source == ShaftSource.FOUND else None


def _has_maximum(transform: Transform, near_hz: float, other_hz: float) -> bool:
    """Whether one stands out within a bin of a frequency, and is STILL_THERE of the height of that at the other."""
    amplitude = transform.amplitude
    place, other = round(near_hz / transform.resolution), round(other_hz / transform.resolution)
    return any(
        amplitude[it - 1] < amplitude[it] > amplitude[it + 1] and amplitude[it] > STILL_THERE * amplitude[other]
        for it in range(place - 1, place + 2)
        if abs(it - other) > 1
    )


def order_amplitudes(transform: Transform, shaft_hz: float | None) -> tuple[list[float | None], Reason]:
    """Of each of ORDERS, the amplitude of the sine there, in the unit of the signal; and why there is none.

    None of those that half the sampling rate does not reach. Where nothing turns at an order, it is the noise's.
    """
    none: list[float | None] = [None] * len(ORDERS)
    if shaft_hz is None:
        return none, Reason.SPEED
    if shaft_hz < BINS_PER_SHAFT * transform.resolution:
        return none, Reason.SHORT
    found = [_amplitude(transform, order, shaft_hz) for order in ORDERS]
    return found, Reason.RATE if found == none else Reason.NONE


def _amplitude(transform: Transform, order: float, shaft_hz: float) -> float | None:
    amplitude, place = transform.amplitude, order * shaft_hz / transform.resolution
    apart = shaft_hz / 2 / transform.resolution  # bins from order to order
    half = min(apart / 2, apart - NEIGHBOUR_BINS)
    low, high = max(HANN.half_lobe, math.ceil(place - half)), math.floor(place + half)
    if high >= len(amplitude):
        return None
    reach = max(1.0, SEARCHED * place)
    first, last = max(low, math.ceil(place - reach)), min(high, math.floor(place + reach))
    tone = first + int(np.argmax(amplitude[first : last + 1]))
    # The median of few bins would be the tone itself.
    noise = float(np.median(amplitude[low : high + 1])) if high - low >= MIN_AROUND_BINS else 0.0
    height = float(amplitude[tone])
    if height > noise:
        _centre, height = tone_at(amplitude, tone, low, high, noise)
    return transform.scale * height
