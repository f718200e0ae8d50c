"""Shelvings that end and machines that fall silent, told once."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from diagnosis.episodes.standing import Standing
from diagnosis.models import CurrentState, Notice
from diagnosis.notices.chores import taken
from diagnosis.notices.clock import last_look, look
from diagnosis.tests.notices_world import episode, machine, person, subscription

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
MINUTE = timedelta(minutes=1)


def shelved(until, **fields):
    return episode(standing=Standing.SHELVED, shelved_until=until, **fields)


def diagnosed(at, name: str = "g1", **fields):
    of = machine(name, **fields)
    CurrentState.objects.update_or_create(machine=of, defaults={"fault_type": 0, "since": at, "detected_at": at})
    return of


def told() -> list[str]:
    return [it.key.rpartition("-")[0] for it in Notice.objects.order_by("pk")]


@pytest.fixture
def looked():
    """A worker has run until NOW."""
    look(NOW)
    subscription()


def test_a_shelving_that_ended_is_told_once(looked):
    it = shelved(NOW + 5 * MINUTE)
    look(NOW + 4 * MINUTE)
    assert told() == []
    for minutes in (5, 6, 7):
        look(NOW + minutes * MINUTE)
    assert told() == [f"unshelved-{it.pk}-{it.shelved_until.timestamp():.6f}"]
    assert Notice.objects.get().at == it.shelved_until


@pytest.mark.parametrize(
    "fields",
    [
        {"live": None},
        {"ended_at": NOW, "ending": "closed"},
        {"ended_at": NOW, "ending": "worsened"},
    ],
)
def test_the_shelving_of_what_is_over_ends_unnoticed(looked, fields):
    shelved(NOW + MINUTE, **fields)
    look(NOW + 2 * MINUTE)
    assert told() == []


def test_a_cleared_one_that_nobody_has_acknowledged_comes_back(looked):
    shelved(NOW + MINUTE, ended_at=NOW, ending="cleared")
    look(NOW + 2 * MINUTE)
    assert len(told()) == 1


def test_a_machine_that_falls_silent_is_told_of_once_and_again_when_it_falls_silent_again(looked):
    g1 = diagnosed(NOW, expected_interval_min=10)
    look(NOW + 9 * MINUTE)
    assert told() == []
    look(NOW + 10 * MINUTE)
    look(NOW + 11 * MINUTE)
    first = f"silent-{g1.pk}-{(NOW + 10 * MINUTE).timestamp():.6f}"
    assert told() == [first]
    diagnosed(NOW + 12 * MINUTE)
    look(NOW + 13 * MINUTE)
    look(NOW + 30 * MINUTE)
    assert told() == [first, f"silent-{g1.pk}-{(NOW + 22 * MINUTE).timestamp():.6f}"]


def test_a_machine_that_is_not_active_may_be_silent(looked):
    diagnosed(NOW, expected_interval_min=10, is_active=False)
    look(NOW + 20 * MINUTE)
    assert told() == []


def test_what_was_so_before_the_first_worker_ever_ran_is_no_news():
    subscription()
    diagnosed(NOW - timedelta(hours=3), expected_interval_min=10)
    shelved(NOW - MINUTE)
    look(NOW)
    look(NOW + MINUTE)
    assert told() == []


def test_a_worker_that_was_away_tells_of_what_happened_in_the_last_day_only(looked):
    diagnosed(NOW, "old", expected_interval_min=10)
    back = NOW + timedelta(days=3)
    recent = diagnosed(back - timedelta(hours=3), "recent", expected_interval_min=10)
    look(back)
    assert [it.machine for it in Notice.objects.all()] == [recent]


def test_what_is_imported_late_raises_no_fresh_alarm(looked):
    look(NOW + timedelta(hours=2))
    diagnosed(NOW, "imported", expected_interval_min=10)
    look(NOW + timedelta(hours=3))
    assert told() == []


def test_who_subscribes_later_is_not_told_of_what_was(looked):
    shelved(NOW + MINUTE)
    look(NOW + 2 * MINUTE)
    subscription(person("later"))
    look(NOW + 3 * MINUTE)
    assert len(told()) == 1


def test_a_clock_that_was_a_year_ahead_for_a_while_keeps_nobody_from_being_told(looked):
    look(NOW + timedelta(days=365))
    shelved(NOW + MINUTE)
    look(NOW + 2 * MINUTE)
    look(NOW + 3 * MINUTE)
    assert len(told()) == 1
    assert last_look() == NOW + 3 * MINUTE


def test_workers_whose_clocks_differ_by_minutes_look_at_each_instant_once(looked):
    shelved(NOW + MINUTE)
    look(NOW + 5 * MINUTE)
    look(NOW + 2 * MINUTE)
    assert last_look() == NOW + 5 * MINUTE
    assert len(told()) == 1


def test_what_is_done_daily_is_done_though_a_clock_was_a_year_ahead_for_a_while():
    day = timedelta(days=1)
    assert taken("daily", day, NOW + timedelta(days=365))
    assert taken("daily", day, NOW)
    assert not taken("daily", day, NOW + MINUTE)


def test_the_last_look_is_known():
    assert last_look() is None
    look(NOW)
    assert last_look() == NOW


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("roles")
def test_several_workers_tell_once():
    subscription()
    look(NOW)
    for number in range(20):
        diagnosed(NOW, f"g{number}", expected_interval_min=1)
        shelved(NOW + MINUTE, of=machine(f"g{number}"))

    def work():
        try:
            for minutes in range(1, 6):
                look(NOW + minutes * MINUTE)
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Notice.objects.count() == 40
