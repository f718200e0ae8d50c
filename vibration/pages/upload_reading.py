"""What an uploaded file is taken for, and how that is shown before anything is stored."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from django.template.defaultfilters import date
from django.utils import timezone

from vibration.captures.naming import CaptureNaming, CapturePlace
from vibration.captures.understanding import ColumnUse, Said, Understood, understand
from vibration.files.names import BadName
from vibration.formats.applying import Signal
from vibration.formats.guessing import guess
from vibration.formats.reading import read_content
from vibration.formats.table import Column
from vibration.models.captures import UNITS
from vibration.pages.rounding import significant
from vibration.pages.upload_form import (
    AXIS,
    CAPTURES,
    COMMAS,
    LEFT_OUT,
    SHOWN_COLUMNS,
    SPEED,
    TIME,
    Guessed,
    Row,
    UploadForm,
    unit_choices,
)
from vibration.pages.upload_remarks import remark_text

FOUR_STATES, COMMAS_OPEN = "four_states", "separator_or_decimal"
DRAWN_SECONDS = 1.0
DRAWN_POINTS = 600  # of each axis: as many buckets at most
DRAWN_AXES = 6
SHOWN_SIGNALS = 12
SHOWN_VALUES = 3
_USES = {"time": TIME, "axis": AXIS, "speed": SPEED, "left out": LEFT_OUT}


@dataclass(frozen=True, eq=False)
class Taken:
    """A file as the page takes it now."""

    found: Understood
    said: Said  # by which it is stored as it was shown
    machine: str  # as its name tells; empty where it does not
    sensor: str
    started_at: datetime | None
    guessed: Guessed
    is_recording: bool

    @property
    def doubts(self) -> list[str]:
        return [remark_text(it) for it in self.found.doubts if it.code != FOUR_STATES]

    @property
    def problem(self) -> str:
        """Why there are no signals, in English."""
        it = self.found.problem
        return f"{it.reason}; {it.advice}." if it else ""

    @property
    def needs_commas(self) -> bool:
        return bool(self.guessed.commas) or any(it.code == COMMAS_OPEN for it in self.found.doubts)

    @property
    def has_stamps(self) -> bool:
        """Whether the times are instants, so that nobody has to say the start."""
        return self.found.mapping.start == "stamps"

    @property
    def is_start_open(self) -> bool:
        """Whether neither the file nor its name tells when it was measured."""
        return self.found.mapping.start == "told" and self.started_at is None

    @property
    def asks_time(self) -> bool:
        """Whether it is open how the time is written."""
        return any(it.code in ("time_unit", "time_other_unit") for it in self.found.doubts)

    @property
    def needs_rate(self) -> bool:
        """Whether a rate is to be said, or was: mostly a column of times tells it."""
        mapping = self.found.mapping
        is_open = any(it.code == "rate_uncertain" for it in self.found.doubts)
        return mapping.time == "none" or mapping.rate_hz is not None or is_open

    @cached_property
    def columns(self) -> list["ColumnRow"]:
        return [
            ColumnRow(number, use, self.found.table.needed(use.column))
            for number, use in enumerate(_shown_columns(self.found))
        ]

    @property
    def others(self) -> list[str]:
        """Names of the columns that are not shown, which are left out."""
        shown = {it.of.column for it in self.columns}
        return [it.name for it in self.found.table.columns if it.name not in shown]

    @property
    def reasons(self) -> list[str]:
        return [remark_text(it) for it in self.found.general_reasons if it.code != "start_open"]

    @property
    def signals(self) -> list[dict[str, Any]]:
        """The first of them, for a table."""
        return [_told(it) for it in self.found.signals[:SHOWN_SIGNALS]]

    @property
    def more_signals(self) -> int:
        return max(0, len(self.found.signals) - SHOWN_SIGNALS)

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The first second of each axis, for static/js/upload.js."""
        firsts = {it.axis: it for it in reversed(self.found.signals)}  # of each axis its first signal
        axes = dict.fromkeys(it.axis for it in self.found.signals)
        return [_first_second(firsts[axis]) for axis in list(axes)[:DRAWN_AXES]]


@dataclass(frozen=True, eq=False)
class ColumnRow:
    """A column with what it is taken for, as a row of the form."""

    number: int
    of: ColumnUse
    column: Column

    @property
    def use(self) -> str:
        return _USES[self.of.use]

    @property
    def row(self) -> Row:
        axis = (self.of.axis, self.unit) if self.use == AXIS else ()
        return Row(self.of.column, self.use, *axis)

    @property
    def unit(self) -> str:
        return "?" if self.of.unit is None else self.of.unit

    @property
    def units(self) -> list[tuple[str, str]]:
        return unit_choices(self.of.unit if self.use == AXIS else "")

    @property
    def why(self) -> str:
        return "; ".join(remark_text(it) for it in self.of.reasons)

    @property
    def first(self) -> str:
        """Its first values, as they stand in the file."""
        column = self.column
        if column.text is not None:
            cells = [str(it)[:20] for it in column.text[:SHOWN_VALUES]]
        else:
            cells = [f"{it:.7g}" for it in column.numbers[:SHOWN_VALUES].tolist()] if column.values is not None else []
        return ", ".join(cells)


def take_in(form: UploadForm, content: bytes) -> Taken:
    """What the file is taken for with what was said. Raises BadFile and BadMapping for what is no file of signals."""
    path = Path(form.file_name)
    named, dated = _place_of(path, CaptureNaming()), _place_of(path, _ONLY_START)
    said = form.said()
    found = understand(path, content, said, dated)
    has_four_states = any(it.code == FOUR_STATES for it in found.doubts)
    is_recording = form.is_recording or (has_four_states and not form.cleaned_data["kind"])
    if form.cleaned_data["commas"] or (has_four_states and form.cleaned_data["kind"] == CAPTURES):
        found, said = _settled(form, path, content, found, said, dated)
    guessed = form.shown_before or _guessed(form, found, is_said=said.mapping is not None)
    return Taken(
        found,
        said,
        named.machine if named else "",
        named.sensor if named else "",
        dated.started_at if dated else None,
        guessed,
        is_recording,
    )


# Of a name that tells no machine and sensor, the start may be told all the same.
_ONLY_START = CaptureNaming(machine="any", sensor="any")


def _settled(
    form: UploadForm, path: Path, content: bytes, found: Understood, said: Said, place: CapturePlace | None
) -> tuple[Understood, Said]:
    """With the doubts settled that no column's row settles: which kind of file it is, and what its commas are."""
    if said.mapping is not None:
        return found, said
    separator, decimal = COMMAS.get(form.cleaned_data["commas"], ("", ""))
    table = read_content(path, content, separator=separator, decimal=decimal)
    guessed = guess(table, rate_hz=said.rate_hz, time=said.time, zone=said.zone_or_plant)
    doubts = tuple(it for it in guessed.doubts if it.code not in (FOUR_STATES, COMMAS_OPEN))
    mapping = replace(guessed.mapping, separator=separator, decimal=decimal)
    if doubts:
        return Understood(path, table, mapping, guessed.reasons, doubts), said
    said = replace(said, mapping=mapping, rate_hz=None)
    return replace(understand(path, content, said, place), reasons=guessed.reasons), said


def _guessed(form: UploadForm, found: Understood, *, is_said: bool) -> Guessed:
    rows = tuple(
        ColumnRow(number, use, found.table.needed(use.column)).row for number, use in enumerate(_shown_columns(found))
    )
    mapping, commas = found.mapping, form.cleaned_data["commas"]
    return Guessed(rows, mapping.time, mapping.start, commas, is_said, (mapping.separator, mapping.decimal))


def _shown_columns(found: Understood) -> list[ColumnUse]:
    return [it for place, it in enumerate(found.columns) if place < SHOWN_COLUMNS or it.use != "left out"]


def _place_of(path: Path, naming: CaptureNaming) -> CapturePlace | None:
    """What the name of a file tells; None where it does not tell it."""
    try:
        return naming.place_of(path)
    except BadName:
        return None


def _told(signal: Signal) -> dict[str, Any]:
    started_at = signal.started_at and timezone.localtime(signal.started_at)
    return {
        "axis": signal.axis,
        "count": len(signal.values),
        "length": significant(len(signal.values) / signal.sampling_hz),
        "rate": significant(signal.sampling_hz, 7),
        "unit": dict(UNITS)[signal.unit] if signal.unit else "",
        "rpm": significant(signal.rpm),
        "started_at": date(started_at, "Y-m-d H:i:s.u") if started_at else "",
    }


def _first_second(signal: Signal) -> dict[str, Any]:
    """In the shape of the API's waveforms."""
    count = min(len(signal.values), max(1, round(DRAWN_SECONDS * signal.sampling_hz)))
    values = signal.values[:count].astype(np.float64) * (signal.scale or 1.0)
    size = -(-count // DRAWN_POINTS)
    edges = np.arange(0, count, size)
    width = size / signal.sampling_hz if size > 1 else 0
    return {
        "axis": signal.axis,
        "unit": dict(UNITS)[signal.unit] if signal.unit else "",
        "time": (edges / signal.sampling_hz).tolist(),
        "min": np.minimum.reduceat(values, edges).tolist(),
        "max": np.maximum.reduceat(values, edges).tolist(),
        "bucket_width": width,
    }
