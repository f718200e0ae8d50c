"""Records posted rows that contradict stored ones, as an old program reads the response to them as success."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from machines.models import Machine, PostConflict

KEPT_FOR = timedelta(days=366)


class Conflicting(NamedTuple):
    """A row that was not stored, as the API words it."""

    key: str
    stored: str
    came: str


def note_conflicts(machine: Machine, rows: int, last: Conflicting, *, data: str, poster: str, now: datetime) -> None:
    """Count so many rows of one post to what its poster had in conflict today; within the transaction of that post.

    To be called last there and, of several machines, in order of their numbers: so it is part of the one order of
    locks. There is one row for each machine, kind of data, poster and day, and none is kept for longer than `KEPT_FOR`.
    """
    told = {"last_at": now, "last_key": last.key, "last_stored": last.stored, "last_came": last.came}
    kept, is_new = PostConflict.objects.select_for_update().get_or_create(
        machine=machine,
        data=data,
        poster=poster,
        day=timezone.localtime(now).date(),
        defaults={"machine_name": machine.name, "rows": rows, "first_at": now} | told,
    )
    if is_new:
        PostConflict.objects.filter(last_at__lt=now - KEPT_FOR).delete()
        return
    kept.rows += rows
    for name, value in told.items():
        setattr(kept, name, value)
    kept.save(update_fields=["rows", *told])
