"""What a file of signals holds, whatever its format: columns of numbers, and what the file says of them."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from common.printable import printable

MAX_VALUES = 100_000_000  # numbers in a file, all of which are held in memory
MAX_HELD_BYTES = 256 << 20  # of values: as many as a file may have that holds them as they are
MAX_COLUMNS = 4096
KEPT = (np.dtype(np.int16), np.dtype(np.int32), np.dtype(np.float32), np.dtype(np.float64))
EXACT_IN_A_DOUBLE = 2**53


def check_size(path: Path, values: int, columns: int = 0, *, size: int = 0) -> None:
    """Raises BadFile for more than is held in memory at once; before it is, as a small file may hold much.

    `size` is in bytes.
    """
    if values > MAX_VALUES:
        what = f"it holds {values:,} numbers, and at most {MAX_VALUES:,} are read at once"
        raise BadFile(path, what, "split it into shorter files")
    if size > MAX_HELD_BYTES:
        raise too_much(path)
    if columns > MAX_COLUMNS:
        raise BadFile(path, f"it has {columns:,} columns", f"export at most {MAX_COLUMNS:,} of them")


def too_much(path: Path) -> "BadFile":
    """For a file of more bytes of values, once they are unpacked, than are held at once."""
    what = f"it holds more than {MAX_HELD_BYTES >> 20} MB of values, which are read at once"
    return BadFile(path, what, "split it into shorter files")


class BadFile(ValueError):
    """A file whose signals can't be read: which, why, and what to do."""

    def __init__(self, path: Path | str, reason: str, advice: str):
        self.path, self.reason, self.advice = path, reason, advice
        super().__init__(f"{printable(path)}: {reason}; {advice}")


@dataclass(frozen=True)
class Flaw:
    """The first cell of a text column that is not a number."""

    row: int  # from 0
    text: str


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a file; a name is there once in a table."""

    name: str
    unit: str = ""  # as the file has it, in its own spelling; empty where it says none
    values: np.ndarray | None = None  # (n,) of a dtype of KEPT; None of a column that is not numbers throughout
    scale: float | None = None  # the value is the number times this; None: the number itself
    text: pl.Series | None = None  # the cells as they stand in a text format, without spaces and quotes around them
    flaw: Flaw | None = None  # of a text column without values
    rate_hz: float | None = None  # where the format tells it of each column
    started_at: datetime | None = None  # likewise; naive: by the clock of the plant
    is_named: bool = True  # whether the file names it; else `name` is made of its place

    @property
    def numbers(self) -> np.ndarray:
        """The values of a column that has some. Raises ValueError for text."""
        if self.values is None:
            raise ValueError(f"the column '{self.name}' has no numbers")
        return self.values

    def __len__(self) -> int:
        if self.values is not None:
            return len(self.values)
        return 0 if self.text is None else len(self.text)


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file and what stands beside them. Columns of text formats have equal lengths."""

    path: Path
    format: str  # csv, lvm, wav, parquet, tdms, mat, hdf5
    columns: tuple[Column, ...]
    rate_hz: float | None = None
    started_at: datetime | None = None  # naive: by the clock of the plant
    notes: tuple[str, ...] = ()  # lines above the header; properties as "name: value"
    lines: np.ndarray | None = field(default=None, repr=False)  # int64 (n,), the line of each row in a text format
    separator: str = ""  # of a text format, as it was read
    decimal: str = ""
    has_open_end: bool = False  # whether a text ends within its last line, which may be cut off
    said: tuple[str, str] = ("", "")  # separator and decimal mark, where somebody had to say them
    is_ambiguous: bool = False  # whether commas between digits may separate columns or be decimal commas

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def needed(self, name: str) -> Column:
        """Raises BadFile when there is none of this name."""
        column = self.column(name)
        if column is None:
            raise self.bad(f"it has no column '{name}', which the mapping names", "use another mapping")
        return column

    def place(self, row: int) -> str:
        """Where a row stands, for a message."""
        return f"row {row + 1:,}" if self.lines is None else f"line {int(self.lines[row]):,}"

    def bad(self, reason: str, advice: str) -> BadFile:
        return BadFile(self.path, reason, advice)


def kept(values: np.ndarray) -> np.ndarray | None:
    """The same numbers, exactly, in a dtype of KEPT and in this machine's order of bytes; None where none holds them.

    Whole numbers of other widths become the narrowest dtype that holds each of them.
    """
    values = np.asarray(values)
    if values.dtype.kind == "f" and values.dtype.itemsize <= 8:
        narrow = np.float64 if values.dtype.itemsize == 8 else np.float32
        return np.ascontiguousarray(values, dtype=narrow)
    if values.dtype.kind not in "iu":
        return None
    native = values.dtype.newbyteorder("=")
    if native in KEPT:
        return np.ascontiguousarray(values, dtype=native)
    least, most = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for dtype in (np.int16, np.int32):
        if values.dtype.itemsize <= np.dtype(dtype).itemsize or native.kind == "u" or native.itemsize == 8:
            limits = np.iinfo(dtype)
            if limits.min <= least and most <= limits.max:
                return np.ascontiguousarray(values, dtype=dtype)
    if max(-least, most) <= EXACT_IN_A_DOUBLE:
        return np.ascontiguousarray(values, dtype=np.float64)
    return None


def unique_names(names: list[str]) -> list[str]:
    """Names of columns, each there once: the second "x" is "x (2)", one without a name is called by its place."""
    found: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        name = printable(name.strip()) or f"column {place}"
        number, known = 2, name
        while known in found:
            known = f"{name} ({number})"
            number += 1
        found[known] = None
    return list(found)
