"""The outline of a spectrum: the greatest amplitude in each of fixed bands, small enough to be kept with each capture.

A band is 1 Hz wide up to 256 Hz, where the orders of most shafts lie, and above that 1.4 % of its frequency. So spectra
of many captures, of whatever length and rate, are laid side by side without a look at their samples.
"""

import numpy as np

from vibration.signals.transform import Transform

FINE_TO_HZ = 256  # in bands of 1 Hz
PER_OCTAVE = 48
HIGHEST_HZ = 500_000  # half of the highest sampling rate
_OCTAVES = np.log2(HIGHEST_HZ / FINE_TO_HZ)
# float64 (bands + 1,), Hz, where bands begin and the last one ends; the mean and slow drifts lie below the first
EDGES = np.concatenate(
    [np.arange(1.0, FINE_TO_HZ), FINE_TO_HZ * 2 ** (np.arange(np.ceil(_OCTAVES * PER_OCTAVE) + 1) / PER_OCTAVE)]
)
# An amplitude is stored as its logarithm in 96 steps to an octave, so to 0.4 %; 0 is an amplitude of 0.
STEPS_PER_OCTAVE = 96
LOWEST_OCTAVE = -340  # 1e-102; the greatest amplitude of values up to 1e100 has code 64,600


def outline_of(transform: Transform) -> np.ndarray:
    """Codes uint16 (bands,) of the bands that begin below half the sampling rate, of the signal in its unit.

    A band that is narrower than the transform's resolution has the amplitude of the bin that it lies in.
    """
    bands = int(np.searchsorted(EDGES, transform.sampling_hz / 2))
    # A bin stands for what is nearer to it than to its neighbours.
    first = np.rint(EDGES[:bands] / transform.resolution).astype(np.int64)
    amplitude = transform.amplitude
    first = first[first < len(amplitude)]
    if not len(first):
        return np.zeros(0, np.uint16)
    greatest = np.maximum.reduceat(amplitude, first)
    return coded(transform.scale * greatest)


def coded(amplitude: np.ndarray) -> np.ndarray:
    """Amplitudes float64 (n,), from 0 to 1e100, as codes uint16 (n,)."""
    with np.errstate(divide="ignore"):
        octaves = np.maximum(np.log2(amplitude), LOWEST_OCTAVE)
    codes = 1 + np.rint((octaves - LOWEST_OCTAVE) * STEPS_PER_OCTAVE)
    return np.where(amplitude > 0, codes, 0).astype(np.uint16)


def decibels(codes: np.ndarray) -> np.ndarray:
    """Of codes uint16, 20 log10 of the amplitude, re 1 of the unit, float64 of the same shape; -inf of amplitude 0."""
    octaves = (codes.astype(np.float64) - 1) / STEPS_PER_OCTAVE + LOWEST_OCTAVE
    return np.where(codes > 0, 20 * np.log10(2) * octaves, -np.inf)
