"""What the OpenAPI schema says about captures: descriptions, and examples that a test carries out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from common.rest.bodies import BYTES
from common.rest.lists import LIST_PARAMETERS
from vibration.api import capture_serializers as shapes
from vibration.api.capture_posts import MAX_CAPTURES
from vibration.signals.features import BAND_NAMES, ORDER_NAMES

TAG = "측정 신호 / captures"
NPY = "application/x-npy"

POSTED: dict[str, Any] = {
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "axis": "x",
    "started_at": "2026-11-20T09:30:00",
    "sampling_hz": 1000.0,
    "unit": "m/s2",
    "rpm": 1500.0,
    "values": [1.0, 3.0, -1.0, -3.0],
}
SEVERAL = POSTED | {"dtype": "int16", "scale": 0.5, "values": {"x": [2, 6], "y": [1, 1], "z": [-4, 0]}}
del SEVERAL["axis"]
_PLACE = {"machine_name": "g1", "sensor_no": "sensor1", "axis": "x", "started_at": "2026-11-20T09:30:00+09:00"}
FEATURES: dict[str, Any] = {
    "version": 1,
    "mean": 0.0,
    "rms": 2.23606797749979,
    "peak": 3.0,
    "crest_factor": 1.3416407864998738,
    "kurtosis": 1.64,
    "velocity_rms": None,
    "velocity_reason": "short",
    "shaft_hz": 25.0,
    "shaft_source": "measured",
    **dict.fromkeys(ORDER_NAMES),
    "orders_reason": "short",
    **dict.fromkeys(BAND_NAMES),
    "envelope_peak": None,
    "envelope_hz": None,
    "envelope_reason": "short",
}
ROW = {
    "id": 1,
    **_PLACE,
    "sampling_hz": 1000.0,
    "count": 4,
    "unit": "m/s2",
    "rpm": 1500.0,
    "flags": [],
    "has_samples": True,
    "features": FEATURES,
}
OF_CAPTURE = {"id": 1, **_PLACE, "sampling_hz": 1000.0, "count": 4, "unit": "m/s2"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
GONE = {
    (410, "application/problem+json"): OpenApiResponse(
        _PROBLEM, "삭제됨 / its samples were removed by retention; its features are kept"
    )
}
PARTS = {
    "type": "object",
    "properties": {
        "captures": {
            "type": "string",
            "description": "설명 목록 / a JSON list of objects: the names of the query string of `POST /api/captures`, "
            "and `part`, the name of the file part with the samples.",
        }
    },
    "required": ["captures"],
    "additionalProperties": {"type": "string", "format": "binary"},
}


def answer(name: str, value, **more) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, **more)


STORED = {
    "status": "success",
    "received": 1,
    "inserted": 1,
    "identical": 0,
    "conflicting": 0,
    "conflicts": [],
    "captures": [{"id": 1, **_PLACE, "result": "new"}],
}
CAPTURES = extend_schema_view(
    get=extend_schema(
        tags=[TAG],
        summary="측정 신호 목록 / list captures",
        operation_id="list_captures",
        description="최신순, 샘플 없이 특징값과 함께. `format=csv`는 전체를 CSV로. / Newest first, without samples, "
        "with their features. `format=csv` sends every capture that matches the filters as CSV, without pages or "
        "limit.",
        parameters=[*LIST_PARAMETERS],
        responses={
            (200, "application/json"): shapes.CaptureRow(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        },
        examples=[answer("측정 신호 / a capture", ROW, media_type="application/json")],
    ),
    post=extend_schema(
        tags=[TAG],
        summary="측정 신호 저장 / store a capture",
        description="수집기. 본문은 샘플, 나머지는 쿼리 문자열입니다. 201 새로 저장, 200 이미 같은 값, 409 다른 값이 "
        f"있음. / For collectors. With `{BYTES}` the body is the samples, little-endian, and the query string says "
        "the rest; with `application/json` all stands in the body, and nothing in the query string. Sensor, axis and "
        "`started_at` are the key. 201: at least one is stored now; 200: all were stored before, the same; 409: one "
        "is stored with other contents, which stay, and new ones beside it are stored: `captures` says so of each. "
        "May be gzip-compressed (Content-Encoding: gzip). At most 1,000,000 samples of each axis. Unknown machines "
        "and sensors are registered, unless a setting forbids it.",
        parameters=[shapes.CaptureQueryOfSchema],
        request={"application/json": shapes.PostedCapture, BYTES: OpenApiTypes.BINARY},
        responses={200: shapes.PostedCaptures, 201: shapes.PostedCaptures},
        examples=[
            OpenApiExample("한 축 / one axis", POSTED, request_only=True, media_type="application/json"),
            OpenApiExample("세 축 / three axes", SEVERAL, request_only=True, media_type="application/json"),
            answer("저장됨 / stored", STORED, status_codes=["200", "201"]),
        ],
    ),
)
CAPTURE_BULK = extend_schema(
    tags=[TAG],
    summary="여러 측정 신호 저장 / store many captures",
    description="모두 저장하거나 하나도 저장하지 않습니다. / For collectors. `captures` describes each file part; "
    "one that is not as it must be keeps all out, and the 400 names row and field. One that is in conflict is left "
    f"out, and its number, of the list `captures` of the answer, is in `conflicts`. At most {MAX_CAPTURES} captures.",
    request={"multipart/form-data": PARTS},
    responses=shapes.PostedCaptures,
    examples=[answer("저장됨 / stored", STORED, status_codes=["200"])],
)
CAPTURE = extend_schema(
    tags=[TAG],
    summary="측정 신호 조회 / read a capture",
    description="샘플 없이. / One capture, without its samples.",
    responses=shapes.CaptureDetail,
    examples=[
        answer(
            "측정 신호 / a capture",
            ROW
            | {
                "length": 0.004,
                "received_at": "2026-11-20T09:30:05.250000+09:00",
                "source": "collector-1 / line 3",
                "sha256": "17945bf15b4f27e01bdc92193fcdd097ccf92d909aaadb0ae80116b0162512c8",
            },
        )
    ],
)
SAMPLES = extend_schema(
    tags=[TAG],
    summary="샘플 조회 / read the samples of a capture",
    description="단위로 환산한 모든 샘플. `format=npy`는 NumPy 파일(float64), `format=csv`는 시간과 값. / All "
    "samples in the unit, as float64: a list, a NumPy file (format 1.0) with `format=npy`, or lines of `time` "
    "(seconds from the start) and `value` with `format=csv`. What was posted as float32 or as int16 with a scale is "
    "exactly that; posted again as float64 it counts as identical. They never change: with the `ETag` in "
    "`If-None-Match` the answer is a 304.",
    responses={
        (200, "application/json"): {"type": "array", "items": {"type": "number", "format": "double"}},
        (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        (200, NPY): OpenApiResponse(OpenApiTypes.BINARY),
        **GONE,
    },
    examples=[
        answer("네 샘플 / four samples", POSTED["values"], media_type="application/json"),
        answer(
            "CSV",
            "time,value\r\n0.0,1.0\r\n0.001,3.0\r\n0.002,-1.0\r\n0.003,-3.0\r\n",
            media_type="text/csv",
        ),
    ],
)
