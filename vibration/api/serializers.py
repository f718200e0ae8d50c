"""Samples and recordings as programs post and read them, and the query strings of their paths."""

from zoneinfo import ZoneInfo

from rest_framework import serializers

from common.rest.fields import NameField, NumberField, TimeField
from common.rest.strict import RefuseUnknown
from machines.models import Machine, Sensor
from vibration.csv.times import TIMES, find_zone
from vibration.files.storing import ON_RESTART
from vibration.models import DEFAULT_RECORDING, ImportRun, Recording
from vibration.numbers.epochs import what_it_is
from vibration.numbers.spectrum import NOT_EVEN, TOO_FEW
from vibration.numbers.states import MAX_TIME_S, MAX_VALUE, STATES
from vibration.windows.analysis import PRUNED
from vibration.windows.waveform import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS


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


class Sample(serializers.Serializer):
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


class PostedRows(serializers.Serializer):
    """What became of a list of rows; received = inserted + identical + conflicting."""

    status = serializers.ChoiceField(["success"])
    received = serializers.IntegerField(help_text="받은 행 / rows in the request.")
    inserted = serializers.IntegerField(help_text="새로 저장 / stored now.")
    identical = serializers.IntegerField(help_text="이미 저장됨 / stored before with the same values.")
    conflicting = serializers.IntegerField(help_text="충돌 / not stored: their key is stored with other values.")
    conflicts = serializers.ListField(
        child=serializers.IntegerField(), help_text="충돌한 행 번호 / numbers of the conflicting rows, from 0."
    )
    notes = NotesField()


class PostedSamples(PostedRows):
    """Of a list of samples; rows where raw samples were removed count as conflicting, and are named once more."""

    pruned = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        help_text="원본 샘플 삭제 구간의 행 번호 / conflicting rows where raw samples were removed by retention. Left "
        "out when there are none.",
    )
    notes = NotesField("지운 행의 이유 / and why such rows are not stored, for each recording.")


class WindowQuery(serializers.Serializer):
    """A window of time, `start` to `end` in seconds."""

    def validate(self, query):
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


class WaveformQuery(WindowQuery):
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    sensor_no = serializers.CharField(help_text="센서 번호 / sensor.")
    recording = serializers.CharField(default=DEFAULT_RECORDING, help_text="측정 기록 / recording.")
    start = serializers.FloatField(default=0.0, help_text="시작(초) / seconds, included.")
    end = serializers.FloatField(required=False, help_text="끝(초) / seconds, included; left out: to the end.")
    points = serializers.IntegerField(
        default=DEFAULT_POINTS, min_value=MIN_POINTS, max_value=MAX_POINTS, help_text="점 수 / at most so many buckets."
    )
    states = serializers.ListField(
        child=serializers.ChoiceField(choices=STATES),
        default=list(STATES),
        help_text="상태 / states, all when left out.",
    )


class Extremes(serializers.Serializer):
    min = serializers.ListField(child=serializers.FloatField(), help_text="최솟값 / least value of each bucket.")
    max = serializers.ListField(child=serializers.FloatField(), help_text="최댓값 / greatest value of each bucket.")


class WaveformAnswer(serializers.Serializer):
    machine_name = serializers.CharField()
    sensor_no = serializers.CharField()
    recording = serializers.CharField()
    recording_start = serializers.FloatField(allow_null=True, help_text="Seconds; null when it holds no samples.")
    recording_end = serializers.FloatField(allow_null=True)
    pruned_before = serializers.FloatField(
        help_text="원본 샘플이 삭제된 구간의 끝(초) / raw samples before this time were removed; windows that begin "
        "there are drawn from what is kept of them. 0: none."
    )
    start = serializers.FloatField(help_text="Seconds: the window, widened to whole buckets.")
    end = serializers.FloatField()
    bucket_width = serializers.FloatField(help_text="Seconds; 0 when each sample is on its own.")
    buckets = serializers.IntegerField(help_text="Length of `time` and of each list of values.")
    samples = serializers.IntegerField(help_text="샘플 수 / samples that the buckets represent.")
    time = serializers.ListField(child=serializers.FloatField(), help_text="Seconds where each bucket begins.")
    states = serializers.DictField(child=Extremes(), help_text="상태별 값 / by state: normal, unbalance, ...")


class SpectrumQuery(WaveformQuery):
    points = serializers.IntegerField(
        default=DEFAULT_POINTS,
        min_value=MIN_POINTS,
        max_value=MAX_POINTS,
        help_text="점 수 / at most so many amplitudes of each state.",
    )


class WindowFeatures(serializers.Serializer):
    """Features of one state; the mean is not removed from RMS and peak. Null where it is not defined."""

    rms = serializers.FloatField(allow_null=True, help_text="실효값(RMS) / root mean square.")
    peak = serializers.FloatField(allow_null=True, help_text="피크 / greatest absolute value.")
    crest_factor = serializers.FloatField(allow_null=True, help_text="파고율 / peak over RMS.")
    kurtosis = serializers.FloatField(
        allow_null=True,
        help_text="첨도 / Pearson's: 1.5 of a sine, 3 of Gaussian noise. Of the `samples_read` samples that were read.",
    )


class SpectrumPeak(serializers.Serializer):
    frequency = serializers.FloatField(help_text="주파수(Hz) / the mean of the bins that belong to the peak.")
    amplitude = serializers.FloatField(
        help_text="진폭 / of the sine that has as much energy as these bins together: where a tone lies between two "
        "bins or its speed wavers, more than the greatest of them."
    )
    order = serializers.FloatField(
        allow_null=True, help_text="차수 / times the rated speed; null where that is not known."
    )


class Spectrum(serializers.Serializer):
    """A single-sided amplitude spectrum, the mean of several sections: a sine of amplitude A stands in it as A."""

    start = serializers.FloatField(help_text="Seconds, the first sample of the first section.")
    end = serializers.FloatField(help_text="Seconds, the last sample of the last section.")
    samples = serializers.IntegerField(
        help_text="샘플 수 / samples that are in a section: fewer than were read where there are gaps."
    )
    sampling_frequency = serializers.FloatField(help_text="샘플링 주파수 / Hz.")
    resolution = serializers.FloatField(
        help_text="분해능 / Hz from bin to bin, 1 / `section_length`: 2 Hz whatever the window, unless `is_short`."
    )
    sections = serializers.IntegerField(help_text="세그먼트 수 / sections, overlapping by half, that are averaged.")
    section_samples = serializers.IntegerField(help_text="세그먼트의 샘플 수 / samples of each.")
    section_length = serializers.FloatField(help_text="세그먼트의 길이(초) / seconds that each lasts.")
    is_short = serializers.BooleanField(
        help_text="짧은 세그먼트 / no stretch without a gap has room for a whole section: the longest is the only "
        "one, and the resolution is coarser."
    )
    window = serializers.ChoiceField(["Hann"])
    bins = serializers.IntegerField(help_text="Amplitudes before they were reduced to `points`.")
    frequency = serializers.ListField(
        child=serializers.FloatField(), help_text="주파수(Hz) / the middle of each group of bins."
    )
    amplitude = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="진폭 / greatest of each group, by state.",
    )
    peaks = serializers.DictField(
        child=SpectrumPeak(many=True), help_text="피크 / by state, the five highest that stand out, highest first."
    )


class SpectrumAnswer(serializers.Serializer):
    machine_name = serializers.CharField()
    sensor_no = serializers.CharField()
    recording = serializers.CharField()
    rated_rpm = serializers.IntegerField(allow_null=True, help_text="정격 회전수(rpm) / null where it is not known.")
    pruned_before = serializers.FloatField(
        help_text="원본 샘플이 삭제된 구간의 끝(초) / raw samples before it were removed. A window that begins there "
        "is widened to whole buckets, and its features are those of all samples that there were. 0: none."
    )
    start = serializers.FloatField(allow_null=True, help_text="Seconds, the first sample of the window; null: none.")
    end = serializers.FloatField(allow_null=True, help_text="Seconds, its last sample.")
    samples = serializers.IntegerField(
        help_text="샘플 수 / samples of the window: RMS, peak and crest factor use all of them."
    )
    samples_read = serializers.IntegerField(
        help_text="읽은 샘플 수 / samples that kurtosis and spectrum use: all of the window, or, where it has more "
        "than about 32,768, those of places spread evenly over it."
    )
    truncated = serializers.BooleanField(help_text="일부만 읽음 / `samples_read` is less than `samples`.")
    places = serializers.IntegerField(help_text="읽은 부분의 수 / number of parts that were read; 1: the whole window.")
    features = serializers.DictField(child=WindowFeatures(), help_text="상태별 특징값 / by state: normal, ...")
    spectrum_reason = serializers.ChoiceField(
        [TOO_FEW, NOT_EVEN, PRUNED],
        allow_null=True,
        help_text="스펙트럼이 없는 이유 / why there is none; null: there is one.",
    )
    spectrum = Spectrum(allow_null=True)


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


class ImportReport(serializers.Serializer):
    """What became of an uploaded file; read = new + identical + conflicting + rejected."""

    import_run = serializers.IntegerField(help_text="Number of its record in the administration.")
    file = serializers.CharField()
    place = serializers.CharField(help_text="machine / sensor / recording.")
    outcome = serializers.ChoiceField(ImportRun.Outcome.values)
    message = serializers.CharField(allow_blank=True)
    read = serializers.IntegerField(help_text="읽은 행 / rows read.")
    new = serializers.IntegerField(help_text="새로 저장 / stored now.")
    identical = serializers.IntegerField(help_text="이미 저장됨 / stored before with the same values.")
    conflicting = serializers.IntegerField(help_text="충돌 / not stored: other values are stored at their time.")
    rejected = serializers.IntegerField(help_text="거부 / bad rows.")
    seconds = serializers.FloatField()
    problems = serializers.ListField(child=serializers.CharField(), help_text="The first bad rows, with their lines.")
    notes = serializers.ListField(child=serializers.CharField())


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
