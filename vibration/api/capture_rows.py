"""Captures as the API and its CSV list them, with what became of them by then."""

from collections.abc import Iterator, Sequence
from itertools import chain

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.request import Request

from common.csv_export import stream_csv
from common.database.keysets import read_by_key
from vibration.api.capture_serializers import FLAGS, FeaturesOfCapture
from vibration.captures.reading import features_of_captures, key_of
from vibration.models import Capture, CaptureFeatures
from vibration.querysets import CaptureQuerySet

FEATURES = FeaturesOfCapture.names()
OF_CAPTURE = ["machine_name", "sensor_no", "axis", "started_at", "sampling_hz", "count", "unit", "rpm"]
COLUMNS = ["id", *OF_CAPTURE, "flags", "has_samples", *FEATURES]


def as_rows(captures: Sequence[Capture]) -> list[dict]:
    """Each as a CaptureRow; sensors and machines are at hand."""
    found = features_of_captures(captures)
    return [as_row(it, found.get(key_of(it))) for it in captures]


def as_row(capture: Capture, features: CaptureFeatures | None) -> dict:
    return {
        "id": capture.pk,
        "machine_name": capture.sensor.machine.name,
        "sensor_no": capture.sensor.sensor_no,
        "axis": capture.axis,
        "started_at": timezone.localtime(capture.started_at).isoformat(),
        "sampling_hz": capture.sampling_hz,
        "count": capture.count,
        "unit": capture.unit,
        "rpm": capture.rpm,
        "flags": flags_of(capture),
        "has_samples": capture.has_samples,
        "features": features and features_as_told(features),
    }


def flags_of(capture: Capture) -> list[str]:
    return [name for field, name in FLAGS.items() if getattr(capture, field)]


def features_as_told(features: CaptureFeatures) -> dict:
    """As FeaturesOfCapture; what is not assessable, or has no reason, is None."""
    return {name: None if (value := getattr(features, name)) == "" else value for name in FEATURES}


def export_captures(request: Request, captures: CaptureQuerySet) -> StreamingHttpResponse:
    """A line of each of these, in their order, without samples."""
    rows = map(_as_cells, chain.from_iterable(map(_with_features, read_by_key(captures))))
    return stream_csv(request, "captures", COLUMNS, rows, of=Capture)


def export_samples(request: Request, capture: Capture, times: Sequence, values: Sequence) -> StreamingHttpResponse:
    """A line of each sample: seconds from the start of the capture, and the value in its unit."""
    instant = timezone.localtime(capture.started_at).strftime("%Y%m%dT%H%M%S")
    name = "-".join(["capture", capture.sensor.machine.name, capture.sensor.sensor_no, capture.axis, instant])
    return stream_csv(request, name, ["time", "value"], zip(times, values, strict=True), of=Capture)


def _with_features(captures: list[Capture]) -> Iterator[tuple[Capture, CaptureFeatures | None]]:
    found = features_of_captures(captures)
    return ((it, found.get(key_of(it))) for it in captures)


def _as_cells(pair: tuple[Capture, CaptureFeatures | None]) -> list:
    capture, features = pair
    told = features_as_told(features) if features else {}
    return [
        capture.pk,
        capture.sensor.machine.name,
        capture.sensor.sensor_no,
        capture.axis,
        capture.started_at,
        capture.sampling_hz,
        capture.count,
        capture.unit,
        capture.rpm,
        " ".join(flags_of(capture)),
        "yes" if capture.has_samples else "no",
        *(told.get(name) for name in FEATURES),
    ]
