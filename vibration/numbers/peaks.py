"""The peaks of an amplitude spectrum, each told as the sine that it is of: pure numbers, no database."""

import bisect
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vibration.numbers.spectrum import Spectrum
from vibration.numbers.windows import HANN, Window

PEAKS = 5
# A peak is so many standard deviations above the noise, on the scale on which the power of noise is about normal (see
# noise_factor). One section of Gaussian noise has amplitudes of Rayleigh's distribution, and for it this is 5 times
# the median, which one bin in 2**25 exceeds.
NOISE_DEVIATIONS = 5.13
MIN_NOISE_FACTOR = 3  # however many sections: real noise is not as even over the frequencies as many could tell
# The bins around a peak whose median counts as well, to each side: so the skirt of a tone that wavers has no peaks.
AROUND_BINS = 20  # at least, several times what a tone takes up
AROUND_SHARE = 0.01  # of the whole range
# A tone takes up the lobe of its window. And as far as phase or speed of it waver, it is a cluster of maxima, of which
# one is enough: so peaks also keep apart by a share of the whole range, and by a valley.
PEAK_DISTANCE_SHARE = 0.005
VALLEY_SHARE = 0.5  # of the lower of two peaks
SKIRT_FACTOR = 1.5  # times the noise; what is higher and joins the tone belongs to it
LEAKAGE_FACTOR = 3  # times what the window lets through of the higher peaks, whose mirror images come on top
SKIRTS_FACTOR = 2  # times what the window lets through of a tone, as its highest bin is lower than the tone
SLACK = 1e-9  # by which a bound is raised, for what is lost by calculating

Gain = Callable[[np.ndarray], np.ndarray]  # of frequencies in Hz, none of which is 0


@dataclass(frozen=True)
class Peak:
    frequency: float  # Hz
    amplitude: float  # in the unit of the values


def peaks_of(
    spectrum: Spectrum, column: int, *, low_hz: float = 0.0, high_hz: float = math.inf, gain: Gain | None = None
) -> list[Peak]:
    """The PEAKS highest peaks of a column or fewer, highest first; of those within low_hz to high_hz.

    A peak is a local maximum that stands out from the noise, that of all bins and that of those around it, is
    LEAKAGE_FACTOR times as high as what the window lets through of the higher peaks, is further from each of those than
    the window's lobe and PEAK_DISTANCE_SHARE of the range, and has a valley between.

    It is told as the one sine that has as much energy as all bins that belong to it, above the noise, and the mean
    frequency of that. So neither a place between two bins nor a speed or phase that wavers makes a tone weaker. With a
    gain, which falls as the frequency rises, that sine is multiplied by it, and the highest are those by then.
    """
    amplitude = np.ascontiguousarray(spectrum.amplitude[:, column])
    window, averages = spectrum.window, spectrum.averages
    leakage = _leakage_by_bins(window, len(amplitude))
    tones = _tones(amplitude, noise_factor(averages), spectrum.rounding[column], window, leakage)
    edges = [0, *(_valley(amplitude, one, two) for one, two in itertools.pairwise(tones)), len(amplitude) - 1]
    lows, highs = [max(it, window.half_lobe) for it in edges[:-1]], edges[1:]
    most = _most(amplitude, np.array(tones, int), np.array(lows[: len(tones)], int), highs, window)
    if gain:
        most *= gain(np.maximum(lows[: len(tones)], 0.5) * spectrum.resolution)
    found: list[Peak] = []
    # Each by itself takes long: so those that may be highest come first, and once none is left that may, it ends.
    for number in np.argsort(-most, kind="stable").tolist():
        if len(found) >= PEAKS and most[number] < found[PEAKS - 1].amplitude:
            break
        noise = _noise_around(amplitude, tones[number], tones, averages, leakage)
        centre, height = tone_at(amplitude, tones[number], lows[number], highs[number], noise, window)
        frequency = centre * spectrum.resolution
        if low_hz <= frequency <= high_hz:
            found.append(Peak(frequency, height * float(gain(np.array(frequency))) if gain else height))
            found.sort(key=lambda it: (-it.amplitude, it.frequency))
    return found[:PEAKS]


def noise_factor(averages: float) -> float:
    """How many times the median of its amplitudes noise does not exceed, if so many of its spectra were averaged.

    The mean of k powers has a gamma distribution, whose cube root is about normal with mean 1 - 1 / 9k and variance
    1 / 9k (E. B. Wilson and M. M. Hilferty, Proceedings of the National Academy of Sciences 17, 1931, 684-688).
    """
    variance = 1 / (9 * averages)
    return max(MIN_NOISE_FACTOR, (1 + NOISE_DEVIATIONS * math.sqrt(variance) / (1 - variance)) ** 1.5)


def maxima_of(amplitude: np.ndarray) -> np.ndarray:
    """The bins of all local maxima, rising, neither the first nor the last."""
    inner = amplitude[1:-1]
    return 1 + np.flatnonzero((inner > amplitude[:-2]) & (inner >= amplitude[2:]))


def is_above_median(height: float, amplitude: np.ndarray, factor: float) -> bool:
    """Whether a height is at least so many times the median of amplitudes (n,), n > 0.

    By counting, as a median takes ten times as long.
    """
    higher = int(np.count_nonzero(factor * amplitude > height))
    if 2 * higher == len(amplitude):
        return bool(height >= factor * np.median(amplitude))  # which lies between the two in the middle
    return 2 * higher < len(amplitude)


def around(amplitude: np.ndarray, tone: int) -> slice:
    """The bins around one."""
    reach = max(AROUND_BINS, int(AROUND_SHARE * len(amplitude)))
    return slice(max(0, tone - reach), min(len(amplitude), tone + reach + 1))


def _leakage_by_bins(window: Window, bins: int) -> np.ndarray:
    """float64 (bins,): of a sine of amplitude 1, so many bins away; within its lobe as at the end of that."""
    return window.leakage(np.maximum(window.half_lobe, np.arange(bins)))


def _tones(amplitude: np.ndarray, factor: float, rounding: float, window: Window, leakage: np.ndarray) -> list[int]:
    """The bins of all maxima that stand out and are apart, rising."""
    found = maxima_of(amplitude)
    found = found[found >= window.half_lobe]
    found = found[amplitude[found] > max(factor * np.median(amplitude), rounding)]
    distance = int(max(window.lobe, PEAK_DISTANCE_SHARE * len(amplitude)))
    is_near = np.zeros(len(amplitude), bool)  # to a tone that is chosen
    chosen, heights, count = np.empty(len(found), int), np.empty(len(found)), 0
    places: list[int] = []  # of those that are chosen, rising
    for tone in found[np.argsort(-amplitude[found], kind="stable")].tolist():
        if is_near[tone]:
            continue
        height = amplitude[tone]
        let_through = (heights[:count] * leakage[np.abs(chosen[:count] - tone)]).sum()
        if height < LEAKAGE_FACTOR * let_through or not _has_valleys(amplitude, tone, places):
            continue
        if not is_above_median(height, amplitude[around(amplitude, tone)], factor):
            continue
        chosen[count], heights[count] = tone, height
        count += 1
        bisect.insort(places, tone)
        is_near[max(0, tone - distance) : tone + distance + 1] = True
    return places


def _has_valleys(amplitude: np.ndarray, tone: int, places: list[int]) -> bool:
    """Whether a valley lies between a maximum and the tones beside it, and so between it and each of the others."""
    after = bisect.bisect(places, tone)
    deep = VALLEY_SHARE * amplitude[tone]
    return all(_lowest(amplitude, tone, it) <= deep for it in places[max(0, after - 1) : after + 1])


def _lowest(amplitude: np.ndarray, one: int, two: int) -> float:
    return float(amplitude[min(one, two) : max(one, two) + 1].min())


def _most(amplitude: np.ndarray, tones: np.ndarray, lows: np.ndarray, highs: list[int], window: Window) -> np.ndarray:
    """float64 (n,): what the amplitude of each tone, whose bins lie within lows and highs, is at most.

    That of the sine that has all of the energy there, the noise's as well.
    """
    if not len(tones):
        return np.empty(0)
    scale = amplitude[tones].max()
    squares = (amplitude / scale) ** 2
    # Where one ends, the next begins, and the bin between belongs to both.
    energy = np.add.reduceat(squares, lows) + squares[highs[: len(tones)]]
    height = np.sqrt(energy / window.noise_bandwidth) * scale
    return np.maximum(amplitude[tones], height) * (1 + SLACK)


def _noise_around(amplitude: np.ndarray, tone: int, tones: list[int], averages: float, leakage: np.ndarray) -> float:
    """The root of the mean power of the noise around a maximum; the skirts of tones are none of it."""
    part = around(amplitude, tone)
    bins = np.arange(part.start, part.stop)
    skirts = np.zeros(len(bins))
    for it in tones:
        skirts += amplitude[it] * leakage[np.abs(bins - it)]
    # From the median of the noise's amplitudes to the mean of its powers, see noise_factor
    noise = np.median(np.maximum(0, amplitude[part] - SKIRTS_FACTOR * skirts))
    return float(noise) / (1 - 1 / (9 * averages)) ** 1.5


def _valley(amplitude: np.ndarray, one: int, two: int) -> int:
    """The lowest bin between two, of which the first is lower."""
    return one + int(np.argmin(amplitude[one : two + 1]))


def tone_at(
    amplitude: np.ndarray, tone: int, low: int, high: int, noise: float, window: Window = HANN
) -> tuple[float, float]:
    """The sine that a maximum is of, whose bins lie within low and high: its place in bins, and its amplitude.

    The squares of all bins add up to the window's noise bandwidth times the square of the sine's amplitude, and their
    centre of mass is its frequency, wherever it lies between the bins (see Window.leakage for the transform).
    """
    first, last = max(low, tone - window.lobe), min(high, tone + window.lobe)
    while first > low and amplitude[first - 1] > SKIRT_FACTOR * noise:
        first -= 1
    while last < high and amplitude[last + 1] > SKIRT_FACTOR * noise:
        last += 1
    share = amplitude[first : last + 1] / amplitude[tone]  # scaled before it is squared
    energy = share**2 - (noise / amplitude[tone]) ** 2
    height = math.sqrt(max(1.0, energy.sum() / window.noise_bandwidth))
    weight = np.maximum(0, energy)
    centre = first + float((weight * np.arange(len(weight))).sum() / weight.sum())
    return centre, float(height * amplitude[tone])
