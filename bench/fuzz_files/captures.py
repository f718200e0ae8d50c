"""Holds what becomes of a made-up file of signals against what is true of it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.fuzz_files.made_capture import MadeCapture
from vibration.formats.applying import Signal, apply, preview
from vibration.formats.guessing import Guess, guess
from vibration.formats.mapping import from_json
from vibration.formats.reading import read_table
from vibration.formats.table import BadFile

# What a reason says, and for what it is true
REASONS: list[tuple[str, Callable[[MadeCapture, re.Match[str]], bool]]] = [
    (
        r"cut off|damaged|neither text|ends before|it is empty",
        lambda made, found: bool(made.broken & {"cut", "cut file", "cut head"}),
    ),
    (
        r"line ([\d,]+) has \d+ columns? where",
        lambda made, found: bool(made.broken & {"short", "long"}) and _is_line(made, found),
    ),
    (r"its head tells \d+ samples", lambda made, found: "short" in made.broken),
    (r"line ([\d,]+) begins another segment", lambda made, found: "segment" in made.broken),
    (r"(?:line|row) ([\d,]+): .* (?:repeats|falls back)", lambda made, found: bool(made.broken & {"repeat", "fall"})),
    (
        r"(?:line|row) ([\d,]+): '.*' is (?:'.*'|empty), not a number",
        lambda made, found: bool(made.broken & {"cell", "empty", "nan", "cut"}) and _is_line(made, found),
    ),
    (
        r"(?:line|row) ([\d,]+): '.*' is (?:nan|inf), not finite",
        lambda made, found: "nan" in made.broken and _is_line(made, found),
    ),
    (r"steps from sample to sample are uneven", lambda made, found: "uneven" in made.broken),
    (r"the unit of '.*' is '?(V|counts|furlong)", lambda made, found: "unit" in made.broken),
    (r"nothing tells the sampling rate", lambda made, found: "no rate" in made.broken or "no names" in made.broken),
    (r"the times are few and rounded", lambda made, found: made.quantum_s > 0),
    (r"40 columns may be signals", lambda made, found: "many" in made.broken),
    (r"no row of numbers", lambda made, found: bool(made.broken & {"cut file"})),
    (r"nothing tells in which unit", lambda made, found: _has_no_time_unit(made)),
    (r"the commas may separate columns or be decimal commas", lambda made, found: made.is_ambiguous),
]


class Wrong(AssertionError):
    """What became of a file contradicts what is true of it."""


def check_capture(made: MadeCapture, folder: Path) -> str:
    """Whether a file was taken or refused. Raises Wrong."""
    path = folder / made.name
    path.write_bytes(made.content)
    try:
        table = read_table(path)
        found = guess(table, **made.said)
        if found.doubts:
            _check_reason(made, "; ".join(map(str, found.doubts)))
            return "refused"
        signals = apply(table, found.mapping)
    except BadFile as error:
        _check_reason(made, str(error))
        return "refused"
    _check_signals(made, found, signals)
    again = apply(table, from_json(found.mapping.to_json()))
    if repr(preview(again)) != repr(preview(signals)):
        raise Wrong("the mapping gives other signals after it was kept as JSON")
    return "stored"


def _check_reason(made: MadeCapture, reason: str) -> None:
    found = [(is_so, match) for pattern, is_so in REASONS if (match := re.search(pattern, reason))]
    if not found:
        raise Wrong(f"a reason that is not known here: {reason}")
    if not any(is_so(made, match) for is_so, match in found):
        raise Wrong(f"not true: {reason}")


def _is_line(made: MadeCapture, found: re.Match[str]) -> bool:
    return int(found[1].replace(",", "")) == made.broken_line


def _has_no_time_unit(made: MadeCapture) -> bool:
    """Whether steps of a hundredth of a second may as well be of a millisecond."""
    return made.time == "s" and made.rate_hz <= 128


def _check_signals(made: MadeCapture, found: Guess, signals: list[Signal]) -> None:
    if made.broken - {"gap", "cut"}:
        raise Wrong(f"it was taken, and is broken: {made.broken}")
    if {axis.name for axis in made.axes} != {signal.axis for signal in signals}:
        raise Wrong(f"axes: {[signal.axis for signal in signals]}")
    for axis in made.axes:
        own = [signal for signal in signals if signal.axis == axis.name]
        values = np.concatenate([signal.values for signal in own])
        expected = axis.values
        if "cut" in made.broken:
            # Nobody can tell a shorter number from one that is so: all but that are held against it.
            values, expected = values[:-1], expected[:-1]
        if values.dtype != expected.dtype or not np.array_equal(values, expected):
            raise Wrong(f"{axis.name}: {values[:5]} {values.dtype} is not {expected[:5]} {expected.dtype}")
        if "gap" in made.broken and [len(it.values) for it in own] != [made.gap, made.count - made.gap]:
            raise Wrong(f"the gap before row {made.gap} does not cut: {[len(it.values) for it in own]}")
        if "gap" not in made.broken and len(own) != 1:
            raise Wrong(f"{axis.name} is cut into {len(own)}")
        for signal in own:
            _check_signal(made, axis.unit, axis.scale, signal)
        _check_starts(made, own)


def _check_signal(made: MadeCapture, unit: str, scale: float | None, signal: Signal) -> None:
    if (signal.unit, signal.scale) != (unit, scale):
        raise Wrong(f"{signal.axis} is in {signal.unit!r} x {signal.scale}, made in {unit!r} x {scale}")
    blur = made.quantum_s * made.rate_hz / (made.count // 2 - 1)
    if abs(signal.sampling_hz / made.rate_hz - 1) > blur + 1e-12:
        raise Wrong(f"{signal.sampling_hz!r} Hz is not {made.rate_hz} Hz")
    if made.quantum_s == 0 and signal.sampling_hz != made.rate_hz:
        raise Wrong(f"{signal.sampling_hz!r} Hz is not exactly {made.rate_hz} Hz")
    if made.rpm is not None and signal.rpm != made.rpm and "cut" not in made.broken:
        raise Wrong(f"{signal.rpm} rpm is not {made.rpm}")
    if signal.clock_drifts or signal.has_gap != ("gap" in made.broken):
        raise Wrong(f"flags: {signal.clock_drifts}, {signal.has_gap}")


def _check_starts(made: MadeCapture, signals: list[Signal]) -> None:
    if signals[0].started_at != made.started_at:
        raise Wrong(f"it starts at {signals[0].started_at}, made at {made.started_at}")
    if len(signals) == 2:
        offset = (made.gap + 37) / made.rate_hz * 1e6
        if abs(signals[1].offset_us - offset) > 1 + made.quantum_s * 1e6:
            raise Wrong(f"the part after the gap begins at {signals[1].offset_us} us, not {offset}")
