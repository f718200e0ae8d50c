"""Which act is legal, what it leads to, and what an episode is to people then; no database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosis.episodes.spans import Ending
from diagnosis.episodes.standing import Kind, Stage, Standing, Told, legal_kinds, stage_of, tell

START = datetime(2026, 11, 20, tzinfo=UTC)
ACK, SHELVE, UNSHELVE, NOTE, CLOSE = Kind


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@dataclass(frozen=True)
class Done:
    """An act at a minute; a shelving lasts so many."""

    kind: str
    minute: float = 0
    minutes: int = 10

    @property
    def at(self) -> datetime:
        return at(self.minute)

    @property
    def shelved_until(self) -> datetime | None:
        return at(self.minute + self.minutes) if self.kind == SHELVE else None


# The acts that bring an episode to a standing
WAYS = {
    Standing.OPEN: [],
    Standing.ACKNOWLEDGED: [Done(ACK)],
    Standing.SHELVED: [Done(SHELVE)],
    Standing.CLOSED: [Done(CLOSE)],
}
LEADS = {
    (Standing.OPEN, ACK): Standing.ACKNOWLEDGED,
    (Standing.OPEN, SHELVE): Standing.SHELVED,
    (Standing.OPEN, CLOSE): Standing.CLOSED,
    (Standing.ACKNOWLEDGED, SHELVE): Standing.SHELVED,
    (Standing.ACKNOWLEDGED, CLOSE): Standing.CLOSED,
    (Standing.SHELVED, UNSHELVE): Standing.ACKNOWLEDGED,
    (Standing.SHELVED, CLOSE): Standing.CLOSED,
}


@pytest.mark.parametrize(("standing", "kind"), list(product(Standing, Kind)))
def test_an_act_leads_where_it_is_legal_and_else_has_no_effect(standing, kind):
    before = tell(WAYS[standing])
    after = tell([*WAYS[standing], Done(kind, 1)])
    assert before.standing is standing
    assert after.standing is LEADS.get((standing, kind), standing)
    assert (after == before) == ((standing, kind) not in LEADS)


LEGAL = {
    Stage.UNACKNOWLEDGED: {ACK, SHELVE, NOTE, CLOSE},
    Stage.ACKNOWLEDGED: {SHELVE, NOTE, CLOSE},
    Stage.SHELVED: {UNSHELVE, NOTE, CLOSE},
    Stage.CLEARED: {ACK, NOTE, CLOSE},
    Stage.CLOSED: {NOTE, CLOSE},
    Stage.CONTINUED: {NOTE},
    Stage.WITHDRAWN: {NOTE},
}


@pytest.mark.parametrize("stage", Stage)
def test_what_may_be_done_at_each_stage(stage):
    assert legal_kinds(stage, has_outcome=False) == LEGAL[stage]
    assert legal_kinds(stage, has_outcome=True) == LEGAL[stage] - {CLOSE}


@pytest.mark.parametrize(
    ("ending", "standing", "stage"),
    [
        (Ending.NONE, Standing.OPEN, Stage.UNACKNOWLEDGED),
        (Ending.NONE, Standing.ACKNOWLEDGED, Stage.ACKNOWLEDGED),
        (Ending.NONE, Standing.SHELVED, Stage.SHELVED),
        (Ending.NONE, Standing.CLOSED, Stage.CLOSED),
        (Ending.CLEARED, Standing.OPEN, Stage.CLEARED),
        (Ending.CLEARED, Standing.ACKNOWLEDGED, Stage.CLOSED),
        (Ending.CLEARED, Standing.SHELVED, Stage.SHELVED),
        (Ending.CLEARED, Standing.CLOSED, Stage.CLOSED),
        *((Ending.WORSENED, standing, Stage.CONTINUED) for standing in Standing),
        *((Ending.CLOSED, standing, Stage.CLOSED) for standing in Standing),
    ],
)
def test_what_an_episode_is_to_people(ending, standing, stage):
    assert stage_of(standing, at(10), ending, at(9)) is stage


@pytest.mark.parametrize(("ending", "stage"), [(Ending.NONE, Stage.UNACKNOWLEDGED), (Ending.CLEARED, Stage.CLEARED)])
def test_shelving_ends_by_the_clock_and_is_open_again(ending, stage):
    told = tell([Done(ACK), Done(SHELVE, 1, minutes=10)])
    assert told.at(at(10.9)) is Standing.SHELVED
    assert told.at(at(11)) is Standing.OPEN
    until = told.shelved.shelved_until
    assert stage_of(told.standing, until, ending, at(10.9)) is Stage.SHELVED
    assert stage_of(told.standing, until, ending, at(11)) is stage


def test_after_it_has_ended_by_the_clock_it_is_acknowledged_anew_and_not_taken_from_the_shelf():
    shelved = Done(SHELVE, minutes=10)
    assert tell([shelved, Done(UNSHELVE, 10)]) == tell([shelved])
    again = Done(ACK, 10)
    assert tell([shelved, again]) == Told(Standing.ACKNOWLEDGED, acknowledged=again)
    assert tell([shelved, Done(ACK, 9)]) == tell([shelved])


def test_who_ends_a_shelving_by_hand_has_acknowledged_it():
    by_hand = Done(UNSHELVE, 5)
    assert tell([Done(SHELVE), by_hand]) == Told(Standing.ACKNOWLEDGED, acknowledged=by_hand)


def test_what_is_shelved_is_no_longer_acknowledged():
    shelved = Done(SHELVE, 1)
    assert tell([Done(ACK), shelved]) == Told(Standing.SHELVED, shelved=shelved)


def test_an_outcome_ends_all_but_leaves_who_had_acknowledged_it():
    acknowledged, closed = Done(ACK), Done(CLOSE, 2)
    assert tell([acknowledged, closed]) == Told(Standing.CLOSED, acknowledged=acknowledged, closed=closed)
    assert tell([Done(SHELVE), closed]) == Told(Standing.CLOSED, closed=closed)


def test_where_two_episodes_became_one_the_acts_that_came_second_have_no_effect():
    first, second = Done(ACK), Done(ACK, 1)
    assert tell([first, second]).acknowledged is first
    closed = Done(CLOSE, 2)
    told = tell([first, second, closed, Done(CLOSE, 3), Done(SHELVE, 4), Done(ACK, 5)])
    assert (told.standing, told.closed, told.shelved) == (Standing.CLOSED, closed, None)


TRIED = st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 12), st.integers(1, 12)), max_size=12)


@settings(max_examples=500, deadline=None)
@given(tried=TRIED, ends_after=st.integers(0, 12), ending=st.sampled_from(Ending))
def test_each_act_that_is_accepted_has_its_effect(tried, ends_after, ending):
    """Whatever people try, and whenever the episode ends: nobody is told "done" where nothing is."""
    done: list[Done] = []
    minute = 0
    for number, (kind, pause, minutes) in enumerate(tried):
        minute += pause
        told = tell(done)
        until = told.shelved and told.shelved.shelved_until
        ended = ending if number >= ends_after else Ending.NONE
        stage = stage_of(told.standing, until, ended, at(minute))
        if kind not in legal_kinds(stage, has_outcome=told.closed is not None):
            continue
        act = Done(kind, minute, minutes)
        done.append(act)
        after = tell(done)
        if kind is NOTE:
            assert after == told
        else:
            assert after.standing is LEADS[told.at(at(minute)), kind]
            assert act in (after.acknowledged, after.shelved, after.closed)
