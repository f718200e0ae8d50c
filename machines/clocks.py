"""Collectors' clocks that are set to another time zone, recognized by times without an offset.

Such a time is plant time. A clock set to UTC at a plant in Seoul lags by 9 h with each, and nothing else gives it away:
the times are possible ones, only old. Old data that are sent late lag, too. What tells them apart is that a clock's lag
stays the same, and is a whole number of hours but for how long the data were under way (or what the plant is ahead of
UTC, which may be 5 h 30 min). So a lag is told of only when it was seen `SIGHTINGS` times, `STEP` apart, and nothing
else in between:

- Old data come faster than they were measured. To be taken for a clock's, they would have to come at between a third
  and five thirds of the speed at which they were measured for 9 minutes, and by chance at such a distance.
- Data that are always sent a whole number of hours after they were measured, to the minute, are taken for a clock's. To
  send times with their offset ends that, as it ends any doubt.

A collector whose clock is right costs no statement: which clocks lag is kept in the cache for `KEPT_S`. So the end of a
lag may be seen that much later.
"""

from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from common.database.transactions import in_transaction
from machines.models import ClockLag, Machine

GREATEST = timedelta(hours=14)  # that a zone differs from UTC
EARLY, LATE = timedelta(minutes=2), timedelta(minutes=4)  # a clock that is not exact, and data under way
STEP = timedelta(minutes=3)
SIGHTINGS = 4
SHOWN_FOR = timedelta(days=7)  # since it was seen last
KEPT_S = 30.0
_KEY = "lagging-clocks"


def note_clock(
    machine: str, newest: datetime | None, *, data: str, source: str = "", now: datetime | None = None
) -> str | None:
    """Note how far the newest time without an offset lies behind; what to tell the sender, or None.

    To be called once for each post or file, after its rows are stored and outside of their transaction. `machine` is a
    name; `newest` the newest instant of those that came without an offset and were taken for plant time, None if there
    is no such time; `data` a value of `PostedData`; `source` names for people whose clock it is, such as a user with
    the sensor: each has a clock of its own. `now` is when it came. A machine that is not registered has no clock.
    """
    now = now or timezone.now()
    behind = None if newest is None else behind_of(newest, now)
    clock = (machine, data, source)
    if newest is None or behind is None:
        if clock in _known():
            of_clock = ClockLag.objects.filter(machine__name=machine, data=data, source=source)
            in_transaction(lambda: of_clock.delete())
            cache.delete(_KEY)
        return None
    lag = in_transaction(lambda: _seen(clock, newest, behind, now))
    return _told(lag, newest) if lag and lag.sightings >= SIGHTINGS else None


def behind_of(newest: datetime, now: datetime) -> timedelta | None:
    """By how much a clock that said `newest` is set back, if that can be; else None."""
    lag = now - newest
    hours = timedelta(hours=round((lag - (LATE - EARLY) / 2) / timedelta(hours=1)))
    for behind in (hours, _ahead_of_utc(now)):
        if timedelta(0) < behind <= GREATEST and behind - EARLY <= lag <= behind + LATE:
            return behind
    return None


def certain_lags(now: datetime) -> list[ClockLag]:
    """The clocks that lag, as far as that is sure; one query."""
    lags = ClockLag.objects.filter(sightings__gte=SIGHTINGS, last_at__gte=now - SHOWN_FOR)
    return list(lags.order_by("machine_id", "data", "source"))


def _seen(clock: tuple[str, str, str], newest: datetime, behind: timedelta, now: datetime) -> ClockLag | None:
    name, data, source = clock
    machine = Machine.objects.filter(name=name).first()
    if machine is None:
        return None
    begun = {"behind": behind, "first_at": now, "last_at": now, "newest": newest}
    lags = ClockLag.objects.select_for_update()
    lag, is_new = lags.get_or_create(machine=machine, data=data, source=source, defaults=begun)
    if is_new:
        cache.delete(_KEY)
        ClockLag.objects.filter(machine=machine, last_at__lt=now - SHOWN_FOR).delete()
    elif lag.behind != behind or now - lag.last_at > SHOWN_FOR:
        for name, value in begun.items():
            setattr(lag, name, value)
        lag.sightings = 1
        lag.save()
    elif now - lag.last_at >= STEP and newest > lag.newest:
        lag.sightings += 1
        lag.last_at, lag.newest = now, newest
        lag.save(update_fields=["sightings", "last_at", "newest"])
    return lag


def _told(lag: ClockLag, newest: datetime) -> str:
    zone, set_to = timezone.get_current_timezone_name(), "UTC" if lag.is_utc else "another time zone"
    came, since = timezone.localtime(newest).replace(tzinfo=None), timezone.localtime(lag.first_at)
    return (
        f"Times without an offset are plant time ({zone}). The newest one of machine {lag.machine.name}, "
        f"{came.isoformat()}, is {lag.hours} h behind the server's clock, as such times have since "
        f"{since.isoformat(timespec='seconds')}: the sender's clock seems to be set to {set_to}. Set it to plant time, "
        "or send times with their offset."
    )


def _known() -> set[tuple[str, str, str]]:
    def read() -> set[tuple[str, str, str]]:
        return set(ClockLag.objects.values_list("machine__name", "data", "source"))

    return cache.get_or_set(_KEY, read, timeout=KEPT_S) or set()


def _ahead_of_utc(now: datetime) -> timedelta:
    return timezone.localtime(now).utcoffset() or timedelta(0)
