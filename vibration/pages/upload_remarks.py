"""What is said of an uploaded file: the codes of vibration/formats/reasons.py in the words of pages."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vibration.formats.reasons import Remark

WORDS = {
    "time_by_name": _("the time, by its name"),
    "time_by_values": _("the time: it is the first column, and rises in even steps"),
    "time_unit_by_name": _("The time is in {unit}, as its name says."),
    "time_unit_by_units": _("The time is in {unit}, as the row of units says."),
    "time_unit_by_habit": _("The time is taken to be in seconds: nothing says otherwise, and its steps are {step} s."),
    "time_is_epoch": _("The time is in {unit} since 1970; the first is {instant}."),
    "time_is_iso": _("The time has date and time of day, such as {text}."),
    "time_said": _("The time is written as {kind}, as you said."),
    "time_left_out": _("the time, left out as you said"),
    "rate_from_times": _("Sampling rate by the times: {rate} Hz."),
    "rate_from_rounded_times": _(
        "Sampling rate that fits the times: {rate} Hz. They are rounded or jitter: {least} to {most} Hz fit as well."
    ),
    "rate_from_file": _("Sampling rate that the file tells: {rate} Hz."),
    "rate_said": _("Sampling rate, as you said: {rate} Hz."),
    "start_from_stamps": _("The start is the first time stamp."),
    "start_from_file": _("The start, as the file tells: {instant}."),
    "start_open": _("The file does not tell when it was measured."),
    "start_said": _("The start, as you said: {instant}."),
    "start_from_name": _("The start, as the file's name tells: {instant}."),
    "start_from_mtime": _("The start is when the file was changed last: {instant}."),
    "axis_by_name": _("an axis, by its name"),
    "axis_by_values": _("an axis: its values are numbers, and nothing says otherwise"),
    "axis_constant": _("the same value throughout"),
    "axis_cut": _("the name is longer than that of an axis may be; it is called {axis}"),
    "axis_said": _("an axis, as was said"),
    "columns_said": _("The columns are taken as you said."),
    "unit_from_name": _("unit {unit}, as the file says"),
    "unit_said": _("unit {unit}, as you said"),
    "unit_unknown": _("nothing tells the unit; without one it is stored as unknown"),
    "rpm_by_name": _("the speed in rpm, by its name"),
    "rpm_said": _("The speed, as you said: {rpm} rpm."),
    "left_out_index": _("counts rows; left out"),
    "left_out_other": _("no signal, by its name; left out"),
    "left_out_text": _("text; left out"),
    "left_out_empty": _("no samples; left out"),
    "open_end": _("The last line ({place}) has no line end; it is taken as complete."),
    "gaps": _("The times have gaps ({count}); each stretch between them becomes a capture of its own."),
    "clock_drifts": _("The clock drifts: the times run off the even steps by more than a step."),
    # Doubts
    "no_rate": _(
        "Nothing tells the sampling rate: there is no column of times, and the file says none. Enter it below."
    ),
    "rate_uncertain": _(
        "The times are few and rounded: {rate} Hz fits, and {least} to {most} Hz as well. Enter the rate below."
    ),
    "no_axis": _("No column is a signal. Say below which are."),
    "which_columns": _("{count} columns may be signals. Say below which are; the others are left out."),
    "time_unit": _("“{column}” is the time, and nothing tells in which unit: {first}, {second}, … Choose it below."),
    "time_other_unit": _("“{column}” is the time, in a unit that is not read: {unit}. Choose below how it is written."),
    "times_bad": _("The times cannot be used: {message}."),
    "no_time_column": _("No column is the time. Say below which is, or that there is none."),
    "which_time": _("More than one column may be the time: {columns}. Leave one below, and leave the others out."),
    "which_rpm": _("More than one column may be the speed: {columns}. Leave one below, and leave the others out."),
    "unit_not_known": _("“{column}” has the unit {unit}, which is none of m/s², g and mm/s. Choose it below."),
    "not_numbers": _(
        "{place}: “{column}” is “{text}”, not a number. Leave the column out, or repair the file and send it again."
    ),
    "separator_or_decimal": _("The commas may separate columns or be decimal commas. Say below which."),
    "four_states": _("The columns are the four labelled states of a recording."),
    "rates_differ": _("The columns have different sampling rates. Say below which are signals."),
    # Of what was stored
    "units_unknown": _("The unit of {axes} is not known: what needs one, such as velocity, is not assessable."),
    "speeds_of_zero": _("The speed of {count} of {of} captures is 0. They are stored without one."),
    "marked_is_flat": _("{axis}, {count} of {of} captures: all samples are alike. Is the sensor dead or disconnected?"),
    "marked_is_clipped": _("{axis}, {count} of {of} captures: the samples are cut off at an end of the range."),
    "marked_has_gap": _("{axis}, {count} of {of} captures: the times have a gap right before or behind."),
    "marked_clock_drifts": _("{axis}, {count} of {of} captures: the clock of the times drifts."),
}


def remark_text(remark: Remark) -> str:
    """In the language of the page; in English where it has no words for a code."""
    words = WORDS.get(remark.code)
    if not words:
        return str(remark)
    return str(words).format(
        **{name: _plant_time(it) if name == "instant" else it for name, it in remark.values.items()}
    )


def _plant_time(text: str) -> str:
    """An instant in ISO 8601 as pages show it; one without an offset is plant time already."""
    instant = datetime.fromisoformat(text)
    local = timezone.localtime(instant) if instant.tzinfo else instant
    return local.isoformat(" ").partition("+")[0]
