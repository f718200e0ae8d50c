"""How many captures with samples there are, how many bytes these take, and what a day adds: by index, not by row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from machines.models import Sensor
from vibration.models import Capture
from vibration.querysets import CaptureQuerySet

DAY = timedelta(days=1)
RATE_OVER = timedelta(days=7)  # a week, as weekends differ
SHORTEST = timedelta(hours=1)  # from less, no rate is told


@dataclass
class Amount:
    """Of captures with samples; the bytes are those of the samples as they are stored."""

    captures: int = 0
    bytes: int = 0
    kept: int = 0  # because people said so
    since: datetime | None = None  # the oldest
    daily_captures: float = 0.0
    daily_bytes: float = 0.0


def amounts(now: datetime, kept_for: timedelta | None) -> dict[int, Amount]:
    """Of each machine that has any, by its number.

    What a day adds is the mean of the last week, or of as much of it as there are captures with samples, which are
    kept for `kept_for`; None: for ever.
    """
    found: dict[int, Amount] = {}
    machine_of = dict(Sensor.objects.values_list("pk", "machine"))
    for sensor, captures, size, kept, since in Capture.objects.with_samples().amounts():
        of = found.setdefault(machine_of[sensor], Amount())
        of.captures, of.bytes, of.kept = of.captures + captures, of.bytes + size, of.kept + kept
        of.since = min(of.since or since, since)
    span = min(RATE_OVER, kept_for or RATE_OVER)
    if first := min((it.since for it in found.values() if it.since), default=None):
        span = max(SHORTEST, min(span, now - first))
    for sensor, captures, size, _kept, _since in _recent(now - span, now).amounts():
        of = found.setdefault(machine_of[sensor], Amount())
        of.daily_captures += captures / (span / DAY)
        of.daily_bytes += size / (span / DAY)
    return found


def total(of: Iterable[Amount]) -> Amount:
    """All of these together."""
    each = list(of)
    return Amount(
        captures=sum(it.captures for it in each),
        bytes=sum(it.bytes for it in each),
        kept=sum(it.kept for it in each),
        since=min((it.since for it in each if it.since), default=None),
        daily_captures=sum(it.daily_captures for it in each),
        daily_bytes=sum(it.daily_bytes for it in each),
    )


def oldest_features() -> datetime | None:
    """When the oldest of all captures began, with samples or without."""
    return Capture.objects.order_by("started_at", "sensor", "axis").values_list("started_at", flat=True).first()


def _recent(since: datetime, now: datetime) -> CaptureQuerySet:
    return Capture.objects.with_samples().filter(started_at__gt=since, started_at__lte=now)
