"""The windows that a section of samples is multiplied by before it is transformed, and what they make of a tone.

Each is a sum of cosines (F. J. Harris, On the use of windows for harmonic analysis with the discrete Fourier transform,
Proceedings of the IEEE 66, 1978, 51-83): Hann's tells tones apart that are close, the flat top shows the amplitude of
each in its highest bin, wherever the tone lies between the bins.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Window:
    """Periodic: sample i of n is the sum over k of (-1)^k weights[k] cos(2 pi k i / n)."""

    name: str
    weights: tuple[float, ...]

    @cached_property
    def noise_bandwidth(self) -> float:
        """Bins: the squares of the amplitudes that a sine has add up to so many of its square."""
        first, *others = self.weights
        return 1 + sum(weight * weight for weight in others) / (2 * first * first)

    @property
    def half_lobe(self) -> int:
        """Bins to each side of a sine in which its amplitude is more than leakage.

        The mean of a section, which is removed, leaves its mark on so many of the first bins.
        """
        return len(self.weights)

    @property
    def lobe(self) -> int:
        """Bins that a sine takes up."""
        return 2 * self.half_lobe

    def samples(self, size: int) -> np.ndarray:
        """float64 (size,)."""
        angle = 2 * np.pi * np.arange(size) / size
        first, *others = self.weights
        found = np.full(size, first)
        for k, weight in enumerate(others, start=1):
            found += (-1) ** k * weight * np.cos(k * angle)
        return found

    def leakage(self, bins: np.ndarray) -> np.ndarray:
        """The greatest amplitude that a sine of amplitude 1 has so many bins away, at least half_lobe of them.

        At x bins the transform is sin(pi x) / pi times the sum over k of (-1)^k weights[k] x / (x^2 - k^2), over
        weights[0]: of Hann's window sinc(x) / (1 - x^2). The part that falls off as 1 / x stands by itself, as for
        Hann's it is 0, which differences of large numbers would miss.
        """
        away = np.asarray(bins, np.float64)
        signed = [(-1) ** k * weight for k, weight in enumerate(self.weights)]
        total = sum(signed) + sum(weight * k * k / (away * away - k * k) for k, weight in enumerate(signed) if k)
        return np.abs(total) / (np.pi * away * self.weights[0])


HANN = Window("Hann", (0.5, 0.5))
# Its weights: G. D'Antona and A. Ferrero, Digital Signal Processing for Measurement Systems, 2006, as scipy has them
FLAT_TOP = Window("flat top", (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368))
WINDOWS = {"hann": HANN, "flattop": FLAT_TOP}
