"""Sends what is in the outbox: at least once each, and with the same key each time.

A notice is taken up in a short transaction, which moves on when it is due and counts the try; then it is sent outside
of any transaction, and what became of it is noted. Whoever is killed in between leaves a notice that is due again some
time later, and is sent then, perhaps for the second time.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from common.database.transactions import Patience, in_transaction
from diagnosis.models import Notice, Subscription
from diagnosis.notices import mail, messengers, webhooks
from diagnosis.notices.messages import Message, NotSent, message_of, trial_message
from diagnosis.notices.outbox import SEES_EPISODES

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)  # longer than any channel takes
PAUSES = [
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
]  # after each try; the last one again and again
# A notice that is so old is given up, but not before each of the shorter pauses: it may have waited for a mail server
# to be named, or behind others.
GIVEN_UP_AFTER, LEAST_TRIES = timedelta(hours=24), len(PAUSES)
Channel = Subscription.Channel
_SENDERS: dict[str, Callable[[Subscription, Message], None]] = {
    Channel.EMAIL: mail.send,
    Channel.WEBHOOK: webhooks.send,
    Channel.APPRISE: messengers.send,
}


def waiting() -> QuerySet[Notice]:
    """Notices that are neither sent nor given up."""
    return Notice.objects.filter(sent_at=None, given_up_at=None)


def send_next(now: Callable[[], datetime] = timezone.now, patience: Patience | None = None) -> Notice | None:
    """Send one notice that is due; None: none is. What became of it is noted in it.

    `patience` is for the database. That a notice was sent is noted however long the database was away meanwhile.
    """
    notice = in_transaction(lambda: _take_up(now()), patience=patience)
    if notice is None:
        return None
    error = refusal_of(notice.subscription) or _sent(notice)
    in_transaction(lambda: _note(notice, error, now()), patience=patience)
    _log(notice)
    return notice


def send_test(subscription: Subscription) -> None:
    """Send a test to one subscription now. Raises NotSent."""
    _SENDERS[subscription.channel](subscription, trial_message(subscription, timezone.now()))


def refusal_of(subscription: Subscription) -> str:
    """Why nothing is sent to a subscription any more; empty: it is."""
    with translation.override(subscription.language):
        if not subscription.is_active:
            return _("The subscription is paused.")
        if not subscription.user.has_perm(SEES_EPISODES):  # as of users who are inactive
            return _("The user may no longer see alarms.")
    return ""


def _take_up(now: datetime) -> Notice | None:
    """The notice that has been due for longest, marked as being sent.

    None that must wait for another: of one machine a receiver gets them in their order, but for those that were
    given up. The server's own trouble is nobody's try: while no mail server is named, mail waits.
    """
    earlier = waiting().filter(
        subscription=OuterRef("subscription"), machine=OuterRef("machine"), pk__lt=OuterRef("pk")
    )
    # What is due later than any pause leads to was written by a clock that was wrong.
    is_due = Q(due_at__lte=now) | Q(due_at__gt=now + 2 * PAUSES[-1])
    due = waiting().filter(is_due, ~Exists(earlier)).order_by("due_at", "pk")
    if not settings.MAIL_IS_CONFIGURED:
        due = due.exclude(subscription__channel=Channel.EMAIL)
    locked = due.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    number = locked.values_list("pk", flat=True).first()
    if number is None:
        return None
    notice = Notice.objects.select_related("subscription__user", "machine", "episode").get(pk=number)
    notice.due_at = now + LEASE
    notice.tries += 1
    notice.save(update_fields=["due_at", "tries"])
    return notice


def _sent(notice: Notice) -> str:
    """Empty, or why it was not."""
    subscription = notice.subscription
    try:
        with translation.override(subscription.language):
            _SENDERS[subscription.channel](subscription, message_of(notice))
    except NotSent as error:
        return str(error)
    except Exception as error:  # each package that sends has errors of its own; one message must not stop the others
        logger.exception("notice %s", notice.key)
        return f"{type(error).__name__}: {error}"
    return ""


def _note(notice: Notice, error: str, now: datetime) -> None:
    notice.error = error[:500]
    if not error:
        notice.sent_at = now
    elif refusal_of(notice.subscription):
        notice.given_up_at = now
    elif notice.tries >= LEAST_TRIES and now - notice.created_at >= GIVEN_UP_AFTER:
        notice.given_up_at = now
        old = waiting().filter(subscription=notice.subscription, created_at__lte=now - GIVEN_UP_AFTER)
        old.update(given_up_at=now, error=notice.error)
    else:
        notice.due_at = now + PAUSES[min(notice.tries, len(PAUSES)) - 1]
        # The others of a receiver that does not answer need not hold up everybody else's.
        waiting().filter(subscription=notice.subscription, due_at__lt=notice.due_at).update(due_at=notice.due_at)
    noted = {name: getattr(notice, name) for name in ("sent_at", "given_up_at", "due_at", "error")}
    # Not `save`: it may be gone with its subscription, or was sent by another when this one took longer than its lease.
    Notice.objects.filter(pk=notice.pk, sent_at=None).update(**noted)


def _log(notice: Notice) -> None:
    how = "sent" if notice.sent_at else "given up" if notice.given_up_at else "not sent"
    logger.log(
        logging.WARNING if notice.error else logging.INFO,
        "notice %s to %s by %s %s%s",
        notice.key,
        notice.subscription.user,
        notice.subscription.channel,
        how,
        f": {notice.error}" if notice.error else "",
    )
