"""The beginning of a CSV file: its separator, its header, and whether it is a file of samples at all.

Nothing is stored under a wrong column: a line of names above the first row that is not understood refuses the file, and
so do rows that are something else. The message says what was found, what belongs here and what to do.
"""

import csv
import re
from collections import Counter
from dataclasses import dataclass, field

from vibration.csv_lines import BOM, UnreadableFile, decode, is_open, shown
from vibration.row_numbers import COLUMNS, bare, is_number, is_plain_number
from vibration.time_stamps import TimeColumn, clock_told, epoch_told, guess_epoch, is_clock, option

SNIFFED_LINES = 60  # more than the header lines of what loggers and measuring programs write
MAX_HEADER_BYTES = 4 * 1024  # a longer line is no header: it would have names of more than ...
MAX_NAME_CHARACTERS = 100
MOST_NAMES_TOLD = 12
SEPARATORS = {b",": "commas", b";": "semicolons", b"\t": "tabs"}
BELONG = (
    f"Five columns belong here: {COLUMNS[0]} (seconds from the start) and a value for each state, "
    f"{', '.join(COLUMNS[1:])}"
)
NO_PLACE = "Signals without these four states, such as three axes or one channel, have no place here yet"

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
# Units of time as they stand alone in a row of units below the header.
_TIME_UNITS = {"s", "sec", "secs", "second", "seconds", "초", "ms", "msec", "millisecond", "milliseconds", "us", "µs"}
_TIME_UNITS |= {"μs", "usec", "microseconds", "ns", "nsec", "nanoseconds", "min", "minutes", "h", "hours", "d", "days"}
_DECIMAL_COMMA = re.compile(rb"\s*\"?[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?\"?\s*")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_NO_PART_OF_A_NAME = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[\s_\-\"'#%]")
_LOOKS_LIKE_A_NAME = re.compile(r"[\w .()\[\]/%#,-]{1,30}")
_NO_WORD = re.compile(r"[b-hj-zB-HJ-Z]|[A-Za-z0-9]{0,20}_[A-Za-z0-9_]{1,20}|[A-Za-z]{1,20}[0-9]{1,3}")
_COMMENT_MARKS = (b"#", b"%", b"//", b"'")


@dataclass(frozen=True)
class Head:
    """What the first lines say of a file."""

    separator: bytes = b","
    order: list[int] = field(default_factory=lambda: list(range(len(COLUMNS))))  # where each of our columns stands
    header_line: int = 0  # 0: the file has none
    units_line: int = 0  # that of a row of units below it; 0: there is none
    first_row: int = 1  # the line of the first row of numbers


@dataclass(frozen=True)
class _Line:
    number: int
    raw: bytes
    cells: list[bytes]

    @property
    def is_short(self) -> bool:
        return len(self.raw.strip()) <= MAX_HEADER_BYTES


def read_head(lines: list[bytes], time: TimeColumn) -> Head:
    """Raises UnreadableFile for what is no file of samples, or not certainly one."""
    separator = _separator(lines)
    split = [
        _Line(number, raw, raw.removeprefix(BOM).split(separator))  # one may stand within joined files
        for number, raw in enumerate(lines, start=1)
        if raw.strip(BOM + b" \t\r\n")
    ]
    rows = [line for line in split if _is_row(line, separator)]
    width = Counter(len(line.cells) for line in rows).most_common(1)[0][0] if rows else 0
    first = next((line for line in rows if len(line.cells) == width), None)
    above = [line for line in split if first is None or line.number < first.number]
    header = _header(above, separator)
    if header:
        order = _order(header, separator, time)
    else:
        order = list(range(len(COLUMNS)))
        if not rows:
            _refuse_without_separator(split)
        _refuse_names(above, separator, width)
        if not rows:
            _refuse_what_is_no_table(split)
    if first:
        _refuse_other_rows(rows, first, separator, order, header, time)
    below = [line for line in above if header and line.number > header.number]
    return Head(
        separator,
        order,
        header.number if header else 0,
        _units_line(below, order, time),
        first.number if first else len(lines) + 1,
    )


def known_columns(raw: bytes, separator: bytes) -> list[str | None]:
    """Our column for each name of a line, None for each that is not known."""
    return [HEADER_NAMES.get(_header_name(name)) for name in _names(raw, separator)]


def is_another_header(raw: bytes, separator: bytes, order: list[int], *, is_above_rows: bool) -> bool:
    """Whether a line below the header, or among rows, names columns, and others than rows in this order have."""
    cells = raw.split(separator)
    if len(cells) < 2 or len(raw.strip()) > MAX_HEADER_BYTES or any(map(is_number, cells)):
        return False
    try:
        known = known_columns(raw, separator)
    except UnicodeDecodeError:
        return False
    if len(set(known) - {None}) >= 2:
        return [known.index(column) if column in known else None for column in COLUMNS] != order
    if is_above_rows or any(map(is_clock, cells)):
        return False  # units and the like stand below a header
    different = {bare(cell) for cell in cells} - {b""}
    return len(cells) == len(COLUMNS) == len(different)


def _separator(lines: list[bytes]) -> bytes:
    """The separator that makes most rows of numbers; of lines without any, the one that cuts most of them in five."""

    def fitness(separator: bytes) -> tuple[int, ...]:
        split = [_Line(0, raw, raw.split(separator)) for raw in lines]
        rows = [line for line in split if _is_row(line, separator)]
        return (
            sum(len(line.cells) == len(COLUMNS) for line in rows),
            sum(all(_is_value(cell, separator) or not cell.strip() for cell in line.cells[1:]) for line in rows),
            len(rows),
            sum(len(line.cells) == len(COLUMNS) for line in split),
            sum(len(line.cells) > 1 for line in split),
        )

    return max(SEPARATORS, key=fitness)


def _is_row(line: _Line, separator: bytes) -> bool:
    """Whether a line begins with a number or a time, and at least half of what stands in it are numbers."""
    if len(line.cells) < 2 or not (_is_value(line.cells[0], separator) or is_clock(line.cells[0])):
        return False
    if not line.is_short:
        return len(line.cells) == len(COLUMNS)
    filled = [cell for cell in line.cells if bare(cell)]
    numbers = 1 + sum(_is_value(cell, separator) for cell in filled[1:])
    return numbers >= 2 and 2 * numbers >= len(filled)


def _is_value(cell: bytes, separator: bytes) -> bool:
    return is_number(cell) or (separator != b"," and bool(_DECIMAL_COMMA.fullmatch(cell)))


def _header(above: list[_Line], separator: bytes) -> _Line | None:
    """The line that names our columns: the first that names all, else the last that names two."""
    found = None
    for line in above:
        known = known_columns(line.raw, separator) if line.is_short else []
        if len(set(known) - {None}) >= 2:
            found = line
            if sorted(map(str, known)) == sorted(COLUMNS):
                return line
    return found


def _order(header: _Line, separator: bytes, time: TimeColumn) -> list[int]:
    names = _names(header.raw, separator)
    known = known_columns(header.raw, separator)
    for name, column in zip(names, known, strict=True):
        if column is None:
            raise UnreadableFile(
                f"line {header.number}, the header, has an unknown column {_told(name)}; its columns are "
                f"{_all_told(names)}. {BELONG}"
            )
    for column in sorted(COLUMNS, key=known.count, reverse=True):
        if (times := known.count(column)) != 1:
            what = "repeats" if times else "lacks"
            raise UnreadableFile(f"line {header.number}, the header, {what} the column {column}. {BELONG}")
    order = [known.index(column) for column in COLUMNS]
    unit = _unit(names[order[0]])
    if time.units is not None and unit not in time.units:
        raise UnreadableFile(f"line {header.number}, the header, has {_wrong_unit(unit, time)}")
    return order


def _unit(name: str) -> str:
    """What stands in brackets in a name."""
    found = _IN_BRACKETS.search(name)
    return (found[1] or found[2] or "").strip().lower() if found else ""


def _wrong_unit(unit: str, time: TimeColumn) -> str:
    belongs = f"{option('time', time.name)} was said" if time.is_stamps else "seconds from the start belong here"
    return f"{_told(unit)} as the unit of the time, and {belongs}. Convert the column, and name its unit"


def _refuse_names(above: list[_Line], separator: bytes, width: int) -> None:
    """Refuse a file with a line of names above its rows, which are not ours. Of a file without rows the width is 0."""
    found, names = None, []
    for line in above:
        if line.is_short:
            seeming = _unknown_names(line, separator, width)
            if _likeness(seeming, width) > _likeness(names, width):
                found, names = line, seeming
        elif len(line.cells) == len(COLUMNS) and not any(map(is_number, line.cells)):
            raise UnreadableFile(
                f"line {line.number} looks like a header, but it has {len(line.raw.strip()):,} bytes, and a header "
                f"at most {MAX_HEADER_BYTES:,}"
            )
    if found:
        rows = f"; the rows below have {_columns_told(width, separator)}" if width else ""
        raise UnreadableFile(
            f"line {found.number} looks like a header with the names {_all_told(names)}{_why_unknown(names)}{rows}. "
            f"{BELONG}. If these are the columns, name them so; if the line is no header, remove it. {NO_PLACE}"
        )


def _likeness(names: list[str], width: int) -> tuple[bool, int, int]:
    """How much a line is like the header of rows: by its width, its words, and those of them that we know."""
    words = {name for name in names if name and not is_number(name.encode())}
    is_as_wide = bool(names) and abs(len(names) - width) <= 1
    return is_as_wide, len(words) or min(len(names), 1), sum(_header_name(name) in HEADER_NAMES for name in words)


def _why_unknown(names: list[str]) -> str:
    unknown = [name for name in names if _header_name(name) not in HEADER_NAMES]
    if not unknown:
        return ", not separated as the rows are, or not five"
    if len(unknown) == len(names):
        return ", which are not known"
    return f", of which {_all_told(unknown)} {'is' if len(unknown) == 1 else 'are'} not known"


def _unknown_names(line: _Line, separator: bytes, width: int) -> list[str]:
    """The names of a line that seems to name the columns of rows of this width; empty if it does not."""
    if len(line.cells) < 2:
        return _names_otherwise_separated(line, width)
    if not any(bare(cell) for cell in line.cells):
        return []  # an empty row of a spreadsheet
    names = _names(line.raw, separator)
    if any(map(is_number, line.cells)):
        # Numbers may be names too, as those of channels, but not the first one of a line.
        return names if len(line.cells) == width and not is_number(line.cells[0]) else []
    if any(_header_name(name) in HEADER_NAMES for name in names):
        return names
    if not width:
        return names if len(names) == len(COLUMNS) else []
    is_comment = line.raw.lstrip().startswith(_COMMENT_MARKS)
    return names if abs(len(names) - width) <= 1 or (len(names) > 2 and not is_comment) else []


def _names_otherwise_separated(line: _Line, width: int) -> list[str]:
    for separator in (b",", b";", b"\t", b"|"):
        names = _names(line.raw, separator)
        if len(names) > 1 and len(names) in (width, len(COLUMNS)):
            return names
    # Words, and so any text; but not of two that name columns and hardly stand in a sentence
    words = decode(line.raw).lstrip("#%/' \t").split()
    known = [_header_name(word) in HEADER_NAMES for word in words]
    names = [is_known or bool(_NO_WORD.fullmatch(word)) for word, is_known in zip(words, known, strict=True)]
    is_header = bool(words) and len(words) in (width, len(COLUMNS)) and (known[0] or sum(names) > 1)
    return words if is_header or sum(known) > 1 else []


def _refuse_without_separator(split: list[_Line]) -> None:
    """Refuse a file of rows with spaces between the columns, or of one column."""
    alone = 0
    for line in split:
        numbers = line.raw.split() if line.is_short else []
        if numbers and all(_is_value(number, b" ") for number in numbers):
            if len(numbers) > 1:
                place = "" if len(numbers) == len(COLUMNS) else f". {NO_PLACE}"
                raise UnreadableFile(
                    f"line {line.number} has spaces between its columns, {len(numbers)} numbers; separate them with , "
                    f"or ; or a tab. {BELONG}{place}"
                )
            alone += 1
    if 2 * alone > len(split):
        raise UnreadableFile(f"its first lines are single numbers, one column. {BELONG}. {NO_PLACE}")


def _refuse_what_is_no_table(split: list[_Line]) -> None:
    """Refuse a file without a row of numbers among its first lines."""
    first = split[0]
    for line in split:
        cells = _names(line.raw, b",") if b'"' in line.raw else []
        if cell := next(filter(_DECIMAL_COMMA.fullmatch, (cell.encode() for cell in cells)), None):
            raise UnreadableFile(
                f"line {line.number} has decimal commas, as in {shown(cell)}, in quotes. Export the numbers with a "
                "decimal point"
            )
    if any(any(map(is_number, line.cells)) for line in split if line.is_short):
        what = f"no row of numbers is among its first {split[-1].number} lines"
    else:
        what = "no number follows"
    raise UnreadableFile(
        f"this is no CSV file of samples: line {first.number} is a text of {_length(first.raw)}, and {what}. {BELONG}"
    )


def _refuse_other_rows(
    rows: list[_Line], first: _Line, separator: bytes, order: list[int], header: _Line | None, time: TimeColumn
) -> None:
    """Refuse a file whose rows are something else than a time and four numbers."""
    if separator != b"," and (cell := next(filter(_DECIMAL_COMMA.fullmatch, first.cells), None)):
        raise UnreadableFile(
            f"line {first.number} has decimal commas, as in {shown(bare(cell))}, in {len(first.cells)} columns "
            f"separated by {SEPARATORS[separator]}. Export the numbers with a decimal point"
        )
    width = len(first.cells)
    closed = [line for line in rows if not is_open(line.raw)]
    if closed and not any(len(line.cells) == len(COLUMNS) for line in closed):
        found = f"line {first.number} has {_columns_told(width, separator)}"
        if header:
            found += f", where the header, line {header.number}, names {len(COLUMNS)}"
        hint = "; the line ends with a separator" if not first.cells[-1].strip() else ""
        if width == 2 * len(COLUMNS) and separator == b",":
            hint = "; if these are five numbers with decimal commas, export them with a decimal point"
        raise UnreadableFile(f"{found}{hint}. {BELONG}. {NO_PLACE}")
    whole = [line for line in rows if len(line.cells) == len(COLUMNS)]
    empty = [
        column
        for column, place in zip(COLUMNS, order, strict=True)
        if len(whole) > 1 and not any(bare(line.cells[place]) for line in whole)
    ]
    if empty:
        raise UnreadableFile(
            f"{'the columns' if len(empty) > 1 else 'the column'} {', '.join(empty)} "
            f"{'are' if len(empty) > 1 else 'is'} empty in each of the first {len(whole)} rows. {BELONG}. {NO_PLACE}"
        )
    if width == len(COLUMNS):
        _refuse_other_time(first, bare(first.cells[order[0]]), time)


def _refuse_other_time(first: _Line, cell: bytes, time: TimeColumn) -> None:
    """Refuse a file whose first row has another kind of time than was said."""
    if time.name != "iso" and is_clock(cell):
        what = clock_told(cell)
    elif time.name != "iso" and guess_epoch(cell) not in (None, time.name):
        what = epoch_told(cell, time.period)
    elif time.name == "iso" and is_plain_number(cell):
        told = epoch_told(cell, time.period) if guess_epoch(cell) else "a number"
        what = f"{told}; it is no time of day as of ISO 8601, which was said"
    else:
        return
    raise UnreadableFile(f"line {first.number} begins with {shown(cell)}, {what}")


def _units_line(below: list[_Line], order: list[int], time: TimeColumn) -> int:
    """The line of units below a header; 0 if there is none. Raises UnreadableFile for another unit of time."""
    for line in below:
        if len(line.cells) != len(COLUMNS) or not line.is_short or any(map(is_number, line.cells)):
            continue
        unit = decode(bare(line.cells[order[0]])).strip("()[] ").lower()
        if unit in _TIME_UNITS:
            if time.units is not None and unit not in time.units:
                raise UnreadableFile(f"line {line.number}, of units, has {_wrong_unit(unit, time)}")
            return line.number
    return 0


def _names(raw: bytes, separator: bytes) -> list[str]:
    """The names in a line; one in quotes may have separators in it."""
    text = decode(raw.removeprefix(BOM)).strip("\r\n")
    if '"' in text and len(raw) <= MAX_HEADER_BYTES:
        return [name.strip() for name in next(csv.reader([text], delimiter=separator.decode()), [])]
    return [name.strip() for name in text.split(separator.decode())]


def _header_name(name: str) -> str:
    """In small letters, without a unit in brackets, spaces, hyphens, underscores, quotes and marks of a comment."""
    return "" if len(name) > MAX_NAME_CHARACTERS else _NO_PART_OF_A_NAME.sub("", name).lower()


def _columns_told(width: int, separator: bytes) -> str:
    return f"{width} columns of numbers, separated by {SEPARATORS[separator]}"


def _all_told(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES_TOLD:,} more" if len(names) > MOST_NAMES_TOLD else ""
    return ", ".join(map(_told, names[:MOST_NAMES_TOLD])) + more


def _told(name: str) -> str:
    """A name that is not known, for a message; of what does not look like a name, only how long it is.

    Whoever may read the message may not be allowed to read the file.
    """
    name = name.strip().strip("\"'")
    if not name:
        return "(no name)"
    if _LOOKS_LIKE_A_NAME.fullmatch(name):
        return f"'{name}'"
    most = f"; a name has at most {MAX_NAME_CHARACTERS}" if len(name) > MAX_NAME_CHARACTERS else ""
    return f"(a text of {_length(name)}{most})"


def _length(text: bytes | str) -> str:
    count = len((decode(text) if isinstance(text, bytes) else text).strip())
    return f"{count:,} character{'' if count == 1 else 's'}"
