"""Amplitude spectra of evenly sampled values and their peaks: pure numbers, no database.

A spectrum is single-sided and the root of a mean of powers: of sections that overlap by half, each times a periodic
Hann window and corrected for its coherent gain (P. D. Welch, The use of fast Fourier transform for the estimation of
power spectra, IEEE Transactions on Audio and Electroacoustics 15, 1967, 70-73). A section lasts SECTION_S whatever the
window, so that what is read from a spectrum does not depend on how much of a recording is looked at.
"""

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vibration.numbers.evenness import Spacing, even_step, longest, shift_of, spacings_of

# So the resolution is 2 Hz. KAMP's tones jump in phase after 1,024 samples, 0.75 s: a longer section holds parts of no
# common tone, and half a second one jump at most.
SECTION_S = 0.5
MIN_SECTION, MAX_SECTION = 256, 2**15  # samples; at a rate that is too low or high for these, it lasts longer or less
MIN_SAMPLES = 16
MAX_SHIFT_STEPS = 0.5  # a sample further from its place on the even grid than this could be its neighbour
MIN_STEP_S = 1e-12  # what is closer was not sampled; its rate might be beyond a double

PEAKS = 5
# A peak is so many standard deviations above the noise, on the scale on which the power of noise is about normal (see
# _noise_factor). One section of Gaussian noise has amplitudes of Rayleigh's distribution, and for it this is 5 times
# the median, which one bin in 2**25 exceeds.
NOISE_DEVIATIONS = 5.13
MIN_NOISE_FACTOR = 3  # however many sections: real noise is not as even over the frequencies as many could tell
# The bins around a peak whose median counts as well, to each side: so the skirt of a tone that wavers has no peaks.
AROUND_BINS = 20  # at least, several times what a tone takes up
AROUND_SHARE = 0.01  # of the whole range
# A tone takes up 4 bins of a Hann window. And as far as phase or speed of it waver, it is a cluster of maxima, of which
# one is enough: so peaks also keep apart by a share of the whole range, and by a valley.
PEAK_DISTANCE_BINS = 4
PEAK_DISTANCE_SHARE = 0.005
VALLEY_SHARE = 0.5  # of the lower of two peaks
SKIRT_FACTOR = 1.5  # times the noise; what is higher and joins the tone belongs to it
LEAKAGE_FACTOR = 3  # times what the window lets through of the higher peaks, whose mirror images come on top
SKIRTS_FACTOR = 2  # times what the window lets through of a tone, as its highest bin is lower than the tone
NOISE_BANDWIDTH = 1.5  # bins, of a Hann window: the squares of the amplitudes that a sine has add up to so many of it
FIRST_BIN = 2  # the mean of a section, which is removed, leaves its mark on the bins 0 and 1
ROUNDING = 1e-12  # of the greatest value; what is less came in by calculating

TOO_FEW, NOT_EVEN = "too_few_samples", "not_evenly_sampled"


class NoSpectrum(Exception):
    """These samples have none; the message is TOO_FEW or NOT_EVEN."""


@dataclass(frozen=True)
class Spectrum:
    """The mean of some sections of n samples, n // 2 + 1 bins."""

    WINDOW: ClassVar[str] = "Hann"

    start: float  # seconds, the first sample of the first section
    end: float  # seconds, the last sample of the last section
    samples: int  # that lie in a section
    sections: int
    section_samples: int
    is_short: bool  # no stretch had room for a whole section: the longest is the only one
    sampling_frequency: float  # Hz
    frequency: np.ndarray  # float64 (bins,), Hz
    amplitude: np.ndarray  # float64 (bins, m), in the unit of the values
    rounding: np.ndarray  # float64 (m,), amplitudes up to this may be an error of rounding

    @property
    def bins(self) -> int:
        return len(self.frequency)

    @property
    def resolution(self) -> float:
        """Hz from bin to bin."""
        return self.sampling_frequency / self.section_samples

    @property
    def section_length(self) -> float:
        """Seconds."""
        return self.section_samples / self.sampling_frequency


@dataclass(frozen=True)
class Peak:
    frequency: float  # Hz
    amplitude: float  # in the unit of the values


def section_samples(step: float) -> int:
    """How many samples a section has, where the samples are so many seconds apart."""
    return min(max(round(SECTION_S / max(step, MIN_STEP_S)), MIN_SECTION), MAX_SECTION)


def spectrum_of(time: np.ndarray, values: np.ndarray) -> Spectrum:
    """The spectrum of samples, time float64 (n,), seconds, rising; values float64 (n, m).

    Of each stretch without a gap that is long enough, sections are spread over the whole; where none is, the longest
    stretch is one section, and the resolution coarser. Sections that are not evenly sampled are left out. Raises
    NoSpectrum when no stretch has MIN_SAMPLES, or more than half of the sections are not even.
    """
    found, reason = None, TOO_FEW
    for spacing in spacings_of(time):
        try:
            found = _sections(time, spacing)
            break
        except NoSpectrum as error:
            reason = str(error)
    if not found:
        raise NoSpectrum(reason)
    starts, size, step, is_short = found
    amplitude = mean_amplitude(values, starts, size)
    within = np.zeros(len(time), bool)
    for it in starts:
        within[it : it + size] = True
    return Spectrum(
        start=float(time[starts[0]]),
        end=float(time[starts[-1] + size - 1]),
        samples=int(within.sum()),
        sections=len(starts),
        section_samples=size,
        is_short=is_short,
        sampling_frequency=1 / step,
        frequency=np.arange(len(amplitude)) / (step * size),
        amplitude=amplitude,
        rounding=ROUNDING * np.abs(values[within]).max(axis=0),
    )


def _sections(time: np.ndarray, spacing: Spacing) -> tuple[list[int], int, float, bool]:
    """Where sections start, their samples, the step between these in seconds, and whether they are shorter than usual.

    Raises NoSpectrum.
    """
    stretches = spacing.stretches(time)
    size = section_samples(spacing.step)
    long = [(first, last) for first, last in stretches if last - first >= size]
    if is_short := not long:
        long = [longest(stretches)]
        size = long[0][1] - long[0][0]
    if size < MIN_SAMPLES:
        raise NoSpectrum(TOO_FEW)
    starts = [first + start for first, last in long for start in _spread(last - first, size)]
    step = even_step(time, long)
    # Rounded times are off by up to their rounding, and had better not be off by another sample beside.
    allowed = spacing.rounding + MAX_SHIFT_STEPS * step if spacing.rounding else 2 * MAX_SHIFT_STEPS * step
    even = [it for it in starts if shift_of(time[it : it + size], step) <= allowed]
    if step < MIN_STEP_S or 2 * len(even) <= len(starts):
        raise NoSpectrum(NOT_EVEN)
    return even, size, step, is_short


def _spread(count: int, size: int) -> list[int]:
    """Where sections start that cover so many samples, at least `size`, and overlap by half or a little more."""
    return np.rint(np.linspace(0, count - size, 1 + math.ceil((count - size) / (size / 2)))).astype(int).tolist()


def mean_amplitude(values: np.ndarray, starts: list[int], size: int) -> np.ndarray:
    """float64 (bins, m): the root of the mean of the powers of sections of the values, float64 (n, m).

    Of each section, `size` samples from one of `starts` on, the mean is removed.
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    columns = np.ascontiguousarray(values.T)
    # Scaled before it is squared, as in features.py
    scale = np.abs(columns).max(axis=1, keepdims=True)
    scale[scale == 0] = 1
    columns = columns / scale
    power = np.zeros((len(columns), size // 2 + 1))
    for start in starts:
        section = columns[:, start : start + size]
        section = (section - section.mean(axis=1, keepdims=True)) * window
        power += np.abs(np.fft.rfft(section)) ** 2
    amplitude = scale * np.sqrt(power / len(starts)) / window.sum()
    # A real tone has one half of its amplitude at the negative frequency, but for 0 and, if it is a bin, half the rate.
    amplitude[:, 1 : (size + 1) // 2] *= 2
    return amplitude.T


def peaks_of(spectrum: Spectrum, column: int) -> list[Peak]:
    """The PEAKS highest peaks of a column or fewer, highest first.

    A peak is a local maximum that stands out from the noise, that of all bins and that of those around it, is
    LEAKAGE_FACTOR times as high as what the window lets through of the higher peaks, is further from each of those than
    PEAK_DISTANCE_BINS and PEAK_DISTANCE_SHARE of the range, and has a valley between.

    It is told as the one sine that has as much energy as all bins that belong to it, above the noise, and the mean
    frequency of that. So neither a place between two bins nor a speed or phase that wavers makes a tone weaker.
    """
    amplitude = spectrum.amplitude[:, column]
    averages = spectrum.samples / spectrum.section_samples
    tones = _tones(amplitude, _noise_factor(averages), spectrum.rounding[column])
    edges = [0, *(_valley(amplitude, one, two) for one, two in itertools.pairwise(tones)), len(amplitude) - 1]
    found = [
        _peak(spectrum, amplitude, tone, max(low, FIRST_BIN), high, _noise_around(amplitude, tone, tones, averages))
        for tone, low, high in zip(tones, edges, edges[1:], strict=False)
    ]
    return sorted(found, key=lambda it: -it.amplitude)[:PEAKS]


def _noise_factor(averages: float) -> float:
    """How many times the median of its amplitudes noise does not exceed, if so many of its spectra were averaged.

    The mean of k powers has a gamma distribution, whose cube root is about normal with mean 1 - 1 / 9k and variance
    1 / 9k (E. B. Wilson and M. M. Hilferty, Proceedings of the National Academy of Sciences 17, 1931, 684-688).
    """
    variance = 1 / (9 * averages)
    return max(MIN_NOISE_FACTOR, (1 + NOISE_DEVIATIONS * math.sqrt(variance) / (1 - variance)) ** 1.5)


def _tones(amplitude: np.ndarray, factor: float, rounding: float) -> list[int]:
    """The bins of all maxima that stand out and are apart, rising."""
    inner = amplitude[1:-1]
    found = 1 + np.flatnonzero((inner > amplitude[:-2]) & (inner >= amplitude[2:]))
    found = found[found >= FIRST_BIN]
    found = found[amplitude[found] > max(factor * np.median(amplitude), rounding)]
    distance = max(PEAK_DISTANCE_BINS, PEAK_DISTANCE_SHARE * len(amplitude))
    chosen: list[int] = []
    for tone in found[np.argsort(-amplitude[found], kind="stable")].tolist():
        bins = np.abs(np.array(chosen) - tone)
        if (bins <= distance).any():
            continue
        # The greatest that the window's transform, see _peak, has at so many bins from a sine
        leakage = (amplitude[chosen] / (np.pi * bins * (bins * bins - 1.0))).sum()
        if amplitude[tone] < LEAKAGE_FACTOR * leakage:
            continue
        if amplitude[tone] < factor * np.median(amplitude[_around(amplitude, tone)]):
            continue
        if any(amplitude[_valley(amplitude, tone, it)] > VALLEY_SHARE * amplitude[tone] for it in chosen):
            continue
        chosen.append(tone)
    return sorted(chosen)


def _around(amplitude: np.ndarray, tone: int) -> np.ndarray:
    """The bins around one."""
    reach = max(AROUND_BINS, int(AROUND_SHARE * len(amplitude)))
    return np.arange(max(0, tone - reach), min(len(amplitude), tone + reach + 1))


def _noise_around(amplitude: np.ndarray, tone: int, tones: list[int], averages: float) -> float:
    """The root of the mean power of the noise around a maximum; the skirts of tones are none of it."""
    bins = _around(amplitude, tone)
    skirts = np.zeros(len(bins))
    for it in tones:
        away = np.maximum(2.0, np.abs(bins - it))
        skirts += amplitude[it] / (np.pi * away * (away * away - 1))
    # From the median of the noise's amplitudes to the mean of its powers, see _noise_factor
    noise = np.median(np.maximum(0, amplitude[bins] - SKIRTS_FACTOR * skirts))
    return float(noise) / (1 - 1 / (9 * averages)) ** 1.5


def _valley(amplitude: np.ndarray, one: int, two: int) -> int:
    """The lowest bin between two."""
    first, last = sorted((one, two))
    return first + int(np.argmin(amplitude[first : last + 1]))


def _peak(spectrum: Spectrum, amplitude: np.ndarray, tone: int, low: int, high: int, noise: float) -> Peak:
    centre, height = tone_at(amplitude, tone, low, high, noise)
    return Peak(centre * spectrum.resolution, height)


def tone_at(amplitude: np.ndarray, tone: int, low: int, high: int, noise: float) -> tuple[float, float]:
    """The sine that a maximum is of, whose bins lie within low and high: its place in bins, and its amplitude.

    A Hann window's transform at x bins from a sine's frequency is, in proportion, sinc(x) / (1 - x^2). The squares of
    all bins add up to NOISE_BANDWIDTH times the square of the sine's amplitude, and their centre of mass is its
    frequency, wherever it lies between the bins.
    """
    first, last = max(low, tone - PEAK_DISTANCE_BINS), min(high, tone + PEAK_DISTANCE_BINS)
    while first > low and amplitude[first - 1] > SKIRT_FACTOR * noise:
        first -= 1
    while last < high and amplitude[last + 1] > SKIRT_FACTOR * noise:
        last += 1
    share = amplitude[first : last + 1] / amplitude[tone]  # scaled before it is squared
    energy = share**2 - (noise / amplitude[tone]) ** 2
    height = math.sqrt(max(1.0, energy.sum() / NOISE_BANDWIDTH))
    weight = np.maximum(0, energy)
    centre = first + float((weight * np.arange(len(weight))).sum() / weight.sum())
    return centre, float(height * amplitude[tone])


def reduced(spectrum: Spectrum, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (k,) and amplitudes (k, m) to draw, k <= points: of groups of bins, the middle and the greatest."""
    bins = len(spectrum.frequency)
    start = np.arange(0, bins, math.ceil(bins / points))
    end = np.append(start[1:], bins) - 1
    frequency = (spectrum.frequency[start] + spectrum.frequency[end]) / 2
    return frequency, np.maximum.reduceat(spectrum.amplitude, start, axis=0)
