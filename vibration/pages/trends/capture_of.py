"""From a point of a trend to its capture: where a click leads."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import Case, F, FloatField, QuerySet, Value, When
from django.db.models.expressions import CombinedExpression
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.page_queries import reads
from common.periods import InstantField
from vibration.models import Capture, CaptureAxis, CaptureFeatures
from vibration.pages.trends.quantities import CHOICES
from vibration.signals.quantities import QUANTITIES, Scale
from vibration.signals.units import ACCELERATIONS, SI_FACTOR, Unit, factor_between
from vibration.trends.reading import newest_unit
from vibration.trends.series import series_key

LEAST, GREATEST = "least", "greatest"


class CaptureOfForm(forms.Form):
    """An axis, a feature and a stretch of time: of its captures the one with the least or the greatest value is meant.

    Of a point that is one capture the stretch has that one alone.
    """

    machine = forms.CharField(label=_("Machine"))
    series = forms.CharField(label=_("Axes"))
    feature = forms.ChoiceField(
        label=_("Feature"),
        choices=CHOICES,
        error_messages={"invalid_choice": _("There is no feature “%(value)s”. Choose one from the list.")},
    )
    which = forms.ChoiceField(
        label=_("Which one"),
        choices=[(LEAST, LEAST), (GREATEST, GREATEST)],
        error_messages={"invalid_choice": _("“%(value)s” is neither least nor greatest.")},
    )
    start = InstantField(label=pgettext_lazy("period", "From"))
    end = InstantField(label=_("Up to"))

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        start, end = asked.get("start"), asked.get("end")
        if start and end and end <= start:
            self.add_error("end", _("The end must be after the start."))
        if asked.get("machine") and asked.get("series"):
            axes = CaptureAxis.objects.filter(sensor__machine__name=asked["machine"]).select_related("sensor")
            of_key = {series_key(it.sensor.sensor_no, it.axis): it for it in axes}
            asked["axis"] = of_key.get(asked["series"])
            if not of_key:
                self.add_error("machine", _("There is no such machine with captures."))
            elif not asked["axis"]:
                self.add_error("series", _("This machine has no such axis."))
        return asked

    def capture(self) -> Capture | None:
        """The one that is meant, if there is any. The form must be valid."""
        asked = self.cleaned_data
        rows = _of_span(asked["axis"], asked["start"], asked["end"])
        found = rows.filter(**{f"{asked['feature']}__isnull": False})
        value: F | CombinedExpression = F(asked["feature"])
        if QUANTITIES[asked["feature"]] == Scale.SIGNAL:
            # Of accelerations in m/s2 and in g the one is as many times the other.
            shown = newest_unit(asked["axis"])  # a trend leaves out what can't be told in it
            found = found.filter(unit__in=[it.value for it in Unit if factor_between(it, shown) is not None])
            whens = [When(unit=it.value, then=Value(SI_FACTOR[it])) for it in ACCELERATIONS]
            value = value * Case(*whens, default=Value(1.0), output_field=FloatField())
        order = "in_si" if asked["which"] == LEAST else "-in_si"
        # Where the feature is not assessable there is a capture to look at all the same.
        one = found.annotate(in_si=value).order_by(order, "started_at").first() or rows.order_by("started_at").first()
        if one is None:
            return None
        key = {"sensor": one.sensor_id, "axis": one.axis, "started_at": one.started_at}
        return Capture.objects.without_samples().filter(**key).first()


def _of_span(axis: CaptureAxis, start: datetime, end: datetime) -> QuerySet[CaptureFeatures]:
    return CaptureFeatures.objects.filter(
        sensor=axis.sensor_id, axis=axis.axis, started_at__gte=start, started_at__lt=end
    )


@permission_required("vibration.view_capture", raise_exception=True)
@reads(CaptureOfForm)
def capture_of(request: HttpRequest) -> HttpResponse:
    form = CaptureOfForm(request.GET)
    if not form.is_valid():
        return render(request, "vibration/capture_of.html", {"form": form}, status=400)
    found = form.capture()
    if found is None:
        return render(request, "vibration/capture_of.html", {"form": form}, status=404)
    return redirect("capture", found.pk)
