"""How tries are counted: periods, what stays in the database, and the caches that count in one step.

That many at the same time are counted right is shown in himmes/accounts/tests/test_limits_in_parallel.py.
"""

import time
from datetime import timedelta

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.db import OperationalError, transaction
from django.utils import timezone

from common.limits import counting
from common.limits.counting import UsedUp, begin_anew, one_at_a_time, take, take_quickly
from common.limits.rates import CountedRate
from common.limits.tally import Tally

pytestmark = pytest.mark.django_db


class InPlaceOfRedis(RedisCache):
    """What Django's cache in Redis does, without one: a key that INCR makes by itself has no end."""

    def __init__(self):
        super().__init__("redis://127.0.0.1:1", {})
        self.memory = LocMemCache("in place of Redis", {})
        self.memory.clear()
        self.ends_while_asked = False

    def add(self, *arguments):
        return self.memory.add(*arguments)

    def get(self, *arguments):
        return self.memory.get(*arguments)

    def set(self, *arguments):
        return self.memory.set(*arguments)

    def touch(self, *arguments):
        return self.memory.touch(*arguments)

    def incr(self, key, delta=1):
        if not self.memory.has_key(key):
            raise ValueError
        if self.ends_while_asked:
            self.memory.set(key, 0, None)
        return self.memory.incr(key, delta)


@pytest.fixture
def redis(monkeypatch):
    cache = InPlaceOfRedis()
    monkeypatch.setattr(counting, "caches", {"default": cache})
    return cache


@pytest.mark.parametrize("taking", [take, take_quickly])
def test_tries_are_numbered_until_the_limit_and_told_how_long_to_wait(taking):
    assert [taking("a", 3, 60) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(UsedUp) as refused:
        taking("a", 3, 60)
    assert 0 < refused.value.wait_s <= 60
    assert taking("b", 3, 60) == 1


@pytest.mark.parametrize("taking", [take, take_quickly])
def test_a_period_begins_with_its_first_try_and_then_ends(taking, monkeypatch):
    taking("a", 1, 60)
    now, later = timezone.now(), time.time() + 61
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))
    monkeypatch.setattr(time, "time", lambda: later)
    assert taking("a", 1, 60) == 1
    with pytest.raises(UsedUp):
        taking("a", 1, 60)


def test_what_is_refused_is_not_counted_and_a_count_can_be_forgotten():
    take("a", 1, 60)
    for _ in range(3):
        with pytest.raises(UsedUp):
            take("a", 1, 60)
    assert Tally.objects.get().number == 1
    begin_anew("a")
    assert take("a", 1, 60) == 1


def test_counts_of_periods_that_have_ended_are_cleared_away_but_not_locks():
    counting.one_at_a_time("lock")
    take("old", 1, 60)
    take("other", 1, 60)
    Tally.objects.filter(key="old").update(ends_at=timezone.now() - timedelta(seconds=1))
    take("new", 1, 60)
    assert set(Tally.objects.values_list("key", flat=True)) == {"lock", "other", "new"}


def test_redis_counts_by_itself(redis):
    assert [take_quickly("a", 3, 60) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(UsedUp):
        take_quickly("a", 3, 60)
    assert not Tally.objects.exists()


def test_a_period_that_ends_between_the_two_steps_of_redis_is_followed_by_one_that_ends_too(redis, monkeypatch):
    """Else its count would grow for ever, and who is counted would be refused for ever."""
    take_quickly("a", 3, 60)
    redis.ends_while_asked = True
    assert take_quickly("a", 3, 60) == 1
    redis.ends_while_asked = False
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert redis.get("a") is None


def test_a_rate_that_the_database_does_not_take_refuses_nobody(monkeypatch, rf):
    class Rate(CountedRate):
        rate = "1/minute"

        def get_cache_key(self, request, view):
            return "a"

    error = OperationalError("attempt to write a readonly database")

    def fail(*arguments):
        raise error

    monkeypatch.setattr("common.limits.rates.take_quickly", fail)
    assert Rate().allow_request(rf.get("/"), None)
    error = OperationalError("no such table: machines_tally")
    with pytest.raises(OperationalError):
        Rate().allow_request(rf.get("/"), None)


def test_a_rate_of_nobody_is_not_counted(rf):
    """REST framework's throttles return None as the key of whoever has no limit."""

    class Rate(CountedRate):
        rate = "1/minute"

        def get_cache_key(self, request, view):
            return None

    assert [Rate().allow_request(rf.get("/"), None) for _ in range(3)] == [True] * 3


def test_what_was_a_lock_only_can_be_counted():
    with transaction.atomic():
        one_at_a_time("a")
    assert [take("a", 3, 60), take("a", 3, 60)] == [1, 2]
