"""Run objects for templates and CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from diagnosis.history.reading import History, instant_of, microseconds
from diagnosis.states import FaultType
from machines.models import Machine

_UNITS = [
    (timedelta(days=1), _("{n} d")),
    (timedelta(hours=1), _("{n} h")),
    (timedelta(minutes=1), _("{n} min")),
    (timedelta(seconds=1), _("{n} s")),
]


@dataclass(frozen=True)
class Run:
    """An uninterrupted run of one state; or, where `runs` is not 1, several drawn as one, with the worst state."""

    machine: Machine
    state: FaultType
    start: datetime  # the first diagnosis; if `begins_before`, the first one known, from before the period
    end: datetime  # up to where the last one holds
    begins_before: bool
    goes_on: bool  # it is the state of now
    count: int  # diagnoses
    runs: int
    models: list[str]  # names, first and last in their order; one if all are of one
    least_confidence: float | None
    greatest_confidence: float | None

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def duration_in_words(self) -> str:
        return length_in_words(self.duration)


def length_in_words(length: timedelta) -> str:
    """Its two greatest units, such as "2 h 5 min"; as static/js/charts/run_texts.js has them."""
    told: list[str] = []
    for unit, text in _UNITS:
        number, length = divmod(length, unit)
        if number or told:
            told.append(text.format(n=number) if number else "")
    if not told:
        return _("{n} s").format(n=round(length.total_seconds(), 3))
    return " ".join(filter(None, told[:2]))


def tell_runs(machine: Machine, history: History, start: datetime, now: datetime) -> Iterator[Run]:
    """The runs of a machine, oldest first; of one that reaches beyond `start` only what is known to be so is told."""
    runs = history.runs[machine.pk]
    first, until = microseconds(start), microseconds(now)
    for index in range(len(runs)):
        models = sorted({runs.least_model[index], runs.greatest_model[index]})
        yield Run(
            machine,
            FaultType(runs.state[index]),
            instant_of(runs.start[index]),
            instant_of(runs.end[index]),
            begins_before=bool(runs.start[index] < first),
            goes_on=bool(runs.end[index] >= until),
            count=int(runs.count[index]),
            runs=int(runs.runs[index]),
            models=[history.models[model] for model in models],
            least_confidence=_number(runs.least_confidence[index]),
            greatest_confidence=_number(runs.greatest_confidence[index]),
        )


def _number(value: float) -> float | None:
    return None if value != value else float(value)
