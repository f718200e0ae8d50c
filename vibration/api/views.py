"""API views of vibration data; their paths are in `himmes/api/urls.py`, their descriptions in `schema.py`."""

import math
from pathlib import Path

from django.conf import settings
from django.shortcuts import get_object_or_404
from rest_framework import generics, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from common.database.errors import DATABASE_ERRORS, mark_undone
from common.database.limited_reads import TOO_MANY, TooManyRows
from common.limits.at_once import AtOnce
from common.rest.lists import FlatList, LongList, answer_list
from common.rest.query import read_filters, read_query
from common.rest.rows import Conflict, InvalidRows, read_rows
from machines.arrivals import notes_on_times, poster_of
from machines.models import PostedData, RegisteredBy
from vibration.api import schema
from vibration.api.filters import RecordingFilter, SampleFilter
from vibration.api.sample_list import SampleRows
from vibration.api.serializers import (
    CsvUpload,
    GroupedRangeQuery,
    RecordingSerializer,
    SampleRow,
    SpectrumQuery,
    WaveformQuery,
)
from vibration.files.importing import Bounds, NotRegistered, import_file
from vibration.files.names import BadName, Naming
from vibration.files.report import COUNTS, Report
from vibration.files.storing import Options
from vibration.files.uploading import NamelessFileUploadHandler
from vibration.metrics import count_upload, counting
from vibration.models import ImportRun, Recording, VibrationData
from vibration.numbers.classifying import RowClass
from vibration.numbers.epochs import notes_on_epochs
from vibration.numbers.states import STATES
from vibration.storage.exporting import export_samples
from vibration.storage.posting import notes_of, post_samples, summary
from vibration.storage.reading import first_samples, places_of
from vibration.windows import analysis
from vibration.windows.waveform import Waveform, read_waveform

# In each process one, as an upload may take a thread for half a minute, and a process has few
UPLOADS = AtOnce(1, "uploads")


@schema.SAMPLES
class SampleList(LongList):
    queryset = VibrationData.objects.all()
    filterset_class = SampleFilter

    def get(self, request):
        filterset = read_filters(self.filterset_class, request.query_params, Recording.objects.order_by("pk"))
        places, window = places_of(filterset.qs), filterset.window()
        if request.accepted_renderer.format == "csv":
            return export_samples(request, places, window)
        return answer_list(request, SampleRows(places, window))

    def post(self, request):
        row = SampleRow(data=request.data)
        try:
            with counting("samples") as count:
                row.is_valid(raise_exception=True)
                rows = read_rows([request.data], row)
                classes = count(post_samples(rows, poster=poster_of(request)))
        except InvalidRows as error:
            raise ValidationError({it["field"]: [it["message"]] for it in error.errors}) from None
        told = _notes_on([request.data], rows, request)
        if notes := notes_of(rows, classes).get("notes"):
            raise Conflict(" ".join(notes))
        [row_class], place = classes, row.validated_data
        recordings = Recording.objects.select_related("sensor__machine").filter(
            name=place["recording"], sensor__sensor_no=place["sensor_no"], sensor__machine__name=place["machine_name"]
        )
        time = place["measured_time"]
        if not (found := first_samples(list(recordings), time, time, 1, most=1)):
            raise Conflict("The recording was deleted just after the row was stored. Send it again to store it again.")
        [stored], [recording] = found, recordings
        if row_class == RowClass.CONFLICTING:
            held = ", ".join(f"{state} {stored[state]!r}" for state in STATES)
            raise Conflict(f"Nothing was stored: {recording} holds other values at {time!r} s: {held}.")
        created = row_class == RowClass.NEW
        return Response(
            stored | ({"notes": told} if told else {}), status.HTTP_201_CREATED if created else status.HTTP_200_OK
        )


@schema.SAMPLE_BULK
class SampleBulk(APIView):
    queryset = VibrationData.objects.all()
    row = SampleRow()  # one for all: its fields are only asked

    def post(self, request):
        with counting("samples") as count:
            rows = read_rows(request.data, self.row)
            classes = count(post_samples(rows, poster=poster_of(request)))
        answer = summary(classes) | notes_of(rows, classes)
        if notes := answer.get("notes", []) + _notes_on(request.data, rows, request):
            answer["notes"] = notes
        return Response(answer)


@schema.GROUPED_RANGE
class GroupedRange(APIView):
    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(GroupedRangeQuery, request.query_params)
        places = {"sensor__machine__name": "machine_name", "sensor__sensor_no": "sensor_no"}
        recordings = Recording.objects.with_place().filter(
            name=asked["recording"],
            first_time__lte=asked["end"],
            last_time__gte=asked["start"],
            **{lookup: asked[name] for lookup, name in places.items() if name in asked},
        )
        most = settings.API_MAX_RESULT_ROWS
        try:
            samples = first_samples(list(recordings), asked["start"], asked["end"], asked["per_group_limit"], most=most)
        except TooManyRows:
            raise ValidationError({"per_group_limit": [TOO_MANY.format(most=most)]}) from None
        return Response(samples)


@schema.WAVEFORM
class WaveformView(APIView):
    """A window of one recording as at most `points` buckets with the least and greatest value of each state."""

    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(WaveformQuery, request.query_params)
        recording = _recording_of(asked)
        waveform = read_waveform(recording, asked["start"], asked.get("end", math.inf), asked["points"])
        return Response(describe(recording, waveform, _states_of(asked)))


@schema.SPECTRUM
class SpectrumView(APIView):
    """A window of one recording in numbers: features and amplitude spectrum of each state."""

    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(SpectrumQuery, request.query_params)
        recording = _recording_of(asked)
        found = analysis.analyse(recording, asked["start"], asked.get("end", math.inf))
        return Response(analysis.describe(recording, found, _states_of(asked), asked["points"]))


@schema.CSV_UPLOAD
class CsvUploadView(APIView):
    queryset = VibrationData.objects.all()
    parser_classes = [MultiPartParser]

    def initialize_request(self, request, *args, **kwargs):
        # On disk from the first byte on: the importer reads a file.
        request.upload_handlers = [NamelessFileUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def post(self, request):
        with UPLOADS.place():
            return self._import(request)

    def _import(self, request):
        twice = [name for name in request.data if len(request.data.getlist(name)) > 1]
        if twice:
            raise ValidationError({name: ["Given more than once; send one file at a time."] for name in twice})
        upload = CsvUpload(data=request.data)
        upload.is_valid(raise_exception=True)
        asked = upload.validated_data
        options = Options(
            naming=Naming(
                machine=asked.get("machine_name"),
                sensor=asked.get("sensor_no"),
                recording=asked["recording"],
                started_at=asked.get("started_at"),
            ),
            time=asked["time"],
            zone=asked.get("time_zone"),
            on_restart=asked["on_restart"],
            skip_bad_rows=asked["on_error"] == "skip",
            started_by=request.user.get_username(),
            registered_by=RegisteredBy.API if settings.API_REGISTERS_MACHINES else None,
        )
        bounds = Bounds(settings.API_MAX_UPLOAD_CONTENT_BYTES, settings.API_MAX_UPLOAD_SECONDS)
        name = Path(asked["file"].name)
        try:
            report = import_file(asked["file"].file, name, options, bounds=bounds)
        except BadName as error:
            message = f"{error.reason}; rename it, or give machine_name and sensor_no."
            raise ValidationError({"file": [message]}) from None
        except NotRegistered as error:
            raise ValidationError({"machine_name": [f"{error}; an administrator has to do so."]}) from None
        except DATABASE_ERRORS as error:
            mark_undone(error, False)  # the batches before are stored
            raise
        count_upload(report.run)
        if report.run.outcome in (ImportRun.Outcome.COMPLETE, ImportRun.Outcome.PROBLEMS):
            return Response(_told(report))
        raise ImportStopped(report)


def _notes_on(posted: list[dict], rows: dict, request) -> list[str]:
    notes = notes_on_times(posted, rows, "collected_at", data=PostedData.SAMPLES, poster=poster_of(request))
    return notes + notes_on_epochs(rows["measured_time"])


class ImportStopped(APIException):
    """A file that was not read to its end: 400 for what it holds, 413 where it was too much for an upload."""

    def __init__(self, report: Report):
        too_large = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
        self.status_code = too_large if report.is_over_bounds else status.HTTP_400_BAD_REQUEST
        self.extra = {"report": _told(report)}
        reason = report.problems[-1] if report.run.outcome == ImportRun.Outcome.STOPPED else report.path.name
        message = f"{reason}; {report.run.message}"
        if report.is_over_bounds:
            message += (
                ". Import the whole file with the command import_vibration, which has no such limits, or send the rest "
                "in parts: what is stored counts as identical."
            )
        self.errors = [{"field": "file", "message": message}]
        super().__init__(message)


@schema.RECORDINGS
class RecordingList(FlatList, generics.ListAPIView):
    queryset = Recording.objects.with_place()
    serializer_class = RecordingSerializer
    filterset_class = RecordingFilter


@schema.RECORDING
class RecordingDetail(generics.RetrieveAPIView):
    queryset = Recording.objects.with_place()
    serializer_class = RecordingSerializer


def describe(recording: Recording, waveform: Waveform, states: list[str]) -> dict:
    """A waveform as JSON; `samples` is how many it stands for, `bucket_width` 0 when each is there by itself."""
    return {
        "machine_name": recording.sensor.machine.name,
        "sensor_no": recording.sensor.sensor_no,
        "recording": recording.name,
        "recording_start": recording.first_time,
        "recording_end": recording.last_time,
        "pruned_before": recording.pruned_before,
        "start": waveform.start,
        "end": waveform.end,
        "bucket_width": waveform.width,
        "buckets": len(waveform.time),
        "samples": int(waveform.count.sum()),
        "time": waveform.time.tolist(),
        "states": {
            state: {
                "min": waveform.minimum[:, STATES.index(state)].tolist(),
                "max": waveform.maximum[:, STATES.index(state)].tolist(),
            }
            for state in states
        },
    }


def _recording_of(asked: dict) -> Recording:
    return get_object_or_404(
        Recording.objects.select_related("sensor__machine"),
        name=asked["recording"],
        sensor__sensor_no=asked["sensor_no"],
        sensor__machine__name=asked["machine_name"],
    )


def _states_of(asked: dict) -> list[str]:
    return [state for state in STATES if state in asked["states"]]


def _told(report: Report) -> dict:
    run = report.run
    return {
        "import_run": run.pk,
        "file": run.file_name,
        "place": run.place,
        "outcome": run.outcome,
        "message": run.message,
        "read": run.read,
        **{name: getattr(run, name) for name in COUNTS},
        "seconds": round(run.seconds, 3),
        "problems": report.problems,
        "notes": report.notes,
    }
