"""The samples of a signal as bytes and back, exact to the last bit, and the digest of what they say.

Data are a head and a body. The head has the CRC-32 of all that follows it and the type of the values: pcodec brings no
checksum, and would make other numbers of damaged bytes. The codec is stored beside the data, as a number.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from pcodec import ChunkConfig, ModeSpec, standalone

from vibration.signals.grid import step_of


class Codec(IntEnum):
    """How the body was made. The numbers are in databases: they never change their meaning."""

    RAW = 0  # the values as they are, little-endian
    PCODEC = 1  # the standalone format of pcodec


class DamagedCapture(Exception):
    """Data that are not what was stored; the message says what is wrong with them."""


@dataclass(frozen=True)
class Encoded:
    """The samples of a signal as they are stored."""

    codec: Codec
    data: bytes


HEAD = struct.Struct("<IB")  # the CRC-32, and the place of the type in TYPES
CRC_BYTES = 4
TYPES = [np.dtype(name) for name in ("<i2", "<f4", "<f8")]  # their places are in the data: more may follow these
LEVEL = 6  # the higher ones of pcodec take 1.5 to 8 times as long for a hundredth of the bytes or less
# What pcodec finds by itself is best for values on a grid. It takes no dictionary by itself, which is best for the few
# hundred distinct floats that a converter with a scale brings forth: 1.3 instead of 2.2 bytes a sample.
AUTOMATIC = ChunkConfig(compression_level=LEVEL)
DICTIONARY = ChunkConfig(compression_level=LEVEL, mode_spec=ModeSpec.try_dict())
# Where of so many samples nearly all differ, a dictionary holds most of the samples and is left out, as it takes long.
LOOKED_AT, MOST_DISTINCT = 1024, 0.97


def encode(values: np.ndarray) -> Encoded:
    """Finite values int16, float32 or float64 (n,), n > 0, in the shortest of the ways known.

    float64 values that are all values of float32 become those. Raises ValueError for another type or shape, and for a
    value that is not finite.
    """
    if values.ndim != 1 or not len(values):
        raise ValueError(f"Samples of the shape {values.shape} have no code: give one row of at least one.")
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    if values.dtype not in TYPES:
        raise ValueError(f"Samples of the type {values.dtype} have no code: give int16, float32 or float64.")
    if not np.isfinite(values).all():
        raise ValueError("A sample is not a finite number.")
    values = narrowed(values)
    body = min(_packed(values), key=len)
    # Its makers say that it is exact; what it holds is the only copy there is.
    if len(body) < values.nbytes and same_bits(_unpacked(body, values.dtype, len(values)), values):
        return Encoded(Codec.PCODEC, _framed(body, values.dtype))
    return Encoded(Codec.RAW, _framed(values.tobytes(), values.dtype))


def _packed(values: np.ndarray) -> list[bytes]:
    ways = [AUTOMATIC]
    if values.dtype.kind == "f":
        head = values[:LOOKED_AT]
        if len(np.unique(head)) < MOST_DISTINCT * len(head):
            ways.append(DICTIONARY)
    # The grid of a converter of 24 bits is too fine for pcodec to find: 2.6 instead of 6.4 bytes a sample.
    if values.dtype == np.float64 and (step := step_of(values)):
        ways.append(ChunkConfig(compression_level=LEVEL, mode_spec=ModeSpec.try_float_mult(step)))
    return [standalone.simple_compress(values, way) for way in ways]


def _framed(body: bytes, dtype: np.dtype) -> bytes:
    kind = TYPES.index(dtype)
    return HEAD.pack(zlib.crc32(body, zlib.crc32(bytes([kind]))), kind) + body


def decode(codec: int, data: bytes, count: int) -> np.ndarray:
    """The samples (count,) that data hold, of the type in which they are kept: int16, float32 or float64.

    Raises DamagedCapture if the data are not as they were written, or not so many samples.
    """
    if len(data) < HEAD.size:
        raise DamagedCapture(f"The data have {len(data)} bytes, fewer than their head alone.")
    crc, kind = HEAD.unpack_from(data)
    if zlib.crc32(memoryview(data)[CRC_BYTES:]) != crc:
        raise DamagedCapture(f"The {len(data):,} bytes of data are not those that were stored: their checksum differs.")
    if kind >= len(TYPES) or codec not in list(Codec):
        raise DamagedCapture(f"The data are of type {kind} and codec {codec}, which this version does not know.")
    body = bytes(memoryview(data)[HEAD.size :])
    if codec == Codec.PCODEC:
        return _unpacked(body, TYPES[kind], count)
    if len(body) != count * TYPES[kind].itemsize:
        raise DamagedCapture(f"The data hold {len(body)} bytes of {TYPES[kind]} values, not {count:,} samples.")
    return np.frombuffer(body, TYPES[kind])


def _unpacked(body: bytes, dtype: np.dtype, count: int) -> np.ndarray:
    values = np.empty(count, dtype)
    try:
        progress = standalone.simple_decompress_into(body, values)
    except (RuntimeError, TypeError) as error:
        raise DamagedCapture(f"The data cannot be read as {count:,} samples: {error}") from error
    if progress.n_processed != count or not progress.finished:
        raise DamagedCapture(f"The data do not hold {count:,} samples.")
    return values


def narrowed(values: np.ndarray) -> np.ndarray:
    """float64 (n,) as float32 if that changes no bit of any value; other values as they are."""
    if values.dtype != np.float64:
        return values
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow if same_bits(narrow.astype(np.float64), values) else values


def same_bits(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two contiguous arrays (n,) of one type hold the same; 0.0 and -0.0 are not."""
    bits = f"i{one.itemsize}"
    return np.array_equal(one.view(bits), two.view(bits))


def scaled(values: np.ndarray, scale: float | None) -> np.ndarray:
    """What values mean, in their unit, as float64 (n,): times the scale, if they have one."""
    wide = values.astype(np.float64)
    return wide if scale is None else wide * scale


def digest(
    values: np.ndarray, *, sampling_hz: float, unit: str, rpm: float | None = None, scale: float | None = None
) -> bytes:
    """The SHA-256, 32 bytes, of what a capture says: sampling rate, unit, speed, and the values (n,) in the unit.

    int16 with a scale and the same numbers as floats have one digest, and so have 0.0 and -0.0, which are equal.
    """
    speed = None if rpm is None else float(rpm)
    head = f"{float(sampling_hz)!r} {unit!s} {speed!r} {len(values)}\n"  # a repr of a float is exact
    numbers = scaled(values, scale) + 0.0  # which makes 0.0 of -0.0
    return hashlib.sha256(head.encode() + numbers.astype("<f8", copy=False).tobytes()).digest()
