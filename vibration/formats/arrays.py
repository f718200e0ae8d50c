"""Files of named arrays: MAT of versions 5 to 7, and MAT 7.3 and HDF5 by h5py.

A vector is a column. Of a matrix each row or column is one, whichever is longer. Single numbers tell the sampling rate
(`fs`, `sampling_rate`, `dt` and their like), or are notes.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from common.printable import printable
from vibration.formats.delimited import shown
from vibration.formats.matlab.elements import DamagedMat, TooMuch, arrays_of
from vibration.formats.names import bare_name, name_and_unit
from vibration.formats.table import (
    MAX_COLUMNS,
    MAX_HELD_BYTES,
    BadFile,
    Column,
    Flaw,
    Table,
    check_size,
    kept,
    too_much,
    unique_names,
)

MAX_DEPTH = 8  # of structures in structures
_WORDS = {
    "rate": "fs samplingrate samplerate samplingfrequency samplefrequency samplinghz ratehz rate 샘플링주파수",
    "step": "dt ts delta deltat step wfincrement sampleinterval samplinginterval",
    "start": "starttime startedat start wfstarttime measuredat 시작시각",
    "unit": "unit units unitstring 단위",
}
_RATES, _STEPS, _STARTS, _UNITS = (frozenset(words.split()) for words in _WORDS.values())
_DAMAGE: tuple[type[Exception], ...] = (ValueError, KeyError, IndexError, TypeError, EOFError, OverflowError, OSError)
_DAMAGE += (NotImplementedError, RuntimeError, MemoryError, struct.error, zlib.error)


@dataclass(frozen=True)
class _Array:
    name: str
    values: np.ndarray
    about: dict[str, Any] = field(default_factory=dict)  # attributes


def read_mat(path: Path, content: bytes) -> Table:
    """A MAT file up to version 7. Raises BadFile for what is cut off or damaged."""
    try:
        found = islice(arrays_of(content, MAX_HELD_BYTES), MAX_COLUMNS + 1)
        arrays = [_Array(it.name, it.values) for it in found]
    except TooMuch:
        raise too_much(path) from None
    except DamagedMat as error:
        raise _damaged(path, "MAT", error) from None
    check_size(path, sum(it.values.size for it in arrays), len(arrays))
    return _table(path, "mat", arrays, {})


def read_hdf5(path: Path, content: bytes) -> Table:
    """An HDF5 file, of MATLAB 7.3 or another program. Raises BadFile for what is cut off or damaged."""
    import h5py

    arrays: list[_Array] = []
    numbers, held = [0], [0]
    is_matlab = content.startswith(b"MATLAB")

    def add(name: str, found: Any) -> None:
        if not isinstance(found, h5py.Dataset) or name.startswith("#"):
            return
        if found.attrs.get("MATLAB_class") in (b"char", b"cell", b"function_handle"):
            return
        if found.is_virtual or found.external:
            raise BadFile(path, f"the samples of {printable(name)} lie in another file", "write all into one file")
        numbers[0], held[0] = numbers[0] + found.size, held[0] + found.nbytes
        check_size(path, numbers[0], len(arrays), size=held[0])
        about = {**dict(found.parent.attrs), **dict(found.attrs)}
        arrays.extend(_Array(it.name, it.values, about) for it in _flat(name, found[()]))

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            about = dict(file.attrs)
            file.visititems(add)
    except BadFile:
        raise
    except _DAMAGE as error:
        raise _damaged(path, "MAT 7.3" if is_matlab else "HDF5", error) from None
    return _table(path, "mat" if is_matlab else "hdf5", arrays, about)


def _damaged(path: Path, what: str, error: BaseException) -> BadFile:
    return BadFile(path, f"the {what} file is cut off or damaged ({shown(str(error))})", "copy it again")


def _flat(name: str, value: Any, depth: int = 0) -> Iterator[_Array]:
    """The arrays of numbers in a value; those of the fields of a structure under their names."""
    array = np.asarray(value)
    if array.dtype.names and depth < MAX_DEPTH:
        for part in array.dtype.names:
            yield from _flat(f"{name}.{part}" if name else part, array[part], depth + 1)
    elif array.dtype.kind == "O" and array.size == 1 and depth < MAX_DEPTH:
        yield from _flat(name, array.ravel()[0], depth + 1)
    elif array.dtype.kind in "iufSU" or (array.dtype.kind == "O" and array.ndim == 1):
        yield _Array(name, array)


def _table(path: Path, format_name: str, arrays: list[_Array], about: dict[str, Any]) -> Table:
    scalars = {**about, **{it.name: it.values.ravel()[0] for it in arrays if it.values.size == 1}}
    texts: list[tuple[str, np.ndarray, dict[str, Any]]] = []
    for array in arrays:
        if array.values.size > 1 or (array.values.size == 0 and array.values.ndim):
            texts += ((name, values, array.about) for name, values in _vectors(array))
    if not texts:
        raise BadFile(path, "it holds no vector of numbers, or was cut off", "export the signals as vectors")
    check_size(path, 0, len(texts))
    # Where all stand in one group, its name says nothing.
    prefixes = {_in_two(name)[0] for name, _, _ in texts}
    bare = [_in_two(name)[1] if len(prefixes) == 1 else name for name, _, _ in texts]
    names = unique_names([name_and_unit(name)[0] for name in bare])
    columns = [
        _column(name, name_and_unit(text)[1], values, own)
        for name, text, (_, values, own) in zip(names, bare, texts, strict=True)
    ]
    notes = tuple(printable(f"{name}: {_told(value)}")[:200] for name, value in scalars.items())
    return Table(path, format_name, tuple(columns), rate_hz=_rate(scalars), started_at=_start(scalars), notes=notes)


def _vectors(array: _Array) -> Iterator[tuple[str, np.ndarray]]:
    values = array.values.squeeze() if array.values.ndim > 1 else array.values
    if values.ndim <= 1:
        yield array.name, values.reshape(-1)
    elif values.ndim == 2:
        rows = values if values.shape[1] >= values.shape[0] else values.T
        for place, row in enumerate(rows[: MAX_COLUMNS + 1], start=1):
            yield f"{array.name}-{place}", row


def _column(name: str, unit: str, values: np.ndarray, about: dict[str, Any]) -> Column:
    unit = next((_told(value) for key, value in about.items() if bare_name(str(key)) in _UNITS), unit)
    if values.dtype.kind in "iuf":
        numbers = kept(values)
        if numbers is None and values.dtype.kind in "iu":
            return Column(name, unit, text=pl.Series(values).cast(pl.String))
        return Column(name, unit, numbers, rate_hz=_rate(about), started_at=_start(about))
    text = pl.Series([_told(it) for it in values], dtype=pl.String)
    return Column(name, unit, text=text, flaw=Flaw(0, shown(text[0])) if len(text) else None)


def _rate(scalars: dict[str, Any]) -> float | None:
    """The sampling rate in Hz that single numbers tell; None where they tell none, or two."""
    rates = {_number(value) for name, value in scalars.items() if _last(name) in _RATES}
    steps = {_number(value) for name, value in scalars.items() if _last(name) in _STEPS}
    found = {rate for rate in rates if rate} or {rate for step in steps if step and (rate := _rate_of(step))}
    return found.pop() if len(found) == 1 else None


def _rate_of(step: float) -> float:
    whole = round(1 / step)
    return float(whole) if whole and 1 / whole == step else 1 / step


def _start(scalars: dict[str, Any]) -> datetime | None:
    for name, value in scalars.items():
        if _last(name) in _STARTS:
            try:
                return datetime.fromisoformat(_told(value))
            except ValueError:
                continue
    return None


def _in_two(name: str) -> tuple[str, str]:
    """The groups or structures that an array is in, and its own name."""
    cut = max(name.rfind("."), name.rfind("/")) + 1
    return name[:cut], name[cut:]


def _last(name: str) -> str:
    return bare_name(_in_two(str(name))[1])


def _number(value: Any) -> float | None:
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "iuf":
        return None
    number = float(array.ravel()[0])
    return number if np.isfinite(number) and number > 0 else None


def _told(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.ravel()[0]
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
