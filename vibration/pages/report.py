"""One sheet about a capture, to be printed: its trend, spectrum and waveform, with its numbers."""

from datetime import datetime, timedelta

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vibration.models import Capture, CaptureFeatures
from vibration.pages.forms import WindowForm

TREND_DAYS = 30
# What the trend can be of
FEATURES = [
    ("velocity_rms", _("Velocity RMS, 10–1,000 Hz")),
    ("rms", _("RMS")),
    ("peak", _("Peak")),
    ("crest_factor", _("Crest factor")),
    ("kurtosis", _("Kurtosis")),
    ("order_1_0", "1×"),
    ("order_2_0", "2×"),
    ("envelope_peak", _("Envelope peak")),
]


class ReportForm(WindowForm):
    """What the sheet shows: the window of the waveform, and of which feature the trend is."""

    feature = forms.ChoiceField(
        label=_("Trend of"),
        choices=FEATURES,
        required=False,
        error_messages={"invalid_choice": _("There is no trend of “%(value)s”. Choose one from the list.")},
        widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
    )

    def __init__(self, query: QueryDict, features: CaptureFeatures | None):
        """What the query does not name: the velocity, or where it is not assessable the RMS."""
        data = query.copy()
        if not data.get("feature"):
            data["feature"] = "velocity_rms" if features and features.velocity_rms is not None else "rms"
        super().__init__(data)


def trend_query(capture: Capture, feature: str) -> dict[str, str]:
    """What the API of trends is asked: the days up to a capture, with it."""
    end = capture.started_at + timedelta(seconds=1)
    return {
        "machine_name": capture.sensor.machine.name,
        "feature": feature,
        "started_at_after": _iso(capture.started_at - timedelta(days=TREND_DAYS)),
        "started_at_before": _iso(end),
        "points": "400",
    }


def _iso(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat()
