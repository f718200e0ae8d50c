"""The list of captures, the page of each, and keeping one."""

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.page_queries import reads
from vibration.captures.storing import say_kept
from vibration.models import Capture, CaptureFeatures
from vibration.pages import capture_numbers
from vibration.pages.capture_list import CaptureForm, read_page
from vibration.pages.forms import WindowForm
from vibration.pages.rounding import significant
from vibration.pages.trends.links import trend_of_axis, waterfall_of_axis
from vibration.pages.views import WAVEFORM_TEXT

MAY_ADD, MAY_KEEP = "vibration.add_capture", "vibration.change_capture"
may_view = permission_required("vibration.view_capture", raise_exception=True)
# What static/js/capture.js says otherwise than the page of recordings does.
CAPTURE_TEXT = WAVEFORM_TEXT | {
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
@reads(WindowForm)
def capture(request: HttpRequest, number: int) -> HttpResponse:
    found = get_object_or_404(Capture.objects.without_samples().with_place(), pk=number)
    form = WindowForm(request.GET)
    of_axis = Capture.objects.without_samples().filter(sensor=found.sensor_id, axis=found.axis)
    features = CaptureFeatures.objects.filter(pk=(found.sensor_id, found.axis, found.started_at)).first()
    context = {
        "capture": found,
        "form": form,
        "shows_charts": form.is_valid() and found.has_samples,
        "file_name": f"{found.sensor} / {found.axis} / {found.started_at:%Y%m%dT%H%M%SZ}".replace(" / ", "_"),
        "step": 1 / found.sampling_hz,
        "last": (found.count - 1) / found.sampling_hz,
        "speed": significant(found.rpm),
        "unit": capture_numbers.unit_of(found),
        "marks": capture_numbers.marks_of(found),
        "length": significant(found.length),
        "rate": significant(found.sampling_hz, 7),
        "earlier": of_axis.filter(started_at__lt=found.started_at).order_by("-started_at").first(),
        "later": of_axis.filter(started_at__gt=found.started_at).order_by("started_at").first(),
        "axes": Capture.objects.without_samples()
        .filter(sensor=found.sensor_id, started_at=found.started_at)
        .order_by("axis"),
        "trend": trend_of_axis(found.sensor, found.axis, found.started_at),
        "waterfall": waterfall_of_axis(found.sensor, found.axis, found.started_at),
        "text": CAPTURE_TEXT | {"states": {"signal": found.axis}},
    }
    if features:
        context |= {
            "features": features,
            "overall": [*capture_numbers.overall(features), *capture_numbers.shaft(features)],
            "orders": capture_numbers.orders(features),
            "orders_reason": capture_numbers.reason_text(features.orders_reason),
            "bands": capture_numbers.bands(found, features),
        }
    return render(request, "vibration/capture.html", context, status=200 if form.is_valid() else 400)


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
