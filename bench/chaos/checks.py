"""What the database holds after the chaos, against what it ought to hold: each deviation in words."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from bench.chaos.clients import Collector, Diagnoser
from diagnosis.models import CurrentState, VibrationDiagnosis
from diagnosis.storage.current_states import KEPT, state_at
from machines.models import Machine
from vibration.models import DEFAULT_RECORDING, ImportRun, Recording, VibrationData, VibrationRollup
from vibration.numbers.buckets import FACTOR, LEVELS, Buckets, coarsen, summarise
from vibration.storage.rollups import read_buckets


def wrong_imports(files: list[Path], name: str) -> Iterator[str]:
    """Each row of each file is stored with its values, and counted as new in the one record of its import."""
    runs = list(ImportRun.objects.all())
    if Counter(run.file_name for run in runs) != Counter(file.name for file in files):
        yield f"the records of the imports are of {sorted(run.file_name for run in runs)}"
    for file in files:
        rows = pl.read_csv(file, has_header=False, schema_overrides=[pl.Float64] * 5).to_numpy()
        machine, sensor = file.stem.split("_")
        yield from _wrong_samples((machine, sensor, name), rows[:, 0], rows[:, 1:])
        for run in runs:
            if run.file_name != file.name:
                continue
            if (run.new, run.identical, run.conflicting, run.rejected) != (len(rows), 0, 0, 0):
                yield f"{file.name}: {run.new} new, {run.identical} identical of {len(rows)} rows"
            if run.outcome != ImportRun.Outcome.COMPLETE:
                yield f"{file.name}: the import is recorded as {run.outcome}"


def wrong_posts(collectors: list[Collector], diagnoser: Diagnoser) -> Iterator[str]:
    """What was acknowledged is stored, once, and nothing else."""
    for collector in collectors:
        place = (collector.place["machine_name"], collector.place["sensor_no"], DEFAULT_RECORDING)
        yield from _wrong_samples(place, collector.time, collector.values)
    fields = ("machine__name", "detected_at", "fault_type")
    stored = Counter(VibrationDiagnosis.objects.values_list(*fields))
    if stored != (acknowledged := Counter(diagnoser.acknowledged)):
        yield f"{stored.total()} diagnoses are stored, {(stored - acknowledged).total()} of them not acknowledged"
        yield f"{(acknowledged - stored).total()} acknowledged diagnoses are not stored"
    for machine in Machine.objects.filter(diagnoses__isnull=False).distinct():
        kept, fresh = CurrentState.objects.filter(machine=machine).first(), state_at(machine.pk)
        if kept is None or any(getattr(kept, field) != getattr(fresh, field) for field in KEPT):
            yield f"{machine}: the current state is not that of its diagnoses"


def wrong_rollups() -> Iterator[str]:
    """The rollups are what the stored samples give, but for those of the tail; so are the counts of the recordings."""
    for recording in Recording.objects.all():
        samples = VibrationData.objects.of(recording).as_samples()
        counted = VibrationData.objects.of(recording).count()
        if not recording.sample_count == counted == len(samples):
            yield f"{recording}: {recording.sample_count} samples by its count, {counted} stored"
        if len(samples) and [recording.first_time, recording.last_time] != samples.time[[0, -1]].tolist():
            yield f"{recording}: it does not go from {recording.first_time} to {recording.last_time}"
        buckets = summarise(samples, recording.rollup_exponent)
        if recording.tail_from is not None:
            rolled = int(np.searchsorted(buckets.index, recording.tail_from))
            if recording.tail_count != buckets.count[rolled:].sum():
                yield f"{recording}: its tail is said to have {recording.tail_count} samples"
            buckets = buckets.part(0, rolled)
        for level in range(LEVELS):
            kept = read_buckets(VibrationRollup.objects.of(recording, level))
            for name in Buckets.__dataclass_fields__:
                if getattr(kept, name).tobytes() != getattr(buckets, name).tobytes():
                    yield f"{recording}: {name} of the rollups of level {level}"
            buckets = coarsen(buckets, FACTOR) if len(buckets) else buckets


def _wrong_samples(place: tuple[str, str, str], time: np.ndarray, values: np.ndarray) -> Iterator[str]:
    machine, sensor, name = place
    found = Recording.objects.filter(sensor__machine__name=machine, sensor__sensor_no=sensor, name=name)
    if (recording := found.first()) is None:
        yield f"{' / '.join(place)}: not there, with {len(time)} samples"
        return
    stored = VibrationData.objects.of(recording).as_samples()
    if stored.time.tobytes() != time.tobytes():
        yield f"{recording}: {len(stored)} samples are stored of {len(time)}, or at other times"
    elif stored.values.tobytes() != values.tobytes():
        yield f"{recording}: other values are stored"
