"""What a person says of a file that is uploaded: fields, and one row for each of its columns."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.names import InvalidName, clean_name
from common.periods import InstantField
from common.rest.fields import MAX_AHEAD, earliest
from machines.models import Machine, Sensor
from vibration.captures.mappings import NoSuchMapping, find_mapping
from vibration.captures.understanding import Said
from vibration.formats.mapping import MAX_AXES, MAX_RATE_HZ, MAX_RPM, MIN_RATE_HZ, Axis, BadMapping, Mapping
from vibration.formats.stamps import EPOCHS, TIMES
from vibration.models import DEFAULT_RECORDING, CaptureMapping, Recording
from vibration.models.captures import UNITS

SHOWN_COLUMNS = 60  # that a person may say the use of; of the others those that a mapping uses
MOST_ROWS = SHOWN_COLUMNS + MAX_AXES + 2  # with a time and a speed
AS_FILE_SAYS = "?"  # of a unit
CAPTURES, RECORDING = "captures", "recording"
TIME, AXIS, SPEED, LEFT_OUT = "time", "axis", "speed", "out"
KINDS = [
    (CAPTURES, _("captures of a running machine")),
    (RECORDING, _("labelled recording (4 states)")),
]
USES = [
    (TIME, pgettext_lazy("column", "time")),
    (AXIS, pgettext_lazy("column", "axis")),
    (SPEED, pgettext_lazy("column", "speed (rpm)")),
    (LEFT_OUT, pgettext_lazy("column", "left out")),
]
TIME_NAMES = {
    "none": _("no time column"),
    "s": _("seconds"),
    "ms": _("milliseconds"),
    "us": _("microseconds"),
    "ns": _("nanoseconds"),
    "epoch-s": _("seconds since 1970"),
    "epoch-ms": _("milliseconds since 1970"),
    "epoch-us": _("microseconds since 1970"),
    "epoch-ns": _("nanoseconds since 1970"),
    "iso": _("date and time of day"),
}
RECORDING_TIMES = ["seconds", *EPOCHS, "iso"]
COMMAS = {"columns": (",", "."), "decimals": ("", ",")}  # separator and decimal mark of the file, if a comma is that


class NameField(forms.CharField):
    """A name as it is stored."""

    def __init__(self, column: Any, **more):
        self.column = column
        super().__init__(required=False, strip=True, **more)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        try:
            return clean_name(text, self.column, str(self.label)) if text else ""
        except InvalidName as error:
            raise ValidationError(str(error), "invalid") from None


class Row(NamedTuple):
    """What one column is said to be."""

    column: str
    use: str
    axis: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Guessed:
    """What the form showed at first, so that it is seen what a person changed; it travels with the form."""

    rows: tuple[Row, ...] = ()
    time: str = "none"
    start: str = "told"  # of formats.mapping.STARTS
    commas: str = ""
    is_said: bool = False  # the rows count, whether they were changed or not
    written: tuple[str, str] = ("", "")  # separator and decimal mark that a mapping says

    def to_json(self) -> str:
        said = [self.rows, self.time, self.start, self.commas, self.is_said, self.written]
        return json.dumps(said, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Guessed":
        """Raises ValidationError for what this page did not write."""
        try:
            rows, time, start, commas, is_said, (separator, decimal) = json.loads(text)
            written = str(separator), str(decimal)
            found = cls(tuple(Row(*row) for row in rows), str(time), str(start), str(commas), bool(is_said), written)
        except (ValueError, TypeError, RecursionError):
            raise ValidationError(_("This form is not one of this page. Send the file again."), "guessed") from None
        return found


class UploadForm(forms.Form):
    """All is optional but the file: what is left open is taken from the file and its name."""

    file = forms.FileField(label=_("File"), allow_empty_file=True, max_length=1000)
    kind = forms.ChoiceField(label=_("What the file holds"), choices=[("", ""), *KINDS], required=False)
    machine = NameField(Machine._meta.get_field("name"), label=_("Machine"))
    sensor = NameField(Sensor._meta.get_field("sensor_no"), label=_("Sensor"))
    recording = NameField(Recording._meta.get_field("name"), label=_("Recording"))
    started_at = InstantField(label=_("Start (plant time)"), required=False)
    rate_hz = forms.FloatField(
        label=_("Sampling rate (Hz)"),
        required=False,
        min_value=MIN_RATE_HZ,
        max_value=MAX_RATE_HZ,
    )
    time = forms.ChoiceField(label=_("How the time is written"), required=False)
    commas = forms.ChoiceField(
        label=_("Commas"),
        choices=[("", ""), ("columns", _("separate columns")), ("decimals", _("are decimal commas"))],
        required=False,
    )
    rpm = forms.FloatField(
        label=_("Speed (rpm), if it is known"),
        required=False,
        min_value=0,
        max_value=MAX_RPM,
    )
    split_s = forms.FloatField(label=_("Cut into captures of (s)"), required=False, min_value=0)
    mapping = forms.CharField(label=_("Use a saved mapping"), required=False, max_length=50)
    save_as = NameField(CaptureMapping._meta.get_field("name"), label=_("Save what the columns are as"))
    modified = forms.IntegerField(required=False)  # ms since 1970: when the file was changed last
    guessed = forms.CharField(required=False, max_length=100_000)
    others = forms.CharField(required=False, max_length=1_000_000)  # JSON: names of columns beyond SHOWN_COLUMNS

    data: QueryDict

    def __init__(self, data: QueryDict, files: MultiValueDict, *, names: list[str]):
        """`names` are those of the mappings that are kept."""
        super().__init__(data, files)
        self.names = names
        times = RECORDING_TIMES if data.get("kind") == RECORDING else TIMES
        self._choice("time").choices = [("", ""), *((it, TIME_NAMES.get(it, TIME_NAMES["s"])) for it in times)]

    def _choice(self, name: str) -> Any:
        return self.fields[name]  # whose choices the stubs of Django do not know

    def clean_guessed(self) -> Guessed | None:
        text = self.cleaned_data["guessed"]
        return Guessed.read(text) if text else None

    def clean_others(self) -> list[str]:
        try:
            found = json.loads(self.cleaned_data["others"] or "[]")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(isinstance(it, str) for it in found):
            raise ValidationError(_("This form is not one of this page. Send the file again."), "others")
        return found

    def clean_mapping(self) -> Mapping | None:
        name = self.cleaned_data["mapping"]
        try:
            return find_mapping(name) if name else None
        except (NoSuchMapping, BadMapping) as error:
            raise ValidationError(str(error), "mapping") from None

    def clean_rpm(self) -> float | None:
        return self.cleaned_data["rpm"] or None

    def clean_split_s(self) -> float | None:
        return self.cleaned_data["split_s"] or None

    # --- What was said: the form must be valid ---

    @property
    def file_name(self) -> str:
        return self.cleaned_data["file"].name

    @property
    def is_recording(self) -> bool:
        return self.cleaned_data["kind"] == RECORDING

    @property
    def shown_before(self) -> Guessed | None:
        """None when the file is new to the form, its commas are now taken otherwise, or a mapping is to be used."""
        found = None if self.cleaned_data["mapping"] else self.cleaned_data["guessed"]
        return found if found and found.commas == self.cleaned_data["commas"] else None

    def rows(self) -> tuple[Row, ...]:
        """Those that were sent, in the order of the columns."""
        rows: list[Row] = []
        while (column := self.data.get(f"column-{len(rows)}")) is not None and len(rows) < MOST_ROWS:
            use, axis, unit = (self.data.get(f"{name}-{len(rows)}", "") for name in ("use", "axis", "unit"))
            rows.append(Row(column, use, *((axis.strip(), unit) if use == AXIS else ())))
        return tuple(rows)

    def said(self) -> Said:
        """What counts beside the file. Raises BadMapping for rows that contradict themselves."""
        asked, guessed = self.cleaned_data, self.shown_before
        if self.is_recording:
            return Said()
        more = {"rpm": asked["rpm"], "started_at": asked["started_at"], "split_s": asked["split_s"]}
        if asked["mapping"]:
            return Said(mapping=asked["mapping"], rate_hz=asked["rate_hz"], **more)
        if guessed and (guessed.is_said or self.rows() != guessed.rows):
            return Said(mapping=self._mapping(guessed), **more)
        time = asked["time"] if guessed and asked["time"] != guessed.time else None
        return Said(rate_hz=asked["rate_hz"], time=time or None, **more)

    def _mapping(self, guessed: Guessed) -> Mapping:
        rows, asked = self.rows(), self.cleaned_data
        of_use = {use: [row for row in rows if row.use == use] for use, _name in USES}
        for use, words in ((TIME, _("Only one column can be the time.")), (SPEED, _("Only one can be the speed."))):
            if len(of_use[use]) > 1:
                raise BadMapping(str(words))
        if not of_use[AXIS]:
            raise BadMapping(str(_("Say of at least one column that it is an axis.")))
        time = asked["time"] if of_use[TIME] else "none"
        if of_use[TIME] and time in ("", "none"):
            raise BadMapping(str(_("Choose how the time is written.")))
        start = "stamps" if time == "iso" or time in EPOCHS else "file" if guessed.start == "file" else "told"
        separator, decimal = COMMAS.get(asked["commas"], guessed.written)
        return Mapping(
            axes=tuple(Axis(it.column, it.axis, None if it.unit == AS_FILE_SAYS else it.unit) for it in of_use[AXIS]),
            time=time,
            time_column=of_use[TIME][0].column if of_use[TIME] else None,
            rate_hz=asked["rate_hz"],
            start=start,
            rpm_column=of_use[SPEED][0].column if of_use[SPEED] and not asked["rpm"] else None,
            left_out=(
                *(it.column for it in of_use[LEFT_OUT]),
                *(it.column for it in of_use[SPEED] if asked["rpm"]),
                *asked["others"],
            ),
            separator=separator,
            decimal=decimal,
        )

    def changed_at(self) -> datetime | None:
        """When the file was changed last, to the second, as far as that may be when it was measured."""
        ms = self.cleaned_data["modified"]
        if ms is None or not 0 <= ms < 2**53 // 1000:
            return None
        instant = datetime.fromtimestamp(ms // 1000, UTC)
        return instant if earliest() <= instant <= timezone.now() + MAX_AHEAD else None


def recording_name(form: UploadForm) -> str:
    return form.cleaned_data["recording"] or DEFAULT_RECORDING


def unit_choices(unit: str | None) -> list[tuple]:
    """For an axis; that of the file is offered where it is none that is known."""
    return [*([(AS_FILE_SAYS, _("choose…"))] if unit is None else []), *UNITS]
