"""Three loggers that write a file a minute, and what becomes of them on a bad day; no database.

Each whole row has a serial number of its own as its value of `normal`, and says in its other values which logger wrote
it, in which minute, and after how many restarts within its file. So of each stored row it is known where it belongs.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

HEADER = "time,normal,unbalance,looseness,unbalance_looseness\n"
MINUTE = timedelta(minutes=1)
ROWS = 8  # a file
STEP_S = 7.0
OFF_S = 2.5  # how long a logger is away when its power fails
RESTARTS, CUTS = 40, 60  # one file in so many


@dataclass(frozen=True)
class Row:
    """A row as it is to be stored: `time_s` after `start`, None where the logger does not know when that was."""

    serial: int
    run: int  # restarts before it within its file, as far as its times fall back by them
    time_s: float
    start: datetime | None


@dataclass
class MinuteFile:
    name: str
    text: str
    rows: list[Row] = field(default_factory=list)
    bad_lines: int = 0  # that are no rows, and have to be told of


@dataclass(frozen=True)
class Logger:
    """`stamp` writes a time into a row; without it a logger counts seconds, from 0 in each file and at each start."""

    number: int
    machine: str
    name: Callable[[datetime], str]
    options: tuple[str, ...]
    stamp: Callable[[datetime], str] | None = None
    taken_for: Callable[[datetime], datetime] = lambda instant: instant  # what the plant makes of its times
    repeats_header: bool = False  # when it comes back

    def files(self, first: datetime, minutes: int, serials: Iterator[int], choose: random.Random):
        """The files of so many minutes."""
        for minute in range(minutes):
            yield self._file(first + minute * MINUTE, minute, serials, choose)

    def _file(self, start: datetime, minute: int, serials: Iterator[int], choose: random.Random) -> MinuteFile:
        file = MinuteFile(f"{self.name(start)}.csv", HEADER)
        restart = (
            choose.randrange(2, ROWS) if choose.randrange(RESTARTS) == 0 else None
        )  # behind two rows, or 0 is no fall
        cut = choose.randrange(CUTS) == 0
        run, began, told_start = 0, start, self.taken_for(start)
        for number in range(ROWS):
            instant = start + timedelta(seconds=number * STEP_S)
            if number == restart:
                instant += timedelta(seconds=OFF_S)
                if self.repeats_header:
                    file.text += HEADER
                    file.bad_lines += 1
                if self.stamp is None:
                    run, began, told_start = 1, instant, None  # it counts from 0 anew, and nobody knows since when
            time_s = (instant - began).total_seconds()
            first = self.stamp(instant) if self.stamp else f"{time_s:.3f}"
            if cut and number == ROWS - 1:
                line = f"{first},0,{self.number},{minute},{run}"
                file.text += line[: choose.randrange(1, line.rindex(","))]
                file.bad_lines += 1
            else:
                serial = next(serials)
                file.text += f"{first},{serial},{self.number},{minute},{run}\n"
                file.rows.append(Row(serial, run, time_s, told_start))
        return file


def three_loggers(zone: ZoneInfo) -> list[Logger]:
    """One counts seconds, one stamps them since 1970, one writes date and time by a clock that is set to UTC."""

    def plant_stamp(instant: datetime) -> str:
        return f"{instant.astimezone(zone):%Y%m%d_%H%M%S}"

    def utc_text(instant: datetime) -> str:
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")

    return [
        Logger(
            1,
            "pump run",
            lambda start: f"pump run_s1_{plant_stamp(start)}",
            ("--name-pattern", "{machine}_{sensor}_{start}"),
        ),
        Logger(
            2,
            "fan_2",
            lambda start: f"fan_2 {start.astimezone(zone):%Y-%m-%d %H_%M_%S}",
            ("--name-pattern", "{machine} {recording}", "--sensor", "s1", "--time", "epoch-s"),
            stamp=lambda instant: f"{instant.timestamp():.3f}",
            repeats_header=True,
        ),
        Logger(
            3,
            "press",
            lambda start: f"{start.astimezone(UTC):%Y-%m-%dT%H-%M-%S}-press",
            ("--name-pattern", "{recording}-{machine}", "--sensor", "s1", "--time", "iso"),
            stamp=utc_text,
            taken_for=lambda instant: instant.astimezone(UTC).replace(tzinfo=zone),
        ),
    ]


def serial_numbers() -> Iterator[int]:
    return count(1)
