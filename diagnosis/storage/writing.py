"""The only code that writes diagnoses; what is made of them, current states and episodes, it has brought up to date."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from common.audit_trail import Action, note
from common.database.transactions import in_transaction
from common.rest.rows import InvalidRows
from diagnosis.models import EpisodeTail, VibrationDiagnosis
from diagnosis.states import FaultType
from diagnosis.storage import episodes
from diagnosis.storage.current_states import bring_up_to_date, read_anew
from machines.conflicts import Conflicting, note_conflicts
from machines.episode_rules import Rule
from machines.models import Machine, PostedData, RegisteredBy, rule_of
from machines.registering import machines_by_name
from vibration.numbers.classifying import RowClass

KEYS_PER_STATEMENT = 500
MACHINES_PER_STATEMENT = 50  # with more, MySQL may read by time, and pass over the other machines
ROWS_PER_STATEMENT = 1_000


class Diagnosed(NamedTuple):
    """One diagnosis to store; the first three are its key."""

    machine_id: int
    detected_at: datetime
    model_name: str
    fault_type: int
    confidence: float | None

    @property
    def key(self) -> str:
        """In the words of the API, as is what it `says`."""
        at = timezone.localtime(self.detected_at).isoformat()
        return f"detected_at {at}, model_name {self.model_name}" if self.model_name else f"detected_at {at}"

    @property
    def says(self) -> str:
        state = FaultType(self.fault_type)
        return f"fault_type {state.value} ({state.key}), confidence {self.confidence}"


def post_diagnoses(columns: dict, *, poster: str = "") -> list[RowClass]:
    """Store columns as `read_rows` returns them for a DiagnosisRow, all or nothing; what became of each row.

    A row whose key (machine, detected_at, model_name) is stored with another state or confidence is CONFLICTING and
    left out; that it came, and from which `poster`, is kept for people. Raises InvalidRows for a machine that nobody
    registered, where `API_REGISTERS_MACHINES` is off.
    """
    return in_transaction(lambda: _store(_with_machines(columns), poster))


def delete_diagnoses(diagnoses: Iterable[VibrationDiagnosis]) -> None:
    """Delete these, as one who posted by mistake wants; the current states of their machines are read anew."""
    numbers = [it.pk for it in diagnoses]
    of_machine = defaultdict(list)
    for it in diagnoses:
        of_machine[it.machine_id].append(it)
    machines = of_machine.keys()

    def delete() -> None:
        rules = _lock(machines)
        for start in range(0, len(numbers), KEYS_PER_STATEMENT):
            VibrationDiagnosis.objects.filter(pk__in=numbers[start : start + KEYS_PER_STATEMENT]).delete()
        for number in sorted(machines):
            read_anew(number)
        episodes.take_back(chain.from_iterable(of_machine.values()), rules)
        for machine in Machine.objects.filter(pk__in=machines):
            _note_deletion(machine.name, of_machine[machine.pk])

    in_transaction(delete)


def rebuild_episodes(machine: Machine) -> int:
    """Make the episodes of a machine anew from its diagnoses and acts; how many rows changed, which is mostly none."""

    def work() -> int:
        _lock([machine.pk])
        return episodes.rebuild(machine)

    return in_transaction(work)


def follow_rule(instance: Machine, raw: bool = False, **kwargs: Any) -> None:
    """When a machine gets another rule, what was said of it is read by that one from now on."""
    if (
        not raw
        and EpisodeTail.objects.filter(machine=instance).exclude(rule=str(rule_of(instance.episode_rule))).exists()
    ):
        rebuild_episodes(instance)


def _note_deletion(machine: str, diagnoses: list[VibrationDiagnosis]) -> None:
    instants = [it.detected_at for it in diagnoses]
    note(
        Action.DELETE,
        VibrationDiagnosis,
        f"{machine}: {len(diagnoses):,}",
        first=min(instants).isoformat(),
        last=max(instants).isoformat(),
        models=sorted({it.model_name for it in diagnoses}),
    )


def _lock(machines: Iterable[int]) -> dict[int, Rule]:
    """The lock that the writers of a machine's diagnoses share, taken in one order; the rule of each for episodes."""
    locked = Machine.objects.select_for_update().filter(pk__in=machines).order_by("pk")
    return {pk: rule_of(rule) for pk, rule in locked.values_list("pk", "episode_rule")}


def _with_machines(columns: dict) -> list[Diagnosed]:
    names = columns["machine_name"]
    machines = machines_by_name(names, register=RegisteredBy.API if settings.API_REGISTERS_MACHINES else None)
    errors = {
        number: [("machine_name", f"No machine {name} is registered; an administrator has to do so.")]
        for number, name in enumerate(names)
        if name not in machines
    }
    if errors:
        raise InvalidRows(errors, len(names))
    instants = [instant.replace(tzinfo=UTC) for instant in columns["detected_at"].tolist()]
    confidences = [None if math.isnan(it) else it for it in columns["confidence"].tolist()]
    rows = zip(names, instants, columns["model_name"], columns["fault_type"], confidences, strict=True)
    return [Diagnosed(machines[name].pk, *said) for name, *said in rows]


def _store(rows: list[Diagnosed], poster: str) -> list[RowClass]:
    instants = defaultdict(list)
    for row in rows:
        instants[row.machine_id].append(row.detected_at)
    rules = _lock(instants)
    known = {row[:3]: row[3:] for row in _stored(instants)}
    classes, new, conflicting = [], [], defaultdict(list)
    for row in rows:  # one after the other, as if each were stored before the next is looked at
        key, said = row[:3], row[3:]
        if key not in known:
            known[key] = said
            new.append(VibrationDiagnosis(**row._asdict()))
            classes.append(RowClass.NEW)
        elif known[key] == said:
            classes.append(RowClass.IDENTICAL)
        else:
            classes.append(RowClass.CONFLICTING)
            conflicting[row.machine_id].append(row)
    VibrationDiagnosis.objects.bulk_create(new, batch_size=ROWS_PER_STATEMENT)
    bring_up_to_date(new)
    episodes.take(new, rules)
    for machine in Machine.objects.filter(pk__in=conflicting).order_by("pk") if conflicting else ():
        last = conflicting[machine.pk][-1]
        told = Conflicting(last.key, Diagnosed(*last[:3], *known[last[:3]]).says, last.says)
        count, now = len(conflicting[machine.pk]), timezone.now()
        note_conflicts(machine, count, told, data=PostedData.DIAGNOSES, poster=poster, now=now)
    return classes


def _stored(instants: dict[int, list[datetime]]) -> Iterator[Diagnosed]:
    """What is stored of each machine at its instants. By instant, not by span: rows may lie years apart."""
    for keys in _in_statements(instants):
        of_machines = (Q(machine=machine, detected_at__in=part) for machine, part in keys)
        found = VibrationDiagnosis.objects.filter(reduce(or_, of_machines))
        yield from map(Diagnosed._make, found.values_list(*Diagnosed._fields))


def _in_statements(instants: dict[int, list[datetime]]) -> Iterator[list[tuple[int, list[datetime]]]]:
    """Machines with instants, as many as one statement looks for: a statement each took ten times as long."""
    keys: list[tuple[int, list[datetime]]] = []
    for machine, of_machine in instants.items():
        for start in range(0, len(of_machine), KEYS_PER_STATEMENT):
            part = of_machine[start : start + KEYS_PER_STATEMENT]
            if len(keys) == MACHINES_PER_STATEMENT or sum(len(it) for _, it in keys) + len(part) > KEYS_PER_STATEMENT:
                yield keys
                keys = []
            keys.append((machine, part))
    if keys:
        yield keys
