"""Every machine at a glance: what is known of it now, and which needs somebody first."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from diagnosis.models import CurrentState, FaultType
from diagnosis.strips import Strip, strips_of
from machines.models import Machine
from machines.natural_order import natural
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

    @property
    def is_well(self) -> bool:
        return self.status == FaultType.NORMAL.key

    @property
    def name_of_status(self) -> str:
        return STATUS_NAMES[self.status]

    @property
    def last_known(self) -> str:
        """The key of the state that was diagnosed last."""
        return FaultType(self.current.fault_type).key


def status_of(machine: Machine, current: CurrentState | None, now: datetime) -> str:
    if current is None:
        return NONE
    if now - current.detected_at > machine.expected_interval:
        return STALE
    return FaultType(current.fault_type).key


def tiles_of(machines: list[Machine], now: datetime) -> list[Tile]:
    """Of machines with their current state selected, worst first, then the newest; two queries at most."""
    samples = Recording.objects.newest_by_machine()
    strips = strips_of([machine for machine in machines if _current(machine)], now)
    tiles = [
        Tile(
            machine,
            _current(machine),
            status_of(machine, _current(machine), now),
            strips.get(machine.pk, []),
            *samples.get(machine.pk, (None, None)),
        )
        for machine in machines
    ]
    return sorted(tiles, key=_urgency)


def counts_of(tiles: list[Tile]) -> list[dict]:
    """How many machines are in each status, in the order of urgency."""
    counts = Counter(tile.status for tile in tiles)
    return [{"status": status, "name": name, "count": counts[status]} for status, name in STATUS_NAMES.items()]


def _current(machine: Machine) -> CurrentState | None:
    return getattr(machine, "current_state", None)  # raises where there is none, an AttributeError too


def _urgency(tile: Tile) -> tuple:
    if tile.current is None:
        return _ORDER.index(NONE), 0, 0, natural(tile.machine.name)
    worst = -tile.current.fault_type  # of the stale ones too
    return _ORDER.index(tile.status), worst, -tile.current.since.timestamp(), natural(tile.machine.name)
