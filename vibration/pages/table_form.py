"""The query string of the table of samples as a form; an error is shown at its field."""

from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from common.natural_order import natural
from common.periods import PeriodForm, query_with
from vibration.models import Recording
from vibration.pages.sample_table import Cursor
from vibration.storage.reading import Place, places_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Text

_NOT_SECONDS = _("Enter a number of seconds, such as 12.5.")
_PLACES = ("machine", "sensor", "recording")
_FILTERS = (*_PLACES, "start", "end", "after", "before", "range")


class CursorField(forms.Field):
    """Where a page begins: behind a sample."""

    widget = forms.HiddenInput

    def to_python(self, value) -> Cursor | None:
        try:
            return Cursor.read(value) if value else None
        except ValueError:
            message = _("“%(value)s” is not a position in the list. Start again from the newest row.")
            raise forms.ValidationError(message, "invalid", {"value": value}) from None


class SampleTableForm(PeriodForm):
    """Which samples to show. What the query does not name is not filtered by."""

    machine = forms.ChoiceField(
        label=_("Machine"),
        required=False,
        error_messages={
            "invalid_choice": _("There is no machine “%(value)s” with recordings. Choose one from the list.")
        },
    )
    sensor = forms.ChoiceField(
        label=_("Sensor"),
        required=False,
        error_messages={
            "invalid_choice": _("This machine has no sensor “%(value)s” with recordings. Choose one from the list.")
        },
    )
    recording = forms.ChoiceField(
        label=_("Recording"),
        required=False,
        error_messages={"invalid_choice": _("This sensor has no recording “%(value)s”. Choose one from the list.")},
    )
    start = forms.FloatField(label=_("From (s)"), required=False, error_messages={"invalid": _NOT_SECONDS})
    end = forms.FloatField(label=_("To (s)"), required=False, error_messages={"invalid": _NOT_SECONDS})
    cursor = CursorField(required=False)

    def __init__(self, query: QueryDict):
        """One query, however many machines there are; another for the recordings of the machine that is chosen."""
        super().__init__(query.copy())
        machines = sorted(Recording.objects.machines(), key=lambda it: natural(it[0]))
        self.nothing_stored = not machines
        machine = self._offer("machine", machines, _("all"))
        if machine is None:
            # The machine is wrong, and that is said there; of these nothing can be said.
            self.data["sensor"] = self.data["recording"] = ""
        places = _recordings_of(machine) if machine else []
        sensor = self._offer(
            "sensor",
            [(number, position) for number, position, _name in places],
            _("all") if machine else _("all (choose a machine first)"),
            without=None if machine else _("Choose the machine of this sensor first."),
        )
        if sensor is None:
            self.data["recording"] = ""
        self._offer(
            "recording",
            [(name, "") for number, _position, name in places if number == sensor],
            _("all") if sensor else _("all (choose a sensor first)"),
            without=None if sensor else _("Choose the sensor of this recording first."),
        )
        for field in self.fields.values():
            kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            field.widget.attrs.setdefault("class", kind)

    def _offer(
        self, name: str, choices: list[tuple[str, str]], all_: "Text", without: "Text | None" = None
    ) -> str | None:
        """Offer names with their titles; the one asked for, "" for all, None if it is none of them.

        `without` is what to say of any name while what it belongs to is not chosen.
        """
        field = self.fields[name]
        titles = {key: f"{key} ({title})" if title else key for key, title in choices}
        field.choices = [("", all_), *titles.items()]
        if without:
            field.error_messages["invalid_choice"] = without
        asked = self.data.get(name, "")
        return asked if not asked or asked in titles else None

    def clean(self):
        asked = super().clean()
        start, end = asked.get("start"), asked.get("end")
        if start is not None and end is not None and end < start:
            self.add_error("end", _("The end must not be before the start."))
        if asked.get("format") and asked.get("cursor"):
            self.add_error("cursor", _("A CSV file has all rows: leave out the position in the list."))
        return asked

    def recordings(self, now: datetime):
        """Those that hold or held samples asked for, the one that was written last first. The form must be valid."""
        asked = self.cleaned_data
        after, before = self.period(now)
        lookups = {
            "sensor__machine__name": asked["machine"],
            "sensor__sensor_no": asked["sensor"],
            "name": asked["recording"],
            "last_time__gte": asked["start"],
            "first_time__lte": asked["end"],
            "last_collected_at__gte": after,
            "last_collected_at__isnull": False if before else None,
        }
        asked_for = {lookup: value for lookup, value in lookups.items() if value not in ("", None)}
        return Recording.objects.filter(first_time__isnull=False, **asked_for).newest_first()

    def window(self, now: datetime) -> Q:
        """Which samples of these recordings are asked for; empty when all are. The form must be valid."""
        after, before = self.period(now)
        lookups = {
            "measured_time__gte": self.cleaned_data["start"],
            "measured_time__lte": self.cleaned_data["end"],
            "collected_at__gte": after,
            "collected_at__lt": before,
        }
        return Q(**{lookup: value for lookup, value in lookups.items() if value is not None})

    def pruned(self, recordings: QuerySet[Recording]) -> list[Place]:
        """Of these recordings, those with raw samples removed where samples are asked for. The form must be valid."""
        return places_of(recordings.filter(pruned_before__gt=self.cleaned_data["start"] or 0.0))

    def place(self) -> list[str]:
        """Names of the machine, sensor and recording that are chosen, as far as they are. The form must be valid."""
        return [self.cleaned_data[name] for name in _PLACES if self.cleaned_data[name]]

    def has_filters(self) -> bool:
        return any(self.data.get(name) for name in _FILTERS)

    def newest(self, **changes) -> str:
        """The query string of these filters, from the newest row on unless the changes name a cursor."""
        return query_with(self.data, leave_out=("cursor", "format"), **changes)

    def without_range(self) -> str:
        return query_with(self.data, leave_out=("range", "cursor", "format"))

    def csv(self) -> str:
        return self.newest(format="csv")


def _recordings_of(machine: str) -> list[tuple[str, str, str]]:
    """Sensor, its position and name of each recording of a machine."""
    recordings = Recording.objects.of_machine(machine).order_by("sensor__sensor_no", "name")
    return list(recordings.values_list("sensor__sensor_no", "sensor__position", "name"))
