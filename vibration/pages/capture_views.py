"""The list of captures, the page of each, and keeping one."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.page_queries import reads
from vibration.captures.storing import say_kept
from vibration.models import Capture, CaptureFeatures
from vibration.pages import capture_numbers, comparison
from vibration.pages.capture_list import CaptureForm, features_by_key, read_page
from vibration.pages.forms import WindowForm
from vibration.pages.report import FEATURES, ReportForm, trend_query
from vibration.pages.rounding import significant
from vibration.pages.spectrum_tools import ENVELOPE, TOOLS_TEXT, CaptureTools, RangeTools
from vibration.pages.trends.links import trend_of_axis, waterfall_of_axis
from vibration.pages.views import WAVEFORM_TEXT
from vibration.trends.series import series_key

MAY_ADD, MAY_KEEP = "vibration.add_capture", "vibration.change_capture"
may_view = permission_required("vibration.view_capture", raise_exception=True)
# What static/js/capture.js says otherwise than the page of recordings does.
CAPTURE_TEXT = (
    WAVEFORM_TEXT
    | TOOLS_TEXT
    | {
        "nothing": _("There are no samples in this window. The capture spans {start} s to {end} s."),
        "time": _("Seconds from the start of the capture"),
        "gone": _("This capture is no longer stored."),
        "samples_removed": _("The samples of this capture were removed, so there is no spectrum."),
        "fewer_than_16": _("No spectrum: it needs at least 16 samples."),
        "too_few_samples": _("No spectrum: it needs more samples than these."),
        "rate_too_low": _("No spectrum of the envelope: the sampling rate is too low for it."),
        "short": _("The capture is shorter than a usual section, so the resolution is coarser than usual."),
        "orders": _("Order 1 is the shaft frequency, {hertz} Hz ({rpm} rpm)."),
        "no_orders": _(
            "The speed is not known, so peaks are not given as orders. They are once the machine has a rated speed."
        ),
    }
)
# What static/js/report.js says beyond that.
REPORT_TEXT = {
    "days_before": _("Days before this capture"),
    "trend_none": _("There is no value of it in these days."),
    "trend_buckets": _("Each step is of {width} h: the least and the greatest value of the captures in it."),
    "trend_each": _("Each point is a capture."),
    "trend_left_out": _("Captures in another unit are left out: {captures}."),
    "trend_not_assessable": _("Captures of which it is not assessable: {captures}."),
    "trend_before_first": _("The first capture of this axis is younger than these days."),
}
TOOLS = [*CaptureTools.names(), *RangeTools.names(ENVELOPE)]


@may_view
@reads(CaptureForm)
def captures(request: HttpRequest) -> HttpResponse:
    form = CaptureForm(request.GET)
    if not form.is_valid():
        return render(request, "vibration/captures.html", {"form": form}, status=400)
    page = read_page(form, timezone.now())
    context = {
        "form": form,
        "page": page,
        "place": form.place(),
        "is_first": not form.cleaned_data["cursor"],
        "older": page.older and form.from_newest(cursor=page.older),
    }
    return render(request, "vibration/captures.html", context)


@may_view
@reads(WindowForm, "with", *TOOLS)
def capture(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(Capture.objects.without_samples().with_place(), pk=number)
    form = WindowForm(request.GET)
    tools = CaptureTools(request.GET, found.unit, "capture-form")
    envelope_tools = RangeTools(request.GET, ENVELOPE, "capture-form")
    other, errors = comparison.compared_with(request.GET, found)
    is_valid = form.is_valid() & tools.is_valid() & envelope_tools.is_valid() and not errors
    of_axis = Capture.objects.without_samples().filter(sensor=found.sensor_id, axis=found.axis)
    earlier = of_axis.filter(started_at__lt=found.started_at).order_by("-started_at").first()
    features = features_by_key([found, other] if other else [found])
    own = features.get(_key(found))
    context = _about(found, own) | {
        "form": form,
        "tools": tools,
        "envelope_tools": envelope_tools,
        "is_valid": is_valid,
        "shows_charts": is_valid and found.has_samples,
        "file_name": f"{found.sensor} / {found.axis} / {found.started_at:%Y%m%dT%H%M%SZ}".replace(" / ", "_"),
        "earlier": earlier,
        "later": of_axis.filter(started_at__gt=found.started_at).order_by("started_at").first(),
        "axes": Capture.objects.without_samples()
        .filter(sensor=found.sensor_id, started_at=found.started_at)
        .order_by("axis"),
        "others": comparison.others_of(found, earlier),
        "with_errors": errors,
        "trend": trend_of_axis(found.sensor, found.axis, found.started_at),
        "waterfall": waterfall_of_axis(found.sensor, found.axis, found.started_at),
        "text": CAPTURE_TEXT | {"states": {"signal": found.axis}},
    }
    if other:
        features_of_other = features.get(_key(other))
        context |= {
            "other": other,
            "factor": comparison.factor_between(found, other),
            "other_has_velocity": comparison.is_acceleration(other),
            "remarks": comparison.remarks_on(found, other),
            "shaft_hz_of_other": features_of_other.shaft_hz if features_of_other else None,
            "numbers_of_both": comparison.numbers_of_both(found, other, own, features_of_other),
        }
    return render(request, "vibration/capture.html", context, status=200 if is_valid else 400)


def _key(capture: Capture) -> tuple:
    return capture.sensor_id, capture.axis, capture.started_at


def _about(capture: Capture, features: CaptureFeatures | None) -> dict[str, Any]:
    """What a capture is, and its numbers unless they are being made anew."""
    context = {
        "capture": capture,
        "step": 1 / capture.sampling_hz,
        "last": (capture.count - 1) / capture.sampling_hz,
        "speed": significant(capture.rpm),
        "unit": capture_numbers.unit_of(capture),
        "marks": capture_numbers.marks_of(capture),
        "length": significant(capture.length),
        "rate": significant(capture.sampling_hz, 7),
    }
    if features:
        context |= {
            "features": features,
            "overall": [*capture_numbers.overall(features), *capture_numbers.shaft(features)],
            "orders": capture_numbers.orders(features),
            "orders_reason": capture_numbers.reason_text(features.orders_reason),
            "bands": capture_numbers.bands(capture, features),
        }
    return context


@may_view
@reads(ReportForm, *CaptureTools.names())
def report(request: HttpRequest, number: int) -> HttpResponse:
    """One sheet of paper: what stands in the query string is as on the page of the capture."""
    found = get_object_or_404(Capture.objects.without_samples().with_place(), pk=number)
    features = features_by_key([found]).get(_key(found))
    form = ReportForm(request.GET, features)
    tools = CaptureTools(request.GET, found.unit, "report-form")
    is_valid = form.is_valid() & tools.is_valid()
    context = _about(found, features) | {
        "form": form,
        "tools": tools,
        "is_valid": is_valid,
        "is_drawn": is_valid and found.has_samples,
        "now": timezone.now(),
        "text": CAPTURE_TEXT | REPORT_TEXT | {"states": {"signal": found.axis}},
    }
    if is_valid:
        feature = form.cleaned_data["feature"] or form["feature"].value()
        context |= {
            "trend": trend_query(found, feature),
            "trend_name": dict(FEATURES)[feature],
            "series": series_key(found.sensor.sensor_no, found.axis),
        }
    return render(request, "vibration/capture_report.html", context, status=200 if is_valid else 400)


@reads()
def keep(request: HttpRequest, number: int) -> HttpResponse:
    """Keep a capture's samples, or let them go. Whoever comes here by a link, as after a login, is led to it."""
    return _keep(request, number) if request.method == "POST" else redirect("capture", number)


@permission_required(MAY_KEEP, raise_exception=True)
def _keep(request: HttpRequest, number: int) -> HttpResponse:
    try:
        say_kept(number, request.POST.get("kept") == "yes")
    except Capture.DoesNotExist:
        raise Http404 from None
    return redirect("capture", number)
