"""The machine, sensor, axis and start of a file of captures, from its name and from options."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

from common.names import InvalidName, clean_name
from machines.models import Machine, Sensor
from vibration.files.name_patterns import BadPattern, NamePattern
from vibration.files.name_stamps import stamps_in
from vibration.files.names import (
    BadName,
    Parts,
    SensorPlace,
    first_of,
    is_local,
    parts_at_last,
    parts_by_pattern,
    start_of,
)
from vibration.files.paths import SIGNAL_FILES, stem_of
from vibration.models import Capture

_BETWEEN = "_-. "  # what separates a stamp from the name before it
_STAMP_ADVICE = "say --name-pattern '{machine}_{sensor}_{start}', or --machine and --sensor"
_ADVICE = "rename the file, or say --machine, --sensor and --axis"


@dataclass(frozen=True)
class CapturePlace(SensorPlace):
    """Where the captures of a file belong, and what its name tells beside."""

    axis: str | None = None  # of a file with one
    started_at: datetime | None = None  # of its first sample
    is_start_local: bool = False  # without an offset, taken for plant time


@dataclass(frozen=True)
class CaptureNaming:
    """How to tell where captures belong: what is said for all files, and how their names are cut.

    Without a pattern a name is `<machine>_<sensor>`, cut at its last `_`, or `<machine>_<sensor>_<start>` with a time
    stamp at its end; what is said goes before it. Raises BadPattern when something is said twice, or the pattern leaves
    machine or sensor open.
    """

    machine: str | None = None
    sensor: str | None = None
    pattern: NamePattern | None = None
    zone: tzinfo | None = None  # of a start in the name without an offset; else the plant's

    def __post_init__(self) -> None:
        if self.pattern is None:
            return
        for name in ("machine", "sensor"):
            option, placeholder = f"--{name}", f"{{{name}}}"
            said, told = getattr(self, name) is not None, name in self.pattern.names
            if said and told:
                raise BadPattern(f"{option} and {placeholder} in --name-pattern both say it; leave one of them out")
            if not said and not told:
                raise BadPattern(f"--name-pattern '{self.pattern}' has no {placeholder}; say {option}")

    @property
    def is_explicit(self) -> bool:
        """Whether a person has said what is a machine and what a sensor."""
        return self.pattern is not None or None not in (self.machine, self.sensor)

    def place_of(self, path: Path) -> CapturePlace:
        """Raises BadName when the name does not tell it, or a part of it can't be a name."""
        parts = self._parts(path)
        try:
            return CapturePlace(
                clean_name(first_of(self.machine, parts.machine), Machine._meta.get_field("name"), "machine"),
                clean_name(first_of(self.sensor, parts.sensor), Sensor._meta.get_field("sensor_no"), "sensor"),
                None if parts.axis is None else clean_name(parts.axis, Capture._meta.get_field("axis"), "axis"),
                parts.started_at,
                parts.is_start_local,
            )
        except InvalidName as error:
            raise BadName(path, str(error), _ADVICE) from None

    def _parts(self, path: Path) -> Parts:
        stem = stem_of(path, SIGNAL_FILES)
        if self.pattern:
            return parts_by_pattern(path, stem, self.pattern, self.zone)
        stamp = next((it for it in stamps_in(stem) if it.end == len(stem) and it.iso), None)
        if stamp is None:
            return parts_at_last(path, stem, self.machine, self.sensor, _STAMP_ADVICE)
        parts = parts_at_last(path, stem[: stamp.start].rstrip(_BETWEEN), self.machine, self.sensor, _STAMP_ADVICE)
        started_at = start_of(path, stamp, self.zone, "rename the file")
        return replace(parts, started_at=started_at, is_start_local=is_local(stamp, self.zone))
