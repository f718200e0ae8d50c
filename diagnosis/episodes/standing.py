"""What people have done about an episode and what they may do next: pure, no Django, no database.

This is the only place that says which act is legal. Acts are told one after the other; one that was not legal when it
came, as where two episodes became one, stays in the history and has no effect.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from diagnosis.episodes.spans import Ending

SHELVED_FOR = timedelta(hours=8)  # by default
LONGEST_SHELF = timedelta(days=7)


class Kind(StrEnum):
    """What a person does."""

    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    NOTE = "note"
    CLOSE = "close"


class Standing(StrEnum):
    """What the acts alone say; a shelving holds until its end."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    CLOSED = "closed"


class Stage(StrEnum):
    """What an episode is to people at an instant, from what is so of the machine and what was done."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    CLEARED = "cleared"  # and nobody has acknowledged it
    CLOSED = "closed"  # by a person, or cleared and acknowledged
    CONTINUED = "continued"  # by a worse one, which is the one to look after
    WITHDRAWN = "withdrawn"  # late data have taken it back


# Where an act leads, from each standing in which it is legal. A note leads nowhere and is always legal.
_LEADS: dict[tuple[Standing, Kind], Standing] = {
    (Standing.OPEN, Kind.ACKNOWLEDGE): Standing.ACKNOWLEDGED,
    (Standing.OPEN, Kind.SHELVE): Standing.SHELVED,
    (Standing.ACKNOWLEDGED, Kind.SHELVE): Standing.SHELVED,
    (Standing.SHELVED, Kind.UNSHELVE): Standing.ACKNOWLEDGED,
    (Standing.OPEN, Kind.CLOSE): Standing.CLOSED,
    (Standing.ACKNOWLEDGED, Kind.CLOSE): Standing.CLOSED,
    (Standing.SHELVED, Kind.CLOSE): Standing.CLOSED,
}
# In these, acts of people that are no notes would be about what is over.
_FINAL = {Stage.CONTINUED, Stage.WITHDRAWN}


class Act(Protocol):
    """What is known of a stored act."""

    kind: str
    at: datetime

    @property
    def shelved_until(self) -> datetime | None: ...


@dataclass
class Told:
    """What the acts of one episode, in the order in which they were done, come to."""

    standing: Standing = Standing.OPEN
    acknowledged: Act | None = None  # the acknowledgement that holds; by hand ended shelvings count as one
    shelved: Act | None = None  # the shelving that is in force, or has ended by the clock
    closed: Act | None = None

    def at(self, now: datetime) -> Standing:
        """A shelving ends by the clock, and what it hid is then open again."""
        until = self.shelved.shelved_until if self.shelved else None
        if self.standing is Standing.SHELVED and is_over(until, now):
            return Standing.OPEN
        return self.standing


def tell(acts: Iterable[Act]) -> Told:
    """Fold acts, in the order in which they were done."""
    told = Told()
    for act in acts:
        kind = Kind(act.kind)
        before = told.at(act.at)
        leads_to = _LEADS.get((before, kind))
        if leads_to is None:
            continue
        told.standing = leads_to
        if leads_to is Standing.ACKNOWLEDGED:
            told.acknowledged = act
        elif leads_to is Standing.SHELVED:
            told.shelved, told.acknowledged = act, None
        elif leads_to is Standing.CLOSED:
            told.closed = act
        if leads_to is not Standing.SHELVED:
            told.shelved = None
    return told


def is_over(until: datetime | None, now: datetime) -> bool:
    return until is None or until <= now


def stage_of(standing: Standing, shelved_until: datetime | None, ending: Ending, now: datetime) -> Stage:
    """What an episode is at an instant; `shelved_until` counts where its standing is SHELVED."""
    if ending is Ending.WORSENED:
        return Stage.CONTINUED
    if standing is Standing.CLOSED or ending is Ending.CLOSED:
        return Stage.CLOSED
    if standing is Standing.SHELVED and not is_over(shelved_until, now):
        return Stage.SHELVED
    is_acknowledged = standing is Standing.ACKNOWLEDGED
    if ending is Ending.CLEARED:
        return Stage.CLOSED if is_acknowledged else Stage.CLEARED
    return Stage.ACKNOWLEDGED if is_acknowledged else Stage.UNACKNOWLEDGED


def legal_kinds(stage: Stage, *, has_outcome: bool) -> set[Kind]:
    """What may be done about an episode of this stage. What is over may still get its outcome, once."""
    if stage in _FINAL:
        return {Kind.NOTE}
    kinds = {Kind.NOTE}
    if not has_outcome:
        kinds.add(Kind.CLOSE)
    if stage in (Stage.UNACKNOWLEDGED, Stage.CLEARED):
        kinds.add(Kind.ACKNOWLEDGE)
    if stage in (Stage.UNACKNOWLEDGED, Stage.ACKNOWLEDGED):
        kinds.add(Kind.SHELVE)
    if stage is Stage.SHELVED:
        kinds.add(Kind.UNSHELVE)
    return kinds
