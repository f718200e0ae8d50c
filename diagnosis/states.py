"""The states of a machine, each told once: what an AI says of it, and what is so when none says anything."""

from dataclasses import dataclass
from typing import Self

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class FaultType(models.IntegerChoices):
    """What an AI says of a machine. A row for each; the later a row, the worse the state.

    A row has the number that is posted and stored, the shape that stands for the state beside its colour, and its name
    for people. Numbers begin at 0 and have no gaps. A shape is a symbol of templates/shapes.html and, by the same name,
    a point style of Chart.js; each state has one of its own. The colours are at the top of static/css/diagnosis.css.
    """

    NORMAL = 0, "circle", _("normal")
    UNBALANCE = 1, "triangle", _("unbalance")
    LOOSENESS = 2, "rect", _("looseness")
    UNBALANCE_LOOSENESS = 3, "rectRot", _("unbalance and looseness")

    shape: str
    severity: int  # its place in the table, from 0

    # The default is for type checkers: to them FaultType(2), which finds a row, is a call of this.
    def __new__(cls, number: int, shape: str = "") -> Self:
        member = int.__new__(cls, number)
        member._value_ = number
        member.shape = shape
        member.severity = len(cls.__members__)
        return member

    @property
    def key(self) -> str:
        """As metrics, CSV, styles and scripts name it."""
        return self.name.lower()

    @property
    def alarm_severity(self) -> int:
        """Of an episode of this fault: from 1 to 5, the worst. 1 is for what is told of by no fault."""
        return min(MOST_SEVERE, self.severity + 1)


MOST_SEVERE = 5
SEVERITIES = [FaultType(number).severity for number in sorted(FaultType.values)]  # by the number of the state


@dataclass(frozen=True)
class UnknownState:
    """What is so of a machine of which no diagnosis holds."""

    key: str
    shape: str
    label: Promise


STALE = UnknownState("stale", "clock", _("stale"))
NO_DIAGNOSIS = UnknownState("none", "dash", _("no diagnosis"))
State = FaultType | UnknownState

_NORMAL, *FAULTS = FaultType
# As people look for them: what needs somebody, what nobody knows, what is well
BY_URGENCY: list[State] = [*reversed(FAULTS), STALE, NO_DIAGNOSIS, _NORMAL]
