"""The time column of a file: seconds from the start, or time stamps. Pure numbers, no Django.

Seconds are float64. Stamps are int64 nanoseconds since 1970 in UTC: exact, where a double has but a quarter of a
microsecond left for the fraction. `seconds_between` makes of them the doubles that stand for the time from a start.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Context, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl

from common.printable import printable
from vibration.csv.lines import shown
from vibration.csv.numbers import COLUMNS, BadRow, is_plain_number, number_of
from vibration.numbers.states import MAX_TIME_S

TIME = COLUMNS[0]
DIGITS = 9  # decimals of a second that a stamp may have
NS = 10**DIGITS
EXACT_IN_A_DOUBLE = 2**53
# By how much the number since 1970 is greater than seconds: a power of ten.
EPOCHS = {"epoch-s": 0, "epoch-ms": 3, "epoch-us": 6, "epoch-ns": 9}
_UNIT_NAMES = {"epoch-s": "seconds", "epoch-ms": "milliseconds", "epoch-us": "microseconds", "epoch-ns": "nanoseconds"}
TIMES = ("seconds", *EPOCHS, "iso")
# Between these, a number of seconds is an instant since 1970, not the length of a recording. The years are apart from
# those of other units.
EPOCH_FROM_S = 315_532_800  # 1980: what a clock shows that was never set lies after it or at 1970 itself
EPOCH_TO_S = 4_102_444_800  # 2100
MAX_STAMP_CHARACTERS = 60

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d):(\d\d)(?:[.,](\d{1,9})0*)?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE
)
_ISO_LOCAL = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?$"
_OFFSET = r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"
_ISO_OFFSET = _ISO_LOCAL.removesuffix("$") + _OFFSET
_CLOCK = re.compile(r"(?:\d{1,4}(?:[-/.]|년) ?\d{1,2}(?:[-/.]|월) ?\d{1,4}|\d{1,2}:\d\d).{0,40}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Period:
    """When a stamp may lie, and in what zone one without an offset is meant and a message tells it."""

    zone: tzinfo = UTC
    earliest: datetime = datetime(1900, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(2200, 1, 1, tzinfo=UTC)

    def check(self, stamp: int, text: bytes) -> int:
        """Raises BadRow when it is too early or too late to be a measurement."""
        if stamp < to_stamp(self.earliest):
            raise BadRow(f"{TIME} is {shown(text)}, which is before {self.told(self.earliest)}")
        if stamp > to_stamp(self.latest):
            raise BadRow(
                f"{TIME} is {shown(text)}, which is more than an hour in the future. Is the clock or offset right?"
            )
        return stamp

    def holds(self, stamps: pl.Series) -> bool:
        return bool(((stamps >= to_stamp(self.earliest)) & (stamps <= to_stamp(self.latest))).all())

    def told(self, instant: datetime) -> str:
        local = instant.astimezone(self.zone)
        return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds')} {self.zone}"


class Seconds:
    """Seconds from the start of the recording."""

    name = "seconds"
    is_stamps = False
    column_type = pl.Float64
    units = frozenset({"", "s", "sec", "secs", "second", "seconds", "초"})

    def __init__(self, period: Period):
        self.period = period

    def read(self, text: bytes) -> float:
        number = number_of(text, TIME, "a number of seconds from the start")
        if number < 0:
            raise BadRow(f"{TIME} is {shown(text)}, which is negative")
        if EPOCH_FROM_S <= number < EPOCH_TO_S:
            raise BadRow(f"{TIME} is {shown(text)}, {epoch_told(text, 'epoch-s', self.period)}")
        if number > MAX_TIME_S:
            raise BadRow(f"{TIME} is {shown(text)}; at most {MAX_TIME_S:.0f} s are allowed")
        return number

    def read_column(self, column: pl.Series) -> np.ndarray | None:
        """All of a column, or None when something in it needs a closer look."""
        time = column.to_numpy() + 0.0  # as in number_of: no negative zero
        # Written so that NaN fails too
        if ((time >= 0) & (time < EPOCH_FROM_S)).all():
            return time
        within = (time >= 0) & (time <= MAX_TIME_S) & ((time < EPOCH_FROM_S) | (time >= EPOCH_TO_S))
        return time if within.all() else None


class Epoch:
    """A number since 1970, in seconds or a decimal part of them."""

    is_stamps = True
    column_type = pl.String

    def __init__(self, name: str, period: Period):
        self.name, self.period = name, period
        self._power = EPOCHS[name]
        unit = name.removeprefix("epoch-")
        self.units = Seconds.units if unit == "s" else frozenset({"", unit, _UNIT_NAMES[name]})
        decimals = DIGITS - self._power
        self._plain = rf"^[0-9]{{1,{10 + self._power}}}" + (rf"(?:\.[0-9]{{1,{decimals}}})?$" if decimals else "$")

    def read(self, text: bytes) -> int:
        if not is_plain_number(text) or len(text) > MAX_STAMP_CHARACTERS:
            number_of(text[:MAX_STAMP_CHARACTERS], TIME, f"a number of {_UNIT_NAMES[self.name]} since 1970")
            raise BadRow(f"{TIME} is {shown(text)}: a stamp has at most {MAX_STAMP_CHARACTERS} characters")
        guessed = guess_epoch(text)
        if guessed is not None and guessed != self.name:
            raise BadRow(f"{TIME} is {shown(text)}, {epoch_told(text, guessed, self.period)}")
        number = Decimal(text.decode()) or Decimal(0)  # one zero, whatever its exponent
        if number.adjusted() > 20:
            raise BadRow(f"{TIME} is {shown(text)}, which is not an instant")
        stamp = number.scaleb(DIGITS - self._power, Context(prec=2 * MAX_STAMP_CHARACTERS))
        if stamp != stamp.to_integral_value():
            raise BadRow(f"{TIME} is {shown(text)}: at most {DIGITS} decimals of a second are kept")
        return self.period.check(int(stamp), text)

    def read_column(self, column: pl.Series) -> np.ndarray | None:
        column = column.str.strip_chars()
        if not column.str.contains(self._plain).all():
            return None
        stamps = column.cast(pl.Decimal(38, DIGITS), strict=False).to_physical() // 10**self._power
        # One that is earlier may be a number of another unit.
        if stamps.null_count() or stamps.min() < EPOCH_FROM_S * NS or not self.period.holds(stamps):
            return None
        return stamps.cast(pl.Int64).to_numpy()


class Iso:
    """Date and time of day, with an offset or in the zone of the period; one of both in all of a file."""

    name = "iso"
    is_stamps = True
    column_type = pl.String
    units = None  # any: it says itself what it is

    def __init__(self, period: Period):
        self.period = period
        self._has_offset: bool | None = None
        self._minutes: dict[str, int] = {}  # of a minute and its offset, the stamp of its beginning

    @property
    def is_local(self) -> bool:
        """Whether the stamps read so far came without an offset."""
        return self._has_offset is False

    def read(self, text: bytes) -> int:
        written = _ISO.fullmatch(text.decode("utf-8", errors="replace"))
        if not written:
            raise BadRow(f"{TIME} is '{shown(text)}', not a time such as 2026-03-05T09:00:00.123")
        date, minute, second, fraction, offset = written.groups()
        if self._has_offset not in (None, offset is not None):
            with_, without = ("with", "without") if offset else ("without", "with")
            raise BadRow(
                f"{TIME} is '{shown(text)}', {with_} an offset, where the rows above are {without} one: "
                "one form belongs in a column"
            )
        stamp = self._minute(f"{date}T{minute}{(offset or '').upper()}") + int(second) * NS
        if int(second) > 59:
            raise BadRow(f"{TIME} is {shown(text)}: there is no such time")
        stamp = self.period.check(stamp + int((fraction or "").ljust(DIGITS, "0")), text)
        self._has_offset = offset is not None
        return stamp

    def read_column(self, column: pl.Series) -> np.ndarray | None:
        column = column.str.strip_chars()
        if self._has_offset is None:
            has_offset = bool(column.head(1).str.contains(_ISO_OFFSET).all())
        else:
            has_offset = self._has_offset
        if not column.str.contains(_ISO_OFFSET if has_offset else _ISO_LOCAL).all():
            return None
        minutes = column.str.slice(0, 16)
        if has_offset:
            minutes += column.str.extract(_OFFSET)
            column = column.str.replace(_OFFSET, "")
        # The offset of a zone is asked for once a minute: for each instant that takes ten times longer.
        different = minutes.unique()
        try:
            starts = [self._minute(minute.replace(" ", "T")) for minute in different.to_list()]
        except BadRow:
            return None
        seconds = column.str.slice(17, 2).cast(pl.Int64)
        if not (seconds <= 59).all():
            return None
        fractions = column.str.slice(20).str.pad_end(DIGITS, "0").cast(pl.Int64)
        stamps = minutes.replace_strict(different, starts, return_dtype=pl.Int64) + seconds * NS + fractions
        if not self.period.holds(stamps):
            return None
        self._has_offset = has_offset
        return stamps.to_numpy()

    def _minute(self, text: str) -> int:
        if text not in self._minutes:
            if len(self._minutes) > 100_000:
                self._minutes.clear()
            self._minutes[text] = to_stamp(self._beginning(text))
        return self._minutes[text]

    def _beginning(self, text: str) -> datetime:
        try:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=self.period.zone)
            in_utc = instant.astimezone(UTC)
        except (ValueError, OverflowError):
            raise BadRow(f"{TIME} is '{text}': there is no such time") from None
        if instant.utcoffset() != instant.replace(fold=1).utcoffset():
            raise BadRow(
                f"{TIME} is in the minute {text}, which does not exist, or exists twice, in {self.period.zone}: "
                'clocks are changed then; write the times with their offset, such as "+09:00"'
            )
        if not 1700 < in_utc.year < 2260:  # what nanoseconds can count
            raise BadRow(f"{TIME} is '{text}', which is too far in the past or in the future")
        return in_utc


TimeColumn = Seconds | Epoch | Iso


def time_column(name: str, period: Period | None = None) -> TimeColumn:
    """How to read the time column that is written in one of the TIMES."""
    period = period or Period()
    if name in EPOCHS:
        return Epoch(name, period)
    return Iso(period) if name == "iso" else Seconds(period)


def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):  # a path, a folder of zones, an unknown name
        raise ValueError(f"'{printable(name)}' is not a time zone such as UTC or Asia/Seoul") from None


def to_stamp(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000


def to_instant(stamp: int) -> datetime:
    """The instant of a stamp, to the microsecond at or before it."""
    return _EPOCH + timedelta(microseconds=int(stamp) // 1000)


def stamp_told(stamp: int, zone: tzinfo) -> str:
    """A stamp with all its digits, in a zone."""
    instant, rest = to_instant(stamp).astimezone(zone), int(stamp) % 1000
    fraction = f"{instant.microsecond:06d}{rest:03d}".rstrip("0")
    offset = f"{instant:%z}"
    return f"{instant:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}{offset[:3]}:{offset[3:]}"


def seconds_between(start: int, stamps: np.ndarray) -> np.ndarray:
    """Seconds from a start to stamps, each the double nearest to the decimal difference."""
    difference = stamps - start
    seconds = difference / NS  # of two numbers that doubles hold exactly: rounded once
    for position in np.flatnonzero(np.abs(difference) > EXACT_IN_A_DOUBLE):  # after 104 days
        seconds[position] = int(difference[position]) / NS  # Python divides whole numbers of any size likewise
    return seconds


def guess_epoch(text: bytes) -> str | None:
    """Which number since 1970 this is, if it is one between 1980 and 2100."""
    number = abs(float(text)) if is_plain_number(text) else 0.0
    found = (name for name, power in EPOCHS.items() if EPOCH_FROM_S <= number / 10**power < EPOCH_TO_S)
    return next(found, None)


def epoch_told(text: bytes, name: str, period: Period) -> str:
    """What a number since 1970 is, of the unit that `guess_epoch` found, and what to do."""
    instant = _EPOCH + timedelta(seconds=int(float(text)) // 10 ** EPOCHS[name])
    return f"which is a number of {_UNIT_NAMES[name]} since 1970, {period.told(instant)}; say {option('time', name)}"


def option(name: str, value: str) -> str:
    """An option as the command and an upload have it."""
    return f"--{name} {value} (in an upload {name.replace('-', '_')}={value})"


def has_offset(text: str) -> bool:
    """Whether an ISO date and time of day tells how far it is from UTC."""
    written = _ISO.fullmatch(text.strip())
    return bool(written and written[5])


def is_clock(cell: bytes) -> bool:
    """Whether a cell holds something like a date or a time of day."""
    text = cell[:200].decode("utf-8", errors="replace").strip().strip("\"'")
    return bool(_CLOCK.fullmatch(text))


def clock_told(cell: bytes) -> str:
    """What a date or time of day is, and what to do."""
    text = cell[:200].decode("utf-8", errors="replace").strip().strip('"')
    how = "" if _ISO.fullmatch(text) else "write it as 2026-03-05T09:00:00.123 and "
    return f"a time of day, not seconds from the start; {how}say {option('time', 'iso')}"
