"""Writes the notices of transitions into the outbox, in the transaction that brings the transition about."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Prefetch
from django.utils import timezone

from diagnosis.models import Episode, Notice, Subscription
from diagnosis.models.notices import Transition
from machines.models import Machine

SEES_EPISODES = "diagnosis.view_episode"
KEYS_PER_STATEMENT = 500


class Event(NamedTuple):
    """One transition of a machine. A silence has no episode."""

    transition: Transition
    machine_id: int
    episode: Episode | None
    at: datetime  # by the data; of what the clock brings about, when it did

    @property
    def key(self) -> str:
        """The same whenever the same transition is told.

        What the clock brings about goes by its instant: the revision of the episode may change between two looks.
        """
        if self.episode is None:
            return f"{self.transition.value}-{self.machine_id}-{self.at.timestamp():.6f}"
        if self.transition is Transition.UNSHELVED:
            return f"{self.transition.value}-{self.episode.pk}-{self.at.timestamp():.6f}"
        return f"{self.transition.value}-{self.episode.pk}-{self.episode.revision}"


def tell(events: Iterable[Event], now: datetime) -> None:
    """Write a notice of each event for each subscription that wants it at this instant.

    The caller is in a transaction and holds a lock that all who tell of the same events take first: what was told
    before is then left out. Where nobody subscribes it costs one query.
    """
    events = list(events)
    if not events or not (subscriptions := _subscriptions(now)):
        return
    notices = {
        notice.key: notice
        for event in events
        for subscription in subscriptions
        if _wants(subscription, event)
        for notice in [_notice(event, subscription, now)]
    }
    told = set(_stored(list(notices)))
    Notice.objects.bulk_create([it for key, it in notices.items() if key not in told], batch_size=KEYS_PER_STATEMENT)


def _subscriptions(now: datetime) -> list[Subscription]:
    """Those that are told of anything at this hour; not of users who are gone or may no longer see episodes."""
    users = get_user_model()._default_manager.with_perm(  # active ones
        SEES_EPISODES, backend="django.contrib.auth.backends.ModelBackend"
    )
    machines = Prefetch("machines", Machine.objects.order_by().only("pk"))
    found = Subscription.objects.filter(is_active=True, user__in=users).order_by("pk").prefetch_related(machines)
    hour = timezone.localtime(now).hour
    return [it for it in found if _is_in_hours(it, hour)]


def _is_in_hours(subscription: Subscription, hour: int) -> bool:
    start, end = subscription.from_hour, subscription.to_hour
    if start is None or end is None or start == end:
        return True
    return start <= hour < end if start < end else hour >= start or hour < end


def _wants(subscription: Subscription, event: Event) -> bool:
    """A silence has no severity: whoever wants to be told of silences is."""
    machines = {it.pk for it in subscription.machines.all()}
    return (
        (not machines or event.machine_id in machines)
        and (not subscription.transitions or event.transition in subscription.transitions)
        and (event.episode is None or event.episode.severity >= subscription.least_severity)
    )


def _notice(event: Event, subscription: Subscription, now: datetime) -> Notice:
    return Notice(
        subscription=subscription,
        transition=event.transition,
        machine_id=event.machine_id,
        episode=event.episode,
        at=event.at,
        key=f"{event.key}-{subscription.pk}",
        due_at=now,
    )


def _stored(keys: list[str]) -> Iterator[str]:
    for start in range(0, len(keys), KEYS_PER_STATEMENT):
        yield from Notice.objects.filter(key__in=keys[start : start + KEYS_PER_STATEMENT]).values_list("key", flat=True)
