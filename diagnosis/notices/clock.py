"""Tells of what the clock alone brings about: shelvings that end, and machines that fall silent.

Each look takes up where the one before it ended, so each instant is looked at once, whoever looks. What was stored
after its instant had been looked at is told to nobody: a machine whose newest diagnosis was old when it came has been
silent before, and was told of then.
"""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from common.database.transactions import Patience
from diagnosis.episodes.spans import Ending
from diagnosis.episodes.standing import Standing
from diagnosis.models import Chore, CurrentState, Episode
from diagnosis.models.notices import Transition
from diagnosis.notices.chores import done_since
from diagnosis.notices.outbox import Event, tell
from machines.models import interval_of

LOOK = "clock"  # the chore's name


def look(now: datetime, patience: Patience | None = None) -> None:
    """Write the notices of what the clock has brought about since the last look."""

    def tell_since(before: datetime) -> None:
        since = max(before, now - settings.NOTICE_AGE)
        tell([*_ended_shelvings(since, now), *_silences(since, now)], now)

    done_since(LOOK, now, tell_since, patience)


def last_look() -> datetime | None:
    """When a worker looked last; None: none ever did."""
    return Chore.objects.filter(name=LOOK).values_list("done_up_to", flat=True).first()


def _ended_shelvings(since: datetime, now: datetime) -> Iterator[Event]:
    ended = Episode.objects.live().filter(
        standing=Standing.SHELVED,
        shelved_until__gt=since,
        shelved_until__lte=now,
        ending__in=(Ending.NONE, Ending.CLEARED),
    )
    for episode in ended.order_by("shelved_until", "pk"):
        yield Event(Transition.UNSHELVED, episode.machine_id, episode, episode.shelved_until)


def _silences(since: datetime, now: datetime) -> Iterator[Event]:
    """Each from the instant after which the newest diagnosis of an active machine no longer counts."""
    states = CurrentState.objects.filter(machine__is_active=True).order_by("detected_at", "machine")
    for machine, detected_at, minutes in states.values_list("machine", "detected_at", "machine__expected_interval_min"):
        silent_at = detected_at + interval_of(minutes)
        if since < silent_at <= now:
            yield Event(Transition.SILENT, machine, None, silent_at)
