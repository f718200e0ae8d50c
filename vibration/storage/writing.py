"""The only code that writes samples. The command, the API and any upload call `write_samples`.
`pruning.py` removes old ones; between them they keep a recording's counts.

One call is one transaction that holds the lock of the recording's row. Whatever ends a program, what is stored is whole
calls, with their rollups and counts; and two programs that write the same samples store them once.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from django.db import transaction
from django.utils import timezone

from common.names import clean_name
from machines.models import RegisteredBy
from machines.registering import register_sensor
from vibration.models import DEFAULT_RECORDING, Recording, VibrationData, VibrationRollup
from vibration.numbers.buckets import Buckets, base_exponent, bucket_of, narrower, summarise
from vibration.numbers.classifying import RowClass, classify
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.storage.rollups import replace_rollups

PAGE_ROWS = 100_000  # the most stored samples held in memory at once
MAX_GAP_BUCKETS = 64  # of base buckets that a write leaves out: reading them along is cheaper than another query
MAX_STRETCHES = 100  # that a write is split into, at its longest gaps
KEYS_PER_STATEMENT = 500
ROWS_FOR_A_THREAD = 5_000  # starting one takes as long as summing up some thousand rows

# What a write keeps of a recording. Nothing else is saved: a person may be editing the rest.
_KEPT_FIELDS = [
    "sample_count",
    "first_time",
    "last_time",
    "last_collected_at",
    "last_written_at",
    "rollup_exponent",
]


class RecordingStartDiffers(ValueError):
    """The start given for a recording contradicts what is stored; the message says what to do."""


@dataclass(frozen=True)
class Piece:
    """What is stored in the whole buckets from index `first` to `last`."""

    first: int
    last: int
    samples: Samples  # in rising order of time, without when they were collected


def open_recording(
    machine_name: str,
    sensor_no: str,
    *,
    name: str = DEFAULT_RECORDING,
    started_at: datetime | None = None,
    keep_start: bool = False,
    source: str = "",
    registered_by: RegisteredBy = RegisteredBy.IMPORT,
) -> Recording:
    """The recording of that name, with machine, sensor and itself created when they are not there yet.

    Raises InvalidName for a name that can't be, RecordingStartDiffers when `started_at` contradicts what is stored;
    with `keep_start` a start that is stored already stays instead.
    """
    name = clean_name(name, Recording._meta.get_field("name"))
    with transaction.atomic():
        sensor = register_sensor(machine_name, sensor_no, registered_by=registered_by)
        recording, created = Recording.objects.get_or_create(
            sensor=sensor, name=name, defaults={"started_at": started_at, "source": source}
        )
        if created or started_at is None or recording.started_at == started_at:
            return recording
        if recording.started_at is not None:
            if keep_start:
                return recording
            raise RecordingStartDiffers(
                f"recording {recording} started at {timezone.localtime(recording.started_at).isoformat()}, not at "
                f"{timezone.localtime(started_at).isoformat()}; another recording of the sensor needs a name of its own"
            )
        if recording.measured_count:
            raise RecordingStartDiffers(
                f"recording {recording} holds {recording.measured_count:,} samples that were stored without a start; "
                "delete it and import again, or give this recording a name of its own"
            )
        recording.started_at = started_at
        recording.save(update_fields=["started_at"])
        return recording


@transaction.atomic(savepoint=False)
def write_samples(recording: Recording, samples: Samples, *, replace: bool = False, locked: bool = False) -> np.ndarray:
    """Store samples and bring rollups and counts up to date, all or nothing; the RowClass of each row, int8 (n,).

    Times and values must be finite and in range, as csv/reader.py makes sure of. A sample of which it is not known when
    it was collected counts from the start of its recording, if that is known. A row in conflict with a stored one is
    left out, or takes its place with `replace`. A row where raw samples were removed is rejected: see `why_pruned`.
    `locked`: the recording was read with its lock in this very transaction.
    """
    if not len(samples):
        return np.empty(0, dtype=np.int8)
    if not locked:
        recording = Recording.objects.select_for_update().get(pk=recording.pk)
    pruned = recording.is_pruned(samples.time)
    if not pruned.any():
        return _write(recording, samples, replace)
    # Their buckets are made of samples that are gone: made anew of these rows alone, they would be lost.
    classes = np.full(len(samples), RowClass.REJECTED, dtype=np.int8)
    if not pruned.all():
        classes[~pruned] = _write(recording, samples.take(~pruned), replace)
    return classes


def why_pruned(recording: Recording) -> str:
    """Why rows before `pruned_before` are not stored, and what another recording needs."""
    date = timezone.localtime(recording.pruned_at).date().isoformat()
    return (
        f"raw samples of {recording} before {recording.pruned_before!r} s were removed by retention, last on {date}, "
        "and are not stored again; another recording of the sensor needs a name of its own"
    )


def _write(recording: Recording, samples: Samples, replace: bool) -> np.ndarray:
    """Store samples, at least one, none of them where raw samples were removed; the RowClass of each, int8 (n,)."""
    if recording.rollup_exponent is None:
        recording.rollup_exponent = base_exponent(samples.time)
    samples = _counted_from(recording.started_at, samples)
    classes = np.empty(len(samples), dtype=np.int8)
    fullest = 0
    for rows, piece in _compared(recording, samples.time):
        part = samples.take(rows)
        found = classify(part, piece.samples, replace=replace)
        classes[rows] = found.classes
        if len(found.insert) or len(found.replace):
            fullest = max(fullest, _store(recording, piece, part.take(found.insert), part.take(found.replace)))
    if fullest:  # something was stored
        _keep_buckets_small(recording, fullest)
        recording.save(update_fields=_KEPT_FIELDS)
    return classes


def _counted_from(started_at: datetime | None, samples: Samples) -> Samples:
    """With when they were collected, where only the start of their recording tells it."""
    if started_at is None:
        return samples
    start = np.datetime64(started_at.astimezone(UTC).replace(tzinfo=None), "us")
    instants = start + np.rint(samples.time * 1e6).astype("timedelta64[us]")
    if samples.collected_at is not None:
        instants = np.where(np.isnat(samples.collected_at), instants, samples.collected_at)
    return Samples(samples.time, samples.values, instants)


def _compared(recording: Recording, time: np.ndarray) -> Iterator[tuple[np.ndarray, Piece]]:
    """Each piece of what is stored that some of these times, float64 (n,), fall into; and which, int64 rising."""
    order = np.argsort(time, kind="stable")
    bucket = bucket_of(time[order], recording.rollup_exponent)
    for first, last in _stretches(recording, bucket):
        for piece in _stored_pieces(recording, first, last):
            start, end = np.searchsorted(bucket, [piece.first, piece.last + 1])
            yield np.sort(order[start:end]), piece  # as they came: of two rows with one time the first counts first


def _store(recording: Recording, piece: Piece, new: Samples, replacing: Samples) -> int:
    """Insert samples, and others in the place of those stored at their times; how many are in the fullest bucket then.

    All of them lie in the piece. Its buckets and the counts of the recording follow; the recording is not saved.
    """
    written, exponent = Samples.concatenate([new, replacing]), recording.rollup_exponent
    _delete(recording, replacing.time)
    buckets = _inserted(recording, written, lambda: _summed_up(piece.samples, new, replacing, exponent))
    replace_rollups(recording, piece.first, piece.last, buckets)
    _count(recording, written, added=len(new))
    return int(buckets.count.max())


def _delete(recording: Recording, time: np.ndarray) -> None:
    """Delete the samples stored at exactly these times, float64 (n,)."""
    for start in range(0, len(time), KEYS_PER_STATEMENT):
        keys = time[start : start + KEYS_PER_STATEMENT].tolist()
        VibrationData.objects.of(recording).filter(measured_time__in=keys).delete()


def _inserted(recording: Recording, samples: Samples, meanwhile: Callable[[], Buckets]) -> Buckets:
    """Insert samples; what `meanwhile` returns, which is called while the database is busy with them."""
    columns = {"recording_id": np.full(len(samples), recording.pk), "measured_time": samples.time}
    columns |= {state: samples.values[:, i] for i, state in enumerate(STATES)}
    if samples.collected_at is not None:
        columns["collected_at"] = samples.collected_at
    frame = pl.DataFrame(columns)
    if len(samples) < ROWS_FOR_A_THREAD:
        VibrationData.objects.bulk_create(frame, references_locked=True)
        return meanwhile()
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(meanwhile)
        VibrationData.objects.bulk_create(frame, references_locked=True)
        return future.result()


def _summed_up(stored: Samples, new: Samples, replacing: Samples, exponent: int) -> Buckets:
    """The base buckets of what is stored, with new samples and with others in the place of those of their times."""
    kept = stored.take(~np.isin(stored.time, replacing.time)) if len(replacing) else stored
    return summarise(Samples.concatenate([kept, new, replacing]).by_time(), exponent)


def _count(recording: Recording, written: Samples, *, added: int) -> None:
    """Bring up to date what the recording says of its samples, of which so many were added."""
    first, last = float(written.time.min()), float(written.time.max())
    recording.sample_count += added
    recording.first_time = first if recording.first_time is None else min(first, recording.first_time)
    recording.last_time = last if recording.last_time is None else max(last, recording.last_time)
    recording.last_written_at = timezone.now()
    if written.collected_at is None:
        return
    latest = np.fmax.reduce(written.collected_at)  # fmax passes over NaT
    if not np.isnat(latest):
        latest = latest.item().replace(tzinfo=UTC)
        recording.last_collected_at = max(latest, recording.last_collected_at or latest)


def _stretches(recording: Recording, bucket: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last of each stretch of buckets to look at, of rising bucket indexes.

    One stretch, unless more than a page of samples is stored there: then long gaps are left out. Not always, as each
    stretch costs some statements, and a sample an hour would be a stretch each.
    """
    gaps = np.diff(bucket)
    least = MAX_GAP_BUCKETS
    if len(gaps) > MAX_STRETCHES:
        least = max(least, int(np.partition(gaps, -MAX_STRETCHES)[-MAX_STRETCHES]))
    ends = np.append(np.flatnonzero(gaps > least), len(bucket) - 1)
    starts = np.append(0, ends[:-1] + 1)
    if len(ends) > 1:
        first, last = int(bucket[0]), int(bucket[-1])
        edges = math.ldexp(first, recording.rollup_exponent), math.ldexp(last + 1, recording.rollup_exponent)
        stored = VibrationData.objects.of(recording).in_window(*edges).order_by("measured_time")
        if not stored.values_list("measured_time")[PAGE_ROWS : PAGE_ROWS + 1]:
            return iter([(first, last)])
    return zip(bucket[starts].tolist(), bucket[ends].tolist(), strict=True)


def _stored_pieces(recording: Recording, first: int, last: int) -> Iterator[Piece]:
    """What is stored in the base buckets from `first` to `last`, in pieces of whole buckets that fit the memory."""
    exponent = recording.rollup_exponent
    samples = VibrationData.objects.of(recording)
    while first <= last:
        start = math.ldexp(first, exponent)
        stored = samples.in_window(start, math.ldexp(last + 1, exponent)).as_samples(limit=PAGE_ROWS)
        piece_last = last
        if len(stored) == PAGE_ROWS:
            # The page may end within a bucket, which then belongs to the next piece.
            piece_last = int(bucket_of(stored.time[-1:], exponent)[0]) - 1
            if piece_last < first:  # one bucket that is larger than a page
                piece_last = first
                stored = samples.in_window(start, math.ldexp(first + 1, exponent)).as_samples()
        yield Piece(first, piece_last, stored.take(bucket_of(stored.time, exponent) <= piece_last))
        first = piece_last + 1


def _keep_buckets_small(recording: Recording, fullest: int) -> None:
    """Make all rollups anew with narrower buckets when one has grown too full."""
    if recording.pruned_before:
        return  # buckets whose samples are gone can't be divided; to sum up a full one at each write is slow, not wrong
    while (exponent := narrower(recording.rollup_exponent, fullest)) != recording.rollup_exponent:
        recording.rollup_exponent = exponent
        VibrationRollup.objects.filter(recording=recording).delete()
        fullest = 0
        first, last = bucket_of(np.array([recording.first_time, recording.last_time]), exponent).tolist()
        for piece in _stored_pieces(recording, first, last):
            if len(piece.samples):
                buckets = summarise(piece.samples, exponent)
                replace_rollups(recording, piece.first, piece.last, buckets)
                fullest = max(fullest, int(buckets.count.max()))
