"""LabVIEW measurement files (.lvm): a head of names and values, then columns as in other text files."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from common.printable import printable
from vibration.formats.delimited import LINE_ENDS, Form, Head, read_rows, text_lines
from vibration.formats.table import BadFile, Column, Table

LVM_MARK = b"labview measurement"
_END = "***end_of_header***"
_SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " "}


@dataclass
class _Heading:
    """A head: each name with its values."""

    values: dict[str, list[str]] = field(default_factory=dict)
    end: int = 0  # the line after it, from 0

    def told(self) -> list[str]:
        return [f"{name}: {' '.join(values)}" for name, values in self.values.items()]

    def first(self, name: str) -> str:
        return next(iter(self.values.get(name, [])), "")


def read_lvm(path: Path, content: bytes) -> Table:
    """One segment: its columns, start, units, and the rate where the time is not among the columns.

    Raises BadFile for more segments than one, whose times begin anew.
    """
    lines = text_lines(path, content)
    head = _heading(path, lines, 0, "\t,; ")
    separator = _SEPARATORS.get(head.first("Separator").lower(), "\t")
    decimal = "," if head.first("Decimal_Separator").strip('"') == "," else "."
    form = Form(separator, decimal)
    segment = _heading(path, lines, head.end, separator)
    if head.first("Time_Pref").lower() == "absolute":
        raise BadFile(path, "its times count from 1904 (Time_Pref Absolute)", "write them relative to the start")
    names_line = next((n for n in range(segment.end, len(lines)) if lines[n].strip()), None)
    if names_line is None or not form.cells(lines[names_line])[0].lower().startswith("x_value"):
        raise BadFile(path, "the line of names that begins with X_Value is missing", "export it again")
    for number in range(names_line + 1, len(lines)):
        if lines[number].lower().startswith(("channels" + separator, _END)):
            what = f"line {number + 1:,} begins another segment, with times of its own"
            raise BadFile(path, what, "write each segment into a file of its own")
    names = form.cells(lines[names_line])
    while names[-1] == "" or (names[-1].lower() == "comment" and len(names) > 1):
        names.pop()
    rows = Head(form, len(names), names, [], names_line + 1, (), is_ambiguous=False)
    lines, comments = _without_comments(lines, names_line + 1, form, len(names))
    columns, numbers = read_rows(path, lines, rows, is_whole=content.endswith(LINE_ENDS))
    told = segment.first("Samples")
    if told.isdecimal() and int(told) != len(numbers):
        raise BadFile(
            path, f"its head tells {int(told):,} samples, and {len(numbers):,} rows follow", "export it again"
        )
    x_columns = head.first("X_Columns").lower()
    return Table(
        path,
        "lvm",
        _with_units(columns, segment),
        rate_hz=None if x_columns == "one" else _rate(path, segment, decimal),
        started_at=_start(segment, decimal) or _start(head, decimal),
        notes=tuple(map(printable, [*head.told(), *segment.told(), *comments])),
        lines=numbers,
        separator=separator,
        decimal=decimal,
        has_open_end=not content.endswith(LINE_ENDS),
    )


def _heading(path: Path, lines: list[str], begin: int, separators: str) -> _Heading:
    found = _Heading()
    for number in range(begin, len(lines)):
        line = lines[number].strip()
        if line.lower().startswith(_END):
            found.end = number + 1
            return found
        mark = next((it for it in separators if it in line), "\t")
        name, *values = (cell.strip() for cell in line.split(mark))
        if name:
            found.values[name] = values
    raise BadFile(path, "its head has no ***End_of_Header***: the file was cut off", "copy it again")


def _without_comments(lines: list[str], first: int, form: Form, width: int) -> tuple[list[str], list[str]]:
    """The lines, and the comments behind their rows: a row has a cell for one only where there is one."""
    short, comments = lines[:first], []
    for line in lines[first:]:
        cells = line.split(form.separator) if form.separator != " " else line.split(maxsplit=width)
        comments += [f"comment: {it.strip()}" for it in cells[width:] if it.strip()]
        short.append(form.separator.join(cells[:width]))
    return short, comments


def _with_units(columns: tuple[Column, ...], segment: _Heading) -> tuple[Column, ...]:
    """The columns that hold something, with the units of the segment; the time is in seconds where it is a time."""
    units = segment.values.get("Y_Unit_Label", [])
    x_is_time = segment.first("X_Dimension").lower() in ("time", "")
    found, place = [], 0
    for column in columns:
        is_x = column.name.lower().startswith("x_value")
        if is_x:
            unit = "s" if x_is_time else column.unit
        else:
            unit = units[place] if place < len(units) and not column.unit else column.unit
            place += 1
        is_empty = column.text is not None and not (column.text != "").any()
        if not is_empty:
            found.append(Column(column.name, unit, column.values, text=column.text, flaw=column.flaw))
    return tuple(found)


def _rate(path: Path, segment: _Heading, decimal: str) -> float | None:
    """1 / Delta_X, the same for all columns."""
    steps = {text.replace(decimal, ".") for text in segment.values.get("Delta_X", []) if text}
    if not steps:
        return None
    try:
        found = {float(step) for step in steps}
    except ValueError:
        raise BadFile(path, f"Delta_X is {printable(min(steps)[:20])}, not a number", "export it again") from None
    step = found.pop()
    if found or not step > 0:
        raise BadFile(path, "its columns have different Delta_X", "write each into a file of its own")
    rate = 1 / step
    return float(round(rate)) if round(rate) and abs(1 / round(rate) - step) <= 1e-15 * step else rate


def _start(heading: _Heading, decimal: str) -> datetime | None:
    """The instant of the first sample, by the clock of the plant: that of the heading and X0 from there."""
    date, time = heading.first("Date").replace("/", "-"), heading.first("Time")
    whole, _, fraction = time.replace(",", ".").partition(".")
    try:
        start = datetime.fromisoformat(f"{date}T{whole}{'.' + fraction[:6].ljust(6, '0') if fraction else ''}")
        return start + timedelta(seconds=float(heading.first("X0").replace(decimal, ".") or 0))
    except (ValueError, OverflowError):
        return None
