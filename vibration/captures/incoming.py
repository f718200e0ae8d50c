"""Captures as they come from programs and files, and what may be wrong with them."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils import timezone

from common.rest.fields import MAX_AHEAD, earliest
from vibration.models.captures import MAX_RATE_HZ, MAX_RPM, MAX_SAMPLES, MIN_RATE_HZ
from vibration.numbers.states import MAX_VALUE
from vibration.signals.codec import digest
from vibration.signals.units import Unit

KINDS = {np.dtype(np.int16), np.dtype(np.float32), np.dtype(np.float64)}  # of samples

Place = tuple[str, str]  # machine and sensor, by their names
Key = tuple[str, datetime]  # axis and start: of one sensor


@dataclass(frozen=True)
class NewCapture:
    """A capture as a program or a file brings it; names are clean, the instant is UTC."""

    machine: str
    sensor: str
    axis: str
    started_at: datetime
    sampling_hz: float
    values: np.ndarray  # int16, float32 or float64 (n,)
    unit: str = ""
    rpm: float | None = None
    scale: float | None = None  # in the unit, of one step of whole numbers
    has_gap: bool = False
    clock_drifts: bool = False
    source: str = ""

    @property
    def place(self) -> Place:
        return self.machine, self.sensor

    @property
    def key(self) -> Key:
        return self.axis, self.started_at

    @property
    def digest(self) -> str:
        """In hexadecimal digits."""
        said = digest(self.values, sampling_hz=self.sampling_hz, unit=self.unit, rpm=self.rpm, scale=self.scale)
        return said.hex()


def wrong_with(new: NewCapture) -> list[tuple[str, str]]:
    """Field and message of each thing that is wrong with it; empty for one that can be stored."""
    return [(field, message) for field, message in (_wrong_start(new), _wrong_rate(new), *_wrong_rest(new)) if message]


def _wrong_start(new: NewCapture) -> tuple[str, str]:
    text = timezone.localtime(new.started_at).isoformat()
    if new.started_at < earliest():
        return "started_at", f"{text} is before the earliest year (DJANGO_EARLIEST_YEAR). Was the clock not set?"
    if new.started_at > timezone.now() + MAX_AHEAD:
        return "started_at", f"{text} is more than an hour in the future. Is the clock or the offset right?"
    return "", ""


def _wrong_rate(new: NewCapture) -> tuple[str, str]:
    if MIN_RATE_HZ <= new.sampling_hz <= MAX_RATE_HZ:  # false for NaN
        return "", ""
    return (
        "sampling_hz",
        f"{new.sampling_hz!r} Hz; give samples per second, from {MIN_RATE_HZ:g} to {MAX_RATE_HZ:,.0f}.",
    )


def _wrong_rest(new: NewCapture) -> list[tuple[str, str]]:
    found = []
    if new.unit not in list(Unit):
        known = ", ".join(filter(None, Unit))
        found.append(
            ("unit", f'"{new.unit}" is no unit of a capture. Known: {known}; leave it out when it is not known.')
        )
    if new.rpm is not None and not 0 < new.rpm <= MAX_RPM:
        found.append(("rpm", f"{new.rpm!r} rpm; give the speed above 0, or leave it out when it is not known."))
    if new.scale is not None and not (math.isfinite(new.scale) and new.scale > 0):
        found.append(("scale", f"{new.scale!r}; give what one step of the whole numbers is, above 0."))
    if (new.scale is None) == (new.values.dtype == np.int16):
        wanted = "Whole numbers need a scale." if new.scale is None else "Only whole numbers have a scale."
        found.append(("scale", wanted))
    return found + _wrong_samples(new)


def _wrong_samples(new: NewCapture) -> list[tuple[str, str]]:
    values = new.values
    if values.dtype not in KINDS or values.ndim != 1:
        raise TypeError(f"samples are int16, float32 or float64 (n,), not {values.dtype} {values.shape}")
    if not len(values):
        return [("samples", "There are no samples in it.")]
    if len(values) > MAX_SAMPLES:
        return [("samples", f"{len(values):,} samples; at most {MAX_SAMPLES:,}. Send it as shorter captures.")]
    if values.dtype != np.int16:
        bad = np.flatnonzero(~(np.abs(values.astype(np.float64, copy=False)) <= MAX_VALUE))  # of NaN, too
        if len(bad):
            count = f" ({len(bad):,} of {len(values):,} are like it)" if len(bad) > 1 else ""
            return [
                ("samples", f"Sample {bad[0]} is {values[bad[0]]}, not a number to store{count}. Samples count from 0.")
            ]
    elif new.scale is not None and new.scale * 2**15 > MAX_VALUE:
        return [("scale", f"{new.scale!r} makes values beyond {MAX_VALUE:g}.")]
    return []
