"""Waveform and spectrum as CSV: what they are, line by line, above a header and the numbers."""

from collections.abc import Sequence

import numpy as np
from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.request import Request

from common.csv_export import stream_csv
from vibration.captures.window import CaptureSpectrum
from vibration.models import Capture, Recording, VibrationData
from vibration.numbers.spectrum import Spectrum
from vibration.windows.analysis import Analysis
from vibration.windows.waveform import Waveform

NOT_REDUCED = "none"


def export_waveform(request: Request, capture: Capture, waveform: Waveform) -> StreamingHttpResponse:
    """A line of each sample, or of each bucket with its least and greatest value."""
    length = int(waveform.count.max()) if len(waveform.count) else 1
    about = _of_capture(capture) | {
        "quantity": "waveform",
        "unit": capture.unit or "not known",
        "sampling_hz": capture.sampling_hz,
        "start_s": waveform.start,
        "end_s": waveform.end,
        "reduction": f"least and greatest of each {length} samples" if waveform.width else NOT_REDUCED,
    }
    rows = zip(waveform.time.tolist(), waveform.minimum.tolist(), waveform.maximum.tolist(), strict=True)
    return stream_csv(request, _name("waveform", capture), ["time", "min", "max"], rows, of=Capture, about=about)


def export_spectrum(
    request: Request, capture: Capture, found: CaptureSpectrum, said: dict, reduced: tuple[np.ndarray, np.ndarray]
) -> StreamingHttpResponse:
    """A line of each bin, or of each group of bins; `said` is what was asked for, and how the shaft turns."""
    about = _of_capture(capture) | {"quantity": said["quantity"], "envelope": "yes" if said["envelope"] else "no"}
    if found.shown:
        shown = found.shown
        about |= {"unit": shown.unit.value or "not known"}
        about |= _of_spectrum(shown.spectrum, len(reduced[0]), said["bins"])
        about |= {"left_out_below_hz": shown.left_out_below_hz} if shown.left_out_below_hz else {}
    else:
        about |= {"no spectrum": found.reason}
    about |= {"shaft_hz": said["shaft_hz"] or "not known"}
    rows = zip(reduced[0].tolist(), reduced[1][:, 0].tolist(), strict=True)
    name = _name("spectrum", capture)
    return stream_csv(request, name, ["frequency", "amplitude"], rows, of=Capture, about=about)


def export_recording_spectrum(
    request: Request,
    recording: Recording,
    found: Analysis,
    states: Sequence[str],
    reduced: tuple[np.ndarray, np.ndarray],
    bins: int,
) -> StreamingHttpResponse:
    """A line of each bin, or of each group of bins, with a column of each state: amplitudes (bins, states)."""
    sensor = recording.sensor
    place = [sensor.machine.name, sensor.sensor_no, recording.name]
    about: dict[str, object] = dict(zip(["machine_name", "sensor_no", "recording"], place, strict=True))
    about |= {"quantity": "spectrum", "unit": sensor.unit or "not known"}
    if found.spectrum:
        about |= _of_spectrum(found.spectrum, len(reduced[0]), bins)
        about |= {"parts_read": found.parts}
    else:
        about |= {"no spectrum": found.reason}
    rows = ((hz, *amplitudes) for hz, amplitudes in zip(reduced[0].tolist(), reduced[1].tolist(), strict=True))
    name = "-".join(["spectrum", *place])
    return stream_csv(request, name, ["frequency", *states], rows, of=VibrationData, about=about)


def _of_capture(capture: Capture) -> dict[str, object]:
    return {
        "machine_name": capture.sensor.machine.name,
        "sensor_no": capture.sensor.sensor_no,
        "axis": capture.axis,
        "started_at": timezone.localtime(capture.started_at).isoformat(),
    }


def _of_spectrum(spectrum: Spectrum, rows: int, bins: int) -> dict[str, object]:
    of_each = f"{spectrum.section_samples} samples ({spectrum.section_length:g} s)"
    return {
        "start_s": spectrum.start,
        "end_s": spectrum.end,
        "sampling_hz": spectrum.sampling_frequency,
        "window": spectrum.window.name,
        "resolution_hz": spectrum.resolution,
        "averaging": f"{spectrum.sections} sections of {of_each}; overlap {spectrum.overlap:.0%}",
        "amplitude": "of a sine (not RMS)",
        "reduction": f"greatest of each {-(-bins // rows)} bins" if rows < bins else NOT_REDUCED,
    }


def _name(what: str, capture: Capture) -> str:
    instant = timezone.localtime(capture.started_at).strftime("%Y%m%dT%H%M%S")
    return "-".join([what, capture.sensor.machine.name, capture.sensor.sensor_no, capture.axis, instant])
