"""Diagnoses as runs of one state: pure numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.history.runs import Diagnoses, clip, reduce, runs_of

MINUTE = 60_000_000  # microseconds
VALID_FOR = 10 * MINUTE
NEVER = np.iinfo(np.int64).max


def diagnoses(*said: tuple[float, int], confidence=0.9, model=0) -> Diagnoses:
    """Pairs of minute and state."""
    minutes, states = zip(*said, strict=True) if said else ((), ())
    return Diagnoses(
        at=np.array([round(it * MINUTE) for it in minutes], np.int64),
        state=np.array(states, np.int8),
        confidence=np.full(len(said), confidence),
        model=np.full(len(said), model, np.int64),
    )


def told(runs) -> list[tuple]:
    """Start and end in minutes, state, count."""
    return [
        (start / MINUTE, end / MINUTE, state, count)
        for start, end, state, count in zip(runs.start, runs.end, runs.state, runs.count, strict=True)
    ]


def test_a_run_lasts_from_its_first_diagnosis_to_the_first_of_another_state():
    found = runs_of(diagnoses((0, 0), (5, 0), (8, 2), (9, 2), (12, 0)), valid_for=VALID_FOR, until=NEVER)
    assert told(found) == [(0, 8, 0, 2), (8, 12, 2, 2), (12, 22, 0, 1)]


def test_after_too_long_without_a_diagnosis_nobody_knows_and_the_same_state_is_another_run():
    found = runs_of(diagnoses((0, 0), (10, 0), (31, 0)), valid_for=VALID_FOR, until=NEVER)
    assert told(found) == [(0, 20, 0, 2), (31, 41, 0, 1)]


def test_the_last_run_ends_now_while_its_diagnosis_holds():
    assert told(runs_of(diagnoses((0, 1)), valid_for=VALID_FOR, until=4 * MINUTE)) == [(0, 4, 1, 1)]


def test_a_diagnosis_of_a_clock_ahead_of_ours_does_not_end_before_it_begins():
    assert told(runs_of(diagnoses((5, 1)), valid_for=VALID_FOR, until=0)) == [(5, 5, 1, 1)]


def test_no_diagnoses_are_no_runs():
    nothing = runs_of(diagnoses(), valid_for=VALID_FOR, until=NEVER)
    assert len(nothing) == 0
    assert len(reduce(clip(nothing, 0, MINUTE), 0, MINUTE, 100)) == 0


def test_a_run_knows_the_range_of_confidence_and_whether_several_models_spoke():
    said = Diagnoses(
        at=np.arange(4, dtype=np.int64) * MINUTE,
        state=np.array([1, 1, 1, 0], np.int8),
        confidence=np.array([0.5, np.nan, 0.75, np.nan]),
        model=np.array([0, 2, 1, 1]),
    )
    found = runs_of(said, valid_for=VALID_FOR, until=NEVER)
    assert found.least_confidence.tolist()[0] == 0.5
    assert found.greatest_confidence.tolist()[0] == 0.75
    assert np.isnan(found.least_confidence[1])
    assert (found.least_model.tolist(), found.greatest_model.tolist()) == ([0, 1], [2, 1])


def test_of_a_window_the_runs_that_touch_it_are_told_with_their_true_ends():
    found = runs_of(diagnoses((0, 0), (5, 1), (8, 0), (12, 3)), valid_for=VALID_FOR, until=NEVER)
    assert told(clip(found, 6 * MINUTE, 12 * MINUTE)) == [(5, 8, 1, 1), (8, 12, 0, 1)]


def test_runs_of_a_pixel_or_more_are_left_alone():
    found = runs_of(diagnoses((0, 0), (5, 1), (8, 0)), valid_for=VALID_FOR, until=10 * MINUTE)
    assert told(reduce(found, 0, 10 * MINUTE, 10)) == told(found)


def test_of_runs_thinner_than_a_pixel_the_worst_is_drawn_and_all_are_counted():
    flicker = diagnoses(*((second / 60, (0, 0, 3, 1)[second % 4]) for second in range(600)))
    found = reduce(runs_of(flicker, valid_for=VALID_FOR, until=10 * MINUTE), 0, 10 * MINUTE, 10)
    assert told(found) == [(minute, minute + 1, 3, 60) for minute in range(10)]
    assert found.runs.tolist() == [45] * 10


def test_a_second_of_fault_in_a_month_of_normal_is_not_lost():
    month = 30 * 24 * 60
    said = [(minute, 0) for minute in range(0, month, 5)] + [(7_001.5, 3), (7_001.5 + 1 / 60, 0)]
    found = runs_of(diagnoses(*sorted(said)), valid_for=VALID_FOR, until=month * MINUTE)
    reduced = reduce(found, 0, month * MINUTE, 300)
    assert told(reduced)[1][2:] == (3, 1)
    assert len(reduced) == 3


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), max_size=200),
    st.integers(1, 60),
)
def test_a_drawing_loses_no_diagnosis_and_no_worst_state(steps, pixels):
    minutes = np.cumsum([step for step, _state in steps]).tolist()
    said = diagnoses(*zip(minutes, [state for _step, state in steps], strict=True))
    end = 10_000 * MINUTE
    found = runs_of(said, valid_for=VALID_FOR, until=end)
    drawn = reduce(found, 0, end, pixels)
    assert drawn.count.sum() == len(steps)
    assert drawn.runs.sum() == len(found)
    assert len(drawn) <= 2 * pixels + 1
    for start, stop, state in zip(found.start, found.end, found.state, strict=True):
        covering = (drawn.start <= start) & (drawn.end >= stop)
        assert drawn.state[covering].max() >= state
    assert (drawn.start[1:] >= drawn.end[:-1]).all()


@pytest.mark.parametrize("pixels", [1, 7, 1_000])
def test_gaps_that_can_be_seen_stay(pixels):
    found = runs_of(diagnoses((0, 0), (500, 0)), valid_for=VALID_FOR, until=1_000 * MINUTE)
    drawn = reduce(found, 0, 1_000 * MINUTE, pixels)
    assert len(drawn) == (1 if pixels == 1 else 2)
