import math
import sys
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import track

from common.terminal import TerminalCommand
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count, sample_lines


class Command(TerminalCommand):
    help = (
        "Write synthetic CSV files of the shape of KAMP's rotating-machine data. By default 8 files, 1.5 million rows."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--machines", type=int, default=2, metavar="N")
        parser.add_argument("--sensors", type=int, default=4, metavar="N", help="of each machine")
        parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS, metavar="S", help="length of a recording")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed makes the same files")

    def handle(self, *args, folder, machines, sensors, seconds, seed, **options):
        if machines < 1 or sensors < 1 or seed < 0 or not (math.isfinite(seconds) and seconds >= 0):
            raise CommandError("--machines and --sensors must be at least 1, --seconds and --seed not negative.")
        files = {
            folder / f"g{machine}_sensor{sensor}.csv": (machine, sensor)
            for machine in range(1, machines + 1)
            for sensor in range(1, sensors + 1)
        }
        # The real files have the same names.
        if there := [path for path in files if path.exists()]:
            raise CommandError(f"{there[0]} is there already; nothing was written. Name another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        console = Console(stderr=True)
        work: Iterable[tuple[Path, tuple[int, int]]] = files.items()
        if sys.stderr.isatty():
            work = track(work, "Making synthetic samples", console=console, transient=True)
        rows = 0
        for path, (machine, sensor) in work:
            with path.open("w", encoding="ascii", newline="") as file:
                file.writelines(sample_lines(machine, sensor, seconds, seed))
            rows += row_count(sensor, seconds)
        self.stdout.write(f"{len(files)} synthetic files, {rows:,} rows, in {folder}")
