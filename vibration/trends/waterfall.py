"""Spectra of an axis over time as one image: the greatest amplitude in each cell, in decibels."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from vibration.models import CaptureAxis, CaptureFeatures, FeatureRollup, SpectrumOutline
from vibration.signals.units import Unit, factor_between
from vibration.spectra.outline import EDGES, decibels
from vibration.trends.extremes import WIDTHS, bucket_of
from vibration.trends.outlines import codes_of
from vibration.trends.reading import Span, newest_unit
from vibration.trends.remarks import Code, Remark

MOST_STARTS = 5_000  # of captures whose outlines are chosen among one by one
LEVELS = 255  # of an image; 0 is for where there is nothing
RANGE_DB = 80.0


@dataclass(frozen=True, eq=False)
class Waterfall:
    """An image of m rows, lowest frequency first, and n columns in order of time."""

    unit: Unit
    captures: int  # in the span
    every_s: float | None  # of each so many seconds the first capture is shown; None: all are
    time: np.ndarray  # float64 (n,), seconds from the start of the span, when the capture of a column started
    shaft_hz: np.ndarray  # float64 (n,); NaN where it is not known
    sampling_hz: np.ndarray  # float64 (n,)
    frequency: np.ndarray  # float64 (m + 1,), Hz, edges of rows
    floor_db: float  # re 1 of the unit: what has level 1, and all that is less
    top_db: float  # the greatest of all, level 255
    decibels: np.ndarray  # float64 (m, n), re 1 of the unit; -inf of nothing, NaN where no spectrum reaches
    levels: np.ndarray  # uint8 (m, n); 0: no spectrum reaches there
    remarks: list[Remark]


def waterfall_of(
    axis: CaptureAxis,
    span: Span,
    band: tuple[float, float | None] = (0.0, None),
    *,
    columns: int,
    rows: int,
    range_db: float = RANGE_DB,
) -> Waterfall:
    """The outlines of the captures of an axis within a span, from one frequency to another in Hz, None: half the rate.

    At most `columns` captures are shown: of more, the first in each of equal parts of the span. A row is no narrower
    than the finest band of an outline, 1 Hz, and has the greatest amplitude of the bands that it touches.
    """
    outlines, captures, every_s = _chosen(axis, span, columns)
    unit = newest_unit(axis)
    shown, remarks = _in_unit(outlines, unit)
    if not captures:
        remarks.append(Remark(Code.NONE, {}))
    if every_s:
        remarks.append(Remark(Code.THINNED, {"every_s": every_s}))
    elif len(outlines) < captures:
        remarks.append(Remark(Code.NO_OUTLINE, {"captures": captures - len(outlines)}))
    rates = np.array([it.sampling_hz for it in shown])
    if len(shown) and rates.min() != rates.max():
        remarks.append(Remark(Code.RATES, {"first_hz": float(rates[0]), "last_hz": float(rates[-1])}))
    edges = _edges(band, float(rates.max()) if len(rates) else 0.0, rows)
    found = _cells(shown, unit, edges)
    top = float(np.fmax.reduce(found, axis=None, initial=-np.inf))
    top = top if np.isfinite(top) else 0.0
    return Waterfall(
        unit=unit,
        captures=captures,
        every_s=every_s,
        time=np.array([(it.started_at - span.start).total_seconds() for it in shown]),
        shaft_hz=np.array([it.shaft_hz for it in shown], np.float64),
        sampling_hz=rates,
        frequency=edges,
        floor_db=top - range_db,
        top_db=top,
        decibels=found,
        levels=_levels(found, top, range_db),
        remarks=remarks,
    )


def _chosen(axis: CaptureAxis, span: Span, columns: int) -> tuple[list[SpectrumOutline], int, float | None]:
    """At most so many outlines in order of time; how many captures there are; and of how many seconds each is the
    first, None if none is left out."""
    of_axis = SpectrumOutline.objects.filter(sensor=axis.sensor_id, axis=axis.axis)
    within = of_axis.filter(started_at__gte=span.start, started_at__lt=span.end)
    seconds = (span.end - span.start).total_seconds()
    width = next((it for it in WIDTHS if seconds <= it * columns), WIDTHS[-1])
    firsts, captures = _first_of_buckets(axis, span, width)
    if captures <= MOST_STARTS:  # the buckets at the ends hold others, too
        features = CaptureFeatures.objects.filter(sensor=axis.sensor_id, axis=axis.axis)
        captures = features.filter(started_at__gte=span.start, started_at__lt=span.end).count()
    starts = sorted(within.values_list("started_at", flat=True)[: MOST_STARTS + 1])
    if len(starts) <= columns:
        return sorted(within, key=lambda it: it.started_at), captures, None
    if len(starts) > MOST_STARTS:
        starts = firsts
        every = float(width * -(-int(np.ceil(seconds / width)) // columns))
    else:
        every = seconds / columns
    chosen: dict[int, datetime] = {}
    for it in starts:
        chosen.setdefault(int((it - span.start).total_seconds() // every), it)
    return sorted(of_axis.filter(started_at__in=chosen.values()), key=lambda it: it.started_at), captures, every


def _first_of_buckets(axis: CaptureAxis, span: Span, width: int) -> tuple[list[datetime], int]:
    """When the first capture of each bucket of a width started, in order of time, if within the span; and how many
    captures the buckets have."""
    rows = FeatureRollup.objects.filter(
        sensor=axis.sensor_id,
        axis=axis.axis,
        unit__in=[it.value for it in Unit],
        width=width,
        bucket__gte=bucket_of(span.start, width),
        bucket__lte=bucket_of(span.end - timedelta.resolution, width),
    ).values_list("first_at", "count")
    return sorted(at for at, _count in rows if span.start <= at < span.end), sum(count for _at, count in rows)


def _in_unit(outlines: list[SpectrumOutline], unit: Unit) -> tuple[list[SpectrumOutline], list[Remark]]:
    """Those that can be told in this unit, and what became of the others."""
    remarks = []
    for other in sorted({Unit(it.unit) for it in outlines} - {unit}):
        code = Code.OTHER_UNIT if factor_between(other, unit) is None else Code.CONVERTED
        count = sum(it.unit == other for it in outlines)
        remarks.append(Remark(code, {"captures": count, "unit": other.value}))
    return [it for it in outlines if factor_between(Unit(it.unit), unit) is not None], remarks


def _edges(band: tuple[float, float | None], rate: float, rows: int) -> np.ndarray:
    """Hz, of equally wide rows; of none where there is nothing to show."""
    low, high = band[0], rate / 2 if band[1] is None else min(band[1], rate / 2)
    if not low < high:
        return np.array([low])
    return np.linspace(low, high, min(rows, max(1, int(high - low))) + 1)


def _cells(outlines: list[SpectrumOutline], unit: Unit, edges: np.ndarray) -> np.ndarray:
    """Decibels float64 (m, n) re 1 of the unit; -inf where nothing is, NaN where no spectrum reaches."""
    rows = len(edges) - 1
    cells = np.full((rows, len(outlines)), np.nan)
    if not rows:
        return cells
    # The band in which each row begins; a row takes what lies up to that of the next, or that one alone.
    first = np.maximum(0, np.searchsorted(EDGES, edges[:-1], "right") - 1)
    past = int(np.searchsorted(EDGES, edges[-1], "left"))
    for column, it in enumerate(outlines):
        codes = codes_of(it)[:past]
        reached = first[first < len(codes)]
        if len(reached):
            factor = factor_between(Unit(it.unit), unit) or 1.0
            greatest = np.maximum.reduceat(codes, reached)
            cells[: len(reached), column] = decibels(greatest) + 20 * np.log10(factor)
    cells[edges[1:] <= EDGES[0]] = np.nan  # outlines begin there
    return cells


def _levels(cells: np.ndarray, top: float, range_db: float) -> np.ndarray:
    """uint8: 1 of all up to range_db below the top, 255 of the top, 0 where no spectrum reaches."""
    share = np.clip((cells - (top - range_db)) / range_db, 0, 1)
    return np.where(np.isnan(cells), 0, 1 + np.rint(share * (LEVELS - 1))).astype(np.uint8)
