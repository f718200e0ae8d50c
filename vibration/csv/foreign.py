"""Files of another kind: what was found in them, what is expected, and what to do."""

import re

from vibration.csv.columns import (
    HEADER_NAMES,
    MAX_HEADER_BYTES,
    all_told,
    header_name,
    is_another_header,
    length_told,
    names_in,
)
from vibration.csv.first_lines import DECIMAL_COMMA, SEPARATORS, HeadLine, is_row, is_value
from vibration.csv.lines import UnreadableFile, decode, is_open, shown
from vibration.csv.numbers import COLUMNS, bare, is_number, is_plain_number
from vibration.csv.times import TimeColumn, clock_told, epoch_told, guess_epoch, is_clock

BELONG = (
    f"Five columns belong here: {COLUMNS[0]} (seconds from the start) and a value for each state, "
    f"{', '.join(COLUMNS[1:])}"
)
NO_PLACE = "Signals without these four states, such as three axes or one channel, cannot be stored yet"
_NO_WORD = re.compile(r"[b-hj-zB-HJ-Z]|[A-Za-z0-9]{0,20}_[A-Za-z0-9_]{1,20}|[A-Za-z]{1,20}[0-9]{1,3}")


def refuse_names(above: list[HeadLine], separator: bytes, width: int) -> None:
    """Refuse a file with a line of names above its rows, which are not ours. Of a file without rows the width is 0."""
    found: HeadLine | None = None
    names: list[str] = []
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
            f"line {found.number} looks like a header with the names {all_told(names)}{_why_unknown(names)}{rows}. "
            f"{BELONG}. If these are the columns, name them so; if the line is not a header, remove it. {NO_PLACE}"
        )


def refuse_names_below(split: list[HeadLine], first: HeadLine, separator: bytes, order: list[int]) -> None:
    """Refuse a file without a header above its first row that has one of other columns below."""
    for line in split:
        if line.number <= first.number or is_row(line, separator):
            continue
        if is_another_header(line.raw, separator, order, is_above_rows=False):
            raise UnreadableFile(
                f"line {line.number} looks like a header with the names {all_told(names_in(line.raw, separator))}, "
                f"below a row of numbers in line {first.number}. {BELONG}. Put the header above the rows, and "
                "nothing else"
            )


def _likeness(names: list[str], width: int) -> tuple[bool, int, int]:
    """How much a line is like the header of rows: by its width, its words, and those of them that we know."""
    words = {name for name in names if name and not is_number(name.encode())}
    is_as_wide = bool(names) and abs(len(names) - width) <= 1
    return is_as_wide, len(words) or min(len(names), 1), sum(header_name(name) in HEADER_NAMES for name in words)


def _why_unknown(names: list[str]) -> str:
    unknown = [name for name in names if header_name(name) not in HEADER_NAMES]
    if not unknown:
        return ", not separated as the rows are, or not five"
    if len(unknown) == len(names):
        return ", which are not known"
    return f", of which {all_told(unknown)} {'is' if len(unknown) == 1 else 'are'} not known"


def _unknown_names(line: HeadLine, separator: bytes, width: int) -> list[str]:
    """The names of a line that seems to name the columns of rows of this width; empty if it does not."""
    if len(line.cells) < 2:
        return _names_otherwise_separated(line, width)
    names = names_in(line.raw, separator)
    return names if _seem_names(names, line.cells, width) else []


def _seem_names(names: list[str], cells: list[bytes], width: int) -> bool:
    """Whether names, or cells of a text, are those of columns."""
    if not any(names):
        return False  # an empty row of a spreadsheet
    is_as_wide = abs(len(names) - width) <= 1 if width else len(names) == len(COLUMNS)
    is_ours = any(header_name(name) in HEADER_NAMES for name in names)
    if any(map(is_number, cells)):
        # Numbers may be names too, as those of channels, but not the first one of a line.
        return (is_as_wide or is_ours) and not (is_number(cells[0]) or is_clock(cells[0]))
    if is_as_wide or is_ours or not width:
        return is_as_wide or is_ours
    if any("=" in name or ":" in name for name in names):
        return False  # settings
    return len(names) > 2 or not any(" " in name.strip("#%/ ") for name in names)  # a title may have a comma


def _names_otherwise_separated(line: HeadLine, width: int) -> list[str]:
    for separator in (b",", b";", b"\t", b"|"):
        names = names_in(line.raw, separator)
        if len(names) > 1 and _seem_names(names, line.raw.split(separator), width):
            return names
    # Words, and so any text; but not of two that name columns and hardly stand in a sentence
    words = decode(line.raw).lstrip("#%/' \t").split()
    known = [header_name(word) in HEADER_NAMES for word in words]
    like = [is_known or bool(_NO_WORD.fullmatch(word)) for word, is_known in zip(words, known, strict=True)]
    is_header = len(words) in (width, len(COLUMNS)) and (known[:1] == [True] or sum(like) > 1)
    return words if is_header or sum(known) > 1 else []


def refuse_without_separator(split: list[HeadLine]) -> None:
    """Refuse a file of rows with spaces between the columns, or of one column."""
    alone = 0
    for line in split:
        numbers = line.raw.split() if line.is_short else []
        if numbers and all(is_value(number, b" ") for number in numbers):
            if len(numbers) > 1:
                hint = "" if len(numbers) == len(COLUMNS) else f". {NO_PLACE}"
                raise UnreadableFile(
                    f"line {line.number} has spaces between its columns, {len(numbers)} numbers; separate them with , "
                    f"or ; or a tab. {BELONG}{hint}"
                )
            alone += 1
    if 2 * alone > len(split):
        raise UnreadableFile(f"its first lines are single numbers, one column. {BELONG}. {NO_PLACE}")


def refuse_quoted_decimal_commas(split: list[HeadLine]) -> None:
    """Refuse a file whose numbers have commas in quotes, as a spreadsheet writes them between commas."""
    for line in split:
        cells = names_in(line.raw, b",") if b'"' in line.raw else []
        if cell := next(filter(DECIMAL_COMMA.fullmatch, (cell.encode() for cell in cells)), None):
            raise UnreadableFile(
                f"line {line.number} has decimal commas, as in {shown(cell)}, in quotes. Export the numbers with a "
                "decimal point"
            )


def refuse_what_is_no_table(split: list[HeadLine]) -> None:
    """Refuse a file without a row of numbers among its first lines."""
    first = split[0]
    if any(any(map(is_number, line.cells)) for line in split if line.is_short):
        what = f"no row of numbers is among its first {split[-1].number} lines"
    else:
        what = "no number follows"
    raise UnreadableFile(
        f"this is not a CSV file of samples: line {first.number} is a text of {length_told(first.raw)}, and {what}. "
        f"{BELONG}"
    )


def refuse_other_rows(
    rows: list[HeadLine], first: HeadLine, separator: bytes, order: list[int], header: HeadLine | None, time: TimeColumn
) -> None:
    """Refuse a file whose rows are something else than a time and four numbers."""
    if separator != b"," and (cell := next(filter(DECIMAL_COMMA.fullmatch, first.cells), None)):
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
    _refuse_columns_without_numbers([line for line in rows if len(line.cells) == len(COLUMNS)], order)
    if width == len(COLUMNS):
        _refuse_other_time(first, order[0], time)


def _refuse_columns_without_numbers(rows: list[HeadLine], order: list[int]) -> None:
    """Refuse a file in which a state has no value in any of its first rows."""
    states = zip(COLUMNS[1:], order[1:], strict=True)
    cells = {state: [bare(line.cells[column]) for line in rows] for state, column in states}
    without = [state for state in cells if not any(map(is_plain_number, cells[state]))]
    if len(rows) > 1 and without:
        what = "no number" if any(any(cells[state]) for state in without) else "nothing"
        raise UnreadableFile(
            f"there is {what} in any of the first {len(rows)} rows in the column{'s' if len(without) > 1 else ''} "
            f"{', '.join(without)}. {BELONG}. {NO_PLACE}"
        )


def _refuse_other_time(first: HeadLine, column: int, time: TimeColumn) -> None:
    """Refuse a file whose first row has another kind of time than was said; `column` is that of the time in it."""
    cell = bare(first.cells[column])
    epoch = guess_epoch(cell)
    if time.name != "iso" and is_clock(cell):
        what = clock_told(cell)
    elif time.name != "iso" and epoch and epoch != time.name:
        what = epoch_told(cell, epoch, time.period)
    elif time.name == "iso" and is_plain_number(cell):
        told = epoch_told(cell, epoch, time.period) if epoch else "a number"
        what = f"{told}; it is not a time of day in ISO 8601, which was said"
    else:
        return
    where = "begins with" if column == 0 else "has the time"
    raise UnreadableFile(f"line {first.number} {where} {shown(cell)}, {what}")


def _columns_told(width: int, separator: bytes) -> str:
    return f"{width} columns of numbers, separated by {SEPARATORS[separator]}"
