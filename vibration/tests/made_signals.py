"""Files of signals as loggers and programs write them, small, made by the tests themselves."""

import struct
from pathlib import Path

import numpy as np

LVM = """LabVIEW Measurement\t
Writer_Version\t2
Reader_Version\t2
Separator\tTab
Decimal_Separator\t{decimal}
Multi_Headings\tNo
X_Columns\t{x_columns}
Time_Pref\tRelative
Date\t2026/03/05
Time\t13:53:29{decimal}1116
***End_of_Header***\t
\t
Channels\t2\t
Samples\t{count}\t{count}\t
Date\t2026/03/05\t2026/03/05\t
Time\t13:53:29{decimal}1116\t13:53:29{decimal}1116\t
Y_Unit_Label\tg\tg\t
X_Dimension\tTime\tTime\t
X0\t0{decimal}0\t0{decimal}0\t
Delta_X\t0{decimal}001\t0{decimal}001\t
***End_of_Header***\t\t
X_Value\tAccel X\tAccel Y\tComment
"""


def noise(count: int = 60, axes: int = 3) -> np.ndarray:
    """Samples (count, axes) with six decimals."""
    return np.round(np.random.default_rng(7).standard_normal((count, axes)), 6)


def rows(time: list[str], values: np.ndarray, separator: str = ",", decimal: str = ".") -> str:
    lines = ([at, *(f"{value:.6f}" for value in row)] for at, row in zip(time, values, strict=True))
    return "".join(separator.join(cells).replace(".", decimal) + "\n" for cells in lines)


def times(count: int, rate_hz: float, decimals: int = 8) -> list[str]:
    return [f"{row / rate_hz:.{decimals}f}" for row in range(count)]


def written(path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def lvm(values: np.ndarray, *, x_columns: str = "One", decimal: str = ".") -> str:
    time = times(len(values), 1000, 6) if x_columns == "One" else [""] * len(values)
    return LVM.format(decimal=decimal, x_columns=x_columns, count=len(values)) + rows(time, values, "\t", decimal)


def wav(data: np.ndarray, rate_hz: int, *, bits: int = 0, is_extensible: bool = False) -> bytes:
    """Of samples (n, channels) as int16, int32, float32 or float64; in 24 bits, the lower ones of int32."""
    bits = bits or 8 * data.dtype.itemsize
    raw = data.tobytes() if bits != 24 else data.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    kind, frame = (1 if data.dtype.kind == "i" else 3), data.shape[1] * bits // 8
    head = struct.pack("<HHIIHH", kind, data.shape[1], rate_hz, rate_hz * frame, frame, bits)
    if is_extensible:
        guid = struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
        head = struct.pack("<H", 0xFFFE) + head[2:] + struct.pack("<HHI", 22, bits, 0) + guid
    body = b"".join(name + struct.pack("<I", len(it)) + it for name, it in ((b"fmt ", head), (b"data", raw)))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body
