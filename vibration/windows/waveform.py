"""A window of a recording, reduced to what a chart can show without losing an extreme."""

import math
from dataclasses import dataclass, replace

import numpy as np

from vibration.models import Recording, VibrationData
from vibration.numbers.buckets import LEVELS, MIN_EXPONENT, Buckets, coarsen, summarise
from vibration.numbers.states import STATES
from vibration.storage.rollups import read_level

DEFAULT_POINTS = 1000
MIN_POINTS, MAX_POINTS = 10, 2000


@dataclass(frozen=True)
class Waveform:
    """At most `points` buckets, or single samples, that stand for all samples with start <= measured_time < end."""

    start: float
    end: float
    width: float  # seconds that a bucket spans; 0: single samples
    time: np.ndarray  # float64 (m,), seconds: where each bucket begins, or the time of each sample
    count: np.ndarray  # int64 (m,), the samples that each stands for
    minimum: np.ndarray  # float64 (m, 4), one column a state
    maximum: np.ndarray  # float64 (m, 4)

    @property
    def buckets(self) -> int:
        return len(self.time)

    @property
    def samples(self) -> int:
        """How many the buckets stand for."""
        return int(self.count.sum())

    def of(self, state: str) -> "Waveform":
        """That of one state, whose extremes are float64 (m,)."""
        column = STATES.index(state)
        return replace(self, minimum=self.minimum[:, column], maximum=self.maximum[:, column])


def read_waveform(recording: Recording, start: float, end: float, points: int = DEFAULT_POINTS) -> Waveform:
    """The samples with start <= measured_time <= end (seconds), the window widened to whole buckets.

    At most `points` samples come back one by one. More come back as `points` buckets or fewer, from the rollup level
    just fine enough, which has at most 8 times as many; a window too short for the base buckets is made from its
    samples, 25 * `points` at the most if they are evenly spaced. So what is read does not grow with the recording.

    A window that begins where raw samples were removed is made from rollups as a whole: base buckets at the finest.
    """
    if recording.span is None:
        return _empty(start)
    start, end = max(start, recording.span[0]), min(end, recording.span[1])
    if end < start:
        return _empty(start)
    is_narrow = (end - start) / points * 4 < recording.bucket_width(0)
    if is_narrow and (fine := _from_samples(recording, start, end, points)):
        return fine
    buckets, width, first, last = read_rollups(recording, start, end, points)
    if not is_narrow and int(buckets.count.sum()) <= points and (fine := _from_samples(recording, start, end, points)):
        return fine
    return _from_buckets(buckets, width, first, last)


def read_rollups(
    recording: Recording, start: float, end: float, points: int = DEFAULT_POINTS
) -> tuple[Buckets, float, int, int]:
    """A window within the recording as at most `points` buckets, widened to whole ones.

    Those that hold samples, and of the window the seconds that a bucket spans, and index of the first and last bucket.
    """
    wanted = (end - start) / points  # seconds a bucket
    level = max(level for level in range(LEVELS) if level == 0 or recording.bucket_width(level) <= wanted)
    factor, first, last = _grid(start, end, points, recording.bucket_width(level))
    buckets = read_level(recording, level, first * factor, (last + 1) * factor - 1)
    return coarsen(buckets, factor) if len(buckets) else buckets, recording.bucket_width(level) * factor, first, last


def _from_samples(recording: Recording, start: float, end: float, points: int) -> Waveform | None:
    """None when raw samples from `start` on were removed."""
    if recording.is_pruned(start):
        return None
    wanted = (end - start) / points
    # A power of two as the unit, as the rollups have it, so that edges are exact: an eighth to a quarter of a bucket
    exponent = max(MIN_EXPONENT, math.floor(math.log2(wanted)) - 2) if wanted else MIN_EXPONENT
    factor, first, last = _grid(start, end, points, 2.0**exponent)
    width = factor * 2.0**exponent
    samples = VibrationData.objects.of(recording).in_window(first * width, (last + 1) * width).as_samples()
    if recording.is_pruned_by_now(start):
        return None
    within = (samples.time >= start) & (samples.time <= end)
    if within.sum() > points:
        waveform = _from_buckets(coarsen(summarise(samples, exponent), factor), width, first, last)
        # The first bucket may begin where samples were removed: it stands for those that are there.
        return replace(waveform, start=max(waveform.start, recording.pruned_before))
    shown = samples.take(within)
    past_end = math.nextafter(end, math.inf)
    return Waveform(start, past_end, 0.0, shown.time, np.ones(len(shown), np.int64), shown.values, shown.values)


def _grid(start: float, end: float, points: int, unit: float) -> tuple[int, int, int]:
    """How many units make a bucket so that at most `points` cover start to end, and the first and last of them."""
    factor = max(1, math.ceil((end - start) / points / unit))
    while (last := math.floor(end / (unit * factor))) - (first := math.floor(start / (unit * factor))) >= points:
        factor += 1
    return factor, first, last


def _from_buckets(buckets: Buckets, width: float, first: int, last: int) -> Waveform:
    return Waveform(
        first * width, (last + 1) * width, width, buckets.index * width, buckets.count, buckets.minimum, buckets.maximum
    )


def _empty(start: float) -> Waveform:
    none = np.empty((0, len(STATES)))
    return Waveform(start, start, 0.0, np.empty(0), np.empty(0, np.int64), none, none)
