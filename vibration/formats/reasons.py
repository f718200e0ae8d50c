"""Why a mapping was guessed so, and what is left to be said: short codes with values, and the English for them."""

from dataclasses import dataclass, field
from typing import Any

# For commands; pages translate the codes.
ENGLISH = {
    "time_by_name": "'{column}' is the time, by its name",
    "time_by_values": "'{column}' is the time: it is the first column, and rises in even steps",
    "time_unit_by_name": "the time is in {unit}, as its name says",
    "time_unit_by_units": "the time is in {unit}, as the row of units says",
    "time_unit_by_habit": "the time is in seconds: nothing says otherwise, and its steps are {step} s",
    "time_is_epoch": "the time is in {unit} since 1970; the first is {instant}",
    "time_is_iso": "the time has date and time of day, such as {text}",
    "time_said": "the time '{column}' is written as {kind}, as was said",
    "time_left_out": "the time '{column}' is left out, as was said",
    "rate_from_times": "{rate} Hz is the sampling rate of the times",
    "rate_from_rounded_times": "{rate} Hz is the sampling rate that fits the times; they are rounded or jitter, and "
    "{least} to {most} Hz fit as well",
    "rate_from_file": "{rate} Hz is the sampling rate that the file tells",
    "rate_said": "{rate} Hz is the sampling rate that was said",
    "start_from_stamps": "the start is the first time stamp",
    "start_from_file": "the start is {instant}, as the file tells",
    "start_open": "the file tells no start",
    "axis_by_name": "'{column}' is the axis {axis}, by its name",
    "axis_by_values": "'{column}' is the axis {axis}: its values are numbers, and nothing says otherwise",
    "axis_constant": "'{column}' has the same value throughout",
    "axis_cut": "'{column}' is longer than the name of an axis may be; it is called {axis}",
    "unit_from_name": "the unit of '{column}' is {unit}, as the file says",
    "unit_said": "the unit of '{column}' is {unit}, as was said",
    "unit_unknown": "nothing tells the unit of '{column}'; it is stored as unknown",
    "rpm_by_name": "'{column}' is the speed in rpm, by its name",
    "left_out_index": "'{column}' counts rows; it is left out",
    "left_out_other": "'{column}' is no signal, by its name; it is left out",
    "left_out_text": "'{column}' is text; it is left out",
    "left_out_empty": "'{column}' has no samples; it is left out",
    "open_end": "{place}, the last, has no line end; it was taken as complete",
    "gaps": "the times have gaps ({count}); each stretch between them becomes a capture of its own",
    "clock_drifts": "the clock drifts: the times run off the even steps by more than a step",
    "columns_said": "the mapping that was said tells what each column is",
    "axis_said": "'{column}' is the axis {axis}, as was said",
    "rpm_said": "the speed is {rpm} rpm, as was said",
    "start_said": "the start is {instant}, as was said",
    "start_from_name": "the start is {instant}, as the file's name tells",
    "start_from_mtime": "the start is {instant}, when the file was changed last",
    # Doubts
    "no_rate": "nothing tells the sampling rate: there is no column of times, and the file says none",
    "rate_uncertain": "the times are few and rounded: {rate} Hz fits, and {least} to {most} Hz as well; say the rate",
    "no_axis": "no column is a signal",
    "which_columns": "{count} columns may be signals ({columns}); say which are",
    "time_unit": "'{column}' is the time, and nothing tells in which unit: {first}, {second}, ...",
    "time_other_unit": "'{column}' is the time, in a unit that is not read: {unit}",
    "times_bad": "{message}",
    "no_time_column": "the time was said to be written as {kind}, and no column is the time",
    "which_time": "more than one column may be the time: {columns}",
    "which_rpm": "more than one column may be the speed: {columns}",
    "unit_not_known": "the unit of '{column}' is {unit}, which is none of m/s2, g, mm/s",
    "not_numbers": "{place}: '{column}' is '{text}', not a number, in a column that may be a signal",
    "separator_or_decimal": "the commas may separate columns or be decimal commas",
    "four_states": "its columns are the four states of a rig, labelled; import it with import_vibration",
    "rates_differ": "the columns have different sampling rates; say which columns are signals",
    # Of what was stored
    "units_unknown": "the unit of {axes} is not known: what needs one, such as velocity, is not assessable",
    "speeds_of_zero": "the speed of {count} of {of} captures is 0: they are stored without one",
    "marked_is_flat": "{axis}: {count} of {of} captures: all samples are alike: a dead or disconnected sensor?",
    "marked_is_clipped": "{axis}: {count} of {of} captures: the samples are cut off at an end of the range",
    "marked_has_gap": "{axis}: {count} of {of} captures: the times have a gap right before or behind",
    "marked_clock_drifts": "{axis}: {count} of {of} captures: the clock of the times drifts",
}


@dataclass(frozen=True)
class Remark:
    """A code of ENGLISH and the values in its text."""

    code: str
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return ENGLISH[self.code].format(**self.values)


def remark(code: str, **values: Any) -> Remark:
    return Remark(code, values)
