"""RMS in fixed bands of frequency, in the unit of the signal."""

import numpy as np

from vibration.signals.transform import Transform

BANDS_HZ = ((10, 100), (100, 1000), (1000, 5000), (5000, 20_000))


def band_rms(transform: Transform) -> list[float | None]:
    """Of each of BANDS_HZ, from one frequency to below the next; None where half the sampling rate is lower."""
    return [_rms(transform, low, high) for low, high in BANDS_HZ]


def _rms(transform: Transform, low_hz: float, high_hz: float) -> float | None:
    if high_hz > transform.sampling_hz / 2:
        return None
    squares = transform.mean_squares[transform.bins_within(low_hz, high_hz)]
    return float(transform.scale * np.sqrt(squares.sum()))
