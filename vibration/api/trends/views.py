"""The API of captures over time; its paths stand in `himmes/api/urls.py`, what it says of itself in `schema.py`."""

from collections.abc import Callable

import numpy as np
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.csv_export import CsvRenderer
from common.polls import mark_poll
from common.rest.query import read_query
from vibration.api.trends import schema
from vibration.api.trends import serializers as shapes
from vibration.api.trends.exports import export_trend, export_waterfall
from vibration.api.trends.series import Axes, axes_of, span_of, version_of
from vibration.models import Capture, CaptureAxis
from vibration.signals.quantities import unit_of_quantity
from vibration.trends.reading import MOST_CAPTURES, Span, Trend, trend_of
from vibration.trends.summary import Summary, summary_of
from vibration.trends.waterfall import Waterfall, waterfall_of

Answer = Callable[[dict, Axes, Span], HttpResponseBase]


class _OverTime(APIView):
    """Pages ask each some seconds; nothing but the rows of the axes is read while nothing has changed."""

    queryset = Capture.objects.all()

    def answer(self, request: Request, asked: dict, names: list, make: Answer) -> HttpResponseBase:
        now = timezone.now()
        span, axes = span_of(asked, now), axes_of(asked["machine_name"], names)
        version = version_of(request, axes, now)
        unchanged = get_conditional_response(request, etag=version)
        response = unchanged or make(asked, axes, span)
        response.headers["ETag"], response.headers["Cache-Control"] = version, "private, no-cache"
        mark_poll(response, "If-None-Match" in request.headers)
        return response


@schema.TREND
class TrendView(_OverTime):
    """One feature of several axes over time."""

    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request):
        asked = read_query(shapes.TrendQuery, request.query_params)

        def make(asked: dict, axes: Axes, span: Span) -> HttpResponseBase:
            feature = asked["feature"]
            found = [(it, trend_of(it, feature, span, asked["points"])) for it in axes.chosen]
            if request.accepted_renderer.format == "csv":
                return export_trend(request, asked["machine_name"], feature, span, found)
            told = _told(asked, axes, span) | {"points": asked["points"], "series": [_series(*it) for it in found]}
            return Response(shapes.TrendAnswer.of(told))

        return self.answer(request, asked, asked["series"], make)


@schema.NUMBERS
class TrendNumbersView(_OverTime):
    """One feature of several axes over a span in numbers, to be compared."""

    def get(self, request):
        asked = read_query(shapes.TrendNumbersQuery, request.query_params)

        def make(asked: dict, axes: Axes, span: Span) -> HttpResponseBase:
            feature = asked["feature"]
            found = [(it, summary_of(it, feature, span.start, span.end, most=MOST_CAPTURES)) for it in axes.chosen]
            series = [_in_numbers(axis, feature, summary) for axis, summary in found]
            return Response(shapes.TrendNumbersAnswer.of(_told(asked, axes, span) | {"series": series}))

        return self.answer(request, asked, asked["series"], make)


@schema.WATERFALL
class WaterfallView(_OverTime):
    """The spectra of an axis over time as an image."""

    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request):
        asked = read_query(shapes.WaterfallQuery, request.query_params)

        def make(asked: dict, axes: Axes, span: Span) -> HttpResponseBase:
            [axis] = axes.chosen
            band = asked["low"], asked.get("high")
            found = waterfall_of(axis, span, band, columns=asked["columns"], rows=asked["rows"])
            if request.accepted_renderer.format == "csv":
                return export_waterfall(request, asked["machine_name"], axis, span, found)
            return Response(shapes.WaterfallAnswer.of(_told(asked, axes, span) | _image(axis, found)))

        return self.answer(request, asked, [asked["series"]], make)


def _told(asked: dict, axes: Axes, span: Span) -> dict:
    return {
        "machine_name": asked["machine_name"],
        "feature": asked.get("feature"),
        "span": span,
        "newest": axes.newest,
        "left_out": axes.left_out,
    }


def _series(axis: CaptureAxis, found: Trend) -> dict:
    """What TrendSeries is made of."""
    greatest = None if found.width is None else found.greatest
    return {"axis": axis, "found": found, "greatest": greatest, "flat": np.flatnonzero(found.is_flat)}


def _in_numbers(axis: CaptureAxis, feature: str, found: Summary) -> dict:
    """What SeriesInNumbers is made of."""
    return {"axis": axis, "found": found, "unit": unit_of_quantity(feature, found.unit)}


def _image(axis: CaptureAxis, found: Waterfall) -> dict:
    """What WaterfallAnswer is made of beside what was asked."""
    rates = [float(found.sampling_hz.min()), float(found.sampling_hz.max())] if len(found.time) else []
    return {"axis": axis, "found": found, "shown": len(found.time), "rates": rates}
