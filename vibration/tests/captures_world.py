"""Captures for tests: small ones, of any day."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from machines.models import RegisteredBy
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import store_captures
from vibration.models import Capture

RATE = 2_560.0


def tone(count: int = 256, amplitude: float = 1.0) -> np.ndarray:
    """float64 (n,), a sine at 25 Hz."""
    return amplitude * np.sin(2 * np.pi * 25.0 * np.arange(count) / RATE)


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def at(started_at: datetime, values: np.ndarray | None = None, **more) -> NewCapture:
    """One of g1 / de / x, unless it says otherwise."""
    return replace(NewCapture("g1", "de", "x", started_at, RATE, tone() if values is None else values, "g"), **more)


def stored(*new: NewCapture) -> list[Capture]:
    return [it.capture for it in store_captures(new, register=RegisteredBy.API)]


FLAT = np.zeros(256)
CLIPPED = np.array([0, 32_767, 5, -4] * 64, dtype=np.int16)  # needs a scale
