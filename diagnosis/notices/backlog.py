"""What waits to be sent, and since when: for people, for metrics and for whoever watches the server."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Min

from common.database.transactions import in_transaction
from diagnosis.models import Notice, Subscription
from diagnosis.notices.sending import waiting

LATE = timedelta(minutes=2)  # due for longer, and nobody seems to send
RECENT = timedelta(hours=24)
KEPT = timedelta(days=90)  # what was sent or given up
ROWS_PER_STATEMENT = 1_000
Channel = Subscription.Channel


class Backlog(NamedTuple):
    """What there is to send."""

    waiting: int
    oldest_due_at: datetime | None  # None: nothing is due
    given_up: int  # in the last 24 hours


def backlog(now: datetime) -> Backlog:
    """Three reads."""
    given_up = Notice.objects.filter(sent_at=None, given_up_at__gt=now - RECENT)
    return Backlog(waiting().count(), _oldest_due(now), given_up.count())


def state(now: datetime) -> str:
    """In one word or three; none of these keeps the server from its work."""
    if not settings.MAIL_IS_CONFIGURED and wants_mail():
        return "no mail server"
    oldest = _oldest_due(now)
    return "waiting" if oldest and now - oldest > LATE else "ok"


def wants_mail() -> bool:
    return Subscription.objects.filter(is_active=True, channel=Channel.EMAIL).exists()


def remove_old(now: datetime) -> int:
    """The number of notices that were sent or given up long ago and are gone now."""
    removed = 0
    for old in (
        Notice.objects.filter(sent_at__lt=now - KEPT),
        Notice.objects.filter(sent_at=None, given_up_at__lt=now - KEPT),
    ):
        while numbers := list(old.values_list("pk", flat=True)[:ROWS_PER_STATEMENT]):
            batch = Notice.objects.filter(pk__in=numbers)
            removed += in_transaction(batch.delete)[0]
    return removed


def _oldest_due(now: datetime) -> datetime | None:
    due = waiting().filter(due_at__lte=now)
    if not settings.MAIL_IS_CONFIGURED:
        due = due.exclude(subscription__channel=Channel.EMAIL)
    return due.aggregate(oldest=Min("due_at"))["oldest"]
