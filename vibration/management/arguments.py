"""What the arguments of commands may be; argparse tells what is wrong with one that may not."""

import argparse
import math
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rest_framework.exceptions import ValidationError

from common.names import InvalidName, clean_name
from common.rest.fields import TimeField, messages_of
from vibration.csv.times import find_zone
from vibration.files.name_patterns import OF_CAPTURES, OF_RECORDINGS, BadPattern, NamePattern
from vibration.models import Capture
from vibration.signals.units import UnknownUnit, unit_of


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
