"""Cursors on an amplitude spectrum: a frequency with its multiples, and a carrier with its sidebands; pure numbers.

A base frequency that is read from a chart is off by about a bin, and its twentieth multiple by twenty. So it is made
better step by step: each line that stands out at a multiple tells the base more exactly than those before, and so where
the next one is. All lines that were found give the base by least squares, each weighted by how far it stands out.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from vibration.numbers.peaks import Gain, around, maxima_of, noise_factor, tone_at
from vibration.numbers.spectrum import Spectrum

# Bins by which a line may lie beside where the lines before it say: its highest bin is up to half a bin off, and noise
# moves what they say.
BESIDE_BINS = 1.0
LINE_ERROR_BINS = 0.3  # of the place of one line
MOST_WEIGHT = 100.0  # times the noise; beyond, a line tells its place no better
MOST_LINES = 100


@dataclass(frozen=True)
class Line:
    """One cursor, at the true multiple; its amplitude is that of the line there, or of the highest bin beside it."""

    multiple: int  # of a sideband, below 0 on the lower side
    hz: float
    amplitude: float
    stands_out: bool  # of the noise around it


@dataclass(frozen=True)
class Cursors:
    """Rising by frequency; those that the spectrum does not reach are left out."""

    base_hz: float  # of harmonics the first, of sidebands the carrier
    spacing_hz: float  # from line to line
    lines: list[Line]


@dataclass(frozen=True)
class _Found:
    """A line of the spectrum that stands out at a multiple."""

    multiple: int
    place: float  # bins
    amplitude: float
    weight: float


@dataclass(frozen=True)
class _Comb:
    """Lines at `origin + multiple * spacing`, in bins, and by how much each may be off: 0, it is known."""

    origin: float
    spacing: float
    origin_error: float
    spacing_error: float

    def place(self, multiple: int) -> float:
        return self.origin + multiple * self.spacing

    def reach(self, multiple: int) -> float:
        return BESIDE_BINS + self.origin_error + abs(multiple) * self.spacing_error


def harmonics(
    spectrum: Spectrum, near_hz: float, count: int, *, within_hz: float = 0.0, column: int = 0, gain: Gain | None = None
) -> Cursors:
    """A frequency, read from a chart to `within_hz` or a bin, and its multiples up to the `count`-th.

    Where nothing stands out, the base stays as it was given. With a gain, amplitudes are multiplied by it. Raises
    ValueError for a frequency or a count that is not above 0.
    """
    if not near_hz > 0 or not 1 <= count <= MOST_LINES:
        raise ValueError(f"There are no {count!r} multiples of {near_hz!r} Hz.")
    bins = _Bins(spectrum, column)
    start = _Comb(0.0, near_hz / spectrum.resolution, 0.0, max(0.5, within_hz / spectrum.resolution))
    comb, found = bins.refined(start, [[multiple] for multiple in range(1, count + 1)])
    return bins.cursors(comb, found, range(1, count + 1), comb.spacing, gain)


def sidebands(
    spectrum: Spectrum,
    carrier_hz: float,
    spacing_hz: float,
    count: int,
    *,
    within_hz: float = 0.0,
    column: int = 0,
    gain: Gain | None = None,
) -> Cursors:
    """A carrier and `count` sidebands to each side, both read from a chart to `within_hz` or a bin.

    As `harmonics`. Raises ValueError for a frequency, a spacing or a count that is not above 0.
    """
    if not carrier_hz > 0 or not spacing_hz > 0 or not 1 <= count <= MOST_LINES:
        raise ValueError(f"There are no {count!r} sidebands of {carrier_hz!r} Hz with {spacing_hz!r} Hz between.")
    bins = _Bins(spectrum, column)
    error = max(0.5, within_hz / spectrum.resolution)
    start = _Comb(carrier_hz / spectrum.resolution, spacing_hz / spectrum.resolution, error, error)
    comb, found = bins.refined(start, [[0], *([-multiple, multiple] for multiple in range(1, count + 1))])
    return bins.cursors(comb, found, range(-count, count + 1), comb.origin, gain)


class _Bins:
    """The bins of one column of a spectrum, and the lines among them."""

    def __init__(self, spectrum: Spectrum, column: int):
        self.resolution, self.window = spectrum.resolution, spectrum.window
        self.amplitude = np.ascontiguousarray(spectrum.amplitude[:, column])
        self.maxima = maxima_of(self.amplitude)
        self.rounding = float(spectrum.rounding[column])
        self.factor = noise_factor(spectrum.averages)

    def refined(self, start: _Comb, steps: list[list[int]]) -> tuple[_Comb, dict[int, _Found]]:
        """The comb by the lines that stand out at its multiples, looked for step by step; and these lines.

        The first step is the one line that was read from the chart, so it may be as far off as it was read; each other
        is nearer to its multiple than to the next.
        """
        comb, found = start, dict[int, _Found]()
        if comb.spacing < self.window.lobe:
            return comb, found  # its lines are not told apart
        for multiples in steps:
            read = multiples == steps[0] or steps[0][0] in found
            for multiple in multiples:
                reach = comb.reach(multiple)
                if multiples != steps[0]:
                    reach = min(reach, (comb.spacing - self.window.half_lobe) / 2)
                line = self._line(comb, multiple, reach)
                # Without the line that was read, a chain of others must not lead further than that may be off.
                if line and (read or abs(line.place - start.place(multiple)) <= start.reach(multiple)):
                    found[multiple] = line
            comb = _fitted(comb, list(found.values()))
        return comb, found

    def _line(self, comb: _Comb, multiple: int, reach: float) -> _Found | None:
        """The highest line within so many bins of a multiple, if it stands out."""
        place = comb.place(multiple)
        low, high = np.searchsorted(self.maxima, [max(self.window.half_lobe, place - reach), place + reach])
        near = self.maxima[low:high]
        if not len(near):
            return None
        tone = int(near[np.argmax(self.amplitude[near])])
        noise = float(np.median(self.amplitude[around(self.amplitude, tone)]))
        height = float(self.amplitude[tone])
        if height <= max(self.factor * noise, self.rounding):
            return None
        half = comb.spacing / 2
        first, last = max(self.window.half_lobe, math.ceil(tone - half)), math.floor(tone + half)
        centre, amplitude = tone_at(self.amplitude, tone, first, min(last, len(self.amplitude) - 1), noise, self.window)
        return _Found(multiple, centre, amplitude, min(height / max(noise, self.rounding), MOST_WEIGHT))

    def cursors(
        self, comb: _Comb, found: dict[int, _Found], multiples: range, base: float, gain: Gain | None
    ) -> Cursors:
        places = {it: place for it in multiples if 0 < (place := comb.place(it)) <= len(self.amplitude) - 1}
        lines = [self._told(it, place, found.get(it)) for it, place in places.items()]
        if gain:
            lines = [replace(it, amplitude=it.amplitude * float(gain(np.array(it.hz)))) for it in lines]
        return Cursors(base * self.resolution, comb.spacing * self.resolution, lines)

    def _told(self, multiple: int, place: float, found: _Found | None) -> Line:
        if found:
            return Line(multiple, place * self.resolution, found.amplitude, True)
        beside = self.amplitude[math.floor(place) : math.ceil(place) + 1]
        return Line(multiple, place * self.resolution, float(beside.max()), False)


def _fitted(comb: _Comb, found: list[_Found]) -> _Comb:
    """The comb by weighted least squares of the lines; what they do not tell stays as it was."""
    if not found:
        return comb
    multiple = np.array([it.multiple for it in found], float)
    place, weight = np.array([it.place for it in found]), np.array([it.weight for it in found])
    if not comb.origin_error:
        return _with_spacing(comb, multiple, place - comb.origin, weight)
    middle = (weight * multiple).sum() / weight.sum()
    origin = (weight * place).sum() / weight.sum()
    if not (multiple != multiple[0]).any():
        # One line only: the carrier's own place, or nothing that tells carrier and spacing apart
        return replace(comb, origin=origin, origin_error=LINE_ERROR_BINS) if multiple[0] == 0 else comb
    fitted = _with_spacing(comb, multiple - middle, place - origin, weight)
    error = LINE_ERROR_BINS / math.sqrt(len(found)) + abs(middle) * fitted.spacing_error
    return replace(fitted, origin=origin - middle * fitted.spacing, origin_error=error)


def _with_spacing(comb: _Comb, multiple: np.ndarray, place: np.ndarray, weight: np.ndarray) -> _Comb:
    squares = (weight * multiple**2).sum()
    error = LINE_ERROR_BINS / math.sqrt((multiple**2).sum())
    return replace(comb, spacing=float((weight * multiple * place).sum() / squares), spacing_error=error)
