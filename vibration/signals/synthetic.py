"""Made-up signals of machines that run, to try things out with: pure numbers, no database.

Each is the sum of sines at multiples of the shaft's frequency, of blows that ring, of noise and of gravity, as a sensor
of 16 bits and FULL_SCALE gives it. They follow a story over the days and say nothing about any machine.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

RATE_HZ, COUNT = 5_120.0, 5_120  # a second
AXES = ("x", "y", "z")
FULL_SCALE_G = 16.0  # to each side
SCALE_G = FULL_SCALE_G / 2**15
RATED_RPM = 1_650.0
DAYS = 90  # that the stories are of

_SHARE = {"x": 1.0, "y": 0.8, "z": 0.4}  # of the vibration, by axis
_GRAVITY_AXIS = "z"
_TONES_G: dict[float, float] = {1: 0.05, 2: 0.02, 3: 0.008}  # amplitudes of a healthy machine under full load, by order
_NOISE_G = 0.02
_LOOSE_TONES_G = {0.5: 0.03, 1.5: 0.025, 2: 0.03, 2.5: 0.02, 3: 0.02, 4: 0.015}
_BLOW_G, _BLOW_HZ, _BLOW_S = 0.6, 1_700.0, 0.002  # one a revolution: height, what rings, and how fast it fades
_KNOCK_G = 40.0  # what hits a sensor beyond its range
_KNOCKS = 0.02  # of captures
_NO_SPEED = 0.1  # of captures, beside which nobody read the speed


class Story(StrEnum):
    """What happens to a machine in the course of the days."""

    UNBALANCE = "unbalance that grows"
    LOOSENESS = "looseness"
    MOVED = "sensor that was moved, and a stop"
    DEAD = "sensor that dies"


# The days on which things begin
GROWS_FROM, GROWN = 60.0, 6.0  # and how many times as large it is on the last one
LOOSE_FROM = 70.0
STOPS = (30.0, 33.0)
MOVED_ON, MOVED_BY = 45.0, {"x": 1.8, "y": 0.5, "z": 1.3}
DIES_ON = 80.0


@dataclass(frozen=True)
class Synthetic:
    """The axes of a sensor at one instant: int16 (COUNT,) each, steps of SCALE_G; and the speed, if it was read."""

    axes: dict[str, np.ndarray]
    rpm: float | None


def synthetic(story: Story, day: float, random: np.random.Generator) -> Synthetic:
    """What a sensor gives on a day of a story, counted from 0; the fraction of a day is its time of day.

    The same for generators that are alike. The load swings once a day, and with it vibration and speed.
    """
    load = 0.75 + 0.2 * math.sin(2 * math.pi * (day - 0.3)) + random.uniform(-0.05, 0.05)
    rpm = RATED_RPM * (1.01 - 0.02 * load + random.normal(0, 0.0005))
    is_read, is_knocked = random.random() >= _NO_SPEED, story is Story.MOVED and random.random() < _KNOCKS
    is_stopped = story is Story.MOVED and STOPS[0] <= day < STOPS[1]
    is_dead = story is Story.DEAD and day >= DIES_ON
    axes = {}
    for axis in AXES:
        values = np.zeros(COUNT)
        if not is_stopped and not is_dead:
            values = _SHARE[axis] * load * _running(story, day, rpm / 60, random)
            if story is Story.MOVED and day >= MOVED_ON:
                values *= MOVED_BY[axis]
            if is_knocked:
                values += _KNOCK_G * _ringing(np.array([random.uniform(0.1, 0.9)]))
        if axis == _GRAVITY_AXIS and not is_dead:
            values += 1.0
        axes[axis] = np.clip(np.round(values / SCALE_G), -(2**15), 2**15 - 1).astype(np.int16)
    return Synthetic(axes, round(rpm, 1) if is_read and not is_stopped else None)


def _running(story: Story, day: float, shaft_hz: float, random: np.random.Generator) -> np.ndarray:
    """float64 (COUNT,), in g: of one axis under full load."""
    tones = dict(_TONES_G)
    if story is Story.UNBALANCE:
        tones[1] *= 1 + (GROWN - 1) * max(0.0, day - GROWS_FROM) / (DAYS - GROWS_FROM)
    is_loose = story is Story.LOOSENESS and day >= LOOSE_FROM
    if is_loose:
        tones |= _LOOSE_TONES_G
    turns = np.arange(COUNT) * (shaft_hz / RATE_HZ)
    values = random.normal(0, _NOISE_G, COUNT)
    for order, amplitude in tones.items():
        values += amplitude * np.sin(2 * np.pi * (order * turns + random.random()))
    if is_loose:
        blows = np.arange(random.random(), shaft_hz, 1) / shaft_hz
        values += _BLOW_G * random.uniform(0.7, 1.3) * _ringing(blows)
    return values


def _ringing(blows: np.ndarray) -> np.ndarray:
    """float64 (COUNT,): blows of height 1 at these instants (n,), in seconds, each a tone that fades."""
    values = np.zeros(COUNT)
    length = int(10 * _BLOW_S * RATE_HZ)
    since = np.arange(length) / RATE_HZ
    ring = np.exp(-since / _BLOW_S) * np.cos(2 * np.pi * _BLOW_HZ * since)
    for first in (blows * RATE_HZ).astype(int):
        values[first : first + length] += ring[: COUNT - first]
    return values
