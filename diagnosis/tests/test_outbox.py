"""Who gets a notice of what: written with the transition, once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from diagnosis.models import Notice
from diagnosis.models.notices import Transition
from diagnosis.notices.outbox import Event, tell
from diagnosis.tests.notices_world import episode, machine, person, subscription

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Asia/Seoul"))


def opened(of, transition: Transition = Transition.OPENED) -> Event:
    return Event(transition, of.machine_id, of, of.opened_at)


def told(*events: Event, now: datetime = NOON) -> list[str]:
    tell(events, now)
    return [it.subscription.user.username for it in Notice.objects.select_related("subscription__user").order_by("pk")]


def test_an_event_is_told_to_each_subscription_once_however_often_it_is_told():
    first, second = subscription(), subscription(person("lee"))
    event = opened(episode())
    assert told(event, event) == told(event) == ["kim", "lee"]
    notice = Notice.objects.earliest("pk")
    assert notice.key == f"opened-{event.episode.pk}-1-{first.pk}"
    assert (notice.episode, notice.machine, notice.at) == (event.episode, event.episode.machine, event.at)
    assert (notice.due_at, notice.tries, notice.sent_at) == (NOON, 0, None)
    assert {it.subscription for it in Notice.objects.all()} == {first, second}


def test_what_happens_to_an_episode_again_is_told_again():
    subscription()
    it = episode()
    told(opened(it, Transition.CLEARED))
    it.revision += 1
    assert told(opened(it, Transition.CLEARED)) == ["kim", "kim"]


def test_only_machines_that_were_chosen_are_told_of():
    g1, g2 = machine("g1"), machine("g2")
    subscription(person("kim"), g1)
    subscription(person("lee"), g1, g2)
    assert told(opened(episode(g2))) == ["lee"]


def test_a_mild_episode_is_told_to_whoever_wants_it():
    subscription(person("kim"), least_severity=3)
    subscription(person("lee"), least_severity=4)
    assert told(opened(episode(severity=3))) == ["kim"]


def test_only_transitions_that_were_chosen_are_told():
    subscription(person("kim"), transitions=[Transition.OPENED])
    subscription(person("lee"), transitions=[Transition.CLEARED, Transition.WORSENED])
    assert told(opened(episode(), Transition.WORSENED)) == ["lee"]


def test_a_silence_is_told_whatever_the_least_severity_is():
    subscription(least_severity=5)
    assert told(Event(Transition.SILENT, machine().pk, None, NOON)) == ["kim"]


@pytest.mark.parametrize(
    ("hours", "hour", "is_told"),
    [
        ((8, 18), 7, False),
        ((8, 18), 8, True),
        ((8, 18), 17, True),
        ((8, 18), 18, False),
        ((22, 6), 23, True),
        ((22, 6), 5, True),
        ((22, 6), 6, False),
        ((22, 24), 23, True),
        ((0, 24), 0, True),
    ],
)
def test_hours_are_those_of_the_plant(hours, hour, is_told):
    subscription(from_hour=hours[0], to_hour=hours[1])
    now = NOON.replace(hour=hour, minute=59).astimezone(UTC)
    assert bool(told(opened(episode()), now=now)) == is_told


def test_who_is_gone_or_may_no_longer_look_is_told_nothing():
    gone, other, paused = person("gone"), person("other"), person("paused")
    subscription(gone), subscription(other), subscription(paused, is_active=False)
    gone.is_active = False
    gone.save()
    other.user_permissions.clear()
    assert told(opened(episode())) == []
    other.user_permissions.add(Permission.objects.get(codename="view_episode"))
    assert told(opened(episode(opened_at=timezone.now() - timedelta(hours=1)))) == ["other"]


def test_where_nobody_subscribes_it_costs_one_query(django_assert_num_queries):
    event = opened(episode())
    with django_assert_num_queries(1):
        tell([event], NOON)
    with django_assert_num_queries(0):
        tell([], NOON)


def test_events_by_the_dozen_cost_as_many_queries_as_one():
    subscription(person("kim"), machine("g1"))
    subscription(person("lee"))
    first, *others = [opened(episode(opened_at=NOON - timedelta(minutes=it))) for it in range(31)]
    with CaptureQueriesContext(connection) as one:
        tell([first], NOON)
    with CaptureQueriesContext(connection) as many:
        tell(others, NOON)
    assert len(one) == len(many)
    assert Notice.objects.count() == 62


def test_a_notice_goes_with_its_transition():
    subscription()
    event = opened(episode())
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tell([event], NOON)
        raise ZeroDivisionError
    assert not Notice.objects.exists()
