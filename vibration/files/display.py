"""What `import_vibration` and `prune_vibration` print for people."""

import io
import sys
import time as clock
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from common.printable import printable
from common.terminal import cell
from vibration.files.report import COUNTS, Report
from vibration.models import ImportRun
from vibration.numbers.classifying import RowClass
from vibration.storage.pruning import BYTES_PER_SAMPLE, Removal

PLAIN_INTERVAL_S = 10  # between two lines about one file, where no terminal can show a bar


class Output(Protocol):
    """A command's `stdout` or `stderr`."""

    def write(self, text: str, /) -> object: ...


class Shown(Protocol):
    """What is shown of work that takes long."""

    def __call__(self, rows: int, done: int, size: int | None = None) -> None:
        """So many rows, and so much of the whole size, are done. `size`: what it is by now, if that may change."""

    def say(self, text: str) -> None:
        """Something that happened meanwhile."""


def show_progress(path: Path, output: Output, errors: Output) -> AbstractContextManager[Shown]:
    """Of a file, by rows and bytes read; what is said meanwhile goes to `errors`."""
    return show_bar(path.name, 1, output, errors, said_as=str(path))


@contextmanager
def show_bar(
    name: str, size: int, output: Output, errors: Output, *, said_as: str = "", what: str = "rows"
) -> Iterator[Shown]:
    """A bar with rows/s and time left, on a terminal; else lines to `output`.

    In lines it is `said_as`, if that is another name; `what` says what is counted. What is said goes to `errors`, or
    stands above the bar.
    """
    name, said_as = printable(name), printable(said_as or name)
    if not sys.stderr.isatty():
        yield _Lines(said_as, size, what, output, errors)
        return
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn(
            f"{{task.percentage:>3.0f}} %  {{task.fields[rows]:>11,}} {what}  {{task.fields[rate]:>9,.0f}} {what}/s"
        ),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(name, size, said_as, progress)


class _Bar:
    def __init__(self, name: str, size: int, said_as: str, progress: Progress):
        self._said_as, self._progress, self._started = said_as, progress, clock.monotonic()
        self._task = progress.add_task(name, total=size, rows=0, rate=0.0)

    def __call__(self, rows: int, done: int, size: int | None = None) -> None:
        rate = rows / (clock.monotonic() - self._started)
        self._progress.update(self._task, total=size, completed=done, rows=rows, rate=rate)

    def say(self, text: str) -> None:
        self._progress.console.print(cell(f"{self._said_as}: {text}"))


class _Lines:
    def __init__(self, name: str, size: int, what: str, output: Output, errors: Output):
        self._name, self._size, self._what, self._output, self._errors = name, size, what, output, errors
        self._started = self._said = clock.monotonic()

    def __call__(self, rows: int, done: int, size: int | None = None) -> None:
        now, self._size = clock.monotonic(), size or self._size
        if now - self._said >= PLAIN_INTERVAL_S:
            self._said = now
            rate = rows / (now - self._started)
            self._output.write(
                f"{self._name}: {done / self._size:.0%}, {rows:,} {self._what}, {rate:,.0f} {self._what}/s"
            )

    def say(self, text: str) -> None:
        self._errors.write(f"{self._name}: {text}")


def result_line(report: Report) -> str:
    run = report.run
    classes = ", ".join(f"{getattr(run, name):,} {name}" for name in COUNTS)
    return f"{printable(report.path)} -> {run.place}: {run.read:,} read: {classes} ({run.outcome})"


def problem_lines(report: Report) -> Iterator[str]:
    """The first bad rows, how many more there are, remarks, and why the file was not read to its end."""
    path = printable(report.path)
    yield from report.problems
    for row_class in (RowClass.CONFLICTING, RowClass.REJECTED):
        name = row_class.name.lower()
        if (more := getattr(report.run, name) - report.shown[row_class]) > 0:
            yield f"{path}: {more:,} more {name} {counted(report.run)} (--rejects FILE writes them all)"
    for note in report.notes:
        yield f"{path}: note: {note}"
    if report.run.message:
        yield f"{path}: {report.run.outcome}: {report.run.message}"


def counted(run: ImportRun) -> str:
    """What the counts of an import count."""
    return "captures" if run.kind == ImportRun.Kind.CAPTURES else "rows"


def summary_table(reports: list[Report], *, dry_run: bool) -> str:
    title = "Dry run: nothing was stored" if dry_run else None
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("file", overflow="fold")
    per_s = f"{counted(reports[0].run)}/s" if reports else "rows/s"
    for name in ["read", *COUNTS, per_s]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for report in reports:
        table.add_row(cell(report.path.name), *_figures([report.run]), str(report.run.outcome))
    if len(reports) > 1:
        table.add_row(f"{len(reports)} files", *_figures([report.run for report in reports]), "")
    return as_text(table)


def removal_table(removals: list[Removal]) -> str:
    """What retention would remove, a line for each recording."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("machine", "sensor", "recording"):
        table.add_column(name, overflow="fold")
    for name in ("samples", "of", "from s", "to s", "measured from", "to", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for it in removals:
        sensor = it.recording.sensor
        table.add_row(
            *map(cell, (sensor.machine.name, sensor.sensor_no, it.recording.name)),
            *(f"{number:,}" for number in (it.samples, it.recording.sample_count)),
            *(f"{time:.3f}" for time in (it.first_time, it.last_time)),
            *(
                f"{timezone.localtime(when):%Y-%m-%d %H:%M}" if when else "not known"
                for when in (it.first_at, it.last_at)
            ),
            _megabytes(it.samples),
        )
    if len(removals) > 1:
        count, total = len(removals), sum(it.samples for it in removals)
        of = sum(it.recording.sample_count for it in removals)
        table.add_row(f"{count} recordings", "", "", f"{total:,}", f"{of:,}", "", "", "", "", _megabytes(total))
    return as_text(table)


def _megabytes(samples: int) -> str:
    return f"{samples * BYTES_PER_SAMPLE / 1e6:,.1f}"


def as_text(table: Table) -> str:
    text = io.StringIO()
    # Narrow enough for a terminal of 80 columns
    Console(file=text, width=None if sys.stdout.isatty() else 120).print(table)
    return text.getvalue()


def _figures(runs: list[ImportRun]) -> list[str]:
    read, seconds = sum(run.read for run in runs), sum(run.seconds for run in runs)
    counts = [read, *(sum(getattr(run, name) for run in runs) for name in COUNTS)]
    return [f"{number:,}" for number in [*counts, round(read / seconds) if seconds else 0]]
