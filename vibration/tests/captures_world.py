"""Captures that tests speak of: tones of pump3 / de, each as a program would post it."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from machines.models import RegisteredBy
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import store_captures
from vibration.models import Capture

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
RATE = 2_560.0


def tone(count: int = 2_560, hz: float = 25.0, amplitude: float = 1.0, rate: float = RATE) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(count) / rate)


def new_capture(values: np.ndarray | None = None, **more) -> NewCapture:
    values = tone() if values is None else values
    return replace(NewCapture("pump3", "de", "x", START, RATE, values, unit="g"), **more)


def make_captures(*new: NewCapture) -> list[Capture]:
    return [it.capture for it in store_captures(new, register=RegisteredBy.API)]


def make_capture(values: np.ndarray | None = None, **more) -> Capture:
    [capture] = make_captures(new_capture(values, **more))
    return capture
