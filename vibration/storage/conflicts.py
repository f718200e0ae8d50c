"""Conflicting rows of posts and of files in one form, for people."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from machines.models import Machine, PostConflict
from vibration.models import ImportRun

SHOWN_FOR = timedelta(days=7)
SHOWN = 20  # the newest of one machine
POSTS, FILES = "posts", "files"  # the ways in which rows come


@dataclass(frozen=True)
class Conflicts:
    """What one caller posted on one day, or one file."""

    last_at: datetime
    who: str
    what: str
    rows: int
    record: PostConflict | ImportRun

    @property
    def example(self) -> PostConflict | None:
        """Where the last row in conflict stands; of a file, its report and its rejects file have them all."""
        return self.record if isinstance(self.record, PostConflict) else None


def conflicting_rows(now: datetime) -> dict[str, Counter]:
    """How many rows of the last 7 days were in conflict: of each way, by the number of the machine; two queries."""
    posts, runs = _recent(now)
    posted = posts.filter(machine__isnull=False).order_by().values_list("machine").annotate(Sum("rows"))
    imported = runs.filter(recording__isnull=False).order_by().values_list("recording__sensor__machine")
    return {POSTS: Counter(dict(posted)), FILES: Counter(dict(imported.annotate(Sum("conflicting"))))}


def conflicts_of(machine: Machine, now: datetime) -> list[Conflicts]:
    """Those of the last 7 days, newest first, 20 at most; two queries."""
    posts, runs = _recent(now)
    found = [
        *(
            Conflicts(it.last_at, it.poster, it.get_data_display(), it.rows, it)
            for it in posts.filter(machine=machine)[:SHOWN]
        ),
        *(
            Conflicts(it.started_at, it.started_by, it.file_name, it.conflicting, it)
            for it in runs.filter(recording__sensor__machine=machine)[:SHOWN]
        ),
    ]
    return sorted(found, key=lambda it: it.last_at, reverse=True)[:SHOWN]


def _recent(now: datetime):
    since = now - SHOWN_FOR
    return PostConflict.objects.filter(last_at__gte=since), ImportRun.objects.filter(
        started_at__gte=since, conflicting__gt=0
    )
