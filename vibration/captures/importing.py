"""Importing a file of captures: understand, check, store, report. The command, the watch and an upload call it.

A capture is stored whole or not at all, with its features and the counts of the import: a kill at any instant leaves
whole captures, and the same file again completes them.
"""

import hashlib
import os
import time as clock
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from django.db import reset_queries
from django.utils import timezone

from common.database.errors import DATABASE_ERRORS
from common.database.transactions import Patience
from common.rest.rows import InvalidRows
from machines.models import RegisteredBy
from vibration.captures.conflicts import Stored, came_in_words, difference_in_words
from vibration.captures.incoming import NewCapture, wrong_with
from vibration.captures.naming import CaptureNaming, CapturePlace
from vibration.captures.storing import store_captures
from vibration.captures.understanding import Said, Understood, understand
from vibration.files.importing import NO_BOUNDS, Bounds, ImportedBefore, NotRegistered, OverBounds, is_registered
from vibration.files.paths import name_of
from vibration.files.records import begin_run, finish_run
from vibration.files.report import COUNTS, RejectsFile, Report
from vibration.formats.applying import Signal
from vibration.formats.reading import MAX_FILE_BYTES
from vibration.formats.reasons import Remark, remark
from vibration.formats.table import BadFile
from vibration.models import ImportRun
from vibration.numbers.classifying import RowClass
from vibration.signals.codec import scaled

BATCH_SAMPLES = 250_000  # of several captures in a transaction: with them a statement is shorter than 4 MB
BATCH_CAPTURES = 50
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class CaptureOptions:
    """How to import; the same for every file of one call."""

    naming: CaptureNaming = field(default_factory=CaptureNaming)
    said: Said = field(default_factory=Said)
    start_from_mtime: bool = False  # where nothing else tells the start
    once: bool = False  # whether a file that was imported to its end before is passed over
    skip_bad: bool = False  # a capture that can't be stored; else nothing of its file is
    started_by: str = ""
    registered_by: RegisteredBy | None = RegisteredBy.IMPORT  # of a machine that is not known yet; None: refuse it


MARKS = ("is_flat", "is_clipped", "has_gap", "clock_drifts")  # of a stored capture, which are told


def read_stream(stream: BufferedIOBase, path: Path, bounds: Bounds = NO_BOUNDS) -> bytes:
    """All of an open file, which is at its beginning. Raises BadFile for too large a one, OSError, and OverBounds."""
    before = os.fstat(stream.fileno())
    size = before.st_size
    bounds.check(size, 0)
    if size > MAX_FILE_BYTES:
        raise BadFile(
            path,
            f"it has {size / 2**20:,.0f} MB, and at most {MAX_FILE_BYTES >> 20} MB are read at once",
            "split it into shorter files",
        )
    content = stream.read()
    after = os.fstat(stream.fileno())
    if (size, before.st_mtime_ns) != (len(content), after.st_mtime_ns):
        raise BadFile(path, "the file changed while it was read", "import it again")
    if content.startswith(_GZIP):
        _check_gzip(content, bounds)
    return content


def _check_gzip(content: bytes, bounds: Bounds) -> None:
    """Raises OverBounds. What is damaged is told when it is read."""
    unzip, size, left = zlib.decompressobj(wbits=31), 0, content
    with suppress(zlib.error):
        while left and bounds is not NO_BOUNDS and not unzip.eof:
            size += len(unzip.decompress(left, 1 << 20))
            left = unzip.unconsumed_tail
            bounds.check(size, 0)


def changed_at(stream: BufferedIOBase) -> datetime:
    """When an open file was changed last, cut to the microsecond."""
    ns = os.fstat(stream.fileno()).st_mtime_ns
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


def new_captures(found: Understood, place: CapturePlace, source: str = "") -> list[NewCapture]:
    """The signals of a file as captures, in order of time; nothing of their values changes. Raises BadFile."""
    found.check_storable()
    made = [_new_capture(signal, place, source) for signal in found.signals if signal.started_at]
    return sorted(made, key=lambda it: it.started_at)


def _new_capture(signal: Signal, place: CapturePlace, source: str) -> NewCapture:
    values, scale = _as_stored(signal)
    if signal.started_at is None:
        raise ValueError("a capture needs a start")
    return NewCapture(
        machine=place.machine,
        sensor=place.sensor,
        axis=signal.axis,
        started_at=signal.started_at,
        sampling_hz=signal.sampling_hz,
        values=values,
        unit=signal.unit,
        rpm=signal.rpm or None,  # of a machine that stands
        scale=scale,
        has_gap=signal.has_gap,
        clock_drifts=signal.clock_drifts,
        source=source,
    )


def _as_stored(signal: Signal) -> tuple[np.ndarray, float | None]:
    """The values in a type that captures have, and their scale: int16 stay so, other whole numbers become float64."""
    values, scale = signal.values, signal.scale
    if values.dtype == np.int16 and (scale is None or scale > 0):
        return values, 1.0 if scale is None else scale
    if values.dtype.kind == "i" or scale is not None:
        return scaled(values, scale), None
    return values, None


def import_capture_file(
    stream: BufferedIOBase,
    path: Path,
    options: CaptureOptions,
    *,
    bounds: Bounds = NO_BOUNDS,
    rejects: RejectsFile | None = None,
    on_understood: Callable[[Understood], None] = lambda found: None,
    on_progress: Callable[[Report, int, int], None] = lambda report, done, of: None,
    patience: Patience | None = None,
) -> Report:
    """Import an open file, which is at its beginning; `path` is what it is called, and need not lead to it.

    `on_understood` is called with what the file is taken for before anything of it is stored, and may raise to leave
    it; `on_progress` with the report so far, the samples stored and those of the file, at first and after each batch.
    `patience` says how long to wait for the database when it goes away.

    A file that can't be read, or not surely, gives a report whose outcome is `failed`, and nothing of it is stored.
    Raises BadName, NotRegistered or ImportedBefore, before anything is stored; errors of the database pass through, and
    so does what the callbacks raise.
    """
    patience = patience or Patience()
    waited_before_s = patience.waited_s
    place = options.naming.place_of(path)
    if options.registered_by is None and not patience.until_done(lambda: is_registered(place)):
        raise NotRegistered(place)
    run = ImportRun(
        kind=ImportRun.Kind.CAPTURES,
        started_by=options.started_by[:150],
        file_name=name_of(path),
        file_size=os.fstat(stream.fileno()).st_size,
        place=str(place)[:180],
    )
    report = Report(path, run, rejects)
    started = clock.monotonic()
    content, problem = _read(stream, path, bounds)
    run.sha256 = hashlib.sha256(content).hexdigest()
    if options.once and problem is None and patience.until_done(lambda: _was_imported(run)):
        raise ImportedBefore(place)
    captures: list[NewCapture] = []
    if problem is None:
        changed = changed_at(stream) if options.start_from_mtime else None
        try:
            found = understand(path, content, options.said, place, changed_at=changed)
            began = clock.monotonic()
            on_understood(found)
            started += clock.monotonic() - began  # a person may have been asked
            captures = new_captures(found, place, run.file_name)
        except BadFile as error:
            problem = error
        else:
            report.newest_local = captures[-1].started_at if found.is_start_local else None
            report.notes += _notes_before(found)
    begin_run(run, patience)
    try:
        if problem is not None:
            raise problem
        store = _Store(report, options, patience, on_progress, lambda: bounds.check(0, clock.monotonic() - started))
        outcome, message = store.take(captures)
    except (BadFile, OverBounds, OSError) as error:
        report.is_over_bounds = isinstance(error, OverBounds)
        outcome, message = ImportRun.Outcome.FAILED, _told(error, run)
    except KeyboardInterrupt:
        with suppress(*DATABASE_ERRORS):  # while it is away the record stays `unfinished`
            run.refresh_from_db(fields=[name for name in COUNTS if name != "rejected"])
            message = "interrupted; import the file again to complete it"
            finish_run(run, ImportRun.Outcome.INTERRUPTED, message, clock.monotonic() - started)
        raise
    if waited_s := patience.waited_s - waited_before_s:
        message = "; ".join(filter(None, [message, f"waited {waited_s:.1f} s for the database"]))
    finish_run(run, outcome, message, clock.monotonic() - started, patience)
    return report


def _read(stream: BufferedIOBase, path: Path, bounds: Bounds) -> tuple[bytes, BadFile | OverBounds | OSError | None]:
    """All of a file, or what is wrong with it."""
    try:
        return read_stream(stream, path, bounds), None
    except (BadFile, OverBounds, OSError) as error:
        return b"", error


def _told(problem: BadFile | OverBounds | OSError, run: ImportRun) -> str:
    if isinstance(problem, BadFile):
        return f"{problem.reason}; {problem.advice}"
    if isinstance(problem, OSError):
        return f"reading failed: {problem.strerror or problem}"
    return f"{problem}; {run.new + run.identical:,} of its captures are stored"


def _was_imported(run: ImportRun) -> bool:
    """Whether this very file was taken to this place to its end before."""
    same = ImportRun.objects.filter(
        kind=run.kind, file_name=run.file_name, file_size=run.file_size, outcome=ImportRun.Outcome.COMPLETE
    )
    return (run.sha256, run.place) in same.values_list("sha256", "place")


def _notes_before(found: Understood) -> list[Remark]:
    """What the counts do not tell: units that are not known, machines that stand."""
    notes = []
    if unknown := sorted({signal.axis for signal in found.signals if not signal.unit}):
        notes.append(remark("units_unknown", axes=", ".join(unknown)))
    if standing := sum(signal.rpm == 0 for signal in found.signals):
        notes.append(remark("speeds_of_zero", count=standing, of=len(found.signals)))
    return notes


def _batches(captures: Iterable[NewCapture]) -> Iterator[list[NewCapture]]:
    """In their order, as many as fit a transaction; a long one by itself."""
    batch: list[NewCapture] = []
    size = 0
    for capture in captures:
        if batch and (size + len(capture.values) > BATCH_SAMPLES or len(batch) == BATCH_CAPTURES):
            yield batch
            batch, size = [], 0
        batch.append(capture)
        size += len(capture.values)
    if batch:
        yield batch


def told(capture: NewCapture) -> str:
    """A capture of a file, by what tells it from the others."""
    return f"{capture.axis} at {timezone.localtime(capture.started_at).isoformat()}"


class _Store:
    """Stores the captures of one file, batch by batch."""

    def __init__(
        self,
        report: Report,
        options: CaptureOptions,
        patience: Patience,
        on_progress: Callable[[Report, int, int], None],
        check: Callable[[], None],
    ):
        self._report, self._options, self._patience = report, options, patience
        self._on_progress, self._check = on_progress, check
        self._marked: Counter[tuple[str, str]] = Counter()  # captures with a mark, by axis
        self._stored: Counter[str] = Counter()  # captures, by axis

    def take(self, captures: list[NewCapture]) -> tuple[ImportRun.Outcome, str]:
        """How it ended, and a message where something is left out. Raises what `check` does, between two batches."""
        run = self._report.run
        bad = {number: wrong for number, it in enumerate(captures) if (wrong := wrong_with(it))}
        for number, wrong in bad.items():
            self._reject(captures[number], wrong)
        if bad and not self._options.skip_bad:
            return ImportRun.Outcome.STOPPED, "nothing of the file was stored"
        good = [it for number, it in enumerate(captures) if number not in bad]
        done, size = 0, sum(len(it.values) for it in captures)
        self._on_progress(self._report, done, size)
        for batch in _batches(good):
            self._check()
            if not self._store(batch) and not self._options.skip_bad:
                return ImportRun.Outcome.STOPPED, "what comes after it in the file was not stored"
            done += sum(len(it.values) for it in batch)
            reset_queries()  # with DEBUG on, Django would keep the text of every statement
            self._on_progress(self._report, done, size)
        self._report.notes += self._marks_told()
        return ImportRun.Outcome.PROBLEMS if run.conflicting or run.rejected else ImportRun.Outcome.COMPLETE, ""

    def _store(self, batch: list[NewCapture]) -> bool:
        """Store some in one transaction, with the counts of the import; False when one of them can't be."""
        run = self._report.run
        before = run.new, run.identical, run.conflicting

        def also(stored: list[Stored]) -> None:
            classes = Counter(it.row_class for it in stored)
            run.new = before[0] + classes[RowClass.NEW]
            run.identical = before[1] + classes[RowClass.IDENTICAL]
            run.conflicting = before[2] + classes[RowClass.CONFLICTING]
            run.save(update_fields=COUNTS)

        def is_stored() -> bool:
            known = ImportRun.objects.select_for_update().values_list(*COUNTS).get(pk=run.pk)
            return known == tuple(getattr(run, name) for name in COUNTS)

        register = self._options.registered_by
        try:
            stored = store_captures(
                batch,
                register=register,
                poster=self._options.started_by or None,
                also=also,
                is_stored=is_stored,
                patience=self._patience,
            )
        except InvalidRows as error:
            if len(batch) == 1:
                self._reject(batch[0], [(it["field"], it["message"]) for it in error.errors])
                return False
            # One by one: what is good among them is stored.
            are_stored = [self._store([it]) for it in batch]
            return all(are_stored)
        for new, it in zip(batch, stored, strict=True):
            self._stored[new.axis] += 1
            self._marked.update((new.axis, mark) for mark in MARKS if getattr(it.capture, mark))
            if it.row_class is RowClass.CONFLICTING:
                difference = difference_in_words(new, it.capture)
                reason = f"not stored: another one is stored with this axis and start ({difference})"
                self._report.tell(told(new), RowClass.CONFLICTING, reason, came_in_words(new))
        return True

    def _reject(self, capture: NewCapture, wrong: list[tuple[str, str]]) -> None:
        self._report.run.rejected += 1
        reason = "; ".join(f"{field}: {message}" for field, message in wrong)
        self._report.tell(told(capture), RowClass.REJECTED, reason, came_in_words(capture))

    def _marks_told(self) -> list[Remark]:
        return [
            remark(f"marked_{mark}", axis=axis, count=number, of=self._stored[axis])
            for (axis, mark), number in sorted(self._marked.items())
        ]
