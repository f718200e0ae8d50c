"""How a spectrum is looked at: its query string as a form, and what static/js/spectra/ says of it."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vibration.pages.forms import STATE_NAMES, WindowForm
from vibration.signals.units import ACCELERATIONS, Unit

MAX_HZ = 1e6
HERTZ = _("Enter a frequency in Hz, such as 24.5.")
RESOLUTIONS_HZ = ("0.1", "0.2", "0.5", "2", "5", "10")  # beside that of the API, which is not named
ENVELOPE = "envelope"  # stands before the names of the fields of its spectrum

# What static/js/spectra/ says, beside the texts of each page
TOOLS_TEXT = {
    "decibels": _("Amplitude (dB, 0 dB = 1 {unit})"),
    "decibels_no_unit": _("Amplitude (dB, 0 dB = 1 of the unit that is not known)"),
    "floor": _("The axis ends five powers of ten (100 dB) below the greatest amplitude."),
    "order_axis": _("Order (multiple of {hertz} Hz)"),
    "no_order_axis": _("Orders need a speed, which is not known: the axis stays in Hz."),
    "windows": {
        "hann": pgettext_lazy("window of a spectrum", "Hann"),
        "flattop": pgettext_lazy("window of a spectrum", "flat top"),
    },
    "flattop": _("A flat top window reads the amplitude of a tone between two bins exactly, and draws it wider."),
    "shown_range": _("Shown: {low} Hz to {high} Hz."),
    "unit": _("No spectrum of the velocity: the unit of the signal is not known."),
    "changes": _(
        "The speed changes within it, from {from} Hz to {to} Hz: what turns with the shaft smears over several lines, "
        "the more so the higher its order."
    ),
    "measured": pgettext_lazy("speed", "It was measured beside the signal."),
    "found": pgettext_lazy("speed", "It was found in the spectrum, near the rated speed."),
    "rated": pgettext_lazy("speed", "It is the rated speed: nothing near it stands out."),
    "coarser": _(
        "A resolution of {asked} Hz needs {needed} s without a gap. There are {length} s, so it is {resolution} Hz."
    ),
    "cursor": _("Cursor: {frequency}, {value}."),
    "cursor_order": _("Cursor: {frequency}, order {order}, {value}."),
    "cursor_outside": _("Cursor: {frequency}, outside of what is shown."),
    "harmonics": _("Harmonics of {frequency}: {standing} of {lines} stand out."),
    "sidebands": _("Sidebands of {frequency}, {spacing} apart: {standing} of {lines} stand out."),
    "line": _("{multiple}×"),
    "carrier": _("carrier"),
    "yes": _("yes"),
    "no": _("no"),
    "second_window": _("{name}, from {start} s to {end} s"),
    "overlay_drawn": _("Dashed: {name}."),
    "overlay_units": _("{name} is not drawn: its unit is another one."),
    "overlay_none": _("{name} is not drawn. {reason}"),
    "overlay_no_speed": _("{name} is not drawn by order: its speed is not known."),
    "overlay_orders": _("Both are drawn by order: {second} Hz of the dashed one lies over {first} Hz of the other."),
    "overlay_rates": _("The sampling rates differ: this one reaches {first} Hz, the dashed one {second} Hz."),
    "overlay_resolutions": _(
        "The resolutions differ, {first} Hz and {second} Hz (dashed): tones can be compared, the noise between can't."
    ),
    "not_snapped": _("It stands where it was put; Enter puts it on the peak there."),
    "faults_not_read": _("The fault frequencies could not be read. Load the page again."),
    "faults_none": _("No bearing of this machine is stored, so there are no fault frequencies."),
    "faults_reasons": {
        "no_geometry": _("{name}: its geometry is not stored, so it has no fault frequencies."),
        "wrong_geometry": _("{name}: no bearing has the geometry that is stored. Correct it in the administration."),
        "speed": _("{name}: the speed is not known, so no fault frequency follows from its geometry."),
    },
    "faults_marked": _("Marked: the fault frequencies of the bearings and twice and three times each."),
    "velocity_from": _("Below {hertz} Hz a velocity that is made of an acceleration is noise, and is left out."),
    "faults_rated": _("They follow from the rated speed, so they lie off as far as the machine runs off it."),
}


class RangeTools(forms.Form):
    """Which part of a spectrum is shown, and how; a choice that is left open is the usual one.

    `prefix` names a second spectrum of a page.
    """

    low = forms.FloatField(label=_("From (Hz)"), required=False, min_value=0, max_value=MAX_HZ)
    high = forms.FloatField(label=_("To (Hz)"), required=False, min_value=0, max_value=MAX_HZ)
    scale = forms.ChoiceField(
        label=_("Amplitudes"),
        required=False,
        choices=[("", _("linear")), ("log", _("logarithmic")), ("db", "dB")],
    )
    x = forms.ChoiceField(
        label=_("Frequencies in"),
        required=False,
        choices=[("", "Hz"), ("orders", pgettext_lazy("of a spectrum", "orders"))],
    )
    cursor = forms.ChoiceField(
        label=_("Cursor"),
        required=False,
        choices=[
            ("", pgettext_lazy("cursor", "none")),
            ("single", pgettext_lazy("cursor", "single")),
            ("harmonics", pgettext_lazy("cursor", "harmonics")),
            ("sidebands", pgettext_lazy("cursor", "sidebands")),
        ],
    )
    at = forms.FloatField(label=_("At (Hz)"), required=False, min_value=0, max_value=MAX_HZ)
    spacing = forms.FloatField(label=_("Spacing (Hz)"), required=False, min_value=0, max_value=MAX_HZ)

    def __init__(self, query: QueryDict, prefix: str | None = None, form_id: str = ""):
        """`form_id`: the form of the page that the fields belong to, wherever they stand."""
        super().__init__(query, prefix=prefix)
        for name, field in self.fields.items():
            kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            field.widget.attrs |= {"class": f"{kind} {kind}-sm", "form": form_id, "data-tool": name}
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"
                field.error_messages |= dict.fromkeys(("invalid", "min_value", "max_value"), HERTZ)
            else:
                field.error_messages["invalid_choice"] = _("There is no choice “%(value)s”. Choose one from the list.")

    def add_prefix(self, field_name: str) -> str:
        return f"{self.prefix}_{field_name}" if self.prefix else field_name

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or self.cleaned_data
        low, high = asked.get("low"), asked.get("high")
        if low is not None and high is not None and high <= low:
            self.add_error("high", _("The range must end above where it begins."))
        return asked

    @classmethod
    def names(cls, prefix: str | None = None) -> list[str]:
        """What the query string may name."""
        return [f"{prefix}_{name}" if prefix else name for name in cls.base_fields]

    @property
    def choices(self) -> list[forms.BoundField]:
        """The fields that stand beside the chart as they are."""
        return [self[name] for name in self.fields if name not in RangeTools.base_fields or name in ("scale", "x")]


class CaptureTools(RangeTools):
    """Those of the spectrum of a capture."""

    resolution = forms.ChoiceField(
        label=_("Resolution"),
        required=False,
        choices=[("", "1 Hz"), *((it, f"{it} Hz") for it in RESOLUTIONS_HZ)],
    )
    window = forms.ChoiceField(
        label=_("Window function"),
        required=False,
        choices=[
            ("", pgettext_lazy("window of a spectrum", "Hann")),
            ("flattop", pgettext_lazy("window of a spectrum", "flat top")),
        ],
    )
    quantity = forms.ChoiceField(label=_("Quantity"), required=False)

    def __init__(self, query: QueryDict, unit: str, form_id: str):
        """`unit` is that of the capture: only an acceleration can also be shown as velocity."""
        super().__init__(query, form_id=form_id)
        quantity: Any = self.fields["quantity"]
        choices = [("", _("as measured"))]
        if unit and Unit(unit) in ACCELERATIONS:
            choices.append(("velocity", _("velocity (mm/s)")))
        quantity.choices = choices
        quantity.error_messages["invalid_choice"] = _(
            "Of this capture there is no “%(value)s”: only an acceleration whose unit is known becomes a velocity."
        )


class LaboratoryTools(RangeTools):
    """Those of the spectrum of a recording, of its four states."""

    state = forms.ChoiceField(
        label=_("The cursor reads"), required=False, choices=[("", _("the first that is shown")), *STATE_NAMES.items()]
    )


class SecondWindow(WindowForm):
    """A window that the one shown is compared with, in seconds from the start of its recording."""

    PREFIX = "with"

    def __init__(self, query: QueryDict):
        super().__init__(query, prefix=self.PREFIX)
        self.fields["start"].label = _("Second window from (s)")
        self.fields["end"].label = _("Second window to (s)")

    def add_prefix(self, field_name: str) -> str:
        return f"{self.PREFIX}_{field_name}"

    @classmethod
    def names(cls) -> list[str]:
        """What the query string may name."""
        return [f"{cls.PREFIX}_{name}" for name in cls.base_fields]

    def is_asked(self) -> bool:
        """Whether there is one. The form must be valid."""
        return any(self.cleaned_data[name] is not None for name in self.base_fields)
