"""What programs ask for of a window of a recording, and what they are told: a waveform, or a spectrum with features."""

import math

from rest_framework import serializers

from common.rest.shapes import Column, Shape
from vibration.api.serializers import WindowQuery
from vibration.models import DEFAULT_RECORDING
from vibration.numbers.spectrum import NOT_EVEN, TOO_FEW
from vibration.numbers.states import STATES
from vibration.numbers.windows import WINDOWS
from vibration.windows.analysis import PRUNED
from vibration.windows.waveform import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS


def points_of(text: str) -> serializers.IntegerField:
    """So many values are sent at most; of CSV, where it is left out, each is sent."""
    return serializers.IntegerField(
        required=False,
        min_value=MIN_POINTS,
        max_value=MAX_POINTS,
        help_text=f"점 수 / {text}; left out: {DEFAULT_POINTS}, and in CSV all that there are.",
    )


class RangeQuery(serializers.Serializer):
    """A range of frequencies, `low` to `high` in Hz."""

    low = serializers.FloatField(default=0.0, min_value=0, help_text="최저 주파수(Hz) / lowest frequency, included.")
    high = serializers.FloatField(
        required=False, min_value=0, help_text="최고 주파수(Hz) / highest frequency, included; left out: to the end."
    )

    def validate(self, attrs):
        query = super().validate(attrs)
        if query.get("high", math.inf) < query["low"]:
            raise serializers.ValidationError({"high": "Must not be smaller than low."})
        return query


def states_of() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=STATES),
        default=list(STATES),
        help_text="상태 / states, all when left out.",
    )


class RecordingQuery(WindowQuery):
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    sensor_no = serializers.CharField(help_text="센서 번호 / sensor.")
    recording = serializers.CharField(default=DEFAULT_RECORDING, help_text="측정 기록 / recording.")
    start = serializers.FloatField(default=0.0, help_text="시작(초) / seconds, included.")
    end = serializers.FloatField(required=False, help_text="끝(초) / seconds, included; left out: to the end.")


class WaveformQuery(RecordingQuery):
    points = serializers.IntegerField(
        default=DEFAULT_POINTS, min_value=MIN_POINTS, max_value=MAX_POINTS, help_text="점 수 / at most so many buckets."
    )
    states = states_of()


class Extremes(Shape):  # of the Waveform of one state
    min = Column(child=serializers.FloatField(), source="minimum", help_text="최솟값 / least value of each bucket.")
    max = Column(child=serializers.FloatField(), source="maximum", help_text="최댓값 / greatest value of each bucket.")


class OfRecording(Shape):  # of a `recording`
    machine_name = serializers.CharField(source="recording.sensor.machine.name")
    sensor_no = serializers.CharField(source="recording.sensor.sensor_no")
    recording = serializers.CharField(source="recording.name")


class WaveformAnswer(OfRecording):  # of a `waveform` too, and the `columns` of it for each state
    recording_start = serializers.FloatField(
        source="recording.first_time", allow_null=True, help_text="Seconds; null when it holds no samples."
    )
    recording_end = serializers.FloatField(source="recording.last_time", allow_null=True)
    pruned_before = serializers.FloatField(
        source="recording.pruned_before",
        help_text="원본 샘플이 삭제된 구간의 끝(초) / raw samples before this time were removed; windows that begin "
        "there are drawn from what is kept of them. 0: none.",
    )
    start = serializers.FloatField(
        source="waveform.start",
        help_text="Seconds: the window, widened to whole buckets.",
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
    states = serializers.DictField(
        child=Extremes(), source="columns", help_text="상태별 값 / by state: normal, unbalance, ..."
    )


class SpectrumQuery(RangeQuery, RecordingQuery):
    points = points_of("at most so many amplitudes of each state")
    states = states_of()


class WindowFeatures(Shape):
    """Features of one state; the mean is not removed from RMS and peak. Null where it is not defined."""

    rms = serializers.FloatField(allow_null=True, help_text="실효값(RMS) / root mean square.")
    peak = serializers.FloatField(allow_null=True, help_text="피크 / greatest absolute value.")
    crest_factor = serializers.FloatField(allow_null=True, help_text="파고율 / peak over RMS.")
    kurtosis = serializers.FloatField(
        allow_null=True,
        help_text="첨도 / Pearson's: 1.5 of a sine, 3 of Gaussian noise. Of the `samples_read` samples that were read.",
    )


class SpectrumPeak(Shape):
    frequency = serializers.FloatField(help_text="주파수(Hz) / the mean of the bins that belong to the peak.")
    amplitude = serializers.FloatField(
        help_text="진폭 / of the sine that has as much energy as these bins together: where a tone lies between two "
        "bins or its speed wavers, more than the greatest of them."
    )
    order = serializers.FloatField(
        allow_null=True, help_text="차수 / times the rated speed; null where that is not known."
    )


class SpectrumOfSections(Shape):  # of a `spectrum`, and its frequencies to be drawn
    start = serializers.FloatField(
        source="spectrum.start",
        help_text="Seconds, the first sample of the first section.",
    )
    end = serializers.FloatField(source="spectrum.end", help_text="Seconds, the last sample of the last section.")
    samples = serializers.IntegerField(
        source="spectrum.samples",
        help_text="샘플 수 / samples that are in a section: fewer than were read where there are gaps.",
    )
    sampling_frequency = serializers.FloatField(source="spectrum.sampling_frequency", help_text="샘플링 주파수 / Hz.")
    resolution = serializers.FloatField(
        source="spectrum.resolution",
        help_text="분해능 / Hz from bin to bin, 1 / `section_length`: 2 Hz whatever the window, unless `is_short`.",
    )
    sections = serializers.IntegerField(
        source="spectrum.sections", help_text="세그먼트 수 / sections, overlapping by half, that are averaged."
    )
    overlap = serializers.FloatField(
        source="spectrum.overlap", help_text="겹침 / share of a section that the next one has too; 0 of a single one."
    )
    section_samples = serializers.IntegerField(
        source="spectrum.section_samples", help_text="세그먼트의 샘플 수 / samples of each."
    )
    section_length = serializers.FloatField(
        source="spectrum.section_length", help_text="세그먼트의 길이(초) / seconds that each lasts."
    )
    is_short = serializers.BooleanField(
        source="spectrum.is_short",
        help_text="짧은 세그먼트 / no stretch without a gap has room for a whole section: the longest is the only "
        "one, and the resolution is coarser.",
    )
    window = serializers.ChoiceField(
        [it.name for it in WINDOWS.values()], source="spectrum.window.name", help_text="창 함수 / of each section."
    )
    bins = serializers.IntegerField(help_text="Amplitudes from `low` to `high`, before they were reduced to `points`.")
    frequency = Column(child=serializers.FloatField(), help_text="주파수(Hz) / the middle of each group of bins.")


class Spectrum(SpectrumOfSections):  # its amplitudes to be drawn, and its peaks, by themselves
    """A single-sided amplitude spectrum, the mean of several sections: a sine of amplitude A stands in it as A."""

    amplitude = serializers.DictField(
        child=Column(child=serializers.FloatField()),
        help_text="진폭 / greatest of each group, by state.",
    )
    peaks = serializers.DictField(
        child=SpectrumPeak(many=True), help_text="피크 / by state, the five highest that stand out, highest first."
    )


class SpectrumAnswer(OfRecording):  # of an `analysis` too; features and spectrum of the states by themselves
    rated_rpm = serializers.IntegerField(allow_null=True, help_text="정격 회전수(rpm) / null where it is not known.")
    pruned_before = serializers.FloatField(
        source="recording.pruned_before",
        help_text="원본 샘플이 삭제된 구간의 끝(초) / raw samples before it were removed. A window that begins there "
        "is widened to whole buckets, and its features are those of all samples that there were. 0: none.",
    )
    start = serializers.FloatField(
        source="analysis.start", allow_null=True, help_text="Seconds, the first sample of the window; null: none."
    )
    end = serializers.FloatField(source="analysis.end", allow_null=True, help_text="Seconds, its last sample.")
    samples = serializers.IntegerField(
        source="analysis.samples",
        help_text="샘플 수 / samples of the window: RMS, peak and crest factor use all of them.",
    )
    samples_read = serializers.IntegerField(
        source="analysis.samples_read",
        help_text="읽은 샘플 수 / samples that kurtosis and spectrum use: all of the window, or, where it has more "
        "than about 32,768, those of parts spread evenly over it.",
    )
    truncated = serializers.BooleanField(
        source="analysis.truncated", help_text="일부만 읽음 / `samples_read` is less than `samples`."
    )
    parts = serializers.IntegerField(
        source="analysis.parts", help_text="읽은 부분의 수 / number of parts that were read; 1: the whole window."
    )
    features = serializers.DictField(child=WindowFeatures(), help_text="상태별 특징값 / by state: normal, ...")
    spectrum_reason = serializers.ChoiceField(
        [TOO_FEW, NOT_EVEN, PRUNED],
        source="analysis.reason",
        allow_null=True,
        help_text="스펙트럼이 없는 이유 / why there is none; null: there is one.",
    )
    spectrum = Spectrum(allow_null=True)
