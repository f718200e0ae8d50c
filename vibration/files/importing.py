"""Importing a CSV file: read, class, write, report. The command and an upload call `import_file`."""

import math
import os
import time as clock
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from django.utils import timezone

from common.database.errors import DATABASE_ERRORS
from common.database.transactions import Patience
from common.names import InvalidName
from common.prefetching import prefetch
from common.printable import printable
from common.rest.fields import MAX_AHEAD, earliest
from machines.models import Sensor
from vibration.csv.lines import UnreadableFile, sha256_of
from vibration.csv.reader import CsvReader
from vibration.csv.times import Iso, Period, time_column
from vibration.files.names import Place, SensorPlace
from vibration.files.paths import name_of
from vibration.files.records import begin_run, finish_run, was_imported
from vibration.files.report import COUNTS, RejectsFile, Report
from vibration.files.storing import FileStore, Options, StoppedAt
from vibration.models import ImportRun, Recording
from vibration.storage.writing import RecordingStartDiffers

SIGN_OF_LIFE_S = 1.0  # between two calls of `on_progress` where no batch comes


class ImportedBefore(Exception):
    """A file that was imported to its end before, where once is enough."""

    def __init__(self, place: SensorPlace):
        self.place = place
        super().__init__("imported before")


class NotRegistered(Exception):
    """A machine or sensor that nobody registered, where the import itself may not."""

    def __init__(self, place: SensorPlace):
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


def import_file(
    stream: BufferedIOBase,
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
    begin_run(run, patience)
    started = clock.monotonic()
    try:
        outcome, message = _read_and_write(report, stream, place, options, bounds, on_progress, patience)
    except (UnreadableFile, RecordingStartDiffers, InvalidName) as error:
        outcome, message = ImportRun.Outcome.FAILED, str(error)
    except OverBounds as error:
        report.is_over_bounds = True
        outcome, message = ImportRun.Outcome.FAILED, f"{error}; {run.new + run.identical:,} of its rows are stored"
    except OSError as error:
        outcome, message = ImportRun.Outcome.FAILED, f"reading failed: {error.strerror or error}"
    except Recording.DoesNotExist:
        outcome, message = ImportRun.Outcome.FAILED, "the recording was deleted during the import"
    except KeyboardInterrupt:
        # While the database is away the record stays `unfinished`, and who interrupted does not wait for it.
        with suppress(*DATABASE_ERRORS):
            # It may have been away around the commit of a batch; the database knows.
            run.refresh_from_db(fields=[name for name in COUNTS if name != "rejected"])
            message = "interrupted; import the file again to complete it"
            finish_run(run, ImportRun.Outcome.INTERRUPTED, message, clock.monotonic() - started)
        raise
    after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        outcome, message = ImportRun.Outcome.FAILED, "the file changed while it was read; import it again"
    message = "; ".join(filter(None, [message, report.recordings_told()]))
    if waited_s := patience.waited_s - waited_before_s:
        message = "; ".join(filter(None, [message, f"waited {waited_s:.1f} s for the database"]))
    seconds = clock.monotonic() - started
    finish_run(run, outcome, message, seconds, patience)
    return report


def is_registered(place: SensorPlace) -> bool:
    return Sensor.objects.filter(machine__name=place.machine, sensor_no=place.sensor).exists()


def now_and_then(tell: Callable[[], None]) -> Callable[[], None]:
    """Calls `tell` when it is called, but once a second at most."""
    told = clock.monotonic()

    def call() -> None:
        nonlocal told
        if clock.monotonic() - told >= SIGN_OF_LIFE_S:
            tell()
            told = clock.monotonic()

    return call


def _read_and_write(
    report: Report,
    stream: BufferedIOBase,
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

    zone = options.zone or timezone.get_current_timezone()
    time = time_column(options.time, Period(zone, earliest(), timezone.now() + MAX_AHEAD))
    reader = CsvReader(stream, time=time, batch_rows=options.batch_rows, check=check)
    store = FileStore(report, place, options, zone, patience)
    try:
        with closing(prefetch(reader)) as batches:
            for batch in batches:
                # It may have been read while the one before was waited for.
                bounds.check(0, clock.monotonic() - started)
                store.take(batch)
                on_progress(report, stream.tell())
    except StoppedAt as stop:
        return ImportRun.Outcome.STOPPED, f"the rows after line {stop.line} were not read"
    finally:
        report.notes += store.notes()
        is_local = time.is_local if isinstance(time, Iso) else time.name == "seconds" and place.is_start_local
        report.newest_local = store.newest if is_local and options.zone is None else None
    report.notes += reader.notes
    if not run.read:
        raise UnreadableFile(
            "the file has a header line and no rows" if reader.head.header_line else "the file has no rows"
        )
    return ImportRun.Outcome.PROBLEMS if run.conflicting or run.rejected else ImportRun.Outcome.COMPLETE, ""
