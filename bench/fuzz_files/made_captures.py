"""Files of signals in nine formats, made up by hypothesis as loggers write them, each with what is true of it.

What is broken in a file is drawn with it: so whoever reads it can be asked for the signals that were made, or for the
reason that is true.
"""

import gzip
import io
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import h5py
import numpy as np
import polars as pl
import scipy.io
from hypothesis import strategies as st
from nptdms import ChannelObject, TdmsWriter

FORMATS = ("csv", "tsv", "lvm", "wav", "parquet", "tdms", "mat", "mat73", "hdf5")
RATES = (100, 128, 800, 1000, 1024, 2000, 2048, 5000, 6400, 12_000, 25_000, 25_600, 48_000, 51_200)
BASE = datetime(2026, 3, 5, 0, 0, 0, 500_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"m/s2": ("m/s2", "m/s²", "m/s^2"), "g": ("g", "G"), "mm/s": ("mm/s",), "": ("",)}
# Of an axis: how files call it
NAMES = {
    "x": ("x", "ax", "X", "accel_x", "acc x", "X축", "가속도 X"),
    "y": ("y", "ay", "Y", "accel_y", "acc y", "Y축", "가속도 Y"),
    "z": ("z", "az", "Z", "accel_z", "acc z", "Z축", "가속도 Z"),
}
TIME_NAMES = ("time", "Time", "t", "timestamp", "시간")
NOTES = ("# made by a logger", "기록 장치 3", "Serial number: A-17", "sampled in the hall")
TEXT_BREAKS = ("cell", "empty", "nan", "short", "long", "cut")
TIME_BREAKS = ("repeat", "fall", "gap", "uneven")


@dataclass
class MadeAxis:
    name: str
    unit: str
    values: np.ndarray
    scale: float | None = None


@dataclass(repr=False)
class MadeCapture:
    """A file, and what is true of it."""

    format: str
    name: str
    content: bytes = b""
    rate_hz: float = 1000.0
    axes: list[MadeAxis] = field(default_factory=list)
    started_at: datetime | None = None
    time: str = "none"
    quantum_s: float = 0.0  # to which the times are rounded
    gap: int = 0  # the row that begins after a gap; 0: there is none
    rpm: float | None = None
    said: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    broken_line: int = 0
    is_ambiguous: bool = False  # one column with decimal commas, which may be two columns

    @property
    def count(self) -> int:
        return len(self.axes[0].values)

    def _repr_pretty_(self, printer: Any, is_cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis would spell each field

    def __repr__(self) -> str:
        about = {it: getattr(self, it) for it in ("format", "rate_hz", "time", "gap", "said", "broken", "broken_line")}
        axes = [(it.name, it.unit, it.values[:4], it.values.dtype.name, it.scale) for it in self.axes]
        content = (
            gzip.decompress(self.content)
            if self.name.endswith("gz") and "cut file" not in self.broken
            else self.content
        )
        return f"MadeCapture({about}, axes={axes},\ncontent={content[:3000]!r})"


@st.composite
def made_captures(draw) -> MadeCapture:
    form = draw(st.sampled_from(FORMATS))
    made = MadeCapture(form, f"made.{ {'mat73': 'mat', 'hdf5': 'h5'}.get(form, form) }")
    made.rate_hz = float(draw(st.sampled_from(RATES)))
    count = draw(st.integers(8, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = ["x", "y", "z"][: draw(st.integers(1, 3))]
    unit = draw(st.sampled_from([*UNITS]))
    made.axes = [MadeAxis(name, unit, 3 * generator.standard_normal(count)) for name in names]
    if form in ("csv", "tsv"):
        draw(_text(made))
    elif form == "lvm":
        draw(_lvm(made))
    else:
        draw(_binary(made))
    return made


def times_ns(made: MadeCapture, breaks: set[str]) -> list[Fraction]:
    """Nanoseconds of each row from the first one."""
    step = Fraction(10**9) / Fraction(made.rate_hz)
    times = [step * row for row in range(made.count)]
    at = made.count // 2
    if "gap" in breaks:
        made.gap = at
        times[at:] = [time + 37 * step for time in times[at:]]
    elif "repeat" in breaks:
        times[at] = times[at - 1]
    elif "fall" in breaks:
        times[at:] = [time - 3 * step for time in times[at:]]
    elif "uneven" in breaks:
        times[at:] = [time + (row + 1) * step * Fraction(2, 5) for row, time in enumerate(times[at:])]
    return times


def decimal_text(number: Fraction, decimals: int) -> str:
    scaled = round(number * 10**decimals)
    sign, scaled = "-" if scaled < 0 else "", abs(scaled)
    whole, rest = divmod(scaled, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


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
def _text(draw, made: MadeCapture) -> None:
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
def _lvm(draw, made: MadeCapture) -> None:
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


@st.composite
def _binary(draw, made: MadeCapture) -> None:
    breaks = ["none"] * 6 + ["cut file", "nan"]
    breaks += ["unit"] if made.format in ("tdms", "hdf5", "parquet") else []
    breaks += ["repeat", "fall", "gap"] if made.format in ("parquet", "hdf5") else []
    breaks += ["no rate"] if made.format not in ("wav",) else []
    broken = {draw(st.sampled_from(breaks))} - {"none"}
    dtype = np.dtype(draw(st.sampled_from(["<i2", "<i4", "<f4", "<f8"])))
    if "nan" in broken and dtype.kind != "f":
        dtype = np.dtype("<f8")
    for axis in made.axes:
        axis.values = (axis.values * (1000 if dtype.kind == "i" else 1)).astype(dtype)
    if "nan" in broken:
        made.axes[-1].values[made.count // 2] = draw(st.sampled_from([np.nan, np.inf]))
        made.broken_line = made.count // 2 + 1
    made.broken |= broken
    {
        "wav": _wav,
        "parquet": _parquet,
        "tdms": _tdms,
        "mat": _mat,
        "mat73": _hdf5,
        "hdf5": _hdf5,
    }[made.format](made, broken, dtype, draw)
    if "cut file" in broken:
        made.content = made.content[: draw(st.integers(1, len(made.content) - 1))]


def _wav(made: MadeCapture, broken: set[str], dtype: np.dtype, draw: Any) -> None:
    for place, axis in enumerate(made.axes, start=1):
        axis.name, axis.unit = f"ch{place}", ""
        axis.scale = {"i2": 2.0**-15, "i4": 2.0**-31}.get(dtype.str[1:])
    data = np.column_stack([axis.values for axis in made.axes])
    kind, bits = (1 if dtype.kind == "i" else 3), 8 * dtype.itemsize
    raw = data.tobytes()
    if dtype.str == "<i4" and draw(st.booleans()):  # 24 bits
        bits = 24
        for axis in made.axes:
            axis.values, axis.scale = axis.values % 2**23, 2.0**-23
        data = np.column_stack([axis.values for axis in made.axes]).astype("<i4")
        raw = data.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    channels, frame = len(made.axes), len(made.axes) * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, int(made.rate_hz), int(made.rate_hz) * frame, frame, bits)
    if draw(st.booleans()):  # extensible
        guid = struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
        head = struct.pack("<H", 0xFFFE) + head[2:] + struct.pack("<HHI", 22, bits, 0) + guid
    chunks = [(b"fmt ", head), (b"LIST", b"INFOabc"), (b"data", raw)]
    body = b"".join(name + struct.pack("<I", len(it)) + it + b"\0" * (len(it) % 2) for name, it in chunks)
    made.content = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def _spelled(made: MadeCapture, draw: Any) -> tuple[list[str], str]:
    names = [draw(st.sampled_from(NAMES[axis.name])) for axis in made.axes]
    unit = "V" if "unit" in made.broken else draw(st.sampled_from(UNITS[made.axes[0].unit]))
    return names, unit


def _seconds(made: MadeCapture, broken: set[str]) -> np.ndarray:
    return np.array([float(it / 10**9) for it in times_ns(made, broken)])


def _parquet(made: MadeCapture, broken: set[str], dtype: np.dtype, draw: Any) -> None:
    names, unit = _spelled(made, draw)
    columns: dict[str, Any] = {}
    if "no rate" not in broken:
        kind = draw(st.sampled_from(["seconds", "stamps"]))
        if kind == "seconds":
            made.time, columns["time"] = "s", _seconds(made, broken)
        else:
            made.time, made.quantum_s, made.started_at = "iso", 1e-9, BASE
            start = (BASE - EPOCH) // timedelta(microseconds=1) * 1000
            stamps = pl.Series([start + round(it) for it in times_ns(made, broken)], dtype=pl.Int64)
            columns["stamp"] = stamps.cast(pl.Datetime("ns", draw(st.sampled_from([None, "UTC"]))))
    columns |= {f"{name} ({unit})" if unit else name: it.values for name, it in zip(names, made.axes, strict=True)}
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    made.content = file.getvalue()


def _tdms(made: MadeCapture, broken: set[str], dtype: np.dtype, draw: Any) -> None:
    names, unit = _spelled(made, draw)
    properties: dict[str, Any] = {"unit_string": unit}
    if "no rate" not in broken:
        made.started_at = BASE
        properties |= {"wf_increment": 1 / made.rate_hz, "wf_start_time": BASE.replace(tzinfo=None)}
    if dtype.kind == "i" and draw(st.booleans()):
        properties |= {"NI_Number_Of_Scales": 1, "NI_Scaling_Status": "unscaled", "NI_Scale[0]_Scale_Type": "Linear"}
        properties |= {"NI_Scale[0]_Linear_Slope": 0.125, "NI_Scale[0]_Linear_Y_Intercept": 0.0}
        properties["NI_Scale[0]_Linear_Input_Source"] = 0xFFFFFFFF
        for axis in made.axes:
            axis.scale = 0.125
    file = io.BytesIO()
    with TdmsWriter(file) as writer:
        channels = zip(names, made.axes, strict=True)
        writer.write_segment([ChannelObject("Vibration", name, it.values, properties) for name, it in channels])
    made.content = file.getvalue()


def _mat(made: MadeCapture, broken: set[str], dtype: np.dtype, draw: Any) -> None:
    for axis in made.axes:
        axis.unit = ""
    arrays: dict[str, Any] = {
        axis.name: axis.values.reshape(draw(st.sampled_from([(1, -1), (-1, 1)]))) for axis in made.axes
    }
    if "no rate" not in broken:
        arrays[draw(st.sampled_from(["fs", "Fs", "sampling_rate"]))] = made.rate_hz
    if draw(st.booleans()) or "cut file" in broken:  # between two variables, nobody can tell that more were there
        arrays = {"run": arrays}
    file = io.BytesIO()
    scipy.io.savemat(file, arrays, do_compression=draw(st.booleans()))
    made.content = file.getvalue()


def _hdf5(made: MadeCapture, broken: set[str], dtype: np.dtype, draw: Any) -> None:
    is_matlab = made.format == "mat73"
    names, unit = _spelled(made, draw)
    if is_matlab:
        unit = ""
    if not unit:
        for axis in made.axes:
            axis.unit = ""
    big = draw(st.booleans())
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512 if is_matlab else 0) as book:
        group = book.create_group("run") if draw(st.booleans()) else book
        for name, axis in zip(names, made.axes, strict=True):
            values = axis.values[None] if is_matlab else axis.values.astype(dtype.newbyteorder(">" if big else "<"))
            dataset = group.create_dataset(name, data=values)
            if unit:
                dataset.attrs["unit"] = unit
        if broken & {"repeat", "fall", "gap"} or ("no rate" not in broken and draw(st.booleans())):
            made.time = "s"
            group["t"] = _seconds(made, broken)[None] if is_matlab else _seconds(made, broken)
        elif "no rate" not in broken:
            if is_matlab:
                group["fs"] = [[made.rate_hz]]
            else:
                book.attrs["sampling_rate"] = made.rate_hz
                made.started_at = BASE
                book.attrs["start_time"] = BASE.isoformat()
    content = bytearray(file.getvalue())
    if is_matlab:
        content[:128] = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    made.content = bytes(content)
