"""The report of an import: rows that were not stored, and notes."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from common.csv_export import SafeWriter
from common.printable import printable
from vibration.formats.reasons import Remark
from vibration.models import ImportRun
from vibration.numbers.classifying import RowClass

SHOWN_PROBLEMS = 5  # of each class, in the report, and the row that stops it; the rejects file has them all
SHOWN_RUNS = 10  # in the record of an import
COUNTS = [row_class.name.lower() for row_class in RowClass]  # the fields of ImportRun that count rows


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
        """Whether nothing else is lost: there is nothing yet, an empty file, one of an earlier import, or a pipe."""
        if not path.is_file():
            return True
        with path.open("rb") as file:
            return file.read(100).splitlines()[:1] in ([], [",".join(cls.HEADER).encode()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def add(self, path: Path, line: int | str, row_class: RowClass, reason: str, text: str) -> None:
        self._writer.writerow(
            [
                printable(path),
                line if isinstance(line, int) else printable(line),
                row_class.name.lower(),
                reason,
                printable(text, keep="\t"),
            ]
        )


@dataclass
class Report:
    """What became of a file: the record of its import, and the first bad rows in words."""

    path: Path  # what the file is called
    run: ImportRun
    rejects: RejectsFile | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str | Remark] = field(default_factory=list)
    recordings: list[tuple[str, int]] = field(default_factory=list)  # name and first line of each, if there are several
    told: Counter = field(default_factory=Counter)  # how many rows of each class were told of
    shown: Counter = field(default_factory=Counter)  # and how many of them stand in `problems`
    newest_local: datetime | None = None  # instant of a row whose time came without an offset, taken for plant time
    is_over_bounds: bool = False

    @property
    def seconds(self) -> float:
        """How long it took, to the millisecond."""
        return round(self.run.seconds, 3)

    def tell(self, line: int | str, row_class: RowClass, reason: str, text: str, *, stops: bool = False) -> None:
        """Keep a conflicting or rejected row: in the rejects file, and in words if one of the first or it `stops`.

        A capture is told by its axis and start instead of a line.
        """
        self.told[row_class] += 1
        if stops or self.shown[row_class] < SHOWN_PROBLEMS:
            self.shown[row_class] += 1
            place = f"{line}" if isinstance(line, int) else f" {printable(line)}"
            self.problems.append(f"{printable(self.path)}:{place}: {row_class.name.lower()}: {reason}")
        if self.rejects:
            self.rejects.add(self.path, line, row_class, reason, text)

    def recordings_told(self) -> str:
        """Where each recording of a file that was split begins."""
        if not self.recordings:
            return ""
        [(first, _line), *others] = self.recordings
        told = [f"{name} from line {line}" for name, line in others[:SHOWN_RUNS]]
        more = f" and {len(others) - SHOWN_RUNS} more" if len(others) > SHOWN_RUNS else ""
        return f"{len(self.recordings)} recordings: {', '.join([first, *told])}{more}"
