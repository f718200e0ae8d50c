"""What is kept of captures: how much there is, what a day adds, when the disk is full, and what is never removed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from common.database.disk import free_bytes
from common.natural_order import natural
from common.page_queries import reads
from diagnosis.storage.evidence import evidence
from machines.models import Machine
from vibration.captures.amounts import DAY, Amount, amounts, oldest_features, total
from vibration.captures.pruning import Found, Why, find_old
from vibration.models import Capture

may_view = permission_required("vibration.view_capture", raise_exception=True)
MOST_OLD = 20_000  # captures past their time that are looked at one by one
FORESEEN = 3650 * DAY  # what comes later is not worth a date
WHY = {
    Why.KEPT: pgettext_lazy("capture", "kept by people"),
    Why.REFERENCE: pgettext_lazy("capture", "reference of its axis"),
    Why.EVIDENCE: pgettext_lazy("capture", "evidence of an alarm"),
}


@dataclass(frozen=True)
class Row:
    """One machine; `found` is what is past its time."""

    machine: Machine
    amount: Amount
    found: Found = field(default_factory=Found)


@dataclass(frozen=True)
class Outlook:
    """What becomes of the disk if the days go on as the last week."""

    final_bytes: float | None  # of samples, once as much is removed each day as comes in; None: it never is
    free: int | None  # bytes; None: not seen from here
    full_at: datetime | None  # None: not foreseen


@may_view
@reads()
def kept(request: HttpRequest) -> HttpResponse:
    now, kept_for = timezone.now(), settings.KEEP_CAPTURES
    of = amounts(now, kept_for)
    found, is_behind = _past_their_time(now, kept_for)
    machines = sorted(Machine.objects.filter(pk__in=of), key=lambda it: natural(it.name))
    rows = [Row(it, of[it.pk], found.get(it.pk, Found())) for it in machines]
    everything = total(of.values())
    return render(
        request,
        "diagnosis/kept.html",
        {
            "rows": rows,
            "total": everything,
            "due": sum(it.going for it in found.values()),
            "staying": _staying(found.values()),
            "staying_bytes": sum(it.staying_bytes for it in found.values()),
            "kept_days": kept_for and kept_for / DAY,
            "is_behind": is_behind,
            "features_since": oldest_features(),
            "outlook": outlook(everything, kept_for, free_bytes(), now),
        },
    )


def _past_their_time(now: datetime, kept_for: timedelta | None) -> tuple[dict[int, Found], bool]:
    """What there is of each machine past its time; and whether that is too much to look at, as nothing removes it."""
    if kept_for is None:
        return {}, False
    cutoff = now - kept_for
    old = Capture.objects.with_samples().filter(started_at__lt=cutoff)[: MOST_OLD + 1].count()
    return ({}, True) if old > MOST_OLD else (find_old(cutoff, evidence), False)


def _staying(found: Iterable[Found]) -> list[dict]:
    each = list(found)
    return [{"name": name, "count": sum(it.staying[why] for it in each)} for why, name in WHY.items()]


def outlook(of: Amount, kept_for: timedelta | None, free: int | None, now: datetime) -> Outlook:
    """Whether and when the disk is full. What is kept for ever is small beside the rest and not reckoned with."""
    final = None if kept_for is None else of.daily_bytes * (kept_for / DAY)
    if free is None or not of.daily_bytes or (final is not None and final - of.bytes <= free):
        return Outlook(final, free, None)
    days = free / of.daily_bytes
    return Outlook(final, free, now + days * DAY if days < FORESEEN / DAY else None)
