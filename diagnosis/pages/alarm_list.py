"""The list of alarms: what needs somebody now, what waits, what is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from diagnosis.episodes.standing import Kind, Stage, Standing, legal_kinds
from diagnosis.history.run_objects import length_in_words
from diagnosis.models import Episode, EpisodeAct, EpisodeTail
from diagnosis.models.episodes import Attention
from diagnosis.pages.times import in_short
from diagnosis.querysets import EpisodeQuerySet
from machines.models import Machine

PER_PAGE = 25  # so that a page is there in a tenth of a second
MOST_OVER = 5  # of a machine, on its page
MOST_COUNTED = 1_000  # counting more would take longer than reading a page
STAGE_NAMES: dict[Stage, str | Promise] = {
    Stage.UNACKNOWLEDGED: _("not acknowledged"),
    Stage.ACKNOWLEDGED: pgettext_lazy("alarm", "acknowledged"),
    Stage.SHELVED: pgettext_lazy("alarm", "shelved"),
    Stage.CLEARED: _("cleared, not acknowledged"),
    Stage.CLOSED: pgettext_lazy("alarm", "closed"),
    Stage.CONTINUED: _("continued by a worse one"),
    Stage.WITHDRAWN: _("withdrawn"),
}
_ACKNOWLEDGED_LAST = Case(When(standing=Standing.ACKNOWLEDGED, then=Value(1)), default=Value(0))
_NEWEST_FIRST = ("-opened_at", "-pk")


class Tab(NamedTuple):
    """Part of the list. Each episode is in one of them, so that none is nowhere."""

    name: Promise
    stages: set[Stage]
    attention: list[Attention]  # in which these stages are, as lists are read by it
    order: tuple
    recent: timedelta | None = None  # without a period, only what ended so long ago at most


# What is open comes unacknowledged ones first, then the worst, then the newest: whoever looks has seen the old ones
# before, and long lists must not bury what is new. What is shelved comes in the order in which it comes back.
TABS = {
    "open": Tab(
        pgettext_lazy("alarm", "Open"),
        {Stage.UNACKNOWLEDGED, Stage.ACKNOWLEDGED},
        [Attention.ACTIVE],
        (_ACKNOWLEDGED_LAST, "-severity", *_NEWEST_FIRST),
    ),
    "shelved": Tab(
        _("Shelved"), {Stage.SHELVED}, [Attention.ACTIVE, Attention.ENDED], ("shelved_until", *_NEWEST_FIRST)
    ),
    # Of years that were imported, or diagnosed before there were alarms, nobody will acknowledge each one.
    "cleared": Tab(
        _("Cleared, not acknowledged"), {Stage.CLEARED}, [Attention.ENDED], _NEWEST_FIRST, timedelta(days=7)
    ),
    "closed": Tab(
        pgettext_lazy("alarm", "Closed"),
        {Stage.CLOSED, Stage.CONTINUED, Stage.WITHDRAWN},
        [Attention.NONE],
        _NEWEST_FIRST,
    ),
}


@dataclass(frozen=True)
class Alarm:
    """An episode as it stands at an instant."""

    episode: Episode
    now: datetime
    silent_since: datetime | None = None  # when the last diagnosis came, if the next one is overdue

    @property
    def stage(self) -> Stage:
        return self.episode.stage(self.now)

    @property
    def stage_name(self) -> str | Promise:
        return STAGE_NAMES[self.stage]

    @property
    def began(self) -> str:
        return in_short(self.episode.began_at)

    @property
    def last_seen(self) -> str:
        return in_short(self.episode.last_at)

    @property
    def ended(self) -> str:
        return in_short(self.episode.ended_at) if self.episode.ended_at else ""

    @property
    def silent_from(self) -> str:
        return in_short(self.silent_since) if self.silent_since else ""

    @property
    def acknowledged(self) -> str:
        return in_short(self.episode.acknowledged_at) if self.episode.acknowledged_at else ""

    @property
    def shelved_to(self) -> str:
        """When it comes back; "" if it is not on the shelf."""
        until = self.episode.shelved_until
        return in_short(until) if until and self.stage is Stage.SHELVED else ""

    @property
    def duration(self) -> str:
        return length_in_words(max(timedelta(0), (self.episode.ended_at or self.now) - self.episode.began_at))

    @property
    def verdict_name(self) -> str | Promise:
        return EpisodeAct.Verdict(self.episode.verdict).label if self.episode.verdict else ""

    @property
    def legal(self) -> set[Kind]:
        return legal_kinds(self.stage, has_outcome=bool(self.episode.verdict))

    @property
    def can_be_acknowledged(self) -> bool:
        return Kind.ACKNOWLEDGE in self.legal


class Count(NamedTuple):
    """How many there are, up to MOST_COUNTED; `more`: at least so many."""

    number: int
    more: bool


def of_tab(episodes: EpisodeQuerySet, tab: Tab, now: datetime, *, with_old: bool) -> EpisodeQuerySet:
    """Those in a tab; `with_old`, where a period was chosen, also those that would be left out as old."""
    found = episodes.filter(attention__in=tab.attention).in_stages(tab.stages, now)
    return found if with_old or tab.recent is None else found.filter(ended_at__gte=now - tab.recent)


def count(episodes: EpisodeQuerySet) -> Count:
    found = episodes.order_by()[: MOST_COUNTED + 1].count()
    return Count(min(found, MOST_COUNTED), found > MOST_COUNTED)


def open_alarms(now: datetime, **of: object) -> list[Alarm]:
    """Those that go on and are not closed, shelved ones too, in the order of the tab; two queries."""
    episodes = Episode.objects.filter(attention=Attention.ACTIVE, **of).select_related("machine")
    alarms = alarms_of(episodes.order_by(*TABS["open"].order), now)
    return sorted(alarms, key=lambda it: it.stage is Stage.SHELVED)


def over_alarms(machine: Machine, now: datetime) -> list[Alarm]:
    """The last ones of a machine that are over, whether somebody has acknowledged them or not, newest first."""
    episodes = Episode.objects.filter(machine=machine, ended_at__isnull=False).select_related("machine")
    return alarms_of(episodes.order_by("-opened_at", "-pk")[:MOST_OVER], now)


def alarms_of(episodes: Iterable[Episode], now: datetime) -> list[Alarm]:
    """Of episodes with their machine at hand; one query for all."""
    found = list(episodes)
    active = {it.machine_id for it in found if it.is_active}
    newest = {
        (machine, family): last_at
        for machine, family, last_at in EpisodeTail.objects.filter(machine__in=active).values_list(
            "machine", "family", "last_at"
        )
    }
    alarms = []
    for it in found:
        last_at = newest.get((it.machine_id, it.family)) if it.is_active else None
        is_silent = last_at is not None and now - last_at > it.machine.expected_interval
        alarms.append(Alarm(it, now, last_at if is_silent else None))
    return alarms
