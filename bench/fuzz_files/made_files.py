"""Files made up by hypothesis as loggers, programs and people make them, each with what is true of it.

A value tells its column and its row: the state `i` of row `k` is `1000 * (i + 1) + k` and some decimals, what belongs
to no state is 9,000 or more. So whatever is stored is held against the file without reading it as the importer does.
"""

import gzip
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import strategies as st

STATES = ("normal", "unbalance", "looseness", "unbalance_looseness")
COLUMNS = ("time", *STATES)
KOREAN = dict(zip(COLUMNS, ("시간(s)", "정상", "질량 불균형", "지지 불량", "복합 불량"), strict=True))
TYPES = dict(zip(COLUMNS, ("time", "type0", "Type 1", "TYPE_2", "type-3"), strict=True))
BASE = datetime(2026, 3, 5, 0, 0, 0, 500_000, tzinfo=UTC)
OFFSETS = ("", "Z", "+09:00")  # of an ISO stamp; plant time is +09:00
STEPS_MS = (2, 250, 1000)
NOTES = ("# made by a logger", "기록 장치 3", "Serial number: A-17", "sampled in the hall", "%%")
FOOTERS = ("end of file", "# 8 samples", "Summe;;;;")
BAD_CELLS = ("NaN", "", "x1", "1e999", "1d0", "--", "#DIV/0!")
TABLES = {  # what is no table of ours: its names, and what stands below them
    "three axes": ("time", "x", "y", "z"),
    "three axes and a temperature": ("time_ms", "temp", "x", "y", "z"),
    "one signal": ("time", "acceleration"),
    "one state": ("time", "normal"),
    "eight channels": ("time", *(f"ch{number}" for number in range(8))),
    "states with an index": ("", *COLUMNS),
    "states with a counter": ("n", *COLUMNS),
    "twice the same": ("time", "normal", "normal", "looseness", "unbalance_looseness"),
    "no name": ("", "time", "x", "y", "z"),
    "other names": ("t", "rms", "peak", "crest", "kurtosis"),
}


@dataclass(frozen=True)
class Row:
    """A good row: its line, the run that it is of, its time in ns (from the start or since 1970), its values."""

    line: int
    run: int
    time_ns: int
    values: tuple[float, ...]


@dataclass
class MadeFile:
    content: bytes = b""
    name: str = "g1_s1.csv"
    text: str = ""  # its lines, as they were before they were encoded and cut
    separator: str = ","
    time: str = "seconds"  # how its times are written
    rows: list[Row] = field(default_factory=list)  # the good ones
    bad_lines: list[int] = field(default_factory=list)  # that are no rows; those above the rows, too
    columns: tuple[str, ...] = COLUMNS
    names: tuple[str, ...] = ()  # of them, if they are named
    is_ours: bool = True  # whether its rows are our five columns, with our names or in our order
    causes: set[str] = field(default_factory=set)  # why it may be refused
    must_be_refused: bool = False  # before anything of it is stored
    has_open_end: bool = False  # ends within its last line
    is_cut_gzip: bool = False
    options: dict = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def fall_lines(self) -> list[int]:
        """Where the time is less than that of the good row before."""
        pairs = zip(self.rows, self.rows[1:], strict=False)
        return [after.line for before, after in pairs if after.time_ns < before.time_ns]

    def __repr__(self):
        about = {name: getattr(self, name) for name in ("options", "time", "causes", "must_be_refused", "bad_lines")}
        return f"MadeFile({about}, content=\n{self.content!r})"


@dataclass(frozen=True)
class Dialect:
    separator: str
    line_end: str
    quotes: str
    encoding: str
    decimal: str


@st.composite
def dialects(draw) -> Dialect:
    separator = draw(st.sampled_from(",,;\t"))
    decimal = draw(st.sampled_from("." * 15 + ","))
    return Dialect(
        separator,
        draw(st.sampled_from(["\n"] * 12 + ["\r\n"] * 9 + ["\r"])),
        draw(st.sampled_from(["", "", "", '"'])),
        draw(st.sampled_from(["utf-8"] * 11 + ["utf-8-sig"] * 5 + ["cp949"] * 5 + ["utf-16"])),
        decimal,
    )


@st.composite
def made_files(draw) -> MadeFile:
    """A table of some kind, in some dialect, with what happens to files."""
    dialect = draw(dialects())
    table = draw(st.sampled_from(["ours"] * 40 + ["words", "lvm", *TABLES]))
    if table != "ours" and dialect.separator == ",":
        dialect = replace(dialect, decimal=".")  # else two cells that are meant as one may make five columns of four
    time = draw(st.sampled_from(["seconds"] * 6 + ["epoch-s", "epoch-ms", "iso"]))
    made = MadeFile(separator=dialect.separator, time=time)
    made.options = {
        "time": time if draw(st.integers(0, 9)) else draw(st.sampled_from(["seconds", "epoch-s", "epoch-ms", "iso"])),
        "skip_bad_rows": draw(st.booleans()),
        "split": draw(st.booleans()),
        "batch_rows": draw(st.sampled_from([1, 2, 3, 5, 1000])),
    }
    if table == "words":
        lines = [_Text(line) for line in draw(st.lists(st.sampled_from([*NOTES, "Dear colleague,", ""]), min_size=1))]
        made.must_be_refused, made.is_ours = True, False
        made.causes.add("no numbers")
        if not any(line.text for line in lines):
            made.causes.add("empty")
    else:
        lines = draw(_tables(made, table, dialect, time))
    lines = draw(_accidents(made, lines, dialect))
    draw(_written(made, lines, dialect))
    return made


@dataclass
class _Text:
    """A line, and the good row that it is."""

    text: str
    kind: str = "bad"  # or row, header, units, blank
    row: Row | None = None


@st.composite
def _tables(draw, made: MadeFile, table: str, dialect: Dialect, time: str) -> list[_Text]:
    columns = COLUMNS
    if table == "ours":
        header = draw(st.sampled_from(["none", "ours", "ours", "korean", "types", "shuffled", "shuffled"]))
        if header == "shuffled":
            columns = tuple(draw(st.permutations(COLUMNS)))
        known = {"korean": KOREAN, "types": TYPES}.get(header, {name: name for name in COLUMNS})
        made.names = tuple(known[name] for name in columns) if header != "none" else ()
    elif table == "lvm":
        columns = ("time", "acceleration")
        made.names = ("X_Value", "Acceleration")
        made.is_ours, made.must_be_refused = False, True
        made.causes |= {"columns", "names"}
    else:
        columns = made.names = TABLES[table]
        made.is_ours, made.must_be_refused = False, True
        made.causes |= {"names", "columns"}
        if table in ("three axes", "one signal", "one state", "eight channels") and draw(st.booleans()):
            made.names = ()  # as many columns tell as much
    notes = draw(st.lists(st.sampled_from(NOTES), max_size=2)) if draw(st.integers(0, 3)) == 0 else []
    if table == "lvm":
        notes = ["LabVIEW Measurement", f"Separator{dialect.separator}Tab", f"Channels{dialect.separator}1", *notes]
    lines = [_Text(note) for note in notes]
    if made.names:
        lines.append(_Text(_joined(made.names, dialect), "header"))
        if draw(st.integers(0, 5)) == 0:
            unit = draw(st.sampled_from(["s", "s", "ms"]))
            units = [unit if name == "time" else "m/s2" for name in columns]
            lines.append(_Text(_joined(units, dialect), "units"))
            fits = {"seconds": "s", "epoch-s": "s", "epoch-ms": "ms"}.get(made.options["time"], unit)
            if unit != fits:
                made.causes.add("unit")
                made.must_be_refused = True
        if "시간(s)" in made.names and made.options["time"] == "epoch-ms":
            made.causes.add("unit")
            made.must_be_refused = True
    elif notes:
        made.causes.add("names")  # a text above rows without a header may be one
    made.columns = columns
    return lines + draw(_rows(made, columns, dialect, time))


@st.composite
def _rows(draw, made: MadeFile, columns: tuple[str, ...], dialect: Dialect, time: str) -> list[_Text]:
    count = draw(st.integers(1, 9))
    step = draw(st.sampled_from(STEPS_MS)) * 1_000_000
    restart = draw(st.integers(1, count - 1)) if count > 1 and draw(st.integers(0, 4)) == 0 else count
    offset = draw(st.sampled_from(OFFSETS))
    between = draw(st.sampled_from("T "))
    base = 0 if time == "seconds" else (BASE - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    decimals = draw(st.sampled_from(["", ".5", ".125"]))
    if {dialect.separator, dialect.decimal} == {","}:
        decimals = ".5"  # a time alone with such a comma may make five columns of four
    lines, has_comma = [], False
    for number in range(count):
        run, since = (0, number) if number < restart else (1, number - restart)
        time_ns = base + since * step + run * step // 2  # at no time of the run before
        cells, values = [], []
        for name in columns:
            if name.startswith("time") or name == "t":
                cells.append(_time_text(time, time_ns, offset, between))
            elif name in STATES:
                cells.append(f"{1000 * (STATES.index(name) + 1) + number}{decimals}")
            else:
                cells.append(f"{9000 + number}{decimals}")
        values = tuple(float(f"{1000 * (place + 1) + number}{decimals}") for place in range(len(STATES)))
        if dialect.decimal == ",":
            keeps_point = columns.index("time") if time == "iso" and "time" in columns else -1  # it may have either
            cells = [cell if place == keeps_point else cell.replace(".", ",") for place, cell in enumerate(cells)]
            has_comma |= any("," in cell for cell in cells)
        lines.append(_Text(_joined(cells, dialect), "row", Row(0, run, time_ns, values)))
    if has_comma:
        made.causes |= {"decimal commas", "columns"}
        made.is_ours, made.must_be_refused = False, True
    if made.options["time"] != time:
        made.causes |= {"time"}
        made.must_be_refused = True
    return lines


def _time_text(time: str, time_ns: int, offset: str, between: str) -> str:
    if time == "epoch-ms":
        return str(time_ns // 1_000_000)
    if time != "iso":
        return f"{time_ns // 10**9}.{time_ns % 10**9 // 10**6:03d}"
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)
    local = instant if offset == "Z" else instant + timedelta(hours=9)
    return local.replace(tzinfo=None).isoformat(between, "milliseconds") + offset


def _joined(cells, dialect: Dialect) -> str:
    return dialect.separator.join(f"{dialect.quotes}{cell}{dialect.quotes}" for cell in cells)


@st.composite
def _accidents(draw, made: MadeFile, lines: list[_Text], dialect: Dialect) -> list[_Text]:
    """Rows that are none, lines that stand between them, and a footer."""
    rows = [place for place, line in enumerate(lines) if line.kind == "row"]
    happens = draw(st.sampled_from(["nothing"] * 8 + ["cell", "cell", "longer", "shorter", "nul", "again", "blank"]))
    if rows and happens != "nothing":
        place = draw(st.sampled_from(rows))
        cells = lines[place].text.split(dialect.separator)
        if happens == "cell":
            at = draw(st.integers(0, len(cells) - 1))
            cells[at] = draw(st.sampled_from(BAD_CELLS))
            lines[place] = _Text(dialect.separator.join(cells))
            if at == 0 and place == rows[0] and not made.names:
                made.causes.add("names")  # no number and then numbers: a program may have written such a header
        elif happens == "longer" and made.is_ours:  # else four cells may become five numbers
            lines[place] = _Text(dialect.separator.join([*cells, "9999"]))
        elif happens == "shorter":
            lines[place] = _Text(dialect.separator.join(cells[:-1]))
        elif happens == "nul":
            lines[place] = _Text("\0" * 40 + lines[place].text[3:])
            made.causes.add("binary")
        elif happens == "again" and made.names:
            lines.insert(place + 1, _Text(_joined(made.names, dialect)))
        elif happens == "blank":
            lines.insert(place + 1, _Text("", "blank"))
    if rows and draw(st.integers(0, 9)) == 0:
        lines.append(_Text(draw(st.sampled_from(FOOTERS))))
    return lines


@st.composite
def _written(draw, made: MadeFile, lines: list[_Text], dialect: Dialect) -> None:
    """Encode the lines, cut the end off, compress."""
    end, last = dialect.line_end, lines[-1]
    cut = draw(st.sampled_from([None] * 5 + ["line end", "line", "gzip"]))
    if cut == "line" and (made.columns[-1] == "time" or {dialect.separator, dialect.decimal} == {","}):
        cut = None  # a shorter time is another one, and half of such a row may be five numbers
    if cut == "line" and last.kind == "row" and len(last.text) > 1:
        lines = [*lines[:-1], _cut(last, draw(st.integers(1, len(last.text) - 1)), made)]
    texts = [line.text for line in lines]
    made.text = "\n".join(texts)
    for number, line in enumerate(lines, start=1):
        if line.row is not None:
            # A run begins where the time of a good row falls back
            before = made.rows[-1] if made.rows else line.row
            run = before.run + (line.row.time_ns < before.time_ns) if made.rows else 0
            made.rows.append(replace(line.row, line=number, run=run))
        elif line.kind == "bad" and line.text.strip():
            made.bad_lines.append(number)
    made.has_open_end = cut in ("line end", "line")
    text = end.join(texts) + ("" if made.has_open_end else end)
    try:
        made.content = text.encode(dialect.encoding)
    except UnicodeEncodeError:
        made.content = text.encode()
    if dialect.encoding == "utf-16":
        made.causes.add("binary")
        made.must_be_refused = True
    if end == "\r" and len(texts) > 1:
        made.causes.add("CR")
        made.must_be_refused = True
    if draw(st.integers(0, 5)) == 0 or cut == "gzip":
        made.name += ".gz"
        made.content = gzip.compress(made.content, mtime=0)
        if cut == "gzip":
            made.is_cut_gzip = True
            made.causes.add("cut gzip")
            made.content = made.content[: draw(st.integers(10, len(made.content) - 1))]


def _cut(line: _Text, length: int, made: MadeFile) -> _Text:
    """The beginning of a row. It may be a row with a shorter number, which nobody can tell from one that is so."""
    text = line.text[:length]
    cells = text.split(made.separator)
    if len(cells) < len(made.columns) or made.columns[-1] not in STATES or not cells[-1][:1].isdigit():
        return _Text(text)
    values = list(line.row.values)
    values[STATES.index(made.columns[-1])] = float(cells[-1])
    return replace(line, text=text, row=replace(line.row, values=tuple(values)))


def seconds_since(start_ns: int, time_ns: int) -> float:
    """The double nearest to the time between."""
    return float(Fraction(time_ns - start_ns, 10**9))
