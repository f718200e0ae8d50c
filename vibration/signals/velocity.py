"""The velocity of vibration, by which machines are judged: RMS from 10 to 1,000 Hz, in mm/s.

An acceleration is integrated on the spectrum: a sine's velocity is its acceleration divided by 2 pi times its
frequency. ISO 20816-1 has the range of frequencies.
"""

from dataclasses import replace

import numpy as np

from vibration.numbers.peaks import Gain
from vibration.numbers.spectrum import Spectrum
from vibration.signals.reasons import Reason
from vibration.signals.transform import Transform
from vibration.signals.units import ACCELERATIONS, SI_FACTOR, Unit

LOW_HZ, HIGH_HZ = 10.0, 1000.0
# Up to where the filters before a converter let all pass: the rate divided by 2.56, as analysers have it
RATE_PER_HZ = 2.56
MIN_SECONDS = 0.99  # a second, of which one per cent may be missing
# A tone takes up two bins to each side. Those below the range count as far as one just within it reaches: without them
# 10.5 Hz would lose up to a sixth of its power in a signal of one second.
EDGE_BINS = 1.5
MM_PER_M = 1000.0
# What is slower is left out of a spectrum of the velocity: there, the noise of a sensor of acceleration, divided by the
# frequency, is higher than any line.
LOWEST_HZ = 2.0


def velocity_rms(transform: Transform, unit: Unit) -> tuple[float | None, Reason]:
    """In mm/s, of a signal in m/s2, g or mm/s; or None and why it is not assessable.

    It takes the bins from EDGE_BINS below 10 Hz, so that a tone at 10 Hz counts whole and one at 8 Hz, of a signal of
    one second, does in part; of a longer signal the edge is sharper.
    """
    if unit not in SI_FACTOR:
        return None, Reason.UNIT
    if transform.sampling_hz < RATE_PER_HZ * HIGH_HZ:
        return None, Reason.RATE
    if transform.samples < MIN_SECONDS * transform.sampling_hz:
        return None, Reason.SHORT
    bins = transform.bins_within(LOW_HZ - EDGE_BINS * transform.resolution, HIGH_HZ + transform.resolution / 2)
    squares = transform.mean_squares[bins]
    if unit in ACCELERATIONS:
        squares = squares / (2 * np.pi * transform.frequency[bins]) ** 2
    return float(transform.scale * SI_FACTOR[unit] * MM_PER_M * np.sqrt(squares.sum())), Reason.NONE


def velocity_gain(unit: Unit) -> Gain | None:
    """Of frequencies in Hz: times what the amplitude of a sine in this unit is that of its velocity in mm/s.

    None of a unit that has no velocity.
    """
    if unit not in SI_FACTOR:
        return None
    factor = SI_FACTOR[unit] * MM_PER_M
    if unit not in ACCELERATIONS:
        return lambda hz: np.full(np.shape(hz), factor)
    return lambda hz: factor / (2 * np.pi * hz)


def velocity_spectrum(spectrum: Spectrum, unit: Unit) -> tuple[Spectrum, float] | None:
    """That of the velocity in mm/s, and the lowest frequency in Hz that it has; what is below is 0.

    Of an acceleration, from LOWEST_HZ on, without the bins that the mean left its mark on. None of a unit that has no
    velocity.
    """
    gain = velocity_gain(unit)
    if gain is None:
        return None
    first = 0
    if unit in ACCELERATIONS:
        first = max(spectrum.window.half_lobe, int(np.searchsorted(spectrum.frequency, LOWEST_HZ)))
    amplitude = np.zeros_like(spectrum.amplitude)
    amplitude[first:] = spectrum.amplitude[first:] * gain(spectrum.frequency[first:])[:, None]
    return replace(spectrum, amplitude=amplitude), first * spectrum.resolution
