"""The features of captures, of labelled recordings: laboratory and plant are compared by the same numbers.

They are made on demand, from samples in windows of some seconds. Nothing says what unit the samples of a recording are
in, so nothing that needs one is assessed, as velocity.
"""

from dataclasses import dataclass

import numpy as np

from vibration.models import Recording, VibrationData
from vibration.numbers.evenness import even_step, shift_of, spacings_of
from vibration.numbers.samples import Samples
from vibration.numbers.spectrum import MAX_SHIFT_STEPS, MIN_STEP_S
from vibration.numbers.states import STATES
from vibration.signals.features import Features, features_of
from vibration.signals.units import Unit

WINDOW_S = 4.0  # at 25 Hz 100 revolutions, and 1,000 samples at 250 Hz
MAX_SAMPLES = 2**16  # of one window


@dataclass(frozen=True)
class WindowFeatures:
    """Of one window of a recording."""

    start: float  # seconds, the first sample
    end: float  # seconds, the last one
    samples: int
    # None: the samples are not evenly spaced, so they are no signal
    sampling_hz: float | None
    features: dict[str, Features] | None  # by state, normal first


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
    sampling_hz = _even_rate(samples.time)
    features = None
    if sampling_hz is not None:
        features = {
            state: features_of(samples.values[:, column], sampling_hz, Unit.UNKNOWN, rated_rpm=rated_rpm)
            for column, state in enumerate(STATES)
        }
    return WindowFeatures(float(samples.time[0]), float(samples.time[-1]), len(samples), sampling_hz, features)


def _even_rate(time: np.ndarray) -> float | None:
    """The sampling rate of rising times, seconds (n,), in Hz; None if they are not even, or have a gap."""
    for spacing in spacings_of(time) if len(time) > 1 else ():
        if len(stretches := spacing.stretches(time)) == 1:
            step = even_step(time, stretches)
            allowed = spacing.rounding + 2 * MAX_SHIFT_STEPS * step
            if step >= MIN_STEP_S and shift_of(time, step) <= allowed:
                return 1 / step
    return None
