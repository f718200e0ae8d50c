"""Limits on how often something is tried: each try is counted before it is evaluated, in one step.

To read a count and to write it back are two steps; between them everybody else who tries at the same time reads the
same count, and a limit of 5 lets as many through as there are threads (docs/adr/0028-limits-are-counted-before.md).

A period begins with its first try. One that ends later than two periods from now was begun before the clock was put
back, and is over; of less, the clocks of two servers may differ.
"""

import time
from datetime import datetime, timedelta

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.utils import timezone

from common.database.transactions import in_transaction
from common.limits.tally import Tally

_CLEARED = 1_000  # ended periods at once


class UsedUp(Exception):
    """As many tries as the limit allows have been counted in this period."""

    def __init__(self, wait_s: float):
        super().__init__(f"used up for {wait_s:.0f} s")
        self.wait_s = max(0.0, wait_s)


def take(key: str, limit: int, period_s: int) -> int:
    """The number of this try among those of its period, from 1; of all processes and servers, as the database counts.

    Raises UsedUp beyond the limit: such a try is not to be evaluated, and is not counted.
    """

    def count() -> Tally:
        now = timezone.now()
        end = now + timedelta(seconds=period_s)
        tally = _locked(key, end)
        if tally.ends_at is None or not now < tally.ends_at <= end + timedelta(seconds=period_s):
            tally.number, tally.ends_at = 0, end
        if tally.number >= limit:
            raise UsedUp((tally.ends_at - now).total_seconds())
        tally.number += 1
        tally.save(update_fields=["number", "ends_at"])
        return tally

    number = in_transaction(count).number
    if number == 1:
        _clear_ended()
    return number


def take_quickly(key: str, limit: int, period_s: int) -> int:
    """As `take`, but of those that share a cache, as DJANGO_CACHE_URL names one: nothing is written to a database.

    Unless the cache is one: to increment is one step in memory and in Redis, but not in Django's cache in a database.
    """
    cache = caches["default"]
    if not isinstance(cache, LocMemCache | RedisCache):
        return take(key, limit, period_s)
    number = _incremented(cache, key, period_s)
    if number == 1:
        cache.set(f"{key}-end", time.time() + period_s, period_s)
    if number > limit:
        now = time.time()
        wait_s = cache.get(f"{key}-end", now + period_s) - now
        if wait_s <= 2 * period_s:
            raise UsedUp(wait_s)
        cache.delete_many([key, f"{key}-end"])
        return take_quickly(key, limit, period_s)
    return number


def begin_anew(key: str) -> None:
    """Forget what `take` has counted."""
    Tally.objects.filter(key=key).delete()


def one_at_a_time(key: str) -> None:
    """Wait for every other transaction that has called this; those to come wait for the end of this one."""
    _locked(key, None)


def _locked(key: str, end: datetime | None) -> Tally:
    # On SQLite, where there are no locks of rows, a transaction waits for all others when it begins.
    return Tally.objects.select_for_update().get_or_create(key=key, defaults={"number": 0, "ends_at": end})[0]


def _incremented(cache: BaseCache, key: str, period_s: int) -> int:
    while True:
        try:
            number = cache.incr(key)
        except ValueError:  # there is none, or its period has ended
            if cache.add(key, 1, period_s):
                return 1
            continue  # another was faster
        if number == 1:
            # Redis: the period ended between its two steps, so that this one began another, without an end.
            cache.touch(key, period_s)
        return number


def _clear_ended() -> None:
    ended = list(Tally.objects.filter(ends_at__lt=timezone.now()).values_list("pk", flat=True)[:_CLEARED])
    if ended:
        in_transaction(lambda: Tally.objects.filter(pk__in=ended, ends_at__lt=timezone.now()).delete())
