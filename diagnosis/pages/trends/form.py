"""The query string of the trend page as a form; an error is shown at its field."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.periods import LONG_RANGE_NAMES, LONG_RANGES, NO_LONG_RANGE, InstantField, PeriodForm, query_with
from diagnosis.models import Episode
from diagnosis.pages.times import in_short
from diagnosis.pages.trends.comparison import Comparison, Kind, Period
from machines.models import Machine
from vibration.models import CaptureAxis, CaptureFeatures
from vibration.pages.capture_list import axes_with_captures
from vibration.pages.trends.quantities import CHOICES, telling_feature
from vibration.trends.series import series_key

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Text

MOST_AXES = 12  # that are drawn at a time: more looks can't be told apart
MOST_ALARMS = 100  # that are offered, the newest ones
AROUND_ALARM = "7d"  # before and after its opening, when nothing else is asked for
AROUND_NAMES: "dict[str, Text]" = {
    "1h": _("1 hour"),
    "24h": _("24 hours"),
    "7d": _("7 days"),
    "30d": _("30 days"),
    "90d": _("90 days"),
    "365d": _("a year"),
}
POINTS = 400  # of the API, where none are asked for
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: "list[tuple[str, Text]]" = [
    ("", _("none")),
    (Kind.WEEK, _("a week earlier")),
    (Kind.MONTH, _("30 days earlier")),
    (Kind.PERIOD, _("an earlier period")),
    (Kind.MACHINE, _("another machine")),
    (Kind.ALARM, _("two alarms, aligned")),
]
_NO_ALARM = _("There is no alarm “%(value)s” of this machine. Choose one from the list.")


class TrendForm(PeriodForm):
    """One feature of some axes of a machine over time, and what it is compared with.

    What the query does not name takes the first choice there is; no series are all, of more than MOST_AXES the first.
    """

    default_range = "30d"
    lengths = LONG_RANGES
    range_names = LONG_RANGE_NAMES

    machine = forms.ChoiceField(
        label=_("Machine"),
        error_messages={
            "invalid_choice": _("There is no machine “%(value)s” with captures. Choose one from the list.")
        },
    )
    series = forms.MultipleChoiceField(
        label=_("Axes"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"invalid_choice": _("This machine has no axis “%(value)s”. Choose from the list.")},
    )
    feature = forms.ChoiceField(
        label=_("Feature"),
        choices=CHOICES,
        error_messages={"invalid_choice": _("There is no feature “%(value)s”. Choose one from the list.")},
    )
    range = forms.ChoiceField(
        choices=range_names,
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": NO_LONG_RANGE},
    )
    compare = forms.ChoiceField(
        label=pgettext_lazy("a trend", "Compare with"),
        choices=_KINDS,
        required=False,
        error_messages={
            "invalid_choice": _("“%(value)s” is nothing to compare with. Choose week, month, period, machine or alarm.")
        },
    )
    with_start = InstantField(label=_("Start of the earlier period"), required=False)
    with_machine = forms.ChoiceField(
        label=_("Other machine"),
        required=False,
        error_messages={
            "invalid_choice": _("There is no machine “%(value)s” with captures. Choose one from the list.")
        },
    )
    alarm = forms.ChoiceField(label=_("Alarm"), required=False, error_messages={"invalid_choice": _NO_ALARM})
    with_alarm = forms.ChoiceField(label=_("Other alarm"), required=False, error_messages={"invalid_choice": _NO_ALARM})
    format: Any = None  # of PeriodForm: the API has the CSV

    def __init__(self, query: QueryDict):
        """Three queries at most, however much there is; two more for alarms that are compared."""
        super().__init__(query.copy())
        self._alarms: dict[int, Episode] = {}
        self.known = axes_with_captures()
        machines = {it.sensor.machine.name: it.sensor.machine for it in self.known}
        self.nothing_stored = not machines
        self._offer("machine", {name: str(it) for name, it in machines.items()})
        self.chosen_machine: Machine | None = machines.get(self.data.get("machine", ""))
        self.keys = {series_key(it.sensor.sensor_no, it.axis): it for it in self._axes_of(self.chosen_machine)}
        self._offer_series()
        if not self.data.get("feature"):
            self.data["feature"] = telling_feature(_newest_features(list(self.keys.values())))
        others: list[tuple[str, Text]] = [("", _("the same machine"))]
        others += [(name, str(it)) for name, it in machines.items() if it != self.chosen_machine]
        self._field("with_machine").choices = others
        self.other_machine = machines.get(self.data.get("with_machine", "")) or self.chosen_machine
        self._offer_alarms()
        if self.data.get("compare") == Kind.ALARM:
            self.default_range = AROUND_ALARM
            self.range_names = AROUND_NAMES
            self.ranges_label = _("Or before and after the opening")
        for name, field in self.fields.items():
            if name != "series":
                kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
                field.widget.attrs.setdefault("class", kind)

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def _offer(self, name: str, choices: dict[str, str]) -> None:
        """Offer these choices of a field, of which the first is meant when none is named."""
        self._field(name).choices = list(choices.items())
        if not self.data.get(name):
            self.data[name] = next(iter(choices), "")

    def _axes_of(self, machine: Machine | None) -> list[CaptureAxis]:
        return [it for it in self.known if machine and it.sensor.machine_id == machine.pk]

    def _offer_series(self) -> None:
        self._field("series").choices = [(key, f"{it.sensor.sensor_no} / {it.axis}") for key, it in self.keys.items()]
        chosen = [it for it in self.data.getlist("series") if it]
        if not self.chosen_machine:
            self._field("series").required = False  # the machine is wrong, and that is said there
            chosen = []
        self.data.setlist("series", chosen or list(self.keys)[:MOST_AXES])
        self.left_out = 0 if chosen else max(0, len(self.keys) - MOST_AXES)

    def _offer_alarms(self) -> None:
        """Those of a machine; only where they are compared, as there may be many."""
        if self.data.get("compare") != Kind.ALARM:
            self.data["alarm"] = self.data["with_alarm"] = ""
        for name, machine in (("alarm", self.chosen_machine), ("with_alarm", self.other_machine)):
            alarms = self._alarms_of(machine, self.data.get(name, "")) if self.data.get("compare") == Kind.ALARM else {}
            self._field(name).choices = [("", _("none")), *alarms.items()]

    def _alarms_of(self, machine: Machine | None, asked: str) -> dict[str, str]:
        """The newest ones, and the one that is asked for."""
        of_machine = Episode.objects.filter(machine=machine, live=True).order_by("-opened_at")
        found = list(of_machine[:MOST_ALARMS])
        if asked.isascii() and asked.isdigit() and len(asked) < 19 and int(asked) not in [it.pk for it in found]:
            found += of_machine.filter(pk=asked)
        self._alarms.update({it.pk: it for it in found})
        return {str(it.pk): f"{it.pk}: {it.state.label}, {in_short(it.opened_at)}" for it in found}

    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        after, before, kind = asked.get("after"), asked.get("before"), asked.get("compare")
        if after and not before and after >= timezone.now():
            self.add_error("after", _("The start is in the future."))
        if len(asked.get("series") or []) > MOST_AXES:
            self.add_error("series", _("Choose at most 12 axes: more can't be told apart in one chart."))
        if kind == Kind.PERIOD and not asked.get("with_start") and "with_start" not in self.errors:
            self.add_error("with_start", _("Say when the earlier period starts."))
        if kind == Kind.MACHINE and not asked.get("with_machine") and "with_machine" not in self.errors:
            self.add_error("with_machine", _("Choose the machine to compare with."))
        if kind == Kind.ALARM:
            for name in ("alarm", "with_alarm"):
                if not asked.get(name) and name not in self.errors:
                    self.add_error(name, _("Choose an alarm. Without alarms there is nothing to align on."))
            if asked.get("alarm") and asked.get("alarm") == asked.get("with_alarm"):
                self.add_error("with_alarm", _("Choose another alarm than the first."))
        return asked

    # --- What is asked for; the form must be valid -------------------------------------------------------------------

    def shown(self, now: datetime) -> Period:
        """The period that is shown; static/js/charts/trend_window.js reckons the same.

        The start of an open one moves a point's width at a time: the question to the API stays the same for as long,
        and its answer may be that nothing is new.
        """
        after, before = self.cleaned_data["after"], self.cleaned_data["before"]
        length = self.lengths[self.cleaned_data["range"] or self.default_range]
        if opening := self._opening("alarm"):
            if not after and not before:
                return Period(opening - length, opening + length)
            return Period(after or before - 2 * length, before or after + 2 * length)
        if before:
            return Period(after or before - length, before)
        step = length / POINTS
        return Period(after or EPOCH - (EPOCH + length - now) // step * step, now, is_open=True)

    def axes(self) -> dict[str, CaptureAxis]:
        """Those to draw, by their keys."""
        return {key: self.keys[key] for key in self.cleaned_data["series"]}

    def comparison(self, shown: Period) -> Comparison | None:
        """What is drawn dashed, and how much earlier or later it was; None: nothing."""
        kind = self.cleaned_data["compare"]
        if not kind or self.chosen_machine is None or self.other_machine is None:
            return None
        other = self.other_machine if kind in (Kind.MACHINE, Kind.ALARM) else self.chosen_machine
        theirs = {series_key(it.sensor.sensor_no, it.axis): it for it in self._axes_of(other)}
        opening, with_opening = self._opening("alarm"), self._opening("with_alarm")
        return Comparison(
            kind=Kind(kind),
            machine=other,
            axes={key: theirs[key] for key in self.axes() if key in theirs},
            missing=[it for key, it in self.axes().items() if key not in theirs],
            shift=_shift(Kind(kind), shown, self.cleaned_data["with_start"], opening, with_opening),
            opening=opening,
            with_opening=with_opening,
        )

    def _opening(self, name: str) -> datetime | None:
        number = self.cleaned_data[name]
        return self._alarms[int(number)].opened_at if number else None

    def quick_comparisons(self) -> list[dict]:
        """Links to the questions that are asked most: is it worse than it was?"""
        chosen = self.data.get("compare"), self.data.get("range")
        asked = [
            (Kind.WEEK, "24h", _("A week ago")),
            (Kind.MONTH, "7d", _("A month ago")),
        ]
        leave_out = ("after", "before", "with_start", "with_machine", "alarm", "with_alarm")
        return [
            {
                "name": name,
                "query": query_with(self.data, leave_out=leave_out, compare=kind.value, range=length),
                "chosen": chosen == (kind, length),
            }
            for kind, length, name in asked
        ]

    def without_comparison(self) -> str:
        return query_with(self.data, leave_out=("compare", "with_start", "with_machine", "alarm", "with_alarm"))


def _newest_features(axes: list[CaptureAxis]) -> list[CaptureFeatures]:
    keys = [(it.sensor_id, it.axis, it.newest_at) for it in axes[:MOST_AXES]]
    return list(CaptureFeatures.objects.filter(pk__in=keys)) if keys else []


def _shift(
    kind: Kind, shown: Period, with_start: datetime | None, opening: datetime | None, with_opening: datetime | None
) -> timedelta:
    """What is added to an instant that is shown for the one that is compared with it."""
    if kind == Kind.PERIOD and with_start:
        return with_start - shown.start
    if opening and with_opening:
        return with_opening - opening
    return {Kind.WEEK: timedelta(days=-7), Kind.MONTH: timedelta(days=-30)}.get(kind, timedelta(0))
