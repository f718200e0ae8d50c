"""What programs ask for of the features of a recording over windows, and what they are told."""

from rest_framework import serializers

from common.rest.shapes import Column, Shape
from vibration.api.window_serializers import OfRecording, RecordingQuery, states_of
from vibration.signals.quantities import QUANTITIES
from vibration.signals.reasons import Reason
from vibration.windows.signal_features import MAX_WINDOWS, USUAL_WINDOWS

FEATURE_NAMES = tuple(QUANTITIES)


class FeaturesQuery(RecordingQuery):
    windows = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_WINDOWS,
        help_text="구간 수 / into so many windows, spread evenly. Left out: about one each 4 s, at most "
        f"{USUAL_WINDOWS}.",
    )
    states = states_of()


class FeatureSummary(Shape):
    """Of one feature in one state, over all windows."""

    windows = serializers.IntegerField(help_text="구간 수 / windows in which it is assessable.")
    median = serializers.FloatField(allow_null=True, help_text="중앙값 / of these; null: there are none.")
    ratio = serializers.FloatField(
        allow_null=True,
        help_text="정상 대비 / median over that of normal; null where that is 0 or not known, and of the mean.",
    )
    reason = serializers.ChoiceField(
        [it.value for it in Reason if it],
        allow_null=True,
        help_text="평가할 수 없는 이유 / why most windows without it have none: unit, rate, short, flat, speed; null: "
        "all have it, or nothing stands out of the noise, or their samples are not evenly spaced.",
    )


class FeaturesAnswer(OfRecording):  # of `read`, the FeatureWindows, too; columns and summaries of the states
    rated_rpm = serializers.IntegerField(allow_null=True, help_text="정격 회전수(rpm) / null where it is not known.")
    unit = serializers.CharField(
        source="recording.sensor.unit", help_text="센서 단위 / as entered at the sensor; nothing is computed from it."
    )
    pruned_before = serializers.FloatField(
        source="recording.pruned_before",
        help_text="원본 샘플이 삭제된 구간의 끝(초) / raw samples before it were removed; no window has them.",
    )
    start = serializers.FloatField(source="read.start", help_text="Seconds: what the windows are spread over.")
    end = serializers.FloatField(source="read.end")
    windows = serializers.IntegerField(source="read.asked", help_text="구간 수 / windows, of which some may be empty.")
    window_length = serializers.FloatField(
        source="read.length", help_text="구간의 길이(초) / seconds of each: 4, or less where more are asked for."
    )
    window_distance = serializers.FloatField(
        source="read.part", help_text="구간의 간격(초) / seconds from one to the next; samples between are not read."
    )
    empty = serializers.IntegerField(source="read.empty", help_text="빈 구간 / windows in which nothing was measured.")
    removed = serializers.IntegerField(
        source="read.removed", help_text="삭제된 구간 / windows whose samples were removed by retention."
    )
    uneven = serializers.IntegerField(
        source="read.uneven",
        help_text="불균등 구간 / windows whose samples are not evenly spaced: they are no signal and have no features.",
    )
    cut = serializers.IntegerField(
        source="read.cut",
        help_text="잘린 구간 / windows that hold more samples than are read of one: their beginning is.",
    )
    samples_read = serializers.IntegerField(source="read.samples_read", help_text="읽은 샘플 수 / of all windows.")
    window_start = Column(child=serializers.FloatField(), help_text="Seconds: the first sample of each window.")
    window_end = Column(child=serializers.FloatField(), help_text="Seconds: its last sample.")
    samples = Column(child=serializers.IntegerField(), help_text="샘플 수 / samples of each window.")
    sampling_frequency = Column(
        child=serializers.FloatField(allow_null=True), help_text="샘플링 주파수 / Hz of each; null: not evenly spaced."
    )
    features = serializers.DictField(
        child=serializers.DictField(child=Column(child=serializers.FloatField(allow_null=True))),
        help_text="상태별 특징값 / by state and feature: a value of each window, null where not assessable.",
    )
    summaries = serializers.DictField(
        child=serializers.DictField(child=FeatureSummary()), help_text="요약 / by state and feature."
    )
