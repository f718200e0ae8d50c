"""What the arguments of commands may be; argparse tells what is wrong with one that may not."""

import argparse
import difflib
import math
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError
from rest_framework.exceptions import ValidationError

from common.durations import read_duration
from common.names import InvalidName, clean_name
from common.rest.fields import TimeField, messages_of
from machines.models import Machine
from vibration.csv.times import find_zone
from vibration.files.name_patterns import OF_CAPTURES, OF_RECORDINGS, BadPattern, NamePattern
from vibration.models import Capture
from vibration.signals.units import UnknownUnit, unit_of

# Of what is removed by age
LEAST_AGE = timedelta(days=1)  # what is younger is deleted by name, not by age
PAUSE, MAX_PAUSE = 3.0, 100.0  # times as long as the batch took: on a busy server both get longer
LONGEST_PAUSE_S = 10.0  # a batch may have waited for a long import, which is no work of its own


def parse_instant(text: str) -> datetime:
    """As the API reads it."""
    try:
        return TimeField().run_validation(text)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(messages_of(error)[0]) from None


def name_pattern(text: str, known: tuple[str, ...] = OF_RECORDINGS) -> NamePattern:
    try:
        return NamePattern(text, known)
    except BadPattern as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def capture_pattern(text: str) -> NamePattern:
    return name_pattern(text, OF_CAPTURES)


def axis_names(text: str) -> tuple[str, ...]:
    """Names with commas between them, each there once."""
    try:
        names = tuple(clean_name(name, Capture._meta.get_field("axis")) for name in text.split(","))
    except InvalidName as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"'{text}' names an axis twice")
    return names


def capture_unit(text: str) -> str:
    try:
        return unit_of(text).value
    except UnknownUnit as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def above_zero(text: str) -> float:
    try:
        if 0 < (number := float(text)) < math.inf:
            return number
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")


def zone(text: str) -> ZoneInfo:
    try:
        return find_zone(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def some_path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("an empty path names nothing")
    return Path(text)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of rows")
    return int(text)


def seconds(text: str) -> float:
    try:
        if 0 <= (number := float(text)) < math.inf:
            return number
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds")


def age(text: str) -> timedelta:
    try:
        found = read_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found < LEAST_AGE:
        raise argparse.ArgumentTypeError(
            f"'{text}' is less than a day; what is younger is deleted in the administration, not by age"
        )
    return found


def pause(text: str) -> float:
    try:
        times = float(text)
    except ValueError:
        times = -1
    if not 0 <= times <= MAX_PAUSE:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to {MAX_PAUSE:g}")
    return times


def known_machine(name: str) -> Machine:
    if found := Machine.objects.filter(name=name).first():
        return found
    names = list(Machine.objects.order_by("name").values_list("name", flat=True))
    near = difflib.get_close_matches(name, names) or names[:5]
    raise CommandError(f"There is no machine {name}. Perhaps: {', '.join(near)}" if near else "There are no machines.")
