"""What people do is written once, by the rules, and the database holds what it can of them by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import RequestFactory
from django.utils import timezone

from diagnosis.episodes.standing import Stage
from diagnosis.models import Episode, EpisodeAct
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor, InvalidAct, Moved
from diagnosis.storage.episodes import rebuild
from diagnosis.tests.world import post
from machines.models import Machine

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, tzinfo=UTC)
KIM = Actor(None, "kim", "10.0.0.7")


@pytest.fixture
def episode() -> Episode:
    post("g1", (START, 1), (START + timedelta(minutes=1), 1))
    return Episode.objects.get()


def act_of(episode: Episode, kind: str, **more: Any) -> EpisodeAct:
    """One as it might be written past the code that writes acts."""
    plain = {"number": None if kind == "note" else 1, "revision": 2, "at": timezone.now(), "by_name": "mallory"}
    about = {"machine_id": episode.machine_id, "family": episode.family, "about": episode.last_at}
    return EpisodeAct(episode=episode, kind=kind, **plain | about | more)


CLOSED = {"covers_to": START}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("acknowledge", {}),
        ("shelve", {"comment": "overhaul", "minutes": 1}),
        ("shelve", {"comment": "overhaul", "minutes": 10_080}),
        ("note", {"comment": "loud"}),
        ("close", CLOSED | {"verdict": "right", "found": 3}),
        ("close", CLOSED | {"verdict": "right", "found": -1, "action": "belt changed"}),
        ("close", CLOSED | {"verdict": "false", "found": 0}),
        ("close", CLOSED | {"verdict": "unclear"}),
    ],
)
def test_the_database_takes_what_is_right(episode, kind, content):
    act_of(episode, kind, **content).save()
    assert EpisodeAct.objects.get().kind == kind


WRONG = [
    ("explode", {}),
    ("", {}),
    ("acknowledge", {"number": None}),
    ("acknowledge", {"number": 0}),
    ("acknowledge", {"minutes": 5}),
    ("acknowledge", {"verdict": "right"}),
    ("acknowledge", {"found": 1}),
    ("acknowledge", {"action": "oiled"}),
    ("acknowledge", {"covers_to": START}),
    ("note", {}),
    ("note", {"comment": ""}),
    ("note", {"comment": "loud", "number": 1}),
    ("shelve", {"comment": "overhaul"}),
    ("shelve", {"comment": "overhaul", "minutes": 0}),
    ("shelve", {"comment": "overhaul", "minutes": 10_081}),
    ("shelve", {"minutes": 60}),
    ("unshelve", {"minutes": 60}),
    ("close", {"verdict": "unclear"}),
    ("close", CLOSED),
    ("close", CLOSED | {"verdict": "maybe"}),
    ("close", CLOSED | {"found": 1}),
    ("close", CLOSED | {"verdict": "right"}),
    ("close", CLOSED | {"verdict": "right", "found": 0}),
    ("close", CLOSED | {"verdict": "right", "found": 4}),
    ("close", CLOSED | {"verdict": "right", "found": -2}),
    ("close", CLOSED | {"verdict": "false"}),
    ("close", CLOSED | {"verdict": "false", "found": 1}),
    ("close", CLOSED | {"verdict": "unclear", "found": 0}),
    ("close", CLOSED | {"verdict": "unclear", "minutes": 5}),
]


@pytest.mark.parametrize(("kind", "content"), WRONG)
def test_the_database_refuses_what_is_wrong_by_whatever_way_it_comes(episode, kind, content):
    wrong = act_of(episode, kind, **content)
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        EpisodeAct.objects.bulk_create([wrong])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_by_sql(wrong)
    assert not EpisodeAct.objects.exists()


def insert_by_sql(act: EpisodeAct) -> None:
    fields = [it for it in EpisodeAct._meta.concrete_fields if not it.primary_key]
    values = [it.get_db_prep_save(getattr(act, it.attname), connection) for it in fields]
    names = ", ".join(connection.ops.quote_name(it.column) for it in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO diagnosis_episode_act ({names}) VALUES ({', '.join(['%s'] * len(fields))})",
            values,
        )


def test_of_two_acts_with_one_number_the_database_refuses_the_second(episode):
    acts.acknowledge(episode.pk, KIM, seen=1)
    for kind in ("acknowledge", "unshelve"):
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_by_sql(act_of(episode, kind))
    acts.note(episode.pk, KIM, comment="loud")
    acts.note(episode.pk, KIM, comment="louder")  # notes have none
    assert EpisodeAct.objects.count() == 3


def test_what_was_done_is_neither_changed_nor_deleted(episode, operator):
    stored = acts.acknowledge(episode.pk, Actor(operator, "kim"), seen=1, comment="mine")
    stored.comment = "not mine"
    for attempt in (
        stored.save,
        stored.delete,
        EpisodeAct.objects.get().save,
        EpisodeAct.objects.all().delete,
        episode.acts.all().delete,
        lambda: EpisodeAct.objects.update(comment="not mine"),
        lambda: episode.acts.update(comment="not mine"),
        lambda: EpisodeAct.objects.bulk_update([stored], ["comment"]),
    ):
        with pytest.raises(TypeError, match="What a person did is not"), transaction.atomic():
            attempt()
    for row in (episode, episode.machine):
        with pytest.raises(ProtectedError):
            row.delete()
    assert EpisodeAct.objects.get().comment == "mine"


def test_who_did_it_stays_known_when_the_user_is_deleted(episode, operator):
    acts.acknowledge(episode.pk, Actor(operator, "kim"), seen=1)
    operator.delete()
    assert (EpisodeAct.objects.get().by, EpisodeAct.objects.get().by_name) == (None, "kim")
    assert rebuild(Machine.objects.get()) == 0
    assert Episode.objects.get().acknowledged_by == "kim"


@pytest.mark.parametrize("kind", ["unshelve", "acknowledge", "close"])
def test_an_illegal_act_that_is_forced_in_by_sql_stays_without_effect(episode, kind):
    """The database knows nothing of the acts before: the fold of all acts does, and passes this one over."""
    first = acts.close if kind != "unshelve" else acts.acknowledge
    first(episode.pk, KIM, seen=1, **({} if kind == "unshelve" else {"verdict": "unclear"}))
    before = Episode.objects.values().get()
    more = CLOSED | {"verdict": "false", "found": 0} if kind == "close" else {}
    insert_by_sql(act_of(episode, kind, number=2, revision=9, **more))
    assert rebuild(Machine.objects.get()) == 0
    assert Episode.objects.values().get() == before
    assert [act.by_name for act in acts.history_of(Episode.objects.get())] == ["kim", "mallory"]


def test_the_administration_has_no_way_to_write_one(episode):
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_active=True, is_staff=True)
    for model in (Episode, EpisodeAct):
        it = admin.site._registry.get(model) or admin.ModelAdmin(model, admin.site)
        may = it.has_add_permission(request), it.has_change_permission(request), it.has_delete_permission(request)
        assert not admin.site.is_registered(model) or may == (False, False, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"fault_type": 0},
        {"fault_type": 4},
        {"severity": 0},
        {"severity": 6},
        {"count": 0},
        {"began_at": START + timedelta(hours=1)},
        {"last_at": START},
        {"ended_at": START + timedelta(hours=1)},
        {"ending": "cleared"},
        {"ending": "vanished", "ended_at": START + timedelta(hours=1)},
        {"standing": "ignored"},
    ],
)
def test_the_database_refuses_an_episode_that_is_none(episode, changed):
    with pytest.raises(IntegrityError), transaction.atomic():
        Episode.objects.update(**changed)


def test_one_stream_has_one_live_episode_at_an_instant(episode):
    Episode.objects.update(live=None)
    for live in (None, None, True):
        Episode.objects.create(**Episode.objects.values().first() | {"id": None, "live": live})
    with pytest.raises(IntegrityError), transaction.atomic():
        Episode.objects.create(**Episode.objects.values().first() | {"id": None, "live": True})
    assert Episode.objects.count() == 4


# --- The code that writes them


def test_an_act_is_refused_with_all_that_is_wrong_with_it(episode):
    with pytest.raises(InvalidAct) as refused:
        acts.shelve(episode.pk, KIM, seen=1, reason=" ", minutes=10_081)
    assert set(refused.value.errors) == {"reason", "minutes"}
    with pytest.raises(InvalidAct) as refused:
        acts.close(episode.pk, KIM, seen=1, verdict="maybe", action="x" * 2_001, comment="x" * 2_001)
    assert set(refused.value.errors) == {"verdict", "action", "comment"}
    assert not EpisodeAct.objects.exists()


@pytest.mark.parametrize("text", ["\u200b", "\ufeff", "\x01", "\u0301", "\u00ad \u2060"], ids=ascii)
def test_what_nobody_sees_is_no_reason_and_no_note(episode, text):
    with pytest.raises(InvalidAct, match=r"^reason: "):
        acts.shelve(episode.pk, KIM, seen=1, reason=text, minutes=60)
    with pytest.raises(InvalidAct, match=r"^comment: "):
        acts.note(episode.pk, KIM, comment=text)


@pytest.mark.parametrize("text", [".", "7", "멈춤", "\N{HAMMER}", "\u202eoverhaul"], ids=ascii)
def test_whatever_is_seen_is_a_note(episode, text):
    assert acts.note(episode.pk, KIM, comment=text).comment == text


def test_an_act_is_about_the_newest_diagnosis_that_was_on_the_screen(episode):
    post("g1", (START + timedelta(minutes=2), 1))
    stored = acts.acknowledge(episode.pk, KIM, seen=1)
    assert (stored.about, stored.number, stored.revision) == (START + timedelta(minutes=2), 1, 2)
    assert (stored.by_name, stored.address, stored.machine_id) == ("kim", "10.0.0.7", episode.machine_id)


def test_who_comes_second_is_told_who_was_first(episode):
    acts.shelve(episode.pk, KIM, seen=1, reason="overhaul", minutes=60)
    with pytest.raises(Moved, match=r"the episode is shelved, revision 2\. kim: shelve at 20") as moved:
        acts.acknowledge(episode.pk, Actor(None, "lee"), seen=1)
    assert [act.by_name for act in moved.value.acts] == ["kim"]
    assert moved.value.episode.stage() is Stage.SHELVED
    assert EpisodeAct.objects.count() == 1
