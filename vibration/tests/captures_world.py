"""Captures for tests: small ones, of any day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection
from django.utils import timezone

from machines.models import RegisteredBy
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import store_captures
from vibration.models import Capture

RATE = 2_560.0
START = datetime(2026, 11, 20, 3, tzinfo=UTC)


def tone(count: int = 256, amplitude: float = 1.0, *, hz: float = 25.0, rate: float = RATE) -> np.ndarray:
    """float64 (n,), a sine."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(count) / rate)


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def at(started_at: datetime, values: np.ndarray | None = None, **more) -> NewCapture:
    """One of g1 / de / x, unless it says otherwise."""
    return replace(NewCapture("g1", "de", "x", started_at, RATE, tone() if values is None else values, "g"), **more)


def a_second(values: np.ndarray | None = None, **more) -> NewCapture:
    """One of pump3 / de / x at START, long enough for each feature, unless it says otherwise."""
    return replace(at(START, tone(2_560) if values is None else values, machine="pump3"), **more)


def stored(*new: NewCapture) -> list[Capture]:
    return [it.capture for it in store_captures(new, register=RegisteredBy.API)]


FLAT = np.zeros(256)
CLIPPED = np.array([0, 32_767, 5, -4] * 64, dtype=np.int16)  # needs a scale


def plan_of(sql: str) -> str:
    """How the database reads what it is asked for, in its own words."""
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'mysql' else 'EXPLAIN QUERY PLAN'} {sql}")
        return str(cursor.fetchall())


def reads_an_index_alone(sql: str, name: str) -> bool:
    """Whether the index of this name is all that is read; SQLite, MariaDB and MySQL each say so in another way."""
    plan = plan_of(sql)
    return name in plan and any(words in plan for words in ("COVERING INDEX", "Using index", "Covering index"))
