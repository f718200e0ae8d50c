"""Parquet files, by polars."""

import io
from pathlib import Path

import numpy as np
import polars as pl

from vibration.formats.delimited import shown
from vibration.formats.names import name_and_unit
from vibration.formats.table import BadFile, Column, Flaw, Table, check_size, kept, unique_names


def read_parquet(path: Path, content: bytes) -> Table:
    """Each column; instants as ISO text. Lists and bytes are left unread. Raises BadFile for what is damaged."""
    try:
        lazy = pl.scan_parquet(io.BytesIO(content))
        schema = lazy.collect_schema()
        width, rows = len(schema), int(lazy.select(pl.len()).collect().item())
        # One row of lists may hold any number of values.
        flat = {name: dtype for name, dtype in schema.items() if not (dtype.is_nested() or dtype == pl.Binary)}
        check_size(path, width * rows, width, size=rows * sum(map(_bytes_of, flat.values())))
        frame = lazy.select(list(flat)).collect()
    except BadFile:
        raise
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        what = shown(str(error).partition("\n")[0])
        raise BadFile(path, f"the Parquet file is cut off or damaged ({what})", "copy it again") from None
    names = unique_names([name_and_unit(name)[0] for name in schema])
    columns = []
    for name, said in zip(names, schema, strict=True):
        unit = name_and_unit(said)[1]
        columns.append(_column(name, unit, frame[said]) if said in flat else _unread(name, unit, rows))
    return Table(path, "parquet", tuple(columns))


def _bytes_of(dtype: pl.DataType) -> int:
    """Of a value in memory; of a text, that of a reference."""
    return pl.Series(dtype=dtype).to_numpy().dtype.itemsize


def _unread(name: str, unit: str, rows: int) -> Column:
    return Column(name, unit, text=pl.repeat("", rows, dtype=pl.String, eager=True), flaw=Flaw(0, "") if rows else None)


def _column(name: str, unit: str, series: pl.Series) -> Column:
    if series.null_count():
        return Column(
            name, unit, text=_text(series), flaw=Flaw(int(np.flatnonzero(series.is_null().to_numpy())[0]), "")
        )
    if series.dtype.is_temporal() or series.dtype == pl.String:
        text = _text(series)
        return Column(name, unit, text=text, flaw=Flaw(0, shown(text[0])) if len(text) else None)
    if not series.dtype.is_numeric() or series.dtype.is_decimal():
        return Column(name, unit)
    values = kept(series.to_numpy())
    return Column(name, unit, values, text=None if values is not None else series.cast(pl.String))


def _text(series: pl.Series) -> pl.Series:
    """As text; instants with their offset, if they have a zone."""
    if isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone:
            return series.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").fill_null("")
        return series.dt.strftime("%Y-%m-%dT%H:%M:%S%.9f").fill_null("")
    return series.cast(pl.String).fill_null("")
