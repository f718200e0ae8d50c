"""Stores rows of samples that programs post, of any recordings in one list: all or none."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from common.database.compiled import CompiledQuery
from common.database.transactions import in_transaction
from common.rest.rows import InvalidRows, TooLarge
from machines.conflicts import Conflicting, note_conflicts
from machines.models import Machine, PostedData, RegisteredBy, Sensor
from vibration.models import Recording, VibrationData
from vibration.numbers.classifying import RowClass
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.storage.writing import open_recording, why_pruned, write_samples

MAX_PLACES = 200  # recordings in one list: each costs a dozen statements, in one transaction that others wait for

Place = tuple[str, str, str]  # machine, sensor and recording, by their names


def post_samples(columns: dict, *, poster: str = "") -> np.ndarray:
    """Store the columns of rows as `read_rows` returns them for a SampleRow; the RowClass of each row, int8 (n,).

    Rejected are those where raw samples were removed. That rows were in conflict, and from which `poster` they came, is
    kept for people. Raises TooLarge for rows of more than 200 recordings; InvalidRows
    for a machine or sensor that nobody registered, where `API_REGISTERS_MACHINES` is off.
    """
    rows_of: dict[Place, list[int]] = defaultdict(list)
    for number, place in enumerate(
        zip(columns["machine_name"], columns["sensor_no"], columns["recording"], strict=True)
    ):
        rows_of[place].append(number)
    if len(rows_of) > MAX_PLACES:
        raise TooLarge(
            f"Rows of {len(rows_of):,} recordings in one list; at most {MAX_PLACES} are allowed. Send parts."
        )
    values = np.column_stack([columns[state] for state in STATES])
    samples = Samples(columns["measured_time"], values, columns["collected_at"])
    if not settings.API_REGISTERS_MACHINES:
        _refuse_unknown(rows_of, len(samples))

    def write() -> np.ndarray:
        if len(rows_of) == 1 and (recording := _locked(*next(iter(rows_of)))):
            classes = write_samples(recording, samples, locked=True)
            _note_conflicts([(recording, np.arange(len(samples)))], classes, samples, poster)
            return classes
        classes = np.empty(len(samples), dtype=np.int8)
        # One order for all writers: of the names, in which new ones are registered, then of the locks.
        opened = [(_opened(*place), np.array(rows_of[place])) for place in sorted(rows_of)]
        for recording, rows in sorted(opened, key=lambda pair: pair[0].pk):
            classes[rows] = write_samples(recording, samples.take(rows))
        _note_conflicts(opened, classes, samples, poster)
        return classes

    return in_transaction(write, again_on=(Recording.DoesNotExist,))


def notes_on_pruned(columns: dict, classes: np.ndarray) -> list[str]:
    """Why rows were not stored where raw samples were removed, for each recording.

    `columns` is what `post_samples` got, `classes` what it returned.
    """
    pruned = np.flatnonzero(classes == RowClass.REJECTED).tolist()
    places = {tuple(columns[name][row] for name in ("machine_name", "sensor_no", "recording")) for row in pruned}
    found = [recording for place in sorted(places) if (recording := _found(*place))]
    return [f"Not stored: {why_pruned(recording)}." for recording in found]


def _note_conflicts(
    written: list[tuple[Recording, np.ndarray]], classes: np.ndarray, samples: Samples, poster: str
) -> None:
    """Keep which rows of the recordings written to were in conflict, with the last one of each machine as example.

    `written` says of each recording which rows are of it, int64; `classes` is the RowClass of each row, int8 (n,).
    """
    if not (classes == RowClass.CONFLICTING).any():
        return
    of_machine: dict[Machine, list[tuple[int, Recording]]] = defaultdict(list)
    for recording, rows in written:
        for row in rows[classes[rows] == RowClass.CONFLICTING].tolist():
            of_machine[recording.sensor.machine].append((row, recording))
    for machine, conflicting in sorted(of_machine.items(), key=lambda pair: pair[0].pk):
        row, recording = max(conflicting, key=lambda pair: pair[0])
        time, values = float(samples.time[row]), samples.values[row].tolist()
        stored = VibrationData.objects.of(recording).filter(measured_time=time).values_list(*STATES).get()
        key = f"{recording.sensor.sensor_no} / {recording.name}, measured_time {time!r}"
        last = Conflicting(key, _in_words(stored), _in_words(values))
        data, now = PostedData.SAMPLES, timezone.now()
        note_conflicts(machine, len(conflicting), last, data=data, poster=poster, now=now)


def _in_words(values: Iterable[float]) -> str:
    return ", ".join(f"{state} {value!r}" for state, value in zip(STATES, values, strict=True))


def _locked(machine: str, sensor: str, name: str) -> Recording | None:
    """A recording that is there, with its lock: one statement for what most lists need, rows of one recording."""
    rows = _LOCKED.rows(machine, sensor, name)
    return Recording.from_db("default", _FIELDS, rows[0]) if rows else None


def _of_place(machine: str, sensor: str, name: str) -> QuerySet:
    of_sensor = Sensor.objects.filter(machine__name=machine, sensor_no=sensor).values("pk")[:1]
    return Recording.objects.select_for_update().filter(sensor=of_sensor, name=name).values_list(*_FIELDS)


_FIELDS = [field.attname for field in Recording._meta.concrete_fields]
_LOCKED = CompiledQuery(_of_place, values=3)


def _found(machine: str, sensor: str, name: str) -> Recording | None:
    return Recording.objects.filter(sensor__machine__name=machine, sensor__sensor_no=sensor, name=name).first()


def _opened(machine: str, sensor: str, name: str) -> Recording:
    found = _found(machine, sensor, name)
    return found or open_recording(machine, sensor, name=name, source="API", registered_by=RegisteredBy.API)


def _refuse_unknown(rows_of: dict[Place, list[int]], count: int) -> None:
    names = {machine for machine, _sensor, _recording in rows_of}
    known = set(Sensor.objects.filter(machine__name__in=names).values_list("machine__name", "sensor_no"))
    machines = {machine for machine, _sensor in known}
    errors: dict[int, list[tuple[str, str]]] = {}
    for (machine, sensor, _recording), rows in rows_of.items():
        if (machine, sensor) in known:
            continue
        if machine in machines:
            error = ("sensor_no", f"Machine {machine} has no sensor {sensor}; an administrator has to register it.")
        else:
            error = (
                "machine_name",
                f"No machine {machine} with a sensor is registered; an administrator has to do so.",
            )
        errors |= {row: [error] for row in rows}
    if errors:
        raise InvalidRows(errors, count)
