"""Trends and waterfalls as CSV, below comments that say what it is and what became of it on the way."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np
from django.http import StreamingHttpResponse
from rest_framework.request import Request

from common.csv_export import stream_csv, time_text
from vibration.models import Capture, CaptureAxis
from vibration.trends.reading import Span, Trend
from vibration.trends.remarks import Remark
from vibration.trends.waterfall import Waterfall


def export_trend(
    request: Request, machine: str, feature: str, span: Span, found: Sequence[tuple[CaptureAxis, Trend]]
) -> StreamingHttpResponse:
    """A line of each point of each series, in the order of these."""
    about: dict[str, object] = {"machine": machine, "feature": feature, **_told_of(span)}
    for axis, trend in found:
        about[_name_of(axis)] = "; ".join([*_points_in_words(trend), *map(_in_words, trend.remarks)])
    header = ["sensor_no", "axis", "unit", "time", "least", "greatest", "flat"]
    lines = (line for axis, trend in found for line in _trend_lines(axis, trend, span))
    return stream_csv(request, "-".join(["trend", machine, feature]), header, lines, of=Capture, about=about)


def _told_of(span: Span) -> dict[str, object]:
    return {"start": time_text(span.start), "end": time_text(span.end)}


def _name_of(axis: CaptureAxis) -> str:
    return f"series {axis.sensor.sensor_no} {axis.axis}"


def _points_in_words(trend: Trend) -> list[str]:
    how = "each on its own" if trend.width is None else f"least and greatest of each {trend.width} s"
    return [f"{trend.captures} captures", how]


def _in_words(remark: Remark) -> str:
    return " ".join([remark.code.value, *(f"{name}={value}" for name, value in remark.numbers.items())])


def _trend_lines(axis: CaptureAxis, trend: Trend, span: Span) -> Iterator[list]:
    columns = (trend.time.tolist(), trend.least.tolist(), trend.greatest.tolist(), trend.is_flat.tolist())
    for time, least, greatest, is_flat in zip(*columns, strict=True):
        values = [None if np.isnan(it) else it for it in (least, greatest)]
        at = span.start + timedelta(seconds=time)
        yield [axis.sensor.sensor_no, axis.axis, trend.unit, at, *values, "yes" if is_flat else "no"]


def export_waterfall(
    request: Request, machine: str, axis: CaptureAxis, span: Span, found: Waterfall
) -> StreamingHttpResponse:
    """A line of each capture that is shown: the greatest amplitude of each row, empty where no spectrum reaches."""
    about: dict[str, object] = {
        "machine": machine,
        "sensor": axis.sensor.sensor_no,
        "axis": axis.axis,
        **_told_of(span),
        "unit": found.unit.value or "not known",
        "window": "Hann, of the whole capture",
        "reduction": "greatest amplitude from each frequency to the next, coded to 0.4 %",
        "captures": found.captures,
        "shown": len(found.time),
    }
    if found.remarks:
        about["remarks"] = "; ".join(map(_in_words, found.remarks))
    edges = [f"{low:g}-{high:g} Hz" for low, high in zip(found.frequency[:-1], found.frequency[1:], strict=True)]
    name = "-".join(["waterfall", machine, axis.sensor.sensor_no, axis.axis])
    header = ["time", "sampling_hz", "shaft_hz", *edges]
    return stream_csv(request, name, header, _waterfall_lines(found, span), of=Capture, about=about)


def _waterfall_lines(found: Waterfall, span: Span) -> Iterator[list]:
    amplitude = 10 ** (found.decibels / 20)
    for column, time in enumerate(found.time.tolist()):
        speed = found.shaft_hz[column]
        cells = [None if np.isnan(it) else it for it in (speed, *amplitude[:, column].tolist())]
        yield [span.start + timedelta(seconds=time), float(found.sampling_hz[column]), *cells]
