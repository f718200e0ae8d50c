"""API views of vibration data; their paths are in `himmes/api/urls.py`, their descriptions in `schema.py`."""

from django.conf import settings
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from common.database.limited_reads import TOO_MANY, TooManyRows
from common.rest.decoding import DecodedRows
from common.rest.lists import FlatList, LongList, answer_list
from common.rest.query import read_filters, read_query
from common.rest.rows import Conflict, InvalidRows, read_rows, sent_for
from machines.arrivals import notes_on_times, poster_of
from machines.models import PostedData
from vibration.api import schema
from vibration.api.filters import RecordingFilter, SampleFilter
from vibration.api.sample_list import SampleRows, as_rows
from vibration.api.serializers import (
    GroupedRangeQuery,
    PostedSamples,
    RecordingSerializer,
    SampleRow,
    StoredSample,
)
from vibration.metrics import counting
from vibration.models import Recording, VibrationData
from vibration.numbers.classifying import Posted, RowClass
from vibration.numbers.epochs import notes_on_epochs
from vibration.numbers.states import STATES
from vibration.storage.exporting import export_samples
from vibration.storage.posting import notes_on_pruned, post_samples
from vibration.storage.reading import first_samples, names_of, places_of


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
        if notes := notes_on_pruned(rows, classes):
            raise Conflict(" ".join(notes))
        [row_class], said = classes, row.validated_data
        recordings = Recording.objects.filter(
            name=said["recording"], sensor__sensor_no=said["sensor_no"], sensor__machine__name=said["machine_name"]
        )
        places, time = places_of(recordings), said["measured_time"]
        if not (found := first_samples(places, time, time, 1, most=1)):
            raise Conflict("The recording was deleted just after the row was stored. Send it again to store it again.")
        names = names_of(places)
        [stored] = as_rows(names, found)
        if row_class == RowClass.CONFLICTING:
            [place], held = names.values(), ", ".join(f"{state} {stored[state]!r}" for state in STATES)
            raise Conflict(f"Nothing was stored: {' / '.join(place)} holds other values at {time!r} s: {held}.")
        created = row_class == RowClass.NEW
        answer = StoredSample.of(stored | {"notes": told})
        return Response(answer, status.HTTP_201_CREATED if created else status.HTTP_200_OK)


@schema.SAMPLE_BULK
class SampleBulk(APIView):
    queryset = VibrationData.objects.all()
    row = SampleRow()  # one for all: its fields are only asked

    def post(self, request):
        with counting("samples") as count:
            rows = read_rows(request.data, self.row)
            classes = count(post_samples(rows, poster=poster_of(request)))
        notes = notes_on_pruned(rows, classes) + _notes_on(request.data, rows, request)
        return Response(PostedSamples.of(Posted(classes, notes)))


def _notes_on(posted: list[dict] | DecodedRows, rows: dict, request) -> list[str]:
    sent = sent_for("collected_at", posted)
    notes = notes_on_times(sent, rows, "collected_at", data=PostedData.SAMPLES, poster=poster_of(request))
    return notes + notes_on_epochs(rows["measured_time"])


@schema.GROUPED_RANGE
class GroupedRange(APIView):
    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(GroupedRangeQuery, request.query_params)
        named = {"sensor__machine__name": "machine_name", "sensor__sensor_no": "sensor_no"}
        recordings = Recording.objects.with_place().filter(
            name=asked["recording"],
            first_time__lte=asked["end"],
            last_time__gte=asked["start"],
            **{lookup: asked[name] for lookup, name in named.items() if name in asked},
        )
        places, most = places_of(recordings), settings.API_MAX_RESULT_ROWS
        try:
            samples = first_samples(places, asked["start"], asked["end"], asked["per_group_limit"], most=most)
        except TooManyRows:
            raise ValidationError({"per_group_limit": [TOO_MANY.format(most=most)]}) from None
        return Response(list(as_rows(names_of(places), samples)))


@schema.RECORDINGS
class RecordingList(FlatList, generics.ListAPIView):
    queryset = Recording.objects.with_place()
    serializer_class = RecordingSerializer
    filterset_class = RecordingFilter


@schema.RECORDING
class RecordingDetail(generics.RetrieveAPIView):
    queryset = Recording.objects.with_place()
    serializer_class = RecordingSerializer
