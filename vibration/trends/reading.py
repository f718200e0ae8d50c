"""One feature of an axis over time: each capture on its own while there are few, else extremes of buckets.

However long a span is, at most some thousand rows are read, and no extreme of it is lost.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from vibration.models import Capture, CaptureAxis, CaptureFeatures, FeatureRollup
from vibration.signals.quantities import QUANTITIES, Scale, unit_of_quantity
from vibration.signals.units import Unit, factor_between
from vibration.trends.extremes import NAMES, WIDTHS, begin_of, bucket_of, decoded
from vibration.trends.remarks import Code, Remark

MOST_CAPTURES = 1_000  # of an axis that are read one by one
MOST_BUCKETS = 2_000  # of an axis that are read, if a width of WIDTHS is wide enough
SHORT_SPAN = timedelta(days=1)  # for which captures are looked at before buckets
GAP_INTERVALS = 3  # so many times as far apart as usual, captures have a gap between


class Span(NamedTuple):
    """start <= instant < end."""

    start: datetime
    end: datetime


@dataclass(frozen=True, eq=False)
class Trend:
    """Points in order of time: captures, or buckets that hold some."""

    unit: str  # of the values; "" of a number, and where it is not known
    width: int | None  # seconds of a bucket; None: each point is a capture
    captures: int  # that the points are of
    gap_s: float | None  # further apart than this, neighbours have a gap between; None: it can't be told
    time: np.ndarray  # float64 (n,), seconds from the start of the span; of a bucket, where it begins
    least: np.ndarray  # float64 (n,); NaN where it is not assessable
    greatest: np.ndarray  # float64 (n,)
    is_flat: np.ndarray  # bool (n,): nothing but flat signals
    remarks: list[Remark]


class _Points(NamedTuple):
    """As they are stored, in whatever unit and order."""

    time: np.ndarray  # seconds from the start of the span, or numbers of buckets
    units: list[str]
    least: np.ndarray
    greatest: np.ndarray
    captures: np.ndarray  # how many each is of
    flat: np.ndarray  # how many of these are flat signals


class _Buckets(NamedTuple):
    """What a span is covered by: groups of `size` stored buckets, from a whole one to a whole one."""

    width: int  # seconds of a stored bucket
    size: int
    first: int  # stored bucket
    past: int  # the one behind the last


class _Drawn(NamedTuple):
    """What `Trend` has under these names."""

    gap_s: float | None
    time: np.ndarray
    least: np.ndarray
    greatest: np.ndarray
    is_flat: np.ndarray


def trend_of(axis: CaptureAxis, quantity: str, span: Span, points: int) -> Trend:
    """The quantity, one of QUANTITIES, of the captures of an axis that started within a span; in at most `points`
    buckets, widened to whole ones, if there are more than MOST_CAPTURES.

    The values are in the unit of the newest capture of the axis; what can't be turned into it is left out.
    """
    unit = newest_unit(axis)
    found, buckets = _read(axis, quantity, span, points)
    kept, remarks = _in_unit(found, unit, QUANTITIES[quantity])
    drawn = _of_buckets(kept, buckets, span) if buckets else _of_captures(kept)
    told = Trend(
        unit=unit_of_quantity(quantity, unit),
        width=buckets.width * buckets.size if buckets else None,
        captures=int(kept.captures.sum()),
        remarks=remarks,
        **drawn._asdict(),
    )
    remarks += _remarks(axis, quantity, span, told)
    return told


def _read(axis: CaptureAxis, quantity: str, span: Span, points: int) -> tuple[_Points, _Buckets | None]:
    """What is stored of a span, and the buckets that it is of, None for single captures."""
    if span.end - span.start <= SHORT_SPAN and (each := _captures(axis, quantity, span)) is not None:
        return each, None
    buckets = _cover(span, points)
    found = _in_buckets(axis, quantity, buckets)
    if found.captures.sum() <= MOST_CAPTURES and (each := _captures(axis, quantity, span)) is not None:
        return each, None
    return found, buckets


def newest_unit(axis: CaptureAxis) -> Unit:
    newest = CaptureFeatures.objects.filter(sensor=axis.sensor_id, axis=axis.axis, started_at=axis.newest_at)
    return Unit(newest.values_list("unit", flat=True).first() or "")


def _cover(span: Span, points: int) -> _Buckets:
    """At most so many groups of buckets of the narrowest of WIDTHS of which MOST_BUCKETS cover the span, or the widest.

    Their edges stay where they are as the span moves.
    """
    seconds = (span.end - span.start).total_seconds()
    width = next((it for it in WIDTHS if seconds <= it * MOST_BUCKETS), WIDTHS[-1])
    first, last = bucket_of(span.start, width), bucket_of(span.end - timedelta.resolution, width)
    size = 1
    while last // size - first // size + 1 > points:
        size += 1
    return _Buckets(width, size, first // size * size, (last // size + 1) * size)


def _captures(axis: CaptureAxis, quantity: str, span: Span) -> _Points | None:
    """One by one; None if there are more than MOST_CAPTURES."""
    features = CaptureFeatures.objects.filter(
        sensor=axis.sensor_id, axis=axis.axis, started_at__gte=span.start, started_at__lt=span.end
    )
    # In no order: all of them are sorted here, or none is used.
    rows = list(features.values_list("started_at", "unit", quantity, "crest_factor")[: MOST_CAPTURES + 1])
    if len(rows) > MOST_CAPTURES:
        return None
    values = np.array([value for _at, _unit, value, _crest in rows], np.float64)
    return _Points(
        time=np.array([(at - span.start).total_seconds() for at, *_rest in rows], np.float64),
        units=[unit for _at, unit, _value, _crest in rows],
        least=values,
        greatest=values,
        captures=np.ones(len(rows), np.int64),
        flat=np.array([crest is None for *_rest, crest in rows], np.int64),
    )


def _in_buckets(axis: CaptureAxis, quantity: str, buckets: _Buckets) -> _Points:
    rows = list(
        FeatureRollup.objects.filter(
            sensor=axis.sensor_id,
            axis=axis.axis,
            unit__in=[it.value for it in Unit],  # so the index is used to its end
            width=buckets.width,
            bucket__gte=buckets.first,
            bucket__lt=buckets.past,
        ).values_list("bucket", "unit", "extremes", "count", "flat")
    )
    place = NAMES.index(quantity)
    every = np.stack([decoded(bytes(it[2]))[place] for it in rows]) if rows else np.empty((0, 2))
    return _Points(
        time=np.array([it[0] for it in rows], np.int64),
        units=[it[1] for it in rows],
        least=every[:, 0],
        greatest=every[:, 1],
        captures=np.array([it[3] for it in rows], np.int64),
        flat=np.array([it[4] for it in rows], np.int64),
    )


def _in_unit(found: _Points, unit: Unit, scale: Scale) -> tuple[_Points, list[Remark]]:
    """Those that can be told in this unit, and what became of the others."""
    others = sorted({Unit(it) for it in found.units} - {unit})
    if not others or scale != Scale.SIGNAL:
        return found, []
    factors = {it.value: factor_between(it, unit) for it in (unit, *others)}
    counts = Counter[str]()
    for name, count in zip(found.units, found.captures.tolist(), strict=True):
        counts[name] += count
    remarks = [
        Remark(
            Code.OTHER_UNIT if factors[it.value] is None else Code.CONVERTED, {"captures": counts[it], "unit": it.value}
        )
        for it in others
    ]
    factor = np.array([np.nan if (it := factors[name]) is None else it for name in found.units])
    kept = ~np.isnan(factor)
    least, greatest = (found.least * factor)[kept], (found.greatest * factor)[kept]
    units = [name for name, is_kept in zip(found.units, kept, strict=True) if is_kept]
    return _Points(found.time[kept], units, least, greatest, found.captures[kept], found.flat[kept]), remarks


def _of_captures(found: _Points) -> _Drawn:
    order = np.argsort(found.time, kind="stable")
    time = found.time[order]
    apart = np.diff(time)
    gap = GAP_INTERVALS * float(np.median(apart)) if len(apart) > 1 else None
    return _Drawn(gap, time, found.least[order], found.greatest[order], found.flat[order] > 0)


def _of_buckets(found: _Points, buckets: _Buckets, span: Span) -> _Drawn:
    width = buckets.width * buckets.size
    order = np.argsort(found.time, kind="stable")
    group = found.time[order] // buckets.size
    starts = np.flatnonzero(np.diff(group, prepend=buckets.first // buckets.size - 1))
    if not len(starts):
        none = np.empty(0)
        return _Drawn(None, none, none, none, np.empty(0, bool))
    captures, flat = (np.add.reduceat(it[order], starts) for it in (found.captures, found.flat))
    return _Drawn(
        gap_s=1.5 * width,
        time=np.array([(begin_of(it, width) - span.start).total_seconds() for it in group[starts].tolist()]),
        least=np.fmin.reduceat(found.least[order], starts),
        greatest=np.fmax.reduceat(found.greatest[order], starts),
        is_flat=captures == flat,
    )


def _remarks(axis: CaptureAxis, quantity: str, span: Span, trend: Trend) -> list[Remark]:
    """What else is to be known."""
    of_axis = Capture.objects.of_axis(axis.sensor_id, axis.axis).values_list("started_at", "sampling_hz")
    within = of_axis.filter(started_at__gte=span.start, started_at__lt=span.end)
    oldest, newest = within.reverse().first(), within.first()
    if not oldest or not newest:
        first = of_axis.reverse().first()
        is_before = first and first[0] >= span.end
        return [
            Remark(Code.BEFORE_FIRST, {"first": first[0].isoformat()}) if first and is_before else Remark(Code.NONE, {})
        ]
    found = []
    if oldest[0] - span.start > _usual(trend) and not of_axis.filter(started_at__lt=span.start).exists():
        found.append(Remark(Code.BEFORE_FIRST, {"first": oldest[0].isoformat()}))
    if oldest[1] != newest[1]:
        found.append(Remark(Code.RATES, {"first_hz": oldest[1], "last_hz": newest[1]}))
    if missing := int(np.isnan(trend.least).sum()):
        found.append(Remark(Code.NOT_ASSESSABLE, {"points": missing, "reason": _reason(axis, quantity, newest[0])}))
    return found


def _usual(trend: Trend) -> timedelta:
    """How far into a span its first capture may be without a word."""
    return timedelta(seconds=trend.gap_s or 0)


REASON_FIELDS = {
    "velocity_rms": "velocity_reason",
    "shaft_hz": "orders_reason",
    **{name: "orders_reason" for name in NAMES if name.startswith("order_")},
    **{name: "envelope_reason" for name in NAMES if name.startswith("envelope_")},
}


def _reason(axis: CaptureAxis, quantity: str, at: datetime) -> str:
    """Why the capture of this instant has no value, as stored; "" where it has one, or nothing is stored of that."""
    if quantity not in REASON_FIELDS:
        return ""
    features = CaptureFeatures.objects.filter(sensor=axis.sensor_id, axis=axis.axis, started_at=at)
    return features.values_list(REASON_FIELDS[quantity], flat=True).first() or ""
