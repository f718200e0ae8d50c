"""Importing a CSV file: read, class, write, report. The command and an upload call `import_file`."""

import math
import os
import time as clock
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from machines.csv_export import SafeWriter
from machines.database_errors import DATABASE_ERRORS
from machines.models import RegisteredBy, Sensor
from machines.printable import printable
from machines.retrying import in_transaction
from vibration.classifying import RowClass
from vibration.csv_paths import name_of
from vibration.file_names import NAMES_ALONE, Naming, Place
from vibration.import_records import was_imported
from vibration.importing import RecordingStartDiffers, open_recording, why_pruned, write_samples
from vibration.models import ImportRun, Recording
from vibration.prefetching import prefetch
from vibration.reading import BATCH_ROWS, Batch, CsvReader, UnreadableFile, sha256_of
from vibration.waiting import Patience

SIGN_OF_LIFE_S = 1.0  # between two calls of `on_progress` where no batch comes
SHOWN_PROBLEMS = 5  # of each class, in the report, and the row that stops it; the rejects file has them all
COUNTS = [row_class.name.lower() for row_class in RowClass]  # the fields of ImportRun that count rows


@dataclass(frozen=True)
class Options:
    """How to import; the same for every file of a run."""

    naming: Naming = NAMES_ALONE
    batch_rows: int = BATCH_ROWS
    replace: bool = False  # whether a row in conflict takes the place of the stored one
    once: bool = False  # whether a file that was imported to its end before is passed over
    skip_bad_rows: bool = False  # else the import ends before the first that can't be read
    started_by: str = ""
    registered_by: RegisteredBy | None = RegisteredBy.IMPORT  # of a machine that is not known yet; None: refuse it


class ImportedBefore(Exception):
    """A file that was imported to its end before, where once is enough."""

    def __init__(self, place: Place):
        self.place = place
        super().__init__("imported before")


class NotRegistered(Exception):
    """A machine or sensor that nobody registered, where the import itself may not."""

    def __init__(self, place: Place):
        self.place = place
        super().__init__(f"No sensor {printable(place.sensor)} of a machine {printable(place.machine)} is registered")


class OverBounds(Exception):
    """A file is larger, or takes longer, than its bounds allow; the message says which."""


@dataclass(frozen=True)
class Bounds:
    """How much of a file is read where somebody waits for the answer: bytes once they are decompressed, and seconds."""

    content_bytes: float = math.inf
    seconds: float = math.inf

    def check(self, content_bytes: int, seconds: float) -> None:
        """Raises OverBounds."""
        if content_bytes > self.content_bytes:
            raise OverBounds(f"it holds more than {self.content_bytes:,} bytes, decompressed")
        if seconds > self.seconds:
            raise OverBounds(f"it takes longer than {self.seconds:g} s")


NO_BOUNDS = Bounds()


class RejectsFile:
    """Every conflicting and rejected row, as CSV: file, line, class, reason and the row.

    The row is as it stands in its file, but for apostrophes before what a spreadsheet would run, and escapes for what
    a terminal would obey.
    """

    HEADER = ("file", "line", "class", "reason", "row")

    def __init__(self, path: Path):
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = SafeWriter(self._file)
        self._writer.writerow(self.HEADER)

    @classmethod
    def may_be_written(cls, path: Path) -> bool:
        """Whether nothing else is lost: there is nothing yet, or an empty file, or one of an earlier run, or a pipe."""
        if not path.is_file():
            return True
        with path.open("rb") as file:
            return file.read(100).splitlines()[:1] in ([], [",".join(cls.HEADER).encode()])

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._file.close()

    def add(self, path: Path, line: int, row_class: RowClass, reason: str, text: str) -> None:
        self._writer.writerow([printable(path), line, row_class.name.lower(), reason, printable(text, keep="\t")])


@dataclass
class Report:
    """What became of a file: the record of the run, and the first bad rows in words."""

    path: Path  # what the file is called
    run: ImportRun
    rejects: RejectsFile | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    told: Counter = field(default_factory=Counter)  # how many rows of each class were told of
    shown: Counter = field(default_factory=Counter)  # and how many of them stand in `problems`
    is_over_bounds: bool = False

    def tell(self, line: int, row_class: RowClass, reason: str, text: str, *, stops: bool = False) -> None:
        """Keep a conflicting or rejected row: in the rejects file, and in words if one of the first or it `stops`."""
        self.told[row_class] += 1
        if stops or self.shown[row_class] < SHOWN_PROBLEMS:
            self.shown[row_class] += 1
            self.problems.append(f"{printable(self.path)}:{line}: {row_class.name.lower()}: {reason}")
        if self.rejects:
            self.rejects.add(self.path, line, row_class, reason, text)


def import_file(
    stream: BinaryIO,
    path: Path,
    options: Options,
    *,
    bounds: Bounds = NO_BOUNDS,
    rejects: RejectsFile | None = None,
    on_progress: Callable[[Report, int], None] = lambda report, bytes_read: None,
    patience: Patience | None = None,
) -> Report:
    """Import an open file, which is at its beginning; `path` is what it is called, and need not lead to it.

    `on_progress` is called with the report so far and the bytes read of the file: after each batch and, as one may be
    long in coming, each second in the thread that reads. `patience` says how long to wait for the database when it
    goes away; without it, not at all.
    A file that can't be read, or not within its bounds, gives a report whose outcome is `failed`; the batches before
    are stored. Raises BadName, NotRegistered or ImportedBefore, before anything is stored; errors of the database pass
    through, and so does a KeyboardInterrupt of `on_progress` or `patience`.
    """
    patience = patience or Patience()
    waited_before_s = patience.waited_s
    place = options.naming.place_of(path)
    if options.registered_by is None and not patience.until_done(lambda: is_registered(place)):
        raise NotRegistered(place)
    before = os.fstat(stream.fileno())
    if options.once and patience.until_done(lambda: was_imported(stream, path, before.st_size, place)):
        raise ImportedBefore(place)
    run = ImportRun(
        started_by=options.started_by[:150], file_name=name_of(path), file_size=before.st_size, place=str(place)
    )
    report = Report(path, run, rejects)
    run.sha256 = sha256_of(stream, now_and_then(lambda: on_progress(report, 0)))
    patience.until_done(lambda: _begin(run))
    started = clock.monotonic()
    try:
        outcome, message = _read_and_write(report, stream, place, options, bounds, on_progress, patience)
    except (UnreadableFile, RecordingStartDiffers) as error:
        outcome, message = ImportRun.Outcome.FAILED, str(error)
    except OverBounds as error:
        report.is_over_bounds = True
        outcome, message = ImportRun.Outcome.FAILED, f"{error}; {run.new + run.identical:,} of its rows are stored"
    except OSError as error:
        outcome, message = ImportRun.Outcome.FAILED, f"reading failed: {error.strerror}"
    except Recording.DoesNotExist:
        outcome, message = ImportRun.Outcome.FAILED, "the recording was deleted during the import"
    except KeyboardInterrupt:
        # While the database is away the record stays `unfinished`, and who interrupted does not wait for it.
        with suppress(*DATABASE_ERRORS):
            # It may have been away around the commit of a batch; the database knows.
            run.refresh_from_db(fields=[name for name in COUNTS if name != "rejected"])
            message = "interrupted; import the file again to complete it"
            _finish(run, ImportRun.Outcome.INTERRUPTED, message, clock.monotonic() - started)
        raise
    after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        outcome, message = ImportRun.Outcome.FAILED, "the file changed while it was read; import it again"
    if waited_s := patience.waited_s - waited_before_s:
        message = "; ".join(filter(None, [message, f"waited {waited_s:.1f} s for the database"]))
    seconds = clock.monotonic() - started
    patience.until_done(lambda: _finish(run, outcome, message, seconds))
    return report


def now_and_then(tell: Callable[[], None]) -> Callable[[], None]:
    """Calls `tell` when it is called, but once a second at most."""
    told = clock.monotonic()

    def call() -> None:
        nonlocal told
        if clock.monotonic() - told >= SIGN_OF_LIFE_S:
            tell()
            told = clock.monotonic()

    return call


def _begin(run: ImportRun) -> None:
    """Store the record of a run, once."""
    if run.started_at:  # tried before; it may be stored after all
        known = {name: getattr(run, name) for name in ("started_at", "started_by", "file_name", "sha256", "place")}
        run.pk = ImportRun.objects.filter(**known).values_list("pk", flat=True).first()
    if run.pk is None:
        in_transaction(run.save)  # with its entry in the audit trail


def _finish(run: ImportRun, outcome: ImportRun.Outcome, message: str, seconds: float) -> None:
    run.outcome, run.message, run.seconds = outcome, message, seconds
    # Not the recording: it may be deleted by now.
    in_transaction(lambda: run.save(update_fields=["outcome", "message", "seconds", *COUNTS]))


def _read_and_write(
    report: Report,
    stream: BinaryIO,
    place: Place,
    options: Options,
    bounds: Bounds,
    on_progress: Callable[[Report, int], None],
    patience: Patience,
) -> tuple[ImportRun.Outcome, str]:
    """Take the batches of a file one after the other; how it ended, and a message when it was not at the file's end."""
    run, started = report.run, clock.monotonic()
    show_life = now_and_then(lambda: on_progress(report, stream.tell()))

    def check(content_bytes: int) -> None:
        bounds.check(content_bytes, clock.monotonic() - started)
        show_life()

    reader = CsvReader(stream, batch_rows=options.batch_rows, check=check)
    with closing(prefetch(reader)) as batches:
        for batch in batches:
            bounds.check(0, clock.monotonic() - started)  # it may have been read while the one before was waited for
            stop = batch.rejected[0] if batch.rejected and not options.skip_bad_rows else None
            part = batch.before(stop.line) if stop else batch
            if len(part.lines):
                if run.recording is None:
                    # Not before there is a good row: a file of something else leaves no machine behind.
                    run.recording = patience.until_done(lambda: _open(place, options, source=run.file_name))
                _write(report, part, options, patience)
            for row in [stop] if stop else batch.rejected:
                run.rejected += 1
                report.tell(row.line, RowClass.REJECTED, row.reason, row.text, stops=row is stop)
            if stop:
                return ImportRun.Outcome.STOPPED, f"the rows after line {stop.line} were not read"
            on_progress(report, stream.tell())
    report.notes += reader.notes
    if not run.read:
        raise UnreadableFile("the file has a header line and no rows" if reader.header_line else "the file has no rows")
    return ImportRun.Outcome.PROBLEMS if run.conflicting or run.rejected else ImportRun.Outcome.COMPLETE, ""


def is_registered(place: Place) -> bool:
    return Sensor.objects.filter(machine__name=place.machine, sensor_no=place.sensor).exists()


def _open(place: Place, options: Options, *, source: str) -> Recording:
    return in_transaction(
        lambda: open_recording(
            place.machine,
            place.sensor,
            name=place.recording,
            started_at=place.started_at,
            source=source,
            registered_by=options.registered_by or RegisteredBy.IMPORT,  # known a moment ago
        )
    )


def _write(report: Report, batch: Batch, options: Options, patience: Patience) -> None:
    """Store a batch and its counts in one transaction; the rows left out are told of once that is settled."""
    run, replace = report.run, options.replace
    before = run.new, run.identical, run.conflicting
    classes = None

    def write() -> None:
        nonlocal classes
        run.recording = Recording.objects.select_for_update().get(pk=run.recording_id)
        # The last attempt may have been committed without an answer. If so, its counts are stored with it; and if the
        # server was still at it, it has ended now, as it held the lock.
        if classes is not None and _settled_rows(run) == sum(before) + np.count_nonzero(classes != RowClass.REJECTED):
            return
        classes = write_samples(run.recording, batch.time, batch.values, replace=replace, locked=True)
        run.new = before[0] + int(np.count_nonzero(classes == RowClass.NEW))
        run.identical = before[1] + int(np.count_nonzero(classes == RowClass.IDENTICAL))
        run.conflicting = before[2] + int(np.count_nonzero(classes == RowClass.CONFLICTING))
        run.save()

    patience.until_done(lambda: in_transaction(write))
    for position in np.flatnonzero(classes == RowClass.CONFLICTING):
        line, time = int(batch.lines[position]), float(batch.time[position])
        what = f"took the place of other values at {time!r} s"
        if not replace:
            what = f"kept out: other values are stored at {time!r} s"
        report.tell(line, RowClass.CONFLICTING, what, batch.text(line))
    # Where raw samples were removed. Nothing is wrong with these rows, so they never end an import: a file whose
    # beginning was removed would not get its new rows stored.
    pruned = batch.lines[classes == RowClass.REJECTED].tolist()
    reason = why_pruned(run.recording) if pruned else ""
    for line in pruned:
        run.rejected += 1
        report.tell(line, RowClass.REJECTED, reason, batch.text(line))


def _settled_rows(run: ImportRun) -> int:
    """How many rows of a run the database knows to be new, identical or conflicting."""
    return sum(ImportRun.objects.values_list("new", "identical", "conflicting").get(pk=run.pk))
