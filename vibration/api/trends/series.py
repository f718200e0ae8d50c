"""Which axes and which span a query of a trend means, and whether anything of these has changed."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.http import quote_etag
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from common.natural_order import natural
from common.periods import FIRST_YEAR, LAST_YEAR
from machines.models import Machine
from vibration.api.trends.serializers import DEFAULT_DAYS, MAX_SERIES
from vibration.models import CaptureAxis
from vibration.trends.reading import Span

Name = tuple[str, str]  # of a sensor and its axis


class Axes(NamedTuple):
    chosen: list[CaptureAxis]  # with sensors at hand
    left_out: int

    @property
    def newest(self) -> datetime | None:
        return max((it.newest_at for it in self.chosen), default=None)


def axes_of(machine: str, names: Sequence[Name], parameter: str = "series") -> Axes:
    """The axes of a machine of these names, in their order; all in natural order if there are none, up to MAX_SERIES.

    Raises ValidationError naming what is not there.
    """
    stored = CaptureAxis.objects.filter(sensor__machine__name=machine).select_related("sensor")
    known = {(it.sensor.sensor_no, it.axis): it for it in stored}
    if not known and not Machine.objects.filter(name=machine).exists():
        raise ValidationError({"machine_name": [f"There is no machine {machine}."]})
    if not names:
        every = [known[name] for name in sorted(known, key=lambda name: [natural(part) for part in name])]
        return Axes(every[:MAX_SERIES], max(0, len(every) - MAX_SERIES))
    if len(names) > MAX_SERIES:
        raise ValidationError({parameter: [f"{len(names)} series; at most {MAX_SERIES} at a time."]})
    wrong = [f"Machine {machine} has no captures of sensor {it[0]}, axis {it[1]}." for it in names if it not in known]
    wrong += [
        f"Sensor {it[0]}, axis {it[1]} is named twice." for it in sorted({it for it in names if names.count(it) > 1})
    ]
    if wrong:
        raise ValidationError({parameter: wrong})
    return Axes([known[name] for name in names], 0)


def minute_of(now: datetime) -> datetime:
    """The next whole minute: an end that stays the same for a while, and has all captures up to now before it."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def span_of(asked: dict, now: datetime) -> Span:
    """From `started_at_after` to `started_at_before`, the end left out. Raises ValidationError."""
    for name in ("started_at_after", "started_at_before"):
        if name in asked and not FIRST_YEAR < asked[name].year < LAST_YEAR:
            raise ValidationError({name: [f"Give a year from {FIRST_YEAR + 1} to {LAST_YEAR - 1}."]})
    end = asked.get("started_at_before", minute_of(now))
    start = asked.get("started_at_after", end - timedelta(days=DEFAULT_DAYS))
    if start >= end:
        has_end = "started_at_before" in asked
        raise ValidationError(
            {"started_at_before": ["Must be after started_at_after."]}
            if has_end
            else {"started_at_after": ["Must be in the past, or give started_at_before, too."]}
        )
    return Span(start, end)


def version_of(request: Request, axes: Axes, now: datetime) -> str:
    """An ETag that is another one once a capture of these axes is stored, and after a minute in any case.

    Within a minute an open end moves on; and that captures are deleted, their samples removed or their features made
    anew, no axis tells.
    """
    told = [request.accepted_renderer.format, request.META["QUERY_STRING"], minute_of(now).isoformat()]
    told += [f"{it.pk} {it.stored_at.isoformat()}" for it in axes.chosen]
    return quote_etag(hashlib.sha256("\n".join(told).encode()).hexdigest()[:32])
