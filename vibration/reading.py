"""Reading a CSV file of samples in batches, as it really arrives: no database.

The work is done on bytes. A block of lines goes through polars at once; when anything in it is not five good numbers,
the block is read again line by line, and each bad line gets its reason.
"""

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import BinaryIO

import numpy as np
import polars as pl

from machines.printable import printable
from vibration.states import MAX_TIME_S, MAX_VALUE, STATES

COLUMNS = ("measured_time", *STATES)
BATCH_ROWS = 50_000
BATCH_BYTES = 8 << 20  # a batch ends here too; this, not the number of rows, bounds the memory
LINES_AT_ONCE = 100
MAX_LINE_BYTES = 64 * 1024  # a longer line is no row of five numbers
MAX_HEADER_BYTES = 4 * 1024  # a longer line is no header: it would have names of more than ...
MAX_NAME_CHARACTERS = 100
SHOWN_CHARACTERS = 500  # of a rejected row
SHOWN_CELL_CHARACTERS = 20  # in a message: to find the cell by, not to read a file by that is no table
BOM = b"\xef\xbb\xbf"
SNIFFED_LINES = 20

# Names met in header lines, as `_header_name` writes them.
HEADER_NAMES = {
    "time": "measured_time",
    "measuredtime": "measured_time",
    "시간": "measured_time",
    "측정시간": "measured_time",
    "normal": "normal",
    "type0": "normal",
    "정상": "normal",
    "type1": "unbalance",
    "unbalance": "unbalance",
    "질량불균형": "unbalance",
    "type2": "looseness",
    "looseness": "looseness",
    "지지불량": "looseness",
    "type3": "unbalance_looseness",
    "unbalancelooseness": "unbalance_looseness",
    "복합불량": "unbalance_looseness",
}
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(rb"\s*[+-]?[0-9]+,[0-9]+\s*")
_NOT_FINITE = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_LOOKS_LIKE_A_NAME = re.compile(r"[\w .()\[\]/%-]{1,30}")
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


class UnreadableFile(Exception):
    """The file as a whole can't be read; the message says why and what to do."""


class BadRow(ValueError):
    """One line that is not five good numbers; the message says why."""


@dataclass(frozen=True)
class Rejected:
    line: int  # counted from 1
    reason: str
    text: str


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a file. Values are float64 (n, 4), times float64 (n,) in seconds, lines int64 (n,)."""

    lines: np.ndarray
    time: np.ndarray
    values: np.ndarray
    rejected: list[Rejected]
    first_line: int
    raw: list[bytes]  # the lines from `first_line` on

    def text(self, line: int) -> str:
        """The line as it stands in the file."""
        return decode(self.raw[line - self.first_line]).rstrip("\r\n")

    def before(self, line: int) -> "Batch":
        """The part of the batch that stands before a line of the file."""
        keep = int(np.searchsorted(self.lines, line))
        rejected = [row for row in self.rejected if row.line < line]
        return Batch(self.lines[:keep], self.time[:keep], self.values[:keep], rejected, self.first_line, self.raw)


def decode(raw: bytes) -> str:
    """UTF-8, or cp949 as Korean Windows writes it. Raises UnicodeDecodeError when it is neither."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp949")


def parse_row(raw: bytes, separator: bytes = b",") -> tuple[float, ...]:
    """The five numbers of a line, each the double nearest to its decimal text. Raises BadRow."""
    fields = raw.split(separator)
    if len(fields) != len(COLUMNS):
        columns = "1 column" if len(fields) == 1 else f"{len(fields)} columns"
        hint = "; the line ends with a separator" if len(fields) > 1 and not fields[-1].strip() else ""
        raise BadRow(f"{columns} where {len(COLUMNS)} belong{hint}")
    return tuple(map(_number, fields, COLUMNS))


def _number(field: bytes, column: str) -> float:
    text = field.strip()
    if len(text) >= 2 and text[:1] == text[-1:] == b'"':
        text = text[1:-1].strip()
    if not text:
        raise BadRow(f"{column} is empty")
    if not _NUMBER.fullmatch(text):
        what = "finite" if _NOT_FINITE.fullmatch(text) else "a number"
        hint = " of seconds from the start" if column == "measured_time" and what == "a number" else ""
        raise BadRow(f"{column} is '{_shown(text)}', not {what}{hint}")
    number = float(text) + 0.0  # MariaDB knows no negative zero: -0 is stored as 0 on every database
    if column == "measured_time":
        if number < 0:
            raise BadRow(f"{column} is {_shown(text)}, which is negative")
        if number > MAX_TIME_S:
            raise BadRow(f"{column} is {_shown(text)}; at most {MAX_TIME_S:.0f} s are allowed")
    elif abs(number) > MAX_VALUE:
        raise BadRow(f"{column} is {_shown(text)}; at most {MAX_VALUE:g} is allowed")
    return number


def _shown(cell: bytes) -> str:
    """The beginning of a cell, for a message."""
    text = cell.decode("utf-8", errors="replace").strip()
    return printable(text if len(text) <= SHOWN_CELL_CHARACTERS else text[:SHOWN_CELL_CHARACTERS] + "…")


class CheckedStream(io.RawIOBase):
    """A binary stream that calls `check` whenever a piece is read of it."""

    def __init__(self, stream: BinaryIO, check: Callable[[], None]):
        self._stream, self._check = stream, check

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self._check()
        return self._stream.readinto(buffer)


def sha256_of(stream: BinaryIO, check: Callable[[], None] = lambda: None) -> str:
    """The checksum of all of a stream, which is at its beginning then. `check` is called meanwhile, and may raise."""
    digest = hashlib.file_digest(CheckedStream(stream, check), "sha256").hexdigest()
    stream.seek(0)
    return digest


class CsvReader:
    """The batches of one CSV stream, plain or gzip-compressed, header or none, `,` `;` or tab.

    The stream is binary, seekable and at its beginning.
    Making it reads the beginning and settles separator and columns; raises UnreadableFile, then or while iterating.

    `check` is called time and again with how many bytes were read by then, once they are decompressed: also where no
    batch comes of them, of blank lines, of a line without end, of gzip data that holds nothing. What it raises ends
    the reading.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        batch_rows: int = BATCH_ROWS,
        check: Callable[[int], None] = lambda content_bytes: None,
    ):
        self.batch_rows = batch_rows
        self.notes: list[str] = []
        self._content_bytes = 0
        self._check = lambda: check(self._content_bytes)
        self._lines = self._read_lines(_decompressed(stream, self._check))
        head = self._read_head()
        self._lines = chain(head, self._lines)
        self.separator = _separator(head)
        self.order, self.header_line = _header(head, self.separator)

    def __iter__(self) -> Iterator[Batch]:
        line = 1
        for block in self._blocks():
            yield self._batch(block, line)
            line += len(block)

    def _read_lines(self, stream: BinaryIO) -> Iterator[bytes]:
        readline = partial(stream.readline, MAX_LINE_BYTES)
        try:
            for line in iter(readline, b""):
                yield line
                while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                    line = readline()  # the rest of a line that is rejected for its length
                    self._content_bytes += len(line)
                    self._check()
        except EOFError:
            raise UnreadableFile(
                "the gzip data ends before its end mark: the file was cut off. Rows up to there were taken; "
                "copy the file again and import it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(f"the gzip data is damaged ({error}); copy and import the file again") from None

    def _read_head(self) -> list[bytes]:
        head: list[bytes] = []
        try:
            head.extend(islice(self._lines, SNIFFED_LINES))
        except UnreadableFile as error:
            if not head:
                raise
            self._lines = _failing(error)  # after the lines before the damage
        if not any(line.strip(BOM + b" \t\r\n") for line in head):
            what = "is empty" if len(head) < SNIFFED_LINES else "begins with blank lines only"
            raise UnreadableFile(f"the file {what}")
        start = b"".join(head)
        for signature, what in _SIGNATURES.items():
            if start.startswith(signature):
                raise UnreadableFile(f"this is no CSV file but {what}; make it a CSV file (UTF-8), plain or .gz")
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start[:200]:
            raise UnreadableFile("unknown encoding: this is UTF-16 or binary data; save the file as CSV in UTF-8")
        for number, line in enumerate(head, start=1):
            try:
                decode(line)
            except UnicodeDecodeError:
                raise UnreadableFile(
                    f"unknown encoding: line {number} is neither UTF-8 nor cp949; save the file as CSV in UTF-8"
                ) from None
        head[0] = head[0].removeprefix(BOM)
        if b"\r" in head[0].rstrip(b"\r\n"):
            raise UnreadableFile("lines end in CR alone, as on old Macs; save the file with LF or CRLF line ends")
        return head

    def _blocks(self) -> Iterator[list[bytes]]:
        # The lines up to a header make a block of their own, so that the rows after it can go through polars.
        size = self.header_line or self.batch_rows
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
                    self._content_bytes += taken
                    self._check()
            except UnreadableFile:
                if block:
                    yield block  # what came before the damage is good data
                raise
            if not block:
                return
            yield block
            size = self.batch_rows

    def _batch(self, block: list[bytes], first_line: int) -> Batch:
        numbers = None if first_line <= self.header_line else self._parse_block(block)
        if numbers is not None:
            lines = np.arange(first_line, first_line + len(block))
            rejected: list[Rejected] = []
        else:
            lines, numbers, rejected = self._parse_lines(block, first_line)
        last = first_line + len(block) - 1
        if _is_open(block[-1]) and len(lines) and lines[-1] == last:
            row = decode(block[-1][:SHOWN_CHARACTERS]).strip()
            self.notes.append(f"line {last}, the last, has no line end; it was taken as whole: {row}")
        return Batch(lines, numbers[:, 0], numbers[:, 1:], rejected, first_line, block)

    def _parse_block(self, block: list[bytes]) -> np.ndarray | None:
        """The block as float64 (n, 5), or None when a line of it needs a closer look."""
        try:
            frame = pl.read_csv(
                # Closed: a quote in an open last line makes polars panic.
                io.BytesIO(b"".join(block) + (b"\n" if _is_open(block[-1]) else b"")),
                has_header=False,
                separator=self.separator.decode(),
                schema=dict.fromkeys(COLUMNS, pl.Float64),
            )
        except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, pl.exceptions.NoDataError):
            return None
        if frame.height != len(block) or any(column.null_count() for column in frame):
            return None
        numbers = frame.to_numpy()[:, self.order] + 0.0  # as in _number: no negative zero
        time, values = numbers[:, 0], numbers[:, 1:]
        # Written so that NaN fails too
        if not (((time >= 0) & (time <= MAX_TIME_S)).all() and (np.abs(values) <= MAX_VALUE).all()):
            return None
        return numbers

    def _parse_lines(self, block: list[bytes], first_line: int) -> tuple[np.ndarray, np.ndarray, list[Rejected]]:
        lines, rows, rejected = [], [], []
        for number, raw in enumerate(block, start=first_line):
            if number == self.header_line or not raw.strip():
                continue
            try:
                row = self._parse_line(raw)
            except BadRow as error:
                hint = "; the file ends here without a line end: it seems to be cut off" if _is_open(raw) else ""
                text = raw.decode("utf-8", errors="replace").rstrip("\r\n")[:SHOWN_CHARACTERS]
                rejected.append(Rejected(number, f"{error}{hint}", text))
            else:
                lines.append(number)
                rows.append(row)
        numbers = np.array(rows, dtype=np.float64).reshape(-1, len(COLUMNS))
        return np.array(lines, dtype=np.int64), numbers, rejected

    def _parse_line(self, raw: bytes) -> tuple[float, ...]:
        if _is_overlong(raw):
            raise BadRow(f"a line of more than {MAX_LINE_BYTES} bytes is no row of five numbers")
        fields = raw.removeprefix(BOM).split(self.separator)
        if len(fields) == len(COLUMNS):
            raw = self.separator.join(fields[position] for position in self.order)
        return parse_row(raw, self.separator)


def _decompressed(stream: BinaryIO, check: Callable[[], None]) -> BinaryIO:
    """The stream, through gzip when it begins like it; the name of a file proves nothing."""
    is_gzip = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    checked = io.BufferedReader(CheckedStream(stream, check))
    return gzip.GzipFile(fileobj=checked) if is_gzip else checked


def _failing(error: UnreadableFile) -> Iterator[bytes]:
    raise error
    yield


def _is_overlong(line: bytes) -> bool:
    return len(line) == MAX_LINE_BYTES and not line.endswith(b"\n")


def _is_open(line: bytes) -> bool:
    """Whether the file ends within this line."""
    return not line.endswith(b"\n") and not _is_overlong(line)


def _separator(head: list[bytes]) -> bytes:
    """The separator that cuts most of the first lines in five; the comma when none does."""
    return max(
        (b",", b";", b"\t"),
        key=lambda separator: sum(line.count(separator) == len(COLUMNS) - 1 for line in head),
    )


def _header(head: list[bytes], separator: bytes) -> tuple[list[int], int]:
    """Where each of our columns stands in a row, and the line of the header (0: the file has none)."""
    rows = [(number, line.split(separator)) for number, line in enumerate(head, start=1) if line.strip()]
    for number, fields in rows:
        if len(head[number - 1].strip()) <= MAX_HEADER_BYTES:
            names = [_header_name(field) for field in fields]
            if sum(name in HEADER_NAMES for name in names) >= 2:
                return _columns(names, fields, number), number
        if all(map(_is_number, fields)):
            break  # rows have begun: a header line further down is one that was left over when files were joined
    number, fields = rows[0]
    line = separator.join(fields).strip()
    if separator == b";" and (field := next(filter(_DECIMAL_COMMA.fullmatch, fields), None)):
        raise UnreadableFile(
            f"line {number} has decimal commas, as in {_shown(field)}. Export the numbers with a decimal point"
        )
    if len(fields) == 1 and len(line.split()) == len(COLUMNS) and all(map(_is_number, line.split())):
        raise UnreadableFile(f"line {number} has spaces between its columns; separate them with , or ; or a tab")
    if len(fields) == len(COLUMNS) and not any(map(_is_number, fields)) and all(field.strip() for field in fields):
        why = f"its names are not known: {', '.join(map(_told, fields))}"
        if len(line) > MAX_HEADER_BYTES:
            why = f"it has {len(line):,} bytes, and a header at most {MAX_HEADER_BYTES:,}"
        raise UnreadableFile(
            f"line {number} looks like a header, but {why}. "
            f"Name the columns {', '.join(COLUMNS)}, or remove the line if they stand in this order"
        )
    if not any(any(map(_is_number, fields)) for _line, fields in rows):
        raise UnreadableFile(
            f"this is no CSV file of samples: line {number} is a text of {_length(line)}, and no number follows"
        )
    return list(range(len(COLUMNS))), 0


def _columns(names: list[str], fields: list[bytes], number: int) -> list[int]:
    known = [HEADER_NAMES.get(name) for name in names]
    for name, field in zip(known, fields, strict=True):
        if name is None:
            raise UnreadableFile(f"line {number}, the header, has an unknown column {_told(field)}")
    for column in COLUMNS:
        if (times := known.count(column)) != 1:
            what = "repeats" if times else "lacks"
            raise UnreadableFile(f"line {number}, the header, {what} the column {column}")
    return [known.index(column) for column in COLUMNS]


def _header_name(field: bytes) -> str:
    """In small letters, without a unit in brackets, spaces, hyphens, underscores and quotes."""
    if len(name := decode(field)) > MAX_NAME_CHARACTERS:
        return ""
    return re.sub(r"\([^()]*\)|\[[^\[\]]*\]|[\s_\-\"']", "", name).lower()


def _told(field: bytes) -> str:
    """A name that is not known, for a message; of what does not look like a name, only how long it is.

    Whoever may read the message may not be allowed to read the file.
    """
    name = decode(field).strip().strip("\"'")
    if _LOOKS_LIKE_A_NAME.fullmatch(name):
        return f"'{name}'"
    most = f"; a name has at most {MAX_NAME_CHARACTERS}" if len(name) > MAX_NAME_CHARACTERS else ""
    return f"(a text of {_length(field)}{most})"


def _length(text: bytes) -> str:
    count = len(decode(text).strip())
    return f"{count:,} character{'' if count == 1 else 's'}"


def _is_number(field: bytes) -> bool:
    text = field.strip().strip(b'"')
    return bool(_NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text))
