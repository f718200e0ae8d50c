"""What of a capture is looked at: its waveform as a chart can show it, and its spectrum; for the API and the pages."""

import math
from dataclasses import dataclass

import numpy as np

from vibration.captures.reading import SamplesRemoved, samples_of
from vibration.models import Capture
from vibration.numbers.spectrum import NoSpectrum
from vibration.signals.orders import SpeedOver, speed_over
from vibration.signals.units import Unit
from vibration.spectra.shown import Look, Shown, shown_of
from vibration.windows.analysis import PRUNED
from vibration.windows.waveform import Waveform


@dataclass(frozen=True)
class CaptureSpectrum:
    """Of the samples of a window of a capture, or of the envelope of their high band."""

    shown: Shown | None  # its times count from the start of the capture
    reason: str | None  # why there is none: the message of NoSpectrum, or PRUNED
    speed: SpeedOver | None = None  # whether it changes within the window; None: that can't be told


def waveform_of(capture: Capture, start: float, end: float, points: int) -> Waveform:
    """The samples with start <= time <= end (seconds from the start of the capture), the window within the capture.

    At most `points` samples come back one by one; more as `points` buckets or fewer of equally many samples, the window
    widened to whole ones. Extremes are float64 (m,), in the unit of the capture. Raises as `samples_of` does.
    """
    values, rate = samples_of(capture), capture.sampling_hz
    first, past = _within(start, end, capture)
    if past - first <= points:
        place, shown = np.arange(first, past), values[first:past]
        begin = max(start, 0.0)
        past_end = math.nextafter(min(end, _last_time(capture)), math.inf) if len(place) else begin
        return Waveform(begin, past_end, 0.0, place / rate, np.ones(len(place), np.int64), shown, shown)
    size = _bucket_size(first, past, points)
    first -= first % size  # so the edges stay where they are as the window moves
    past = min(-(-past // size) * size, len(values))
    edges = np.arange(first, past, size)
    return Waveform(
        first / rate,
        past / rate,
        size / rate,
        edges / rate,
        np.diff(edges, append=past),
        np.minimum.reduceat(values[:past], edges),
        np.maximum.reduceat(values[:past], edges),
    )


def spectrum_in(
    capture: Capture, start: float, end: float, look: Look, *, shaft_hz: float | None = None
) -> CaptureSpectrum:
    """The spectrum of the samples with start <= time <= end (seconds from the start of the capture)."""
    try:
        values = samples_of(capture)
    except SamplesRemoved:
        return CaptureSpectrum(None, PRUNED)
    first, past = _within(start, end, capture)
    part, rate = values[first:past], capture.sampling_hz
    try:
        shown = shown_of(part, rate, Unit(capture.unit), look).moved(first / rate)
    except NoSpectrum as error:
        return CaptureSpectrum(None, str(error))
    return CaptureSpectrum(shown, None, speed_over(part, rate, shaft_hz) if shaft_hz else None)


def _last_time(capture: Capture) -> float:
    return (capture.count - 1) / capture.sampling_hz


def _within(start: float, end: float, capture: Capture) -> tuple[int, int]:
    """The first sample of a window and the one behind its last; equal when it holds none."""
    last = _last_time(capture)
    if not start <= end or end < 0 or start > last:
        return 0, 0
    # By the times that are told, i / rate, so that a sample whose own time is the end of a window lies in it.
    times = np.arange(capture.count) / capture.sampling_hz
    return int(np.searchsorted(times, start, "left")), int(np.searchsorted(times, end, "right"))


def _bucket_size(first: int, past: int, points: int) -> int:
    """The fewest samples in a bucket with which at most `points` cover first to past, edges at multiples of it."""
    size = math.ceil((past - first) / points)
    while -(-past // size) - first // size > points:
        size += 1
    return size
