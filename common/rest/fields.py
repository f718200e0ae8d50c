"""The fields of posted rows and query strings: strict where a guess would change what is stored."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import models
from django.utils import timezone
from rest_framework import serializers

from common.names import InvalidName, clean_name

# A sender whose clock runs ahead by some minutes loses nothing; one that gives its local time the wrong offset is told.
MAX_AHEAD = timedelta(hours=1)

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6}0*)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE
)
# What most programs send, a column of it as lines: quick to recognize, and numpy reads all of it
_PLAIN_TIMES = re.compile(r"(?:[12]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?\n)*", re.ASCII)


def messages_of(error: serializers.ValidationError) -> list[str]:
    """What a field has to say of a value."""
    return [str(message) for message in error.detail]


class ColumnField(serializers.Field):
    """A field that validates a whole column of rows at once, where nothing in it needs a second look."""

    def run_column(self, values: Sequence) -> np.ndarray | None:
        """The column as `to_column` has it; None when each value has to be validated by itself."""
        raise NotImplementedError

    def to_column(self, values: list) -> np.ndarray:
        """Validated values, or None where there is none, as an array."""
        raise NotImplementedError


class TimeField(ColumnField, serializers.DateTimeField):
    """An instant to the microsecond; a text without an offset is plant time (`TIME_ZONE`).

    Refuses what no instant, or two, can be meant by, and what is too early or too late to be a measurement.
    """

    default_error_messages = {
        "invalid": 'Write the time as text such as "2026-11-22T09:30:00.123456+09:00"; without an offset it is '
        "plant time ({zone}).",
        "digits": "{value}: only microseconds are stored; give at most 6 decimals of a second.",
        "impossible": "{value}: there is no such time.",
        "clocks": "{value} does not exist, or exists twice, in plant time ({zone}), where clocks are changed then; "
        'give it with its offset, such as "+09:00".',
        "early": "{value} lies before the year {year} (DJANGO_EARLIEST_YEAR). Was the sender's clock reset, as by an "
        "empty battery, or not yet set?",
        "late": "{value} lies more than an hour in the future. Is the sender's clock or offset right?",
    }

    def __init__(self, *, measured: bool = True, **kwargs: Any):
        """`measured`: the instant of something that has happened, not just any point of time to compare with."""
        self.measured = measured
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        text = value.strip() if isinstance(value, str) else ""
        zone = timezone.get_current_timezone_name()
        if not _TIME.fullmatch(text):
            digits = isinstance(value, str) and _TIME.fullmatch(re.sub(r"([.,]\d{6})\d+", r"\1", text))
            self.fail("digits" if digits else "invalid", value=value, zone=zone)
        # A seventh digit is a zero here, which fromisoformat leaves out without a word.
        try:
            instant = datetime.fromisoformat(text.upper())
        except ValueError:
            self.fail("impossible", value=value)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=timezone.get_current_timezone())
            if not _is_clear(instant):
                self.fail("clocks", value=value, zone=zone)
        try:
            in_utc = instant.astimezone(UTC)
        except OverflowError:
            self.fail("impossible", value=value)
        if self.measured and in_utc < earliest():
            self.fail("early", value=value, year=settings.EARLIEST_YEAR)
        if self.measured and in_utc > timezone.now() + MAX_AHEAD:
            self.fail("late", value=value)
        return in_utc

    def run_column(self, values: Sequence) -> np.ndarray | None:
        """A whole column as `to_column` has it, or None when not every value is one that needs no second look."""
        if set(map(type, values)) != {str} or not _PLAIN_TIMES.fullmatch("\n".join(values) + "\n"):
            return None
        try:
            column = np.array(values, dtype="datetime64[us]")
        except ValueError:
            return None
        # In plant time. Its offset is asked for once a minute: for each instant that takes ten times longer.
        minutes, minute_of = np.unique(column.astype("datetime64[m]"), return_inverse=True)
        starts = [minute.replace(tzinfo=timezone.get_current_timezone()) for minute in minutes.tolist()]
        if not all(map(_is_clear, starts)):
            return None
        offsets = np.array([start.utcoffset() for start in starts], dtype="timedelta64[us]")
        column -= offsets[minute_of]
        if self.measured:
            bounds = self.to_column([earliest(), timezone.now() + MAX_AHEAD])
            if not (bounds[0] <= column.min() and column.max() <= bounds[1]):
                return None
        return column

    def to_column(self, instants: list[datetime | None]) -> np.ndarray:
        """Instants in UTC as datetime64[us]; NaT for None."""
        naive = [instant and instant.replace(tzinfo=None) for instant in instants]
        return np.array(naive, dtype="datetime64[us]")


def earliest() -> datetime:
    """The beginning of the year before which nothing was measured, in plant time."""
    return datetime(settings.EARLIEST_YEAR, 1, 1, tzinfo=timezone.get_current_timezone()).astimezone(UTC)


def _is_clear(instant: datetime) -> bool:
    """Whether a plant time is one instant: not in the gap when clocks go forward, nor in the hour that is repeated."""
    return instant.utcoffset() == instant.replace(fold=1).utcoffset()


class NumberField(ColumnField, serializers.FloatField):
    """A finite number within `min_value` and `max_value`; no text and no truth value."""

    default_error_messages = {
        "not_a_number": "Must be a number, not {value}.",
        "text": "Must be a number, not the text {value}; send it without quotes.",
        "not_finite": "Must be a finite number.",
    }

    def __init__(self, *, min_value: float, max_value: float, **kwargs: Any):
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)
        self._bounds = min_value, max_value

    def to_internal_value(self, value: Any) -> float:
        if isinstance(value, str):
            self.fail("text", value=_shown(value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail("not_a_number", value=_shown(value))
        try:
            number = float(value)
        except OverflowError:
            self.fail("not_finite")
        if not np.isfinite(number):
            self.fail("not_finite")
        return number

    def run_column(self, values: Sequence) -> np.ndarray | None:
        """A whole column as float64, or None when not every value is an int or float in range."""
        if not set(map(type, values)) <= {float, int}:
            return None
        try:
            column = np.array(values, dtype=np.float64)
        except OverflowError:
            return None
        # Also false for a NaN
        least, most = self._bounds
        within = (column >= least) & (column <= most)
        return column if within.all() else None

    def to_column(self, values: list[float | None]) -> np.ndarray:
        """Validated numbers as float64; NaN for None."""
        return np.array(values, dtype=np.float64)


class WholeNumberField(serializers.IntegerField):
    """A whole number; neither text nor a number with decimals nor a truth value."""

    default_error_messages = {"not_whole": "Must be a whole number, not {value}."}

    def to_internal_value(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON knows one kind of number: 1.0 is 1
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail("not_whole", value=_shown(value))
        return value


class TruthField(serializers.BooleanField):
    """true or false, not a word or number for it."""

    def to_internal_value(self, value: Any) -> bool:
        if not isinstance(value, bool):
            self.fail("invalid", input=_shown(value))
        return value


class TextField(serializers.CharField):
    """A text; a number is not taken for one."""

    default_error_messages = {"not_text": "Must be a text, not {value}."}

    def to_internal_value(self, value: Any) -> str:
        if not isinstance(value, str):
            self.fail("not_text", value=_shown(value))
        return super().to_internal_value(value)


class NameField(TextField):
    """A name as it is stored, see `clean_name`; `column` is the model field that it ends in."""

    def __init__(self, column: models.CharField, **kwargs: Any):
        self.column = column
        super().__init__(max_length=column.max_length, **kwargs)

    def to_internal_value(self, value: Any) -> str:
        if not isinstance(value, str):
            self.fail("not_text", value=_shown(value))
        if self.allow_blank and not value.strip():
            return ""
        try:
            return clean_name(value, self.column, self.field_name or "")
        except InvalidName as error:
            raise serializers.ValidationError(str(error)) from None


def _shown(value: Any, most: int = 60) -> str:
    """A value as JSON has it, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"
