"""The features of captures as they are chosen from: names and groups."""

from typing import TYPE_CHECKING, Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from vibration.signals.bands import BANDS_HZ
from vibration.signals.features import BAND_NAMES, ORDER_NAMES
from vibration.signals.orders import ORDERS
from vibration.signals.quantities import QUANTITIES, Scale

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Text

OVERALL: "dict[str, Text]" = {
    "velocity_rms": _("Velocity RMS, 10–1,000 Hz"),
    "rms": _("RMS"),
    "peak": _("Peak"),
    "crest_factor": _("Crest factor"),
    "kurtosis": _("Kurtosis"),
    "envelope_peak": _("Envelope peak"),
    "envelope_hz": _("Envelope frequency"),
    "mean": _("Mean"),
    "shaft_hz": _("Shaft frequency"),
}
OF_ORDERS: "dict[str, Text]" = {
    name: format_lazy(_("Amplitude at {order}×"), order=f"{order:g}")
    for name, order in zip(ORDER_NAMES, ORDERS, strict=True)
}
OF_BANDS: "dict[str, Text]" = {
    name: format_lazy(_("RMS {low}–{high} Hz"), low=f"{low:,}", high=f"{high:,}")
    for name, (low, high) in zip(BAND_NAMES, BANDS_HZ, strict=True)
}
NAMES = OVERALL | OF_ORDERS | OF_BANDS
