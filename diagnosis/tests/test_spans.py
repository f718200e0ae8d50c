"""What a stream of diagnoses says of episodes, by itself and against a slow plain reading."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosis.episodes.families import family_of
from diagnosis.episodes.spans import Closing, Ending, Fold, Point, Span, spans_of
from machines.episode_rules import Rule, read_rule

START = datetime(2026, 11, 20, tzinfo=UTC)
SEVERITIES = [0, 1, 2, 3]
RULE = Rule(2, 3, 5)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def points(states: str, model: str = "cnn") -> list[Point]:
    """One diagnosis a minute."""
    return [Point(at(minute), model, int(state), 0.9) for minute, state in enumerate(states)]


def told(spans: list[Span]) -> list[tuple]:
    """Fault, minutes of begin, opening, last and end, and how it ended."""

    def minute(instant):
        return None if instant is None else (instant - START) / timedelta(minutes=1)

    return [
        (it.fault, minute(it.began_at), minute(it.opened_at), minute(it.last_at), minute(it.ended_at), it.ending.value)
        for it in spans
    ]


def spans(states: str, *closings: Closing, rule: Rule = RULE) -> list[tuple]:
    return told(spans_of(points(states), closings, rule, SEVERITIES))


def test_one_fault_alone_opens_nothing():
    assert spans("00010000") == []
    assert spans("0001001000") == []


def test_two_of_three_open_and_five_normal_ones_clear():
    assert spans("0101") == [(1, 1, 3, 3, None, "")]
    assert spans("01100000") == [(1, 1, 2, 2, 7, "cleared")]
    assert spans("0110000") == [(1, 1, 2, 2, None, "")]


def test_a_flapping_series_is_one_episode():
    assert spans("11" + "001" * 50) == [(1, 0, 1, 151, None, "")]


def test_a_worse_fault_goes_on_as_another_episode_of_the_same_story():
    first, second = spans_of(points("111133"), [], RULE, SEVERITIES)
    assert told([first, second]) == [(1, 0, 1, 4, 5, "worsened"), (3, 4, 5, 5, None, "")]
    assert second.follows is first
    assert second.holds(at(5)) and not first.holds(at(5))
    assert first.holds(at(4)) and not second.holds(at(4))


def test_a_milder_fault_changes_nothing_until_it_clears():
    assert spans("33" + "1" * 20) == [(3, 0, 1, 21, None, "")]


def test_faults_of_different_kinds_open_the_one_that_is_said_most_and_else_the_worst():
    assert spans("13") == [(3, 0, 1, 1, None, "")]
    assert spans("121", rule=Rule(3, 3, 5)) == [(1, 0, 2, 2, None, "")]


def test_after_a_closing_a_new_occurrence_is_a_new_episode():
    closing = Closing(covers_to=at(3.5), about=at(3))
    assert spans("111111", closing) == [(1, 0, 1, 3, 3.5, "closed"), (1, 4, 5, 5, None, "")]


def test_a_closing_is_about_what_it_is_about():
    """It ends no episode that opened since."""
    of_the_first = Closing(covers_to=at(9.5), about=at(1))
    assert spans("11000000111", of_the_first) == [(1, 0, 1, 1, 6, "cleared"), (1, 8, 9, 10, None, "")]


def test_what_an_episode_counts():
    [span] = spans_of(
        [Point(at(0), "a-v1", 1, 0.5), Point(at(1), "a-v2", 1, None), Point(at(2), "a-v2", 0, 1.0)],
        [],
        RULE,
        SEVERITIES,
    )
    assert (span.count, span.models, span.least_confidence, span.greatest_confidence) == (2, {"a-v1", "a-v2"}, 0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("cnn-v3", "cnn"),
        ("cnn_3.1", "cnn"),
        ("conv2", "conv2"),
        ("resnet50-2", "resnet50"),
        ("resnet50-v2", "resnet50"),
        ("cnn-", "cnn-"),
        ("a-b", "a-b"),
        ("cnn--3", "cnn"),
        ("3.1", "3.1"),
        ("-3", "-3"),
        ("CNN V2", "CNN"),
        ("cnn-2026-11-01", "cnn"),
        ("reference-1", "reference"),
        ("resnet50", "resnet50"),
        ("v3", "v3"),
        ("", ""),
        ("진동모델-v2", "진동모델"),
    ],
)
def test_versions_of_a_model_are_one_family(name, family):
    assert family_of(name) == family


@pytest.mark.parametrize("text", ["2/3", "0/3/5", "4/3/5", "2/21/5", "2/3/0", "2/3/101", "a/b/c", "2/3/5 ", ""])
def test_what_is_no_rule_is_refused_by_name(text):
    with pytest.raises(ValueError, match=f"'{text}'"):
        read_rule(text)


# --- Against a slow plain reading


def read_plainly(said: list[Point], closings: list[Closing], rule: Rule) -> list[tuple]:
    """The same by its definition: at each diagnosis all that was said since the stream began anew is looked at."""
    found: list[dict] = []
    since, active = 0, None
    for index, point in enumerate(said):
        for closing in closings:
            covered = [it.at <= closing.covers_to for it in said[:index]]
            is_now = point.at > closing.covers_to and (index == 0 or all(covered))
            if is_now and active and closing.about >= active["starts"]:
                active.update(ended=closing.covers_to, ending="closed")
                since, active = index, None
        window = said[max(since, index - rule.open_of + 1) : index + 1]
        if point.state == 0:
            last = said[max(since, index - rule.clear_after + 1) : index + 1]
            if active and len(last) == rule.clear_after and not any(it.state for it in last):
                active.update(ended=point.at, ending="cleared")
                since, active = index + 1, None
            continue
        bar = SEVERITIES[active["fault"]] if active else 0
        counted = [it for it in window if SEVERITIES[it.state] > bar]
        if SEVERITIES[point.state] > bar and len(counted) >= rule.open_after:
            states = [it.state for it in counted]
            fault = max(set(states), key=lambda it: (states.count(it), SEVERITIES[it]))
            if active:
                active.update(ended=point.at, ending="worsened")
            began = counted[0].at
            active = {
                "fault": fault,
                "began": began,
                "opened": point.at,
                "last": point.at,
                "starts": point.at if active else began,
                "ended": None,
                "ending": "",
            }
            found.append(active)
        elif active:
            active["last"] = point.at
    for closing in closings:
        if active and all(it.at <= closing.covers_to for it in said) and closing.about >= active["starts"]:
            active.update(ended=closing.covers_to, ending="closed")
            active = None
    return [(it["fault"], it["began"], it["opened"], it["last"], it["ended"], it["ending"]) for it in found]


RULES = st.builds(
    lambda n, more, clear: Rule(n, n + more, clear), st.integers(1, 3), st.integers(0, 2), st.integers(1, 5)
)
STREAMS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.sampled_from([0, 0, 0, 1, 2, 3])),
    max_size=40,
    unique_by=lambda it: it[:2],
)


@settings(max_examples=500, deadline=None)
@given(STREAMS, RULES, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)), max_size=3))
def test_spans_are_what_a_plain_reading_says_whatever_the_order(said, rule, closed):
    stream = [Point(at(minute), model, state, None) for minute, model, state in said]
    closings = sorted(Closing(at(to + 0.5), at(to - before)) for to, before in closed)
    found = spans_of(reversed(stream), closings, rule, SEVERITIES)
    plain = read_plainly(sorted(stream, key=lambda it: it.key), closings, rule)
    assert [(it.fault, it.began_at, it.opened_at, it.last_at, it.ended_at, it.ending.value) for it in found] == plain


@settings(max_examples=200, deadline=None)
@given(STREAMS, RULES, st.integers(0, 40))
def test_a_fold_that_is_taken_up_again_says_the_same(said, rule, cut):
    stream = sorted((Point(at(minute), model, state, None) for minute, model, state in said), key=lambda it: it.key)
    whole = spans_of(stream, [], rule, SEVERITIES)
    fold = Fold(rule, SEVERITIES)
    for it in stream[:cut]:
        fold.add(it)
    again = Fold(rule, SEVERITIES, window=list(fold.window), normals=fold.normals, span=fold.span)
    before = [it for it in fold.spans if it is not fold.span]
    for it in stream[cut:]:
        again.add(it)
    assert told([*before, *again.spans]) == told(whole)


@settings(max_examples=200, deadline=None)
@given(STREAMS, RULES)
def test_each_instant_is_of_one_span_at_most(said, rule):
    found = spans_of([Point(at(minute), model, state, None) for minute, model, state in said], [], rule, SEVERITIES)
    for minute in range(41):
        assert sum(it.holds(at(minute)) for it in found) <= (2 if minute in _clearing_minutes(found) else 1)


def _clearing_minutes(found: list[Span]) -> set[float]:
    """At the instant with which one clears, the next may begin, where two models speak of it."""
    return {(it.ended_at - START) / timedelta(minutes=1) for it in found if it.ending is Ending.CLEARED and it.ended_at}
