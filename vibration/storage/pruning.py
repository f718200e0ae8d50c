"""Retention: removes raw samples that are old enough, and keeps their rollups.

Of each recording a beginning is removed, up to the edge of a base bucket: so a bucket has all its samples or none, and
what is gone is said by one number, `Recording.pruned_before`. It goes batch by batch: each is a transaction that holds
the recording's lock, as a write does, and changes samples, counts and that number together. Whatever ends a program,
they fit each other, and the next call goes on.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from common.audit_trail import Action, note
from common.database.transactions import in_transaction
from vibration.models import Recording, VibrationData
from vibration.numbers.buckets import bucket
from vibration.storage.tails import roll_up

logger = logging.getLogger("django.vibration")
BATCH_ROWS = 5_000
BYTES_PER_SAMPLE = 78  # on disk, see docs/adr/0001-composite-key.md
_FIRST_PAGE, _LARGEST_PAGE = 100, 100_000  # samples that one statement looks at
_GROWTH = 10


@dataclass(frozen=True)
class Removal:
    """What there is to remove of a recording: the samples before `border`."""

    recording: Recording
    border: float  # seconds, the edge of a base bucket
    samples: int
    first_time: float  # seconds, of the first of them
    first_at: datetime | None  # when it was measured; None: not known
    last_time: float
    last_at: datetime | None


def find_removal(recording: Recording, cutoff: datetime) -> Removal | None:
    """What goes of a recording when samples from `cutoff` on are to stay; None: nothing.

    A sample counts from its `collected_at`. One without counts from the recording's last write, as it was measured
    before that. In order of `measured_time` the first sample that is too young ends what goes, whatever comes after it.
    """
    if not recording.sample_count:
        return None
    samples = _stored(recording).order_by("measured_time")
    if (young := _first_young(recording, cutoff)) is not None:
        samples = samples.filter(measured_time__lt=_edge(recording, young))
    times = samples.values_list("measured_time", "collected_at")
    if (first := times.first()) is None:
        return None
    last = times.last()
    border = _edge(recording, last[0], 1)
    return Removal(recording, border, samples.count(), *first, *last)


def remove(removal: Removal, cutoff: datetime, *, by: str, batch_rows: int = BATCH_ROWS) -> Iterator[int]:
    """Remove what was found, and yield the number of samples of each batch when it is gone for good.

    Each batch is looked at anew: a sample that was stored since and is too young stays, and ends it. `by` is who is
    named in the log. Raises Recording.DoesNotExist when the recording was deleted.
    """
    total, before = 0, cutoff.isoformat()
    what = str(removal.recording)
    # Before anything is gone: whatever ends this half way, that it was begun is known.
    note(Action.DELETE, removal.recording, what, event="pruned", samples=removal.samples, before=before)
    try:
        while count := in_transaction(lambda: _remove_batch(removal, cutoff, batch_rows)):
            total += count
            yield count
    finally:  # also when it ends half way
        logger.info("%s removed %s raw samples of %s, measured before %s", by, total, removal.recording, cutoff)


def _remove_batch(removal: Removal, cutoff: datetime, rows: int) -> int:
    """The number of samples that went; 0: there is no more to remove."""
    recording = Recording.objects.select_for_update().get(pk=removal.recording.pk)
    samples = _stored(recording).filter(measured_time__lt=removal.border)
    times = samples.order_by("measured_time").values_list("measured_time", flat=True)
    if (first := times.first()) is None:
        return 0
    border = removal.border
    if beyond := times[rows : rows + 1]:
        border = max(_edge(recording, beyond[0]), _edge(recording, first, 1))  # at least one bucket, however full
    batch = samples.filter(measured_time__lt=border)
    young = batch.filter(_young(recording, cutoff)).aggregate(Min("measured_time"))["measured_time__min"]
    if young is not None:
        batch = samples.filter(measured_time__lt=(border := _edge(recording, young)))
    if recording.tail_from is not None and border > math.ldexp(recording.tail_from, recording.rollup_exponent):
        roll_up(recording)  # what is removed lives on in rollups
        recording.save(update_fields=["rollup_exponent", "tail_from", "tail_count"])
    count, _by_model = batch.delete()
    if count:
        recording.sample_count -= count
        recording.pruned_count += count
        recording.pruned_before, recording.pruned_at = border, timezone.now()
        recording.save(update_fields=["sample_count", "pruned_count", "pruned_before", "pruned_at"])
    return count


def _stored(recording: Recording):
    # Without the lower bound InnoDB would look again and again at the places of those that were removed just before.
    return VibrationData.objects.of(recording).filter(measured_time__gte=recording.pruned_before)


def _young(recording: Recording, cutoff: datetime) -> Q:
    """Which samples are to stay."""
    known = Q(collected_at__gte=cutoff)
    return known | Q(collected_at__isnull=True) if recording.last_written_at >= cutoff else known


def _first_young(recording: Recording, cutoff: datetime) -> float | None:
    """The time of the first sample that is to stay; None: none is. Looks at those before it, a page at a time."""
    latest = recording.last_collected_at
    if recording.last_written_at < cutoff and (latest is None or latest < cutoff):
        return None
    young = _young(recording, cutoff)
    pages, limit = _stored(recording).order_by("measured_time"), _FIRST_PAGE
    while True:
        page = pages[:limit].aggregate(
            count=Count("measured_time"), last=Max("measured_time"), young=Min("measured_time", filter=young)
        )
        if page["young"] is not None or page["count"] < limit:
            return page["young"]
        pages, limit = pages.filter(measured_time__gt=page["last"]), min(limit * _GROWTH, _LARGEST_PAGE)


def _edge(recording: Recording, time: float, after: int = 0) -> float:
    """Where the base bucket of a time begins, or so many buckets after it, in seconds."""
    return math.ldexp(bucket(time, recording.rollup_exponent) + after, recording.rollup_exponent)
