"""The features of captures, of labelled recordings: laboratory and plant are compared by the same numbers.

They are made on demand, from samples in windows of some seconds. Nothing says what unit the samples of a recording are
in, so nothing that needs one is assessed, as velocity.
"""

from dataclasses import dataclass

from vibration.models import Recording, VibrationData
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.signals.features import Features, features_of
from vibration.signals.times import check_times
from vibration.signals.units import Unit

WINDOW_S = 4.0  # at 25 Hz 100 revolutions, and 1,000 samples at 250 Hz
MAX_SAMPLES = 2**16  # of one window


@dataclass(frozen=True)
class WindowFeatures:
    """Of one window of a recording."""

    start: float  # seconds, the first sample
    end: float  # seconds, the last one
    samples: int
    sampling_hz: float | None
    # By state, normal first; None: the samples are not evenly spaced, so they are no signal
    features: dict[str, Features] | None


def window_features(recording: Recording, start: float, end: float, windows: int) -> list[WindowFeatures]:
    """Of the middle of each of so many equal parts of start <= measured_time < end (seconds), WINDOW_S or the part.

    In order of time. A part without samples, or whose samples were removed, is left out.
    """
    part = (end - start) / windows
    length = min(part, WINDOW_S)
    found = []
    for number in range(windows):
        first = start + (number + 0.5) * part - length / 2
        window = VibrationData.objects.of(recording).in_window(first, first + length)
        samples = window.as_samples(MAX_SAMPLES)
        if len(samples):
            found.append(_of(samples, recording.sensor.machine.rated_rpm))
    return found


def _of(samples: Samples, rated_rpm: float | None) -> WindowFeatures:
    times = check_times(samples.time)
    features = None
    if times.sampling_hz and times.is_even and not times.has_gap:
        features = {
            state: features_of(samples.values[:, column], times.sampling_hz, Unit.UNKNOWN, rated_rpm=rated_rpm)
            for column, state in enumerate(STATES)
        }
    return WindowFeatures(float(samples.time[0]), float(samples.time[-1]), len(samples), times.sampling_hz, features)
