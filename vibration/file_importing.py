"""Importing a CSV file: read, class, write, report. The command and an upload call `import_file`."""

import csv
import hashlib
import re
import time as clock
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from django.db import transaction

from machines.models import Machine, Sensor
from machines.registering import InvalidName, clean_name
from vibration.classifying import RowClass
from vibration.importing import RecordingStartDiffers, open_recording, write_samples
from vibration.models import DEFAULT_RECORDING, ImportRun, Recording
from vibration.prefetching import prefetch
from vibration.reading import BATCH_ROWS, Batch, CsvReader, UnreadableFile

SHOWN_PROBLEMS = 5  # of each kind, in the report; the rejects file has them all
_SUFFIX = re.compile(r"\.csv(\.gz)?$", re.IGNORECASE)


class BadPath(ValueError):
    """A path that can't be imported; the message says why and what to do."""


@dataclass(frozen=True)
class Options:
    """How to import; the same for every file of a run."""

    machine: str | None = None  # else from the file's name
    sensor: str | None = None  # else from the file's name
    recording: str = DEFAULT_RECORDING
    started_at: datetime | None = None
    batch_rows: int = BATCH_ROWS
    replace: bool = False  # whether a row in conflict takes the place of the stored one
    skip_bad_rows: bool = False  # else the import of the file ends before the first one
    dry_run: bool = False
    started_by: str = ""


class RejectsFile:
    """Every conflicting and rejected row, as CSV: file, line, class, reason and the row as it stands in its file."""

    def __init__(self, path: Path):
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(["file", "line", "class", "reason", "row"])

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._file.close()

    def add(self, path: Path, line: int, row_class: RowClass, reason: str, text: str) -> None:
        self._writer.writerow([path, line, row_class.name.lower(), reason, text])


@dataclass
class Report:
    """What became of a file: `run` as stored (in a dry run: as it would be), and its first bad rows in words."""

    path: Path
    run: ImportRun
    rejects: RejectsFile | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, line: int, row_class: RowClass, reason: str, text: str) -> None:
        """Count a conflicting or rejected row, and keep it in words and in the rejects file."""
        counted = row_class.name.lower()
        setattr(self.run, counted, getattr(self.run, counted) + 1)
        if getattr(self.run, counted) <= SHOWN_PROBLEMS:
            self.problems.append(f"{self.path}:{line}: {counted}: {reason}")
        if self.rejects:
            self.rejects.add(self.path, line, row_class, reason, text)


def find_files(paths: list[Path]) -> list[Path]:
    """The files meant by paths: a file itself, the CSV files directly in a folder. Raises BadPath."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(entry for entry in path.iterdir() if is_csv_name(entry))
            if not found:
                raise BadPath(f"{path}: no .csv or .csv.gz file in this folder")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise BadPath(f"{path}: no such file or folder")
    return list(dict.fromkeys(files))


def is_csv_name(path: Path) -> bool:
    return bool(_SUFFIX.search(path.name)) and not path.name.startswith(".") and path.is_file()


def place_of(path: Path, options: Options) -> tuple[str, str]:
    """Machine and sensor of a file: as given, else from its name `<machine>_<sensor>.csv`, cut at the last `_`.

    Raises BadPath when the name has no such two parts or a part can't be a name.
    """
    stem = _SUFFIX.sub("", path.name)
    head, found, tail = stem.rpartition("_")
    machine = options.machine or (head if found else stem if options.sensor else "")
    sensor = options.sensor or (tail if found else stem if options.machine else "")
    if not machine or not sensor:
        raise BadPath(f"{path}: the name is not <machine>_<sensor>.csv; rename the file, or say --machine and --sensor")
    try:
        return (
            clean_name(machine, Machine._meta.get_field("name")),
            clean_name(sensor, Sensor._meta.get_field("sensor_no")),
        )
    except InvalidName as error:
        raise BadPath(f"{path}: {error}; rename the file, or say --machine and --sensor") from None


def import_file(
    path: Path,
    options: Options,
    *,
    rejects: RejectsFile | None = None,
    on_progress: Callable[[Report, int], None] = lambda report, bytes_read: None,
) -> Report:
    """Import one file; `on_progress` is called after each batch with the report so far and the bytes read.

    A file that can't be read gives a report whose outcome is `failed`; what came before the damage is stored. Raises
    BadPath for its name; KeyboardInterrupt passes through, after the run was marked as interrupted.
    """
    machine, sensor = place_of(path, options)
    with path.open("rb") as stream:
        run = ImportRun(
            started_by=options.started_by,
            file_name=path.name,
            file_size=path.stat().st_size,
            sha256=hashlib.file_digest(stream, "sha256").hexdigest(),
            place=f"{machine} / {sensor} / {options.recording}",
        )
        stream.seek(0)
        report = Report(path, run, rejects)
        # A dry run is the very import, undone at the end: its figures can't differ from those of the import itself.
        with transaction.atomic() if options.dry_run else nullcontext():
            _import_recorded(report, stream, machine, sensor, options, on_progress)
            if options.dry_run:
                transaction.set_rollback(True)
    return report


def _import_recorded(report: Report, stream, machine: str, sensor: str, options: Options, on_progress) -> None:
    """Import with a record of the run: it is there from the beginning, so a run that was killed has left one too."""
    run = report.run
    run.save()
    started = clock.monotonic()

    def finish(outcome: str, message: str = "") -> None:
        run.outcome, run.message, run.seconds = outcome, message, clock.monotonic() - started
        run.save()

    try:
        stopped = _read_and_write(report, stream, machine, sensor, options, on_progress)
    except (UnreadableFile, InvalidName, RecordingStartDiffers) as error:
        finish(ImportRun.Outcome.FAILED, str(error))
    except Recording.DoesNotExist:
        run.recording = None
        finish(ImportRun.Outcome.FAILED, "the recording was deleted during the import")
    except KeyboardInterrupt:
        finish(ImportRun.Outcome.INTERRUPTED, "interrupted; import the file again to complete it")
        raise
    else:
        if stopped:
            finish(ImportRun.Outcome.STOPPED, stopped)
        elif run.conflicting or run.rejected:
            finish(ImportRun.Outcome.PROBLEMS)
        else:
            finish(ImportRun.Outcome.COMPLETE)


def _read_and_write(report: Report, stream, machine: str, sensor: str, options: Options, on_progress) -> str:
    """Take the batches of a file one after the other; why it was stopped before its end, or an empty text."""
    run = report.run
    reader = CsvReader(stream, batch_rows=options.batch_rows)
    with closing(prefetch(reader)) as batches:
        for batch in batches:
            stop = batch.rejected[0] if batch.rejected and not options.skip_bad_rows else None
            part = batch.before(stop.line) if stop else batch
            for row in part.rejected:
                report.add(row.line, RowClass.REJECTED, row.reason, row.text)
            if len(part.lines):
                if run.recording is None:
                    # Not before there is a good row: a file of something else leaves no machine behind.
                    run.recording = open_recording(
                        machine, sensor, name=options.recording, started_at=options.started_at, source=report.path.name
                    )
                _write(report, part, replace=options.replace)
            if stop:
                report.add(stop.line, RowClass.REJECTED, stop.reason, stop.text)
                return f"stopped at line {stop.line}: {stop.reason}"
            on_progress(report, stream.tell())
    report.notes += reader.notes
    if not run.read:
        raise UnreadableFile("the file has a header line and no rows" if reader.header_line else "the file has no rows")
    return ""


def _write(report: Report, batch: Batch, *, replace: bool) -> None:
    run = report.run
    with transaction.atomic():
        classes = write_samples(run.recording, batch.time, batch.values, replace=replace)
        run.new += int(np.count_nonzero(classes == RowClass.NEW))
        run.identical += int(np.count_nonzero(classes == RowClass.IDENTICAL))
        for position in np.flatnonzero(classes == RowClass.CONFLICTING):
            line, time = int(batch.lines[position]), float(batch.time[position])
            what = f"took the place of other values at {time!r} s"
            if not replace:
                what = f"kept out: other values are stored at {time!r} s"
            report.add(line, RowClass.CONFLICTING, what, batch.text(line))
        run.save()
