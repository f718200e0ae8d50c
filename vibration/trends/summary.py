"""One feature of an axis over a period in a few numbers: what two periods or two machines are compared by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from vibration.models import Capture, CaptureAxis, CaptureFeatures
from vibration.querysets import newest_of_axis
from vibration.signals.quantities import QUANTITIES, Scale
from vibration.signals.units import Unit, factor_between
from vibration.trends.reading import newest_unit

LOOKED_AT = 20  # of the newest captures, for one with a spectrum


@dataclass(frozen=True)
class Summary:
    """Of the newest captures of a period with vibration, in `unit`; the numbers are None where no capture has any."""

    unit: Unit
    count: int = 0  # captures that the numbers are of
    still: int = 0  # left out: all their samples are alike, as the machine stands or the sensor is dead
    other_unit: int = 0  # left out: their unit can't be converted
    without: int = 0  # in which the feature is not assessable
    is_cut: bool = False  # whether there are older ones in the period, which were not read
    median: float | None = None
    least: float | None = None
    greatest: float | None = None
    newest: tuple[datetime, ...] = ()  # starts of the newest captures, see `newest_sound`

    @property
    def newest_at(self) -> datetime | None:
        return self.newest[0] if self.newest else None


def summary_of(
    axis: CaptureAxis, quantity: str, start: datetime, end: datetime, *, most: int, unit: Unit | None = None
) -> Summary:
    """Of captures with start <= started_at < end; at most so many, the newest ones. One query.

    What is in the unit of its signal is told in `unit`, or else in that of the trend; one acceleration is converted to
    the other.
    """
    has_unit = QUANTITIES[quantity] == Scale.SIGNAL
    rows = newest_of_axis(CaptureFeatures.objects.all(), axis.sensor_id, axis.axis)
    rows = rows.filter(started_at__gte=start, started_at__lt=end)
    newest_first = rows.values_list("started_at", "unit", "crest_factor", quantity)
    found = list(newest_first[: most + 1])
    used = found[:most]
    unit = newest_unit(axis) if unit is None else unit
    moving = [row for row in used if row[2] is not None]  # a signal whose samples are all alike has no crest factor
    factors = [factor_between(Unit(it), unit) if has_unit else 1.0 for _start, it, _crest, _value in moving]
    pairs = list(zip((row[3] for row in moving), factors, strict=True))
    values = np.array([value * factor for value, factor in pairs if None not in (value, factor)], dtype=float)
    summary = Summary(
        unit=unit,
        count=len(values),
        still=len(used) - len(moving),
        other_unit=factors.count(None),
        without=sum(value is None and factor is not None for value, factor in pairs),
        is_cut=len(found) > most,
        newest=tuple(row[0] for row in moving[:LOOKED_AT]),
    )
    if not len(values):
        return summary
    numbers = {"median": np.median(values), "least": values.min(), "greatest": values.max()}
    return Summary(**vars(summary) | {name: float(value) for name, value in numbers.items()})


def newest_sound(of: Iterable[tuple[CaptureAxis, Summary]]) -> dict[tuple[int, str, datetime], Capture]:
    """Of the newest captures of summaries those that have a spectrum, by sensor, axis and start; one query."""
    pairs = list(of)
    keys = {(axis.sensor_id, axis.axis, start) for axis, summary in pairs for start in summary.newest}
    if not keys:
        return {}
    found = Capture.objects.without_samples().filter(
        sensor__in={sensor for sensor, _axis, _start in keys},
        axis__in={axis for _sensor, axis, _start in keys},
        started_at__in={start for _sensor, _axis, start in keys},
        has_samples=True,
        is_clipped=False,
        is_flat=False,
    )
    by_key = {(it.sensor_id, it.axis, it.started_at): it for it in found}
    return {key: it for key, it in by_key.items() if key in keys}
