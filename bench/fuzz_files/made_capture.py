"""A made-up file of signals and what is true of it, and the times of its rows."""

import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np

BASE = datetime(2026, 3, 5, 0, 0, 0, 500_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"m/s2": ("m/s2", "m/s²", "m/s^2"), "g": ("g", "G"), "mm/s": ("mm/s",), "": ("",)}
# Of an axis: how files call it
NAMES = {
    "x": ("x", "ax", "X", "accel_x", "acc x", "X축", "가속도 X"),
    "y": ("y", "ay", "Y", "accel_y", "acc y", "Y축", "가속도 Y"),
    "z": ("z", "az", "Z", "accel_z", "acc z", "Z축", "가속도 Z"),
}


@dataclass
class MadeAxis:
    name: str
    unit: str
    values: np.ndarray
    scale: float | None = None


@dataclass(repr=False)
class MadeCapture:
    """A file, and what is true of it."""

    format: str
    name: str
    content: bytes = b""
    rate_hz: float = 1000.0
    axes: list[MadeAxis] = field(default_factory=list)
    started_at: datetime | None = None
    time: str = "none"
    quantum_s: float = 0.0  # to which the times are rounded
    gap: int = 0  # the row that begins after a gap; 0: there is none
    rpm: float | None = None
    said: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    broken_line: int = 0
    is_ambiguous: bool = False  # one column with decimal commas, which may be two columns

    @property
    def count(self) -> int:
        return len(self.axes[0].values)

    def _repr_pretty_(self, printer: Any, is_cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis would spell each field

    def __repr__(self) -> str:
        about = {it: getattr(self, it) for it in ("format", "rate_hz", "time", "gap", "said", "broken", "broken_line")}
        axes = [(it.name, it.unit, it.values[:4], it.values.dtype.name, it.scale) for it in self.axes]
        content = (
            gzip.decompress(self.content)
            if self.name.endswith("gz") and "cut file" not in self.broken
            else self.content
        )
        return f"MadeCapture({about}, axes={axes},\ncontent={content[:3000]!r})"


def times_ns(made: MadeCapture, breaks: set[str]) -> list[Fraction]:
    """Nanoseconds of each row from the first one."""
    step = Fraction(10**9) / Fraction(made.rate_hz)
    times = [step * row for row in range(made.count)]
    at = made.count // 2
    if "gap" in breaks:
        made.gap = at
        times[at:] = [time + 37 * step for time in times[at:]]
    elif "repeat" in breaks:
        times[at] = times[at - 1]
    elif "fall" in breaks:
        times[at:] = [time - 3 * step for time in times[at:]]
    elif "uneven" in breaks:
        times[at:] = [time + (row + 1) * step * Fraction(2, 5) for row, time in enumerate(times[at:])]
    return times


def decimal_text(number: Fraction, decimals: int) -> str:
    scaled = round(number * 10**decimals)
    sign, scaled = "-" if scaled < 0 else "", abs(scaled)
    whole, rest = divmod(scaled, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"
