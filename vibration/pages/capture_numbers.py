"""The features of a capture as people read them: each with its unit, or in words why it is not there."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from vibration.models import Capture, CaptureFeatures
from vibration.models.captures import REASONS, SHAFT_SOURCES, UNITS
from vibration.pages.rounding import significant
from vibration.signals.bands import BANDS_HZ
from vibration.signals.features import BAND_NAMES, MIN_SAMPLES, ORDER_NAMES
from vibration.signals.orders import ORDERS, SECONDS_PER_MINUTE, ShaftSource
from vibration.signals.reasons import Reason

MM_S, HZ, RPM = "mm/s", "Hz", "rpm"


class Number(NamedTuple):
    """A value with the digits that are read, or why there is none."""

    name: str
    value: float | None
    unit: str = ""
    reason: str = ""
    how: str = ""  # it is known

    @property
    def text(self) -> str:
        return significant(self.value)


def unit_of(row: Capture | CaptureFeatures) -> str:
    """As it is written behind a number; empty where it is not known."""
    return str(dict(UNITS)[row.unit]) if row.unit else ""


def reason_text(reason: str) -> str:
    return str(dict(REASONS).get(reason, ""))


def rms_of(features: CaptureFeatures) -> Number:
    return Number(_("RMS"), features.rms, unit_of(features))


def velocity_of(features: CaptureFeatures) -> Number:
    return Number(_("Velocity RMS, 10–1,000 Hz"), features.velocity_rms, MM_S, reason_text(features.velocity_reason))


# In one word: SHAFT_SOURCES has the sentence.
_SOURCES_IN_SHORT = {
    ShaftSource.MEASURED.value: pgettext_lazy("speed", "measured"),
    ShaftSource.FOUND.value: pgettext_lazy("speed", "by spectrum"),
    ShaftSource.RATED.value: pgettext_lazy("speed", "rated"),
}


def speed_in_short(features: CaptureFeatures) -> Number:
    return speed_of(features)._replace(how=str(_SOURCES_IN_SHORT.get(features.shaft_source, "")))


def speed_of(features: CaptureFeatures) -> Number:
    hz = features.shaft_hz
    rpm = None if hz is None else hz * SECONDS_PER_MINUTE
    how = str(dict(SHAFT_SOURCES).get(features.shaft_source, ""))
    return Number(_("Speed"), rpm, RPM, reason_text(Reason.SPEED) if hz is None else "", how)


def marks_of(capture: Capture) -> list[str]:
    """What is to be known of its samples before they are judged, in words."""
    marks = {
        pgettext("capture", "clipped"): capture.is_clipped,
        pgettext("capture", "flat"): capture.is_flat,
        pgettext("capture", "follows a gap"): capture.has_gap,
        pgettext("capture", "clock drifts"): capture.clock_drifts,
        pgettext("capture", "samples removed"): not capture.has_samples,
        pgettext("capture", "kept"): capture.is_kept,
    }
    return [name for name, is_so in marks.items() if is_so]


def overall(features: CaptureFeatures) -> list[Number]:
    """Of the signal as a whole; but for the mean, without it."""
    unit, flat = unit_of(features), reason_text(Reason.FLAT)
    return [
        Number(_("Mean"), features.mean, unit),
        rms_of(features),
        Number(_("Peak"), features.peak, unit),
        Number(_("Crest factor"), features.crest_factor, reason=flat if features.crest_factor is None else ""),
        Number(_("Kurtosis"), features.kurtosis, reason=flat if features.kurtosis is None else ""),
        velocity_of(features),
        *_envelope(features),
    ]


def _envelope(features: CaptureFeatures) -> list[Number]:
    reason = reason_text(features.envelope_reason)
    noise = _("nothing stands out of the noise") if features.envelope_peak is not None else reason
    return [
        Number(_("Envelope peak"), features.envelope_peak, unit_of(features), reason),
        Number(_("Envelope frequency"), features.envelope_hz, HZ, noise if features.envelope_hz is None else ""),
    ]


def shaft(features: CaptureFeatures) -> list[Number]:
    """The frequency of the shaft, and its speed."""
    speed = speed_of(features)
    return [Number(_("Shaft frequency"), features.shaft_hz, HZ, speed.reason, speed.how), speed]


def orders(features: CaptureFeatures) -> list[Number]:
    """The amplitudes at the multiples of the shaft's frequency; empty where none is assessable."""
    if features.orders_reason:
        return []
    unit, beyond = unit_of(features), reason_text(Reason.RATE)
    values = [getattr(features, name) for name in ORDER_NAMES]
    return [
        Number(f"{order:g}×", value, unit, beyond if value is None else "")
        for order, value in zip(ORDERS, values, strict=True)
    ]


def bands(capture: Capture, features: CaptureFeatures) -> list[Number]:
    """RMS from one frequency to the next."""
    unit, values = unit_of(features), [getattr(features, name) for name in BAND_NAMES]
    why = Reason.FLAT if capture.is_flat else Reason.SHORT if capture.count < MIN_SAMPLES else Reason.RATE
    return [
        Number(f"{low:,}–{high:,} {HZ}", value, unit, reason_text(why) if value is None else "")
        for (low, high), value in zip(BANDS_HZ, values, strict=True)
    ]
