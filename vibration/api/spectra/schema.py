"""What the OpenAPI schema says about waveforms, spectra and cursors, with examples that a test carries out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema

from vibration.api.capture_schema import GONE, OF_CAPTURE, POSTED, TAG, answer
from vibration.api.capture_serializers import CaptureWaveform, CaptureWaveformQuery
from vibration.api.schema import DATA
from vibration.api.spectra import serializers as shapes

CSV = OpenApiResponse(OpenApiTypes.STR)
SPEED: dict[str, Any] = {"hz": 25.0, "source": "measured", "is_steady": None, "changes": None}
NO_CURSORS: dict[str, Any] = {
    "kind": "harmonics",
    "spectrum_reason": "too_few_samples",
    "base_hz": None,
    "spacing_hz": None,
    "resolution": None,
    "lines": [],
}
LINES: dict[str, Any] = {
    "kind": "harmonics",
    "spectrum_reason": None,
    "base_hz": 25.02,
    "spacing_hz": 25.02,
    "resolution": 1.0,
    "lines": [
        {"multiple": 1, "hz": 25.02, "amplitude": 2.0, "stands_out": True},
        {"multiple": 2, "hz": 50.04, "amplitude": 0.01, "stands_out": False},
    ],
}
ABOUT_CURSORS = (
    "`kind=harmonics`: the multiples of `hz`; `kind=sidebands`: `count` lines on each side of it, `spacing` apart. Both "
    "may be read from a chart of `points` values from `low` to `high`, so they are first made exact by the lines that "
    "stand out, step by step: each cursor stands on its true multiple to half a bin. Where nothing stands out they stay "
    "as given, and `stands_out` is false."
)
WAVEFORM = extend_schema(
    tags=[TAG],
    summary="측정 신호의 파형 / waveform of a capture",
    description="구간을 점 수만큼의 칸으로 묶되 칸마다 최솟값과 최댓값을 유지합니다. / A window as at most `points` "
    "buckets with the least and greatest value of each: no peak is lost. Few samples come one by one. `format=csv` "
    "sends the same as CSV, and each sample where `points` is left out.",
    parameters=[CaptureWaveformQuery],
    responses={(200, "application/json"): CaptureWaveform, (200, "text/csv"): CSV, **GONE},
    examples=[
        answer(
            "네 샘플 / four samples",
            OF_CAPTURE
            | {
                "start": 0.0,
                "end": 0.0030000000000000005,
                "bucket_width": 0.0,
                "buckets": 4,
                "samples": 4,
                "time": [0.0, 0.001, 0.002, 0.003],
                "values": {"min": POSTED["values"], "max": POSTED["values"]},
            },
        )
    ],
)
SPECTRUM = extend_schema(
    tags=[TAG],
    summary="측정 신호의 스펙트럼 / spectrum of a capture",
    description="진폭 스펙트럼과 높은 피크. `envelope=true`는 포락선의 스펙트럼. / The single-sided amplitude "
    "spectrum of a window: the mean of the powers of sections of 1 / `resolution` seconds that overlap by half (Welch), "
    "each with its mean removed, a periodic Hann or flat top window, coherent gain corrected. With `envelope=true` that "
    "of the envelope of the high band: how often a machine is struck. With `quantity=velocity` that of the velocity in "
    "mm/s, from 2 Hz on. The spectrum has at most `points` values from `low` to `high`, each the greatest of its group "
    "of bins: no line is lost. `speed` says whether the shaft's speed changes within the window, which smears lines. "
    "`format=csv` sends it as CSV, and each bin where `points` is left out. Once samples are removed, "
    "`spectrum_reason` is `samples_removed`, and the answer of `format=csv` a 410.",
    parameters=[shapes.CaptureSpectrumQuery],
    responses={(200, "application/json"): shapes.CaptureSpectrumAnswer, (200, "text/csv"): CSV, **GONE},
    examples=[
        answer(
            "네 샘플 / four samples",
            OF_CAPTURE
            | {
                "envelope": False,
                "shaft_hz": 25.0,
                "shaft_source": "measured",
                "speed": SPEED,
                "spectrum_reason": "too_few_samples",
                "spectrum": None,
            },
        ),
        answer(
            "단일 주파수 / a tone",
            OF_CAPTURE
            | {
                "count": 2000,
                "envelope": False,
                "shaft_hz": 25.0,
                "shaft_source": "measured",
                "speed": SPEED,
                "spectrum_reason": None,
                "spectrum": {
                    "start": 0.0,
                    "end": 1.999,
                    "samples": 2000,
                    "sampling_frequency": 1000.0,
                    "resolution": 1.0,
                    "quantity": "measured",
                    "unit": "m/s2",
                    "left_out_below": 0.0,
                    "sections": 3,
                    "overlap": 0.5,
                    "section_samples": 1000,
                    "section_length": 1.0,
                    "is_short": False,
                    "window": "Hann",
                    "bins": 501,
                    "frequency": [0.5, 2.5],
                    "amplitude": [0.001, 0.002],
                    "peaks": [{"frequency": 50.0, "amplitude": 2.0, "order": 2.0}],
                },
            },
        ),
    ],
)
CURSORS = extend_schema(
    tags=[TAG],
    summary="고조파·측대역 커서 / harmonic and sideband cursors",
    description="기준 주파수의 배수 또는 측대역에 놓이는 커서. / Cursors on the spectrum of a window of a capture, which "
    f"is asked for as that of `spectrum`. {ABOUT_CURSORS}",
    parameters=[shapes.CaptureCursorsQuery],
    responses=shapes.CaptureCursorsAnswer,
    examples=[
        answer(
            "네 샘플 / four samples",
            OF_CAPTURE | NO_CURSORS | {"quantity": "measured", "amplitude_unit": "m/s2"},
        ),
        answer("한 성분 / one line", OF_CAPTURE | LINES | {"quantity": "measured", "amplitude_unit": "m/s2"}),
    ],
)
_OF_RECORDING = {"machine_name": "g1", "sensor_no": "sensor1", "recording": "default", "state": "normal"}
RECORDING_CURSORS = extend_schema(
    tags=[DATA],
    summary="고조파·측대역 커서 / harmonic and sideband cursors",
    description="한 상태의 스펙트럼에서 기준 주파수의 배수 또는 측대역에 놓이는 커서. / Cursors on the spectrum of one "
    f"state of a recording. {ABOUT_CURSORS}",
    parameters=[shapes.RecordingCursorsQuery],
    responses=shapes.RecordingCursorsAnswer,
    examples=[
        answer("샘플 하나 / one sample", _OF_RECORDING | NO_CURSORS),
        answer("한 성분 / one line", _OF_RECORDING | LINES),
    ],
)
FAULT_FREQUENCIES = extend_schema(
    tags=[TAG],
    summary="베어링 결함 주파수 / fault frequencies of the bearings",
    description="측정 신호의 회전수에서 설비의 베어링마다 BPFO, BPFI, BSF, FTF. / At the speed of a capture, of each "
    "bearing of the machine that is nearest to its sensor or to none: how often a defect of the outer ring (BPFO), of "
    "the inner ring (BPFI), of a rolling element (BSF) and of the cage (FTF) is met, from the geometry that an "
    "administrator stored; the inner ring turns with the shaft, and nothing slips (real bearings do, by 1 to 2 %).",
    responses=shapes.FaultFrequencies,
    examples=[
        answer(
            "베어링 없음 / no bearing",
            OF_CAPTURE | {"shaft_hz": 25.0, "shaft_source": "measured", "bearings": []},
        ),
        answer(
            "6205",
            OF_CAPTURE
            | {
                "shaft_hz": 25.0,
                "shaft_source": "measured",
                "bearings": [
                    {
                        "name": "drive end, 6205",
                        "sensor_no": "sensor1",
                        "reason": None,
                        "orders": {"bpfo": 3.58, "bpfi": 5.42, "bsf": 2.36, "ftf": 0.398},
                        "bpfo": 89.5,
                        "bpfi": 135.5,
                        "bsf": 59.0,
                        "ftf": 9.95,
                    }
                ],
            },
        ),
    ],
)
