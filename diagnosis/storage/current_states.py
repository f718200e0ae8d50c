"""Keeps the newest diagnosis of each machine and since when its state lasts. Callers hold the machines' locks."""

import time
from collections import defaultdict
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from diagnosis.models import CurrentState, VibrationDiagnosis
from diagnosis.states import FaultType

KEPT = ["fault_type", "since", "detected_at", "model_name", "confidence"]


def bring_up_to_date(new: list[VibrationDiagnosis]) -> None:
    """After these diagnoses were stored. Reads older ones only of machines that got one from before their newest."""
    by_machine = defaultdict(list)
    for diagnosis in new:
        by_machine[diagnosis.machine_id].append(diagnosis)
    known = {it.machine_id: it for it in CurrentState.objects.filter(machine__in=by_machine)}
    first, changed = [], []
    for machine, diagnoses in sorted(by_machine.items()):
        diagnoses.sort(key=_key)
        current = known.get(machine)
        if current is None:
            current = CurrentState(machine_id=machine, revision=_first_revision())
            first.append(current)
        elif _key(diagnoses[0]) < current.key:
            read_anew(machine)
            continue
        else:
            changed.append(current)
        for diagnosis in diagnoses:
            _advance(current, diagnosis)
        current.revision += 1
    CurrentState.objects.bulk_create(first)
    CurrentState.objects.bulk_update(changed, [*KEPT, "revision"], batch_size=200)


def read_anew(machine: int) -> None:
    """The current state of a machine from its diagnoses, in a few index reads however many there are."""
    current = state_at(machine)
    if current is None:
        CurrentState.objects.filter(machine=machine).delete()
        return
    kept = {name: getattr(current, name) for name in KEPT}
    if not CurrentState.objects.filter(machine=machine).update(**kept, revision=F("revision") + 1):
        CurrentState.objects.create(machine_id=machine, **kept, revision=_first_revision())


def state_at(machine: int, until: datetime | None = None) -> CurrentState | None:
    """What the diagnoses of a machine, up to an instant or all, say of it; not saved. None if there are none."""
    diagnoses = VibrationDiagnosis.objects.of_machine(machine)
    if until is not None:
        diagnoses = diagnoses.filter(detected_at__lte=until)
    newest = diagnoses.first()
    if newest is None:
        return None
    of_others = (
        diagnoses.filter(fault_type=other).values_list("detected_at", "model_name").first()
        for other in FaultType.values
        if other != newest.fault_type
    )
    last_other = max((it for it in of_others if it), default=None)
    kept = {name: getattr(newest, name) for name in KEPT if name != "since"}
    since = diagnoses.later_than(last_other).reverse().values_list("detected_at", flat=True).first()
    return CurrentState(machine_id=machine, since=since, **kept)


def as_of(current: CurrentState | None, now: datetime) -> CurrentState | None:
    """The state that counts: what a sender whose clock runs ahead says of the future does so from then on."""
    return state_at(current.machine_id, now) if current and current.detected_at > now else current


def current_version() -> str:
    """Another one after each write of diagnoses, as soon as a machine becomes stale, and with each minute.

    By the minute for the ages, and for what else may change: samples, and the machines themselves.
    """
    now = timezone.now()
    return f"{CurrentState.objects.version(now)}-{int(now.timestamp()) // 60}"


def _first_revision() -> int:
    """Greater than any before: a machine whose diagnoses were all deleted must not come by an old revision again."""
    return time.time_ns() // 1_000_000


def _key(diagnosis: VibrationDiagnosis) -> tuple:
    return diagnosis.detected_at, diagnosis.model_name


def _advance(current: CurrentState, diagnosis: VibrationDiagnosis) -> None:
    if current.fault_type != diagnosis.fault_type:
        current.since = diagnosis.detected_at
    for name in KEPT:
        if name != "since":
            setattr(current, name, getattr(diagnosis, name))
