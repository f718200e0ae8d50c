"""What `backup` and `restore` print for people."""

import io
import sys
import time as clock
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from common.terminal import cell
from himmes.operations.backups.archive import TableSum, Tell
from himmes.operations.backups.restoring import Compared

PLAIN_INTERVAL_S = 10  # between two lines, where no terminal can show a bar


@contextmanager
def show_progress(output) -> Iterator[Tell]:
    """A function to call with (step, done, total or None): a bar for each step on a terminal, else lines."""
    if sys.stderr.isatty():
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:>15,.0f}"),
            TimeElapsedColumn(),
        ]
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            tasks = {}

            def show(step: str, done: int, total: int | None) -> None:
                if step not in tasks:
                    tasks[step] = progress.add_task(step, total=total)
                progress.update(tasks[step], completed=done, total=total)

            yield show
        return

    said = clock.monotonic()

    def tell(step: str, done: int, total: int | None) -> None:
        nonlocal said
        if clock.monotonic() - said >= PLAIN_INTERVAL_S:
            said = clock.monotonic()
            output.write(f"{step}: {done:,}" + (f" of {total:,}" if total else ""))

    yield tell


def compared_table(compared: Iterable[Compared]) -> str:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("table", overflow="fold")
    table.add_column("rows in the backup", justify="right")
    table.add_column("rows restored", justify="right")
    table.add_column("checksum", no_wrap=True)
    for one in compared:
        table.add_row(cell(one.table), _rows(one.backup), _rows(one.database), "equal" if one.equal else "DIFFERENT")
    text = io.StringIO()
    # Narrow enough for a terminal of 80 columns
    Console(file=text, width=None if sys.stdout.isatty() else 120).print(table)
    return text.getvalue()


def _rows(table: TableSum | None) -> str:
    return "no such table" if table is None else f"{table.rows:,}"
