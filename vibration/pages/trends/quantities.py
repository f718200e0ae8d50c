"""The features of captures as people choose one to follow over time: their names, in groups."""

from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from vibration.models import CaptureFeatures
from vibration.models.captures import UNITS
from vibration.signals.bands import BANDS_HZ
from vibration.signals.features import BAND_NAMES, ORDER_NAMES
from vibration.signals.orders import ORDERS
from vibration.signals.quantities import unit_of_quantity
from vibration.signals.units import Unit

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Text

GROUPS: "dict[Text, dict[str, Text]]" = {
    _("Of the whole signal"): {
        "velocity_rms": _("Velocity RMS, 10–1,000 Hz"),
        "rms": _("RMS"),
        "peak": _("Peak"),
        "crest_factor": _("Crest factor"),
        "kurtosis": _("Kurtosis"),
        "envelope_peak": _("Envelope peak"),
        "envelope_hz": _("Envelope frequency"),
        "shaft_hz": _("Shaft frequency"),
        "mean": _("Mean"),
    },
    _("Amplitude at multiples of the shaft frequency"): {
        name: format_lazy(_("Amplitude at {order}×"), order=f"{order:g}")
        for name, order in zip(ORDER_NAMES, ORDERS, strict=True)
    },
    _("RMS in bands of frequency"): {
        name: format_lazy(_("RMS of {low}–{high} Hz"), low=f"{low:,}", high=f"{high:,}")
        for name, (low, high) in zip(BAND_NAMES, BANDS_HZ, strict=True)
    },
}
QUANTITY_NAMES: "dict[str, Text]" = {name: title for group in GROUPS.values() for name, title in group.items()}
CHOICES = [(group, list(names.items())) for group, names in GROUPS.items()]
FIRST_ORDER = ORDER_NAMES[ORDERS.index(1.0)]


def unit_text(quantity: str, unit: str) -> str:
    """What the values of a feature are in, as it is written behind a number, of signals in this unit."""
    found = unit_of_quantity(quantity, Unit(unit))
    return str(dict(UNITS).get(found, found)) if found else ""


def telling_feature(newest: "list[CaptureFeatures]") -> str:
    """What tells most of these machines as a whole: the velocity where one is assessable, or else the RMS."""
    return "velocity_rms" if any(it.velocity_rms is not None for it in newest) else "rms"
