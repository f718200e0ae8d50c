"""The waterfall page: the spectra of an axis over time as one image, and from its columns to captures."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.page_queries import reads
from common.periods import LONG_RANGE_NAMES, LONG_RANGES, NO_LONG_RANGE, InstantField, PeriodForm
from vibration.models import Capture, CaptureAxis
from vibration.models.captures import UNITS
from vibration.pages.capture_list import axes_with_captures
from vibration.trends.series import series_key

HZ, ORDERS = "hz", "orders"
FLOORS_DB = (20, 40, 60, 80)  # below the greatest
USUAL_FLOOR_DB = 60
NEAR = timedelta(milliseconds=1)  # a browser tells instants to the millisecond
may_view = permission_required("vibration.view_capture", raise_exception=True)
_NO_MACHINE = _("There is no machine “%(value)s” with captures. Choose one from the list.")
_NO_AXIS = _("This machine has no axis “%(value)s”. Choose from the list.")
_NOT_A_FREQUENCY = dict.fromkeys(("invalid", "min_value"), _("Enter a number of 0 or more, such as 12.5."))


class WaterfallForm(PeriodForm):
    """An axis, a period and a range of frequencies or orders. What the query does not name takes the first choice."""

    default_range = "30d"
    lengths = LONG_RANGES
    range_names = LONG_RANGE_NAMES

    machine = forms.ChoiceField(label=_("Machine"), error_messages={"invalid_choice": _NO_MACHINE})
    series = forms.ChoiceField(label=_("Axis"), error_messages={"invalid_choice": _NO_AXIS})
    range = forms.ChoiceField(
        choices=range_names,
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": NO_LONG_RANGE},
    )
    scale = forms.ChoiceField(
        label=_("Frequency axis"),
        choices=[(HZ, "Hz"), (ORDERS, pgettext_lazy("of frequencies", "orders"))],
        error_messages={"invalid_choice": _("There is no frequency axis “%(value)s”. Choose hz or orders.")},
    )
    low = forms.FloatField(label=_("Lowest"), required=False, min_value=0, error_messages=_NOT_A_FREQUENCY)
    high = forms.FloatField(label=_("Highest"), required=False, min_value=0, error_messages=_NOT_A_FREQUENCY)
    floor = forms.TypedChoiceField(
        label=_("Colour range"),
        coerce=int,
        choices=[(it, f"{it} dB") for it in FLOORS_DB],
        error_messages={"invalid_choice": _("“%(value)s” is no such range. Choose 20, 40, 60 or 80 dB.")},
    )
    format: Any = None  # of PeriodForm: the API has the numbers

    def __init__(self, query: QueryDict):
        """One query, however many captures there are."""
        super().__init__(query.copy())
        known = axes_with_captures()
        machines = {it.sensor.machine.name: str(it.sensor.machine) for it in known}
        self.nothing_stored = not machines
        machine = self._offer("machine", machines)
        own = [it for it in known if it.sensor.machine.name == machine]
        self._offer(
            "series", {series_key(it.sensor.sensor_no, it.axis): f"{it.sensor.sensor_no} / {it.axis}" for it in own}
        )
        if not own:
            self.fields["series"].required = False  # the machine is wrong, and that is said there
            self.data["series"] = ""
        for name, usual in (("scale", HZ), ("floor", str(USUAL_FLOOR_DB))):
            if not self.data.get(name):
                self.data[name] = usual
        for field in self.fields.values():
            kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            field.widget.attrs.setdefault("class", kind)

    def _offer(self, name: str, choices: dict[str, str]) -> str:
        """Offer these choices of a field; the value asked for, known or not, or else the first."""
        field: Any = self.fields[name]
        field.choices = list(choices.items())
        if not self.data.get(name):
            self.data[name] = next(iter(choices), "")
        return self.data.get(name, "")

    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        low, high = asked.get("low"), asked.get("high")
        if high is not None and high <= (low or 0):
            self.add_error("high", _("The highest must be greater than the lowest."))
        return asked

    def place(self) -> str:
        """The axis that is shown, as it is read. The form must be valid."""
        titles = [dict(self._choices(name))[self.cleaned_data[name]] for name in ("machine", "series")]
        return " / ".join(titles)

    def _choices(self, name: str) -> list[tuple[str, str]]:
        field: Any = self.fields[name]
        return field.choices


# What static/js/waterfall.js says.
WATERFALL_TEXT = {
    "hz": _("Frequency (Hz)"),
    "orders": _("Order (multiples of the shaft frequency)"),
    "decibels": _("dB re 1 {unit}"),
    "decibels_unknown": _("dB, unit not known"),
    "unknown_unit": _("unit not known"),
    "shown": _("{captures} captures, {start} to {end}."),
    "shown_one": _("One capture, {start} to {end}."),
    "nothing": _("No capture of this axis started from {start} to {end}."),
    "scale": _("The lightest colour is {top} dB ({amplitude}); the darkest is {floor} dB and all that is less."),
    "order_one": _("Order 1 is the shaft frequency of each capture."),
    "order_range": _("Without an upper limit, orders up to {most} are shown."),
    "no_speed": _("The speed is not known of {count} of {shown} captures: their columns are blank."),
    "no_speeds": _("The speed of none of these captures is known, so there is no order to show. Choose Hz."),
    "remarks": {
        "thinned": _("Of {captures} captures the first of each {width} is shown, {shown} in all."),
        "rates": _(
            "The sampling rate is not the same for all: from {least} to {greatest} Hz. Above half its own rate nothing "
            "is drawn of a capture."
        ),
        "converted": _("Converted from {unit}: {captures} captures."),
        "other_unit": _("Left out, as their unit ({unit}) cannot be compared with this one: {captures} captures."),
        "no_outline": _(
            "Not drawn: {captures} captures. They have no vibration at all, or their samples were removed: of those, "
            "the first of each day (UTC) stays."
        ),
        "before_first": _("There are captures of this axis only from {time} on."),
    },
    "cell_nothing": _("nothing is known there"),
    "between": _("{low} to {high} Hz"),
    "between_orders": _("order {low} to {high} ({low_hz} to {high_hz} Hz)"),
    "no_order": _("speed not known"),
    "gap": _("{time}: no capture"),
    "marked": _("To compare: the capture of {time}. Go to another column."),
    "compare": _("Compare it with that of {time}"),
    "away": _("The server does not answer. Check the connection, then try again."),
    "unavailable": _("The database is not answering right now. This page keeps trying."),
    "refused": _("The server refused the request: {reason}"),
    "gone": _("This axis is no longer stored."),
    "failed": _("The server could not answer (HTTP {status}). Try again later."),
    "logged_out": _("You are logged out."),
    "too_often": _("Too many requests came from here. This page continues by itself in {seconds} s."),
}


@may_view
@reads(WaterfallForm)
def waterfall(request: HttpRequest) -> HttpResponse:
    form = WaterfallForm(request.GET)
    is_valid = not form.nothing_stored and form.is_valid()
    context = {"form": form, "place": form.place() if is_valid else ""}
    if is_valid:
        lengths = {name: length.total_seconds() * 1e3 for name, length in form.lengths.items()}
        context |= {
            "text": WATERFALL_TEXT | {"units": dict(UNITS) | {"": WATERFALL_TEXT["unknown_unit"]}},
            "lengths": lengths | {"": lengths[form.default_range]},
            "zone": settings.TIME_ZONE,
        }
    is_wrong = bool(form.errors) and not form.nothing_stored
    return render(request, "vibration/waterfall.html", context, status=400 if is_wrong else 200)


class ColumnForm(forms.Form):
    """A capture by its axis and start, and another of that axis to compare it with."""

    machine = forms.CharField()
    series = forms.CharField()
    at = InstantField()
    other = InstantField(required=False)

    def captures(self) -> list[Capture]:
        """That at each of the instants; empty if one is not there. The form must be valid."""
        asked = self.cleaned_data
        axes = CaptureAxis.objects.filter(sensor__machine__name=asked["machine"]).select_related("sensor")
        axis = next((it for it in axes if series_key(it.sensor.sensor_no, it.axis) == asked["series"]), None)
        instants = [it for it in (asked["at"], asked["other"]) if it]
        found = [capture for it in instants if axis and (capture := _started_at(axis, it))]
        return found if len(found) == len(instants) else []


def _started_at(axis: CaptureAxis, instant: datetime) -> Capture | None:
    of_axis = Capture.objects.without_samples().filter(sensor=axis.sensor_id, axis=axis.axis)
    near = of_axis.filter(started_at__gte=instant - NEAR, started_at__lte=instant + NEAR)
    return min(near, key=lambda it: abs(it.started_at - instant), default=None)


@may_view
@reads(ColumnForm)
def column(request: HttpRequest) -> HttpResponse:
    """From a column to its capture, or to two captures one over the other."""
    form = ColumnForm(request.GET)
    if not form.is_valid():
        return render(request, "vibration/waterfall_column.html", {"form": form}, status=400)
    if not (found := form.captures()):
        return render(request, "vibration/waterfall_column.html", {"form": form}, status=404)
    capture, *others = found
    return redirect(reverse("capture", args=[capture.pk], query={"with": others[0].pk} if others else None))
