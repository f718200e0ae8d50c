"""Which files a path means, and which machine and sensor a file is of."""

import os
import re
from pathlib import Path

from machines.models import Machine, Sensor
from machines.registering import InvalidName, clean_name
from vibration.models import Recording
from vibration.reading import decode

_SUFFIX = re.compile(r"\.csv(\.gz)?$", re.IGNORECASE)


class BadPath(ValueError):
    """A path that can't be imported; the message says why and what to do."""


def find_files(paths: list[Path]) -> list[Path]:
    """The files meant by paths: a file itself, the CSV files directly in a folder. Raises BadPath."""
    files: list[Path] = []
    for path in paths:
        try:
            files += _files_of(path)
        except OSError as error:
            raise BadPath(f"{path}: {error.strerror}") from None
    return list(dict.fromkeys(files))


def _files_of(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        found = path.exists() or path.is_symlink()
        raise BadPath(f"{path}: {'is neither a regular file nor a folder' if found else 'no such file or folder'}")
    files = sorted(entry for entry in path.iterdir() if is_csv(entry))
    if not files:
        raise BadPath(f"{path}: no .csv or .csv.gz file in this folder")
    return files


def is_csv(path: Path) -> bool:
    return bool(_SUFFIX.search(path.name)) and not path.name.startswith(".") and path.is_file()


def name_of(path: Path) -> str:
    """The file's name as text, also when an archive from Korean Windows left it in cp949."""
    raw = os.fsencode(path.name)
    try:
        return decode(raw)
    except UnicodeDecodeError:
        return raw.decode("utf-8", errors="replace")


def place_of(path: Path, machine: str | None, sensor: str | None, recording: str) -> tuple[str, str, str]:
    """Machine, sensor and recording of a file: as given, else from its name `<machine>_<sensor>.csv`.

    The name is cut at its last `_`.
    Raises BadPath when the name has no such two parts or a part can't be a name.
    """
    stem = _SUFFIX.sub("", name_of(path))
    head, found, tail = stem.rpartition("_")
    if machine is None:
        machine = head if found else stem if sensor else None
    if sensor is None:
        sensor = tail if found else stem if machine else None
    if machine is None or sensor is None:
        raise BadPath(f"{path}: the name is not <machine>_<sensor>.csv; rename the file, or say --machine and --sensor")
    try:
        return (
            clean_name(machine, Machine._meta.get_field("name"), "machine"),
            clean_name(sensor, Sensor._meta.get_field("sensor_no"), "sensor"),
            clean_name(recording, Recording._meta.get_field("name"), "recording"),
        )
    except InvalidName as error:
        raise BadPath(f"{path}: {error}; rename the file, or say --machine, --sensor and --recording") from None
