"""Binary files of signals, with what is broken in them: WAV, Parquet, TDMS, MAT and HDF5."""

import io
import struct
from datetime import timedelta
from typing import Any

import h5py
import numpy as np
import polars as pl
import scipy.io
from hypothesis import strategies as st
from nptdms import ChannelObject, TdmsWriter

from bench.fuzz_files.made_capture import BASE, EPOCH, NAMES, UNITS, MadeCapture, times_ns


@st.composite
def binary(draw, made: MadeCapture) -> None:
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
