"""The amplitude spectrum of a window of samples: pure numbers, no database.

Single-sided, with a periodic Hann window and corrected for its coherent gain: a sine of amplitude A whose frequency is
that of a bin shows A there.
"""

import math
from dataclasses import dataclass

import numpy as np

MIN_SAMPLES = 16
GAP_STEPS = 1.5  # samples further apart than so many usual steps have a gap between them
MAX_SHIFT_STEPS = 0.5  # a sample further from its place on the even grid than this could be its neighbour
MIN_STEP_S = 1e-12  # what is closer was not sampled; its rate might be beyond a double

PEAKS = 5
# Gaussian noise has amplitudes of Rayleigh's distribution, and one bin in 2**(5 * 5) of those is 5 times the median
# high: of the most bins that there are, one in 250 spectra marks a peak that is none.
NOISE_FACTOR = 5
# The bins around a peak whose median counts as well, to each side: so the skirt of a tone that wavers has no peaks.
AROUND_BINS = 20  # at least, several times what a tone takes up
AROUND_SHARE = 0.01  # of the whole range
# A tone takes up 4 bins of a Hann window. And as far as phase or speed of it waver, it is a cluster of maxima, of which
# one is enough: so peaks also keep apart by a share of the whole range.
PEAK_DISTANCE_BINS = 4
PEAK_DISTANCE_SHARE = 0.005
LEAKAGE_FACTOR = 3  # times what the window lets through of the higher peaks, whose mirror images come on top
ROUNDING = 1e-12  # of the greatest value; what is less came in by calculating

TOO_FEW, NOT_EVEN = "too_few_samples", "not_evenly_sampled"


class NoSpectrum(Exception):
    """These samples have none; the message is TOO_FEW or NOT_EVEN."""


@dataclass(frozen=True)
class Spectrum:
    """Of n samples, n // 2 + 1 bins."""

    start: float  # seconds, the first sample
    end: float  # seconds, the last sample
    samples: int
    sampling_frequency: float  # Hz
    frequency: np.ndarray  # float64 (bins,), Hz
    amplitude: np.ndarray  # float64 (bins, m), in the unit of the values
    rounding: np.ndarray  # float64 (m,), amplitudes up to this may be an error of rounding

    @property
    def resolution(self) -> float:
        """Hz from bin to bin."""
        return self.sampling_frequency / self.samples


@dataclass(frozen=True)
class Peak:
    frequency: float  # Hz
    amplitude: float  # in the unit of the values


def spectrum_of(time: np.ndarray, values: np.ndarray) -> Spectrum:
    """The spectrum of the longest stretch without a gap: time float64 (n,), seconds, rising; values float64 (n, m).

    The mean is removed first. Raises NoSpectrum when the stretch has fewer than MIN_SAMPLES or is not evenly sampled.
    """
    first, last = _longest_stretch(time)
    time, values = time[first:last], values[first:last]
    count = len(time)
    if count < MIN_SAMPLES:
        raise NoSpectrum(TOO_FEW)
    step = (time[-1] - time[0]) / (count - 1)
    shift = np.abs(time - time[0] - step * np.arange(count)).max()
    if step < MIN_STEP_S or shift > MAX_SHIFT_STEPS * step:
        raise NoSpectrum(NOT_EVEN)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / count)
    amplitude = np.abs(np.fft.rfft((values - values.mean(axis=0)) * window[:, None], axis=0)) / window.sum()
    # A real tone has one half of its amplitude at the negative frequency, but for 0 and, if it is a bin, half the rate.
    amplitude[1 : (count + 1) // 2] *= 2
    frequency = np.arange(len(amplitude)) / (step * count)
    rounding = ROUNDING * np.abs(values).max(axis=0)
    return Spectrum(float(time[0]), float(time[-1]), count, float(1 / step), frequency, amplitude, rounding)


def _longest_stretch(time: np.ndarray) -> tuple[int, int]:
    """First and past-the-last index of the most samples in a row without a gap; the earlier of two that are as long."""
    steps = np.diff(time)
    if not len(steps):
        return 0, len(time)
    edges = np.concatenate([[0], np.flatnonzero(steps > GAP_STEPS * np.median(steps)) + 1, [len(time)]])
    longest = int(np.argmax(np.diff(edges)))
    return int(edges[longest]), int(edges[longest + 1])


def peaks_of(spectrum: Spectrum, column: int) -> list[Peak]:
    """The PEAKS highest peaks of a column or fewer, highest first.

    A peak is a local maximum that stands out: it is at least NOISE_FACTOR times as high as the median of all bins and
    as the median of those around it, LEAKAGE_FACTOR times as high as what the window lets through of the higher peaks,
    and further from each of those than PEAK_DISTANCE_BINS and PEAK_DISTANCE_SHARE of the range.
    """
    amplitude = spectrum.amplitude[:, column]
    inner = amplitude[1:-1]
    found = 1 + np.flatnonzero((inner > amplitude[:-2]) & (inner >= amplitude[2:]))
    # The mean that was removed leaves its mark on the bins 0 and 1.
    found = found[found > 1]
    found = found[amplitude[found] > max(NOISE_FACTOR * np.median(amplitude), spectrum.rounding[column])]
    places, heights = _interpolated(amplitude, found)
    around = max(AROUND_BINS, int(AROUND_SHARE * len(amplitude)))
    distance = max(PEAK_DISTANCE_BINS, PEAK_DISTANCE_SHARE * len(amplitude))
    chosen: list[int] = []
    for number in np.argsort(-heights, kind="stable").tolist():
        bins = np.abs(places[chosen] - places[number])
        if (bins <= distance).any():
            continue
        # The greatest that the window's transform, see _interpolated, has at so many bins from a sine
        leakage = (heights[chosen] / (np.pi * bins * (bins * bins - 1))).sum()
        if heights[number] < LEAKAGE_FACTOR * leakage:
            continue
        place = found[number]
        if heights[number] < NOISE_FACTOR * np.median(amplitude[max(0, place - around) : place + around + 1]):
            continue
        chosen.append(number)
        if len(chosen) == PEAKS:
            break
    return [Peak(float(places[it] * spectrum.resolution), float(heights[it])) for it in chosen]


def _interpolated(amplitude: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places, in bins, and amplitudes of the sines that the local maxima at these bins are of.

    The Hann window's transform at x bins from a sine's frequency is, in proportion, sinc(x) / (1 - x^2), with sinc(x) =
    sin(pi x) / (pi x). Of the two highest bins, at x = d and x = 1 - d, the ratio is r = (1 + d) / (2 - d), so
    d = (2 r - 1) / (r + 1): T. Grandke, Interpolation algorithms for discrete Fourier transforms of weighted signals,
    IEEE Transactions on Instrumentation and Measurement 32 (1983), 350-355. The amplitude is that of the bin over
    sinc(d) / (1 - d^2). It is exact for one sine in many samples, further than about 3 bins from 0 and from half the
    sampling frequency, where it meets its own mirror image.
    """
    left, middle, right = amplitude[found - 1], amplitude[found], amplitude[found + 1]
    ratio = np.maximum(left, right) / middle
    # Below a half it is no sine's: then the maximum is taken as it stands.
    offset = np.maximum(0, (2 * ratio - 1) / (ratio + 1))
    gain = np.sinc(offset) / (1 - offset * offset)
    return found + np.where(left > right, -offset, offset), middle / gain


def reduced(spectrum: Spectrum, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (k,) and amplitudes (k, m) to draw, k <= points: of groups of bins, the middle and the greatest."""
    bins = len(spectrum.frequency)
    start = np.arange(0, bins, math.ceil(bins / points))
    end = np.append(start[1:], bins) - 1
    frequency = (spectrum.frequency[start] + spectrum.frequency[end]) / 2
    return frequency, np.maximum.reduceat(spectrum.amplitude, start, axis=0)
