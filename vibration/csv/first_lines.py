"""The first lines of a file, split into cells, and which of them are rows of numbers."""

import re
from dataclasses import dataclass

from vibration.csv.columns import MAX_HEADER_BYTES
from vibration.csv.numbers import COLUMNS, bare, is_number
from vibration.csv.times import is_clock

SEPARATORS = {b",": "commas", b";": "semicolons", b"\t": "tabs"}
DECIMAL_COMMA = re.compile(rb"\s*\"?[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?\"?\s*")


@dataclass(frozen=True)
class HeadLine:
    number: int
    raw: bytes
    cells: list[bytes]

    @property
    def is_short(self) -> bool:
        return len(self.raw.strip()) <= MAX_HEADER_BYTES


def is_row(line: HeadLine, separator: bytes) -> bool:
    """Whether a line begins with a number or a time, and at least half of what stands in it are numbers."""
    if len(line.cells) < 2 or not (is_value(line.cells[0], separator) or is_clock(line.cells[0])):
        return False
    if not line.is_short:
        return len(line.cells) == len(COLUMNS)
    filled = [cell for cell in line.cells if bare(cell)]
    numbers = 1 + sum(is_value(cell, separator) for cell in filled[1:])
    return numbers >= 2 and 2 * numbers >= len(filled)


def is_value(cell: bytes, separator: bytes) -> bool:
    return is_number(cell) or (separator != b"," and bool(DECIMAL_COMMA.fullmatch(cell)))
