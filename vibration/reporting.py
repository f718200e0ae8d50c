"""What a person in front of the terminal sees of an import, or of what retention removes."""

import io
import sys
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vibration.file_importing import COUNTS, SHOWN_PROBLEMS, Report
from vibration.models import ImportRun
from vibration.pruning import BYTES_PER_SAMPLE, Removal

PLAIN_INTERVAL_S = 10  # between two lines about one file, where no terminal can show a bar


def show_progress(path: Path, output):
    """Of a file: a function to call with (rows, bytes read so far)."""
    return show_bar(path.name, max(1, path.stat().st_size), output, said_as=str(path))


@contextmanager
def show_bar(name: str, size: int, output, *, said_as: str = "") -> Iterator[Callable[[int, int], None]]:
    """A function to call with (rows, how much of `size`): a bar with rows/s and time left, on a terminal; else lines.

    In these it is `said_as`, if that is another name.
    """
    started = said = clock.monotonic()
    if sys.stderr.isatty():
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rows]:>11,} rows  {task.fields[rate]:>9,.0f} rows/s"),
            TimeRemainingColumn(),
        ]
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(name, total=size, rows=0, rate=0.0)

            def show(rows: int, done: int) -> None:
                rate = rows / (clock.monotonic() - started)
                progress.update(task, completed=done, rows=rows, rate=rate)

            yield show
        return

    def tell(rows: int, done: int) -> None:
        nonlocal said
        now = clock.monotonic()
        if now - said >= PLAIN_INTERVAL_S:
            said = now
            rate = rows / (now - started)
            output.write(f"{said_as or name}: {done / size:.0%}, {rows:,} rows, {rate:,.0f} rows/s")

    yield tell


def result_line(report: Report) -> str:
    run = report.run
    classes = ", ".join(f"{getattr(run, name):,} {name}" for name in COUNTS)
    return f"{report.path} -> {run.place}: {run.read:,} read: {classes} ({run.outcome})"


def problem_lines(report: Report) -> Iterator[str]:
    """The first bad rows, how many more there are, remarks, and why the file was not read to its end."""
    yield from report.problems
    for name in ("conflicting", "rejected"):
        if (more := getattr(report.run, name) - SHOWN_PROBLEMS) > 0:
            yield f"{report.path}: {more:,} more {name} rows (--rejects FILE writes them all)"
    for note in report.notes:
        yield f"{report.path}: note: {note}"
    if report.run.message:
        yield f"{report.path}: {report.run.outcome}: {report.run.message}"


def summary_table(reports: list[Report], *, dry_run: bool) -> str:
    title = "Dry run: nothing was stored" if dry_run else None
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("file", overflow="fold")
    for name in ["read", *COUNTS, "rows/s"]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for report in reports:
        table.add_row(report.path.name, *_figures([report.run]), str(report.run.outcome))
    if len(reports) > 1:
        table.add_row(f"{len(reports)} files", *_figures([report.run for report in reports]), "")
    return _as_text(table)


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
            sensor.machine.name,
            sensor.sensor_no,
            it.recording.name,
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
    return _as_text(table)


def _megabytes(samples: int) -> str:
    return f"{samples * BYTES_PER_SAMPLE / 1e6:,.1f}"


def _as_text(table: Table) -> str:
    text = io.StringIO()
    # Narrow enough for a terminal of 80 columns
    Console(file=text, width=None if sys.stdout.isatty() else 120).print(table)
    return text.getvalue()


def _figures(runs: list[ImportRun]) -> list[str]:
    read, seconds = sum(run.read for run in runs), sum(run.seconds for run in runs)
    counts = [read, *(sum(getattr(run, name) for run in runs) for name in COUNTS)]
    return [f"{number:,}" for number in [*counts, round(read / seconds) if seconds else 0]]
