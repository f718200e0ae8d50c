"""Query strings of the pages as forms; an error is shown at its field."""

from django import forms
from django.http import QueryDict
from django.template.defaultfilters import date
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.natural_order import natural
from vibration.models import Recording
from vibration.numbers.states import STATES
from vibration.pages.trends.quantities import CHOICES
from vibration.windows.signal_features import MAX_WINDOWS

STATE_NAMES = dict(
    zip(STATES, (_("normal"), _("unbalance"), _("looseness"), _("unbalance and looseness")), strict=True),
)
_NOT_SECONDS = _("Enter a number of seconds, such as 12.5.")


class WindowForm(forms.Form):
    """Which window to show, in seconds from the start; an end that is left open is that of all there is."""

    start = forms.FloatField(label=_("From (s)"), required=False, error_messages={"invalid": _NOT_SECONDS})
    end = forms.FloatField(label=_("To (s)"), required=False, error_messages={"invalid": _NOT_SECONDS})

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        for name in ("start", "end"):
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean(self):
        super().clean()
        asked = self.cleaned_data
        start, end = asked.get("start"), asked.get("end")
        if start is not None and end is not None and end < start:
            self.add_error("end", _("The end must not be before the start."))
        return asked


class RecordingForm(WindowForm):
    """Which window of which recording to show. What the query does not name takes the first choice there is."""

    machine = forms.ChoiceField(
        label=_("Machine"),
        error_messages={
            "invalid_choice": _("There is no machine “%(value)s” with recordings. Choose one from the list.")
        },
    )
    sensor = forms.ChoiceField(
        label=_("Sensor"),
        error_messages={
            "invalid_choice": _("This machine has no sensor “%(value)s” with recordings. Choose one from the list.")
        },
    )
    recording = forms.ChoiceField(
        label=_("Recording"),
        error_messages={"invalid_choice": _("This sensor has no recording “%(value)s”. Choose one from the list.")},
    )
    states = forms.MultipleChoiceField(
        label=_("States"),
        choices=STATE_NAMES,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"invalid_choice": _("There is no state “%(value)s”.")},
    )

    data: QueryDict  # Django takes any mapping

    def __init__(self, query: QueryDict):
        """Two queries, however much there is."""
        super().__init__(query.copy())
        machines = sorted(Recording.objects.machines(), key=lambda it: natural(it[0]))
        machine = self._offer("machine", {name: _titled(name, title) for name, title in machines})
        self.recordings = list(Recording.objects.of_machine(machine).with_place())
        sensors = {recording.sensor.sensor_no: recording.sensor for recording in self.recordings}
        sensor = self._offer("sensor", {number: _titled(number, it.position) for number, it in sensors.items()})
        of_sensor = [recording for recording in self.recordings if recording.sensor.sensor_no == sensor]
        self._offer("recording", {it.name: _titled(it.name, _start(it)) for it in of_sensor})
        if "states" not in self.data:
            self.data.setlist("states", STATES)
        for name, field in self.fields.items():
            if name != "states":
                field.widget.attrs["class"] = "form-select" if field.widget.input_type == "select" else "form-control"

    def _offer(self, name: str, choices: dict) -> str:
        """Offer these choices of a field; the value asked for, known or not, or else the first."""
        field = self.fields[name]
        field.choices = choices.items()
        if not choices:
            # The choice before this one is wrong, and that is said there; of this one nothing can be said.
            self.data[name] = ""
            field.required = False
        elif not self.data.get(name):
            self.data[name] = next(iter(choices))
        return self.data.get(name, "")

    def chosen(self) -> Recording | None:
        """The recording to show; None when the query is wrong or nothing is stored."""
        if not self.is_valid():
            return None
        place = self.cleaned_data["sensor"], self.cleaned_data["recording"]
        return next((it for it in self.recordings if (it.sensor.sensor_no, it.name) == place), None)


class WaveformForm(RecordingForm):
    """Beside it another recording of the machine may be drawn."""

    compare = forms.ChoiceField(
        label=_("Compare with"),
        required=False,
        error_messages={
            "invalid_choice": _("This machine has no other recording “%(value)s”. Choose one from the list.")
        },
    )

    def __init__(self, query: QueryDict):
        super().__init__(query)
        self._offer_comparison()

    def _offer_comparison(self) -> None:
        """Offer every recording of the machine but the one shown, by its number, behind "none"."""
        sensor, recording = self.data.get("sensor", ""), self.data.get("recording", "")
        others = [it for it in self.recordings if (it.sensor.sensor_no, it.name) != (sensor, recording)]
        choices = [(str(it.pk), f"{it.sensor.sensor_no} / {it.name}") for it in others]
        self.fields["compare"].choices = [("", _("none")), *choices]
        if not self.recordings:
            self.data["compare"] = ""  # the machine is wrong, and that is said there

    def compared(self) -> Recording | None:
        """The recording to draw over the chosen one; None when the query is wrong or names none."""
        number = self.cleaned_data["compare"] if self.is_valid() else ""
        return next((it for it in self.recordings if str(it.pk) == number), None)


class FeaturesForm(RecordingForm):
    """The features of captures, of windows of a recording: which of them, and of how many windows."""

    feature = forms.ChoiceField(
        label=_("Feature"),
        choices=CHOICES,
        error_messages={"invalid_choice": _("There is no feature “%(value)s”. Choose one from the list.")},
    )
    windows = forms.IntegerField(
        label=_("Windows"),
        required=False,
        min_value=1,
        max_value=MAX_WINDOWS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            format_lazy(_("Enter a whole number from 1 to {most}, or nothing for as many as fit."), most=MAX_WINDOWS),
        ),
    )

    def __init__(self, query: QueryDict):
        super().__init__(query)
        if not self.data.get("feature"):
            self.data["feature"] = "rms"


def _titled(name: str, title: str) -> str:
    return f"{name} ({title})" if title else name


def _start(recording: Recording) -> str:
    return date(timezone.localtime(recording.started_at), "Y-m-d H:i:s") if recording.started_at else ""
