"""The overview: the state of every machine, those that need attention first."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from common.natural_order import natural
from diagnosis.history.strips import Strip, strips_of
from diagnosis.models import CurrentState
from diagnosis.pages.alarm_list import Alarm, open_alarms
from diagnosis.pages.remarks import Remarks, ahead, remarks_of
from diagnosis.pages.times import in_short
from diagnosis.states import BY_URGENCY, NO_DIAGNOSIS, STALE, FaultType, State
from diagnosis.storage.current_states import as_of
from machines.models import Machine
from vibration.captures.arrivals import newest_arrivals


@dataclass(frozen=True)
class Tile:
    """One machine; of a stale one, `current` is what was known last."""

    machine: Machine
    current: CurrentState | None
    state: State
    strip: Strip
    sample_taken_at: datetime | None
    sample_stored_at: datetime | None
    remarks: Remarks
    alarms: list[Alarm] = field(default_factory=list)  # that are open or shelved, the first one that needs somebody

    @property
    def since(self) -> str:
        """When the current state began, in plant time; with its year if that is not this year; "" if none is known."""
        return in_short(self.current.since) if self.current else ""

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look at it."""
        return self.state == FaultType.NORMAL and not self.remarks and not self.alarms

    @property
    def needs_somebody(self) -> bool:
        """Whether nobody has said yet that they look after it."""
        return any(alarm.can_be_acknowledged for alarm in self.alarms)


def state_of(machine: Machine, current: CurrentState | None, now: datetime) -> State:
    if current is None:
        return NO_DIAGNOSIS
    if now - current.detected_at > machine.expected_interval:
        return STALE
    return current.state


def tiles_of(machines: list[Machine], now: datetime) -> list[Tile]:
    """Of machines with their current state selected: those with an alarm that nobody has acknowledged, then the others;
    of each the worst first, then the newest. Eight queries at most.

    Some more for each machine of which there is a diagnosis from the future, as a sender's clock may run ahead: what
    was said of it up to now counts.
    """
    samples = newest_arrivals()
    strips = strips_of([machine for machine in machines if _current(machine)], now)
    found = remarks_of(now)
    alarms = defaultdict(list)
    for alarm in open_alarms(now, machine__in=machines):
        alarms[alarm.episode.machine_id].append(alarm)
    tiles = []
    for machine in machines:
        newest = _current(machine)
        current = as_of(newest, now)
        taken_at, stored_at = samples.get(machine.pk, (None, None))
        remarks = found[machine.pk]
        remarks.diagnosis_ahead, remarks.sample_ahead = (
            ahead(newest.detected_at if newest else None, now),
            ahead(taken_at, now),
        )
        state = state_of(machine, current, now)
        strip = strips.get(machine.pk, [])
        tiles.append(Tile(machine, current, state, strip, taken_at, stored_at, remarks, alarms[machine.pk]))
    return sorted(tiles, key=_urgency)


def counts_of(tiles: list[Tile]) -> list[dict]:
    """How many machines are in each state, in the order of urgency."""
    counts = Counter(tile.state for tile in tiles)
    return [{"state": state, "count": counts[state]} for state in BY_URGENCY]


def _current(machine: Machine) -> CurrentState | None:
    return getattr(machine, "current_state", None)  # raises where there is none, an AttributeError too


def _urgency(tile: Tile) -> tuple:
    if tile.current is None:
        return not tile.needs_somebody, BY_URGENCY.index(NO_DIAGNOSIS), False, 0, 0, natural(tile.machine.name)
    urgency = BY_URGENCY.index(tile.state)
    worst = -tile.current.state.severity  # of the stale ones too
    newest = -tile.current.since.timestamp()
    return not tile.needs_somebody, urgency, tile.is_well, worst, newest, natural(tile.machine.name)
