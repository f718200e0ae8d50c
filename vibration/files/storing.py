"""Storing the rows of a file, batch by batch: in one recording, or in several where the time falls back."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np

from common.database.transactions import Patience, in_transaction
from machines.models import RegisteredBy
from vibration.csv.reader import BATCH_ROWS, Batch, Rejected
from vibration.csv.restarts import Fall, FallFinder
from vibration.csv.times import option, stamp_told, to_instant, to_stamp
from vibration.files.names import NAMES_ALONE, Naming, Place
from vibration.files.report import COUNTS, Report
from vibration.models import ImportRun, Recording
from vibration.numbers.classifying import RowClass
from vibration.storage.writing import open_recording, why_pruned, write_samples

ON_RESTART = ("refuse", "split", "merge")
_WITH_ROWS = [*COUNTS, "recording_id"]  # fields of an import that are stored together with rows
MAX_RECORDINGS = 100  # of a file; one whose time falls back more often holds rows out of order


@dataclass(frozen=True)
class Options:
    """How to import; the same for every file of one call."""

    naming: Naming = NAMES_ALONE
    time: str = "seconds"  # how the time column is written, see time_stamps.TIMES
    zone: tzinfo | None = None  # of times of day without an offset; else the plant's
    on_restart: str = "refuse"  # where the time falls back, see ON_RESTART
    batch_rows: int = BATCH_ROWS
    replace: bool = False  # whether a row in conflict takes the place of the stored one
    once: bool = False  # whether a file that was imported to its end before is passed over
    skip_bad_rows: bool = False  # else the import ends before the first that can't be read
    started_by: str = ""
    registered_by: RegisteredBy | None = RegisteredBy.IMPORT  # of a machine that is not known yet; None: refuse it


class StoppedAt(Exception):
    """The import ends before a row, which was told of."""

    def __init__(self, line: int):
        super().__init__(line)
        self.line = line


class FileStore:
    """Takes the batches of one file in their order."""

    def __init__(self, report: Report, place: Place, options: Options, zone: tzinfo, patience: Patience):
        self._report, self._place, self._options, self._zone = report, place, options, zone
        self._patience = patience
        self._recording: Recording | None = None  # the present one; None before its first good row
        self._number = 1
        self._finder = FallFinder()
        self._merged: list[Fall] = []  # the first fall
        self._falls = 0
        self.newest: datetime | None = None  # instant of a row, of a recording whose start is known

    def take(self, batch: Batch) -> None:
        """Store a batch and tell of what is left out. Raises StoppedAt where the import ends."""
        falls = self._finder.find(batch.lines, batch.time)
        if self._options.on_restart == "merge":
            self._falls += len(falls)
            self._merged = self._merged or falls[:1]
            falls = []
        for fall in falls:
            self._store(batch.before(fall.line))
            batch = batch.since(fall.line)
            self._begin_another(batch, fall)
        self._store(batch)

    def notes(self) -> list[str]:
        if not self._merged:
            return []
        [first] = self._merged
        times = "once" if self._falls == 1 else f"{self._falls:,} times, first"
        return [f"the time falls back {times} at line {first.line}, {self._told(first)}; all rows are one recording"]

    def _begin_another(self, batch: Batch, fall: Fall) -> None:
        reason = f"the time falls back {self._told(fall)}"
        if self._options.on_restart == "refuse":
            reason += (
                f". Either another recording begins: {option('on-restart', 'split')} gives it a name of its own. "
                f"Or rows are out of order: {option('on-restart', 'merge')} takes all as one recording"
            )
        elif self._number == MAX_RECORDINGS:
            reason += (
                f", and a file may hold {MAX_RECORDINGS} recordings: these seem to be rows out of order; say "
                f"{option('on-restart', 'merge')} to take them as one recording"
            )
        else:
            if self._number == 1:
                self._report.recordings.append((self._place.recording, 0))
            self._number += 1
            self._recording = None
            self._report.recordings.append((self._name, fall.line))
            self._report.notes.append(f"line {fall.line}: {reason}; the rows from here on go to {self._name}")
            return
        self._reject(Rejected(fall.line, reason, batch.shown(fall.line)), stops=True)
        raise StoppedAt(fall.line)

    @property
    def _name(self) -> str:
        """Of the present recording."""
        name = self._place.recording
        return name if self._number == 1 else f"{name}-{self._number}"

    @property
    def _present(self) -> Recording:
        """The recording that rows go to; it is open once there is a good row."""
        if self._recording is None:
            raise ValueError("no recording is open")
        return self._recording

    def _told(self, fall: Fall) -> str:
        if isinstance(fall.after, float):
            return f"from {fall.before!r} s to {fall.after!r} s"
        return f"from {stamp_told(int(fall.before), self._zone)} to {stamp_told(fall.after, self._zone)}"

    def _store(self, batch: Batch) -> None:
        stop = self._stopping(batch)
        if stop:
            batch = batch.before(stop.line)
        if len(batch.lines):
            if self._recording is None:
                # Not before there is a good row: a file of something else leaves no machine behind.
                self._recording = self._open(batch)
            if batch.has_stamps:
                batch = batch.counted_from(_start_of(self._present), self._zone)
                if early := self._stopping(batch):
                    stop, batch = early, batch.before(early.line)
        if len(batch.lines):
            self._write(batch)
        for row in [stop] if stop else batch.rejected:
            self._reject(row, stops=row is stop)
        if stop:
            raise StoppedAt(stop.line)

    def _stopping(self, batch: Batch) -> Rejected | None:
        return batch.rejected[0] if batch.rejected and not self._options.skip_bad_rows else None

    def _reject(self, row: Rejected, *, stops: bool) -> None:
        self._report.run.rejected += 1
        self._report.tell(row.line, RowClass.REJECTED, row.reason, row.text, stops=stops)

    def _open(self, batch: Batch) -> Recording:
        """The present recording, whose first rows these are."""
        started_at = self._place.started_at if self._number == 1 else None
        if batch.has_stamps:
            started_at = to_instant(batch.time[0])
        return in_transaction(
            lambda: open_recording(
                self._place.machine,
                self._place.sensor,
                name=self._name,
                started_at=started_at,
                keep_start=batch.has_stamps,
                source=self._report.run.file_name,
                registered_by=self._options.registered_by or RegisteredBy.IMPORT,  # known a moment ago
            ),
            patience=self._patience,
        )

    def _write(self, batch: Batch) -> None:
        """Store rows and their counts in one transaction; those left out are told of once that is settled."""
        run, replace = self._report.run, self._options.replace
        before = run.new, run.identical, run.conflicting
        run.recording = self._present  # so retention leaves alone the one that is being filled

        def locked() -> Recording:
            return Recording.objects.select_for_update().get(pk=self._present.pk)

        def write() -> tuple[Recording, np.ndarray]:
            recording = locked()
            classes = write_samples(recording, batch.samples, replace=replace, locked=True)
            run.new = before[0] + int(np.count_nonzero(classes == RowClass.NEW))
            run.identical = before[1] + int(np.count_nonzero(classes == RowClass.IDENTICAL))
            run.conflicting = before[2] + int(np.count_nonzero(classes == RowClass.CONFLICTING))
            run.save(update_fields=_WITH_ROWS)
            return recording, classes

        def is_stored() -> bool:
            locked()
            stored = ImportRun.objects.values_list(*_WITH_ROWS).get(pk=run.pk)
            return stored == tuple(getattr(run, name) for name in _WITH_ROWS)

        recording, classes = in_transaction(write, patience=self._patience, is_stored=is_stored)
        if recording.started_at:
            newest = recording.started_at + timedelta(seconds=float(batch.time.max()))
            self.newest = max(newest, self.newest or newest)
        for position in np.flatnonzero(classes == RowClass.CONFLICTING):
            line, time = int(batch.lines[position]), float(batch.time[position])
            what = f"replaced other values at {time!r} s"
            if not replace:
                what = f"not stored: other values are stored at {time!r} s"
            self._report.tell(line, RowClass.CONFLICTING, what, batch.text(line))
        # Where raw samples were removed. Nothing is wrong with these rows, so they never end an import: a file whose
        # beginning was removed would not get its new rows stored.
        pruned = batch.lines[classes == RowClass.REJECTED].tolist()
        reason = why_pruned(recording) if pruned else ""
        for line in pruned:
            self._reject(Rejected(line, reason, batch.text(line)), stops=False)


def _start_of(recording: Recording) -> int:
    """The stamp of its start, which one that was opened for rows with stamps has."""
    if recording.started_at is None:
        raise ValueError(f"{recording} has rows with stamps and no start")
    return to_stamp(recording.started_at)
