"""Text files of columns: CSV, tabs, semicolons, bars or spaces; decimal points or commas; a header or none.

The first lines settle separator, decimal mark and header; from the first row on every line must be a row as wide as
the others. A cell that is not a number does no harm until its column is to be a signal: then its line is named.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from common.printable import printable
from vibration.csv.times import is_clock
from vibration.formats.names import name_and_unit, rate_in, seems_unit
from vibration.formats.table import BadFile, Column, Flaw, Table, check_size, unique_names

SNIFFED_LINES = 200
SEPARATORS = ("\t", ";", ",", "|", " ")
MAX_TEXT_BYTES = 64 << 20  # decompressed; reading takes 15 times as much memory
MAX_NOTE_CHARACTERS = 200
SHOWN_CHARACTERS = 20
CLEAR_SHARE = 0.7  # of the cells of rows that are numbers, from which on no other separator is tried
LINE_ENDS = (b"\n", b"\r", b"\n\0", b"\r\0")  # of UTF-16 too
_MARKS = "#%/'\""  # of a comment, at the beginning of a header
_POINT_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:,[0-9]*)?|,[0-9]+)(?:[eE][+-]?[0-9]+)?")
# A date, a time of day, or both, in the order of any country, and nothing else
_STAMP = re.compile(
    r"(?:\d{1,4}(?:[-/.]|년 ?)\d{1,2}(?:[-/.]|월 ?)\d{1,4}일?)?[T ]*(?:오전|오후)? ?"
    r"(?:\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)? ?(?:AM|PM)?(?:Z|[+-]\d{2}:?\d{0,2})?",
    re.ASCII | re.IGNORECASE,
)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


def is_stamp(cell: str) -> bool:
    """Whether a cell holds a date or a time of day, and nothing behind it."""
    return bool(_STAMP.fullmatch(cell)) and is_clock(cell.encode())


@dataclass(frozen=True)
class Form:
    """How a text separates its columns and writes its numbers."""

    separator: str  # empty: one column
    decimal: str

    def cells(self, line: str) -> list[str]:
        if not self.separator:
            return [line.strip().strip('"')]
        if self.separator == " ":
            return line.split()
        if '"' in line:
            try:
                return [cell.strip() for cell in next(csv.reader([line], delimiter=self.separator, strict=True))]
            except csv.Error:  # a quote that does not end
                pass
        return [cell.strip() for cell in line.split(self.separator)]

    def is_value(self, cell: str) -> bool:
        """Whether a number stands in a cell, finite or not, or a time of day."""
        number = _COMMA_NUMBER.fullmatch(cell) if self.decimal == "," else _POINT_NUMBER.fullmatch(cell)
        return bool(number or _NOT_FINITE.fullmatch(cell)) or is_stamp(cell)

    def is_row(self, cells: Sequence[str]) -> bool:
        """Whether a line begins with a number or a time, and at least half of what stands in it are numbers."""
        filled = [cell for cell in cells if cell]
        values = sum(map(self.is_value, filled))
        return bool(filled) and 2 * values >= len(filled) and self.is_value(filled[0])


@dataclass(frozen=True)
class Head:
    form: Form
    width: int
    names: list[str]  # empty: there is no header
    units: list[str]  # empty: there is no row of units
    first_row: int  # where the rows begin, counted from 0
    notes: tuple[str, ...]
    is_ambiguous: bool


def read_delimited(path: Path, content: bytes, *, separator: str = "", decimal: str = "") -> Table:
    """A text file as a table; what is said of its separator or decimal mark goes before what its lines look like.

    Raises BadFile for what is no table of numbers, and for a line that is not as wide as the rows.
    """
    lines = text_lines(path, content)
    head = _read_head(path, lines, separator, decimal)
    rates = [rate for note in head.notes if (rate := rate_in(note))]
    columns, numbers = read_rows(path, lines, head, is_whole=content.endswith(LINE_ENDS))
    return Table(
        path,
        "csv",
        columns,
        rate_hz=rates[0] if len(set(rates)) == 1 else None,
        notes=head.notes,
        lines=numbers,
        separator=head.form.separator,
        decimal=head.form.decimal,
        has_open_end=not content.endswith(LINE_ENDS),
        said=(separator, decimal),
        is_ambiguous=head.is_ambiguous and not (separator or decimal),
    )


def decompressed(path: Path, content: bytes) -> bytes:
    """What gzip holds, at most MAX_TEXT_BYTES. Raises BadFile for data that are cut off or damaged."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            found = file.read(MAX_TEXT_BYTES + 1)
    except EOFError:
        raise BadFile(path, "the gzip data ends before its end mark: the file was cut off", "copy it again") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(path, f"the gzip data is damaged ({error})", "copy the file again") from None
    check_text_size(path, len(found))
    return found


def check_text_size(path: Path, size: int) -> None:
    """Raises BadFile for a text of too many bytes."""
    if size > MAX_TEXT_BYTES:
        what = f"it has more than {MAX_TEXT_BYTES >> 20} MB of text, which are read at once"
        raise BadFile(path, what, "split it into shorter files, or export it as WAV, Parquet, TDMS or HDF5")


def text_lines(path: Path, content: bytes) -> list[str]:
    """The lines of a text in UTF-8, UTF-16 with a mark of its order, or cp949. Raises BadFile."""
    check_text_size(path, len(content))
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if is_wide else ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    raise BadFile(
        path,
        "it is neither text in UTF-8, UTF-16 or cp949 nor a format that is known",
        "export it as CSV in UTF-8, or as WAV, Parquet, TDMS, MAT, HDF5 or .lvm",
    )


def _read_head(path: Path, lines: list[str], separator: str, decimal: str) -> Head:
    sniffed = [(number, line) for number, line in enumerate(lines[:SNIFFED_LINES]) if line.strip()]
    if not sniffed:
        raise BadFile(path, "it is empty" if not any(lines) else "it begins with blank lines only", "export it again")
    form, width = _form(path, [line for _, line in sniffed], separator, decimal)
    check_size(path, 0, width)
    split = [(number, form.cells(line)) for number, line in sniffed]
    first = next(number for number, cells in split if len(cells) == width and form.is_row(cells))
    above = [(number, cells) for number, cells in split if number < first]
    names, units = _names_and_units(above, width)
    kept_above = len(above) - bool(names) - bool(units)
    notes = tuple(printable(lines[number].strip()[:MAX_NOTE_CHARACTERS]) for number, _ in above[:kept_above])
    commas = form.separator == "," and not names
    after = [cells for number, cells in split if number >= first]
    ambiguous = commas and width % 2 == 0 and all(cell.lstrip("+-").isdigit() for cells in after for cell in cells)
    return Head(form, width, names, units, first, notes, ambiguous)


def _form(path: Path, lines: list[str], separator: str, decimal: str) -> tuple[Form, int]:
    """The form in which most lines are rows of one width, and that width."""
    has_quotes = any('"' in line for line in lines)  # within which a comma separates nothing
    forms = [
        Form(mark, point)
        for mark in ([separator] if separator else [*SEPARATORS, ""])
        for point in ([decimal] if decimal else [".", ","])
        if has_quotes or not mark == point == ","
    ]
    fits = [fit for form in forms if (fit := _fit(form, lines)) is not None]
    if not fits:
        raise BadFile(
            path,
            f"no row of numbers is among its first {len(lines)} lines",
            "export the signals as columns of numbers, separated by , ; | tabs or spaces",
        )
    # A space may also stand in a cell, between date and time of day.
    most = max(fit.rows for fit in fits)
    clear = [it for it in fits if it.form.separator not in ("", " ") and it.share > CLEAR_SHARE and 2 * it.rows > most]
    best = max(clear or fits, key=lambda fit: fit.score)
    return best.form, best.width


@dataclass(frozen=True)
class _Fit:
    """How well a form explains lines."""

    form: Form
    width: int  # of most rows
    rows: int  # as wide as that
    score: int  # how many more cells of these rows are numbers or times than are not
    share: float  # of the cells that are


def _fit(form: Form, lines: list[str]) -> _Fit | None:
    """None where a form finds no rows."""
    rows = [cells for line in lines if form.is_row(cells := form.cells(line))]
    widths = Counter(len(cells) for cells in rows if len(cells) > 1 or not form.separator)
    if not widths:
        return None
    width, count = widths.most_common(1)[0]
    filled = [cell for cells in rows if len(cells) == width for cell in cells if cell]
    values = sum(map(form.is_value, filled))
    return _Fit(form, width, count, 2 * values - len(filled), values / len(filled))


def _names_and_units(above: list[tuple[int, list[str]]], width: int) -> tuple[list[str], list[str]]:
    """The names of the columns and the row of units, of the lines above the rows; empty where there is none."""
    # A mark of a comment, where spaces separate, is a cell of its own.
    above = [
        (number, cells[1:] if not cells[0].strip(_MARKS) and len(cells) > width else cells) for number, cells in above
    ]

    def is_header(place: int) -> bool:
        return len(above) >= -place and _is_as_wide(above[place][1], width)

    if not is_header(-1):
        return [], []
    last = _padded(above[-1][1], width)
    if is_header(-2) and any(last) and all(seems_unit(cell) for cell in last if cell):
        return _padded(above[-2][1], width), [cell.strip("()[] ") for cell in last]
    return last, []


def _is_as_wide(cells: list[str], width: int) -> bool:
    """Whether these may name so many columns; where each row ends with a separator, a header may have one less."""
    return any(cells) and (len(cells) == width or (len(cells) == width - 1 and width > 2))


def _padded(cells: list[str], width: int) -> list[str]:
    first = cells[0].lstrip(_MARKS + " ")
    return [first, *cells[1:], *[""] * (width - len(cells))]


def read_rows(path: Path, lines: list[str], head: Head, *, is_whole: bool) -> tuple[tuple[Column, ...], np.ndarray]:
    """The columns, and int64 (n,) the line of each row, from 1. Raises BadFile for a line of another width."""
    numbered = pl.DataFrame({"text": lines[head.first_row :]}).with_row_index("line", offset=head.first_row + 1)
    numbered = numbered.filter(pl.col("text").str.strip_chars() != "")
    numbers = numbered["line"].cast(pl.Int64).to_numpy()
    if head.width == 1 and len(gaps := np.flatnonzero(np.diff(numbers) > 1)):
        what = f"line {int(numbers[gaps[0]]) + 1:,} is empty, between the rows of the only column"
        raise BadFile(path, what, "write the number that is missing, or remove the line")
    cells = _split(numbered["text"], head.form)
    wrong = np.flatnonzero((cells.list.len() != head.width).to_numpy())
    if len(wrong):
        row = int(wrong[0])
        line, count = int(numbers[row]), int(cells.list.len()[row])
        is_last = row == len(cells) - 1 and not is_whole
        what = f"line {line:,} has {count} column{'' if count == 1 else 's'} where the rows above have {head.width}"
        if is_last and count < head.width:
            raise BadFile(path, f"{what}, and no line end: the file was cut off", "copy it again, or remove the line")
        raise BadFile(path, what, "repair the line, or remove it")
    if not is_whole and _seems_cut(cells, head.form):
        what = f"line {int(numbers[-1]):,} has no line end, and a shorter number than the lines above"
        raise BadFile(path, f"{what}: the file was cut off", "copy it again, or remove the line")
    names = unique_names([name_and_unit(name)[0] for name in head.names] or [""] * head.width)
    columns = []
    for place in range(head.width):
        name, unit = name_and_unit(head.names[place]) if head.names else ("", "")
        if head.units:
            unit = head.units[place] or unit
        text = cells.list.get(place).str.strip_chars()
        if not name and not (text != "").any():
            continue  # each line ends with a separator
        columns.append(_column(names[place], unit, text, head.form, is_named=bool(name)))
    return tuple(columns), numbers


def _seems_cut(cells: pl.Series, form: Form) -> bool:
    """Whether the last number of the last row has fewer digits behind its decimal mark than any above it.

    Where numbers are written as short as they can be, nobody can tell; `Table.has_open_end` says that it may be so.
    """
    last = cells.list.get(-1).str.strip_chars()
    if len(last) < 2 or not form.is_value(last[-1]):
        return False
    decimals = last.str.extract(rf"[{form.decimal}]([0-9]*)$").str.len_chars().fill_null(0)
    return int(decimals[-1]) < int(decimals[:-1].to_numpy().min())


def _split(text: pl.Series, form: Form) -> pl.Series:
    if not form.separator:
        return text.str.strip_chars().str.strip_chars('"').reshape((len(text), 1)).arr.to_list()
    if text.str.contains('"', literal=True).any():
        return pl.Series([form.cells(line) for line in text], dtype=pl.List(pl.String))
    if form.separator == " ":
        return text.str.replace_all(r"[ \t]+", " ").str.strip_chars().str.split(" ")
    return text.str.split(form.separator)


def _column(name: str, unit: str, text: pl.Series, form: Form, *, is_named: bool) -> Column:
    written = text.str.replace(",", ".", literal=True) if form.decimal == "," else text
    number = _COMMA_NUMBER if form.decimal == "," else _POINT_NUMBER
    is_number = text.str.contains(f"^(?:{number.pattern})$")
    if is_number.all():
        return Column(name, unit, written.cast(pl.Float64).to_numpy(), text=text, is_named=is_named)
    row = int(np.flatnonzero(~is_number.to_numpy())[0])
    return Column(name, unit, text=text, flaw=Flaw(row, shown(text[row])), is_named=is_named)


def shown(text: str) -> str:
    """The beginning of a cell, for a message."""
    return printable(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")
