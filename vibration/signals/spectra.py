"""Spectra of a signal to look at: of its values, and of the envelope of its high band."""

import numpy as np

from vibration.numbers.spectrum import MIN_SAMPLES, ROUNDING, TOO_FEW, NoSpectrum, Spectrum, mean_amplitude
from vibration.signals.envelope import band_of, envelope_transform, fastest
from vibration.signals.transform import Transform, centred, transform_of

RESOLUTION_HZ = 1.0
RATE_TOO_LOW = "rate_too_low"  # for a band whose envelope it would be


def spectrum_of(values: np.ndarray, sampling_hz: float, resolution_hz: float = RESOLUTION_HZ) -> Spectrum:
    """The amplitude spectrum of values float64 (n,), evenly sampled, as one column: amplitude (bins, 1).

    By Welch's method in sections of about 1 / resolution_hz seconds, at least MIN_SAMPLES and at most all: the last
    samples, which fill no section, are not in it. It is that of
    `scipy.signal.welch(values, sampling_hz, "hann", size, detrend="constant", scaling="spectrum")`, which gives mean
    squares: the root of twice those, but of the first bin, and of the last of an even size, the root alone.
    Raises NoSpectrum for fewer than MIN_SAMPLES values.
    """
    if len(values) < MIN_SAMPLES:
        raise NoSpectrum(TOO_FEW)
    wanted = max(MIN_SAMPLES, round(sampling_hz / resolution_hz))
    size = min(wanted, len(values))
    starts = list(range(0, len(values) - size + 1, size - size // 2))
    covered = starts[-1] + size
    return Spectrum(
        start=0.0,
        end=(covered - 1) / sampling_hz,
        samples=covered,
        sections=len(starts),
        section_samples=size,
        is_short=size < wanted,
        sampling_frequency=sampling_hz,
        frequency=np.arange(size // 2 + 1) * (sampling_hz / size),
        amplitude=mean_amplitude(values[:, None], starts, size),
        rounding=np.array([ROUNDING * float(np.abs(values[:covered]).max())]),
    )


def envelope_spectrum_of(values: np.ndarray, sampling_hz: float) -> Spectrum:
    """That of the envelope of the high band of values float64 (n,), evenly sampled: amplitude (bins, 1).

    Of all samples at once, up to the highest rate of blows that is looked for; a flat signal's is 0. Its sampling
    frequency and samples are those of the envelope. Raises NoSpectrum with TOO_FEW or RATE_TOO_LOW.
    """
    if band_of(sampling_hz) is None:
        raise NoSpectrum(RATE_TOO_LOW)
    if len(values) < MIN_SAMPLES:
        raise NoSpectrum(TOO_FEW)
    envelope = _envelope(values, sampling_hz)
    bins = envelope.bins_within(0.0, fastest(sampling_hz))
    return Spectrum(
        start=0.0,
        end=(envelope.samples - 1) / envelope.sampling_hz,
        samples=envelope.samples,
        sections=1,
        section_samples=envelope.samples,
        is_short=False,
        sampling_frequency=envelope.sampling_hz,
        frequency=envelope.frequency[bins],
        amplitude=envelope.scale * envelope.amplitude[bins, None],
        rounding=np.array([ROUNDING * float(np.abs(values).max())]),
    )


def _envelope(values: np.ndarray, sampling_hz: float) -> Transform:
    deviations, _mean = centred(values)
    if not deviations.any():
        return Transform(0.0, len(values), sampling_hz, np.zeros(len(values) // 2 + 1, complex))
    envelope = envelope_transform(transform_of(deviations, sampling_hz))
    if envelope is None:
        raise NoSpectrum(TOO_FEW)
    return envelope
