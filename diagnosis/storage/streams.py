"""Reading the diagnoses of a stream: from where a change of them counts, up to where it counts no more.

A stream is settled after so many normal diagnoses in a row that nothing before them counts (`Rule.settled_after`).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from common.database.keysets import behind
from diagnosis.episodes.families import family_of
from diagnosis.episodes.spans import Ending, Point
from diagnosis.models import Episode, VibrationDiagnosis
from diagnosis.querysets import FALLING, RISING
from diagnosis.states import FaultType
from machines.episode_rules import Rule

READ_AT_ONCE = 200  # diagnoses; a late one mostly needs some ten
Key = tuple[datetime, str]


class Stream(NamedTuple):
    """The diagnoses of one machine by one family of models."""

    machine_id: int
    family: str


class Start(NamedTuple):
    after: datetime | None  # read what is later than this; None: all
    last: Key | None  # the last diagnosis before, if it is known


def settled_before(stream: Stream, rule: Rule, key: Key) -> Start:
    """The last instant before a diagnosis at which the stream was settled, or something was closed."""
    closed = Episode.objects.live().of_stream(*stream).filter(ending=Ending.CLOSED, ended_at__lt=key[0])
    floor = closed.order_by("-ended_at").values_list("ended_at", flat=True).first()
    in_a_row, end, later_at = 0, None, key[0]
    for point in _points(stream, key, rising=False):
        if floor is not None and point.at <= floor:
            return Start(floor, point.key)
        if point.state != FaultType.NORMAL:
            in_a_row = 0
        elif in_a_row:
            in_a_row += 1
        elif point.at < later_at:  # not between two diagnoses of one instant
            in_a_row, end = 1, point.key
        if end and in_a_row >= rule.settled_after:
            return Start(end[0], end)
        later_at = point.at
    return Start(floor, None)


class Stretch:
    """The diagnoses of a stream after an instant, up to where it is settled again."""

    def __init__(self, stream: Stream, rule: Rule, after: datetime | None, changed_to: Key | None):
        self._stream, self._rule, self._after, self._changed_to = stream, rule, after, changed_to
        self.last: Key | None = None  # the last one read
        self.settled_at: datetime | None = None  # None: read to the end

    def points(self) -> Iterator[Point]:
        in_a_row, before = 0, None
        for point in _points(self._stream, self._after, rising=True):
            if in_a_row >= self._rule.settled_after and before and point.at > before.at:
                self.settled_at = before.at
                return
            if point.state == FaultType.NORMAL and self._changed_to is not None and point.key > self._changed_to:
                in_a_row += 1
            else:
                in_a_row = 0
            before, self.last = point, point.key
            yield point


def _points(stream: Stream, beyond: Key | datetime | None, *, rising: bool) -> Iterator[Point]:
    """The diagnoses of a stream behind a key, or later than an instant, in rising or falling order."""
    order = RISING if rising else FALLING
    of_machine = VibrationDiagnosis.objects.of_machine(stream.machine_id, rising=rising)
    wanted = of_machine
    if isinstance(beyond, datetime):
        wanted = of_machine.filter(detected_at__gt=beyond)
    elif beyond is not None:
        wanted = of_machine.filter(behind(order, beyond))
    at_once = READ_AT_ONCE
    while True:
        rows = [
            Point._make(it)
            for it in wanted.values_list("detected_at", "model_name", "fault_type", "confidence")[:at_once]
        ]
        for point in rows:
            if family_of(point.model) == stream.family:
                yield point
        if len(rows) < at_once:
            return
        wanted = of_machine.filter(behind(order, rows[-1].key))
        at_once = min(2 * at_once, 10_000)
