"""The API of the diagnoses; its paths stand in `himmes/api.py`, what it says of itself in `openapi.py`."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from diagnosis import openapi
from diagnosis.filters import DiagnosisFilter
from diagnosis.models import VibrationDiagnosis
from diagnosis.serializers import DiagnosisPageQuery, DiagnosisRow, GroupedRecentQuery
from diagnosis.storing import post_diagnoses
from machines.csv_export import CsvRenderer, safe_text, stream_csv
from machines.filters import read_query, refuse_unknown
from machines.limited_reads import TOO_MANY, TooManyRows
from machines.models import Machine
from machines.rows import Conflict, InvalidRows, read_rows
from machines.serializers import MachineSerializer
from vibration.classifying import RowClass
from vibration.posting import summary

CSV_COLUMNS = ["machine_name", "detected_at", "fault_type", "model_name", "confidence"]
EXPORTED_ROWS = 5_000  # in one read


@openapi.DIAGNOSES
class DiagnosisList(APIView):
    queryset = VibrationDiagnosis.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer]

    def get_renderers(self):
        return super().get_renderers() if self.request.method != "POST" else [JSONRenderer()]

    def get(self, request):
        query = request.query_params
        refuse_unknown(query, {*DiagnosisFilter.base_filters, "limit", "cursor", "format"}, repeatable={"fault_type"})
        page = DiagnosisPageQuery(data=query)
        page.is_valid(raise_exception=True)
        filterset = DiagnosisFilter(query, VibrationDiagnosis.objects.prefetch_related("machine").newest_first())
        if not filterset.is_valid():
            raise ValidationError(filterset.errors)
        diagnoses = filterset.qs
        if request.accepted_renderer.format == "csv":
            return stream_csv("vibration-diagnosis", CSV_COLUMNS, map(_as_cells, _all(diagnoses)))
        limit, cursor = page.validated_data["limit"], page.validated_data.get("cursor")
        if cursor is not None:
            if not (last := VibrationDiagnosis.objects.filter(pk=cursor).first()):
                raise ValidationError({"cursor": ["No place in the list. Follow the `next` of the page before."]})
            diagnoses = diagnoses.older_than(last)
        found = list(diagnoses[: limit + 1])
        link = None
        if len(found) > limit:
            found.pop()
            link = replace_query_param(request.build_absolute_uri(), "cursor", found[-1].pk)
        return Response({"next": link, "results": [as_row(it) for it in found]})

    def post(self, request):
        row = DiagnosisRow(data=request.data)
        row.is_valid(raise_exception=True)
        try:
            [row_class] = post_diagnoses(read_rows([request.data], row))
        except InvalidRows as error:
            raise ValidationError({it["field"]: [it["message"]] for it in error.errors}) from None
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
        return Response(as_row(stored), status.HTTP_201_CREATED if created else status.HTTP_200_OK)


@openapi.DIAGNOSIS_BULK
class DiagnosisBulk(APIView):
    queryset = VibrationDiagnosis.objects.all()

    def post(self, request):
        return Response(summary(post_diagnoses(read_rows(request.data, DiagnosisRow()))))


@openapi.GROUPED_RECENT
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


@openapi.LATEST
class Latest(APIView):
    queryset = VibrationDiagnosis.objects.all()

    def get(self, request):
        refuse_unknown(request.query_params, {"format"})
        latest = VibrationDiagnosis.objects.latest_per_machine()
        return Response([as_row(it) | {"machine": MachineSerializer(it.machine).data} for it in latest])


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
    return {
        "id": pk,
        "machine_name": machine_name,
        "detected_at": timezone.localtime(detected_at).isoformat(),
        "fault_type": fault_type,
        "model_name": model_name,
        "confidence": confidence,
    }


def _all(diagnoses) -> Iterator[VibrationDiagnosis]:
    """Every one of an ordered queryset, some thousand in one read: no read lasts as long as a slow client."""
    page = list(diagnoses[:EXPORTED_ROWS])
    while page:
        yield from page
        page = list(diagnoses.older_than(page[-1])[:EXPORTED_ROWS]) if len(page) == EXPORTED_ROWS else []


def _as_cells(diagnosis: VibrationDiagnosis) -> list:
    row = as_row(diagnosis)
    return [safe_text(row[it]) if it in ("machine_name", "model_name") else row[it] for it in CSV_COLUMNS]
