"""The list of captures, newest first: its query string as a form, and its rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from common.database.keysets import behind
from common.natural_order import natural
from common.periods import PeriodForm, query_with
from machines.models import Machine, Sensor
from vibration.models import Capture, CaptureAxis, CaptureFeatures
from vibration.pages.capture_numbers import Number, marks_of, rms_of, speed_in_short, velocity_of
from vibration.pages.rounding import significant
from vibration.trends.series import series_key

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Text

PAGE_ROWS = 50
NEWEST_AXES = 24  # that the page of a machine shows
AXES_IN_TURN = 24  # of which each is read by itself
NEWEST_FIRST = ("-started_at", "-sensor_id", "-axis")  # as CaptureQuerySet.newest_first
_FILTERS = ("machine", "sensor", "axis", "after", "before", "range")


class CaptureForm(PeriodForm):
    """Which captures to list. What the query does not name is not filtered by."""

    machine = forms.ChoiceField(
        label=_("Machine"),
        required=False,
        error_messages={
            "invalid_choice": _("There is no machine “%(value)s” with captures. Choose one from the list.")
        },
    )
    sensor = forms.ChoiceField(
        label=_("Sensor"),
        required=False,
        error_messages={
            "invalid_choice": _("This machine has no sensor “%(value)s” with captures. Choose one from the list.")
        },
    )
    axis = forms.ChoiceField(
        label=_("Axis"),
        required=False,
        error_messages={"invalid_choice": _("This sensor has no axis “%(value)s”. Choose one from the list.")},
    )
    cursor = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            _("This is not a position in the list. Start again from the newest capture."),
        ),
    )
    format: Any = None  # of PeriodForm: there is no CSV of captures

    def __init__(self, query: QueryDict):
        """One query, however many captures there are."""
        super().__init__(query.copy())
        self.known = axes_with_captures()
        self.sensors = list({it.sensor_id: it.sensor for it in self.known}.values())
        self.nothing_stored = not self.sensors
        titles = {it.machine.name: it.machine.title for it in self.sensors}
        machine = self._offer("machine", list(titles.items()), _("all"))
        if machine is None:
            self.data["sensor"] = ""  # the machine is wrong, and that is said there
        own = {it.sensor_no: it for it in self.sensors if it.machine.name == machine}
        sensor = self._offer(
            "sensor",
            [(number, it.position) for number, it in own.items()],
            _("all") if machine else _("all (choose a machine first)"),
            without="" if machine else _("Choose the machine of this sensor first."),
        )
        if sensor is None or machine is None:
            self.data["axis"] = ""
        self._offer(
            "axis",
            [(it.axis, "") for it in self.known if sensor and it.sensor_id == own[sensor].pk],
            _("all") if sensor else _("all (choose a sensor first)"),
            without="" if sensor else _("Choose the sensor of this axis first."),
        )
        for field in self.fields.values():
            kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            field.widget.attrs.setdefault("class", kind)

    def _offer(self, name: str, choices: list[tuple[str, str]], all_: "Text", without: "Text" = "") -> str | None:
        """Offer names with their titles; the one asked for, "" for all, None if it is none of them.

        `without` is what to say of any name while what it belongs to is not chosen.
        """
        field: Any = self.fields[name]
        titles = {key: f"{key} ({title})" if title else key for key, title in choices}
        field.choices = [("", all_), *titles.items()]
        if without:
            field.error_messages["invalid_choice"] = without
        asked = self.data.get(name, "")
        return asked if not asked or asked in titles else None

    def captures(self, now: datetime) -> QuerySet[Capture]:
        """Those of the time asked for, newest first, from the cursor on, of all axes. The form must be valid."""
        found = Capture.objects.without_samples().newest_first()
        after, before = self.period(now)
        if after:
            found = found.filter(started_at__gte=after)
        if before:
            found = found.filter(started_at__lt=before)
        cursor = self.cleaned_data["cursor"]
        if last := cursor and Capture.objects.without_samples().filter(pk=cursor).first():
            found = found.filter(behind(NEWEST_FIRST, (last.started_at, last.sensor_id, last.axis)))
        return found

    def axes(self) -> list[CaptureAxis] | None:
        """Those asked for; None: all. The form must be valid."""
        asked = self.cleaned_data
        if not asked["machine"]:
            return None
        return [
            it
            for it in self.known
            if it.sensor.machine.name == asked["machine"]
            and asked["sensor"] in ("", it.sensor.sensor_no)
            and asked["axis"] in ("", it.axis)
        ]

    def has_filters(self) -> bool:
        return any(self.data.get(name) for name in _FILTERS)

    def place(self) -> str:
        """Names of what is chosen. The form must be valid."""
        return " / ".join(self.cleaned_data[it] for it in ("machine", "sensor", "axis") if self.cleaned_data[it])

    def trend_query(self) -> str:
        """Of the trend of what is chosen; of a sensor that of all its axes."""
        axes = (self.axes() if self.is_valid() else None) or []
        if not axes:
            return ""
        machine = {"machine": axes[0].sensor.machine.name}
        of_sensor = axes if self.cleaned_data["sensor"] else []
        return urlencode(machine | {"series": [series_key(it.sensor.sensor_no, it.axis) for it in of_sensor]}, True)

    def from_newest(self, **changes: str | int) -> str:
        """The query string of these filters, from the newest on unless the changes name a cursor."""
        return query_with(self.data, leave_out=("cursor",), **changes)

    def without_range(self) -> str:
        return query_with(self.data, leave_out=("range", "cursor"))


@dataclass(frozen=True)
class Row:
    """A capture with what its features say in short; they may be missing while they are made anew."""

    capture: Capture
    rms: Number | None
    velocity: Number | None
    speed: Number | None
    marks: list[str]

    @property
    def length(self) -> str:
        """In seconds."""
        return significant(self.capture.length)

    @property
    def rate(self) -> str:
        """In Hz."""
        return significant(self.capture.sampling_hz)


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    older: int | None  # the last capture, behind which the next page begins


def read_page(form: CaptureForm, now: datetime) -> Page:
    """The captures that a valid form asks for, as far as they fill a page; what it costs does not grow with them."""
    captures, axes = form.captures(now), form.axes()
    if axes is None:
        found = list(captures[: PAGE_ROWS + 1])
    elif len(axes) > AXES_IN_TURN:
        found = list(captures.filter(sensor__in={it.sensor_id for it in axes})[: PAGE_ROWS + 1])
    else:
        found = _newest_of(captures, axes)
    shown = found[:PAGE_ROWS]
    return Page(rows_of(shown, form.sensors), shown[-1].pk if len(found) > PAGE_ROWS else None)


def _newest_of(captures: QuerySet[Capture], axes: list[CaptureAxis]) -> list[Capture]:
    """The newest of some axes. Of several axes together a database would sort all captures that there are of them."""
    keys: list[tuple] = []
    for it in axes:
        # By the start alone: where sensor and axis, which are fixed, come behind it, MariaDB reads all and sorts it.
        of_axis = captures.filter(sensor=it.sensor_id, axis=it.axis).order_by("-started_at")
        keys += of_axis.values_list("started_at", "sensor", "axis", "pk")[: PAGE_ROWS + 1]
    newest = sorted(keys, reverse=True)[: PAGE_ROWS + 1]
    return list(captures.filter(pk__in=[pk for *_key, pk in newest]))


def rows_of(captures: list[Capture], sensors: Iterable[Sensor]) -> list[Row]:
    """One query for the features of all."""
    known = {it.pk: it for it in sensors}
    features = features_by_key(captures)
    rows = []
    for capture in captures:
        if capture.sensor_id in known:  # else it came with a sensor that was registered just now
            capture.sensor = known[capture.sensor_id]
        of = features.get((capture.sensor_id, capture.axis, capture.started_at))
        rows.append(
            Row(
                capture,
                rms_of(of) if of else None,
                velocity_of(of) if of else None,
                speed_in_short(of) if of else None,
                marks_of(capture),
            )
        )
    return rows


def features_by_key(captures: list[Capture]) -> dict[tuple, CaptureFeatures]:
    """Of each capture, by sensor, axis and start."""
    keys = [(it.sensor_id, it.axis, it.started_at) for it in captures]
    found = CaptureFeatures.objects.filter(pk__in=keys) if keys else []
    return {(it.sensor_id, it.axis, it.started_at): it for it in found}


def axes_with_captures() -> list[CaptureAxis]:
    """With their sensors and machines, in order of names. One query, however many captures there are."""
    found = CaptureAxis.objects.select_related("sensor__machine")
    return sorted(
        found, key=lambda it: [natural(it.sensor.machine.name), natural(it.sensor.sensor_no), natural(it.axis)]
    )


def newest_rows(machine: Machine) -> list[Row]:
    """The newest capture of each axis of a machine, in order of their names; of very many axes the latest ones."""
    known = CaptureAxis.objects.filter(sensor__machine=machine).select_related("sensor__machine")
    axes = list(known.order_by("-newest_at")[:NEWEST_AXES])
    if not axes:
        return []
    keys = {(it.sensor_id, it.axis, it.newest_at) for it in axes}
    found = Capture.objects.without_samples().filter(
        sensor__in={it.sensor_id for it in axes},
        axis__in={it.axis for it in axes},
        started_at__in={it.newest_at for it in axes},
    )
    captures = [it for it in found if (it.sensor_id, it.axis, it.started_at) in keys]
    rows = rows_of(captures, [it.sensor for it in axes])
    return sorted(rows, key=lambda it: (natural(it.capture.sensor.sensor_no), natural(it.capture.axis)))
