from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connections, models
from django.db.models import F, OuterRef, Q, Subquery

from common.database.keysets import behind
from common.database.limited_reads import rows_of_each
from diagnosis.episodes.spans import Ending
from diagnosis.episodes.standing import Stage, Standing
from machines.models import Machine, interval_of

# Of one machine this is the order of the unique key, read backwards; over all, that of diagnosis_by_time.
NEWEST_FIRST = ("-detected_at", "-machine_id", "-model_name")
# Of one machine
RISING, FALLING = ("detected_at", "model_name"), ("-detected_at", "-model_name")


class CurrentStateQuerySet(models.QuerySet):
    def version(self, now: datetime) -> str:
        """Another text after each write of diagnoses, and when one has begun to count or to be stale; one query.

        A sum, not the newest of anything: of two writes at once the one that began first may be seen last.
        """
        # Tuples: it is asked for each second by every page that is open.
        states = list(self.values_list("revision", "detected_at", "machine__expected_interval_min"))
        stale = sum(now - detected_at > interval_of(minutes) for _revision, detected_at, minutes in states)
        ahead = sum(detected_at > now for _revision, detected_at, _minutes in states)
        return f"{len(states)}-{sum(revision for revision, *_rest in states)}-{stale}-{ahead}"


class VibrationDiagnosisQuerySet(models.QuerySet):
    def in_period(self, start, end):
        """Those with start <= detected_at < end; None is an open end."""
        if start is not None:
            self = self.filter(detected_at__gte=start)
        return self if end is None else self.filter(detected_at__lt=end)

    def of_machine(self, machine: Machine | int, *, rising: bool = False):
        """Those of one machine, newest first or in rising order; the first ones from any bound on cost their number.

        Told that the machine equals something, MariaDB and MySQL may take any index that begins with it, or the one on
        time, and then sort, or read all that came later: they reckon without the LIMIT. Told a range of machines and
        an order that begins with the machine, they have one index left, and begin at the bound. SQLite wants equality.
        """
        if connections[self.db].vendor != "mysql":
            return self.filter(machine=machine).order_by(*(RISING if rising else FALLING))
        order = ("machine_id", *RISING) if rising else ("-machine_id", *FALLING)
        return self.filter(machine__gte=machine, machine__lte=machine).order_by(*order)

    def later_than(self, key: tuple | None):
        """Of one machine, those after the key (detected_at, model_name); all of them after None."""
        return self if key is None else self.filter(behind(RISING, key))

    def newest_first(self):
        return self.order_by(*NEWEST_FIRST)

    def older_than(self, diagnosis):
        """Those that come after this one in the order `newest_first`."""
        key = [diagnosis.detected_at, diagnosis.machine_id, diagnosis.model_name]
        return self.filter(behind(NEWEST_FIRST, key))

    def latest_per_machine(self):
        """The newest of each machine that has one, by name of machine, with the machine at hand; one query.

        The keys are those that current states hold. Asked for the newest of each machine, MariaDB may read all of them:
        at 5 million it did.
        """
        newest = {f"machine__current_state__{field}": F(field) for field in ("detected_at", "model_name")}
        return self.filter(**newest).select_related("machine").order_by("machine__name")

    def latest_of_states(self, machines: list[Machine], fault_types: list[int]) -> list:
        """The newest of each of these machines that is of one of these states, in their order; two queries.

        Each state is looked up by itself: otherwise all that came after a rare one would have to be read.
        """
        # In the order of the whole index: without the machine, MySQL reads and sorts all of each machine.
        of_machine = self.filter(machine=OuterRef("pk")).order_by("-machine_id", *FALLING).values("pk")
        newest = {f"newest_{it}": Subquery(of_machine.filter(fault_type=it)[:1]) for it in fault_types}
        wanted = Machine.objects.order_by().filter(pk__in=[machine.pk for machine in machines])
        numbers = [pk for row in wanted.annotate(**newest).values_list(*newest) for pk in row if pk]
        found: Any = self.model._default_manager.filter(pk__in=numbers)
        latest = {it.machine_id: it for it in found.order_by("detected_at", "model_name")}
        for machine in machines:
            if machine.pk in latest:
                latest[machine.pk].machine = machine
        return [latest[machine.pk] for machine in machines if machine.pk in latest]

    def newest_of_each(self, machines: list[Machine], limit: int, *fields: str, most: int) -> list[tuple]:
        """The newest `limit` of each machine as tuples, in the order of the machines, newest first.

        A tuple starts with machine_id, detected_at and model_name; `fields` follow. Reads about as many rows as it
        returns. Raises TooManyRows when there are more than `most` in all.
        """
        wanted = ("machine_id", "detected_at", "model_name", *fields)
        rows = rows_of_each(
            [self.of_machine(machine).values_list(*wanted)[:limit] for machine in machines],
            most=most,
        )
        rank = {machine.pk: number for number, machine in enumerate(machines)}
        rows.sort(key=lambda row: row[1:3], reverse=True)
        rows.sort(key=lambda row: rank[row[0]])
        return rows


class EpisodeQuerySet(models.QuerySet):
    def live(self):
        """Without those that late data took back."""
        return self.filter(live=True)

    def in_stages(self, stages: set[Stage], now: datetime):
        """Those that are in one of these stages at an instant: `stage_of` in SQL."""
        wanted = Q(pk__in=[])
        for stage in stages:
            wanted |= _IN_STAGE[stage](now)
        return self.filter(wanted)

    def of_stream(self, machine_id: int, family: str):
        return self.filter(machine=machine_id, family=family)


class EpisodeActQuerySet(models.QuerySet):
    """Rows to read and to add to."""

    def update(self, **values: Any) -> int:
        raise TypeError("What a person did is not changed. Add another act.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("What a person did is not deleted.")


def _is_open(now: datetime) -> Q:
    return Q(standing=Standing.OPEN) | Q(standing=Standing.SHELVED, shelved_until__lte=now)


_GOES_ON, _IS_CLEARED = Q(live=True, ending=Ending.NONE), Q(live=True, ending=Ending.CLEARED)
_IN_STAGE: dict[Stage, Callable[[datetime], Q]] = {
    Stage.UNACKNOWLEDGED: lambda now: _GOES_ON & _is_open(now),
    Stage.ACKNOWLEDGED: lambda now: _GOES_ON & Q(standing=Standing.ACKNOWLEDGED),
    Stage.SHELVED: lambda now: (_GOES_ON | _IS_CLEARED) & Q(standing=Standing.SHELVED, shelved_until__gt=now),
    Stage.CLEARED: lambda now: _IS_CLEARED & _is_open(now),
    Stage.CLOSED: lambda now: (
        Q(live=True, ending=Ending.CLOSED)
        | (_GOES_ON | _IS_CLEARED) & Q(standing=Standing.CLOSED)
        | _IS_CLEARED & Q(standing=Standing.ACKNOWLEDGED)
    ),
    Stage.CONTINUED: lambda now: Q(live=True, ending=Ending.WORSENED),
    Stage.WITHDRAWN: lambda now: Q(live__isnull=True),
}
