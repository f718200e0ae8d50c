"""The API of waveforms, spectra and cursors; paths in `himmes/api/urls.py`, what it says of itself in `schema.py`."""

import math
from dataclasses import asdict

import numpy as np
from django.shortcuts import get_object_or_404
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from common.csv_export import CsvRenderer
from common.rest.query import read_query
from machines.bearings import NoBearing, fault_orders
from machines.models import Bearing
from vibration.api.capture_serializers import CaptureWaveform, CaptureWaveformQuery
from vibration.api.capture_views import Gone, known_features, with_samples
from vibration.api.spectra import schema
from vibration.api.spectra import serializers as shapes
from vibration.api.spectra.rows import export_spectrum, export_waveform
from vibration.api.window_views import recording_of
from vibration.captures.reading import SamplesRemoved
from vibration.captures.window import CaptureSpectrum, spectrum_in, waveform_of
from vibration.models import Capture, VibrationData
from vibration.numbers.peaks import Gain
from vibration.numbers.spectrum import Spectrum, reduced
from vibration.numbers.states import STATES
from vibration.numbers.windows import WINDOWS
from vibration.signals.orders import SpeedOver
from vibration.spectra.cursors import harmonics, sidebands
from vibration.spectra.shown import Look
from vibration.windows.analysis import PRUNED, analyse
from vibration.windows.waveform import DEFAULT_POINTS

NO_BINS = np.empty(0), np.empty((0, 1))


@schema.WAVEFORM
class CaptureWaveformView(APIView):
    """A window of a capture as at most `points` buckets with the least and greatest value."""

    queryset = Capture.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request, pk):
        asked = read_query(CaptureWaveformQuery, request.query_params)
        capture = with_samples(pk)
        is_csv = request.accepted_renderer.format == "csv"
        points = asked.get("points", capture.count if is_csv else DEFAULT_POINTS)
        try:
            waveform = waveform_of(capture, asked["start"], asked.get("end", math.inf), points)
        except SamplesRemoved as error:
            raise Gone(str(error)) from None
        if is_csv:
            return export_waveform(request, capture, waveform)
        return Response(CaptureWaveform.of({"capture": capture, "waveform": waveform}))


@schema.SPECTRUM
class CaptureSpectrumView(APIView):
    """The amplitude spectrum of a window of a capture, or that of its envelope."""

    queryset = Capture.objects.all()
    renderer_classes = [JSONRenderer, CsvRenderer]

    def get(self, request, pk):
        asked = read_query(shapes.CaptureSpectrumQuery, request.query_params)
        capture = with_samples(pk)
        features = known_features(capture)
        shaft_hz = features.shaft_hz if features else None
        source = (features.shaft_source if features else None) or None
        found = _spectrum_of(capture, asked, shaft_hz)
        if request.accepted_renderer.format == "csv":
            return _spectrum_as_csv(request, capture, found, asked, shaft_hz)
        return Response(
            shapes.CaptureSpectrumAnswer.of(
                {
                    "capture": capture,
                    "envelope": asked["envelope"],
                    "shaft_hz": shaft_hz,
                    "shaft_source": source,
                    "speed": {"hz": shaft_hz, "source": source} | _steadiness(found.speed),
                    "spectrum_reason": found.reason,
                    "spectrum": _spectrum_values(found, asked, shaft_hz),
                }
            )
        )


@schema.CURSORS
class CaptureCursorsView(APIView):
    """Cursors on the multiples of a line of the spectrum of a capture, or on its sidebands."""

    queryset = Capture.objects.all()

    def get(self, request, pk):
        asked = read_query(shapes.CaptureCursorsQuery, request.query_params)
        capture = with_samples(pk)
        found = _spectrum_of(capture, asked)
        told = {"capture": capture, "quantity": asked["quantity"], "amplitude_unit": capture.unit}
        told |= _cursors(None, asked, found.reason)
        if found.shown:
            told |= _cursors(found.shown.measured, asked, None, gain=found.shown.gain)
            told |= {"amplitude_unit": found.shown.unit}
        return Response(shapes.CaptureCursorsAnswer.of(told))


@schema.RECORDING_CURSORS
class RecordingCursorsView(APIView):
    """Cursors on the multiples of a line of the spectrum of one state of a recording, or on its sidebands."""

    queryset = VibrationData.objects.all()

    def get(self, request):
        asked = read_query(shapes.RecordingCursorsQuery, request.query_params)
        recording = recording_of(asked)
        found = analyse(recording, asked["start"], asked.get("end", math.inf))
        told = {"recording": recording, "state": asked["state"]}
        column = STATES.index(asked["state"])
        return Response(
            shapes.RecordingCursorsAnswer.of(told | _cursors(found.spectrum, asked, found.reason, column=column))
        )


@schema.FAULT_FREQUENCIES
class FaultFrequenciesView(APIView):
    """At which frequencies the defects of the bearings near a sensor are struck, at the speed of a capture."""

    queryset = Capture.objects.all()

    def get(self, request, pk):
        read_query(Serializer, request.query_params)
        capture = get_object_or_404(Capture.objects.without_samples().with_place(), pk=pk)
        features = known_features(capture)
        shaft_hz = features.shaft_hz if features else None
        bearings = Bearing.objects.filter(machine=capture.sensor.machine).select_related("sensor").order_by("name")
        near = [it for it in bearings if it.sensor_id in (None, capture.sensor_id)]
        return Response(
            shapes.FaultFrequencies.of(
                {
                    "capture": capture,
                    "shaft_hz": shaft_hz,
                    "shaft_source": (features.shaft_source if features else None) or None,
                    "bearings": [_faults(it, shaft_hz) for it in near],
                }
            )
        )


def _spectrum_of(capture: Capture, asked: dict, shaft_hz: float | None = None) -> CaptureSpectrum:
    look = Look(
        asked.get("resolution"),
        WINDOWS[asked["window"]],
        asked["envelope"],
        asked["quantity"],
        asked["low"],
        asked.get("high", math.inf),
    )
    return spectrum_in(capture, asked["start"], asked.get("end", math.inf), look, shaft_hz=shaft_hz)


def _steadiness(speed: SpeedOver | None) -> dict:
    """What shapes.Speed says of how the speed changes."""
    return {
        "is_steady": speed.is_steady if speed else None,
        "changes": speed if speed and not speed.is_steady else None,
    }


def _spectrum_values(found: CaptureSpectrum, asked: dict, shaft_hz: float | None) -> dict | None:
    """What shapes.CaptureSpectrum is made of, with at most `points` amplitudes."""
    shown = found.shown
    if shown is None:
        return None
    frequency, amplitude = reduced(shown.spectrum, asked.get("points", DEFAULT_POINTS), shown.low_hz, shown.high_hz)
    return {
        "shown": shown,
        "spectrum": shown.spectrum,
        "quantity": asked["quantity"],
        "bins": shown.spectrum.count_within(shown.low_hz, shown.high_hz),
        "frequency": frequency,
        "amplitude": amplitude[:, 0],
        "peaks": [vars(it) | {"order": it.frequency / shaft_hz if shaft_hz else None} for it in shown.peaks],
    }


def _spectrum_as_csv(request, capture: Capture, found: CaptureSpectrum, asked: dict, shaft_hz: float | None):
    """Raises Gone where the samples were removed: a table without lines would look like a spectrum."""
    if found.reason == PRUNED:
        raise Gone(f"The samples of {capture} were removed; its features are kept.")
    bins, lines = 0, NO_BINS
    if shown := found.shown:
        bins = shown.spectrum.count_within(shown.low_hz, shown.high_hz)
        lines = reduced(shown.spectrum, asked.get("points", max(bins, 1)), shown.low_hz, shown.high_hz)
    return export_spectrum(request, capture, found, asked | {"bins": bins, "shaft_hz": shaft_hz}, lines)


def _cursors(
    spectrum: Spectrum | None, asked: dict, reason: str | None, *, column: int = 0, gain: Gain | None = None
) -> dict:
    """What shapes.CursorsShape is made of.

    `hz` is read from a chart of at most `points` groups of bins, so it may be off by half of one.
    """
    told = {"kind": asked["kind"], "spectrum_reason": reason}
    if spectrum is None:
        return told | {"base_hz": None, "spacing_hz": None, "resolution": None, "lines": []}
    bins = spectrum.count_within(asked["low"], asked.get("high", math.inf))
    within = math.ceil(bins / asked.get("points", DEFAULT_POINTS)) * spectrum.resolution / 2
    how = {"within_hz": within, "column": column, "gain": gain}
    if asked["kind"] == shapes.HARMONICS:
        found = harmonics(spectrum, asked["hz"], asked["count"], **how)
    else:
        found = sidebands(spectrum, asked["hz"], asked["spacing"], asked["count"], **how)
    return told | vars(found) | {"resolution": spectrum.resolution}


def _faults(bearing: Bearing, shaft_hz: float | None) -> dict:
    """What shapes.BearingFaults is made of."""
    told = {"name": bearing.name, "sensor_no": bearing.sensor.sensor_no if bearing.sensor else None}
    none = dict.fromkeys(shapes.FaultNumbers.names())
    if not bearing.has_geometry:
        return told | none | {"reason": shapes.GEOMETRY_MISSING, "orders": None}
    try:
        orders = asdict(
            fault_orders(
                bearing.rolling_elements,
                bearing.ball_diameter_mm,
                bearing.pitch_diameter_mm,
                bearing.contact_angle_deg,
            )
        )
    except NoBearing:
        return told | none | {"reason": shapes.GEOMETRY_WRONG, "orders": None}
    if shaft_hz is None:
        return told | none | {"reason": shapes.SPEED_UNKNOWN, "orders": orders}
    return told | {name: order * shaft_hz for name, order in orders.items()} | {"reason": None, "orders": orders}
