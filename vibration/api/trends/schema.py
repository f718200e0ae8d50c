"""What the OpenAPI schema says about captures over time: descriptions, and examples that a test carries out."""

from base64 import b64encode
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from vibration.api.capture_schema import TAG
from vibration.api.trends import serializers as shapes

_SPAN = {"start": "2026-11-20T00:00:00+09:00", "end": "2026-11-21T00:00:00+09:00"}
_ASKED: dict[str, Any] = {"machine_name": "g1", **_SPAN, "newest": "2026-11-20T09:30:00+09:00"}
_AXIS = {"sensor_no": "sensor1", "axis": "x"}
_WATERFALL = _ASKED | _AXIS | {"unit": "m/s2", "captures": 1, "bucket_width": None}
# RMS of the capture in capture_schema.POSTED
RMS = 2.23606797749979
_UNCHANGED = (
    "While no capture of these axes is stored, the `ETag` in `If-None-Match` gets a 304 for up to a minute, for little: "
    "ask as often as each 10 s."
)


def _answers(shape: type) -> dict:
    return {(200, "application/json"): shape, (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)}


def _example(name: str, value: object) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, media_type="application/json")


TREND = extend_schema(
    tags=[TAG],
    summary="특징값의 추세 / trend of a feature",
    description="축별 특징값을 시간순으로. 많으면 구간별 최솟값과 최댓값입니다. / One feature of the captures of several axes "
    "over time. Up to 1,000 captures of an axis come one by one, more as at most `points` buckets with the least and "
    "greatest value of each: no extreme is lost, however long the span is. Buckets are whole hours, multiples of 6 h or "
    f"of days. {_UNCHANGED} `format=csv` has a line of each point.",
    parameters=[shapes.TrendQuery],
    responses=_answers(shapes.TrendAnswer),
    examples=[
        _example(
            "한 측정 신호 / one capture",
            _ASKED
            | {
                "feature": "rms",
                "points": 400,
                "left_out": 0,
                "series": [
                    _AXIS
                    | {
                        "unit": "m/s2",
                        "captures": 1,
                        "bucket_width": None,
                        "gap_s": None,
                        "time": [34_200.0],
                        "least": [RMS],
                        "greatest": None,
                        "flat": [],
                        "remarks": [{"code": "before_first", "first": "2026-11-20T00:30:00+00:00"}],
                    }
                ],
            },
        )
    ],
)
NUMBERS = extend_schema(
    tags=[TAG],
    summary="추세의 요약 / a trend in numbers",
    description="비교용 중앙값, 최솟값, 최댓값. / Median, least and greatest of one feature over a span, to compare spans "
    "or machines; of the newest 1,000 captures of each axis in it, and `is_part` says when there are more. "
    f"{_UNCHANGED}",
    parameters=[shapes.TrendNumbersQuery],
    responses=shapes.TrendNumbersAnswer,
    examples=[
        _example(
            "한 측정 신호 / one capture",
            _ASKED
            | {
                "feature": "rms",
                "left_out": 0,
                "series": [
                    _AXIS
                    | {
                        "unit": "m/s2",
                        "captures": 1,
                        "flat": 0,
                        "is_part": False,
                        **dict.fromkeys(["median", "least", "greatest"], RMS),
                        "newest_at": "2026-11-20T09:30:00+09:00",
                    }
                ],
            },
        )
    ],
)
WATERFALL = extend_schema(
    tags=[TAG],
    summary="스펙트럼의 워터폴 / waterfall of spectra",
    description="측정 신호의 스펙트럼 개요를 시간순으로 늘어놓은 이미지. / The outlines of the spectra of one axis side by side, "
    "as an image: each cell has the greatest amplitude in it. Of more captures than `columns` the first of each equal "
    "part of the span is shown, and `remarks` says so. An outline has bands 1 Hz wide up to 256 Hz, and above 1.4 % of "
    "their frequency; it stays when samples are removed, one a day. `format=csv` has a line of each capture with the "
    f"amplitude in each row. {_UNCHANGED}",
    parameters=[shapes.WaterfallQuery],
    responses=_answers(shapes.WaterfallAnswer),
    examples=[
        _example(
            "스펙트럼이 없는 측정 신호 / a capture too short for a spectrum",
            _WATERFALL
            | {
                "shown": 0,
                "time": [],
                "shaft_hz": [],
                "rates": [],
                "frequency": [0.0],
                "decibels": {"floor": -80.0, "top": 0.0},
                "levels": "",
                "remarks": [{"code": "no_outline", "captures": 1}],
            },
        ),
        _example(
            "두 행 / two rows",
            _WATERFALL
            | {
                "shown": 1,
                "time": [34_200.0],
                "shaft_hz": [25.0],
                "rates": [1_000.0, 1_000.0],
                "frequency": [0.0, 250.0, 500.0],
                "decibels": {"floor": -74.0, "top": 6.0},
                "levels": b64encode(bytes([255, 1])).decode(),
                "remarks": [],
            },
        ),
    ],
)
