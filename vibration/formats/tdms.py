"""TDMS files of LabVIEW, by nptdms: each channel with its step, start and unit."""

import io
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from nptdms import TdmsFile

from common.printable import printable
from vibration.formats.delimited import shown
from vibration.formats.names import name_and_unit
from vibration.formats.table import BadFile, Column, Flaw, Table, kept, unique_names

LEAD_IN_BYTES = 28
_DAMAGE: tuple[type[Exception], ...] = (ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError)
_DAMAGE += (OverflowError, OSError, NotImplementedError, MemoryError, struct.error)


def read_tdms(path: Path, content: bytes) -> Table:
    """Each channel. Raw whole numbers under a linear scale through zero stay whole, with that scale.

    Raises BadFile for what is cut off or damaged.
    """
    if _is_cut(content):
        raise BadFile(path, "the TDMS file ends within a segment: it was cut off", "copy it again")
    try:
        file = TdmsFile.read(io.BytesIO(content))
        channels = [channel for group in file.groups() for channel in group.channels()]
        many = len(file.groups()) > 1
        texts = [f"{channel.group_name}/{channel.name}" if many else channel.name for channel in channels]
        names = unique_names([name_and_unit(text)[0] for text in texts])
        columns = [_column(name, text, it) for name, text, it in zip(names, texts, channels, strict=True)]
        properties = dict(file.properties)
    except _DAMAGE as error:
        raise BadFile(path, f"the TDMS file is damaged ({shown(str(error))})", "copy it again") from None
    notes = tuple(printable(f"{name}: {value}") for name, value in properties.items())
    return Table(path, "tdms", tuple(columns), notes=notes)


def _is_cut(content: bytes) -> bool:
    """Whether the bytes end elsewhere than a segment does; each begins with how long it is."""
    at = 0
    while at < len(content):
        if at + LEAD_IN_BYTES > len(content):
            return True
        at += LEAD_IN_BYTES + int.from_bytes(content[at + 12 : at + 20], "little")
    return at > len(content)


def _column(name: str, text: str, channel: Any) -> Column:
    properties = channel.properties
    unit = str(properties.get("unit_string") or properties.get("NI_UnitDescription") or name_and_unit(text)[1])
    step = float(properties.get("wf_increment") or 0)
    values, scale, stamps = _values(channel)
    flaw = Flaw(0, shown(stamps[0])) if stamps is not None and len(stamps) else None
    return Column(
        name,
        unit,
        values,
        scale=scale,
        text=stamps,
        flaw=flaw,
        rate_hz=rate_of_step(step),
        started_at=_start(properties),
    )


def rate_of_step(step: float) -> float | None:
    """1/step; the whole number of Hz whose step this is, if there is one."""
    if not step > 0:
        return None
    whole = round(1 / step)
    return float(whole) if whole and 1 / whole == step else 1 / step


def _values(channel: Any) -> tuple[np.ndarray | None, float | None, pl.Series | None]:
    """Numbers and their scale, or time stamps as text."""
    if (scale := _plain_scale(channel.properties)) is not None:
        raw = kept(channel.raw_data)
        if raw is not None and raw.dtype.kind == "i":
            return raw, scale, None
    data = np.asarray(channel[:])
    if data.dtype.kind == "M":
        instants = pl.Series(data.astype("datetime64[ns]"))
        return None, None, instants.dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
    if data.dtype.kind in "iuf":
        return kept(data), None, None
    return None, None, pl.Series([str(it) for it in data], dtype=pl.String)


def _plain_scale(properties: dict[str, Any]) -> float | None:
    """The slope of a scale that is the only one, linear and through zero."""
    if properties.get("NI_Number_Of_Scales") != 1 or properties.get("NI_Scale[0]_Scale_Type") != "Linear":
        return None
    if properties.get("NI_Scale[0]_Linear_Y_Intercept") != 0:
        return None
    slope = float(properties.get("NI_Scale[0]_Linear_Slope", 0))
    return slope if slope and np.isfinite(slope) else None


def _start(properties: dict[str, Any]) -> datetime | None:
    """The instant of the first sample."""
    stamp = properties.get("wf_start_time")
    if stamp is None:
        return None
    if isinstance(stamp, datetime):
        start = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    else:
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            microseconds=int(np.datetime64(stamp, "us").astype(np.int64))
        )
    if start.year < 1971:
        return None  # what LabVIEW writes where nobody set it is 1904
    return start + timedelta(seconds=float(properties.get("wf_start_offset") or 0))
