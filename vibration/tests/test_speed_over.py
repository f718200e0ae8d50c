"""Whether the shaft's line moves within a signal, against speeds whose course is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibration.signals.orders import speed_over

RATE, SECONDS = 2_560.0, 8.0
TIME = np.arange(round(RATE * SECONDS)) / RATE
RESOLUTION = 2 / SECONDS  # of a half
NOISE = np.random.default_rng(5).normal(0, 0.2, len(TIME))
SOON = settings(deadline=None, max_examples=60)


def turning(hz: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """The once and twice a revolution of a shaft that turns so fast at each sample, in noise."""
    angle = 2 * np.pi * np.cumsum(np.broadcast_to(hz, len(TIME))) / RATE + phase
    return 9.8 + np.sin(angle) + 0.4 * np.sin(2 * angle) + NOISE


@SOON
@given(st.floats(15, 120), st.floats(0, 6), st.floats(-0.02, 0.02))
def test_a_steady_speed_is_steady_wherever_between_the_bins(hz, phase, told_off):
    found = speed_over(turning(hz, phase), RATE, hz * (1 + told_off))
    assert found.is_steady
    assert (found.from_hz, found.to_hz) == pytest.approx((hz, hz), abs=0.2 * RESOLUTION)


@SOON
@given(st.floats(25, 110), st.floats(1.2, 2.5), st.sampled_from([-1, 1]))
def test_a_speed_that_rises_or_falls_is_told_with_where_from_and_where_to(hz, hertz, direction):
    """Evenly by so much: the halves have their means a half of it apart, which is more than their resolution."""
    found = speed_over(turning(hz + direction * hertz * (TIME / SECONDS - 0.5)), RATE, hz)
    assert not found.is_steady
    assert found.to_hz - found.from_hz == pytest.approx(direction * hertz / 2, abs=1.5 * RESOLUTION)


@SOON
@given(st.floats(25, 110), st.floats(0, 0.2))
def test_what_is_less_than_the_resolution_of_the_halves_is_steady(hz, hertz):
    assert speed_over(turning(hz + hertz * (TIME / SECONDS - 0.5)), RATE, hz).is_steady


def test_a_speed_that_changes_at_once_is_told():
    found = speed_over(turning(np.where(TIME < SECONDS / 2, 30.0, 31.5)), RATE, 30.5)
    assert (found.from_hz, found.to_hz, found.is_steady) == (
        pytest.approx(30, abs=0.05),
        pytest.approx(31.5, abs=0.05),
        False,
    )


def test_two_lines_of_which_now_one_and_now_the_other_is_higher_are_no_change_of_speed():
    one, two = np.sin(2 * np.pi * 30 * TIME), np.sin(2 * np.pi * 31.5 * TIME)
    louder = 1 + 0.5 * np.sign(TIME - SECONDS / 2)
    assert speed_over(one * (2 - louder) + two * louder + NOISE, RATE, 30.5) is None


@pytest.mark.parametrize(
    "values",
    [
        NOISE,
        np.full(len(TIME), 9.8),
        turning(30)[:10],
        turning(30)[: round(RATE / 2)],  # of a quarter of a second, no line at 30 Hz is told from the next
        np.where(TIME < SECONDS / 2, turning(30), NOISE),  # it stopped
    ],
)
def test_where_the_line_does_not_stand_out_of_both_halves_nothing_is_told(values):
    assert speed_over(values, RATE, 30) is None
