"""A window of a recording in numbers: its features and its spectrum, of a bounded number of samples."""

import math
from dataclasses import dataclass

import numpy as np

from vibration.features import Features, features_of, features_of_sums
from vibration.models import Recording, VibrationData
from vibration.spectrum import NoSpectrum, Spectrum, peaks_of, reduced, spectrum_of
from vibration.states import STATES
from vibration.waveform import read_rollups

PRUNED = "samples_removed"
MAX_SAMPLES = 2**18  # 262,144: with KAMP's rates over three minutes, read and transformed in under a second


@dataclass(frozen=True)
class Analysis:
    start: float | None  # seconds, the first sample that was read; None: there is none
    end: float | None  # seconds, the last one
    samples: int  # whose values the features are of
    truncated: bool  # the window has more samples than were read
    features: list[Features]  # one for each state
    spectrum: Spectrum | None
    reason: str | None  # why there is no spectrum: the message of NoSpectrum, or PRUNED


def analyse(recording: Recording, start: float, end: float, limit: int = MAX_SAMPLES) -> Analysis:
    """Of the first `limit` samples with start <= measured_time <= end (seconds).

    Where raw samples from `start` on were removed: of the rollups of all samples, the window widened to whole buckets.
    """
    if recording.first_time is not None:
        # Within the recording: an endless window is no number to a database.
        start, end = max(start, recording.first_time), min(end, recording.last_time)
        if start <= end and recording.is_pruned(start):
            return _of_rollups(recording, start, end)
    time, values = _read(recording, start, end, limit + 1)
    if len(time) and recording.is_pruned_by_now(start):
        return _of_rollups(recording, start, end)
    truncated = len(time) > limit
    time, values = time[:limit], values[:limit]
    spectrum, reason = None, None
    try:
        spectrum = spectrum_of(time, values)
    except NoSpectrum as error:
        reason = str(error)
    first, last = (float(time[0]), float(time[-1])) if len(time) else (None, None)
    return Analysis(first, last, len(time), truncated, features_of(values), spectrum, reason)


def _read(recording: Recording, start: float, end: float, limit: int) -> tuple[np.ndarray, np.ndarray]:
    if recording.first_time is None:
        return np.empty(0), np.empty((0, len(STATES)))
    samples = VibrationData.objects.of(recording).in_window(start, math.nextafter(end, math.inf))
    return samples.as_arrays(limit)


def _of_rollups(recording: Recording, start: float, end: float) -> Analysis:
    buckets, width, _first, _last = read_rollups(recording, start, end)
    first, last = None, None
    if len(buckets):
        first = max(float(buckets.index[0]) * width, recording.first_time)
        last = min(float(buckets.index[-1] + 1) * width, recording.last_time)
    features = features_of_sums(buckets.count, buckets.minimum, buckets.maximum, buckets.squares)
    return Analysis(first, last, int(buckets.count.sum()), False, features, None, PRUNED)


def describe(recording: Recording, analysis: Analysis, states: list[str], points: int) -> dict:
    """An analysis as JSON, with at most `points` amplitudes of each state."""
    rpm = recording.sensor.machine.rated_rpm or None  # 0 is no speed to be a multiple of
    spectrum = analysis.spectrum
    return {
        "machine_name": recording.sensor.machine.name,
        "sensor_no": recording.sensor.sensor_no,
        "recording": recording.name,
        "rated_rpm": rpm,
        "pruned_before": recording.pruned_before,
        "start": analysis.start,
        "end": analysis.end,
        "samples": analysis.samples,
        "truncated": analysis.truncated,
        "features": {state: vars(analysis.features[STATES.index(state)]) for state in states},
        "spectrum_reason": analysis.reason,
        "spectrum": _described(spectrum, states, points, rpm) if spectrum else None,
    }


def _described(spectrum: Spectrum, states: list[str], points: int, rpm: int | None) -> dict:
    frequency, amplitude = reduced(spectrum, points)
    return {
        "start": spectrum.start,
        "end": spectrum.end,
        "samples": spectrum.samples,
        "sampling_frequency": spectrum.sampling_frequency,
        "resolution": spectrum.resolution,
        "window": "Hann",
        "bins": len(spectrum.frequency),
        "frequency": frequency.tolist(),
        "amplitude": {state: amplitude[:, STATES.index(state)].tolist() for state in states},
        "peaks": {
            state: [
                vars(peak) | {"order": peak.frequency / (rpm / 60) if rpm else None}
                for peak in peaks_of(spectrum, STATES.index(state))
            ]
            for state in states
        },
    }
