"""Text files of signals as loggers write them, with what is broken in them: CSV, TSV and LVM."""

import gzip
from datetime import timedelta
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from bench.fuzz_files.made_capture import BASE, EPOCH, NAMES, UNITS, MadeAxis, MadeCapture, decimal_text, times_ns

TIME_NAMES = ("time", "Time", "t", "timestamp", "시간")
NOTES = ("# made by a logger", "기록 장치 3", "Serial number: A-17", "sampled in the hall")
TEXT_BREAKS = ("cell", "empty", "nan", "short", "long", "cut")
TIME_BREAKS = ("repeat", "fall", "gap", "uneven")


@st.composite
def _time_cells(draw, made: MadeCapture, broken: set[str]) -> list[str]:
    """The cells of a time column in the kind of the file, rounded far finer than a step, and the start."""
    made.time = draw(st.sampled_from(["s", "s", "ms", "us", "epoch-s", "epoch-ms", "epoch-us", "iso", "iso+"]))
    times = times_ns(made, broken)
    power = {"s": 0, "ms": 3, "us": 6, "epoch-s": 0, "epoch-ms": 3, "epoch-us": 6}.get(made.time, 0)
    # Decimals of a second: a tenth of a step or finer, or exact
    needed = len(str(int(made.rate_hz))) + draw(st.integers(1, 3))
    exact = next((it for it in range(10) if (Fraction(10**it) / Fraction(made.rate_hz)).denominator == 1), 99)
    decimals = min(9, max(needed, power)) if exact > 9 or draw(st.booleans()) else max(exact, power)
    made.quantum_s = 0.0 if exact <= decimals else 10.0**-decimals
    start_ns = 0
    if made.time.startswith(("epoch", "iso")):
        made.started_at = BASE
        start_ns = (BASE - EPOCH) // timedelta(microseconds=1) * 1000
    if made.time.startswith("iso"):
        return [_iso(round((start_ns + it) / 10 ** (9 - decimals)), decimals, made.time) for it in times]
    return [decimal_text((start_ns + it) / 10 ** (9 - power), decimals - power) for it in times]


def _iso(scaled: int, decimals: int, kind: str) -> str:
    whole, rest = divmod(scaled, 10**decimals)
    instant = EPOCH + timedelta(seconds=whole) + (timedelta(hours=9) if kind == "iso+" else timedelta())
    return f"{instant:%Y-%m-%d %H:%M:%S}.{rest:0{decimals}d}" + ("+09:00" if kind == "iso+" else "")


@st.composite
def delimited(draw, made: MadeCapture) -> None:
    separator = "\t" if made.format == "tsv" else draw(st.sampled_from(",,;| "))
    decimal = draw(st.sampled_from("..,")) if separator != "," else "."
    quote = draw(st.sampled_from(["", "", '"'])) if separator != " " else ""
    broken = {draw(st.sampled_from(["none"] * 10 + [*TEXT_BREAKS, *TIME_BREAKS, "unit", "no rate", "many"]))} - {"none"}
    if "many" in broken:
        made.axes = [MadeAxis(f"c{place}", "", made.axes[0].values) for place in range(40)]
    if "uneven" in broken:  # of a few samples, rounding explains much
        for axis in made.axes:
            axis.values = np.resize(axis.values, 60)
    has_header = "unit" in broken or "many" in broken or draw(st.integers(0, 5)) > 0
    # A time of day with a space in it is two columns where spaces separate.
    has_time = bool(broken & {*TIME_BREAKS}) or ("no rate" not in broken and draw(st.integers(0, 5)) > 0)
    cells = draw(_time_cells(made, broken)) if has_time else []
    if separator == " ":
        cells = [cell.replace(" ", "T") for cell in cells]
    decimals = draw(st.integers(2, 12))
    columns = [[f"{value:.{decimals}f}" for value in axis.values] for axis in made.axes]
    for axis, column in zip(made.axes, columns, strict=True):
        axis.values = np.array([float(text) for text in column])
    if cells:
        columns.insert(0, cells)
    iso = bool(cells) and made.time.startswith("iso")
    if has_header and "many" not in broken and draw(st.integers(0, 3)) == 0:
        made.rpm = 1770.5
        columns.append(["1770.5"] * made.count)
    notes = draw(st.lists(st.sampled_from(NOTES), max_size=2)) if has_header else []
    if not has_time and "no rate" not in broken:
        if draw(st.booleans()) and has_header:
            notes.append(f"Sampling rate: {made.rate_hz:g} Hz")
        else:
            made.said["rate_hz"] = made.rate_hz
    lines = draw(_header(made, separator, quote, broken, has_time=has_time)) if has_header else []
    if not has_header:
        _without_names(made, broken, has_time)
    if len(columns) == 1 and broken & {"short", "long", "empty"}:
        broken = {"cell"}  # of one column a line can hold less or more, but not other columns
    made.is_ambiguous = len(columns) == 1 and decimal == ","
    if made.is_ambiguous and broken:
        decimal, made.is_ambiguous = ".", False
    lines = [*notes, *lines]
    before = len(lines)
    for row in range(made.count):
        texts = [column[row] for column in columns]
        if decimal == ",":
            texts = [text if iso and place == 0 else text.replace(".", ",") for place, text in enumerate(texts)]
        lines.append(separator.join(f"{quote}{text}{quote}" for text in texts))
    _break_text(made, lines, before, separator, broken, len(columns), bool(cells))
    if draw(st.integers(0, 4)) == 0 and not broken and len(columns) > 1:
        lines.insert(draw(st.integers(before, len(lines))), "")
    made.broken |= broken
    draw(_written(made, lines, broken))


def _without_names(made: MadeCapture, broken: set[str], has_time: bool) -> None:
    for place, axis in enumerate(made.axes, start=1):
        axis.name, axis.unit = f"ch{place}", ""
    if has_time and made.time in ("ms", "us"):
        made.said["time"] = made.time
    if has_time and broken & {"repeat", "fall", "uneven"}:
        broken.add("no names")  # such a column need not be seen to be the time


@st.composite
def _header(draw, made: MadeCapture, separator: str, quote: str, broken: set[str], *, has_time: bool) -> list[str]:
    names = [draw(st.sampled_from(NAMES.get(axis.name, (axis.name,)))) for axis in made.axes]
    units = [draw(st.sampled_from(UNITS[axis.unit])) for axis in made.axes]
    if "unit" in broken:
        units[-1] = draw(st.sampled_from(["V", "counts", "furlong"]))
    if has_time:
        names.insert(0, draw(st.sampled_from(TIME_NAMES)))
        units.insert(0, made.time if made.time in ("s", "ms", "us") else "")
    if made.rpm is not None:
        names.append(draw(st.sampled_from(["rpm", "회전수", "speed"])))
        units.append("rpm")
    if separator == " ":
        names = [name.replace(" ", "_") for name in names]
    style = draw(st.sampled_from(["(", "[", "row"] if separator != " " else ["("]))
    if "unit" in broken and style == "row":
        style = "["  # a word below a header need not be a unit
    if style == "row" and any(units):
        rows = [names, units]
    else:
        ends = {"(": ("(", ")"), "[": ("[", "]"), "row": ("", "")}[style]
        gap = "" if separator == " " else draw(st.sampled_from(["", " "]))
        rows = [[f"{it}{gap}{ends[0]}{unit}{ends[1]}" if unit else it for it, unit in zip(names, units, strict=True)]]
    return [separator.join(f"{quote}{text}{quote}" for text in row) for row in rows]


def _break_text(
    made: MadeCapture, lines: list[str], before: int, separator: str, broken: set[str], width: int, has_time: bool
) -> None:
    place = before + made.count // 2
    cells = lines[place].split(separator)
    at = 1 if has_time else 0
    if "cell" in broken:
        cells[at] = "x1"
    elif "empty" in broken:
        if separator == " ":
            cells[at] = "x1"
        else:
            cells[at] = ""
    elif "nan" in broken:
        cells[at] = "NaN"
    elif "short" in broken and width > 1:
        cells = cells[:-1]
    elif "long" in broken:
        cells.append("7")
    lines[place] = separator.join(cells)
    made.broken_line = place + 1


@st.composite
def _written(draw, made: MadeCapture, lines: list[str], broken: set[str]) -> None:
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = end.join(lines) + end
    if "cut" in broken:
        last = lines[-1]
        keep = draw(st.integers(1, len(last) - 1))
        text = end.join([*lines[:-1], last[:keep]])
        made.broken_line = len(lines)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "cp949", "utf-16"]))
    try:
        made.content = text.encode(encoding)
    except UnicodeEncodeError:
        made.content = text.encode()
    if draw(st.integers(0, 7)) == 0:
        made.name += ".gz"
        made.content = gzip.compress(made.content, mtime=0)
        if not broken and draw(st.integers(0, 3)) == 0:
            made.broken.add("cut file")
            made.content = made.content[: draw(st.integers(12, len(made.content) - 1))]


@st.composite
def lvm(draw, made: MadeCapture) -> None:
    decimal = draw(st.sampled_from(".,"))
    broken = {draw(st.sampled_from(["none"] * 6 + ["cell", "short", "unit", "segment", "cut head", "repeat"]))} - {
        "none"
    }
    has_x = draw(st.booleans()) or "repeat" in broken
    made.started_at = BASE
    step = f"{1 / made.rate_hz:.15f}"
    exact = Fraction(step) == 1 / Fraction(made.rate_hz)
    columns = [[f"{value:.6f}" for value in axis.values] for axis in made.axes]
    for axis, column in zip(made.axes, columns, strict=True):
        axis.values = np.array([float(text) for text in column])
    times = [decimal_text(it / 10**9, 9) for it in times_ns(made, broken)]
    if has_x:
        made.time, made.quantum_s = "s", 1e-9
    else:
        made.quantum_s = 0.0 if exact else 1e-14
    count, names = len(made.axes), [draw(st.sampled_from(NAMES[axis.name])) for axis in made.axes]
    unit = "V" if "unit" in broken else draw(st.sampled_from(UNITS[made.axes[0].unit]))
    head = ["LabVIEW Measurement\t", "Writer_Version\t2", "Reader_Version\t2", "Separator\tTab"]
    head += [f"Decimal_Separator\t{decimal}", "Multi_Headings\tNo", f"X_Columns\t{'One' if has_x else 'No'}"]
    head += [
        "Time_Pref\tRelative",
        "Operator\t김",
        "Date\t2026/03/05",
        f"Time\t00:00:00{decimal}5",
        "***End_of_Header***\t",
        "\t",
    ]
    segment = [f"Channels\t{count}", "\t".join(["Samples", *[str(made.count)] * count])]
    segment += ["\t".join(["Date", *["2026/03/05"] * count]), "\t".join(["Time", *[f"00:00:00{decimal}5"] * count])]
    segment += ["\t".join(["Y_Unit_Label", *[unit] * count]), "\t".join(["X_Dimension", *["Time"] * count])]
    segment += ["\t".join(["X0", *["0.0"] * count]), "\t".join(["Delta_X", *[step.replace(".", decimal)] * count])]
    segment += ["***End_of_Header***" + "\t" * count, "\t".join(["X_Value", *names, "Comment"])]
    has_comment = draw(st.booleans())
    rows = []
    for row in range(made.count):
        texts = [times[row] if has_x else "", *(column[row] for column in columns)]
        rows.append(
            "\t".join(text.replace(".", decimal) for text in texts) + ("\tstart" if has_comment and not row else "")
        )
    at = made.count // 2
    made.broken_line = len(head) + len(segment) + at + 1
    if "cell" in broken:
        rows[at] = "\t".join([rows[at].split("\t")[0], "x1", *rows[at].split("\t")[2:]])
    elif "short" in broken:
        rows[at] = rows[at].rpartition("\t")[0]
    elif "segment" in broken:
        rows[at:at] = ["", *segment]
        made.broken_line += 1
    lines = head[: draw(st.integers(1, len(head) - 3))] if "cut head" in broken else [*head, *segment, *rows]
    made.broken |= broken
    end = draw(st.sampled_from(["\n", "\r\n"]))
    made.content = (end.join(lines) + end).encode(draw(st.sampled_from(["utf-8", "cp949"])))
