"""The features of captures, of windows of labelled recordings."""

import numpy as np
import pytest

from machines.models import Machine
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.signals.features import features_of
from vibration.signals.reasons import Reason
from vibration.storage.writing import open_recording, write_samples
from vibration.windows.signal_features import WINDOW_S, window_features

pytestmark = pytest.mark.django_db
RATE = 1_000.0
SHAFT_HZ = 27.5


def recorded(time: np.ndarray, values: np.ndarray):
    Machine.objects.get_or_create(name="g1", defaults={"rated_rpm": 1_650})
    recording = open_recording("g1", "sensor1")
    write_samples(recording, Samples(time, values))
    return recording


def signals(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and values (n, 4): a tone at the shaft's frequency, larger from state to state, and noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * SHAFT_HZ * time)[:, None] * np.arange(1.0, len(STATES) + 1)
    return time, tone + np.random.default_rng(1).normal(0, 0.01, (len(time), len(STATES)))


def test_each_state_of_each_window_has_the_features_of_its_samples():
    time, values = signals(20)
    found = window_features(recorded(time, values), 0, 20, windows=2)
    assert [(it.start, it.end, it.samples) for it in found] == [(3.0, 6.999, 4_000), (13.0, 16.999, 4_000)]
    for column, state in enumerate(STATES):
        own = features_of(values[3_000:7_000, column], found[0].sampling_hz, "", rated_rpm=1_650)
        assert found[0].features[state] == own
        assert own.order_1_0 == pytest.approx(column + 1, rel=0.01)
        assert own.shaft_source == "found"
        assert (own.velocity_rms, own.velocity_reason) == (None, Reason.UNIT)
    assert found[0].sampling_hz == pytest.approx(RATE)


def test_a_window_is_as_long_as_its_part_if_that_is_shorter():
    time, values = signals(4)
    found = window_features(recorded(time, values), 0, 4, windows=4)
    assert [it.samples for it in found] == [1_000] * 4
    assert WINDOW_S > 4 / 4


def test_a_window_with_a_gap_is_no_signal_and_one_without_samples_is_left_out():
    time, values = signals(12)
    kept = (time < 1.5) | ((time >= 1.6) & (time < 4)) | (time >= 8)
    found = window_features(recorded(time[kept], values[kept]), 0, 12, windows=3)
    assert [(it.start, it.features is None) for it in found] == [(0.0, True), (8.0, False)]


def test_no_more_samples_are_read_than_a_window_may_have(monkeypatch):
    monkeypatch.setattr("vibration.windows.signal_features.MAX_SAMPLES", 500)
    [found] = window_features(recorded(*signals(4)), 0, 4, windows=1)
    assert found.samples == 500
