from django.db import models
from django.db.models import OuterRef, Q, Subquery

from machines.limited_reads import rows_of_each
from machines.models import Machine

# Of one machine this is the order of the unique key, read backwards; over all, that of diagnosis_by_time.
NEWEST_FIRST = ("-detected_at", "-machine_id", "-model_name")


class VibrationDiagnosisQuerySet(models.QuerySet):
    def newest_first(self):
        return self.order_by(*NEWEST_FIRST)

    def older_than(self, diagnosis):
        """Those that come after this one in the order `newest_first`."""
        at, machine, model = diagnosis.detected_at, diagnosis.machine_id, diagnosis.model_name
        same = Q(detected_at=at) & (Q(machine__lt=machine) | Q(machine=machine, model_name__lt=model))
        # The bound by itself is what a database starts its index read with.
        return self.filter(Q(detected_at__lt=at) | same, detected_at__lte=at)

    def latest_per_machine(self):
        """The newest of each machine that has one, by name of machine, with the machine at hand; two queries."""
        newest = self.filter(machine=OuterRef("pk")).order_by("-detected_at", "-model_name").values("pk")[:1]
        found = Machine.objects.order_by().annotate(newest=Subquery(newest)).values_list("newest", flat=True)
        return (
            self.model.objects.filter(pk__in=[pk for pk in found if pk])
            .select_related("machine")
            .order_by("machine__name")
        )

    def newest_of_each(self, machines: list[Machine], limit: int, *fields: str, most: int) -> list[tuple]:
        """The newest `limit` of each machine as tuples, in the order of the machines, newest first.

        A tuple starts with machine_id, detected_at and model_name; `fields` follow. Reads about as many rows as it
        returns. Raises TooManyRows when there are more than `most` in all.
        """
        wanted = ("machine_id", "detected_at", "model_name", *fields)
        rows = rows_of_each(
            [
                self.filter(machine=machine).order_by("-detected_at", "-model_name").values_list(*wanted)[:limit]
                for machine in machines
            ],
            most=most,
        )
        place = {machine.pk: number for number, machine in enumerate(machines)}
        rows.sort(key=lambda row: row[1:3], reverse=True)
        rows.sort(key=lambda row: place[row[0]])
        return rows
