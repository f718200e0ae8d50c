"""Spectra of a signal to look at: of its values, and of the envelope of its high band."""

from dataclasses import replace

import numpy as np

from vibration.numbers.spectrum import MIN_SAMPLES, ROUNDING, TOO_FEW, NoSpectrum, Spectrum, mean_amplitude
from vibration.numbers.windows import HANN, Window
from vibration.signals.envelope import band_of, fastest, swings_of
from vibration.signals.transform import centred, quick_length, transform_of

RESOLUTION_HZ = 1.0
MOST_EXACT = 10_000  # samples of a section, which beyond are as many as transform quickly
RATE_TOO_LOW = "rate_too_low"  # for a band whose envelope it would be


def spectrum_of(
    values: np.ndarray, sampling_hz: float, resolution_hz: float = RESOLUTION_HZ, window: Window = HANN
) -> Spectrum:
    """The amplitude spectrum of values float64 (n,), evenly sampled, as one column: amplitude (bins, 1).

    By Welch's method in sections of about 1 / resolution_hz seconds, at least MIN_SAMPLES and at most all: the last
    samples, which fill no section, are not in it. Sections of more than MOST_EXACT samples are shorter by up to 1 %,
    for a length that transforms quickly. With Hann's window it is that of
    `scipy.signal.welch(values, sampling_hz, "hann", size, detrend="constant", scaling="spectrum")`, which gives mean
    squares: the root of twice those, but of the first bin, and of the last of an even size, the root alone.
    Raises NoSpectrum for fewer than MIN_SAMPLES values.
    """
    if len(values) < MIN_SAMPLES:
        raise NoSpectrum(TOO_FEW)
    wanted = max(MIN_SAMPLES, round(sampling_hz / resolution_hz))
    size = min(wanted, len(values))
    if size > MOST_EXACT:
        size = quick_length(size)
    starts = list(range(0, len(values) - size + 1, size - size // 2))
    covered = starts[-1] + size
    return Spectrum(
        start=0.0,
        end=(covered - 1) / sampling_hz,
        samples=covered,
        sections=len(starts),
        section_samples=size,
        is_short=wanted > len(values),
        sampling_frequency=sampling_hz,
        frequency=np.arange(size // 2 + 1) * (sampling_hz / size),
        amplitude=mean_amplitude(values[:, None], starts, size, window),
        rounding=np.array([ROUNDING * float(np.abs(values[:covered]).max())]),
        window=window,
    )


def envelope_spectrum_of(
    values: np.ndarray, sampling_hz: float, resolution_hz: float | None = None, window: Window = HANN
) -> Spectrum:
    """That of the envelope of the high band of values float64 (n,), evenly sampled: amplitude (bins, 1).

    Up to the highest rate of blows that is looked for; a flat signal's is 0. Its sampling frequency and samples are
    those of the envelope. In sections as `spectrum_of` has them; without a resolution, all samples are one. Raises
    NoSpectrum with TOO_FEW or RATE_TOO_LOW.
    """
    if band_of(sampling_hz) is None:
        raise NoSpectrum(RATE_TOO_LOW)
    if len(values) < MIN_SAMPLES:
        raise NoSpectrum(TOO_FEW)
    swings, rate = _swings(values, sampling_hz)
    found = spectrum_of(swings, rate, resolution_hz or rate / len(swings), window)
    bins = slice(0, int(np.searchsorted(found.frequency, fastest(sampling_hz))))
    return replace(
        found,
        frequency=found.frequency[bins],
        amplitude=found.amplitude[bins],
        rounding=np.array([ROUNDING * float(np.abs(values).max())]),
    )


def _swings(values: np.ndarray, sampling_hz: float) -> tuple[np.ndarray, float]:
    """Of the envelope, in the unit of the values, and its sampling rate. Raises NoSpectrum with TOO_FEW."""
    deviations, _mean = centred(values)
    if not deviations.any():
        return deviations, sampling_hz
    transform = transform_of(deviations, sampling_hz)
    swings = swings_of(transform)
    if swings is None:
        raise NoSpectrum(TOO_FEW)
    return transform.scale * swings[0], swings[1]
