"""Reads a CSV file of samples in batches, whatever its form: no database.

The work is done on bytes. A block of lines goes through polars at once; when anything in it is not five good numbers,
the block is read again line by line, and each bad line gets its reason. What the first lines say of the file is the
matter of `csv_heads`.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import chain, islice

import numpy as np
import polars as pl

from vibration.csv.columns import is_another_header
from vibration.csv.header import SNIFFED_LINES, read_head
from vibration.csv.lines import BOM, MAX_LINE_BYTES, Lines, UnreadableFile, decode, decode_anyhow, is_open, is_overlong
from vibration.csv.numbers import COLUMNS, BadRow, parse_row
from vibration.csv.times import TimeColumn, seconds_between, stamp_told, time_column
from vibration.numbers.samples import Samples
from vibration.numbers.states import MAX_VALUE

BATCH_ROWS = 50_000
BATCH_BYTES = 8 << 20  # a batch ends here too; this, not the number of rows, bounds the memory
LINES_AT_ONCE = 100
SHOWN_CHARACTERS = 500  # of a rejected row

_SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\xfd7zXZ": "xz-compressed",
    b"BZh": "bzip2-compressed",
    b"(\xb5/\xfd": "zstd-compressed",
    b"\x1f\x8b": "gzip-compressed twice",
}


@dataclass(frozen=True)
class Rejected:
    line: int  # counted from 1
    reason: str
    text: str


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a file."""

    lines: np.ndarray  # int64 (n,), where each row stands, counted from 1
    time: np.ndarray  # float64 (n,), seconds from the start; of a file with stamps int64 (n,), ns since 1970
    values: np.ndarray  # float64 (n, 4)
    rejected: list[Rejected]
    first_line: int
    raw: list[bytes]  # the lines from `first_line` on

    @property
    def has_stamps(self) -> bool:
        """Whether the times are instants, which have to be `counted_from` a start."""
        return self.time.dtype == np.int64

    @property
    def samples(self) -> Samples:
        """The rows as samples, of a batch without stamps."""
        return Samples(self.time, self.values)

    def text(self, line: int) -> str:
        """The line as it stands in the file."""
        return decode(self.raw[line - self.first_line]).rstrip("\r\n")

    def shown(self, line: int) -> str:
        """The beginning of a line, whatever is in it."""
        return _shown_row(self.raw[line - self.first_line])

    def before(self, line: int) -> "Batch":
        """The part of the batch that stands before a line of the file."""
        return self._part(slice(None, self._place(line)), [row for row in self.rejected if row.line < line])

    def since(self, line: int) -> "Batch":
        """The part of the batch from a line of the file on."""
        return self._part(slice(self._place(line), None), [row for row in self.rejected if row.line >= line])

    def counted_from(self, start: int, zone: tzinfo) -> "Batch":
        """With seconds from a start (ns since 1970) in the place of stamps; those before it are rejected."""
        early = np.flatnonzero(self.time < start)
        rejected = [
            Rejected(
                int(self.lines[row]),
                f"it is of {stamp_told(self.time[row], zone)}, before the start of the recording, "
                f"{stamp_told(start, zone)}; a recording that began earlier needs a name of its own",
                self.shown(int(self.lines[row])),
            )
            for row in early
        ]
        kept = self._part(
            np.flatnonzero(self.time >= start), sorted([*self.rejected, *rejected], key=lambda it: it.line)
        )
        return replace(kept, time=seconds_between(start, kept.time))

    def _place(self, line: int) -> int:
        return int(np.searchsorted(self.lines, line))

    def _part(self, rows: slice | np.ndarray, rejected: list[Rejected]) -> "Batch":
        return replace(self, lines=self.lines[rows], time=self.time[rows], values=self.values[rows], rejected=rejected)


class CsvReader:
    """The batches of one CSV stream, plain or gzip-compressed, header or none, `,` `;` or tab.

    The stream is binary, seekable and at its beginning. `time` says how the time column is written.
    Making it reads the beginning and settles separator and columns; raises UnreadableFile, then or while iterating.

    `check` is called time and again with how many bytes were read by then, once they are decompressed: also where no
    batch comes of them, of blank lines, of a line without end, of gzip data that holds nothing. What it raises ends
    the reading.
    """

    def __init__(
        self,
        stream: io.BufferedIOBase,
        *,
        time: TimeColumn | None = None,
        batch_rows: int = BATCH_ROWS,
        check: Callable[[int], None] = lambda content_bytes: None,
    ):
        self.batch_rows = batch_rows
        self.time = time or time_column("seconds")
        self.notes: list[str] = []
        self._end: UnreadableFile | None = None  # why nothing more is read, once what stands above is given out
        self._source = Lines(stream, check)
        self._lines = iter(self._source)
        lines = self._first_lines()
        self._lines = chain(lines, self._lines)
        self.head = read_head(lines, self.time)
        self._last_of_header = max(self.head.header_line, self.head.units_line)
        types: dict[str, type[pl.DataType]] = dict.fromkeys(COLUMNS, pl.Float64)
        types[COLUMNS[self.head.order[0]]] = self.time.column_type
        self._schema = types
        if line := self.head.units_line:
            self.notes.append(f"line {line} was taken for the units of the columns; values are stored as they are")

    def __iter__(self) -> Iterator[Batch]:
        line = 1
        for block in self._blocks():
            yield self._batch(block, line)
            if self._end:
                raise self._end
            line += len(block)

    def _first_lines(self) -> list[bytes]:
        lines: list[bytes] = []
        try:
            lines.extend(islice(self._lines, SNIFFED_LINES))
        except UnreadableFile as error:
            if not b"".join(lines).strip(BOM + b" \t\r\n"):
                raise
            self._lines = _failing(error)  # after the lines before the damage
        if not any(line.strip(BOM + b" \t\r\n") for line in lines):
            what = "is empty" if len(lines) < SNIFFED_LINES else "begins with blank lines only"
            raise UnreadableFile(f"the file {what}")
        start = b"".join(lines)
        for signature, what in _SIGNATURES.items():
            if start.startswith(signature):
                raise UnreadableFile(f"this is not a CSV file but {what}; make it a CSV file (UTF-8), plain or .gz")
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start[:200]:
            raise UnreadableFile("unknown encoding: this is UTF-16 or binary data; save the file as CSV in UTF-8")
        lines[0] = lines[0].removeprefix(BOM)
        for number, line in enumerate(lines, start=1):
            try:
                decode(line)
            except UnicodeDecodeError:
                raise UnreadableFile(
                    f"unknown encoding: line {number} is neither UTF-8 nor cp949; save the file as CSV in UTF-8"
                ) from None
        if b"\r" in lines[0].rstrip(b"\r\n"):
            raise UnreadableFile("lines end in CR alone, as on old Macs; save the file with LF or CRLF line ends")
        return lines

    def _blocks(self) -> Iterator[list[bytes]]:
        # The lines up to a header make a block of their own, so that the rows after it can go through polars.
        size = self._last_of_header or self.batch_rows
        while True:
            block: list[bytes] = []
            left = BATCH_BYTES
            try:
                while len(block) < size and left > 0:
                    # Some lines at a time: a loop over each in Python would hold up the thread that writes.
                    before = len(block)
                    block.extend(islice(self._lines, min(LINES_AT_ONCE, size - before)))
                    if len(block) == before:
                        break
                    taken = sum(map(len, block[before:]))
                    left -= taken
                    self._source.count(taken)
            except UnreadableFile:
                if block:
                    yield block  # what came before the damage is good data
                raise
            if not block:
                return
            yield block
            size = self.batch_rows

    def _batch(self, block: list[bytes], first_line: int) -> Batch:
        numbers = None if first_line <= self._last_of_header else self._parse_block(block)
        if numbers is not None:
            lines = np.arange(first_line, first_line + len(block))
            time, values = numbers
            rejected: list[Rejected] = []
        else:
            lines, time, values, rejected = self._parse_lines(block, first_line)
        last = first_line + len(block) - 1
        if is_open(block[-1]) and len(lines) and lines[-1] == last:
            row = decode(block[-1][:SHOWN_CHARACTERS]).strip()
            self.notes.append(f"line {last}, the last, has no line end; it was taken as complete: {row}")
        return Batch(lines, time, values, rejected, first_line, block)

    def _parse_block(self, block: list[bytes]) -> tuple[np.ndarray, np.ndarray] | None:
        """Times (n,) and values (n, 4) of a block, or None when a line of it needs a closer look."""
        try:
            frame = pl.read_csv(
                # Closed: a quote in an open last line makes polars panic.
                io.BytesIO(b"".join(block) + (b"\n" if is_open(block[-1]) else b"")),
                has_header=False,
                separator=self.head.separator.decode(),
                schema=self._schema,
            )
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, pl.exceptions.NoDataError):
            return None
        if frame.height != len(block) or any(column.null_count() for column in frame):
            return None
        time_column, *value_columns = self.head.order
        values = frame[:, value_columns].to_numpy() + 0.0  # as in number_of: no negative zero
        # Written so that NaN fails too
        if not (np.abs(values) <= MAX_VALUE).all():
            return None
        time = self.time.read_column(frame.to_series(time_column))
        return None if time is None else (time, values)

    def _parse_lines(
        self, block: list[bytes], first_line: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Rejected]]:
        lines: list[int] = []
        rows: list[tuple[float, ...]] = []
        rejected: list[Rejected] = []
        for number, raw in enumerate(block, start=first_line):
            if number in (self.head.header_line, self.head.units_line) or not raw.strip():
                continue
            try:
                row = self._parse_line(raw)
            except BadRow as error:
                if self._is_another_header(raw, number):
                    self._end = UnreadableFile(
                        f"line {number} is a header with other columns; put what follows into a file of its own"
                    )
                    break
                rejected.append(Rejected(number, f"{error}{self._hint(raw, number)}", _shown_row(raw)))
            else:
                lines.append(number)
                rows.append(row)
        time = np.array([row[0] for row in rows], dtype=np.int64 if self.time.is_stamps else np.float64)
        values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, len(COLUMNS) - 1)
        return np.array(lines, dtype=np.int64), time, values, rejected

    def _parse_line(self, raw: bytes) -> tuple[float, ...]:
        if is_overlong(raw):
            raise BadRow(f"a line of more than {MAX_LINE_BYTES} bytes is not a row of five numbers")
        separator = self.head.separator
        fields = raw.removeprefix(BOM).split(separator)
        if len(fields) == len(COLUMNS):
            raw = separator.join(fields[position] for position in self.head.order)
        return parse_row(raw, separator, self.time.read)

    def _is_another_header(self, raw: bytes, number: int) -> bool:
        """Whether other columns begin here, as in joined files: the rows below would be taken by position."""
        head = self.head
        if number < head.header_line:
            return False
        return is_another_header(raw, head.separator, head.order, is_above_rows=number < head.first_row)

    def _hint(self, raw: bytes, number: int) -> str:
        if is_open(raw):
            return "; the file ends here without a line end: it seems to be cut off"
        if number < self.head.first_row:
            return "; it is above the rows: if it is text, skip it (on-error skip) or remove it"
        return ""


def _shown_row(raw: bytes) -> str:
    return decode_anyhow(raw).rstrip("\r\n")[:SHOWN_CHARACTERS]


def _failing(error: UnreadableFile) -> Iterator[bytes]:
    yield from ()  # so it is raised once a line is asked for
    raise error
