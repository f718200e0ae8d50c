"""The API of captures; its paths stand in `himmes/api/urls.py`, what it says of itself in `capture_schema.py`."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from common.csv_export import CsvRenderer
from common.rest.bodies import BYTES, BytesParser, read_json
from common.rest.lists import LongList, TableRows, answer_list
from common.rest.query import read_filters, read_query, with_plus
from common.rest.rows import Conflict, InvalidRows
from machines.arrivals import notes_on_times, poster_of
from machines.models import PostedData
from vibration.api import capture_posts as posts
from vibration.api import capture_schema as schema
from vibration.api import capture_serializers as shapes
from vibration.api.capture_rows import as_row, as_rows, export_captures, export_samples
from vibration.api.filters import CaptureFilter
from vibration.captures.conflicts import Stored, in_words
from vibration.captures.incoming import NewCapture
from vibration.captures.reading import SamplesRemoved, features_of_captures, key_of, samples_of
from vibration.metrics import counting
from vibration.models import Capture, CaptureFeatures
from vibration.numbers.classifying import Posted, RowClass

RESULTS = {
    RowClass.NEW: shapes.NEW,
    RowClass.IDENTICAL: shapes.IDENTICAL,
    RowClass.CONFLICTING: shapes.CONFLICTING,
}


class Gone(APIException):
    status_code = status.HTTP_410_GONE
    default_code = "gone"


@schema.CAPTURES
class CaptureList(LongList):
    queryset = Capture.objects.all()
    filterset_class = CaptureFilter
    parser_classes = [BytesParser, *APIView.parser_classes]

    def get(self, request):
        newest_first = Capture.objects.without_samples().prefetch_related("sensor__machine").newest_first()
        captures = read_filters(self.filterset_class, request.query_params, newest_first).qs
        if request.accepted_renderer.format == "csv":
            return export_captures(request, captures)
        return answer_list(request, TableRows(captures, as_rows))

    def post(self, request):
        is_binary = request.content_type.partition(";")[0].strip().lower() == BYTES
        with counting("captures", "binary" if is_binary else "json") as count:
            new, sent = (_from_bytes if is_binary else _from_json)(request)
            try:
                stored = posts.post([new], poster_of(request))
            except InvalidRows as error:
                raise _by_field(error, posts.SAMPLES if is_binary else posts.VALUES) from None
            count([it.row_class for it in stored])
        told = _told(new, stored, _notes_on(new, [sent] * len(new), request))
        if any(it.is_conflicting for it in stored):
            raise CaptureConflict(stored, told)
        is_new = any(it.row_class == RowClass.NEW for it in stored)
        return Response(told, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


def _from_bytes(request: Request) -> tuple[list[NewCapture], str]:
    """The captures, and their start as it was sent."""
    said = read_query(shapes.CaptureQuery, request.query_params)
    body: Any = request.data or b""  # of an empty body nothing is parsed
    return posts.from_bytes(said, body, poster_of(request)), with_plus(request.query_params["started_at"])


def _from_json(request: Request) -> tuple[list[NewCapture], str]:
    read_query(Serializer, request.query_params)
    sent: Any = request.data
    posted = shapes.PostedCapture(data=sent)
    posted.is_valid(raise_exception=True)
    return posts.from_json(posted.validated_data, poster_of(request)), sent["started_at"]


def _by_field(error: InvalidRows, of_samples: str) -> ValidationError:
    """What is wrong with the one row of a post."""
    found: dict[str, list[str]] = {}
    for bad in error.errors:
        field = of_samples if bad["field"] == posts.SAMPLES else bad["field"]
        found.setdefault(field, []).append(bad["message"])
    return ValidationError(found)


class CaptureConflict(Conflict):
    """A capture is stored with other contents; what became of each is told all the same."""

    def __init__(self, stored: list[Stored], told: dict):
        conflicting = [it.capture for it in stored if it.is_conflicting]
        held = "; ".join(f"{it.sensor} / {it.axis} holds {in_words(it)}" for it in conflicting)
        beside = " The others of this post are stored." if len(conflicting) < len(stored) else ""
        super().__init__(f"Not stored, as there is another capture of that axis and start: {held}.{beside}")
        self.extra = {name: value for name, value in told.items() if name != "status"}


class InMemory(FileUploadHandler):
    """Keeps parts in memory, as a body is kept: it has no more bytes than `API_MAX_BODY_BYTES`."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.file.seek(0)
        return InMemoryUploadedFile(
            self.file, self.field_name, self.file_name, self.content_type, file_size, self.charset
        )


@schema.CAPTURE_BULK
class CaptureBulk(APIView):
    queryset = Capture.objects.all()
    parser_classes = [MultiPartParser]

    def initialize_request(self, request, *args, **kwargs):
        request.upload_handlers = [InMemory(request)]
        return super().initialize_request(request, *args, **kwargs)

    def post(self, request):
        read_query(Serializer, request.query_params)
        with counting("captures", "binary") as count:
            described, part = _parts_of(request)
            rows = posts.from_parts(described, part, poster_of(request))
            stored = posts.post(rows, poster_of(request))
            count([it.row_class for it in stored])
        new = [it for row in rows for it in row]
        sent = [said["started_at"] for said, row in zip(described, rows, strict=True) for _axis in row]
        return Response(_told(new, stored, _notes_on(new, sent, request)))


def _parts_of(request: Request):
    """The list that stands in `captures`, and what gives the bytes of a part by its name."""
    texts = {name: request.POST.getlist(name) for name in request.POST if name != "csrfmiddlewaretoken"}
    if unknown := sorted(texts.keys() - {"captures"}):
        raise ValidationError(
            {name[:60]: ["Unknown field. Known: captures, and parts that are files."] for name in unknown}
        )
    if len(texts.get("captures", [])) != 1:
        raise ValidationError({"captures": ["Send it once: a JSON list of objects."]})
    try:
        described = read_json(texts["captures"][0])
    except ValueError as error:
        raise ValidationError({"captures": [f"It is not valid JSON: {error}."]}) from None
    files = {name: request.FILES.getlist(name) for name in request.FILES}

    def part(name: str) -> bytes | None:
        found = files.pop(name, [])
        return found[0].read() if len(found) == 1 else None

    return described, part


def _notes_on(new: list[NewCapture], sent: list[str], request: Request) -> list[str]:
    columns = {
        "machine_name": [it.machine for it in new],
        "sensor_no": [it.sensor for it in new],
        "started_at": np.array([it.started_at.replace(tzinfo=None) for it in new], dtype="datetime64[us]"),
    }
    return notes_on_times(sent, columns, "started_at", data=PostedData.CAPTURES, poster=poster_of(request))


def _told(new: list[NewCapture], stored: list[Stored], notes: list[str]) -> dict:
    posted = Posted([it.row_class for it in stored], notes)
    captures = [
        {
            "id": it.capture.pk,
            "machine_name": came.machine,
            "sensor_no": came.sensor,
            "axis": came.axis,
            "started_at": came.started_at,
            "result": RESULTS[it.row_class],
        }
        for came, it in zip(new, stored, strict=True)
    ]
    counts = {name: getattr(posted, name) for name in shapes.CountedRows.names()}
    return shapes.PostedCaptures.of(counts | {"captures": captures, "notes": notes})


@schema.CAPTURE
class CaptureOne(APIView):
    queryset = Capture.objects.all()

    def get(self, request, pk):
        read_query(Serializer, request.query_params)
        capture = get_object_or_404(Capture.objects.without_samples().with_place(), pk=pk)
        more = {
            "length": capture.length,
            "received_at": capture.received_at,
            "source": capture.source,
            "sha256": capture.sha256,
        }
        return Response(shapes.CaptureDetail.of(as_row(capture, known_features(capture)) | more))


class NpyRenderer(BaseRenderer):
    """Accepts `?format=npy`; the data are an array, what is not is an error."""

    media_type = "application/x-npy"
    format = "npy"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if not isinstance(data, np.ndarray):
            return JSONRenderer().render(data)
        file = io.BytesIO()
        np.lib.format.write_array(file, data, version=(1, 0), allow_pickle=False)
        return file.getvalue()


@schema.SAMPLES
class CaptureSamples(APIView):
    queryset = Capture.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer, NpyRenderer]

    def get(self, request, pk):
        read_query(Serializer, request.query_params)
        capture = with_samples(pk)
        kind = request.accepted_renderer.format
        version = quote_etag(f"{capture.sha256[:32]}-{kind}")
        if unchanged := get_conditional_response(request, etag=version):
            return unchanged
        values = given_samples(capture)
        if kind == "csv":
            times = np.arange(capture.count) / capture.sampling_hz
            response: HttpResponseBase = export_samples(request, capture, times.tolist(), values.tolist())
        else:
            response = Response(values if kind == "npy" else values.tolist())
        response.headers["ETag"] = version
        return response


def with_samples(pk: str) -> Capture:
    return get_object_or_404(Capture.objects.with_place(), pk=pk)


def given_samples(capture: Capture) -> np.ndarray:
    try:
        return samples_of(capture)
    except SamplesRemoved as error:
        raise Gone(str(error)) from None


def known_features(capture: Capture) -> CaptureFeatures | None:
    return features_of_captures([capture]).get(key_of(capture))
