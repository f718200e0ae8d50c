"""What the OpenAPI schema says about vibration data: descriptions, and examples that a test carries out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from common.rest.lists import LIST_PARAMETERS, TOTAL
from vibration.api import feature_serializers, serializers, upload_serializers, window_serializers
from vibration.numbers.classifying import Posted, RowClass
from vibration.numbers.states import STATES

DATA = "진동 데이터 / vibration data"
RECORDING_TAG = "측정 기록 / recordings"

ROW: dict[str, Any] = {
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "collected_at": "2026-11-20T09:30:00",
    "measured_time": 0.000736,
    "normal": -0.740463,
    "unbalance": -2.448986,
    "looseness": -0.234687,
    "unbalance_looseness": 4.145351,
}
SAMPLE = {
    "id": "1:0.000736",
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "recording": "default",
    "collected_at": "2026-11-20T09:30:00+09:00",
} | {name: ROW[name] for name in ("measured_time", "normal", "unbalance", "looseness", "unbalance_looseness")}
CSV = (
    "machine_name,sensor_no,recording,collected_at,measured_time,normal,unbalance,looseness,unbalance_looseness\r\n"
    "g1,sensor1,default,2026-11-20T09:30:00.000000+09:00,0.000736,-0.740463,-2.448986,-0.234687,4.145351\r\n"
)


def _answer(name: str, value) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=["200", "201"])


SAMPLES = extend_schema_view(
    get=extend_schema(
        tags=[DATA],
        summary="진동 데이터 목록 / list samples",
        operation_id="get_vibration_data",
        description="설비, 센서, 측정 기록, 시간으로 걸러서 시간순으로. `format=csv`는 전체를 CSV로. / By recording and time, "
        "filtered. `format=csv` sends every row that matches the filters as CSV, without pages or limit.",
        parameters=[*LIST_PARAMETERS, TOTAL],
        responses={
            (200, "application/json"): serializers.Sample(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        },
        examples=[
            OpenApiExample("한 행 / one row", SAMPLE, response_only=True, media_type="application/json"),
            OpenApiExample("CSV", CSV, response_only=True, media_type="text/csv"),
        ],
    ),
    post=extend_schema(
        tags=[DATA],
        summary="한 행 저장 / store one sample",
        description="수집기. 201 새로 저장, 200 이미 같은 값, 409 다른 값이 있음. / For collectors. 201: stored; 200: it was "
        "stored before with the same values; 409: other values are stored at its time, which stay, or raw samples of its "
        "time were removed by retention. `notes` is there when there is something to say, such as a time ahead of the "
        "server's clock.",
        request=serializers.SampleRow,
        responses={200: serializers.StoredSample, 201: serializers.StoredSample},
        examples=[OpenApiExample("한 행 / a row", ROW, request_only=True), _answer("저장됨 / stored", SAMPLE)],
    ),
)
SAMPLE_BULK = extend_schema(
    tags=[DATA],
    summary="여러 행 저장 / store many samples",
    description="모두 저장하거나 하나도 저장하지 않습니다. 다시 보내도 중복되지 않습니다. / For collectors. A list of rows, in "
    "one transaction: when a row is invalid nothing is stored, and the 400 names row and field. Posted again, rows change "
    "nothing and count as identical. A row whose time is stored with other values is left out and its number listed in "
    "`conflicts`; so is one whose time is where raw samples were removed by retention: `pruned` and `notes` say so. The "
    "machine's page shows that conflicting rows came. `notes` also says what is odd about the times. May be "
    "gzip-compressed (Content-Encoding: gzip). Unknown machines and sensors are registered, unless a setting forbids it.",
    request=serializers.SampleRow(many=True),
    responses=serializers.PostedSamples,
    examples=[
        OpenApiExample("한 행의 목록 / a list of one row", ROW, request_only=True),
        _answer("모두 저장됨 / all stored", serializers.PostedSamples.of(Posted([RowClass.NEW]))),
    ],
)
GROUPED_RANGE = extend_schema(
    tags=[DATA],
    summary="센서별 처음 N행 / first N samples of each sensor",
    description="설비, 센서, 시간순의 한 목록. / One flat list by machine, sensor and time.",
    parameters=[serializers.GroupedRangeQuery],
    responses=serializers.Sample(many=True),
    examples=[_answer("한 행 / one row", SAMPLE)],
)
WAVEFORM = extend_schema(
    tags=[DATA],
    summary="파형 / waveform",
    description="구간을 점 수만큼의 칸으로 묶되 칸마다 최솟값과 최댓값을 유지합니다. / A window of one recording as at most "
    "`points` buckets with the least and greatest value of each state: no peak is lost, however long the window.",
    parameters=[window_serializers.WaveformQuery],
    responses=window_serializers.WaveformAnswer,
    examples=[
        _answer(
            "샘플 하나 / one sample",
            {
                "machine_name": "g1",
                "sensor_no": "sensor1",
                "recording": "default",
                "recording_start": 0.000736,
                "recording_end": 0.000736,
                "pruned_before": 0.0,
                "start": 0.000736,
                "end": 0.0007360000000000001,
                "bucket_width": 0.0,
                "buckets": 1,
                "samples": 1,
                "time": [0.000736],
                "states": {
                    state: {"min": [ROW[state]], "max": [ROW[state]]}
                    for state in ("normal", "unbalance", "looseness", "unbalance_looseness")
                },
            },
        )
    ],
)
SPECTRUM = extend_schema(
    tags=[DATA],
    summary="주파수 스펙트럼과 특징값 / spectrum and features",
    description="구간의 실효값(RMS), 피크, 파고율, 첨도와 진폭 스펙트럼. 스펙트럼은 0.5초 세그먼트들의 평균이며 분해능은 2 Hz입니다. / RMS, peak, "
    "crest factor and kurtosis of a window of one recording, and its single-sided amplitude spectrum: the mean of the "
    "powers of sections of 0.5 s that overlap by half (Welch), each with its mean removed, a periodic Hann window, "
    "coherent gain corrected. At rates below 512 Hz or above 65,536 Hz a section has 256 or 32,768 samples; of a shorter "
    "window the longest stretch without a gap is the only one. Where the window has more than about 32,768 samples, "
    "parts spread evenly over it are read for kurtosis and spectrum, `parts` in all; RMS, peak and crest factor stay "
    "those of all samples. The spectrum has at most `points` values a state from `low` to `high`, each the greatest of its "
    "group of bins. `format=csv` sends it as CSV, and each bin where `points` is left out.",
    parameters=[window_serializers.SpectrumQuery],
    responses={
        (200, "application/json"): window_serializers.SpectrumAnswer,
        (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        (410, "application/problem+json"): OpenApiResponse(
            {"$ref": "#/components/schemas/Problem"}, "삭제됨 / as CSV: its raw samples were removed by retention"
        ),
    },
    examples=[
        _answer(
            "샘플 하나 / one sample",
            {
                "machine_name": "g1",
                "sensor_no": "sensor1",
                "recording": "default",
                "rated_rpm": None,
                "pruned_before": 0.0,
                "start": 0.000736,
                "end": 0.000736,
                "samples": 1,
                "samples_read": 1,
                "truncated": False,
                "parts": 1,
                "features": {
                    state: {"rms": abs(ROW[state]), "peak": abs(ROW[state]), "crest_factor": 1.0, "kurtosis": None}
                    for state in ("normal", "unbalance", "looseness", "unbalance_looseness")
                },
                "spectrum_reason": "too_few_samples",
                "spectrum": None,
            },
        ),
        OpenApiExample(
            "단일 주파수, 한 상태 / a tone, one state",
            {
                "machine_name": "g1",
                "sensor_no": "sensor1",
                "recording": "default",
                "rated_rpm": 1650,
                "pruned_before": 0.0,
                "start": 0.0,
                "end": 1.999,
                "samples": 2000,
                "samples_read": 2000,
                "truncated": False,
                "parts": 1,
                "features": {"normal": {"rms": 1.4142, "peak": 2.0, "crest_factor": 1.4142, "kurtosis": 1.5}},
                "spectrum_reason": None,
                "spectrum": {
                    "start": 0.0,
                    "end": 1.999,
                    "samples": 2000,
                    "sampling_frequency": 1000.0,
                    "resolution": 2.0,
                    "sections": 7,
                    "overlap": 0.5,
                    "section_samples": 500,
                    "section_length": 0.5,
                    "is_short": False,
                    "window": "Hann",
                    "bins": 251,
                    "frequency": [25.0, 77.0, 129.0, 181.0, 233.0, 285.0, 337.0, 389.0, 441.0, 484.0],
                    "amplitude": {"normal": [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]},
                    "peaks": {"normal": [{"frequency": 27.5, "amplitude": 2.0, "order": 1.0}]},
                },
            },
            response_only=True,
            status_codes=["200"],
        ),
    ],
)
_FEATURES = feature_serializers.FEATURE_NAMES
_NO_VALUE = {"windows": 0, "median": None, "ratio": None, "reason": None}
FEATURES = extend_schema(
    tags=[DATA],
    summary="구간별 특징값 / features over windows",
    description="측정 신호와 같은 특징값을 상태별로, 고르게 둔 구간마다 계산합니다. 구간은 4초이며 한 번에 읽는 샘플은 524,288개 이하입니다. `format=csv`는 "
    "구간과 상태마다 한 행입니다. / The features of captures, of one recording: of windows of 4 s, or less where more are "
    "asked for, spread evenly over the part asked for. By state one value a window, with the median of each and its "
    "ratio to that of the state normal. All but the mean are of the values less their mean. Nothing says what unit the "
    "samples are in, so no velocity is assessed. At most 524,288 samples are read; where windows hold more, `cut` says "
    "so. `format=csv` sends a line of each window and state, below lines `# name: value`.",
    parameters=[feature_serializers.FeaturesQuery],
    responses={
        (200, "application/json"): feature_serializers.FeaturesAnswer,
        (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
    },
    examples=[
        OpenApiExample(
            "샘플 하나 / one sample",
            {
                "machine_name": "g1",
                "sensor_no": "sensor1",
                "recording": "default",
                "rated_rpm": None,
                "unit": "",
                "pruned_before": 0.0,
                "start": 0.000736,
                "end": 0.0007360000000000001,
                "windows": 1,
                "window_length": 1.0842021724855044e-19,
                "window_distance": 1.0842021724855044e-19,
                "empty": 0,
                "removed": 0,
                "uneven": 1,
                "cut": 0,
                "samples_read": 1,
                "window_start": [0.000736],
                "window_end": [0.000736],
                "samples": [1],
                "sampling_frequency": [None],
                "features": {state: {name: [None] for name in _FEATURES} for state in STATES},
                "summaries": {state: dict.fromkeys(_FEATURES, _NO_VALUE) for state in STATES},
            },
            response_only=True,
            media_type="application/json",
            status_codes=["200"],
        ),
    ],
)
CSV_UPLOAD = extend_schema(
    tags=[DATA],
    summary="CSV 파일 올리기 / upload a CSV file",
    description="`import_vibration`과 같은 방식으로 읽습니다. / For collectors. Read as `manage.py import_vibration` reads it: "
    "header or none, `,` `;` or tab, plain or `.gz`. Machine and sensor come from the name `<machine>_<sensor>.csv` "
    "unless given. `time` says what the time column holds, `on_restart` what becomes of a file whose time falls back. "
    "400 with the report when it ended early; what came before is stored then. 413 with the report "
    "when it holds too much or takes too long: import the rest with the command.",
    request={"multipart/form-data": upload_serializers.CsvUpload},
    responses=upload_serializers.ImportReport,
    examples=[
        _answer(
            "모두 저장됨 / all stored",
            {
                "import_run": 1,
                "file": "g1_sensor1.csv",
                "place": "g1 / sensor1 / default",
                "outcome": "complete",
                "message": "",
                "read": 6,
                "new": 6,
                "identical": 0,
                "conflicting": 0,
                "rejected": 0,
                "seconds": 0.021,
                "problems": [],
                "notes": [],
            },
        )
    ],
)
_RECORDING = {
    "id": 1,
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "recording": "default",
    "started_at": None,
    "source": "API",
    "sample_count": 1,
    "first_time": 0.000736,
    "last_time": 0.000736,
    "last_collected_at": "2026-11-20T09:30:00+09:00",
    "last_written_at": "2026-11-20T09:30:01.250000+09:00",
    "created_at": "2026-11-20T09:30:01.240000+09:00",
    "pruned_before": 0.0,
    "pruned_count": 0,
    "pruned_at": None,
}
RECORDINGS = extend_schema(
    tags=[RECORDING_TAG],
    parameters=[*LIST_PARAMETERS, TOTAL],
    summary="측정 기록 목록 / list the recordings",
    description="설비, 센서, 이름순. / By machine, sensor and name, with how much each holds.",
    examples=[OpenApiExample("측정 기록 / a recording", _RECORDING, response_only=True)],
)
RECORDING = extend_schema(
    tags=[RECORDING_TAG],
    summary="측정 기록 조회 / read a recording",
    description="한 측정 기록. / One recording.",
    examples=[OpenApiExample("측정 기록 / a recording", _RECORDING, response_only=True)],
)
