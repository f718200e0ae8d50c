"""Query strings of the pages as forms; an error is shown at its field."""

from datetime import datetime

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.natural_order import natural
from common.periods import RANGES, PeriodForm
from diagnosis.history.reading import LONGEST_SPAN, USUAL_RANGE
from diagnosis.models import EpisodeTail, VibrationDiagnosis
from diagnosis.pages.alarm_list import TABS
from diagnosis.states import FAULTS, MOST_SEVERE, FaultType
from machines.models import Machine

_CHECKBOXES = forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
MACHINES_PER_PAGE = 20
MOST_PAGES = 1_000  # of a list that is read from its beginning for each page


class DiagnosisForm(PeriodForm):
    """Which diagnoses to show: of which machines, states and time. What is left open is not filtered."""

    machine = forms.MultipleChoiceField(
        label=_("Machines"),
        required=False,
        widget=_CHECKBOXES,
        error_messages={"invalid_choice": _("There is no machine “%(value)s”. Choose one from the list.")},
    )
    state = forms.TypedMultipleChoiceField(
        label=_("States"),
        choices=FaultType,
        coerce=int,
        required=False,
        widget=_CHECKBOXES,
        error_messages={
            "invalid_choice": format_lazy(
                _("There is no state “%(value)s”. Known: {known}."), known=", ".join(map(str, sorted(FaultType.values)))
            )
        },
    )

    def __init__(self, query):
        """One query, however many machines there are."""
        query = query.copy()
        for name in ("machine", "state"):  # an empty one asks for nothing
            query.setlist(name, [value for value in query.getlist(name) if value])
        super().__init__(query)
        self.machines = sorted(Machine.objects.order_by(), key=lambda it: natural(it.name))
        self.fields["machine"].choices = [(machine.name, str(machine)) for machine in self.machines]

    def has_filters(self) -> bool:
        return any(self.data.getlist(name) for name in ("machine", "state")) or any(
            self.data.get(name) for name in ("after", "before", "range")
        )

    def chosen_machines(self) -> list[Machine]:
        """Those asked for, or all. The form must be valid."""
        names = set(self.cleaned_data["machine"])
        return [machine for machine in self.machines if not names or machine.name in names]

    def machine_boxes(self) -> list[dict]:
        """The checkboxes of the machines: plain values, as hundreds of widgets take longer than all else on a page."""
        chosen = set(self.data.getlist("machine"))
        return [
            {"value": name, "label": label, "checked": name in chosen} for name, label in self.fields["machine"].choices
        ]

    def state_boxes(self) -> list[dict]:
        """The checkboxes of the states."""
        return [{"box": box, "state": FaultType(int(box.data["value"]))} for box in self["state"]]


class AlarmForm(DiagnosisForm):
    """Which alarms to show: of a tab, of some machines, states and models, from a severity on, opened in a period."""

    tab = forms.ChoiceField(
        choices=[(key, tab.name) for key, tab in TABS.items()],
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid_choice": format_lazy(_("There is no tab “%(value)s”. Known: {known}."), known=", ".join(TABS))
        },
    )
    severity = forms.TypedChoiceField(
        label=_("Severity from"),
        choices=[("", _("all")), *((it, str(it)) for it in range(1, MOST_SEVERE + 1))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"invalid_choice": _("There is no severity “%(value)s”. Choose 1 to 5.")},
    )
    family = forms.ChoiceField(
        label=_("Model"),
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"invalid_choice": _("No model “%(value)s” has said anything yet. Choose one from the list.")},
    )
    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PAGES,
        widget=forms.HiddenInput,
        error_messages={
            "invalid": _("Enter a page number."),
            "min_value": _("There is no such page."),
            "max_value": _("The list ends before. Choose a period or another filter to see older ones."),
        },
    )

    def __init__(self, query):
        super().__init__(query)
        self.fields["state"].choices = [(it.value, it.label) for it in FAULTS]
        families = EpisodeTail.objects.exclude(family="").values_list("family", flat=True).distinct()
        self.fields["family"].choices = [("", _("all")), *((it, it) for it in sorted(families, key=natural))]

    @property
    def chosen_tab(self) -> str:
        return self.cleaned_data["tab"] or next(iter(TABS))

    def narrow(self, episodes, now: datetime):
        """Those that match, of whatever tab. The form must be valid."""
        asked = self.cleaned_data
        after, before = self.period(now)
        wanted = {
            "machine__in": self.chosen_machines() if asked["machine"] else None,
            "fault_type__in": asked["state"],
            "severity__gte": asked["severity"],
            "family": asked["family"],
            "opened_at__gte": after,
            "opened_at__lt": before,
        }
        return episodes.filter(**{lookup: value for lookup, value in wanted.items() if value})

    def has_period(self) -> bool:
        return any(self.data.get(name) for name in ("after", "before", "range"))

    def has_filters(self) -> bool:
        return super().has_filters() or any(self.data.get(name) for name in ("severity", "family"))


class HistoryForm(DiagnosisForm):
    """One machine, and a place in the list of its diagnoses."""

    cursor = forms.ModelChoiceField(
        VibrationDiagnosis.objects.all(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid_choice": _("This position in the list no longer exists. Start again from the newest.")
        },
    )

    def clean(self):
        asked = super().clean()
        if "machine" in asked and len(asked["machine"]) != 1:
            self.add_error("machine", _("Choose one machine."))
        return asked

    def after_place(self, newest_first):
        """Those that follow the place asked for. The form must be valid."""
        place = self.cleaned_data["cursor"]
        return newest_first.older_than(place) if place else newest_first


class TimelineForm(DiagnosisForm):
    """A stretch of time, the last 7 days if none is named; of many machines some at a time."""

    default_range = USUAL_RANGE
    page = forms.IntegerField(
        required=False,
        min_value=1,
        widget=forms.HiddenInput,
        error_messages={"invalid": _("Enter a page number."), "min_value": _("There is no such page.")},
    )

    def clean(self):
        asked = super().clean()
        after, before = asked.get("after"), asked.get("before")
        end = before or timezone.now()
        if after and after >= end:
            self.add_error("after", _("The start is in the future."))
        elif after and end - after > LONGEST_SPAN:
            self.add_error("before" if before else "after", _("At most 92 days at a time."))
        if "machine" in asked and (asked.get("page") or 1) > self.pages():
            self.add_error("page", _("There is no such page."))
        return asked

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """The first instant and the one after the last. The form must be valid."""
        start, end = self.period(now)
        end = end or now
        return start or end - RANGES[self.default_range], end

    def pages(self) -> int:
        return max(1, -(-len(self.chosen_machines()) // MACHINES_PER_PAGE))

    def page_of_machines(self) -> list[Machine]:
        """The machines of the page asked for. The form must be valid."""
        first = ((self.cleaned_data["page"] or 1) - 1) * MACHINES_PER_PAGE
        return self.chosen_machines()[first : first + MACHINES_PER_PAGE]
