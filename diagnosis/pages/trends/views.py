"""The trend page: one feature of some axes over time, and how it compares."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from common.page_queries import reads
from diagnosis.pages.trends.comparison import Comparison, Kind, Period, table_of
from diagnosis.pages.trends.form import MOST_AXES, TrendForm
from diagnosis.pages.trends.texts import TREND_TEXT
from diagnosis.states import FaultType
from vibration.pages.trends.quantities import QUANTITY_NAMES

may_view = permission_required("vibration.view_capture", raise_exception=True)


@may_view
@reads(TrendForm)
def trend(request: HttpRequest) -> HttpResponse:
    """The page; or only its table of numbers, for static/js/trend.js, when another period is shown."""
    form = TrendForm(request.GET)
    if form.nothing_stored:
        return render(request, "diagnosis/trend.html", {"form": form})
    if not form.is_valid():
        return render(request, "diagnosis/trend.html", {"form": form}, status=400)
    shown = form.shown(timezone.now())
    comparison = form.comparison(shown)
    quantity = form.cleaned_data["feature"]
    context: dict[str, Any] = {
        "form": form,
        "feature": QUANTITY_NAMES[quantity],
        "shown": shown,
        "comparison": comparison,
        "compared": comparison and shown.shifted(comparison.shift),
        "table": table_of(form.axes(), quantity, shown, comparison),
    }
    is_part = request.headers.get("HX-Request") == "true"
    if not is_part:
        context |= {
            "plan": _plan(form, shown, comparison),
            "text": TREND_TEXT | {"states": {it.value: it.label for it in FaultType}},
        }
    response = render(request, "diagnosis/trend_numbers.html" if is_part else "diagnosis/trend.html", context)
    patch_vary_headers(response, ["HX-Request"])
    # A browser going back must not find the part in place of the page.
    response.headers["Cache-Control"] = "no-store"
    return response


def _plan(form: TrendForm, shown: Period, comparison: Comparison | None) -> dict[str, Any]:
    """What the script draws, beside the period, which it finds in the form."""
    alarm = comparison.opening if comparison else None
    # Where not all can look different, those that are drawn do.
    dealt = sorted(form.keys, key=lambda it: len(form.keys) > MOST_AXES and it not in form.cleaned_data["series"])
    looks = {key: number % MOST_AXES for number, key in enumerate(dealt)}
    return {
        "machine": form.cleaned_data["machine"],
        "feature": form.cleaned_data["feature"],
        "feature_name": QUANTITY_NAMES[form.cleaned_data["feature"]],
        "axes": [{"key": key, "look": looks[key]} for key in form.keys],
        "looks": MOST_AXES,
        "lengths": {name: _ms(length) for name, length in form.lengths.items()},
        "usual_length": _ms(form.lengths[form.default_range]),
        "opening": _instant(alarm),
        "compared": comparison and _compared(comparison, form.cleaned_data["machine"]),
    }


def _compared(comparison: Comparison, machine: str) -> dict[str, Any]:
    return {
        "machine": comparison.machine.name,
        "axes": list(comparison.axes),
        "shift": _ms(comparison.shift),
        "moves_start": comparison.kind is Kind.PERIOD,
        "opening": _instant(comparison.with_opening),
        "is_other": comparison.machine.name != machine,
    }


def _ms(length: timedelta) -> float:
    return length / timedelta(milliseconds=1)


def _instant(at: datetime | None) -> float | None:
    """Milliseconds since 1970, as scripts have instants."""
    return None if at is None else at.timestamp() * 1e3
