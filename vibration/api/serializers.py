"""Samples and recordings as programs post and read them, and the query strings of their paths."""

from rest_framework import serializers

from common.rest.fields import NameField, NumberField, TimeField
from common.rest.shapes import Column, Shape
from common.rest.strict import RefuseUnknown
from machines.models import Machine, Sensor
from vibration.models import DEFAULT_RECORDING, Recording
from vibration.numbers.epochs import what_it_is
from vibration.numbers.states import MAX_TIME_S, MAX_VALUE


class ValueField(NumberField):
    def __init__(self, **kwargs):
        super().__init__(min_value=-MAX_VALUE, max_value=MAX_VALUE, **kwargs)


class NotesField(serializers.ListField):
    """What a poster is told beside what became of his rows."""

    def __init__(self, more: str = ""):
        what = (
            "알림 / texts for people: a time ahead of the server's clock, a clock that seems to be set to another time "
            "zone, a measured_time that looks like an instant. Left out when there is nothing to say."
        )
        super().__init__(child=serializers.CharField(), required=False, help_text=" ".join(filter(None, [what, more])))


class MeasuredTimeField(NumberField):
    """Seconds from the start of a recording; says what a greater number looks like."""

    default_error_messages = {"epoch": "{value} looks like {epoch}. Send seconds from the start of the recording."}

    def __init__(self, **kwargs):
        super().__init__(min_value=0, max_value=MAX_TIME_S, **kwargs)

    def to_internal_value(self, value) -> float:
        number = super().to_internal_value(value)
        if number > MAX_TIME_S and (epoch := what_it_is(number)):
            self.fail("epoch", value=value, epoch=epoch)
        return number


class SampleRow(RefuseUnknown, serializers.Serializer):
    """A sample as it is posted: four values at one time of a recording."""

    machine_name = NameField(Machine._meta.get_field("name"), help_text="설비 이름 / machine.")
    sensor_no = NameField(Sensor._meta.get_field("sensor_no"), help_text="센서 번호 / sensor.")
    recording = NameField(
        Recording._meta.get_field("name"),
        default=DEFAULT_RECORDING,
        help_text="측정 기록 / recording: an uninterrupted measurement of the sensor.",
    )
    collected_at = TimeField(
        required=False,
        allow_null=True,
        help_text="수집 시각 / when it was measured. Without an offset it is plant time. Left out, it follows from the "
        "recording's start if that is known.",
    )
    measured_time = MeasuredTimeField(help_text="측정 시간(초) / seconds from the start of the recording.")
    normal = ValueField(help_text="정상 / normal.")
    unbalance = ValueField(help_text="질량 불균형 / unbalance.")
    looseness = ValueField(help_text="지지 불량 / looseness.")
    unbalance_looseness = ValueField(help_text="복합 불량 / unbalance and looseness.")


class Sample(Shape):
    """A sample as it is stored."""

    id = serializers.CharField(help_text="`<number of the recording>:<measured_time>`; unique.")
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    sensor_no = serializers.CharField(help_text="센서 번호 / sensor.")
    recording = serializers.CharField(help_text="측정 기록 / recording.")
    collected_at = serializers.DateTimeField(allow_null=True, help_text="수집 시각 / in plant time with its offset.")
    measured_time = serializers.FloatField(help_text="측정 시간(초) / seconds from the start of the recording.")
    normal = serializers.FloatField(help_text="정상 / normal.")
    unbalance = serializers.FloatField(help_text="질량 불균형 / unbalance.")
    looseness = serializers.FloatField(help_text="지지 불량 / looseness.")
    unbalance_looseness = serializers.FloatField(help_text="복합 불량 / unbalance and looseness.")


class StoredSample(Sample):
    """The answer to who posted it."""

    notes = NotesField()


class CountedRows(Shape):  # of Posted
    status = serializers.ChoiceField(["success"])
    received = serializers.IntegerField(help_text="받은 행 / rows in the request.")
    inserted = serializers.IntegerField(help_text="새로 저장 / stored now.")
    identical = serializers.IntegerField(help_text="이미 저장됨 / stored before with the same values.")
    conflicting = serializers.IntegerField(help_text="충돌 / not stored: their key is stored with other values.")
    conflicts = Column(
        child=serializers.IntegerField(), help_text="충돌한 행 번호 / numbers of the conflicting rows, from 0."
    )


class PostedRows(CountedRows):
    """What became of a list of rows; received = inserted + identical + conflicting."""

    notes = NotesField()


class PostedSamples(CountedRows):
    """Of a list of samples; rows where raw samples were removed count as conflicting, and are named once more."""

    pruned = Column(
        child=serializers.IntegerField(),
        required=False,
        help_text="원본 샘플 삭제 구간의 행 번호 / conflicting rows where raw samples were removed by retention. Left "
        "out when there are none.",
    )
    notes = NotesField("지운 행의 이유 / and why such rows are not stored, for each recording.")


class WindowQuery(serializers.Serializer):
    """A window of time, `start` to `end` in seconds."""

    def validate(self, attrs):
        query = super().validate(attrs)
        if query.get("end", query["start"]) < query["start"]:
            raise serializers.ValidationError({"end": "Must not be smaller than start."})
        return query


class GroupedRangeQuery(WindowQuery):
    per_group_limit = serializers.IntegerField(
        default=1_000, min_value=1, max_value=10_000, help_text="센서별 행 수 / rows of each sensor."
    )
    start = serializers.FloatField(default=0.0, help_text="시작(초) / seconds, included.")
    end = serializers.FloatField(default=140.0, help_text="끝(초) / seconds, included.")
    machine_name = serializers.CharField(required=False, help_text="설비 / this machine only.")
    sensor_no = serializers.CharField(required=False, help_text="센서 / sensors of this number only.")
    recording = serializers.CharField(
        default=DEFAULT_RECORDING, help_text="측정 기록 / which recording of each sensor."
    )


class RecordingSerializer(serializers.ModelSerializer):
    machine_name = serializers.CharField(source="sensor.machine.name")
    sensor_no = serializers.CharField(source="sensor.sensor_no")
    recording = serializers.CharField(source="name")

    class Meta:
        model = Recording
        fields = [
            "id",
            "machine_name",
            "sensor_no",
            "recording",
            "started_at",
            "source",
            "sample_count",
            "first_time",
            "last_time",
            "last_collected_at",
            "last_written_at",
            "created_at",
            "pruned_before",
            "pruned_count",
            "pruned_at",
        ]
        read_only_fields = fields
