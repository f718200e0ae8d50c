"""Signals, made of a table and a mapping: each evenly sampled, without a gap, its samples as the file has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np

from common.printable import printable
from vibration.csv.times import to_instant
from vibration.formats.mapping import MAX_AXES, MAX_RATE_HZ, MIN_RATE_HZ, Axis, Mapping
from vibration.formats.names import UnknownUnit, read_unit
from vibration.formats.stamps import Grid, UnevenTimes, grid_of, read_times
from vibration.formats.table import Column, Table
from vibration.numbers.states import MAX_VALUE

MAX_SAMPLES = 1_000_000  # of one capture
MAX_CAPTURES = 100_000  # that a file is cut into, all of which are held in memory
SHOWN_SAMPLES = 5
RATE_FITS = 1e-6  # of the rate, by which one that is said may differ beside what the times leave open


@dataclass(frozen=True, eq=False)
class Signal:
    """Some seconds of one axis."""

    axis: str
    values: np.ndarray  # (n,) int16, int32, float32 or float64, as in the file
    scale: float | None  # the value is the number times this; None: the number itself
    sampling_hz: float
    started_at: datetime | None  # in UTC, to the microsecond at or before it
    offset_us: int  # microseconds from the first sample of the file, at or before it
    unit: str
    rpm: float | None  # the mean of its rows, where a column tells it
    has_gap: bool  # whether the file has a gap right before it or behind it
    clock_drifts: bool


@dataclass(frozen=True)
class _Piece:
    """Rows that follow each other evenly."""

    first: int
    last: int  # past the end
    offset_us: int
    has_gap: bool


@dataclass(frozen=True)
class _Clock:
    """The rate of a column, its start, and its stretches."""

    rate_hz: float
    started_at: datetime | None
    pieces: tuple[_Piece, ...]
    drifts: bool = False


def apply(
    table: Table,
    mapping: Mapping,
    *,
    zone: tzinfo = UTC,
    started_at: datetime | None = None,
    split_s: float | None = None,
) -> list[Signal]:
    """The signals of a file, axis by axis, each axis in order of time.

    `zone` is that of stamps without an offset; `started_at` is the first sample's instant if the mapping has its start
    told from elsewhere; `split_s` cuts into captures of so many seconds, the rest becoming a shorter one.

    A gap in the times ends a signal and begins another. Raises BadFile, naming column and row, for what is no signal.
    """
    _check_columns(table, mapping)
    found: list[Signal] = []
    clock = _clock_of_times(table, mapping, zone, started_at)
    for axis in mapping.axes:
        column = table.needed(axis.column)
        _check_samples(table, column)
        unit = _unit(table, column, axis)
        own = clock or _clock_of_column(table, mapping, column, zone, started_at)
        found += (
            _signal(axis.name, unit, column, _rpm(table, mapping, it), own, it)
            for it in _cut(table, own, split_s, len(mapping.axes))
        )
    return found


def preview(signals: list[Signal]) -> list[dict[str, Any]]:
    """What `apply` gives, for people and for JSON: all but the samples, of which there are the first ones."""
    return [
        {
            "axis": signal.axis,
            "unit": signal.unit,
            "sampling_hz": signal.sampling_hz,
            "count": len(signal.values),
            "dtype": signal.values.dtype.name,
            "scale": signal.scale,
            "started_at": signal.started_at.isoformat() if signal.started_at else None,
            "offset_us": signal.offset_us,
            "rpm": signal.rpm,
            "has_gap": signal.has_gap,
            "clock_drifts": signal.clock_drifts,
            "first": signal.values[:SHOWN_SAMPLES].tolist(),
        }
        for signal in signals
    ]


def _check_columns(table: Table, mapping: Mapping) -> None:
    names = [column.name for column in table.columns]
    if missing := [name for name in mapping.columns if name not in names]:
        raise table.bad(
            f"it has no column '{missing[0]}', which the mapping names; it has {_told(names)}", "use another mapping"
        )
    if extra := [name for name in names if name not in mapping.columns]:
        raise table.bad(
            f"the mapping says nothing of the column '{extra[0]}'",
            "say that it is an axis, or that it is left out",
        )
    if not mapping.axes:
        raise table.bad(
            f"no column is said to be an axis, of {len(names)}: {_told(names)}", "say which are, by a mapping"
        )
    if len(mapping.axes) > MAX_AXES:
        raise table.bad(f"{len(mapping.axes)} columns are said to be axes", f"choose at most {MAX_AXES} by a mapping")


def _told(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:MAX_AXES]) + (" ..." if len(names) > MAX_AXES else "")


def _check_samples(table: Table, column: Column) -> None:
    """Raises BadFile where something is not a finite number."""
    if column.values is None:
        if column.flaw is None:
            raise table.bad(f"the column '{column.name}' has no numbers", "leave it out")
        raise table.bad(
            f"{table.place(column.flaw.row)}: '{column.name}' is {_cell(column.flaw.text)}, not a number",
            "repair the line, or leave the column out",
        )
    if not len(column.values):
        raise table.bad(f"the column '{column.name}' has no samples", "leave it out")
    if column.values.dtype.kind == "f":
        most = min(MAX_VALUE, float(np.finfo(column.values.dtype).max))
        bad = np.flatnonzero(~(np.abs(column.values) <= most))  # written so that NaN fails too
        if len(bad):
            value = column.values[bad[0]]
            what = "not finite" if not np.isfinite(value) else f"beyond the {MAX_VALUE:g} that are allowed"
            raise table.bad(f"{table.place(bad[0])}: '{column.name}' is {value}, {what}", "repair the row")


def _unit(table: Table, column: Column, axis: Axis) -> str:
    """As the mapping says, else as the file does. Raises BadFile where they differ, and for one that nobody knows."""
    try:
        of_file = read_unit(column.unit)
    except UnknownUnit:
        if axis.unit is not None:
            return axis.unit
        raise table.bad(
            f"the unit of '{column.name}' is '{printable(column.unit[:40])}', which is none that is known",
            "say the unit, or that it is unknown",
        ) from None
    if axis.unit and of_file and axis.unit != of_file:
        raise table.bad(
            f"the unit of '{column.name}' is {of_file}, as the file says, and the mapping says {axis.unit}",
            "say the unit that is true, by a mapping or in the file",
        )
    return of_file if axis.unit is None else axis.unit


def _cell(text: str) -> str:
    return f"'{text}'" if text else "empty"


def _clock_of_times(table: Table, mapping: Mapping, zone: tzinfo, started_at: datetime | None) -> _Clock | None:
    if mapping.time_column is None:
        return None
    column = table.needed(mapping.time_column)
    times = read_times(table, column, mapping.time, zone)
    lengths = {len(it.values) for axis in mapping.axes if (it := table.column(axis.column)) and it.values is not None}
    if lengths - {len(times.seconds)}:
        raise table.bad(
            f"the time '{column.name}' has {len(times.seconds):,} rows and an axis {max(lengths):,}",
            "leave out what is not measured at these times",
        )
    try:
        grid = grid_of(times)
    except UnevenTimes as error:
        raise table.bad(f"the time '{column.name}': {error}", "a signal is evenly sampled: export it so") from None
    rate = _checked_rate(table, _rate_that_fits(table, mapping, grid))
    if mapping.start == "stamps" and times.first_ns is not None:
        start: datetime | None = to_instant(times.first_ns)
        # Of whole microseconds from the stamps themselves: to_instant and the offset would each be cut.
        rest_ns = times.first_ns % 1000
    else:
        start, rest_ns = _start(table, table, mapping, zone, started_at), 0
    pieces = []
    for first, last in grid.stretches:
        offset_us = int(round(float(times.seconds[first]) * 1e9) + rest_ns) // 1000
        pieces.append(_Piece(first, last, offset_us, len(grid.stretches) > 1))
    return _Clock(rate, start, tuple(pieces), grid.clock_drifts)


def _rate_that_fits(table: Table, mapping: Mapping, grid: Grid) -> float:
    said = mapping.rate_hz
    if said is None:
        return grid.rate_hz
    if not grid.least_hz * (1 - RATE_FITS) <= said <= grid.most_hz * (1 + RATE_FITS):
        raise table.bad(
            f"the times tell {grid.rate_hz:.7g} Hz ({grid.least_hz:.7g} to {grid.most_hz:.7g}), and {said:g} Hz was "
            "said",
            "leave one of them out",
        )
    return said


def _clock_of_column(
    table: Table, mapping: Mapping, column: Column, zone: tzinfo, started_at: datetime | None
) -> _Clock:
    rate = mapping.rate_hz or column.rate_hz or table.rate_hz
    if rate is None:
        raise table.bad(
            f"there is no time column, and nothing tells the sampling rate of '{column.name}'",
            "say the rate, or which column is the time",
        )
    start = _start(table, column, mapping, zone, started_at)
    piece = _Piece(0, len(column), 0, has_gap=False)
    return _Clock(_checked_rate(table, rate), start, (piece,))


def _start(
    table: Table, told_by: Table | Column, mapping: Mapping, zone: tzinfo, started_at: datetime | None
) -> datetime | None:
    if mapping.start == "file":
        start = told_by.started_at or table.started_at
        if start is None:
            raise table.bad("it tells no start, and the mapping says that it does", "say the start, or another mapping")
    else:
        start = started_at
    if start is None:
        return None
    return (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)


def _checked_rate(table: Table, rate: float) -> float:
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise table.bad(
            f"the sampling rate is {rate:.7g} Hz; it must be from {MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} Hz",
            "check the unit of the time, or the rate",
        )
    return rate


def _cut(table: Table, clock: _Clock, split_s: float | None, axes: int) -> Iterator[_Piece]:
    """The stretches, cut into pieces of so many seconds. Raises BadFile for too long or, of all axes, too many ones."""
    if split_s is None:
        size = MAX_SAMPLES
    else:
        size = max(1, round(split_s * clock.rate_hz))
        if size > MAX_SAMPLES:
            raise table.bad(
                f"{split_s:g} s at {clock.rate_hz:g} Hz are {size:,} samples; at most {MAX_SAMPLES:,} make a capture",
                f"split at {MAX_SAMPLES / clock.rate_hz:.6g} s or less",
            )
        if (many := axes * sum(-(-(it.last - it.first) // size) for it in clock.pieces)) > MAX_CAPTURES:
            raise table.bad(
                f"cut every {split_s:g} s it makes {many:,} captures; at most {MAX_CAPTURES:,} come of a file",
                "cut it into longer ones",
            )
    for piece in clock.pieces:
        count = piece.last - piece.first
        if split_s is None and count > size:
            raise table.bad(
                f"it has {count:,} samples of an axis without a gap, {count / clock.rate_hz:.6g} s at "
                f"{clock.rate_hz:g} Hz; at most {MAX_SAMPLES:,} make a capture",
                "say into captures of how many seconds it is to be cut",
            )
        for first in range(piece.first, piece.last, size):
            last = min(first + size, piece.last)
            offset_us = piece.offset_us + int((first - piece.first) * 1e6 // clock.rate_hz)
            is_edge = first == piece.first or last == piece.last
            yield _Piece(first, last, offset_us, piece.has_gap and is_edge)


def _signal(axis: str, unit: str, column: Column, rpm: float | None, clock: _Clock, piece: _Piece) -> Signal:
    start = clock.started_at
    return Signal(
        axis=axis,
        values=column.numbers[piece.first : piece.last],
        scale=column.scale,
        sampling_hz=clock.rate_hz,
        started_at=start + timedelta(microseconds=piece.offset_us) if start else None,
        offset_us=piece.offset_us,
        unit=unit,
        rpm=rpm,
        has_gap=piece.has_gap,
        clock_drifts=clock.drifts,
    )


def _rpm(table: Table, mapping: Mapping, piece: _Piece) -> float | None:
    if mapping.rpm_column is None:
        return mapping.rpm
    column = table.needed(mapping.rpm_column)
    _check_samples(table, column)
    part = column.numbers[piece.first : piece.last]
    if not len(part):
        raise table.bad(f"the speed '{column.name}' has no rows where the axes have some", "leave it out")
    return float(np.mean(part, dtype=np.float64)) * (column.scale or 1)
