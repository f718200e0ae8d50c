"""Synthetic captures of made-up machines over 90 days, stored as those of real ones are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from machines.models import RegisteredBy
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import remove_samples, store_captures
from vibration.signals.synthetic import DAYS, RATE_HZ, SCALE_G, Story, synthetic
from vibration.signals.units import SI_FACTOR, Unit

SOURCE = "synthetic"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """A sensor, and what happens to its machine; it speaks in g or m/s2."""

    machine: str
    sensor: str
    story: Story
    unit: Unit = Unit.G


def make_captures(
    places: Sequence[Place], *, end: datetime, every: timedelta, seed: int, kept_for: timedelta | None
) -> Iterator[int]:
    """Store the captures of each place over DAYS days to `end`, one each so often; yields how many after each day.

    Machines and sensors that are not known are registered. Of captures older than `kept_for` only the features are
    left, but for the first of each axis, which is its reference.
    """
    begin = end - DAYS * DAY
    times = [begin + number * every for number in range(DAYS * DAY // every + 1)]
    for place_number, place in enumerate(places):
        for day in range(DAYS + 1):
            batch = [
                it
                for number, at in enumerate(times)
                if (at - begin) // DAY == day
                for it in _captures(place, at, (at - begin) / DAY, np.random.default_rng([seed, place_number, number]))
            ]
            stored = [it.capture for it in store_captures(batch, register=RegisteredBy.IMPORT)]
            if kept_for is not None:
                is_old = [it.pk for it in stored if begin < it.started_at < end - kept_for]
                remove_samples(is_old)
            yield len(stored)


def _captures(place: Place, at: datetime, day: float, random: np.random.Generator) -> list[NewCapture]:
    found = synthetic(place.story, day, random)
    scale = SCALE_G * SI_FACTOR[Unit.G] / SI_FACTOR[place.unit]
    return [
        NewCapture(
            machine=place.machine,
            sensor=place.sensor,
            axis=axis,
            started_at=at,
            sampling_hz=RATE_HZ,
            values=values,
            unit=place.unit.value,
            rpm=found.rpm,
            scale=scale,
            source=SOURCE,
        )
        for axis, values in found.axes.items()
    ]
