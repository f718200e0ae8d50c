"""Retention: removes the samples of captures that are old enough; each capture's row and its features stay.

Never removed are those that people keep, the reference of each axis, and what the caller protects. The reference is the
earliest capture of a sensor and axis with samples that is neither flat nor clipped. The earliest of all that ever come
is the earliest of whatever part of them has come yet, so it is never removed; in which order they come, and when
samples are removed in between, makes no difference to it.

What is old is read in order of time from an index of captures with samples, so what was removed costs nothing, and the
first good one of an axis that is met is its reference. Each batch is one transaction that changes nothing but its own
captures: whatever ends a program, the next call goes on.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from common.audit_trail import Action, note
from common.database.keysets import read_by_key
from machines.models import Machine, Sensor
from vibration.captures.storing import remove_samples
from vibration.models import Capture

logger = logging.getLogger("django.vibration")
BATCH = 100  # captures; of a second at 25.6 kHz they have 8 MB
OLDEST_FIRST = ("started_at", "sensor_id", "axis")
_MARKS = ("is_kept", "is_flat", "is_clipped", "size")


class Span(NamedTuple):
    """A time whose captures stay; both ends belong to it."""

    start: datetime
    end: datetime


Protected = Mapping[int, Sequence[Span]]  # of machines, by number


class Why(StrEnum):
    """For what the samples of an old capture stay."""

    KEPT = "kept"  # people said so
    REFERENCE = "reference"  # the first good one of its axis
    EVIDENCE = "evidence"  # of an alarm


class Old(NamedTuple):
    """A capture with samples that is past its time."""

    pk: int
    machine: int
    sensor: int
    axis: str
    started_at: datetime
    size: int  # bytes
    why: Why | None  # None: its samples go


@dataclass
class Found:
    """What there is of one machine past its time; bytes are those of samples."""

    going: int = 0
    bytes: int = 0
    first: datetime | None = None  # of those that go
    last: datetime | None = None
    staying: dict[Why, int] = field(default_factory=lambda: dict.fromkeys(Why, 0))
    staying_bytes: int = 0

    def add(self, old: Old) -> None:
        if old.why:
            self.staying[old.why] += 1
            self.staying_bytes += old.size
        else:
            self.going += 1
            self.bytes += old.size
            self.first, self.last = self.first or old.started_at, old.started_at


def old_captures(cutoff: datetime, protected: Callable[[], Protected]) -> Iterator[list[Old]]:
    """All with samples that began before `cutoff`, oldest first, some thousand at a time.

    `protected` is asked anew for each lot: an alarm may have been opened or closed meanwhile.
    """
    captures = Capture.objects.with_samples().filter(started_at__lt=cutoff).order_by(*OLDEST_FIRST)
    referred: set[tuple[int, str]] = set()
    for rows in read_by_key(captures.values_list("pk", *OLDEST_FIRST, *_MARKS, named=True)):
        machine_of = dict(Sensor.objects.values_list("pk", "machine"))
        spans = protected()
        lot = []
        for row in rows:
            place = row.sensor_id, row.axis
            is_first = place not in referred and not row.is_flat and not row.is_clipped
            if is_first:
                referred.add(place)
            machine = machine_of[row.sensor_id]
            why = None
            if row.is_kept:
                why = Why.KEPT
            elif is_first:
                why = Why.REFERENCE
            elif any(start <= row.started_at <= end for start, end in spans.get(machine, ())):
                why = Why.EVIDENCE
            lot.append(Old(row.pk, machine, row.sensor_id, row.axis, row.started_at, row.size, why))
        yield lot


def find_old(cutoff: datetime, protected: Callable[[], Protected]) -> dict[int, Found]:
    """Of each machine that has something past its time, by its number: what goes, and what stays and why."""
    found: dict[int, Found] = {}
    for lot in old_captures(cutoff, protected):
        for old in lot:
            found.setdefault(old.machine, Found()).add(old)
    return found


def remove_old(
    found: Mapping[int, Found], cutoff: datetime, protected: Callable[[], Protected], *, by: str, batch: int = BATCH
) -> Iterator[tuple[int, int]]:
    """Remove the samples that are past their time; yields captures and bytes of each batch when it is gone for good.

    Of the machines in `found`, each capture looked at anew: what people keep meanwhile stays. `by` is who is named in
    the log.
    """
    # Before anything is gone: whatever ends this half way, that it was begun is known.
    names = dict(Machine.objects.filter(pk__in=found).values_list("pk", "name"))
    for number, of in found.items():
        if of.going and number in names:
            what, before = f"{names[number]}: {of.going}", cutoff.isoformat()
            note(Action.DELETE, Capture, what, event="pruned", captures=of.going, bytes=of.bytes, before=before)
    count = size = 0
    try:
        for lot in old_captures(cutoff, protected):
            going = [it.pk for it in lot if it.why is None and it.machine in found]
            for start in range(0, len(going), batch):
                gone = remove_samples(going[start : start + batch])
                count, size = count + gone[0], size + gone[1]
                yield gone
    finally:  # also when it ends half way
        logger.info("%s removed the samples of %s captures from before %s, %s bytes", by, count, cutoff, size)
