"""The only code that writes samples. The command, the API and any upload call `write_samples`.
`pruning.py` removes old ones; between them they keep a recording's counts.

One call is one transaction that holds the lock of the recording's row. Whatever ends a program, what is stored is whole
calls, with their rollups and counts; and two programs that write the same samples store them once.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import polars as pl
from django.db import connection, transaction
from django.utils import timezone

from common.database.columns import fields_of
from common.names import clean_name
from machines.models import RegisteredBy
from machines.registering import register_sensor
from vibration.models import DEFAULT_RECORDING, Recording, VibrationData
from vibration.numbers.buckets import Buckets, base_exponent, bucket, summarise
from vibration.numbers.classifying import RowClass, classify
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.storage.pieces import Piece, pieces_of
from vibration.storage.tails import add_rollups, change_rollups, has_room, keep_buckets_small, roll_up

KEYS_PER_STATEMENT = 500
ROWS_FOR_A_THREAD = 5_000  # starting one takes as long as summing up some thousand rows

# What a write keeps of a recording. Nothing else is saved: a person may be editing the rest.
_KEPT = {
    "sample_count",
    "first_time",
    "last_time",
    "last_collected_at",
    "last_written_at",
    "rollup_exponent",
    "tail_from",
    "tail_count",
}
_KEPT_FIELDS = [field for field in fields_of(Recording) if field.name in _KEPT]
# As SQL text: to make it anew for each list took the ORM longer than the server to carry it out.
_SET = ", ".join(f"{field.column} = %s" for field in _KEPT_FIELDS)
_UPDATE = f"UPDATE {Recording._meta.db_table} SET {_SET} WHERE id = %s"  # noqa: S608  names of ours


class RecordingStartDiffers(ValueError):
    """The start given for a recording contradicts what is stored; the message says what to do."""


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
    rising = samples.by_time()
    if _continues(recording, rising.time):
        _append(recording, rising)
        return np.full(len(samples), RowClass.NEW, dtype=np.int8)
    return _merge(recording, samples, replace)


def _continues(recording: Recording, time: np.ndarray) -> bool:
    """Whether rising times are all different, and later than all that the recording has."""
    return (recording.last_time is None or time[0] > recording.last_time) and bool((time[1:] > time[:-1]).all())


def _append(recording: Recording, new: Samples) -> None:
    """Store samples in rising order of time that continue the recording: nothing that is stored is looked at.

    They become its tail, or part of it, while that is short.
    """
    if recording.measured_count == 0:
        recording.tail_from = bucket(new.time[0], recording.rollup_exponent)
    if has_room(recording, len(new)):
        _insert(recording, new)
        recording.tail_count += len(new)
        _count(recording, new, added=len(new))
        _keep(recording)
        return
    exponent = recording.rollup_exponent
    first = bucket(new.time[0], exponent) if recording.tail_from is None else recording.tail_from
    # The tail, or what is in the bucket that is to be continued
    stored = VibrationData.objects.of(recording).filter(measured_time__gte=math.ldexp(first, exponent)).as_samples()
    buckets = _inserted(recording, new, lambda: summarise(Samples.concatenate([stored, new]), exponent))
    fullest = add_rollups(recording, first, buckets, added=len(new))
    _count(recording, new, added=len(new))
    keep_buckets_small(recording, fullest)
    _keep(recording)


def _merge(recording: Recording, samples: Samples, replace: bool) -> np.ndarray:
    """Store those samples that are new, or replace others; the RowClass of each, int8 (n,)."""
    classes = np.empty(len(samples), dtype=np.int8)
    stored, fullest = 0, 0
    for rows, piece in pieces_of(recording, samples.time):
        part = samples.take(rows)
        found = classify(part, piece.samples, replace=replace)
        classes[rows] = found.classes
        if len(found.insert) or len(found.replace):
            stored += len(found.insert) + len(found.replace)
            fullest = max(fullest, _store(recording, piece, part.take(found.insert), part.take(found.replace)))
    if stored:
        keep_buckets_small(recording, fullest)  # first, as to roll up may divide the buckets that `fullest` is of
        if not has_room(recording, 0):
            roll_up(recording)
        _keep(recording)
    return classes


def _keep(recording: Recording) -> None:
    """Save what a write keeps of a recording."""
    values = [field.get_db_prep_save(getattr(recording, field.attname), connection) for field in _KEPT_FIELDS]
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [*values, recording.pk])


def _counted_from(started_at: datetime | None, samples: Samples) -> Samples:
    """With when they were collected, where only the start of their recording tells it."""
    if started_at is None:
        return samples
    start = np.datetime64(started_at.astimezone(UTC).replace(tzinfo=None), "us")
    instants = start + np.rint(samples.time * 1e6).astype("timedelta64[us]")
    if samples.collected_at is not None:
        instants = np.where(np.isnat(samples.collected_at), instants, samples.collected_at)
    return Samples(samples.time, samples.values, instants)


def _store(recording: Recording, piece: Piece, new: Samples, replacing: Samples) -> int:
    """Insert samples, and others in the place of those stored at their times; how many are in the fullest bucket then.

    All of them lie in the piece. Its buckets and the counts of the recording follow; the recording is not saved.
    """
    written, exponent = Samples.concatenate([new, replacing]), recording.rollup_exponent
    _delete(recording, replacing.time)
    buckets = _inserted(recording, written, lambda: _summed_up(piece.samples, new, replacing, exponent))
    if recording.tail_from is not None:
        recording.tail_count += int((new.time >= math.ldexp(recording.tail_from, exponent)).sum())
    _count(recording, written, added=len(new))
    return change_rollups(recording, piece.first, piece.last, buckets)


def _delete(recording: Recording, time: np.ndarray) -> None:
    """Delete the samples stored at exactly these times, float64 (n,)."""
    for start in range(0, len(time), KEYS_PER_STATEMENT):
        keys = time[start : start + KEYS_PER_STATEMENT].tolist()
        VibrationData.objects.of(recording).filter(measured_time__in=keys).delete()


def _inserted(recording: Recording, samples: Samples, meanwhile: Callable[[], Buckets]) -> Buckets:
    """Insert samples; what `meanwhile` returns, which is called while the database is busy with them."""
    if len(samples) < ROWS_FOR_A_THREAD:
        _insert(recording, samples)
        return meanwhile()
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(meanwhile)
        _insert(recording, samples)
        return future.result()


def _insert(recording: Recording, samples: Samples) -> None:
    columns = {"recording_id": np.full(len(samples), recording.pk), "measured_time": samples.time}
    columns |= {state: samples.values[:, i] for i, state in enumerate(STATES)}
    if samples.collected_at is not None:
        columns["collected_at"] = samples.collected_at
    VibrationData.objects.bulk_create(pl.DataFrame(columns), references_locked=True)


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
