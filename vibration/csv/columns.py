"""Column names in a header line: which column each means, and the unit that it names."""

import csv
import re
from contextlib import suppress

from vibration.csv.lines import decode
from vibration.csv.numbers import COLUMNS, bare, is_number
from vibration.csv.times import is_clock

MAX_HEADER_BYTES = 4 * 1024  # a longer line is no header: it would have names of more than ...
MAX_NAME_CHARACTERS = 100
MOST_NAMES_TOLD = 12

# Names met in header lines, as `header_name` writes them.
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
_IN_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_NO_PART_OF_A_NAME = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[\s_\-\"'#%]")
_LOOKS_LIKE_A_NAME = re.compile(r"[\w .()\[\]/%#,-]{1,30}")


def names_in(raw: bytes, separator: bytes) -> list[str]:
    """The names in a line; one in quotes may have separators in it."""
    text = decode(raw).strip("\r\n")
    names = text.split(separator.decode())
    if '"' in text and len(raw) <= MAX_HEADER_BYTES:
        with suppress(csv.Error):  # a line end within it
            names = next(csv.reader([text], delimiter=separator.decode()))
    return [name.strip() for name in names]


def header_name(name: str) -> str:
    """In small letters, without a unit in brackets, spaces, hyphens, underscores, quotes and marks of a comment."""
    return "" if len(name) > MAX_NAME_CHARACTERS else _NO_PART_OF_A_NAME.sub("", name).lower()


def known_columns(raw: bytes, separator: bytes) -> list[str | None]:
    """Our column for each name of a line, None for each that is not known."""
    return [HEADER_NAMES.get(header_name(name)) for name in names_in(raw, separator)]


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


def unit_in(name: str) -> str:
    """What stands in brackets in a name."""
    found = _IN_BRACKETS.search(name)
    return (found[1] or found[2] or "").strip(" .").lower() if found else ""


def all_told(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES_TOLD:,} more" if len(names) > MOST_NAMES_TOLD else ""
    return ", ".join(map(told, names[:MOST_NAMES_TOLD])) + more


def told(name: str) -> str:
    """A name that is not known, for a message; of what does not look like a name, only how long it is.

    Whoever may read the message may not be allowed to read the file.
    """
    name = name.strip().strip("\"'")
    if not name:
        return "(no name)"
    if _LOOKS_LIKE_A_NAME.fullmatch(name):
        return f"'{name}'"
    most = f"; a name has at most {MAX_NAME_CHARACTERS}" if len(name) > MAX_NAME_CHARACTERS else ""
    return f"(a text of {length_told(name)}{most})"


def length_told(text: bytes | str) -> str:
    count = len((decode(text) if isinstance(text, bytes) else text).strip())
    return f"{count:,} character{'' if count == 1 else 's'}"
