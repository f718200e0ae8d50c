"""The features of captures, of labelled recordings: laboratory and plant are compared by the same numbers.

They are made on demand, from samples in windows of some seconds. Nothing says what unit the samples of a recording are
in, so nothing that needs one is assessed, as velocity.
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from vibration.models import Recording, VibrationData
from vibration.numbers.evenness import even_step, shift_of, spacings_of
from vibration.numbers.samples import Samples
from vibration.numbers.spectrum import MAX_SHIFT_STEPS, MIN_STEP_S
from vibration.numbers.states import STATES
from vibration.signals.features import BAND_NAMES, MIN_SAMPLES, ORDER_NAMES, Features, features_of
from vibration.signals.reasons import Reason
from vibration.signals.units import Unit

WINDOW_S = 4.0  # at 25 Hz 100 revolutions, and 1,000 samples at 250 Hz
MAX_SAMPLES = 2**16  # of one window
MOST_SAMPLES = 2**19  # of all windows of one call, however many they are
USUAL_WINDOWS, MAX_WINDOWS = 60, 200
NORMAL = STATES[0]
EITHER_SIGN = {"mean"}  # of which a ratio says nothing


@dataclass(frozen=True)
class WindowFeatures:
    """Of one window of a recording."""

    start: float  # seconds, the first sample
    end: float  # seconds, the last one
    samples: int
    # None: the samples are not evenly spaced, so they are no signal
    sampling_hz: float | None
    features: dict[str, Features] | None  # by state, normal first
    is_cut: bool = False  # there are more samples in the window than were read


@dataclass(frozen=True)
class FeatureWindows:
    """The windows of start <= measured_time < end (seconds), which are spread evenly over it."""

    start: float
    end: float
    asked: int  # windows, of which some may hold nothing
    found: list[WindowFeatures]  # in order of time
    pruned_before: float  # seconds: samples before it were removed by retention

    @property
    def part(self) -> float:
        """Seconds from the middle of a window to that of the next."""
        return (self.end - self.start) / self.asked

    @property
    def length(self) -> float:
        """Seconds that a window spans."""
        return min(self.part, WINDOW_S)

    @property
    def removed(self) -> int:
        """Windows whose samples were removed."""
        ends = (np.arange(self.asked) + 0.5) * self.part + self.start + self.length / 2
        return min(int((ends < self.pruned_before).sum()), self.asked - len(self.found))

    @property
    def empty(self) -> int:
        """Windows in which nothing was measured."""
        return self.asked - len(self.found) - self.removed

    @property
    def uneven(self) -> int:
        """Windows whose samples are no signal, as they are not evenly spaced."""
        return sum(it.features is None for it in self.found)

    @property
    def cut(self) -> int:
        return sum(it.is_cut for it in self.found)

    @property
    def samples_read(self) -> int:
        return sum(it.samples for it in self.found)

    def values(self, state: str, name: str) -> np.ndarray:
        """Of a feature, float64, one a window that was found; NaN where it is not assessable."""
        of_windows = [getattr(it.features[state], name) if it.features else None for it in self.found]
        return np.array([math.nan if it is None else it for it in of_windows], np.float64)

    def reason(self, state: str, name: str) -> Reason:
        """The commonest one why windows, evenly spaced, have no value of a feature; NONE where there is none."""
        found = Counter(
            why_none(it.features[state], name, it.samples)
            for it in self.found
            if it.features and getattr(it.features[state], name) is None
        )
        return found.most_common(1)[0][0] if found else Reason.NONE


@dataclass(frozen=True)
class Summary:
    """Of a feature in one state over windows."""

    windows: int  # in which it is assessable
    median: float | None  # of these
    ratio: float | None  # of that to the median in the state normal
    reason: Reason  # why windows have none


def read_features(recording: Recording, start: float, end: float, windows: int | None = None) -> FeatureWindows:
    """Of so many windows of start <= measured_time <= end (seconds), which is cut to the recording.

    None: about one each WINDOW_S, at most USUAL_WINDOWS. At most MOST_SAMPLES samples are read.
    """
    first, last = recording.span or (start, start)
    start, end = max(start, first), math.nextafter(min(end, last), math.inf)
    asked = windows or max(1, min(USUAL_WINDOWS, round((end - start) / WINDOW_S)))
    if end <= start or recording.span is None:
        return FeatureWindows(start, start, asked, [], recording.pruned_before)
    found = window_features(recording, start, end, asked)
    recording.is_pruned_by_now(start)  # samples may have gone while they were read
    return FeatureWindows(start, end, asked, found, recording.pruned_before)


def window_features(recording: Recording, start: float, end: float, windows: int) -> list[WindowFeatures]:
    """Of the middle of each of so many equal parts of start <= measured_time < end (seconds), WINDOW_S or the part.

    In order of time. A part without samples, or whose samples were removed, is left out.
    """
    part = (end - start) / windows
    length = min(part, WINDOW_S)
    most = min(MAX_SAMPLES, MOST_SAMPLES // windows)
    found = []
    for number in range(windows):
        first = start + number * part + (part - length) / 2
        window = VibrationData.objects.of(recording).in_window(first, first + length)
        samples = window.as_samples(most + 1)
        if len(samples):
            found.append(_of(samples, most, recording.sensor.machine.rated_rpm))
    return found


def summaries(windows: FeatureWindows, names: tuple[str, ...]) -> dict[str, dict[str, Summary]]:
    """By state, normal first, and by name."""
    normal = {name: _median(windows.values(NORMAL, name)) for name in names}
    return {state: {name: _summary(windows, state, name, normal[name]) for name in names} for state in STATES}


def _summary(windows: FeatureWindows, state: str, name: str, normal: float | None) -> Summary:
    values = windows.values(state, name)
    median = _median(values)
    ratio = median / normal if median is not None and normal and name not in EITHER_SIGN else None
    return Summary(int(np.isfinite(values).sum()), median, ratio, windows.reason(state, name))


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def why_none(features: Features, name: str, samples: int) -> Reason:
    """Why a feature of a signal of so many samples is not assessable; NONE: nothing stands out of the noise."""
    if name == "velocity_rms":
        return features.velocity_reason
    if name == "shaft_hz":
        return Reason.SPEED
    if name in ORDER_NAMES:
        return features.orders_reason or Reason.RATE
    if name in ("envelope_peak", "envelope_hz"):
        return features.envelope_reason
    if not features.peak:
        return Reason.FLAT
    return Reason.SHORT if name in BAND_NAMES and samples < MIN_SAMPLES else Reason.RATE


def _of(samples: Samples, most: int, rated_rpm: float | None) -> WindowFeatures:
    is_cut, samples = len(samples) > most, samples.take(slice(most))
    sampling_hz = _even_rate(samples.time)
    features = None
    if sampling_hz is not None:
        features = {
            state: features_of(samples.values[:, column], sampling_hz, Unit.UNKNOWN, rated_rpm=rated_rpm)
            for column, state in enumerate(STATES)
        }
    return WindowFeatures(float(samples.time[0]), float(samples.time[-1]), len(samples), sampling_hz, features, is_cut)


def _even_rate(time: np.ndarray) -> float | None:
    """The sampling rate of rising times, seconds (n,), in Hz; None if they are not even, or have a gap."""
    for spacing in spacings_of(time) if len(time) > 1 else ():
        if len(stretches := spacing.stretches(time)) == 1:
            step = even_step(time, stretches)
            allowed = spacing.rounding + 2 * MAX_SHIFT_STEPS * step
            if step >= MIN_STEP_S and shift_of(time, step) <= allowed:
                return 1 / step
    return None
