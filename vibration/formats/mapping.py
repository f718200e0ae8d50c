"""Which column of a file is what: told once, kept as JSON, used for each file of its kind."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from vibration.formats.names import MAX_AXIS_CHARACTERS, UnknownUnit, read_unit
from vibration.formats.stamps import TIMES

VERSION = 1
STARTS = ("stamps", "file", "told")  # from the time column, from what the file tells, or from elsewhere if at all
MAX_AXES = 40
MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 1e6
MAX_RPM = 1e6
SEPARATORS = ("", "\t", ";", ",", "|", " ")
DECIMALS = ("", ".", ",")


class BadMapping(ValueError):
    """A mapping that contradicts itself, or JSON that is none; the message names the key."""


@dataclass(frozen=True)
class Axis:
    """A column that is a signal."""

    column: str
    name: str
    unit: str | None = None  # as it is stored; empty: unknown; None: as the file says


@dataclass(frozen=True)
class Mapping:
    """Every column of a file has one place here: time, speed, an axis, or left out. Raises BadMapping.

    The sampling rate is that of the stamps, else `rate_hz`, else what the file tells. With both a time column and
    `rate_hz`, the stamps must fit it.
    """

    axes: tuple[Axis, ...] = ()
    time: str = "none"  # of TIMES: how the time column is written
    time_column: str | None = None
    rate_hz: float | None = None
    start: str = "told"  # of STARTS
    rpm_column: str | None = None
    rpm: float | None = None
    left_out: tuple[str, ...] = ()
    separator: str = ""  # of a text file that can be read in two ways; empty: as its lines look
    decimal: str = ""

    def __post_init__(self) -> None:
        _check_choice("time", self.time, TIMES)
        _check_choice("start", self.start, STARTS)
        _check_choice("separator", self.separator, SEPARATORS)
        _check_choice("decimal", self.decimal, DECIMALS)
        if (self.time == "none") != (self.time_column is None):
            raise BadMapping("time and time_column belong together: say both, or time 'none' and no time_column")
        if self.start == "stamps" and not (self.time == "iso" or self.time.startswith("epoch")):
            raise BadMapping(f"start is 'stamps', and times in '{self.time}' are no instants; say 'file' or 'told'")
        _check_number("rate_hz", self.rate_hz, MIN_RATE_HZ, MAX_RATE_HZ)
        _check_number("rpm", self.rpm, 0, MAX_RPM)
        if self.rpm is not None and self.rpm_column is not None:
            raise BadMapping("rpm and rpm_column both tell the speed; leave one of them out")
        for axis in self.axes:
            if not axis.name or len(axis.name) > MAX_AXIS_CHARACTERS or not axis.name.isprintable():
                raise BadMapping(
                    f"axes: the name '{axis.name[:40]}' of column '{axis.column}' must have 1 to {MAX_AXIS_CHARACTERS} "
                    "characters"
                )
            try:
                stored = axis.unit and read_unit(axis.unit)
            except UnknownUnit as error:
                raise BadMapping(f"axes: the unit of '{axis.column}': {error}") from None
            if stored != axis.unit:
                raise BadMapping(f"axes: the unit of '{axis.column}' is written {stored!r}, not {axis.unit!r}")
        _check_unique("axes: the name", [axis.name for axis in self.axes])
        _check_unique("the column", self.columns)

    @property
    def columns(self) -> list[str]:
        """All that are named, each of which has one use."""
        single = [it for it in (self.time_column, self.rpm_column) if it is not None]
        return [*single, *(axis.column for axis in self.axes), *self.left_out]

    def to_json(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, ensure_ascii=False)


def from_json(text: str) -> Mapping:
    """The mapping that `to_json` wrote. Raises BadMapping for an unknown key, a wrong type, or another version."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMapping(f"this is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadMapping("a mapping is a JSON object")
    version = data.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        raise BadMapping(f"version is {version!r}; {VERSION} belongs here")
    _check_keys("", data, _KINDS)
    if not isinstance(data.get("axes", []), list) or not all(isinstance(it, dict) for it in data.get("axes", [])):
        raise BadMapping("axes must be a list of objects with column, name and unit")
    axes = []
    for place, axis in enumerate(data.pop("axes", [])):
        _check_keys(f"axes[{place}].", axis, {"column": "text", "name": "text", "unit": "text or null"})
        if missing := {"column", "name"} - axis.keys():
            raise BadMapping(f"axes[{place}] lacks {min(missing)}")
        axes.append(Axis(**axis))
    left_out = data.pop("left_out", [])
    return Mapping(axes=tuple(axes), left_out=tuple(left_out), **data)


_KINDS = {
    "axes": "list",
    "time": "text",
    "time_column": "text or null",
    "rate_hz": "number or null",
    "start": "text",
    "rpm_column": "text or null",
    "rpm": "number or null",
    "left_out": "list of texts",
    "separator": "text",
    "decimal": "text",
}


def _is(kind: str, value: Any) -> bool:
    if value is None:
        return kind.endswith("or null")
    if kind.startswith("text"):
        return isinstance(value, str)
    if kind.startswith("number"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list) and (kind == "list" or all(isinstance(it, str) for it in value))


def _check_keys(where: str, data: dict[str, Any], kinds: dict[str, str]) -> None:
    for key, value in data.items():
        if key not in kinds:
            raise BadMapping(f"unknown key {where}{key[:40]!r}; known: {', '.join(kinds)}")
        if not _is(kinds[key], value):
            raise BadMapping(f"{where}{key} must be a {kinds[key]}, not {json.dumps(value)[:40]}")


def _check_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadMapping(f"{key} is {value!r}; one of {', '.join(map(repr, choices))} belongs here")


def _check_number(key: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not (math.isfinite(value) and least <= value <= most):
        raise BadMapping(f"{key} is {value:g}; it must be from {least:g} to {most:g}")


def _check_unique(what: str, names: list[str]) -> None:
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadMapping(f"{what} '{twice[0]}' is there twice; it has one use")
