"""What a file's columns are, as far as its names, units, numbers and notes tell; what they do not tell is a doubt."""

from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

import numpy as np
import polars as pl

from vibration.csv.columns import HEADER_NAMES, header_name
from vibration.csv.numbers import is_plain_number
from vibration.csv.times import guess_epoch, to_instant
from vibration.formats.delimited import is_stamp
from vibration.formats.mapping import Axis, Mapping
from vibration.formats.names import (
    MAX_AXIS_CHARACTERS,
    Role,
    UnknownUnit,
    axis_of,
    is_known_unit,
    read_unit,
    role_of,
    time_unit,
)
from vibration.formats.reasons import Remark, remark
from vibration.formats.stamps import Grid, UnevenTimes, grid_of, read_times, time_power
from vibration.formats.table import BadFile, Column, Table
from vibration.numbers.states import STATES

MOST_GUESSED_AXES = 16  # of more columns a person has to say which are signals
MOST_TOLD = 8
# A time without a unit is in seconds if it makes such a rate; 0.04 from row to row may be milliseconds as well.
PLAUSIBLE_HZ = (99, 1_000_000)
MOST_EPOCH_STEP_S = 0.1  # a greater one may be a millisecond of a device that was started 12 days ago


@dataclass(frozen=True)
class Guess:
    """A mapping, why each of its parts is so, and what has to be said before anything may be stored with it."""

    mapping: Mapping
    reasons: tuple[Remark, ...]
    doubts: tuple[Remark, ...]

    @property
    def is_sure(self) -> bool:
        return not self.doubts


@dataclass
class _Work:
    table: Table
    zone: tzinfo
    reasons: list[Remark] = field(default_factory=list)
    doubts: list[Remark] = field(default_factory=list)

    def say(self, code: str, **values: object) -> None:
        self.reasons.append(remark(code, **values))

    def doubt(self, code: str, **values: object) -> None:
        self.doubts.append(remark(code, **values))


def guess(
    table: Table, *, rate_hz: float | None = None, unit: str | None = None, time: str | None = None, zone: tzinfo = UTC
) -> Guess:
    """What a table seems to be. A rate, a unit and how the time is written settle, if said, what the file leaves open.

    `unit` is meant for every axis, in the spelling that is stored; `time` is one of TIMES, of which `none` leaves the
    time column out; `zone` is that of stamps without an offset.
    """
    work = _Work(table, zone)
    mapping = Mapping(rate_hz=rate_hz, separator=table.said[0], decimal=table.said[1])
    if table.is_ambiguous:
        work.doubt("separator_or_decimal")
    if table.has_open_end:
        work.say("open_end", place=table.place(-1))
    if _are_four_states(table):
        work.doubt("four_states")
    mapping = _with_columns(work, mapping, unit, time)
    return Guess(_with_start(work, mapping), tuple(work.reasons), tuple(work.doubts))


def _are_four_states(table: Table) -> bool:
    known = {HEADER_NAMES.get(header_name(column.name)) for column in table.columns if column.is_named}
    return len(known & set(STATES)) >= 2


def _with_columns(work: _Work, mapping: Mapping, unit: str | None, said: str | None) -> Mapping:
    """Each column gets its use."""
    roles = {column.name: _role(column) for column in work.table.columns}
    time = _time_column(work, roles)
    if time is None and said not in (None, "none"):
        work.doubt("no_time_column", kind=said)
    if time is not None:
        roles[time.name] = "time"
        mapping = _with_time(work, mapping, time, said)
    mapping = _with_speed(work, mapping, roles)
    left_out: list[str] = []
    signals: list[Column] = []
    for column in work.table.columns:
        role = roles[column.name]
        if column.name in (mapping.time_column, mapping.rpm_column):
            continue
        if role == "axis" and (time is None or column is not time) and _is_signal(work, column):
            signals.append(column)
            continue
        left_out.append(column.name)
        if role in ("index", "other"):
            work.say(f"left_out_{role}", column=column.name)
        elif role == "rpm":
            work.say("left_out_text", column=column.name)
    mapping = replace(mapping, left_out=tuple(left_out))
    return _with_axes(work, mapping, signals, unit)


def _role(column: Column) -> Role:
    """By its name; a speed in a unit of vibration is no speed of rotation."""
    role = role_of(column.name) if column.is_named else "axis"
    return "axis" if role == "rpm" and is_known_unit(column.unit) else role


def _time_column(work: _Work, roles: dict[str, Role]) -> Column | None:
    named = [column for column in work.table.columns if roles[column.name] == "time"]
    if len(named) > 1:
        work.doubt("which_time", columns=_told(named))
    if named:
        work.say("time_by_name", column=named[0].name)
        return named[0]
    first = work.table.columns[0] if work.table.columns else None
    if first is None or len(work.table.columns) < 2 or len(first) < 3:
        return None
    if first.values is None:
        return first if first.text is not None and is_stamp(first.text[0]) else None
    is_text = work.table.lines is not None
    is_open = not first.is_named or (roles[first.name] == "axis" and axis_of(first.name) not in ("x", "y", "z"))
    if is_open and is_text and _is_even(first.values):
        work.say("time_by_values", column=first.name)
        return first
    return None


def _is_even(values: np.ndarray) -> bool:
    """Whether numbers rise, in steps of much the same length."""
    steps = np.diff(values)
    median = float(np.median(steps))
    return median > 0 and bool((steps > 0).all()) and bool(np.mean(np.abs(steps - median) <= median) > 0.75)


def _with_time(work: _Work, mapping: Mapping, column: Column, said: str | None) -> Mapping:
    kind = _time_kind(work, column, said)
    if kind is None or kind == "none":
        return mapping
    mapping = replace(mapping, time=kind, time_column=column.name)
    try:
        grid = grid_of(read_times(work.table, column, kind, work.zone))
    except BadFile as error:
        work.doubt("times_bad", message=error.reason)
    except UnevenTimes as error:
        work.doubt("times_bad", message=str(error))
    else:
        _say_rate(work, mapping, grid)
        if len(grid.stretches) > 1:
            work.say("gaps", count=len(grid.stretches) - 1)
        if grid.clock_drifts:
            work.say("clock_drifts")
    return mapping


def _say_rate(work: _Work, mapping: Mapping, grid: Grid) -> None:
    rate, least, most = (f"{it:.9g}" for it in (grid.rate_hz, grid.least_hz, grid.most_hz))
    if mapping.rate_hz is not None:
        work.say("rate_said", rate=f"{mapping.rate_hz:.9g}")
    elif grid.is_uncertain:
        work.doubt("rate_uncertain", rate=rate, least=least, most=most)
    elif least == most:
        work.say("rate_from_times", rate=rate)
    else:
        work.say("rate_from_rounded_times", rate=rate, least=least, most=most)


def _time_kind(work: _Work, column: Column, said: str | None) -> str | None:
    """How the time is written: as was said, by its look as stamps, by its unit, or by habit."""
    if said is not None:
        work.say("time_left_out" if said == "none" else "time_said", column=column.name, kind=said)
        return said
    if column.text is not None and len(column.text) and is_stamp(column.text[0]):
        work.say("time_is_iso", text=column.text[0][:40])
        return "iso"
    first = _first_number(column)
    if first is None:
        work.doubt("time_unit", column=column.name, first=_cell(column, 0), second=_cell(column, 1))
        return None
    written = column.text[0] if column.text is not None else repr(first)
    epoch = guess_epoch(written.replace(",", ".").encode())
    if epoch and time_unit(column.unit) in (None, epoch.removeprefix("epoch-")):
        return _epoch(work, column, epoch, first)
    if column.unit:
        unit = time_unit(column.unit)
        if unit is None:
            work.doubt("time_other_unit", column=column.name, unit=column.unit)
        else:
            work.say("time_unit_by_name", unit=unit)
        return unit
    step = _usual_step(column)
    is_whole = column.values is not None and bool((column.values == np.rint(column.values)).all())
    if step > 0 and not is_whole and PLAUSIBLE_HZ[0] <= 1 / step <= PLAUSIBLE_HZ[1]:
        work.say("time_unit_by_habit", step=f"{step:.4g}")
        return "s"
    work.doubt("time_unit", column=column.name, first=_cell(column, 0), second=_cell(column, 1))
    return None


def _epoch(work: _Work, column: Column, kind: str, first: float) -> str | None:
    """A number since 1970, unless it may as well count milliseconds or microseconds since a device was started."""
    power = time_power(kind)
    if not column.unit and _usual_step(column) / 10**power > MOST_EPOCH_STEP_S:
        work.doubt("time_unit", column=column.name, first=_cell(column, 0), second=_cell(column, 1))
        return None
    instant = to_instant(int(first) * 10 ** (9 - power)).isoformat()
    work.say("time_is_epoch", unit=kind.removeprefix("epoch-"), instant=instant)
    return kind


def _first_number(column: Column) -> float | None:
    if column.values is not None:
        return float(column.values[0]) * (column.scale or 1) if len(column.values) else None
    first = column.text[0] if column.text is not None and len(column.text) else ""
    return float(first) if is_plain_number(first.encode()) else None


def _usual_step(column: Column) -> float:
    if column.values is None or len(column.values) < 2:
        return 0.0
    return float(np.median(np.diff(column.values))) * (column.scale or 1)


def _cell(column: Column, row: int) -> str:
    if row >= len(column):
        return "nothing"
    return column.text[row][:20] if column.text is not None else str(column.numbers[row])


def _with_speed(work: _Work, mapping: Mapping, roles: dict[str, Role]) -> Mapping:
    speeds = [it for it in work.table.columns if roles[it.name] == "rpm" and it.values is not None]
    if not speeds:
        return mapping
    if len(speeds) > 1:
        work.doubt("which_rpm", columns=_told(speeds))
    work.say("rpm_by_name", column=speeds[0].name)
    return replace(mapping, rpm_column=speeds[0].name)


def _is_signal(work: _Work, column: Column) -> bool:
    """Whether a column without another use holds a signal; a text with numbers in it is a doubt."""
    if not len(column) or (column.values is None and column.text is not None and not (column.text != "").any()):
        work.say("left_out_empty", column=column.name)
        return False
    if column.values is not None:
        return True
    flaw = column.flaw
    if flaw is not None and _has_numbers(work.table, column):
        place = work.table.place(flaw.row)
        work.doubt("not_numbers", place=place, column=column.name, text=flaw.text)
        return True
    work.say("left_out_text", column=column.name)
    return False


def _has_numbers(table: Table, column: Column) -> bool:
    """Whether more than half of its cells are numbers."""
    if column.text is None:
        return False
    text = column.text.str.replace(",", ".", literal=True) if table.decimal == "," else column.text
    return 2 * text.cast(pl.Float64, strict=False).is_not_null().sum() > len(text)


def _with_axes(work: _Work, mapping: Mapping, signals: list[Column], unit: str | None) -> Mapping:
    if not signals:
        work.doubt("no_axis")
        return mapping
    if len(signals) > MOST_GUESSED_AXES:
        work.doubt("which_columns", count=len(signals), columns=_told(signals))
        return replace(mapping, left_out=(*mapping.left_out, *(column.name for column in signals)))
    if len({(column.rate_hz, len(column)) for column in signals}) > 1 and mapping.time == "none":
        work.doubt("rates_differ")
    names = _axis_names(signals)
    axes = tuple(
        Axis(column.name, name, _unit_of(work, column, unit)) for column, name in zip(signals, names, strict=True)
    )
    for column, axis in zip(signals, axes, strict=True):
        work.say("axis_by_name" if column.is_named else "axis_by_values", column=column.name, axis=axis.name)
        if column.is_named and len(column.name.strip()) > MAX_AXIS_CHARACTERS and axis.name not in "xyz":
            work.say("axis_cut", column=column.name, axis=axis.name)
        if column.values is not None and (column.values == column.values[0]).all():
            work.say("axis_constant", column=column.name)
    return replace(mapping, axes=axes)


def _axis_names(signals: list[Column]) -> list[str]:
    """x, y, z or what the columns are called; where two would be called alike, all by their places."""
    names = [axis_of(it.name) if it.is_named else f"ch{place}" for place, it in enumerate(signals, start=1)]
    if len(set(names)) == len(names) and all(names):
        return names
    whole = [it.name.strip()[:MAX_AXIS_CHARACTERS].strip() for it in signals]
    return whole if len(set(whole)) == len(whole) else [f"ch{place}" for place in range(1, len(signals) + 1)]


def _unit_of(work: _Work, column: Column, said: str | None) -> str | None:
    if said is not None:
        work.say("unit_said", column=column.name, unit=said or "unknown")
        return said
    try:
        unit = read_unit(column.unit)
    except UnknownUnit:
        work.doubt("unit_not_known", column=column.name, unit=column.unit)
        return None
    if unit:
        work.say("unit_from_name", column=column.name, unit=unit)
    else:
        work.say("unit_unknown", column=column.name)
    return unit


def _with_start(work: _Work, mapping: Mapping) -> Mapping:
    """Where rate and start come from."""
    table = work.table
    columns = [column for axis in mapping.axes if (column := table.column(axis.column)) is not None]
    told = table.rate_hz or next((column.rate_hz for column in columns if column.rate_hz), None)
    if mapping.time == "none":
        if mapping.rate_hz is not None:
            work.say("rate_said", rate=f"{mapping.rate_hz:g}")
        elif told is not None:
            work.say("rate_from_file", rate=f"{told:.10g}")
        elif not any(doubt.code in ("time_unit", "time_other_unit") for doubt in work.doubts):
            work.doubt("no_rate")
    if mapping.time == "iso" or mapping.time.startswith("epoch"):
        work.say("start_from_stamps")
        return replace(mapping, start="stamps")
    started = table.started_at or next((column.started_at for column in columns if column.started_at), None)
    if started is not None:
        work.say("start_from_file", instant=started.isoformat())
        return replace(mapping, start="file")
    work.say("start_open")
    return mapping


def _told(columns: list[Column]) -> str:
    more = f" and {len(columns) - MOST_TOLD} more" if len(columns) > MOST_TOLD else ""
    return ", ".join(column.name for column in columns[:MOST_TOLD]) + more
