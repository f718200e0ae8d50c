"""Two periods or two machines beside each other in numbers: the medians, the extremes, and how many times as much."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from machines.models import Machine
from vibration.models import Capture, CaptureAxis
from vibration.pages.rounding import significant
from vibration.pages.trends.quantities import unit_text
from vibration.trends.summary import Summary, newest_sound, summary_of

MOST_READ = 12_000  # captures of all axes and periods of a table together


class Kind(StrEnum):
    """What is compared with; the value is that of the query string."""

    WEEK = "week"
    MONTH = "month"
    PERIOD = "period"
    MACHINE = "machine"
    ALARM = "alarm"


@dataclass(frozen=True)
class Period:
    """From an instant on up to another, which is left out; `is_open`: that other one is now."""

    start: datetime
    end: datetime
    is_open: bool = False

    def shifted(self, by: timedelta) -> "Period":
        return Period(self.start + by, self.end + by)


@dataclass(frozen=True)
class Comparison:
    """What is drawn dashed over the period that is shown: at an instant, what was at the instant plus `shift`."""

    kind: Kind
    machine: Machine
    axes: dict[str, CaptureAxis]  # by their keys
    missing: list[CaptureAxis]  # which this machine does not have
    shift: timedelta
    opening: datetime | None = None  # of the alarm that is shown
    with_opening: datetime | None = None  # of the other one


@dataclass(frozen=True)
class Numbers:
    """The summary of an axis in a period, as people read it."""

    of: Summary
    unit: str
    spectrum: Capture | None  # the newest one with samples that are sound

    @property
    def median(self) -> str:
        return significant(self.of.median)

    @property
    def least(self) -> str:
        return significant(self.of.least)

    @property
    def greatest(self) -> str:
        return significant(self.of.greatest)


@dataclass(frozen=True)
class Row:
    """An axis in the period that is shown, and in what it is compared with."""

    name: str
    shown: Numbers
    compared: Numbers | None = None

    @property
    def ratio(self) -> float | None:
        """Of the medians; None where one is not there or not above 0."""
        if self.compared is None:
            return None
        now, then = self.shown.of.median, self.compared.of.median
        return now / then if now is not None and now > 0 and then is not None and then > 0 else None

    @property
    def ratio_text(self) -> str:
        """With two significant digits, also where the second is 0: "2.0", "0.96", "14"."""
        if self.ratio is None:
            return ""
        places = 2 if self.ratio < 0.995 else 1 if self.ratio < 9.95 else 0
        return f"{self.ratio:,.{places}f}"


@dataclass(frozen=True)
class Table:
    """Each axis in a row; `most`: how many captures of each period were read at most."""

    rows: list[Row]
    most: int
    parts: list[Numbers] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        return any(it.of.is_cut for it in self.parts)

    @property
    def still(self) -> int:
        return sum(it.of.still for it in self.parts)

    @property
    def other_unit(self) -> int:
        return sum(it.of.other_unit for it in self.parts)

    @property
    def without(self) -> int:
        return sum(it.of.without for it in self.parts)


def table_of(axes: dict[str, CaptureAxis], quantity: str, shown: Period, comparison: Comparison | None) -> Table:
    """The numbers of each axis; a query an axis and period, and one for all spectra."""
    most = MOST_READ // max(1, len(axes) * (2 if comparison else 1))
    found: dict[str, list[tuple[CaptureAxis, Summary]]] = {}
    for key, axis in axes.items():
        first = summary_of(axis, quantity, shown.start, shown.end, most=most)
        found[key] = [(axis, first)]
        if comparison and (other := comparison.axes.get(key)):
            period = shown.shifted(comparison.shift)
            second = summary_of(other, quantity, period.start, period.end, most=most, unit=first.unit)
            found[key].append((other, second))
    sound = newest_sound(pair for pairs in found.values() for pair in pairs)
    rows = []
    for key, pairs in found.items():
        numbers = [_numbers(axis, summary, quantity, sound) for axis, summary in pairs]
        rows.append(Row(f"{axes[key].sensor.sensor_no} / {axes[key].axis}", *numbers))
    parts = [it for row in rows for it in (row.shown, row.compared) if it]
    return Table(rows, most, parts)


def _numbers(axis: CaptureAxis, summary: Summary, quantity: str, sound: dict[tuple, Capture]) -> Numbers:
    keys = ((axis.sensor_id, axis.axis, start) for start in summary.newest)
    spectrum = next((sound[key] for key in keys if key in sound), None)
    return Numbers(summary, unit_text(quantity, summary.unit), spectrum)
