"""API views of diagnoses; their paths are in `himmes/api/urls.py`, their descriptions in `schema.py`."""

from datetime import datetime

import numpy as np
from django.conf import settings
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from common.database.limited_reads import TOO_MANY, TooManyRows
from common.periods import FIRST_YEAR, LAST_YEAR, RANGES
from common.polls import mark_poll
from common.rest.decoding import DecodedRows
from common.rest.lists import LongList, TableRows, answer_list
from common.rest.query import read_filters, read_query
from common.rest.rows import Conflict, InvalidRows, read_rows, sent_for
from diagnosis.api import schema
from diagnosis.api import serializers as shapes
from diagnosis.api.filters import DiagnosisFilter
from diagnosis.api.serializers import (
    Diagnosis,
    DiagnosisRow,
    GroupedRecentQuery,
    LatestDiagnosis,
    StoredDiagnosis,
    TimelineQuery,
)
from diagnosis.history.acts_between import acts_between
from diagnosis.history.exporting import export_diagnoses
from diagnosis.history.reading import LONGEST_SPAN, USUAL_RANGE, History, microseconds, read_runs
from diagnosis.history.runs import reduce
from diagnosis.models import VibrationDiagnosis
from diagnosis.states import FaultType
from diagnosis.storage.current_states import current_version
from diagnosis.storage.writing import post_diagnoses
from machines.arrivals import notes_on_times, poster_of
from machines.models import Machine, PostedData
from vibration.api.serializers import PostedRows
from vibration.metrics import counting
from vibration.numbers.classifying import Posted, RowClass

MOST_MACHINES = 200  # in one timeline
_NAMES = Diagnosis.names()
FIELDS = ["pk", "machine_id", "detected_at", "fault_type", "model_name", "confidence"]


@schema.DIAGNOSES
class DiagnosisList(LongList):
    queryset = VibrationDiagnosis.objects.all()
    filterset_class = DiagnosisFilter

    def get(self, request):
        diagnoses = read_filters(
            self.filterset_class, request.query_params, VibrationDiagnosis.objects.newest_first()
        ).qs
        if request.accepted_renderer.format == "csv":
            return export_diagnoses(request, diagnoses)
        # Named tuples: a model instance of each takes twice as long.
        return answer_list(request, TableRows(diagnoses.values_list(*FIELDS, named=True), as_rows))

    def post(self, request):
        row = DiagnosisRow(data=request.data)
        try:
            with counting("diagnoses") as count:
                row.is_valid(raise_exception=True)
                columns = read_rows([request.data], row)
                [row_class] = count(post_diagnoses(columns, poster=poster_of(request)))
        except InvalidRows as error:
            raise ValidationError({it["field"]: [it["message"]] for it in error.errors}) from None
        notes = _notes_on([request.data], columns, request)
        said = row.validated_data
        stored = (
            VibrationDiagnosis.objects.select_related("machine")
            .filter(machine__name=said["machine_name"], detected_at=said["detected_at"], model_name=said["model_name"])
            .first()
        )
        if stored is None:
            raise Conflict("The diagnosis was deleted just after it was stored. Send it again to store it again.")
        if row_class == RowClass.CONFLICTING:
            raise Conflict(
                f"Nothing was stored: at that instant {stored.machine.name} has fault_type {stored.fault_type} with "
                f"confidence {stored.confidence} of the same model."
            )
        created = row_class == RowClass.NEW
        answer = StoredDiagnosis.of(as_row(stored) | {"notes": notes})
        return Response(answer, status.HTTP_201_CREATED if created else status.HTTP_200_OK)


@schema.DIAGNOSIS_BULK
class DiagnosisBulk(APIView):
    queryset = VibrationDiagnosis.objects.all()
    row = DiagnosisRow()  # one for all: its fields are only asked

    def post(self, request):
        with counting("diagnoses") as count:
            columns = read_rows(request.data, self.row)
            classes = count(post_diagnoses(columns, poster=poster_of(request)))
        notes = _notes_on(request.data, columns, request)
        return Response(PostedRows.of(Posted(classes, notes)))


def _notes_on(posted: list[dict] | DecodedRows, columns: dict, request) -> list[str]:
    sent = sent_for("detected_at", posted)
    return notes_on_times(sent, columns, "detected_at", data=PostedData.DIAGNOSES, poster=poster_of(request))


@schema.GROUPED_RECENT
class GroupedRecent(APIView):
    queryset = VibrationDiagnosis.objects.all()

    def get(self, request):
        asked = read_query(GroupedRecentQuery, request.query_params)
        machines = Machine.objects.order_by("name")
        if "machine_name" in asked:
            machines = machines.filter(name=asked["machine_name"])
        names = {machine.pk: machine.name for machine in machines}
        limit, most = asked["per_group_limit"], settings.API_MAX_RESULT_ROWS
        try:
            rows = VibrationDiagnosis.objects.newest_of_each(
                list(machines), limit, "pk", "fault_type", "confidence", most=most
            )
        except TooManyRows:
            raise ValidationError({"per_group_limit": [TOO_MANY.format(most=most)]}) from None
        return Response(
            [
                _row(pk, names[machine], at, fault_type, model, confidence)
                for machine, at, model, pk, fault_type, confidence in rows
            ]
        )


@schema.LATEST
class Latest(APIView):
    queryset = VibrationDiagnosis.objects.all()

    def get(self, request):
        read_query(serializers.Serializer, request.query_params)
        latest = VibrationDiagnosis.objects.latest_per_machine()
        return Response([LatestDiagnosis.of(as_row(it) | {"machine": it.machine}) for it in latest])


@schema.TIMELINE
class Timeline(APIView):
    queryset = VibrationDiagnosis.objects.all()

    def get(self, request):
        # Asked again and again by the timeline page; mostly nothing has changed.
        version = quote_etag(current_version())
        if unchanged := get_conditional_response(request, etag=version):
            mark_poll(unchanged)
            return unchanged
        asked = read_query(TimelineQuery, request.query_params)
        now = timezone.now()
        start, end = _span(asked, now)
        machines = _named(asked.get("machine_name", []))
        history = read_runs(machines, start, end, now=now)
        states = set(map(int, asked.get("fault_type") or FaultType.values))
        acts = acts_between(machines, states, start, end)
        told = {
            "start": microseconds(start) / 1_000,
            "end": microseconds(end) / 1_000,
            "now": microseconds(now) / 1_000,
            "machines": [
                _runs_of(machine, history, states, start, end, asked) | {"acts": acts.get(machine.pk, [])}
                for machine in machines
            ],
        }
        response = Response(shapes.Timeline.of(told), headers={"ETag": version, "Cache-Control": "private, no-cache"})
        mark_poll(response, "If-None-Match" in request.headers)
        return response


def _span(asked: dict, now: datetime) -> tuple[datetime, datetime]:
    if "range" in asked:
        return now - RANGES[asked["range"]], now
    for name, instant in asked.items():
        if name in ("start", "end") and not FIRST_YEAR < instant.year < LAST_YEAR:
            raise ValidationError({name: [f"Give a year from {FIRST_YEAR + 1} to {LAST_YEAR - 1}."]})
    end = asked.get("end", now)
    start = asked.get("start", end - RANGES[USUAL_RANGE])
    if start >= end:
        raise ValidationError({"end": ["Must be after the start."]})
    if end - start > LONGEST_SPAN:
        raise ValidationError({"end": [f"At most {LONGEST_SPAN.days} days at a time."]})
    return start, end


def _named(names: list[str]) -> list[Machine]:
    machines = Machine.objects.order_by("name")
    found = list(machines.filter(name__in=names) if names else machines[: MOST_MACHINES + 1])
    if unknown := sorted(set(names) - {machine.name for machine in found}):
        raise ValidationError({"machine_name": [f"There is no machine {name}." for name in unknown[:20]]})
    if len(found) > MOST_MACHINES:
        raise ValidationError({"machine_name": [f"At most {MOST_MACHINES} machines at a time; name those wanted."]})
    return found


def _runs_of(machine: Machine, history: History, states: set[int], start: datetime, end: datetime, asked: dict) -> dict:
    """What MachineRuns is made of."""
    runs = history.runs[machine.pk]
    runs = runs.take(np.isin(runs.state, list(states)))
    runs = reduce(runs, microseconds(start), microseconds(end), asked["points"], worst_last=FaultType.values)
    models = {
        "least": [history.models[model] for model in runs.least_model.tolist()],
        "greatest": [history.models[model] for model in runs.greatest_model.tolist()],
    }
    return {"machine": machine, "runs": runs, "models": models}


def as_rows(diagnoses: list) -> list[dict]:
    """Of rows with the attributes FIELDS; one query."""
    machines = Machine.objects.filter(pk__in={it.machine_id for it in diagnoses})
    names = dict(machines.values_list("pk", "name"))
    return [_row(pk, names[machine], *more) for pk, machine, *more in diagnoses]


def as_row(diagnosis: VibrationDiagnosis) -> dict:
    return _row(
        diagnosis.pk,
        diagnosis.machine.name,
        diagnosis.detected_at,
        diagnosis.fault_type,
        diagnosis.model_name,
        diagnosis.confidence,
    )


def _row(pk, machine_name, detected_at, fault_type, model_name, confidence) -> dict:
    instant = timezone.localtime(detected_at).isoformat()
    return dict(zip(_NAMES, (pk, machine_name, instant, fault_type, model_name, confidence), strict=True))
