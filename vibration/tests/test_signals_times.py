"""What the times beside a signal say of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibration.signals.times import check_times

RATE = 25_600.0


def times(count: int = 5_000, rate: float = RATE) -> np.ndarray:
    return np.arange(count) / rate


@pytest.mark.parametrize(
    "time",
    [times(), times() + 12.5, np.round(times(), 6), np.round(times(rate=RATE), 9)],
    ids=["exact", "later", "microseconds", "nanoseconds"],
)
def test_even_times_tell_their_rate(time):
    check = check_times(time)
    assert check.sampling_hz == pytest.approx(RATE, rel=1e-6)
    assert check.step == pytest.approx(1 / RATE, rel=0.03)
    assert check.is_even
    assert check.rises
    assert not check.has_gap
    assert not check.clock_drifts


def test_so_do_instants_since_1970_in_nanoseconds():
    nanoseconds = 1_764_115_200_000_000_000 + np.rint(times() * 1e9).astype(np.int64)
    check = check_times(nanoseconds, 10**9)
    assert check.sampling_hz == pytest.approx(RATE, rel=1e-6)
    assert check.is_even
    assert not check.clock_drifts


def test_so_do_those_in_seconds_as_doubles_of_a_quarter_of_a_microsecond():
    check = check_times(1_764_115_200 + times())
    assert check.sampling_hz == pytest.approx(RATE, rel=1e-6)
    assert not check.has_gap
    assert not check.clock_drifts


def test_so_do_those_of_800_hz_in_whole_milliseconds():
    check = check_times(np.round(times(4_000, 800.0), 3))
    assert check.sampling_hz == pytest.approx(800, rel=1e-5)
    assert not check.has_gap
    assert not check.clock_drifts


@settings(deadline=None, max_examples=300)
@given(st.integers(2, 3_000), st.floats(2, 40), st.integers(1, 6), st.floats(0, 100))
def test_rounding_to_half_a_step_or_less_makes_no_gap_and_no_drift(count, quanta, decimals, start):
    step = quanta / 10**decimals
    check = check_times(np.round(start + step * np.arange(count), decimals))
    assert check.rises
    assert not check.has_gap
    assert not check.clock_drifts
    assert check.sampling_hz == pytest.approx(1 / step, rel=3 / quanta / (count - 1))


def test_missing_samples_are_a_gap_before_the_next():
    time = np.delete(times(), [1_000, 1_001, 3_000])
    check = check_times(time)
    assert check.gaps == (1_000, 2_998)
    assert check.has_gap
    assert check.sampling_hz == pytest.approx(RATE)
    assert not check.clock_drifts


def test_times_that_repeat_or_fall_back_are_told_and_have_no_rate():
    time = times()
    time[2_000] = time[1_999]
    time[3_000] = time[2_990]
    check = check_times(time)
    assert check.repeats == (2_000,)
    assert check.falls_back == (3_000,)
    assert not check.rises
    assert check.sampling_hz is None
    assert check.step == pytest.approx(1 / RATE)
    assert not check.clock_drifts


@pytest.mark.parametrize("change", [0.002, -0.002, 0.05])
def test_a_rate_that_changes_is_a_clock_that_drifts(change):
    steps = np.linspace(1 - change, 1 + change, 5_000) / RATE
    check = check_times(np.cumsum(steps))
    assert check.drift == pytest.approx(-change, rel=0.1)
    assert check.clock_drifts
    assert not check.has_gap


def test_a_rate_that_changes_by_less_than_a_spectrum_shows_is_none():
    steps = np.linspace(1 - 1e-4, 1 + 1e-4, 5_000) / RATE
    check = check_times(np.cumsum(steps))
    assert check.drift == pytest.approx(-1e-4, rel=0.1)  # of which nothing is rounding
    assert not check.clock_drifts


def test_steps_that_come_as_they_please_are_not_even():
    steps = np.random.default_rng(1).uniform(0.6, 1.4, 5_000) / RATE
    check = check_times(np.cumsum(steps))
    assert not check.is_even
    assert check.clock_drifts


@pytest.mark.parametrize("time", [[], [1.5]])
def test_fewer_than_two_times_tell_nothing(time):
    check = check_times(np.array(time))
    assert (check.step, check.sampling_hz, check.drift) == (0.0, None, None)
    assert check.rises
    assert not check.clock_drifts


def test_two_times_tell_a_rate():
    assert check_times(np.array([0.5, 1.0])).sampling_hz == 2.0
