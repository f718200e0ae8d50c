"""The API of the features of a recording over windows; its path stands in `himmes/api/urls.py`."""

import math
from collections.abc import Iterator

from django.http import StreamingHttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.csv_export import CsvRenderer, stream_csv
from common.rest.query import read_query
from vibration.api import schema
from vibration.api.feature_serializers import FEATURE_NAMES, FeaturesAnswer, FeaturesQuery
from vibration.api.window_views import recording_of, states_of
from vibration.models import Recording, VibrationData
from vibration.windows.signal_features import FeatureWindows, read_features, summaries


@schema.FEATURES
class FeaturesView(APIView):
    """The features of captures, of windows of one recording: by state over time, with their medians."""

    queryset = VibrationData.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request):
        asked = read_query(FeaturesQuery, request.query_params)
        recording, states = recording_of(asked), states_of(asked)
        read = read_features(recording, asked["start"], asked.get("end", math.inf), asked.get("windows"))
        if request.accepted_renderer.format == "csv":
            return _export_features(request, recording, read, states)
        return Response(FeaturesAnswer.of(_values_of_features(recording, read, states)))


def _values_of_features(recording: Recording, read: FeatureWindows, states: list[str]) -> dict:
    """What FeaturesAnswer is made of."""
    summed = summaries(read, FEATURE_NAMES)
    return {
        "recording": recording,
        "rated_rpm": recording.sensor.machine.rated_rpm or None,
        "read": read,
        "window_start": [it.start for it in read.found],
        "window_end": [it.end for it in read.found],
        "samples": [it.samples for it in read.found],
        "sampling_frequency": [it.sampling_hz for it in read.found],
        "features": {state: {name: read.values(state, name) for name in FEATURE_NAMES} for state in states},
        "summaries": {
            state: {name: vars(it) | {"reason": it.reason or None} for name, it in summed[state].items()}
            for state in states
        },
    }


def _export_features(
    request: Request, recording: Recording, read: FeatureWindows, states: list[str]
) -> StreamingHttpResponse:
    """A line of each window and state, below what is told of all."""
    sensor = recording.sensor
    about = {
        "machine": sensor.machine.name,
        "sensor": sensor.sensor_no,
        "recording": recording.name,
        "unit": sensor.unit or "not known",
        "start": read.start,
        "end": read.end,
        "windows": read.asked,
        "window_length": read.length,
        "window_distance": read.part,
        "empty": read.empty,
        "removed": read.removed,
        "uneven": read.uneven,
        "cut": read.cut,
        "reduction": "none within a window; the samples between windows are not read",
    }
    name = "-".join(["features", sensor.machine.name, sensor.sensor_no, recording.name])
    header = ["start", "end", "samples", "sampling_hz", "state", *FEATURE_NAMES]
    return stream_csv(request, name, header, _feature_lines(read, states), of=VibrationData, about=about)


def _feature_lines(read: FeatureWindows, states: list[str]) -> Iterator[list]:
    for window in read.found:
        for state in states:
            values = [getattr(window.features[state], it) if window.features else None for it in FEATURE_NAMES]
            yield [window.start, window.end, window.samples, window.sampling_hz, state, *values]
