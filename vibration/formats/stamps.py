"""Times of samples: a column as seconds, and the even grid that they stand on.

How the sampling rate is found. Times t_k of a stretch without a gap are fitted by t_0 + k s (least squares). Where they
lie on that grid but for what a float has beside a decimal number, the rate is 1/s: times of 0.00004 s are 25,000 Hz.
Otherwise they are rounded or jitter, to q; then any rate between (1 -+ q/T)/s, T being the length of the longest
stretch, explains them as well, and the one with the fewest digits is taken: 0, 1, 2, 4, 5 ms are 800 Hz. So a rate is
never further off than the times themselves can tell.
"""

import math
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from common.printable import printable
from vibration.csv.numbers import BadRow
from vibration.csv.times import DIGITS, MAX_STAMP_CHARACTERS, NS, Period, time_column
from vibration.formats.table import Column, Table
from vibration.numbers.evenness import Spacing, even_step, longest, shift_of, spacings_of

RELATIVE = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # how many a second has
EPOCHS = ("epoch-s", "epoch-ms", "epoch-us", "epoch-ns")
TIMES = ("none", *RELATIVE, *EPOCHS, "iso")
FLOAT_NOISE = 4  # units in the last place that a time may be off its decimal number
_YEAR_FIRST = r"^([0-9]{4})[/.]([0-9]{2})[/.]([0-9]{2})"  # as well known as with hyphens
MAX_SLACK = 0.25  # of what times are rounded to, that floats may blur
FIT_NOISE = 1e-12  # of the length, that the fit itself may be off
MAX_DRIFT = 1e-3  # of the rate: further off its grid a clock does not drift, the samples are uneven
SAMPLES_A_GAP = 50  # times with more gaps than one in so many are uneven; a single one is a gap in any case
MAX_OFF_STEPS = 0.25  # by which a sample may be off its place beside rounding, as clocks of programs jitter
MAX_JITTER_STEPS = 0.5  # by which a step of a clock that drifts may differ from the usual one
MOST_DIGITS = 9


@dataclass(frozen=True)
class Times:
    """The times of all rows."""

    seconds: np.ndarray  # float64 (n,), from the first row on
    first_ns: int | None  # the instant of the first row, ns since 1970; None of times from a start
    noise: float  # seconds that a time may be off, for it is a float


@dataclass(frozen=True)
class Grid:
    """How evenly samples follow each other."""

    rate_hz: float
    least_hz: float  # the rates that explain the times as well
    most_hz: float
    stretches: tuple[tuple[int, int], ...]  # first and past-the-last row of each stretch without a gap
    clock_drifts: bool

    @property
    def is_uncertain(self) -> bool:
        """Whether the times leave open more than a hundredth of the rate."""
        return self.most_hz - self.least_hz > 0.02 * self.rate_hz


class UnevenTimes(ValueError):
    """Times that are no even grid; the message says by how much."""


def read_times(table: Table, column: Column, kind: str, zone: tzinfo) -> Times:
    """The times of a column that is written as `kind`, one of TIMES. Raises BadFile, naming the row.

    They must rise: a signal has one sample at each time.
    """
    if kind in RELATIVE:
        if column.values is None:
            raise _no_number(table, column)
        raw = np.asarray(column.values, dtype=np.float64) * (column.scale or 1)
        if len(wrong := np.flatnonzero(~np.isfinite(raw))):
            raise table.bad(
                f"{table.place(wrong[0])}: the time '{column.name}' is {raw[wrong[0]]}", "repair the row, or remove it"
            )
        seconds, first_ns = raw / RELATIVE[kind], None
        noise = _noise(column.values, raw) / RELATIVE[kind]
        stamps = seconds
    else:
        ns = _instants(table, column, kind, zone)
        seconds, first_ns, stamps = (ns - ns[0]) / NS if len(ns) else ns / NS, int(ns[0]) if len(ns) else None, ns
        noise = 0.0
        if column.text is None and column.values is not None:
            per_second = 10.0 ** time_power(kind)
            noise = _noise(column.values, column.values) / per_second
    _check_rising(table, column, stamps)
    return Times(seconds - seconds[0] if len(seconds) else seconds, first_ns, noise)


def time_power(kind: str) -> int:
    """How many decimals of a second an epoch is greater by."""
    return {"epoch-s": 0, "epoch-ms": 3, "epoch-us": 6, "epoch-ns": 9}.get(kind, 9)


def grid_of(times: Times) -> Grid:
    """The even grid of two times or more. Raises UnevenTimes."""
    time = times.seconds
    if len(time) < 2:
        raise UnevenTimes("a single time tells no sampling rate")
    worst, most_gaps = math.inf, max(1, len(time) // SAMPLES_A_GAP)
    spacings = spacings_of(time)
    for spacing in spacings:
        stretches = spacing.stretches(time)
        long = [it for it in stretches if it[1] - it[0] > 1]
        if not long or len(stretches) - 1 > most_gaps:
            continue
        step = even_step(time, long)
        shift = max(shift_of(time[first:last], step) for first, last in long)
        if shift <= _allowed(times, spacing, step):
            return _grid(times, spacing, step, shift, stretches, clock_drifts=False)
        worst = min(worst, shift / step)
    for spacing in spacings:
        stretches = spacing.stretches(time)
        long = [it for it in stretches if it[1] - it[0] > 1]
        if long and len(stretches) - 1 <= most_gaps and _drifts(times, spacing, long):
            step = even_step(time, long)
            shift = max(shift_of(time[first:last], step) for first, last in long)
            return _grid(times, spacing, step, shift, stretches, clock_drifts=True)
    steps = np.diff(time)
    raise UnevenTimes(
        f"the steps from sample to sample are uneven: {steps.min():.3g} to {steps.max():.3g} s, usually "
        f"{np.median(steps):.3g} s"
        + (f", and samples stand up to {worst:.3g} steps from their place" if math.isfinite(worst) else "")
    )


def _allowed(times: Times, spacing: Spacing, step: float) -> float:
    """By how much samples may be off their places, from the earliest to the latest: their times are not kept."""
    return max(spacing.rounding, _rounding_of(times, step)) + 2 * MAX_OFF_STEPS * step + 2 * times.noise


def _drifts(times: Times, spacing: Spacing, stretches: list[tuple[int, int]]) -> bool:
    """Whether each step is like the others, but all of them together run off an even grid, slowly."""
    time = times.seconds
    for first, last in stretches:
        steps = np.diff(time[first:last])
        if np.abs(steps - np.median(steps)).max() > MAX_JITTER_STEPS * spacing.step + spacing.rounding:
            return False
        shift = shift_of(time[first:last], even_step(time, [(first, last)]))
        if shift > max(MAX_DRIFT * (time[last - 1] - time[first]), _allowed(times, spacing, spacing.step)):
            return False
    return True


def _grid(
    times: Times,
    spacing: Spacing,
    step: float,
    shift: float,
    stretches: list[tuple[int, int]],
    *,
    clock_drifts: bool,
) -> Grid:
    first, last = longest(stretches)
    length = float(times.seconds[last - 1] - times.seconds[first])
    noise = times.noise + FLOAT_NOISE * float(np.spacing(times.seconds[-1])) + FIT_NOISE * length
    blur = max(shift, noise)
    if shift > 2 * noise:  # rounded, or jittering
        blur = max(shift, _rounding_of(times, step), spacing.rounding)
    low, high = (1 - blur / length) / step, (1 + blur / length) / step
    return Grid(roundest(low, high, 1 / step), low, high, tuple(stretches), clock_drifts)


def _rounding_of(times: Times, step: float) -> float:
    """To what times are rounded, down to a nanosecond: 1e-3 s of whole milliseconds; 0 of what is finer than floats."""
    noise = times.noise + FLOAT_NOISE * float(np.spacing(times.seconds[-1]))
    for decimals in range(DIGITS + 1):
        scaled, slack = times.seconds * 10.0**decimals, noise * 10.0**decimals
        if 10.0**-decimals <= step and slack < MAX_SLACK and (np.abs(scaled - np.rint(scaled)) <= slack).all():
            return 10.0**-decimals
    return 0.0


def roundest(low: float, high: float, near: float) -> float:
    """The number between two that has the fewest significant digits; of some, the one nearest to `near`."""
    low = max(low, near / 10)
    exponent = math.floor(math.log10(near))
    for digits in range(MOST_DIGITS):
        power = digits - exponent
        number = round(near * 10.0**power) / 10.0**power if power >= 0 else float(round(near, power))
        if low <= number <= high:
            return number
    return near


def _noise(values: np.ndarray, raw: np.ndarray) -> float:
    if not len(values) or values.dtype.kind != "f":
        return 0.0
    return float(np.spacing(np.abs(values).max())) if raw is values else float(np.spacing(np.abs(raw).max()))


def _instants(table: Table, column: Column, kind: str, zone: tzinfo) -> np.ndarray:
    """The instants, int64 ns since 1970."""
    if column.text is None:
        if column.values is None or kind == "iso":
            raise table.bad(f"the column '{column.name}' has no times of day", "say what the time column is")
        return _of_numbers(table, column, kind)
    text = column.text
    if kind == "iso":
        text = text.str.replace(_YEAR_FIRST, "$1-$2-$3")
    elif table.decimal == ",":
        text = text.str.replace(",", ".", literal=True)
    reader = time_column(kind, Period(zone))
    try:
        stamps = reader.read_column(text) if len(text) else np.array([], dtype=np.int64)
    except BadRow:
        stamps = None
    if stamps is not None:
        return stamps
    reader = time_column(kind, Period(zone))
    found = np.empty(len(text), dtype=np.int64)
    for row, cell in enumerate(text):
        try:
            found[row] = reader.read(cell.encode())
        except BadRow as error:
            reason = str(error).partition(" is ")[2] or str(error)
            raise table.bad(
                f"{table.place(row)}: the time '{column.name}' is {reason.partition('; say ')[0]}",
                "repair the row, or say what the time column is",
            ) from None
    return found


def _of_numbers(table: Table, column: Column, kind: str) -> np.ndarray:
    values = column.numbers
    per_unit = 10 ** (9 - time_power(kind))
    if values.dtype.kind == "i":
        exact = values.astype(np.int64)
        return exact * per_unit
    if len(wrong := np.flatnonzero(~(np.abs(values) < 2**63 / per_unit / 2))):
        raise table.bad(f"{table.place(wrong[0])}: the time '{column.name}' is no instant", "repair the row")
    whole = np.floor(values)
    return whole.astype(np.int64) * per_unit + np.rint((values - whole) * per_unit).astype(np.int64)


def _no_number(table: Table, column: Column) -> Exception:
    if column.flaw is None:
        return table.bad(f"the column '{column.name}' has no numbers", "say what the time column is")
    return table.bad(
        f"{table.place(column.flaw.row)}: the time '{column.name}' is '{column.flaw.text}', not a number",
        "repair the row, or say what the time column is",
    )


def _check_rising(table: Table, column: Column, times: np.ndarray) -> None:
    falls = np.flatnonzero(np.diff(times) <= 0)
    if not len(falls):
        return
    row = int(falls[0]) + 1

    def told(place: int) -> str:
        return printable(column.text[place][:MAX_STAMP_CHARACTERS]) if column.text is not None else str(times[place])

    how = "repeats" if times[row] == times[row - 1] else f"falls back from {told(row - 1)}"
    many = f"; so do {len(falls) - 1:,} more rows" if len(falls) > 1 else ""
    raise table.bad(
        f"{table.place(row)}: the time '{column.name}' {how}: {told(row)}{many}",
        "a signal has one sample at each time: remove what is written twice, or put each measurement into a file of "
        "its own",
    )
