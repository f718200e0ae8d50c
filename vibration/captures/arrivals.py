"""When something was measured of a machine last, whatever it was."""

from datetime import datetime

from vibration.models import CaptureAxis, Recording

Times = tuple[datetime | None, datetime | None]  # when it was measured, and when it was stored


def newest_arrivals() -> dict[int, Times]:
    """Of each machine with samples or captures, by primary key, when the newest came; two queries."""
    found: dict[int, Times] = {}
    for newest in (Recording.objects.newest_by_machine(), CaptureAxis.objects.newest_by_machine()):
        for machine, (taken_at, stored_at) in newest.items():
            taken, stored = found.get(machine, (None, None))
            found[machine] = _later(taken, taken_at), _later(stored, stored_at)
    return found


def _later(one: datetime | None, two: datetime | None) -> datetime | None:
    return max(filter(None, (one, two)), default=None)
