"""Every machine at a glance: what is known of it now, and which needs somebody first."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from common.natural_order import natural
from diagnosis.history.strips import Strip, strips_of
from diagnosis.models import CurrentState, FaultType
from diagnosis.pages.remarks import Remarks, ahead, remarks_of
from diagnosis.storage.current_states import as_of
from machines.models import Machine
from vibration.models import Recording

STALE, NONE = "stale", "none"
# As people look for them: what needs somebody, what nobody knows, what is well
STATUS_NAMES = {
    FaultType.UNBALANCE_LOOSENESS.key: FaultType.UNBALANCE_LOOSENESS.label,
    FaultType.LOOSENESS.key: FaultType.LOOSENESS.label,
    FaultType.UNBALANCE.key: FaultType.UNBALANCE.label,
    STALE: _("stale"),
    NONE: _("no diagnosis"),
    FaultType.NORMAL.key: FaultType.NORMAL.label,
}
_ORDER = list(STATUS_NAMES)


@dataclass(frozen=True)
class Tile:
    """One machine. `status` is a key of STATUS_NAMES; of a stale one, `current` is what was known last."""

    machine: Machine
    current: CurrentState | None
    status: str
    strip: Strip
    sample_taken_at: datetime | None
    sample_stored_at: datetime | None
    remarks: Remarks

    @property
    def since(self) -> str:
        """When the current state began, in plant time; with its year if that is not this year; "" if none is known."""
        if self.current is None:
            return ""
        since = timezone.localtime(self.current.since)
        this_year = since.year == timezone.localtime().year
        return date_format(since, "SHORT_DATETIME_FORMAT" if this_year else "DATETIME_FORMAT")

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look at it."""
        return self.status == FaultType.NORMAL.key and not self.remarks

    @property
    def name_of_status(self) -> str:
        return str(STATUS_NAMES[self.status])

    @property
    def last_known(self) -> str:
        """The key of the state that was diagnosed last; "" if none was."""
        return FaultType(self.current.fault_type).key if self.current else ""


def status_of(machine: Machine, current: CurrentState | None, now: datetime) -> str:
    if current is None:
        return NONE
    if now - current.detected_at > machine.expected_interval:
        return STALE
    return FaultType(current.fault_type).key


def tiles_of(machines: list[Machine], now: datetime) -> list[Tile]:
    """Of machines with their current state selected, worst first, then the newest; five queries at most.

    Some more for each machine of which there is a diagnosis from the future, as a sender's clock may run ahead: what
    was said of it up to now counts.
    """
    samples = Recording.objects.newest_by_machine()
    strips = strips_of([machine for machine in machines if _current(machine)], now)
    found = remarks_of(now)
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
        status = status_of(machine, current, now)
        tiles.append(Tile(machine, current, status, strips.get(machine.pk, []), taken_at, stored_at, remarks))
    return sorted(tiles, key=_urgency)


def counts_of(tiles: list[Tile]) -> list[dict]:
    """How many machines are in each status, in the order of urgency."""
    counts = Counter(tile.status for tile in tiles)
    return [{"status": status, "name": name, "count": counts[status]} for status, name in STATUS_NAMES.items()]


def _current(machine: Machine) -> CurrentState | None:
    return getattr(machine, "current_state", None)  # raises where there is none, an AttributeError too


def _urgency(tile: Tile) -> tuple:
    if tile.current is None:
        return _ORDER.index(NONE), False, 0, 0, natural(tile.machine.name)
    worst = -tile.current.fault_type  # of the stale ones too
    return _ORDER.index(tile.status), tile.is_well, worst, -tile.current.since.timestamp(), natural(tile.machine.name)
