"""Stored episodes equal what diagnoses and acts say, whatever the order in which they came and went."""

import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from unittest.mock import patch

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnosis.episodes.families import family_of
from diagnosis.episodes.spans import Closing, Point, spans_of
from diagnosis.episodes.standing import Kind, Stage, tell
from diagnosis.models import Episode, EpisodeAct, EpisodeTail, Notice, Subscription, VibrationDiagnosis
from diagnosis.states import SEVERITIES
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor, Moved
from diagnosis.storage.episodes import rebuild
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.world import ago, post
from machines.episode_rules import Rule, read_rule
from machines.models import Machine

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, tzinfo=UTC)
EXAMPLES = int(os.environ.get("HIMMES_EPISODE_EXAMPLES", 60))
KIM = Actor(None, "kim", "10.0.0.7")


@pytest.fixture
def settings_of_django(settings):
    """By a name of its own, as `settings` is that of hypothesis here."""
    return settings


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def say(states: str, *, first: int = 0, model: str = "cnn", machine: str = "g1") -> None:
    """One diagnosis a minute, in one post; a dot is none."""
    said = [(at(first + minute), int(state)) for minute, state in enumerate(states) if state != "."]
    post(machine, *said, model=model)


def only() -> Episode:
    return Episode.objects.get()


def kept() -> list[tuple]:
    """What the live rows say, without numbers and revisions, in order."""
    return [_told(row) for row in Episode.objects.live().order_by("machine", "family", "opened_at", "opened_by")]


def _told(row: Episode) -> tuple:
    return (
        (row.machine.name, row.family, row.fault_type),
        (row.began_at, row.opened_at, row.last_at, row.ended_at, row.ending),
        (row.count, row.model_names, row.least_confidence, row.greatest_confidence),
        row.follows and row.follows.opened_at,
        (row.standing, row.acknowledged_at, row.acknowledged_by, row.shelved_until, row.closed_at, row.verdict),
    )


def read_purely(rule: Rule) -> list[tuple]:
    """The same from all diagnoses and acts, by the pure functions."""
    streams = defaultdict(list)
    for it in VibrationDiagnosis.objects.select_related("machine"):
        point = Point(it.detected_at, it.model_name, it.fault_type, it.confidence)
        streams[it.machine.name, family_of(it.model_name)].append(point)
    found = []
    for (machine, family), points in sorted(streams.items()):
        about = list(EpisodeAct.objects.filter(machine__name=machine, family=family).order_by("pk"))
        closings = [Closing(act.covers_to, act.about) for act in about if act.kind == Kind.CLOSE]
        for span in spans_of(points, closings, rule, SEVERITIES):
            told = tell([act for act in about if span.holds(act.about)])
            edges = (span.began_at, span.opened_at, span.last_at, span.ended_at, span.ending.value)
            acknowledged, closed = told.acknowledged, told.closed
            found.append(
                (
                    (machine, family, span.fault),
                    edges,
                    (span.count, sorted(span.models), span.least_confidence, span.greatest_confidence),
                    span.follows and span.follows.opened_at,
                    (
                        told.standing.value,
                        acknowledged and acknowledged.at,
                        acknowledged.by_name if acknowledged else "",
                        told.shelved and told.shelved.shelved_until,
                        closed and closed.at,
                        closed.verdict if closed else "",
                    ),
                )
            )
    return found


def test_two_faults_open_an_episode_and_it_grows():
    say("001")
    assert not Episode.objects.exists()
    say("1", first=3)
    number = only().pk
    say("0111", first=4)
    row = only()
    assert (row.pk, row.began_at, row.opened_at, row.last_at, row.count) == (number, at(2), at(3), at(7), 5)
    assert (row.severity, row.model_names, row.revision) == (2, ["cnn"], 1)


def test_silence_neither_opens_nor_clears():
    say("11")
    say("1", first=60 * 24 * 30)
    assert (only().ended_at, only().count) == (None, 3)


def test_a_late_normal_stretch_splits_an_episode_and_both_parts_keep_what_is_theirs():
    say("111......111")
    row = only()
    acts.acknowledge(row.pk, KIM, seen=row.revision)
    say("00000", first=4)
    first, second = Episode.objects.order_by("opened_at")
    # The act was about the newest diagnosis, which the second part has; so that is the one that was acted on.
    assert (first.standing, second.standing, second.acknowledged_by) == ("open", "acknowledged", "kim")
    assert first.pk == row.pk and first.revised_at and first.revision > row.revision
    assert (
        [act.kind for act in acts.history_of(first)] == [act.kind for act in acts.history_of(second)] == ["acknowledge"]
    )


def test_late_faults_join_two_episodes_and_the_history_of_both_stays():
    say("11")
    say("00000", first=2)
    say("11", first=8)
    first, second = Episode.objects.order_by("opened_at")
    acts.note(first.pk, KIM, comment="loud")
    acts.acknowledge(second.pk, KIM, seen=second.revision)
    say("1", first=5, model="cnn-v2")  # among the five normal ones
    assert Episode.objects.live().count() == 1
    row = Episode.objects.live().get()
    gone = Episode.objects.get(live=None)
    assert gone.merged_into == row and gone.stage() == Stage.WITHDRAWN
    assert [act.kind for act in acts.history_of(row)] == ["note", "acknowledge"]
    assert row.standing == "acknowledged"


def test_an_episode_that_late_data_take_back_stays_where_somebody_acted():
    say("1.1")
    row = only()
    acts.note(row.pk, KIM, comment="heard it")
    say("0000011", first=20)
    delete_diagnoses(VibrationDiagnosis.objects.filter(detected_at=at(2)))
    withdrawn = Episode.objects.get(pk=row.pk)
    assert withdrawn.live is None and withdrawn.merged_into is None
    assert [act.comment for act in acts.history_of(withdrawn)] == ["heard it"]


def test_of_two_that_are_taken_back_the_one_that_somebody_knew_stays_without_its_predecessor():
    say("1133")
    milder, worse = Episode.objects.order_by("opened_at")
    assert worse.follows == milder
    acts.note(worse.pk, KIM, comment="heard it")
    delete_diagnoses(VibrationDiagnosis.objects.all())
    assert (only().pk, only().live, only().follows_id) == (worse.pk, None, None)
    connection.check_constraints()


def test_an_episode_that_nobody_knew_of_goes_without_a_trace():
    say("1.1")
    delete_diagnoses(VibrationDiagnosis.objects.filter(detected_at=at(2)))
    assert not Episode.objects.exists()


def test_when_all_diagnoses_are_deleted_nothing_is_kept_of_the_stream():
    say("11")
    delete_diagnoses(VibrationDiagnosis.objects.all())
    assert not Episode.objects.exists() and not EpisodeTail.objects.exists()


def test_another_rule_of_a_machine_counts_from_its_next_diagnosis_for_all_that_was_said():
    say("1000100011")
    assert only().opened_at == at(9)
    Machine.objects.update(episode_rule="1/1/2")
    say("0", first=10)
    assert [row.opened_at for row in Episode.objects.order_by("opened_at")] == [at(0), at(4), at(8)]


@pytest.mark.parametrize("touch", ["closed", "deleted"])
def test_another_rule_of_the_site_holds_for_all_of_a_stream_whatever_touches_it_first(settings_of_django, touch):
    say("1000000011111")
    settings_of_django.EPISODE_RULE = "1/1/2"
    if touch == "closed":
        acts.close(only().pk, KIM, seen=only().revision, verdict="unclear")
    else:
        delete_diagnoses(VibrationDiagnosis.objects.filter(detected_at=at(12)))
    assert kept() == read_purely(read_rule("1/1/2"))


def test_what_a_server_of_the_version_before_stored_is_in_episodes_once_they_are_made_anew():
    say("0011")
    machine = Machine.objects.get()
    VibrationDiagnosis.objects.bulk_create(  # as by one that knows of no episodes
        VibrationDiagnosis(machine=machine, detected_at=at(minute), fault_type=0, model_name="cnn", confidence=0.9)
        for minute in range(4, 9)
    )
    say("1", first=9)
    assert rebuild(machine) == 1
    check(read_rule("2/3/5"))


def test_what_was_acknowledged_is_open_again_once_it_is_worse():
    say("111")
    acts.acknowledge(only().pk, KIM, seen=only().revision)
    say("33", first=3)
    milder, worse = Episode.objects.order_by("opened_at")
    assert (milder.stage(), worse.stage(), worse.follows) == (Stage.CONTINUED, Stage.UNACKNOWLEDGED, milder)


def test_a_new_occurrence_after_a_closing_is_a_new_episode():
    say("111")
    with clock_at(10):
        acts.close(only().pk, KIM, seen=only().revision, verdict="right", found=1)
    say("1", first=9)  # came late: it is one of those that were looked at
    assert only().count == 4
    say("11", first=11)
    first, second = Episode.objects.order_by("opened_at")
    assert (first.ending, first.ended_at, first.stage()) == ("closed", at(10), Stage.CLOSED)
    assert (second.began_at, second.stage()) == (at(11), Stage.UNACKNOWLEDGED)


def test_a_machine_with_episodes_is_not_deleted():
    say("11")
    with pytest.raises(Exception, match="protected"):
        Machine.objects.get().delete()


def test_a_rule_that_an_administrator_gives_a_machine_holds_at_once():
    say("10001")
    machine = Machine.objects.get()
    assert not Episode.objects.exists()
    machine.episode_rule = "1/1/2"
    machine.save()
    assert [row.opened_at for row in Episode.objects.order_by("opened_at")] == [at(0), at(4)]


def test_the_command_makes_episodes_anew_and_says_what_changed():
    say("1100000")
    out = StringIO()
    call_command("rebuild_episodes", stdout=out)
    assert out.getvalue() == "1 machines, 0 episodes changed\n"
    before = kept()
    Episode.objects.all().delete()
    call_command("rebuild_episodes", machine=["g1"], stdout=out)
    assert out.getvalue().endswith("g1: 1 episodes changed\n1 machines, 1 episodes changed\n")
    assert kept() == before
    with pytest.raises(CommandError, match="There is no machine g9"):
        call_command("rebuild_episodes", machine=["g9"])


def test_the_migration_makes_the_episodes_of_what_was_diagnosed_before():
    say("0111100000011133")
    say("11", model="b")
    expected = kept()
    tails = list(EpisodeTail.objects.order_by("family").values())
    EpisodeTail.objects.all().delete()
    for row in Episode.objects.order_by("-opened_at"):
        row.delete()
    migration = import_module("diagnosis.migrations.0005_fill_episodes")
    migration.fill(apps, connection.schema_editor())
    assert kept() == expected
    assert list(EpisodeTail.objects.order_by("family").values()) == tails
    migration.refuse_to_forget(apps, connection.schema_editor())
    acts.note(Episode.objects.first().pk, KIM, comment="heard it")
    with pytest.raises(RuntimeError, match="would be lost"):
        migration.refuse_to_forget(apps, connection.schema_editor())


def test_late_history_of_an_old_fault_tells_nobody_and_a_fresh_one_does(operator):
    Subscription.objects.create(user=operator, channel="email")
    say("11")
    post("g2", (ago(3), 1), (ago(2), 1))
    assert [(it.transition, it.machine.name) for it in Notice.objects.all()] == [("opened", "g2")]
    post("g2", (ago(1.5), 3), (ago(1), 3))
    post("g2", *((ago(0.5 - number / 100), 0) for number in range(5)))
    assert [it.transition for it in Notice.objects.order_by("pk")] == ["opened", "worsened", "cleared"]


# --- Whatever the order


def clock_at(minute: float):
    return patch.object(timezone, "now", lambda: at(minute))


SAID = st.lists(
    st.tuples(
        st.integers(0, 30), st.sampled_from(["a-v1", "a-v2", "b"]), st.sampled_from([0, 0, 0, 1, 1, 3]), st.booleans()
    ),
    max_size=30,
    unique_by=lambda it: it[:2],
)
# What somebody does between two posts, with which of the episodes then, and when
DONE = st.lists(st.tuples(st.sampled_from([*Kind]), st.integers(0, 3), st.integers(0, 45)), max_size=4)


def act(kind: Kind, which: int, minute: int) -> None:
    rows = list(Episode.objects.live().order_by("family", "opened_at"))
    if not rows:
        return
    row = rows[which % len(rows)]
    with clock_at(minute):
        try:
            match kind:
                case Kind.ACKNOWLEDGE:
                    acts.acknowledge(row.pk, KIM, seen=row.revision)
                case Kind.SHELVE:
                    acts.shelve(row.pk, KIM, seen=row.revision, reason="overhaul", minutes=8)
                case Kind.UNSHELVE:
                    acts.unshelve(row.pk, KIM, seen=row.revision)
                case Kind.NOTE:
                    acts.note(row.pk, KIM, comment="heard it")
                case Kind.CLOSE:
                    acts.close(row.pk, KIM, seen=row.revision, verdict="unclear")
        except Moved:
            pass  # it was not legal


# More by HIMMES_EPISODE_EXAMPLES
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=SAID.flatmap(st.permutations),
    sizes=st.lists(st.integers(1, 8), min_size=30, max_size=30),
    done=DONE,
    rule=st.sampled_from(["2/3/5", "1/1/1", "2/2/2", "1/3/2", "2/4/3"]),
    deleted=st.sets(st.integers(0, 29), max_size=8),
)
def test_whatever_the_order_of_diagnoses_and_acts_the_same_is_kept(said, sizes, done, rule, deleted):
    Machine.objects.get_or_create(name="g1")
    Machine.objects.update(episode_rule=rule)
    try:
        left, done, known = list(said), list(done), {}
        for size in sizes:
            batch, left = left[:size], left[size:]
            for model in {it[1] for it in batch}:
                post(
                    "g1", *((at(minute), state) for minute, name, state, _twice in batch if name == model), model=model
                )
            for minute, model, state, twice in batch:
                if twice:
                    post("g1", (at(minute), state), model=model)
            if done:
                act(*done.pop())
            if not left:
                break
        check(read_rule(rule))
        known = {row.pk for row in Episode.objects.filter(acts__isnull=False)}
        gone = [(at(said[it][0]), said[it][1]) for it in deleted if it < len(said)]
        delete_diagnoses([it for it in VibrationDiagnosis.objects.all() if (it.detected_at, it.model_name) in gone])
        check(read_rule(rule))
        for minute, model, state, _twice in said:  # what was deleted comes again
            post("g1", (at(minute), state), model=model)
        check(read_rule(rule))
        assert known <= set(Episode.objects.values_list("pk", flat=True))
        assert set(EpisodeAct.objects.values_list("episode", flat=True)) <= set(
            Episode.objects.values_list("pk", flat=True)
        )
    finally:
        EpisodeAct.objects.all()._raw_delete("default")
        Episode.objects.all().delete()
        EpisodeTail.objects.all().delete()
        VibrationDiagnosis.objects.all().delete()


def check(rule: Rule) -> None:
    assert kept() == read_purely(rule)
    [machine] = Machine.objects.all()
    tails = list(EpisodeTail.objects.order_by("family").values())
    before = list(Episode.objects.order_by("pk").values())
    assert rebuild(machine) == 0
    assert list(Episode.objects.order_by("pk").values()) == before
    assert [(it["last_at"], it["last_model"]) for it in EpisodeTail.objects.order_by("family").values()] == [
        (it["last_at"], it["last_model"]) for it in tails
    ]
    in_sql()


def in_sql() -> None:
    """Each episode is in one stage, and the same in SQL."""
    for minute in (0, 20, 50):
        now = at(minute)
        of_stage = {stage: set(Episode.objects.in_stages({stage}, now).values_list("pk", flat=True)) for stage in Stage}
        for row in Episode.objects.all():
            assert [stage for stage, numbers in of_stage.items() if row.pk in numbers] == [row.stage(now)]
