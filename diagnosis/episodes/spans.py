"""Diagnoses of one machine by one family of models as spans of a fault: pure, no Django, no database.

A span opens, worsens and clears by the machine's rule. It is ended by a person's closing, too, and by nothing else:
silence neither opens nor clears. What comes out depends on the diagnoses, the closings and the rule alone.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from machines.episode_rules import Rule

NORMAL = 0


class Ending(StrEnum):
    """How a span ended."""

    NONE = ""  # it goes on
    CLEARED = "cleared"  # by normal diagnoses
    WORSENED = "worsened"  # a worse one follows it
    CLOSED = "closed"  # by a person


class Point(NamedTuple):
    """One diagnosis; `at` and `model` are its place in the order."""

    at: datetime
    model: str
    state: int
    confidence: float | None

    @property
    def key(self) -> tuple[datetime, str]:
        return self.at, self.model


class Closing(NamedTuple):
    """A person's closing of the span that `about` lies in: diagnoses up to `covers_to` belong to what was closed."""

    covers_to: datetime
    about: datetime


@dataclass(eq=False)
class Span:
    """An uninterrupted stretch of one fault."""

    fault: int
    began_at: datetime  # its first diagnosis
    opened_at: datetime  # the diagnosis with which there were enough of them
    last_at: datetime  # the newest diagnosis of a fault
    opened_by: str = ""  # the model of the diagnosis that opened it; with its instant, what tells a span from others
    count: int = 0  # diagnoses of a fault
    models: set[str] = field(default_factory=set)
    least_confidence: float | None = None
    greatest_confidence: float | None = None
    ended_at: datetime | None = None
    ending: Ending = Ending.NONE
    follows: "Span | None" = None  # the milder one that it came of

    def add(self, point: Point) -> None:
        self.count += 1
        self.last_at = point.at
        self.models.add(point.model)
        if (said := point.confidence) is not None:
            least, greatest = self.least_confidence, self.greatest_confidence
            self.least_confidence = said if least is None or said < least else least
            self.greatest_confidence = said if greatest is None or said > greatest else greatest

    def end(self, at: datetime, ending: Ending) -> None:
        self.ended_at, self.ending = at, ending

    @property
    def starts_at(self) -> datetime:
        """From when on an instant is one of this span, not of the one that it follows."""
        return self.opened_at if self.follows else self.began_at

    def holds(self, instant: datetime) -> bool:
        """Whether what is said about an instant is said about this span."""
        if instant < self.starts_at:
            return False
        if self.ended_at is None:
            return True
        return instant < self.ended_at if self.ending is Ending.WORSENED else instant <= self.ended_at


class Fold:
    """Where a stream of diagnoses stands; `spans` has those that were open or opened since it began.

    `severities` has the severity of each state by its number. Points must come in rising order of their keys, and a
    closing after the points that it covers.
    """

    def __init__(
        self,
        rule: Rule,
        severities: Sequence[int],
        *,
        window: Iterable[Point] = (),
        normals: int = 0,
        span: Span | None = None,
    ):
        self.rule = rule
        self.window: deque[Point] = deque(window, maxlen=rule.open_of)
        self.normals = normals  # in a row, up to now
        self.span = span
        self.spans: list[Span] = [span] if span else []
        self._severities = severities

    def add(self, point: Point) -> None:
        self.window.append(point)
        span = self.span
        if point.state == NORMAL:
            self.normals += 1
            if span is not None and self.normals >= self.rule.clear_after:
                span.end(point.at, Ending.CLEARED)
                self._begin_anew()
            return
        self.normals = 0
        if span is None:
            faults = [it for it in self.window if it.state != NORMAL]
            if len(faults) >= self.rule.open_after:
                self._open(faults)
            return
        severity = self._severities[span.fault]
        worse = [it for it in self.window if self._severities[it.state] > severity]
        if len(worse) >= self.rule.open_after and self._severities[point.state] > severity:
            span.end(point.at, Ending.WORSENED)
            self._open(worse, follows=span)
        else:
            span.add(point)

    def close(self, closing: Closing) -> None:
        """End the span that is open, if the closing is about it."""
        if self.span is not None and self.span.holds(closing.about):
            self.span.end(closing.covers_to, Ending.CLOSED)
            self._begin_anew()

    def _open(self, faults: list[Point], follows: Span | None = None) -> None:
        counts = Counter(it.state for it in faults)
        fault = max(counts, key=lambda state: (counts[state], self._severities[state]))
        first, last = faults[0], faults[-1]
        self.span = Span(fault, first.at, last.at, last.at, last.model, follows=follows)
        for it in faults:
            self.span.add(it)
        self.spans.append(self.span)

    def _begin_anew(self) -> None:
        self.span = None
        self.window.clear()
        self.normals = 0


def spans_of(points: Iterable[Point], closings: Iterable[Closing], rule: Rule, severities: Sequence[int]) -> list[Span]:
    """The spans of a whole stream, in order of their opening; points and closings in any order."""
    fold = Fold(rule, severities)
    run(fold, sorted(points, key=lambda it: it.key), sorted(closings))
    return fold.spans


def run(fold: Fold, points: Iterable[Point], closings: Sequence[Closing]) -> None:
    """Add points and closings, each in rising order, so that a closing comes after all points that it covers."""
    left = deque(closings)
    for point in points:
        while left and point.at > left[0].covers_to:
            fold.close(left.popleft())
        fold.add(point)
    for closing in left:
        fold.close(closing)
