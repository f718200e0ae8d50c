"""WAV files: PCM of 8 to 32 bits and floats of 32 and 64, any number of channels.

The chunks are walked here: Python's own `wave` knows neither floats nor the extensible header that loggers write,
scipy weighs 110 MB, and a C library would parse what strangers upload.

Counts stay whole numbers. Full scale is 1.0, so a count of 16 bits is worth 2^-15; what full scale is in m/s2 the
format does not tell, and the unit stays unknown.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vibration.formats.table import BadFile, Column, Table

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
MAX_CHANNELS = 1024


@dataclass(frozen=True)
class _Format:
    kind: int
    channels: int
    rate_hz: int
    bits: int  # of a sample as it is stored


def read_wav(path: Path, content: bytes) -> Table:
    """One column a channel, without names. Raises BadFile for what is cut off, damaged or of another kind."""
    if content[:4] != b"RIFF":
        raise BadFile(path, f"this is a WAV file of the kind {content[:4].decode()}", "export it as a plain WAV file")
    form, data, at = None, None, 12
    while data is None:
        if at + 8 > len(content):
            raise BadFile(path, "the WAV file ends before its samples: it was cut off", "copy it again")
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + size]
        if len(body) < size:
            what = f"{size:,} bytes are announced after byte {at + 8:,}, and {len(body):,} are there"
            raise BadFile(path, f"the WAV file was cut off: {what}", "copy it again")
        if name == b"fmt ":
            form = _read_format(path, body)
        elif name == b"data":
            data = body
        at += 8 + size + size % 2
    if form is None:
        raise BadFile(path, "the WAV file does not say what its samples are before they come", "export it again")
    values, scale = _samples(path, form, data)
    columns = tuple(
        Column(f"channel {place}", values=np.ascontiguousarray(values[:, place - 1]), scale=scale, is_named=False)
        for place in range(1, form.channels + 1)
    )
    return Table(path, "wav", columns, rate_hz=float(form.rate_hz))


def _read_format(path: Path, body: bytes) -> _Format:
    if len(body) < 16:
        raise BadFile(path, f"the format of its samples takes {len(body)} bytes where 16 belong", "export it again")
    kind, channels, rate, _, frame, _ = struct.unpack("<HHIIHH", body[:16])
    if kind == EXTENSIBLE and len(body) >= 26:
        kind = int.from_bytes(body[24:26], "little")
    if not 1 <= channels <= MAX_CHANNELS or not rate or frame % channels:
        what = f"{channels} channels in frames of {frame} bytes at {rate} Hz"
        raise BadFile(path, f"the WAV file has {what}, which can't be", "export it again")
    return _Format(kind, channels, rate, 8 * frame // channels)


def _samples(path: Path, form: _Format, data: bytes) -> tuple[np.ndarray, float | None]:
    """The samples (n, channels), and what a count is worth."""
    if len(data) % (form.channels * form.bits // 8 or 1):
        what = f"its {len(data):,} bytes of samples are no multiple of {form.channels * form.bits // 8} a frame"
        raise BadFile(path, f"the WAV file was cut off: {what}", "copy it again")
    match form.kind, form.bits:
        case (1, 8):
            values, scale = np.frombuffer(data, np.uint8).astype(np.int16) - np.int16(128), 2.0**-7
        case (1, 16):
            values, scale = np.frombuffer(data, "<i2"), 2.0**-15
        case (1, 24):
            wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
            wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            values, scale = wide.view("<i4").ravel() >> 8, 2.0**-23
        case (1, 32):
            values, scale = np.frombuffer(data, "<i4"), 2.0**-31
        case (3, 32):
            return np.frombuffer(data, "<f4").reshape(-1, form.channels), None
        case (3, 64):
            return np.frombuffer(data, "<f8").reshape(-1, form.channels), None
        case _:
            what = f"samples of kind {form.kind} with {form.bits} bits"
            raise BadFile(path, f"the WAV file has {what}", "export it as PCM of 16, 24 or 32 bits, or as float")
    return values.reshape(-1, form.channels), scale
