"""Stored diagnoses of machines over a period, as arrays and as runs."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast

from diagnosis.history.runs import Diagnoses, Runs, clip, runs_of
from diagnosis.models import VibrationDiagnosis
from machines.models import Machine

LONGEST_SPAN = timedelta(days=92)  # of one timeline
USUAL_RANGE = "7d"  # where none is named, of common.periods.RANGES
NAMED_MACHINES = 50  # of more, all that was said in a time is read, and what is of others left out
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class History:
    """What was said of machines in a period."""

    runs: dict[int, Runs]  # by the machine's primary key; empty runs where nothing was said
    models: list[str]  # names, by the numbers that the runs have


def microseconds(instant: datetime) -> int:
    """Since 1970, UTC."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))


def read_runs(machines: list[Machine], start: datetime, end: datetime, *, now: datetime) -> History:
    """The runs of these machines that touch start <= t < end; one query, which reads each diagnosis of that time.

    A diagnosis holds until the next one, at most for the machine's expected interval. So those of such a time before
    `start` are read as well, and those after `end`: a run that reaches still further seems to begin or end there.
    """
    if not machines:
        return History({}, [])
    diagnoses, models = _read(machines, start, end)
    found = {}
    for machine in machines:
        valid_for = machine.expected_interval // timedelta(microseconds=1)
        runs = runs_of(diagnoses[machine.pk], valid_for=valid_for, until=microseconds(now))
        found[machine.pk] = clip(runs, microseconds(start), microseconds(end))
    return History(found, models)


def _read(machines: list[Machine], start: datetime, end: datetime) -> tuple[dict[int, Diagnoses], list[str]]:
    # By interval: one machine that is diagnosed once a year must not make all be read a year back.
    by_interval = defaultdict(list)
    for machine in machines:
        by_interval[machine.expected_interval].append(machine.pk)
    first, *others = (_between(start - it, end + it, numbers) for it, numbers in by_interval.items())
    rows = list(first.union(*others) if others else first)  # each diagnosis once, however many of them it is between
    number, at, state, confidence, model = ([row[column] for row in rows] for column in range(5))
    models = sorted(set(model))
    number_of = {name: index for index, name in enumerate(models)}
    of_machine = np.array(number, np.int64)
    everything = Diagnoses(
        at=np.array(at, "datetime64[us]").astype(np.int64),
        state=np.array(state, np.int8),
        confidence=np.array(confidence, np.float64),  # NaN for None
        model=np.array([number_of[name] for name in model], np.int64),
    )
    order = np.lexsort((everything.model, everything.at, of_machine))
    of_machine, everything = of_machine[order], everything.take(order)
    bounds = {it.pk: np.searchsorted(of_machine, [it.pk, it.pk + 1]) for it in machines}
    return {pk: everything.take(slice(*edges)) for pk, edges in bounds.items()}, models


def _between(start: datetime, end: datetime, machines: list[int]) -> QuerySet:
    """Diagnoses with start <= detected_at < end: of these machines, or of all where these are many.

    Of many, MariaDB no longer looks how many rows each has in that time, guesses, and may read each machine's whole
    history.
    """
    found = VibrationDiagnosis.objects.in_period(start, end)
    if len(machines) <= NAMED_MACHINES:
        found = found.filter(machine__in=machines)
    # As text, which numpy reads by the thousand: a datetime object for each row takes five times as long.
    at = Cast("detected_at", CharField())
    return found.order_by().values_list("machine_id", at, "fault_type", "confidence", "model_name")
