"""What people do without this: features by SQL into pandas, or from a Parquet file into polars, and resampled there."""

from pathlib import Path

import pandas as pd
import polars as pl
from django.db import connection

from bench.bench_trends.plant import AXES
from vibration.models import CaptureFeatures
from vibration.trends.reading import Span


def read_rms(sensor: int, span: Span) -> pd.DataFrame:
    """RMS of three axes over a span, by axis and instant."""
    rows = CaptureFeatures.objects.filter(
        sensor=sensor, axis__in=AXES, started_at__gte=span.start, started_at__lt=span.end
    )
    sql, params = rows.values_list("axis", "started_at", "rms").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return pd.DataFrame(cursor.fetchall(), columns=["axis", "started_at", "rms"])


def with_pandas(sensor: int, span: Span, width: int) -> int:
    """Least and greatest of each bucket; how many there are."""
    frame = read_rms(sensor, span)
    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True, format="ISO8601")
    grouped = frame.set_index("started_at").groupby("axis")["rms"].resample(f"{width}s")
    return len(grouped.agg(["min", "max"]).dropna())


def save_parquet(sensor: int, span: Span, path: Path) -> None:
    frame = read_rms(sensor, span)
    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True, format="ISO8601").astype("int64")
    pl.DataFrame({name: frame[name].to_list() for name in frame}).write_parquet(path)


def with_parquet(path: Path, start_ns: int, width: int) -> int:
    """Likewise, from a file that has nothing but these columns."""
    rows = pl.scan_parquet(path).filter(pl.col("started_at") >= start_ns)
    bucket = pl.col("started_at") // (width * 1_000_000_000)
    rms = pl.col("rms")
    return len(rows.group_by("axis", bucket).agg(rms.min().alias("least"), rms.max().alias("greatest")).collect())
