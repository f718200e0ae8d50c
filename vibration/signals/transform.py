"""One Fourier transform of a whole signal, which all of its features are made of.

The Hann window is put on the transform, where it is a sum of three bins, so that the windowed and the plain signal
take one transform together (F. J. Harris, On the use of windows for harmonic analysis with the discrete Fourier
transform, Proceedings of the IEEE 66, 1978, 51-83).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from vibration.numbers.windows import HANN

FACTORS = (2, 3, 5, 7, 11)  # of the lengths for which numpy's transform has a way of its own


@lru_cache(maxsize=256)
def quick_length(count: int) -> int:
    """The longest length up to `count` > 0 that has no factor but FACTORS; from 10,000 on less than 1 % shorter."""
    while True:
        rest = count
        for factor in FACTORS:
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return count
        count -= 1


def centred(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Values (n,), n > 0, less their mean as float64, and the mean; values that are all alike become 0 exactly."""
    first = float(values[0])
    # From the first value on: beside a large offset the deviations would drown in its rounding.
    offset = np.asarray(values, np.float64) - first
    mean = float(offset.mean())
    return offset - mean, first + mean


@dataclass(frozen=True, eq=False)
class Transform:
    """Of n samples, the first of a signal that are as many as transform quickly; n // 2 + 1 bins."""

    scale: float  # the greatest deviation from the mean, by which the samples were divided
    samples: int  # n
    sampling_hz: float
    plain: np.ndarray  # complex128 (bins,), numpy.fft.rfft of the scaled samples

    @property
    def resolution(self) -> float:
        """Hz from bin to bin."""
        return self.sampling_hz / self.samples

    @cached_property
    def frequency(self) -> np.ndarray:
        """float64 (bins,), Hz."""
        return np.arange(len(self.plain)) * self.resolution

    @cached_property
    def amplitude(self) -> np.ndarray:
        """float64 (bins,): the single-sided amplitudes with a periodic Hann window, of the scaled samples.

        A sine of amplitude 1 at a bin has 1 there, and half of it at the bins beside.
        """
        plain = self.plain
        # The bins beyond 0 and half the rate are the conjugates of those within.
        after = plain[-2] if self.samples % 2 == 0 else plain[-1]
        around = np.concatenate([[plain[1].conj()], plain, [after.conj()]])
        amplitude = np.abs(plain - (around[:-2] + around[2:]) / 2) / self.samples
        amplitude[1 : (self.samples + 1) // 2] *= 2
        return amplitude

    @cached_property
    def mean_squares(self) -> np.ndarray:
        """float64 (bins,): what each bin has of the mean square of the scaled samples.

        Half of the square of an amplitude, but for the first and last bin, less what the window adds: the squares of a
        sine's amplitudes are HANN.noise_bandwidth times as many as the sine's.
        """
        squares = self.amplitude**2 / (2 * HANN.noise_bandwidth)
        squares[0] *= 2
        if self.samples % 2 == 0:
            squares[-1] *= 2
        return squares

    def bins_within(self, low_hz: float, high_hz: float) -> slice:
        """Those from one frequency to below another."""
        low, high = np.searchsorted(self.frequency, [low_hz, high_hz])
        return slice(int(low), int(high))


def transform_of(deviations: np.ndarray, sampling_hz: float) -> Transform:
    """That of the deviations of samples from their mean, float64 (n,), n > 2, which are not all 0."""
    samples = quick_length(len(deviations))
    scale = float(np.abs(deviations).max())
    return Transform(scale, samples, sampling_hz, np.fft.rfft(deviations[:samples] / scale))
