"""A CSV file that a program uploads, and what it is told of it."""

from zoneinfo import ZoneInfo

from rest_framework import serializers

from common.rest.fields import NameField, TimeField
from common.rest.shapes import Shape
from common.rest.strict import RefuseUnknown
from machines.models import Machine, Sensor
from vibration.csv.times import TIMES, find_zone
from vibration.files.storing import ON_RESTART
from vibration.models import DEFAULT_RECORDING, ImportRun, Recording


class CsvUpload(RefuseUnknown, serializers.Serializer):
    file = serializers.FileField(help_text="CSV 파일 / `.csv` or `.csv.gz`, as `import_vibration` takes it.")
    machine_name = NameField(
        Machine._meta.get_field("name"), required=False, help_text="설비 이름 / else from the file's name."
    )
    sensor_no = NameField(
        Sensor._meta.get_field("sensor_no"), required=False, help_text="센서 번호 / else from the file's name."
    )
    recording = NameField(
        Recording._meta.get_field("name"), default=DEFAULT_RECORDING, help_text="측정 기록 / recording."
    )
    started_at = TimeField(required=False, help_text="시작 시각 / when the recording began; with `time=seconds` only.")
    time = serializers.ChoiceField(
        TIMES,
        default="seconds",
        help_text="시간 열의 형식 / how the time column is written: seconds from the start; seconds, ms, us or ns "
        "since 1970; ISO 8601. Of all but `seconds` the first is the start of a new recording.",
    )
    time_zone = serializers.CharField(
        max_length=64,
        required=False,
        help_text="표준 시간대 / where `time=iso` without an offset is meant, such as UTC; left out: plant time.",
    )
    on_restart = serializers.ChoiceField(
        ON_RESTART,
        default="refuse",
        help_text="시간이 되돌아가는 행 / where the time falls back: end before that row, begin another "
        "recording there (`NAME-2`, ...), or take all rows as one recording.",
    )
    on_error = serializers.ChoiceField(
        ["stop", "skip"], default="stop", help_text="오류 행 / at a bad row, end before it or leave it out."
    )

    def validate_time_zone(self, name: str) -> ZoneInfo:
        try:
            return find_zone(name)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.") from None

    def validate(self, asked):
        if "started_at" in asked and asked["time"] != "seconds":
            message = "Goes with time=seconds; time stamps already say when the start was."
            raise serializers.ValidationError({"started_at": [message]})
        if "time_zone" in asked and asked["time"] != "iso":
            raise serializers.ValidationError({"time_zone": ["Goes with time=iso."]})
        return asked


class ImportReport(Shape):  # of a Report
    """What became of an uploaded file; read = new + identical + conflicting + rejected."""

    import_run = serializers.IntegerField(source="run.pk", help_text="Number of its record in the administration.")
    file = serializers.CharField(source="run.file_name")
    place = serializers.CharField(source="run.place", help_text="machine / sensor / recording.")
    outcome = serializers.ChoiceField(ImportRun.Outcome.values, source="run.outcome")
    message = serializers.CharField(source="run.message", allow_blank=True)
    read = serializers.IntegerField(source="run.read", help_text="읽은 행 / rows read.")
    new = serializers.IntegerField(source="run.new", help_text="새로 저장 / stored now.")
    identical = serializers.IntegerField(
        source="run.identical", help_text="이미 저장됨 / stored before with the same values."
    )
    conflicting = serializers.IntegerField(
        source="run.conflicting", help_text="충돌 / not stored: other values are stored at their time."
    )
    rejected = serializers.IntegerField(source="run.rejected", help_text="거부 / bad rows.")
    seconds = serializers.FloatField()
    problems = serializers.ListField(child=serializers.CharField(), help_text="The first bad rows, with their lines.")
    notes = serializers.ListField(child=serializers.CharField())
