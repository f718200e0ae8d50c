"""Captures as programs post and read them, and the query strings of their paths."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.names import InvalidName, clean_name
from common.rest.fields import NameField, NumberField, TextField, TimeField
from common.rest.query import QueryTimeField
from common.rest.shapes import Column, Shape
from common.rest.strict import RefuseUnknown
from machines.models import Machine, Sensor
from vibration.api.serializers import CountedRows, NotesField, WindowQuery
from vibration.api.window_serializers import Extremes, points_of
from vibration.models import Capture
from vibration.models.captures import MAX_RATE_HZ, MAX_RPM, MIN_RATE_HZ
from vibration.numbers.states import MAX_VALUE
from vibration.signals.orders import ShaftSource
from vibration.signals.reasons import Reason
from vibration.signals.units import Unit, UnknownUnit, unit_of

MAX_AXES = 16
REASONS = [it.value for it in Reason if it]
SHAFT_SOURCES = [it.value for it in ShaftSource if it]
UNITS = [it.value for it in Unit]
TYPES = ("float32", "int16", "float64")
NEW, IDENTICAL, CONFLICTING = "new", "identical", "conflicting"
FLAGS = {"is_clipped": "clipped", "is_flat": "flat", "has_gap": "gap", "clock_drifts": "clock_drifts"}


class AxesField(TextField):
    """Names of axes with commas between: a list of clean names, in the order in which their samples are interleaved."""

    default_error_messages = {
        "many": "{count} axes; at most {most} in one post.",
        "twice": 'The axis "{axis}" is named twice.',
        "empty": "A name between commas is empty.",
    }

    def to_internal_value(self, value):
        names = super().to_internal_value(value).split(",")
        if len(names) > MAX_AXES:
            self.fail("many", count=len(names), most=MAX_AXES)
        if len(names) > 1 and not all(name.strip() for name in names):
            self.fail("empty")
        axes = [clean_axis(name) for name in names]
        if twice := [axis for axis in axes if axes.count(axis) > 1]:
            self.fail("twice", axis=twice[0])
        return axes


def clean_axis(name: str) -> str:
    """The name of one axis as it is stored. Raises ValidationError."""
    try:
        return clean_name(name, Capture._meta.get_field("axis"))
    except InvalidName as error:
        raise serializers.ValidationError(str(error)) from None


class UnitField(TextField):
    """A unit in whatever way people write it, as it is stored; "" where nobody knows it."""

    def __init__(self, **kwargs):
        super().__init__(max_length=40, allow_blank=True, **kwargs)

    def to_internal_value(self, value) -> str:
        try:
            return unit_of(super().to_internal_value(value)).value
        except UnknownUnit as error:
            raise serializers.ValidationError(str(error)) from None


_AXIS = (
    "축 / axis, such as x; or several with commas between, whose samples are then interleaved: x,y,z is x0, y0, z0, "
    "x1, ... Each becomes a capture."
)
_STARTED = "시작 시각 / when the first sample was taken. Without an offset it is plant time."
_RATE = "샘플링 주파수(Hz) / samples per second, of each axis."
_SCALE = "한 단계의 값 / what one step of the whole numbers is, in the unit: needed with int16, and only then."
_RPM = "회전 속도(rpm) / measured beside the signal; left out: not known."


class _Described(serializers.Serializer):
    """What is said of the samples of a post, however it is written."""

    machine_name = NameField(Machine._meta.get_field("name"), help_text="설비 이름 / machine.")
    sensor_no = NameField(Sensor._meta.get_field("sensor_no"), help_text="센서 번호 / sensor.")
    axis = AxesField(help_text=_AXIS)
    dtype = serializers.ChoiceField(
        TYPES, default="float32", help_text="샘플의 형식 / how each sample is written, little-endian."
    )
    unit = UnitField(
        default="",
        help_text="단위 / m/s2, g or mm/s, as people write them; left out: not known, and nothing that needs one is "
        "judged.",
    )


class CaptureQuery(_Described):
    """The query string beside a body that is the samples alone."""

    started_at = QueryTimeField(help_text=_STARTED)
    sampling_hz = serializers.FloatField(help_text=_RATE)
    scale = serializers.FloatField(required=False, help_text=_SCALE)
    rpm = serializers.FloatField(required=False, help_text=_RPM)


class CaptureQueryOfSchema(CaptureQuery):
    """The schema has one query string for both kinds of body; with JSON nothing stands in it."""

    def get_fields(self):
        fields = super().get_fields()
        for field in fields.values():
            if field.required:
                field.required = False
                field.help_text = f"{field.help_text} (필수: octet-stream / needed with octet-stream.)"
        return fields


_NUMBERS = {"type": "array", "items": {"type": "number"}}


@extend_schema_field({"oneOf": [_NUMBERS, {"type": "object", "additionalProperties": _NUMBERS}]})
class ValuesField(serializers.Field):
    """A list of numbers, or an object that has one for each axis; each is looked at when `dtype` is known."""

    def to_internal_value(self, data):
        if not isinstance(data, list | dict):
            raise serializers.ValidationError("Send a list of numbers, or an object that has one for each axis.")
        return data


class _InJson(RefuseUnknown, _Described):
    started_at = TimeField(help_text=_STARTED)
    sampling_hz = NumberField(min_value=MIN_RATE_HZ, max_value=MAX_RATE_HZ, help_text=_RATE)
    scale = NumberField(min_value=0, max_value=MAX_VALUE, required=False, allow_null=True, help_text=_SCALE)
    rpm = NumberField(min_value=0, max_value=MAX_RPM, required=False, allow_null=True, help_text=_RPM)


class PostedCapture(_InJson):
    """A capture, or one of each axis, as small boards post it."""

    axis = AxesField(required=False, help_text=f"{_AXIS} Left out where `values` is an object.")
    dtype = serializers.ChoiceField(
        TYPES,
        default="float64",
        help_text="샘플의 형식 / what the numbers are: float64 as JSON has them, float32 the decimals of one, int16 "
        "whole numbers with a `scale`.",
    )
    values = ValuesField(help_text="샘플 / the samples: a list, or an object with a list for each axis.")


class CaptureHead(_InJson):
    """What stands before samples that are bytes, in a message by MQTT."""


class BulkCapture(_InJson):
    """One of many: what else stands in the query string, and the part that has its samples."""

    part = TextField(max_length=100, help_text="파트 이름 / name of the file part with its samples.")


class PostedOne(Shape):
    id = serializers.IntegerField(help_text="번호 / of the capture that is stored under its key.")
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    sensor_no = serializers.CharField(help_text="센서 번호 / sensor.")
    axis = serializers.CharField(help_text="축 / axis.")
    started_at = serializers.DateTimeField(help_text="시작 시각 / in plant time with its offset.")
    result = serializers.ChoiceField(
        [NEW, IDENTICAL, CONFLICTING],
        help_text="결과 / stored now; stored before, the same; not stored, as another one has this axis and start.",
    )


class PostedCaptures(CountedRows):
    """What became of captures that were posted; received = inserted + identical + conflicting."""

    captures = PostedOne(many=True, help_text="결과 / what became of each, in the order in which they came.")
    notes = NotesField()


def _feature(text: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=text)


def _reason(text: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(REASONS, allow_null=True, help_text=text)


def _order(order: str) -> serializers.FloatField:
    return _feature(f"{order}차 진폭 / amplitude at {order} times the shaft's frequency.")


def _band(low: str, high: str) -> serializers.FloatField:
    return _feature(f"{low}-{high} Hz 실효값 / RMS from {low} to {high} Hz.")


class FeaturesOfCapture(Shape):
    """In the unit of the capture where none is named; null is not assessable, for the reason beside it."""

    version = serializers.IntegerField(help_text="계산 방법의 판 / of what a feature is.")
    mean = serializers.FloatField(help_text="평균 / mean, which is removed from all others.")
    rms = serializers.FloatField(help_text="실효값(RMS) / root mean square.")
    peak = serializers.FloatField(help_text="피크 / greatest absolute value.")
    crest_factor = _feature("파고율 / peak over RMS.")
    kurtosis = _feature("첨도 / Pearson's: 1.5 of a sine, 3 of Gaussian noise.")
    velocity_rms = _feature("속도 실효값(mm/s) / velocity RMS, 10 to 1,000 Hz.")
    velocity_reason = _reason("속도를 평가할 수 없는 이유 / why it is not assessable: unit, rate, short, flat.")
    shaft_hz = _feature("회전 주파수(Hz) / at which the shaft turns.")
    shaft_source = serializers.ChoiceField(
        SHAFT_SOURCES,
        allow_null=True,
        help_text="회전 주파수의 근거 / measured beside the signal, found near the rated speed, or the rated one.",
    )
    order_0_5 = _order("0.5")
    order_1_0 = _order("1")
    order_1_5 = _order("1.5")
    order_2_0 = _order("2")
    order_2_5 = _order("2.5")
    order_3_0 = _order("3")
    order_3_5 = _order("3.5")
    order_4_0 = _order("4")
    order_4_5 = _order("4.5")
    order_5_0 = _order("5")
    orders_reason = _reason("차수를 평가할 수 없는 이유 / why no order is assessable: speed, rate, short, flat.")
    band_10_100 = _band("10", "100")
    band_100_1000 = _band("100", "1,000")
    band_1000_5000 = _band("1,000", "5,000")
    band_5000_20000 = _band("5,000", "20,000")
    envelope_peak = _feature("포락선 피크 / amplitude of the strongest swing of the high band's envelope.")
    envelope_hz = _feature("포락선 주파수(Hz) / of that swing; null, too, where it does not stand out of the noise.")
    envelope_reason = _reason("포락선을 평가할 수 없는 이유 / why it is not assessable: rate, short, flat.")


class CaptureRow(Shape):
    """A capture without its samples."""

    id = serializers.IntegerField()
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    sensor_no = serializers.CharField(help_text="센서 번호 / sensor.")
    axis = serializers.CharField(help_text="축 / axis.")
    started_at = serializers.DateTimeField(help_text="시작 시각 / in plant time with its offset.")
    sampling_hz = serializers.FloatField(help_text="샘플링 주파수(Hz) / samples per second.")
    count = serializers.IntegerField(help_text="샘플 수 / samples.")
    unit = serializers.ChoiceField(UNITS, allow_blank=True, help_text="단위 / of the samples; empty: not known.")
    rpm = serializers.FloatField(allow_null=True, help_text="회전 속도(rpm) / as measured beside it; null: not known.")
    flags = serializers.ListField(
        child=serializers.ChoiceField(list(FLAGS.values())),
        help_text="표시 / what is wrong with the samples: clipped, flat, follows a gap, the clock drifts.",
    )
    has_samples = serializers.BooleanField(
        help_text="샘플 있음 / false once they are removed by retention; the features stay."
    )
    features = FeaturesOfCapture(allow_null=True, help_text="특징값 / null only while they are made anew.")


class CaptureDetail(CaptureRow):
    length = serializers.FloatField(help_text="길이(초) / seconds, count / sampling_hz.")
    received_at = serializers.DateTimeField(help_text="저장 시각 / when it was stored.")
    source: Any = serializers.CharField(  # a value of ours, not where a field takes its own from
        help_text="출처 / who posted it, or the file that it came in."
    )
    sha256 = serializers.CharField(help_text="SHA-256 / of rate, unit, speed and the values in the unit.")


class PartQuery(WindowQuery):
    start = serializers.FloatField(default=0.0, help_text="시작(초) / seconds from the start of the capture, included.")
    end = serializers.FloatField(required=False, help_text="끝(초) / seconds, included; left out: to the end.")


class CaptureWaveformQuery(PartQuery):
    points = points_of("at most so many buckets")


class OfCapture(Shape):  # of a `capture`
    id = serializers.IntegerField(source="capture.pk")
    machine_name = serializers.CharField(source="capture.sensor.machine.name")
    sensor_no = serializers.CharField(source="capture.sensor.sensor_no")
    axis = serializers.CharField(source="capture.axis")
    started_at = serializers.DateTimeField(source="capture.started_at", help_text="시작 시각 / in plant time.")
    sampling_hz = serializers.FloatField(
        source="capture.sampling_hz", help_text="샘플링 주파수(Hz) / samples per second."
    )
    count = serializers.IntegerField(source="capture.count", help_text="샘플 수 / samples of the whole capture.")
    unit = serializers.ChoiceField(UNITS, source="capture.unit", allow_blank=True)


class CaptureWaveform(OfCapture):  # of a `waveform` too, whose extremes are one column
    start = serializers.FloatField(
        source="waveform.start",
        help_text="Seconds from the start of the capture: the window, widened to whole buckets.",
    )
    end = serializers.FloatField(source="waveform.end")
    bucket_width = serializers.FloatField(
        source="waveform.width", help_text="Seconds; 0 when each sample is on its own."
    )
    buckets = serializers.IntegerField(
        source="waveform.buckets", help_text="Length of `time` and of each list of values."
    )
    samples = serializers.IntegerField(
        source="waveform.samples", help_text="샘플 수 / samples that the buckets represent."
    )
    time = Column(child=serializers.FloatField(), source="waveform.time", help_text="Seconds where each bucket begins.")
    values = Extremes(source="waveform", help_text="값 / least and greatest value of each bucket.")
