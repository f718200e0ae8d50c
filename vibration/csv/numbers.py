"""A row of five numbers, each the double nearest to its decimal text."""

import re
from collections.abc import Callable

from vibration.csv.lines import shown
from vibration.numbers.states import MAX_VALUE, STATES

COLUMNS = ("measured_time", *STATES)

_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


class BadRow(ValueError):
    """One line that is not five good numbers; the message says why."""


def parse_row(raw: bytes, separator: bytes, read_time: Callable[[bytes], float]) -> tuple[float, ...]:
    """Time, as `read_time` makes it of its cell, and the four values of a line. Raises BadRow."""
    fields = raw.split(separator)
    if len(fields) != len(COLUMNS):
        columns = "1 column" if len(fields) == 1 else f"{len(fields)} columns"
        hint = "; the line ends with a separator" if len(fields) > 1 and not fields[-1].strip() else ""
        raise BadRow(f"{columns} where {len(COLUMNS)} belong{hint}")
    time, *values = fields
    return read_time(cell_text(time, COLUMNS[0])), *map(_value, values, STATES)


def cell_text(field: bytes, column: str) -> bytes:
    """What stands in a cell, without spaces and quotes around it. Raises BadRow when it is empty."""
    text = bare(field)
    if not text:
        raise BadRow(f"{column} is empty")
    return text


def bare(field: bytes) -> bytes:
    text = field.strip()
    if len(text) >= 2 and text[:1] == text[-1:] == b'"':
        text = text[1:-1].strip()
    return text


def number_of(text: bytes, column: str, what: str = "a number") -> float:
    """Raises BadRow when it is none, or not finite."""
    if not is_plain_number(text):
        what = "finite" if _NOT_FINITE.fullmatch(text) else what
        raise BadRow(f"{column} is '{shown(text)}', not {what}")
    return float(text) + 0.0  # MariaDB knows no negative zero: -0 is stored as 0 on every database


def is_number(field: bytes) -> bool:
    """Whether a number stands in a cell, also one that is not finite."""
    text = bare(field)
    return is_plain_number(text) or bool(_NOT_FINITE.fullmatch(text))


def is_plain_number(text: bytes) -> bool:
    return bool(_NUMBER.fullmatch(text))


def _value(field: bytes, column: str) -> float:
    text = cell_text(field, column)
    number = number_of(text, column)
    if abs(number) > MAX_VALUE:
        raise BadRow(f"{column} is {shown(text)}; at most {MAX_VALUE:g} is allowed")
    return number
