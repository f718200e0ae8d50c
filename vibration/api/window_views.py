"""The API of windows of recordings; its paths stand in `himmes/api/urls.py`, what it says of itself in `schema.py`."""

import math
from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.csv_export import CsvRenderer, stream_csv
from common.rest.query import read_query
from vibration.api import schema
from vibration.api.window_serializers import (
    FEATURE_NAMES,
    FeaturesAnswer,
    FeaturesQuery,
    SpectrumAnswer,
    SpectrumQuery,
    WaveformAnswer,
    WaveformQuery,
)
from vibration.models import Recording, VibrationData
from vibration.numbers.spectrum import Spectrum, peaks_of, reduced
from vibration.numbers.states import STATES
from vibration.windows.analysis import Analysis, analyse
from vibration.windows.signal_features import FeatureWindows, read_features, summaries
from vibration.windows.waveform import read_waveform


@schema.WAVEFORM
class WaveformView(APIView):
    """A window of one recording as at most `points` buckets with the least and greatest value of each state."""

    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(WaveformQuery, request.query_params)
        recording = _recording_of(asked)
        waveform = read_waveform(recording, asked["start"], asked.get("end", math.inf), asked["points"])
        return Response(
            WaveformAnswer.of(
                {
                    "recording": recording,
                    "waveform": waveform,
                    "columns": {state: waveform.of(state) for state in _states_of(asked)},
                }
            )
        )


@schema.SPECTRUM
class SpectrumView(APIView):
    """A window of one recording in numbers: features and amplitude spectrum of each state."""

    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(SpectrumQuery, request.query_params)
        recording = _recording_of(asked)
        found = analyse(recording, asked["start"], asked.get("end", math.inf))
        return Response(SpectrumAnswer.of(_values(recording, found, _states_of(asked), asked["points"])))


@schema.FEATURES
class FeaturesView(APIView):
    """The features of captures, of windows of one recording: by state over time, with their medians."""

    queryset = VibrationData.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request):
        asked = read_query(FeaturesQuery, request.query_params)
        recording, states = _recording_of(asked), _states_of(asked)
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


def _recording_of(asked: dict) -> Recording:
    return get_object_or_404(
        Recording.objects.select_related("sensor__machine"),
        name=asked["recording"],
        sensor__sensor_no=asked["sensor_no"],
        sensor__machine__name=asked["machine_name"],
    )


def _states_of(asked: dict) -> list[str]:
    return [state for state in STATES if state in asked["states"]]


def _values(recording: Recording, analysis: Analysis, states: list[str], points: int) -> dict:
    """What SpectrumAnswer is made of, with at most `points` amplitudes of each state."""
    rpm = recording.sensor.machine.rated_rpm or None  # 0 is no speed to be a multiple of
    return {
        "recording": recording,
        "rated_rpm": rpm,
        "analysis": analysis,
        "features": {state: analysis.features[STATES.index(state)] for state in states},
        "spectrum": _values_of_spectrum(analysis.spectrum, states, points, rpm) if analysis.spectrum else None,
    }


def _values_of_spectrum(spectrum: Spectrum, states: list[str], points: int, rpm: int | None) -> dict:
    frequency, amplitude = reduced(spectrum, points)
    columns = {state: STATES.index(state) for state in states}
    return {
        "spectrum": spectrum,
        "frequency": frequency,
        "amplitude": {state: amplitude[:, column] for state, column in columns.items()},
        "peaks": {
            state: [
                vars(peak) | {"order": peak.frequency / (rpm / 60) if rpm else None}
                for peak in peaks_of(spectrum, column)
            ]
            for state, column in columns.items()
        },
    }
