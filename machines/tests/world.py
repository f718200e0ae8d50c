"""Clocks in the hand of a test."""

from django.db.models import F

from machines.clocks import STEP
from machines.models import ClockLag


def pass_a_step() -> None:
    """What was seen of lagging clocks so far was seen a step earlier."""
    fields = ("first_at", "last_at", "newest")
    ClockLag.objects.update(**{name: F(name) - STEP for name in fields})
