"""Features of a window of samples, such as RMS and kurtosis: pure numbers, no database.

The mean is not removed for root mean square and peak: they are of the values as they stand, an offset of the sensor
included. Kurtosis is about the mean by definition.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Features:
    """Of one column of samples; RMS and peak in its unit. None: not defined for these samples."""

    rms: float | None  # root of the mean of the squares
    peak: float | None  # the greatest absolute value
    crest_factor: float | None  # peak / RMS: 1 of a square wave, sqrt(2) of a sine
    kurtosis: float | None  # fourth central moment / variance^2 (Pearson): 1.5 of a sine, 3 of Gaussian noise


def features_of(values: np.ndarray) -> list[Features]:
    """The features of each column of finite values float64 (n, m), n >= 0.

    Without samples none is defined, of zeros no crest factor, of samples that are all alike no kurtosis.
    """
    return [_features(column) for column in values.T]


def features_of_sums(
    count: np.ndarray, minimum: np.ndarray, maximum: np.ndarray, squares: np.ndarray
) -> list[Features]:
    """Those of samples of which only sums are left: int64 (n,) samples, float64 (n, m) extremes and sums of squares.

    Without kurtosis, which takes third and fourth powers.
    """
    if not len(count):
        return [Features(None, None, None, None)] * minimum.shape[1]
    peaks = np.maximum(-minimum.min(axis=0), maximum.max(axis=0)).tolist()
    roots = np.sqrt(squares.sum(axis=0) / count.sum()).tolist()
    return [Features(rms, peak, peak / rms if rms else None, None) for rms, peak in zip(roots, peaks, strict=True)]


def _features(column: np.ndarray) -> Features:
    if not len(column):
        return Features(None, None, None, None)
    peak = float(np.abs(column).max())
    if peak == 0:
        return Features(0.0, 0.0, None, None)
    # Scaled before it is squared: the square of a value at the limit of 1e100 would pass, its fourth power would not.
    share = column / peak
    rms = float(np.sqrt(np.mean(share * share)))
    return Features(peak * rms, peak, 1 / rms, _kurtosis(column))


def _kurtosis(column: np.ndarray) -> float | None:
    # From the first value on, not from 0: beside a large offset the deviations would drown in its rounding.
    offset = column - column[0]
    span = np.abs(offset).max()
    if span == 0:
        return None
    deviation = offset / span
    squares = (deviation - deviation.mean()) ** 2
    return float(np.mean(squares * squares) / np.mean(squares) ** 2)
