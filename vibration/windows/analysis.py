"""Features and spectrum of a window of a recording, from a bounded number of samples."""

import math
from dataclasses import dataclass, replace

from django.db.models import Max

from vibration.models import Recording, VibrationData
from vibration.numbers.buckets import Buckets, concatenate, summarise
from vibration.numbers.evenness import spacings_of
from vibration.numbers.features import Features, features_of, features_of_sums
from vibration.numbers.samples import Samples
from vibration.numbers.spectrum import NoSpectrum, Spectrum, section_samples, spectrum_of
from vibration.querysets import VibrationDataQuerySet
from vibration.storage.rollups import read_cover
from vibration.windows.waveform import read_rollups

PRUNED = "samples_removed"
# A window with more samples is read in parts: as many as hold so many samples together, MIN_PARTS at least.
MAX_SAMPLES = 2**15
MIN_PARTS = 4
PART_SECTIONS = 2  # as long as so many sections, so of three that overlap
FIRST_SAMPLES = 1_000  # that tell how far samples are apart


@dataclass(frozen=True)
class Analysis:
    start: float | None  # seconds, the first sample of the window; None: there is none
    end: float | None  # seconds, the last one
    samples: int  # whose values RMS, peak and crest factor are of: all samples of the window
    samples_read: int  # whose values kurtosis and spectrum are of: all, or parts spread evenly over the window
    parts: int  # how many parts those are; 1: the whole window
    features: list[Features]  # one for each state
    spectrum: Spectrum | None
    reason: str | None  # why there is no spectrum: the message of NoSpectrum, or PRUNED

    @property
    def truncated(self) -> bool:
        """Whether kurtosis and spectrum are of a part of the samples."""
        return self.samples_read < self.samples


def analyse(recording: Recording, start: float, end: float) -> Analysis:
    """Of the samples with start <= measured_time <= end (seconds).

    Where raw samples from `start` on were removed: of the rollups of all samples, the window widened to whole buckets.
    """
    if recording.span is None:
        return _of_samples(Samples.concatenate([]))
    # Within the recording: an endless window is no number to a database.
    start, end = max(start, recording.span[0]), min(end, recording.span[1])
    if start <= end and recording.is_pruned(start):
        return _of_rollups(recording, start, end)
    found = _of_raw(recording, start, end)
    if found.samples and recording.is_pruned_by_now(start):
        return _of_rollups(recording, start, end)
    return found


def _of_raw(recording: Recording, start: float, end: float) -> Analysis:
    samples = VibrationData.objects.of(recording).in_window(start, math.nextafter(end, math.inf))
    width = recording.finest_width
    first, last = math.floor(start / width) + 1, math.floor(end / width) - 1  # of the base buckets that lie within
    inside = read_cover(recording, first, last) if first <= last else None
    if inside is None or inside.count.sum() <= MAX_SAMPLES:
        return _of_samples(samples.as_samples())
    return _in_parts(recording, start, end, inside, (first * width, (last + 1) * width))


def _in_parts(
    recording: Recording, start: float, end: float, inside: Buckets, edges_of_inside: tuple[float, float]
) -> Analysis:
    """`inside` are the samples between its edges (seconds), which lie within start to end."""
    samples, past_end = VibrationData.objects.of(recording), math.nextafter(end, math.inf)
    begin = samples.in_window(start, past_end).as_samples(FIRST_SAMPLES)
    parts = _read_parts(samples, start, past_end, spacings_of(begin.time)[0].step)
    read = Samples.concatenate(parts)
    if not len(begin) or not len(read):
        return _of_samples(read)  # removed meanwhile
    outside = [(start, edges_of_inside[0]), (edges_of_inside[1], past_end)]
    beside = [it for it in (samples.in_window(*span).as_samples() for span in outside) if len(it)]
    whole = concatenate([inside, *(summarise(it, recording.rollup_exponent) for it in beside)])
    features = features_of_sums(whole.count, whole.minimum, whole.maximum, whole.squares)
    kurtoses = [it.kurtosis for it in features_of(read.values)]
    features = [replace(it, kurtosis=kurtosis) for it, kurtosis in zip(features, kurtoses, strict=True)]
    latest = samples.in_window(start, past_end).aggregate(Max("measured_time"))["measured_time__max"]
    count = int(whole.count.sum())
    return Analysis(float(begin.time[0]), latest, count, len(read), len(parts), features, *_spectrum(read))


def _read_parts(samples: VibrationDataQuerySet, start: float, end: float, step: float) -> list[Samples]:
    """Samples from the middle of each of equal parts of a window (seconds), in rising order of time.

    Of a part whose middle holds no samples, those that come next are read; none is read twice.
    """
    size = PART_SECTIONS * section_samples(step)
    count = max(MIN_PARTS, MAX_SAMPLES // size)
    part = (end - start) / count
    parts: list[Samples] = []
    unread = start
    for number in range(count):
        # One lower bound only: of two, SQLite looks up the first and passes over the rows up to the other.
        first = max(unread, start + (number + 0.5) * part - size * step / 2)
        found = samples.in_window(first, end).as_samples(size)
        if not len(found):
            break
        parts.append(found)
        unread = math.nextafter(found.time[-1], math.inf)
    return parts


def _of_samples(samples: Samples) -> Analysis:
    count = len(samples)
    first, last = (float(samples.time[0]), float(samples.time[-1])) if count else (None, None)
    return Analysis(first, last, count, count, 1, features_of(samples.values), *_spectrum(samples))


def _spectrum(samples: Samples) -> tuple[Spectrum | None, str | None]:
    """A spectrum, or the reason why there is none."""
    try:
        return spectrum_of(samples.time, samples.values), None
    except NoSpectrum as error:
        return None, str(error)


def _of_rollups(recording: Recording, start: float, end: float) -> Analysis:
    buckets, width, _first, _last = read_rollups(recording, start, end)
    first, last = None, None
    if len(buckets) and recording.span:
        first = max(float(buckets.index[0]) * width, recording.span[0])
        last = min(float(buckets.index[-1] + 1) * width, recording.span[1])
    features = features_of_sums(buckets.count, buckets.minimum, buckets.maximum, buckets.squares)
    count = int(buckets.count.sum())
    return Analysis(first, last, count, count, 1, features, None, PRUNED)
