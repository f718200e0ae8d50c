"""What a file of captures is taken for, before anything of it is stored."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from django.utils import timezone

from vibration.captures.naming import CapturePlace
from vibration.csv.times import has_offset
from vibration.formats.applying import Signal, apply, preview
from vibration.formats.guessing import guess
from vibration.formats.mapping import Axis, BadMapping, Mapping
from vibration.formats.reading import read_content
from vibration.formats.reasons import Remark, remark
from vibration.formats.table import BadFile, Table


@dataclass(frozen=True)
class Said:
    """What people say of a file, or of all files of one call; what they leave open is guessed, or the file's."""

    mapping: Mapping | None = None  # which column is what; else guessed from each file
    axes: tuple[str, ...] = ()  # names, in the order of the columns
    rate_hz: float | None = None
    unit: str | None = None  # of every axis, as it is stored; empty: unknown
    rpm: float | None = None
    time: str | None = None  # how the time is written, see formats/stamps.py
    zone: tzinfo | None = None  # of stamps without an offset; else the plant's
    started_at: datetime | None = None  # of the first sample, in UTC
    split_s: float | None = None  # into captures of so many seconds

    @property
    def zone_or_plant(self) -> tzinfo:
        return self.zone or timezone.get_current_timezone()


@dataclass(frozen=True)
class ColumnUse:
    """What one column is taken for, and why."""

    column: str
    use: str  # time, speed, axis, left out
    axis: str = ""
    unit: str | None = None  # of an axis, as it will be stored; None where that is not known yet
    reasons: tuple[Remark, ...] = ()


@dataclass(frozen=True, eq=False)
class Understood:
    """A file as it is taken: what each column is and why, and the signals, if nothing keeps them from being made."""

    path: Path
    table: Table
    mapping: Mapping
    reasons: tuple[Remark, ...]
    doubts: tuple[Remark, ...]  # what has to be said first
    signals: tuple[Signal, ...] = ()
    problem: BadFile | None = None  # why there are none
    is_start_local: bool = False  # the start came without an offset and was taken for plant time

    @property
    def needs_start(self) -> bool:
        """Whether nothing but the start is left to be said."""
        return any(signal.started_at is None for signal in self.signals)

    @property
    def is_storable(self) -> bool:
        return bool(self.signals) and not self.needs_start

    @property
    def columns(self) -> list[ColumnUse]:
        """One for each column of the file, in their order."""
        axes = {axis.column: axis for axis in self.mapping.axes}
        units = {signal.axis: signal.unit for signal in self.signals}
        return [self._use(column.name, axes, units) for column in self.table.columns]

    def _use(self, name: str, axes: dict[str, Axis], units: dict[str, str]) -> ColumnUse:
        reasons = [it for it in (*self.reasons, *self.doubts) if it.values.get("column") == name]
        reasons.sort(key=lambda it: it.code.startswith("unit"))  # what it is, and then in which unit
        if name in axes:
            axis = axes[name]
            return ColumnUse(name, "axis", axis.name, units.get(axis.name, axis.unit), tuple(reasons))
        use = {self.mapping.time_column: "time", self.mapping.rpm_column: "speed"}.get(name, "left out")
        return ColumnUse(name, use, reasons=tuple(reasons))

    @property
    def general_reasons(self) -> list[Remark]:
        """Those of no single column: rate, start, gaps."""
        return [it for it in self.reasons if "column" not in it.values]

    def preview(self) -> list[dict[str, Any]]:
        """The signals without their samples, of which the first ones are shown; for JSON."""
        return preview(list(self.signals))

    def check_storable(self) -> None:
        """Raises BadFile for what is left to be said, or wrong."""
        if self.doubts:
            raise self.table.bad("; ".join(map(str, self.doubts)), _advice(self.doubts))
        if self.problem:
            raise self.problem
        if self.needs_start:
            raise self.table.bad(
                "nothing tells when it begins: neither its times, nor its notes, nor its name",
                "say --started-at, or --start-from-mtime if the time of its last change is its start",
            )


# What settles a doubt on the command line.
_SETTLED_BY = {
    "no_rate": "--rate",
    "unit_not_known": "--unit",
    "time_unit": "--time",
    "time_other_unit": "--time",
    "four_states": "import_vibration",
}


def _advice(doubts: tuple[Remark, ...]) -> str:
    options = dict.fromkeys(_SETTLED_BY[it.code] for it in doubts if it.code in _SETTLED_BY)
    return f"say {', '.join(options)}, or --mapping" if options else "say what its columns are: --mapping"


def understand(
    path: Path,
    content: bytes,
    said: Said,
    place: CapturePlace | None = None,
    *,
    changed_at: datetime | None = None,
) -> Understood:
    """What is in a file of these bytes, which is called `path`; stores nothing, asks no database.

    `place` is what its name tells, if that counts; `changed_at` is when it was changed last, if that is to be its start
    where nothing else tells it. Raises BadFile for bytes that are no table; what else is wrong stands in the result.
    """
    separator, decimal = (said.mapping.separator, said.mapping.decimal) if said.mapping else ("", "")
    table = read_content(path, content, separator=separator, decimal=decimal)
    found = _mapped(table, said)
    try:
        found = _with_axes(found, said.axes or ((place.axis,) if place and place.axis else ()))
        found, started_at = _with_start(found, said, place, changed_at)
        if found.doubts:
            return found
        signals = apply(table, found.mapping, zone=said.zone_or_plant, started_at=started_at, split_s=said.split_s)
    except BadFile as error:
        return replace(found, problem=error)
    except BadMapping as error:
        return replace(found, problem=table.bad(str(error), "say it otherwise"))
    return replace(found, signals=tuple(signals))


def _mapped(table: Table, said: Said) -> Understood:
    if said.mapping is None:
        guessed = guess(table, rate_hz=said.rate_hz, unit=said.unit, time=said.time, zone=said.zone_or_plant)
        mapping, reasons, doubts = guessed.mapping, guessed.reasons, guessed.doubts
    else:
        mapping, reasons, doubts = said.mapping, (remark("columns_said"),), ()
        if said.rate_hz is not None:
            mapping = replace(mapping, rate_hz=said.rate_hz)
        if said.unit is not None:
            mapping = replace(mapping, axes=tuple(replace(axis, unit=said.unit) for axis in mapping.axes))
    if said.rpm is not None:
        left_out = mapping.left_out + ((mapping.rpm_column,) if mapping.rpm_column else ())
        mapping = replace(mapping, rpm=said.rpm, rpm_column=None, left_out=left_out)
        reasons = (*(it for it in reasons if it.code != "rpm_by_name"), remark("rpm_said", rpm=f"{said.rpm:g}"))
    return Understood(table.path, table, mapping, tuple(reasons), doubts)


def _with_axes(found: Understood, names: tuple[str, ...]) -> Understood:
    """The axes called so, in the order of their columns. Raises BadFile when there are more or fewer."""
    axes = found.mapping.axes
    if not names or not axes:
        return found
    if len(names) != len(axes):
        columns = ", ".join(f"'{axis.column}'" for axis in axes)
        raise found.table.bad(
            f"{len(axes)} of its columns are axes ({columns}), and {len(names)} names of axes were said "
            f"({', '.join(names)})",
            "say as many names, such as --axis x,y,z, or a --mapping",
        )
    mapping = replace(
        found.mapping, axes=tuple(replace(axis, name=name) for axis, name in zip(axes, names, strict=True))
    )
    other = [it for it in found.reasons if it.code not in ("axis_by_name", "axis_by_values", "axis_cut")]
    told = [remark("axis_said", column=axis.column, axis=axis.name) for axis in mapping.axes]
    return replace(found, mapping=mapping, reasons=(*other, *told))


def _with_start(
    found: Understood, said: Said, place: CapturePlace | None, changed_at: datetime | None
) -> tuple[Understood, datetime | None]:
    """Where the start comes from: what is said, the file itself, its name, its time of change, in this order.

    Stamps tell it of each sample: nothing may be said beside them. Raises BadFile.
    """
    mapping, table = found.mapping, found.table
    if mapping.start == "stamps":
        if said.started_at is not None:
            raise table.bad("its time stamps tell the start, and another was said", "leave out --started-at")
        return replace(found, is_start_local=said.zone is None and _are_local_stamps(found)), None
    if said.started_at is not None:
        return _told(replace(found, mapping=replace(mapping, start="told")), "start_said", said.started_at)
    if mapping.start == "file":
        return replace(found, is_start_local=said.zone is None and _is_local_file(table)), None
    if place is not None and place.started_at is not None:
        found = replace(found, is_start_local=place.is_start_local)
        return _told(found, "start_from_name", place.started_at)
    if changed_at is not None:
        return _told(found, "start_from_mtime", changed_at)
    return found, None


def _told(found: Understood, code: str, instant: datetime) -> tuple[Understood, datetime]:
    other = [it for it in found.reasons if it.code not in ("start_open", "start_from_file")]
    return replace(found, reasons=(*other, remark(code, instant=timezone.localtime(instant).isoformat()))), instant


def _are_local_stamps(found: Understood) -> bool:
    column = found.table.column(found.mapping.time_column or "")
    if found.mapping.time != "iso" or column is None or column.text is None or not len(column.text):
        return False
    return not has_offset(column.text[0])


def _is_local_file(table: Table) -> bool:
    starts = [it for it in (table.started_at, *(column.started_at for column in table.columns)) if it is not None]
    return bool(starts) and starts[0].tzinfo is None
