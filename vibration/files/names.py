"""The machine, sensor and recording of a file, from its name and from options.

A time stamp in a name is never a machine or a sensor, nor cut in two: a logger that writes a file a minute would
otherwise register a machine a minute.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from common.names import InvalidName, clean_name
from common.printable import printable
from common.rest.fields import TimeField, messages_of
from machines.models import Machine, Sensor
from vibration.files.name_patterns import BadPattern, NamePattern, Span
from vibration.files.name_stamps import NameStamp, masked, stamps_in
from vibration.files.paths import BadPath, stem_of
from vibration.models import DEFAULT_RECORDING, Recording

RUNNING_NUMBER_DIGITS = 6  # a part of so many digits and nothing else counts files, or is a date or a time of day
_ADVICE = "rename the file, or say --machine, --sensor and --recording"
_STAMP_ADVICE = "say --name-pattern '{machine}_{recording}' and --sensor"


class BadName(BadPath):
    """A file's name that does not tell where its samples belong: why, and what to do on the command line."""

    def __init__(self, path: Path, reason: str, advice: str):
        self.reason = f"{printable(path)}: {reason}"
        super().__init__(f"{self.reason}; {advice}")


@dataclass(frozen=True)
class SensorPlace:
    """A sensor of a machine, in names as they are stored."""

    machine: str
    sensor: str

    def __str__(self) -> str:
        return f"{self.machine} / {self.sensor}"


@dataclass(frozen=True)
class Place(SensorPlace):
    """Where the samples of a file belong."""

    recording: str
    started_at: datetime | None = None
    is_start_local: bool = field(default=False, compare=False)  # from the name, without an offset, taken for plant time

    def __str__(self) -> str:
        return f"{self.machine} / {self.sensor} / {self.recording}"


@dataclass(frozen=True)
class Parts:
    """What a name tells."""

    machine: str | None = None
    sensor: str | None = None
    recording: str | None = None
    axis: str | None = None
    started_at: datetime | None = None
    is_start_local: bool = False


def parts_by_pattern(path: Path, stem: str, pattern: NamePattern, zone: tzinfo | None) -> Parts:
    """What a name, whose stem this is, tells by a pattern. Raises BadName for one that is not like it."""
    stamps = stamps_in(stem)
    spans = pattern.cut(masked(stem, stamps))
    if spans is None:
        hint = "".join(f", where {stamp.text} is a time stamp" for stamp in stamps[:1])
        raise BadName(path, f"the name is not like {printable(pattern)}{hint}", "rename the file")
    found: dict[str, Any] = {name: stem[slice(*span)] for name, span in spans.items()}
    if (text := found.pop("start", None)) is None:
        return Parts(**found)
    stamp = next(stamp for stamp in stamps if stamp.start == spans["start"][0])
    found.setdefault("recording", text)
    advice = "rename the file"
    if "recording" in pattern.known:
        advice += ", or write {recording} for it in --name-pattern"
    return Parts(**found, started_at=start_of(path, stamp, zone, advice), is_start_local=is_local(stamp, zone))


def is_local(stamp: NameStamp, zone: tzinfo | None) -> bool:
    """Whether it is plant time for lack of an offset and of a zone that was said."""
    return zone is None and not (stamp.iso or "").endswith("Z")


def start_of(path: Path, stamp: NameStamp, zone: tzinfo | None, advice: str) -> datetime:
    """The instant of a stamp, in UTC. Raises BadName when it is none, or one when nothing was measured."""
    if stamp.iso is None:
        reason = f"{stamp.text} is not a start: it needs a year of four digits, month, day, hour and minute"
        raise BadName(path, reason, advice)
    try:
        with timezone.override(zone) if zone else nullcontext():
            return TimeField().run_validation(stamp.iso)
    except ValidationError as error:
        reason = f"{stamp.text} is not a start: {messages_of(error)[0].rstrip('.')}"
        raise BadName(path, reason, advice) from None


@dataclass(frozen=True)
class Naming:
    """How to tell where the samples of files belong: what is said for all of them, and how their names are cut.

    Without a pattern a name is `<machine>_<sensor>.csv`, cut at its last `_`; what is said goes before it.
    Raises BadPattern when something is said twice, or the pattern leaves machine or sensor open.
    """

    machine: str | None = None
    sensor: str | None = None
    recording: str | None = None
    started_at: datetime | None = None
    pattern: NamePattern | None = None
    zone: tzinfo | None = None  # of a `{start}`; else the plant's

    def __post_init__(self) -> None:
        if self.pattern is None:
            return
        for name in ("machine", "sensor", "recording"):
            option, placeholder = f"--{name}", f"{{{name}}}"
            if name in self.pattern.names and getattr(self, name) is not None:
                raise BadPattern(f"{option} and {placeholder} in --name-pattern both say it; leave one of them out")
            if name != "recording" and name not in self.pattern.names and getattr(self, name) is None:
                raise BadPattern(f"--name-pattern '{self.pattern}' has no {placeholder}; say {option}")
        if "start" in self.pattern.names:
            if self.started_at is not None:
                raise BadPattern("--started-at and {start} in --name-pattern both say it; leave one of them out")
            if self.recording is not None:
                raise BadPattern(
                    "--recording and {start} in --name-pattern do not go together: one recording has one start; "
                    "leave one of them out"
                )

    @property
    def is_explicit(self) -> bool:
        """Whether a person has said what is a machine and what a sensor."""
        return self.pattern is not None or None not in (self.machine, self.sensor)

    def place_of(self, path: Path) -> Place:
        """Raises BadName when the name does not tell it, or a part of it can't be a name."""
        if self.pattern:
            parts = parts_by_pattern(path, stem_of(path), self.pattern, self.zone)
        else:
            parts = parts_at_last(path, stem_of(path), self.machine, self.sensor, _STAMP_ADVICE)
        try:
            return Place(
                clean_name(first_of(self.machine, parts.machine), Machine._meta.get_field("name"), "machine"),
                clean_name(first_of(self.sensor, parts.sensor), Sensor._meta.get_field("sensor_no"), "sensor"),
                clean_name(
                    first_of(self.recording, parts.recording, DEFAULT_RECORDING),
                    Recording._meta.get_field("name"),
                    "recording",
                ),
                first_of(self.started_at, parts.started_at),
                parts.is_start_local,
            )
        except InvalidName as error:
            raise BadName(path, str(error), _ADVICE) from None


NAMES_ALONE = Naming()


def first_of(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def parts_at_last(path: Path, stem: str, machine: str | None, sensor: str | None, stamp_advice: str) -> Parts:
    """What `<machine>_<sensor>` tells of what is not said; a stem without a `_` is the one of them that is not.

    Raises BadName; where a stamp or a running number would be a machine or a sensor, with its advice.
    """
    cut = stem.rfind("_")
    if cut < 0 and machine is None and sensor is None:
        raise BadName(path, "the name is not <machine>_<sensor>.csv", "rename the file, or say --machine and --sensor")
    found: dict[str, Any] = {}
    if machine is None:
        found["machine"] = _part(path, "machine", stem, (0, cut if cut >= 0 else len(stem)), stamp_advice)
    if sensor is None:
        found["sensor"] = _part(path, "sensor", stem, (cut + 1, len(stem)), stamp_advice)
    return Parts(**found)


def _part(path: Path, what: str, stem: str, span: Span, stamp_advice: str) -> str:
    """A part of a name, unless it counts or dates files."""
    (start, end), why = span, ""
    part = stem[start:end]
    if stamp := next((stamp for stamp in stamps_in(stem) if stamp.start < end and start < stamp.end), None):
        why = f"{stamp.text} in the name is a time stamp"
    elif part.isdecimal() and len(part) >= RUNNING_NUMBER_DIGITS:
        why = f"{part} in the name is a time stamp or a running number"
    if why:
        raise BadName(path, f"{why}, not a {what}", stamp_advice)
    return part
