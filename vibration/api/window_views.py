"""The API of windows of recordings; its paths stand in `himmes/api/urls.py`, what it says of itself in `schema.py`."""

import math

from django.shortcuts import get_object_or_404
from rest_framework.response import Response
from rest_framework.views import APIView

from common.rest.query import read_query
from vibration.api import schema
from vibration.api.window_serializers import SpectrumAnswer, SpectrumQuery, WaveformAnswer, WaveformQuery
from vibration.models import Recording, VibrationData
from vibration.numbers.peaks import peaks_of
from vibration.numbers.spectrum import Spectrum, reduced
from vibration.numbers.states import STATES
from vibration.windows.analysis import Analysis, analyse
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
