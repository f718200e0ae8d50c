"""The start of a CSV file: its separator, its header, and whether it is a file of samples at all.

Nothing is stored under a wrong column: a line of names above the first row that is not understood refuses the file, and
so do rows that are something else. The message says what was found, what belongs here and what to do.
"""

from collections import Counter
from dataclasses import dataclass, field

from vibration.csv.columns import all_told, known_columns, names_in, told, unit_in
from vibration.csv.first_lines import SEPARATORS, HeadLine, is_row, is_value
from vibration.csv.foreign import (
    BELONG,
    refuse_names,
    refuse_names_below,
    refuse_other_rows,
    refuse_quoted_decimal_commas,
    refuse_what_is_no_table,
    refuse_without_separator,
)
from vibration.csv.lines import BOM, UnreadableFile
from vibration.csv.numbers import COLUMNS, is_number
from vibration.csv.times import TimeColumn, option

SNIFFED_LINES = 60  # more than the header lines of what loggers and measuring programs write
# Units of time as they stand alone in a row of units below the header.
_TIME_UNITS = {"s", "sec", "secs", "second", "seconds", "초", "ms", "msec", "millisecond", "milliseconds", "us", "µs"}
_TIME_UNITS |= {"μs", "usec", "microseconds", "ns", "nsec", "nanoseconds", "min", "minutes", "h", "hours", "d", "days"}


@dataclass(frozen=True)
class Head:
    """What the first lines say of a file."""

    separator: bytes = b","
    order: list[int] = field(default_factory=lambda: list(range(len(COLUMNS))))  # where each of our columns stands
    header_line: int = 0  # 0: the file has none
    units_line: int = 0  # that of a row of units below it; 0: there is none
    first_row: int = 1  # the line of the first row of numbers


def read_head(lines: list[bytes], time: TimeColumn) -> Head:
    """Raises UnreadableFile for what is no file of samples, or not certainly one."""
    separator = _separator(lines)
    split = [
        HeadLine(number, raw, raw.removeprefix(BOM).split(separator))  # one may stand within joined files
        for number, raw in enumerate(lines, start=1)
        if raw.strip(BOM + b" \t\r\n")
    ]
    rows = [line for line in split if is_row(line, separator)]
    width = Counter(len(line.cells) for line in rows).most_common(1)[0][0] if rows else 0
    first = next((line for line in rows if len(line.cells) == width), None)
    above = [line for line in split if first is None or line.number < first.number]
    header = _header(above, separator)
    if not rows:
        refuse_quoted_decimal_commas(split)
    if header:
        order = _order(header, separator, time)
    else:
        order = list(range(len(COLUMNS)))
        if not rows:
            refuse_without_separator(split)
        refuse_names(above, separator, width)
        if first:
            refuse_names_below(split, first, separator, order)
        else:
            refuse_what_is_no_table(split)
    if first:
        refuse_other_rows(rows, first, separator, order, header, time)
    below = [line for line in above if header and line.number > header.number]
    return Head(
        separator,
        order,
        header.number if header else 0,
        _units_line(below, separator, order, time),
        first.number if first else len(lines) + 1,
    )


def _separator(lines: list[bytes]) -> bytes:
    """The separator that makes most rows of numbers; of lines without any, the one that cuts most of them in five."""

    def fitness(separator: bytes) -> tuple[int, ...]:
        split = [HeadLine(0, raw, raw.split(separator)) for raw in lines]
        rows = [line for line in split if is_row(line, separator)]
        return (
            sum(len(line.cells) == len(COLUMNS) for line in rows),
            sum(all(is_value(cell, separator) or not cell.strip() for cell in line.cells[1:]) for line in rows),
            len(rows),
            sum(len(line.cells) == len(COLUMNS) for line in split),
            sum(len(line.cells) > 1 for line in split),
        )

    return max(SEPARATORS, key=fitness)


def _header(above: list[HeadLine], separator: bytes) -> HeadLine | None:
    """The line that names our columns: the first that names all, else the last that names two."""
    found = None
    for line in above:
        known = known_columns(line.raw, separator) if line.is_short else []
        if len(set(known) - {None}) >= 2:
            found = line
            if sorted(map(str, known)) == sorted(COLUMNS):
                return line
    return found


def _order(header: HeadLine, separator: bytes, time: TimeColumn) -> list[int]:
    names = names_in(header.raw, separator)
    known = known_columns(header.raw, separator)
    for name, column in zip(names, known, strict=True):
        if column is None:
            raise UnreadableFile(
                f"line {header.number}, the header, has an unknown column {told(name)}; its columns are "
                f"{all_told(names)}. {BELONG}"
            )
    for column in sorted(COLUMNS, key=known.count, reverse=True):
        if (times := known.count(column)) != 1:
            what = "repeats" if times else "lacks"
            raise UnreadableFile(f"line {header.number}, the header, {what} the column {column}. {BELONG}")
    order = [known.index(column) for column in COLUMNS]
    unit = unit_in(names[order[0]])
    if time.units is not None and unit not in time.units:
        raise UnreadableFile(f"line {header.number}, the header, has {_wrong_unit(unit, time)}")
    return order


def _wrong_unit(unit: str, time: TimeColumn) -> str:
    belongs = f"{option('time', time.name)} was said" if time.is_stamps else "seconds from the start belong here"
    return f"{told(unit)} as the unit of the time, and {belongs}. Convert the column, and name its unit"


def _units_line(below: list[HeadLine], separator: bytes, order: list[int], time: TimeColumn) -> int:
    """The line of units below a header; 0 if there is none. Raises UnreadableFile for another unit of time."""
    for line in below:
        if len(line.cells) != len(COLUMNS) or not line.is_short or any(map(is_number, line.cells)):
            continue
        names = names_in(line.raw, separator)
        unit = names[order[0]].strip("()[] .").lower() if len(names) == len(COLUMNS) else ""
        if unit in _TIME_UNITS:
            if time.units is not None and unit not in time.units:
                raise UnreadableFile(f"line {line.number}, of units, has {_wrong_unit(unit, time)}")
            return line.number
    return 0
