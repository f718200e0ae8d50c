"""The API of windows of recordings; its paths stand in `himmes/api/urls.py`, what it says of itself in `schema.py`."""

import math

import numpy as np
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.csv_export import CsvRenderer
from common.rest.query import read_query
from vibration.api import schema
from vibration.api.capture_views import Gone
from vibration.api.spectra.rows import export_recording_spectrum
from vibration.api.window_serializers import SpectrumAnswer, SpectrumQuery, WaveformAnswer, WaveformQuery
from vibration.models import Recording, VibrationData
from vibration.numbers.peaks import peaks_of
from vibration.numbers.spectrum import Spectrum, reduced
from vibration.numbers.states import STATES
from vibration.windows.analysis import PRUNED, Analysis, analyse
from vibration.windows.waveform import DEFAULT_POINTS, read_waveform


@schema.WAVEFORM
class WaveformView(APIView):
    """A window of one recording as at most `points` buckets with the least and greatest value of each state."""

    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(WaveformQuery, request.query_params)
        recording = recording_of(asked)
        waveform = read_waveform(
            recording, asked["start"], asked.get("end", math.inf), asked.get("points", DEFAULT_POINTS)
        )
        return Response(
            WaveformAnswer.of(
                {
                    "recording": recording,
                    "waveform": waveform,
                    "columns": {state: waveform.of(state) for state in states_of(asked)},
                }
            )
        )


@schema.SPECTRUM
class SpectrumView(APIView):
    """A window of one recording in numbers: features and amplitude spectrum of each state."""

    queryset = VibrationData.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request):
        asked = read_query(SpectrumQuery, request.query_params)
        recording = recording_of(asked)
        found = analyse(recording, asked["start"], asked.get("end", math.inf))
        if request.accepted_renderer.format == "csv":
            return _as_csv(request, recording, found, asked)
        return Response(SpectrumAnswer.of(_values(recording, found, asked)))


def recording_of(asked: dict) -> Recording:
    return get_object_or_404(
        Recording.objects.select_related("sensor__machine"),
        name=asked["recording"],
        sensor__sensor_no=asked["sensor_no"],
        sensor__machine__name=asked["machine_name"],
    )


def states_of(asked: dict) -> list[str]:
    return [state for state in STATES if state in asked["states"]]


def _values(recording: Recording, analysis: Analysis, asked: dict) -> dict:
    """What SpectrumAnswer is made of, with at most `points` amplitudes of each state."""
    states = states_of(asked)
    rpm = recording.sensor.machine.rated_rpm or None  # 0 is no speed to be a multiple of
    return {
        "recording": recording,
        "rated_rpm": rpm,
        "analysis": analysis,
        "features": {state: analysis.features[STATES.index(state)] for state in states},
        "spectrum": _values_of_spectrum(analysis.spectrum, states, asked, rpm) if analysis.spectrum else None,
    }


def _values_of_spectrum(spectrum: Spectrum, states: list[str], asked: dict, rpm: int | None) -> dict:
    low, high = asked["low"], asked.get("high", math.inf)
    frequency, amplitude = reduced(spectrum, asked.get("points", DEFAULT_POINTS), low, high)
    columns = {state: STATES.index(state) for state in states}
    return {
        "spectrum": spectrum,
        "bins": spectrum.count_within(low, high),
        "frequency": frequency,
        "amplitude": {state: amplitude[:, column] for state, column in columns.items()},
        "peaks": {
            state: [
                vars(peak) | {"order": peak.frequency / (rpm / 60) if rpm else None}
                for peak in peaks_of(spectrum, column, low_hz=low, high_hz=high)
            ]
            for state, column in columns.items()
        },
    }


def _as_csv(request: Request, recording: Recording, found: Analysis, asked: dict) -> HttpResponseBase:
    """Raises Gone where the samples were removed: a table without lines would look like a spectrum."""
    if found.reason == PRUNED:
        raise Gone(f"Raw samples of {recording} before {recording.pruned_before:g} s were removed by retention.")
    states, bins = states_of(asked), 0
    frequency, amplitude = np.empty(0), np.empty((0, len(STATES)))
    if found.spectrum:
        low, high = asked["low"], asked.get("high", math.inf)
        bins = found.spectrum.count_within(low, high)
        frequency, amplitude = reduced(found.spectrum, asked.get("points", max(bins, 1)), low, high)
    columns = [STATES.index(state) for state in states]
    return export_recording_spectrum(request, recording, found, states, (frequency, amplitude[:, columns]), bins)
