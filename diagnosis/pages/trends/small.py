"""The small charts of a machine's page: what tells most of it, each with the trend page behind it."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from diagnosis.pages.trends.texts import PROBLEM_TEXT
from vibration.pages.capture_list import Row
from vibration.pages.trends.quantities import FIRST_ORDER, QUANTITY_NAMES

# What static/js/small_trends.js says beyond the template.
SMALL_TEXT = PROBLEM_TEXT | {
    "greatest": _("greatest {value}"),
    "nothing": _("no capture in the last 30 days"),
    "not_assessable": _("not assessable"),
    "left_out": _("12 axes of {n} are drawn."),
}


def small_trends(newest: list[Row]) -> list[dict[str, Any]]:
    """Feature and name of each; none without captures. The numbers come by script, `newest` tells what there is."""
    if not newest:
        return []
    has_velocity = any(it.velocity and it.velocity.value is not None for it in newest)
    features = ["velocity_rms" if has_velocity else "rms", FIRST_ORDER, "envelope_peak"]
    return [{"feature": it, "name": QUANTITY_NAMES[it]} for it in features]
