"""Amplitude spectra of evenly sampled values: pure numbers, no database.

A spectrum is single-sided and the root of a mean of powers: of sections that overlap by half, each times a window, of
Hann's if no other is named, and corrected for its coherent gain (P. D. Welch, The use of fast Fourier transform for the
estimation of power spectra, IEEE Transactions on Audio and Electroacoustics 15, 1967, 70-73). A section of a recording
lasts SECTION_S whatever part of it is looked at, so that what is read from a spectrum does not depend on how much.
"""

import math
from dataclasses import dataclass

import numpy as np

from vibration.numbers.evenness import Spacing, even_step, longest, shift_of, spacings_of
from vibration.numbers.windows import HANN, Window

# So the resolution is 2 Hz. KAMP's tones jump in phase after 1,024 samples, 0.75 s: a longer section holds parts of no
# common tone, and half a second one jump at most.
SECTION_S = 0.5
MIN_SECTION, MAX_SECTION = 256, 2**15  # samples; at a rate that is too low or high for these, it lasts longer or less
MIN_SAMPLES = 16
MAX_SHIFT_STEPS = 0.5  # a sample further from its place on the even grid than this could be its neighbour
MIN_STEP_S = 1e-12  # what is closer was not sampled; its rate might be beyond a double

TRANSFORMED = 2**16  # samples in one call of the transform: half a megabyte, which caches hold
ROUNDING = 1e-12  # of the greatest value; what is less came in by calculating

TOO_FEW, NOT_EVEN = "too_few_samples", "not_evenly_sampled"


class NoSpectrum(Exception):
    """These samples have none; the message is TOO_FEW or NOT_EVEN."""


@dataclass(frozen=True)
class Spectrum:
    """The mean of some sections of n samples, n // 2 + 1 bins, or fewer where only the lower ones are meant."""

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
    window: Window = HANN

    @property
    def resolution(self) -> float:
        """Hz from bin to bin."""
        return self.sampling_frequency / self.section_samples

    def bins_within(self, low_hz: float, high_hz: float) -> slice:
        """Those from one frequency to another, both included."""
        return slice(*np.searchsorted(self.frequency, [low_hz, np.nextafter(high_hz, np.inf)]).tolist())

    def count_within(self, low_hz: float, high_hz: float) -> int:
        within = self.bins_within(low_hz, high_hz)
        return max(0, within.stop - within.start)

    @property
    def averages(self) -> float:
        """How many sections that do not overlap have so many samples."""
        return self.samples / self.section_samples

    @property
    def overlap(self) -> float:
        """The share of a section that the next one has too, on average."""
        if self.sections == 1:
            return 0.0
        return (self.sections - self.averages) / (self.sections - 1)

    @property
    def section_length(self) -> float:
        """Seconds."""
        return self.section_samples / self.sampling_frequency


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


def mean_amplitude(values: np.ndarray, starts: list[int], size: int, window: Window = HANN) -> np.ndarray:
    """float64 (bins, m): the root of the mean of the powers of sections of the values, float64 (n, m).

    Of each section, `size` samples from one of `starts` on, the mean is removed.
    """
    weights = window.samples(size)
    columns = np.ascontiguousarray(values.T)
    # Scaled before it is squared, as in features.py
    scale = np.abs(columns).max(axis=1, keepdims=True)
    scale[scale == 0] = 1
    columns = columns / scale
    power = np.zeros((len(columns), size // 2 + 1))
    sections = np.lib.stride_tricks.sliding_window_view(columns, size, axis=1)
    together = max(1, TRANSFORMED // (size * len(columns)))
    for number in range(0, len(starts), together):
        some = sections[:, starts[number : number + together]]
        some = np.fft.rfft((some - some.mean(axis=2, keepdims=True)) * weights)
        power += (some.real**2 + some.imag**2).sum(axis=1)
    amplitude = scale * np.sqrt(power / len(starts)) / weights.sum()
    # A real tone has one half of its amplitude at the negative frequency, but for 0 and, if it is a bin, half the rate.
    amplitude[:, 1 : (size + 1) // 2] *= 2
    return amplitude.T


def reduced(
    spectrum: Spectrum, points: int, low_hz: float = 0.0, high_hz: float = math.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (k,) and amplitudes (k, m) to draw, k <= points: of groups of bins, the middle and the greatest.

    Of the bins from low_hz to high_hz, which may be none.
    """
    shown = spectrum.bins_within(low_hz, high_hz)
    frequency, amplitude = spectrum.frequency[shown], spectrum.amplitude[shown]
    bins = len(frequency)
    if not bins:
        return frequency, amplitude
    start = np.arange(0, bins, math.ceil(bins / points))
    end = np.append(start[1:], bins) - 1
    return (frequency[start] + frequency[end]) / 2, np.maximum.reduceat(amplitude, start, axis=0)
