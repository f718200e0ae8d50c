"""What static/js/trend.js and static/js/small_trends.js say beyond their templates."""

from django.utils.translation import gettext_lazy as _

from vibration.models.captures import REASONS
from vibration.pages.views import WAVEFORM_TEXT

_SHARED = ("away", "unavailable", "refused", "failed", "logged_out", "too_often")
PROBLEM_TEXT = {name: WAVEFORM_TEXT[name] for name in _SHARED} | {
    "gone": _("There is nothing at this address."),
}
# A separate text for one, so that no language needs plural rules in the browser.
TREND_TEXT = PROBLEM_TEXT | {
    "single": _("{captures} captures, each on its own, from {start} to {end}."),
    "single_one": _("1 capture, from {start} to {end}."),
    "buckets": _(
        "{captures} captures from {start} to {end}: the least and the greatest value of each {width}; no extreme is "
        "lost."
    ),
    "nothing": _("There is no capture from {start} to {end}."),
    "newest": _("The newest one is of {time}."),
    "dashed": _("{name} (dashed)"),
    "no_axis": _("No axis is selected."),
    "shown": _("{name}: {words}"),
    "remarks": {
        "converted": _("{axis}: {captures} captures were in {unit} and are converted to {to}."),
        "other_unit": _("{axis}: {captures} captures in {unit} are left out, as they can't be converted to {to}."),
        "rates": _("{axis}: the sampling rate differs, from {first_hz} to {last_hz} Hz; values may differ for that."),
        "before_first": _("{axis}: the first capture is of {time}; there is nothing before."),
        "none": _("{axis}: no capture in this period."),
        "not_assessable": _("{axis}: not assessable at {points} points ({reason})."),
        "no_value": _("{axis}: no value at {points} points."),
    },
    "unknown_unit": _("an unknown unit"),
    "reasons": dict(REASONS),
    "flat": _("{axis}: no vibration in {stretches} stretches, shaded: the machine stands, or the sensor is dead."),
    "flat_one": _("{axis}: no vibration from {start} to {end}, shaded: the machine stands, or the sensor is dead."),
    "days": _("{n} days"),
    "hours": _("{n} h"),
    "minutes": _("{n} min"),
    "seconds": _("{n} s"),
    "day": _("1 day"),
    "least": _("{axis}, least: {value}"),
    "greatest": _("{axis}, greatest: {value}"),
    "value": _("{axis}: {value}"),
    "range": _("{axis}: {least} to {greatest}"),
    "reads": _("{what}, {when}. Enter opens the capture."),
    "from_to": _("{start} to {end}"),
    "from_opening": _("Days from the opening of the alarm"),
    "days_from_opening": _("{days} days from the opening ({time})"),
    "alarm": _("Alarm {number}"),
    "no_alarms": _("No alarm opened in this period."),
    "alarms_not_read": _("The alarms could not be read."),
    "more_alarms": _("Only the newest {n} alarms of this period are marked."),
}
