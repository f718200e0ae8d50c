"""What programs ask for of captures over time, and what they are told: a trend, its numbers, a waterfall."""

import math
from base64 import b64encode
from typing import Any
from urllib.parse import unquote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.rest.query import QueryTimeField
from common.rest.shapes import Column, Shape
from vibration.api.capture_serializers import REASONS, UNITS
from vibration.signals.quantities import QUANTITIES, Scale
from vibration.trends.remarks import Code, Remark

MIN_POINTS, DEFAULT_POINTS, MAX_POINTS = 10, 400, 2_000
MAX_SERIES = 12
DEFAULT_DAYS = 30
DEFAULT_COLUMNS, DEFAULT_ROWS, MAX_CELLS_A_SIDE = 500, 400, 1_000
MAX_HZ = 1e6
QUANTITY_UNITS = sorted({*UNITS, *(it.value for it in Scale if it != Scale.SIGNAL)})
_SERIES = "센서 번호/축 / sensor and axis as `sensor1/x`; a slash or percent sign within one is percent-escaped before."


class SeriesField(serializers.CharField):
    """The name of an axis of a sensor, "SENSOR/AXIS" with each part percent-escaped, as (sensor, axis)."""

    default_error_messages = {"form": '"{value}" is no series. Write SENSOR/AXIS, each part percent-escaped: de/x.'}

    def to_internal_value(self, value: Any) -> Any:  # not the text that the stubs have it give
        text = super().to_internal_value(value)
        parts = text.split("/")
        if len(parts) != 2 or not all(parts):
            self.fail("form", value=text)
        try:
            sensor, axis = (unquote(part, errors="strict") for part in parts)
        except UnicodeDecodeError:
            self.fail("form", value=text)
        return sensor, axis


class SpanQuery(serializers.Serializer):
    """Which captures of a machine: those that started within a span."""

    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    started_at_after = QueryTimeField(
        measured=False,
        required=False,
        help_text=f"시작, 포함 / first instant; {DEFAULT_DAYS} days before the end if left out.",
    )
    started_at_before = QueryTimeField(
        measured=False, required=False, help_text="끝, 제외 / instant after the last one; now if left out."
    )


class TrendNumbersQuery(SpanQuery):
    feature = serializers.ChoiceField(
        list(QUANTITIES),
        default="rms",
        error_messages={"invalid_choice": f'There is no feature "{{input}}". Known: {", ".join(QUANTITIES)}.'},
        help_text="특징값 / feature.",
    )
    series = serializers.ListField(
        child=SeriesField(),
        default=list,
        help_text=f"{_SERIES} 생략하면 전체 / All if left out, at most {MAX_SERIES}; repeat it for each.",
    )


class TrendQuery(TrendNumbersQuery):
    points = serializers.IntegerField(
        default=DEFAULT_POINTS,
        min_value=MIN_POINTS,
        max_value=MAX_POINTS,
        help_text="점 수 / at most so many buckets of each series.",
    )


class WaterfallQuery(SpanQuery):
    series = SeriesField(help_text=_SERIES)
    low = serializers.FloatField(
        default=0.0, min_value=0, max_value=MAX_HZ, help_text="최저 주파수(Hz) / from this on."
    )
    high = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=MAX_HZ,
        help_text="최고 주파수(Hz) / up to this; half the greatest sampling rate if left out.",
    )
    columns = serializers.IntegerField(
        default=DEFAULT_COLUMNS, min_value=1, max_value=MAX_CELLS_A_SIDE, help_text="열 수 / at most so many captures."
    )
    rows = serializers.IntegerField(
        default=DEFAULT_ROWS, min_value=1, max_value=MAX_CELLS_A_SIDE, help_text="행 수 / at most so many rows."
    )

    def validate(self, asked: dict) -> dict:
        if asked["low"] >= asked.get("high", math.inf):
            raise serializers.ValidationError({"high": ["Must be greater than low."]})
        return asked


class RemarkOfSeries(Shape):
    """What is to be known before it is read; beside the code, what belongs to it."""

    code = serializers.ChoiceField(
        [it.value for it in Code],
        help_text="코드 / none: no capture in the span; before_first: it begins before the first capture; converted, "
        "other_unit: captures of another unit, turned into that of the newest or left out; rates: the sampling rate "
        "changes; not_assessable: points without a value; thinned: of more captures than columns the first of each "
        "part of the span; no_outline: captures of which no spectrum is kept.",
    )
    first = serializers.DateTimeField(required=False, help_text="Of before_first: when the first capture started.")
    captures = serializers.IntegerField(required=False, help_text="Of converted, other_unit, no_outline: how many.")
    unit = serializers.ChoiceField(
        UNITS, allow_blank=True, required=False, help_text="Of converted, other_unit; empty: not known."
    )
    first_hz = serializers.FloatField(required=False, help_text="Of rates: at the beginning.")
    last_hz = serializers.FloatField(required=False, help_text="Of rates: at the end.")
    points = serializers.IntegerField(required=False, help_text="Of not_assessable: how many.")
    reason = serializers.ChoiceField(
        REASONS, allow_blank=True, required=False, help_text="Of not_assessable: why; empty: not told."
    )
    every_s = serializers.FloatField(required=False, help_text="Of thinned: seconds that each part lasts.")


@extend_schema_field(RemarkOfSeries(many=True))
class RemarksField(serializers.Field):
    def to_representation(self, value: list[Remark]) -> list[dict]:
        return [{"code": it.code.value, **it.numbers} for it in value]


class _Series(Shape):  # of an `axis`, a CaptureAxis with its sensor at hand
    sensor_no = serializers.CharField(source="axis.sensor.sensor_no", help_text="센서 번호 / sensor.")
    axis = serializers.CharField(source="axis.axis", help_text="축 / axis.")


class _Asked(Shape):  # of the `machine_name`, the `span` and the `axes`
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    start = serializers.DateTimeField(source="span.start", help_text="시작 / first instant, in plant time.")
    end = serializers.DateTimeField(source="span.end", help_text="끝 / instant after the last one.")
    newest = serializers.DateTimeField(
        allow_null=True,
        help_text="최신 / when the newest capture of these axes started, in the span or not; null: none.",
    )


def _unit_of_values() -> serializers.ChoiceField:
    return serializers.ChoiceField(
        QUANTITY_UNITS,
        allow_blank=True,
        source="found.unit",
        help_text="단위 / of the values, by the newest capture; empty: a number without one, or not known.",
    )


class TrendSeries(_Series):  # of what was `found`, a Trend
    unit = _unit_of_values()
    captures = serializers.IntegerField(source="found.captures", help_text="측정 신호 수 / captures of all points.")
    bucket_width = serializers.IntegerField(
        source="found.width",
        allow_null=True,
        help_text="구간의 길이(초) / seconds of a bucket; null: each point is a capture.",
    )
    gap_s = serializers.FloatField(
        source="found.gap_s",
        allow_null=True,
        help_text="공백의 기준(초) / neighbours further apart have a gap between; null: it can't be told.",
    )
    time = Column(
        child=serializers.FloatField(),
        source="found.time",
        help_text="시각 / seconds from `start` when each capture started, or where each bucket begins: the first one "
        "may begin before `start`. Buckets without captures are left out.",
    )
    least = Column(
        child=serializers.FloatField(allow_null=True),
        source="found.least",
        help_text="최솟값 / of each point, exactly as stored; null: not assessable.",
    )
    greatest = Column(
        child=serializers.FloatField(allow_null=True),
        allow_null=True,
        help_text="최댓값 / of each bucket; null as a whole where each point is a capture, whose value is `least`.",
    )
    flat = Column(
        child=serializers.IntegerField(), help_text="정지 / numbers of the points, from 0, with flat signals alone."
    )
    remarks = RemarksField(source="found.remarks")


class TrendAnswer(_Asked):
    feature = serializers.CharField(help_text="특징값 / feature.")
    points = serializers.IntegerField(help_text="점 수 / buckets of each series at most.")
    left_out = serializers.IntegerField(
        help_text=f"빠진 계열 수 / axes beyond the first {MAX_SERIES} of the machine, in natural order."
    )
    series = TrendSeries(many=True)


class SeriesInNumbers(_Series):  # of what was `found`, a Summary, and of a `unit`
    unit = serializers.ChoiceField(
        QUANTITY_UNITS, allow_blank=True, help_text="단위 / of the values; empty: a number without one, or not known."
    )
    captures = serializers.IntegerField(
        source="found.count", help_text="측정 신호 수 / captures with a value that these numbers are of."
    )
    flat = serializers.IntegerField(
        source="found.still", help_text="진동 없음 / captures that are left out, as they have no vibration at all."
    )
    is_part = serializers.BooleanField(
        source="found.is_cut", help_text="일부 / the span has more: the numbers are of the newest ones."
    )
    median = serializers.FloatField(
        source="found.median", allow_null=True, help_text="중앙값 / median; null: no value in the span."
    )
    least = serializers.FloatField(source="found.least", allow_null=True, help_text="최솟값 / least.")
    greatest = serializers.FloatField(source="found.greatest", allow_null=True, help_text="최댓값 / greatest.")
    newest_at = serializers.DateTimeField(
        source="found.newest_at", allow_null=True, help_text="최신 시각 / when the newest of these captures started."
    )


class TrendNumbersAnswer(_Asked):
    feature = serializers.CharField(help_text="특징값 / feature.")
    left_out = serializers.IntegerField(
        help_text=f"빠진 계열 수 / axes beyond the first {MAX_SERIES} of the machine, in natural order."
    )
    series = SeriesInNumbers(many=True)


class DecibelRange(Shape):
    floor = serializers.FloatField(source="floor_db", help_text="level 1, and all that is less; dB re 1 of the unit.")
    top = serializers.FloatField(source="top_db", help_text="level 255, the greatest amplitude of all.")


class LevelsField(serializers.CharField):
    """uint8 (rows, columns), row by row, in base64."""

    def to_representation(self, value: Any) -> str:
        return b64encode(value.tobytes()).decode()


class WaterfallAnswer(_Asked, _Series):  # of what was `found`, a Waterfall
    unit = serializers.ChoiceField(
        UNITS,
        allow_blank=True,
        source="found.unit",
        help_text="단위 / that amplitudes are in, by the newest capture; empty: not known.",
    )
    captures = serializers.IntegerField(source="found.captures", help_text="측정 신호 수 / captures in the span.")
    shown = serializers.IntegerField(help_text="표시 / of these, columns of the image.")
    bucket_width = serializers.FloatField(
        source="found.every_s",
        allow_null=True,
        help_text="구간의 길이(초) / of each part of so many seconds the first capture is shown; null: all are.",
    )
    time = Column(
        child=serializers.FloatField(),
        source="found.time",
        help_text="시각 / seconds from `start` when the capture of each column started.",
    )
    shaft_hz = Column(
        child=serializers.FloatField(allow_null=True),
        source="found.shaft_hz",
        help_text="회전 주파수(Hz) / of each column; null: not known.",
    )
    rates = serializers.ListField(
        child=serializers.FloatField(),
        help_text="샘플링 주파수(Hz) / least and greatest of the columns; empty without columns.",
    )
    frequency = Column(
        child=serializers.FloatField(),
        source="found.frequency",
        help_text="주파수(Hz) / edges of the rows, one more than there are rows.",
    )
    decibels = DecibelRange(source="found")
    levels = LevelsField(
        source="found.levels",
        help_text="단계 / the image, a byte for each cell in base64, row by row, the lowest frequency first: the "
        "greatest amplitude in it, from 1 at `floor` to 255 at `top`, evenly in dB; 0: no spectrum reaches there.",
    )
    remarks = RemarksField(source="found.remarks")
