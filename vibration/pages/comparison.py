"""A capture compared with another: which others there are to choose from, and the numbers of both."""

from datetime import timedelta
from typing import NamedTuple

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from vibration.models import Capture, CaptureFeatures
from vibration.pages.capture_numbers import unit_of
from vibration.pages.rounding import significant
from vibration.querysets import CaptureQuerySet
from vibration.signals.orders import ORDERS
from vibration.signals.units import ACCELERATIONS, SI_FACTOR, Unit

LOOKED_AT = 50  # captures from the earliest on, among which a sound one is looked for
_NO_CAPTURE = gettext_lazy("There is no capture %(value)s to compare with.")

# A keyword of Python names no field in a class statement.
WithForm = type(
    "WithForm",
    (forms.Form,),
    {
        "with": forms.IntegerField(
            required=False,
            min_value=1,
            max_value=2**63 - 1,
            error_messages=dict.fromkeys(
                ("invalid", "min_value", "max_value"),
                gettext_lazy("Enter the number of a capture to compare with, as in its address."),
            ),
        )
    },
)


class Other(NamedTuple):
    """A capture of the same axis that this one may be compared with."""

    name: str
    capture: Capture


class Row(NamedTuple):
    """A feature of both, as it is read; `ratio` is this one over the other, empty where `reason` says why."""

    name: str
    unit: str
    this: str
    other: str
    ratio: str
    reason: str


def compared_with(query: QueryDict, capture: Capture) -> tuple[Capture | None, list[str]]:
    """The capture that `with` names, and what is wrong with it."""
    form = WithForm(query)
    if not form.is_valid():
        return None, [str(it) for it in form.errors["with"]]
    number = form.cleaned_data["with"]
    if number is None:
        return None, []
    if number == capture.pk:
        return None, [_("A capture is not compared with itself. Choose another one.")]
    found = Capture.objects.without_samples().with_place().filter(pk=number).first()
    return found, [] if found else [str(_NO_CAPTURE) % {"value": number}]


def others_of(capture: Capture, earlier: Capture | None) -> list[Other]:
    """The one before, those a week and a month before, and the earliest that is sound; each by the index of its axis.

    A month is 30 days. Where nothing was stored at that time, it is the last one before; none stands there twice.
    """
    of_axis = Capture.objects.without_samples().filter(sensor=capture.sensor_id, axis=capture.axis)
    found = [
        (_("the one before"), earlier),
        (_("a week before"), _before(of_axis, capture, timedelta(days=7))),
        (_("a month before"), _before(of_axis, capture, timedelta(days=30))),
        (_("the reference, the earliest sound one"), _reference(of_axis, capture)),
    ]
    offered: dict[int, Other] = {}
    for name, it in found:
        if it is not None:
            offered.setdefault(it.pk, Other(name, it))
    return list(offered.values())


def _before(of_axis: CaptureQuerySet, capture: Capture, span: timedelta) -> Capture | None:
    return of_axis.filter(started_at__lte=capture.started_at - span).order_by("-started_at").first()


def _reference(of_axis: CaptureQuerySet, capture: Capture) -> Capture | None:
    """The earliest before a capture that is neither flat nor clipped, among the first; its samples may be gone."""
    first = of_axis.filter(started_at__lt=capture.started_at).order_by("started_at")[:LOOKED_AT]
    return next((it for it in first if not it.is_flat and not it.is_clipped), None)


def factor_between(this: Capture, other: Capture) -> float | None:
    """What a value of the other is times to be one in the unit of this; None: they are no same quantity, or unknown."""
    if this.unit == other.unit:
        return 1.0
    if is_acceleration(this) and is_acceleration(other):
        return SI_FACTOR[Unit(other.unit)] / SI_FACTOR[Unit(this.unit)]
    return None


def is_acceleration(capture: Capture) -> bool:
    """Whether it can be shown as velocity, too."""
    return capture.unit in {it.value for it in ACCELERATIONS}


def remarks_on(this: Capture, other: Capture) -> list[str]:
    """What has to be known before both are compared, in words."""
    found = []
    if (this.sensor_id, this.axis) != (other.sensor_id, other.axis):
        found.append(_("The other capture is of another axis: %(axis)s.") % {"axis": f"{other.sensor} / {other.axis}"})
    factor = factor_between(this, other)
    units = {"this": _unit(this), "other": _unit(other)}
    if factor is None:
        found.append(
            _("The units differ, %(this)s and %(other)s: what is in them is not compared, and not drawn.") % units
        )
    elif factor != 1:
        found.append(_("The other capture is in %(other)s, and is shown in %(this)s.") % units)
    if this.sampling_hz != other.sampling_hz:
        found.append(
            _(
                "The sampling rates differ, %(this)s Hz and %(other)s Hz. The higher one takes in frequencies that the "
                "other can't: RMS, peak, crest factor, kurtosis and envelope are not compared; velocity, orders and "
                "lines of the spectrum are."
            )
            % {"this": significant(this.sampling_hz, 7), "other": significant(other.sampling_hz, 7)}
        )
    if not other.has_samples:
        found.append(_("The samples of the other capture were removed, so its spectrum is not drawn; its numbers are."))
    return found


def _unit(capture: Capture) -> str:
    return unit_of(capture) or pgettext("unit", "not known")


# Field, name, whether it is in the unit of the signal, and whether it depends on how high the sampling rate reaches
_FEATURES = [
    ("rms", gettext_lazy("RMS"), True, True),
    ("velocity_rms", gettext_lazy("Velocity RMS, 10–1,000 Hz"), False, False),
    ("peak", gettext_lazy("Peak"), True, True),
    ("crest_factor", gettext_lazy("Crest factor"), False, True),
    ("kurtosis", gettext_lazy("Kurtosis"), False, True),
    ("envelope_peak", gettext_lazy("Envelope peak"), True, True),
    ("envelope_hz", gettext_lazy("Envelope frequency"), False, True),
    ("shaft_hz", gettext_lazy("Shaft frequency"), False, False),
]
_UNITS = {"velocity_rms": "mm/s", "envelope_hz": "Hz", "shaft_hz": "Hz"}


def numbers_of_both(
    this: Capture, other: Capture, features: CaptureFeatures | None, features_of_other: CaptureFeatures | None
) -> list[Row]:
    """Empty while the features of one are made anew."""
    if features is None or features_of_other is None:
        return []
    orders = [(f"order_{order:.1f}".replace(".", "_"), f"{order:g}×", True, False) for order in ORDERS]
    factor = factor_between(this, other)
    found = []
    for field, name, has_unit, needs_rate in [*_FEATURES, *orders]:
        value, second = getattr(features, field), getattr(features_of_other, field)
        unit = unit_of(this) if has_unit else _UNITS.get(field, "")
        reason = ""
        if value is None or second is None:
            reason = _("not assessable")
        elif has_unit and factor is None:
            reason = _("another unit")
        elif needs_rate and this.sampling_hz != other.sampling_hz:
            reason = _("another sampling rate")
        if has_unit and second is not None and factor is not None:
            second *= factor
        second_unit = f" {unit_of(other)}".rstrip() if has_unit and factor is None else ""
        is_comparable = not reason and second
        found.append(
            Row(
                str(name),
                unit,
                significant(value) or "–",
                f"{significant(second)}{second_unit}" if second is not None else "–",
                significant(value / second, 3) if is_comparable else "",
                reason or ("" if second else _("the other is 0")),
            )
        )
    return found
