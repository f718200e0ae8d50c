"""MAT files of versions 5 to 7, read element by element: what stands where is checked before it is taken.

scipy's reader believes a file: one byte that is wrong in the head of an array can end the process that reads it.

Source: MathWorks, "MAT-File Format", Level 5 MAT-files.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

HEADER_BYTES, SUBSYSTEM = 128, slice(116, 124)
MAX_DEPTH = 8  # of structures in structures
_ORDERS = {b"IM": "<", b"MI": ">"}  # by how the last two bytes of the header come out
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_CELL, _STRUCT, _CHAR, _FIRST_NUMERIC, _LAST_NUMERIC = 1, 2, 4, 6, 15  # classes of arrays
_IS_COMPLEX = 0x0800


class DamagedMat(ValueError):
    """Bytes that are no MAT file of these versions; the message says where."""


class TooMuch(ValueError):
    """The compressed arrays of a file have more bytes than are wanted."""


@dataclass(frozen=True)
class Array:
    """Numbers, of any shape, or texts (n,), under a name; of a field, that of its structure and a dot before it."""

    name: str
    values: np.ndarray


def arrays_of(content: bytes, most_bytes: int) -> Iterator[Array]:
    """All real arrays, and texts, of a file; the fields of single structures and cells among them.

    Complex and sparse ones, objects and functions are left out. Raises DamagedMat, and TooMuch when compressed arrays
    have more than `most_bytes` together.
    """
    order = _ORDERS.get(content[HEADER_BYTES - 2 : HEADER_BYTES])
    if order is None or len(content) < HEADER_BYTES:
        raise DamagedMat("its header does not say the order of its bytes")
    subsystem = int.from_bytes(content[SUBSYSTEM], "little" if order == "<" else "big")
    whole, left = _Bytes(memoryview(content), order, HEADER_BYTES), most_bytes
    while whole.at < len(content):
        is_subsystem = whole.at == subsystem  # of objects, in a form of its own
        kind, body = whole.element()
        if is_subsystem:
            continue
        if kind == _COMPRESSED:
            unzipped = _unzipped(body, left)
            left -= len(unzipped)
            kind, body = _Bytes(memoryview(unzipped), order).element()
        if kind != _MATRIX:
            raise DamagedMat(f"before byte {whole.at:,}: data of type {kind} where an array belongs")
        yield from _array(_Bytes(body, order), "", 0)


def _unzipped(data: memoryview, most: int) -> bytes:
    unzip = zlib.decompressobj()
    try:
        found = unzip.decompress(data, most + 1)
    except zlib.error as error:
        raise DamagedMat(f"compressed data: {error}") from None
    if len(found) > most:
        raise TooMuch
    if not unzip.eof:
        raise DamagedMat("compressed data end too early")
    return found


class _Bytes:
    """Elements that stand one behind the other."""

    def __init__(self, data: memoryview, order: str, at: int = 0):
        self.data, self.order, self.at = data, order, at

    def element(self) -> tuple[int, memoryview]:
        """The type of the next one, and its bytes."""
        if self.at + 8 > len(self.data):
            raise DamagedMat(f"byte {self.at:,}: it ends within the head of an element")
        kind, size = struct.unpack_from(f"{self.order}II", self.data, self.at)
        begin, step = self.at + 8, size
        if kind >> 16:  # a small one: its bytes stand in its head
            kind, size, begin, step = kind & 0xFFFF, kind >> 16, self.at + 4, 0
            if size > 4:
                raise DamagedMat(f"byte {self.at:,}: a small element of {size} bytes")
        elif kind != _COMPRESSED:
            step += -size % 8
        if begin + size > len(self.data):
            raise DamagedMat(f"byte {self.at:,}: an element of {size:,} bytes, of which {len(self.data) - begin:,} are")
        self.at = min(self.at + 8 + step, len(self.data))
        return kind, self.data[begin : begin + size]

    def numbers(self, wanted: int | None = None) -> np.ndarray:
        """The next one, of any type of numbers, or of the one that belongs there."""
        kind, body = self.element()
        if kind not in _NUMBERS or (wanted is not None and kind != wanted):
            raise DamagedMat(f"byte {self.at:,}: data of type {kind} before it")
        dtype = np.dtype(f"{self.order}{_NUMBERS[kind]}")
        if len(body) % dtype.itemsize:
            raise DamagedMat(f"byte {self.at:,}: {len(body):,} bytes of {dtype.itemsize} each before it")
        return np.frombuffer(body, dtype)

    def name(self) -> str:
        return self.numbers(_INT8).tobytes().decode("utf-8", errors="replace")


def _array(data: _Bytes, prefix: str, depth: int) -> Iterator[Array]:
    """What a matrix element holds, called as it is itself, or as its place in a structure or cell."""
    if not len(data.data):  # an empty field
        return
    flags = data.numbers(_UINT32)
    if len(flags) != 2:
        raise DamagedMat(f"the flags of an array are {len(flags)} numbers")
    of = int(flags[0]) & 0xFF
    if not (of in (_CELL, _STRUCT, _CHAR) or _FIRST_NUMERIC <= of <= _LAST_NUMERIC):
        return
    shape = tuple(map(int, data.numbers(_INT32)))
    if len(shape) < 2 or min(shape) < 0:
        raise DamagedMat(f"an array of the shape {shape}")
    own = data.name()
    name = prefix if depth else own
    if of in (_CELL, _STRUCT):
        if prod(shape) == 1 and depth < MAX_DEPTH:
            yield from _parts(data, name, depth, of)
    elif of == _CHAR:
        yield Array(name, _texts(data, shape))
    elif not int(flags[0]) & _IS_COMPLEX:
        values = data.numbers()
        if len(values) != prod(shape):
            raise DamagedMat(f"{len(values):,} numbers of an array of the shape {shape}")
        yield Array(name, values.reshape(shape, order="F"))


def _parts(data: _Bytes, name: str, depth: int, of: int) -> Iterator[Array]:
    """Of a single structure the fields, of a single cell what is in it."""
    names = [name]
    if of == _STRUCT:
        [width, *_] = map(int, data.numbers(_INT32)) or [0]
        joined = data.numbers(_INT8).tobytes()
        if width < 1 or len(joined) % width:
            raise DamagedMat(f"the names of fields have {len(joined)} bytes, {width} each")
        fields = [joined[at : at + width].partition(b"\0")[0] for at in range(0, len(joined), width)]
        told = [it.decode("utf-8", errors="replace") for it in fields]
        names = [f"{name}.{it}" if name else it for it in told]
    for part in names:
        kind, body = data.element()
        if kind != _MATRIX:
            raise DamagedMat(f"data of type {kind} where an array belongs")
        yield from _array(_Bytes(body, data.order), part, depth + 1)


def _texts(data: _Bytes, shape: tuple[int, ...]) -> np.ndarray:
    """A text for each row."""
    kind, body = data.element()
    if kind not in _TEXTS:
        raise DamagedMat(f"text of type {kind}")
    encoding = _TEXTS[kind]
    if encoding.startswith("utf-") and encoding != "utf-8":
        encoding += "-le" if data.order == "<" else "-be"
    letters = bytes(body).decode(encoding, errors="replace")
    rows = shape[0] if prod(shape) else 0
    if rows > len(letters):
        raise DamagedMat(f"{len(letters):,} letters in {rows:,} rows")
    return np.array([letters[row::rows].rstrip() for row in range(rows)] or [""])
