"""Diagnoses as programs post and read them, and the query strings of their paths."""

from typing import Any

from django.utils.translation import override
from rest_framework import serializers

from common.periods import RANGES
from common.rest.fields import NameField, NumberField, TimeField, WholeNumberField
from common.rest.query import QueryTimeField
from common.rest.shapes import Column, MillisecondColumn, Shape
from common.rest.strict import RefuseUnknown
from diagnosis.history.acts_between import SHOWN
from diagnosis.history.reading import microseconds
from diagnosis.models import EpisodeAct, VibrationDiagnosis
from diagnosis.states import FaultType
from machines.models import Machine
from machines.serializers import MachineSerializer
from vibration.api.serializers import NotesField


def _name(state: FaultType, language: str) -> str:
    with override(language):
        return str(state.label)


MEANING = ", ".join(f"{state} {_name(state, 'ko')} {_name(state, 'en')}" for state in sorted(FaultType))
KNOWN: dict[str, Any] = {"min_value": min(FaultType.values), "max_value": max(FaultType.values)}


class DiagnosisRow(RefuseUnknown, serializers.Serializer):
    """A diagnosis as it is posted."""

    machine_name = NameField(Machine._meta.get_field("name"), help_text="설비 이름 / machine.")
    detected_at = TimeField(help_text="진단 시각 / when it was so. Without an offset it is plant time.")
    fault_type = WholeNumberField(**KNOWN, help_text=f"진단 / {MEANING}.")
    model_name = NameField(
        VibrationDiagnosis._meta.get_field("model_name"),
        default="",
        allow_blank=True,
        help_text="AI 모델 / the model that says so; two may speak of one instant.",
    )
    confidence = NumberField(
        min_value=0, max_value=1, required=False, allow_null=True, help_text="신뢰도 / from 0 to 1."
    )


class Diagnosis(Shape):
    """A diagnosis as it is stored."""

    id = serializers.IntegerField()
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    detected_at = serializers.DateTimeField(help_text="진단 시각 / in plant time with its offset.")
    fault_type = serializers.IntegerField(**KNOWN, help_text=f"진단 / {MEANING}.")
    model_name = serializers.CharField(allow_blank=True, help_text="AI 모델 / model; empty when it was not named.")
    confidence = serializers.FloatField(allow_null=True, help_text="신뢰도 / from 0 to 1.")


class StoredDiagnosis(Diagnosis):
    """The answer to who posted it."""

    notes = NotesField()


class LatestDiagnosis(Diagnosis):
    machine = MachineSerializer(help_text="설비 정보 / the machine's master data.")


class InstantField(serializers.FloatField):
    """An instant in milliseconds since 1970, as JavaScript has it."""

    def to_representation(self, instant):
        return microseconds(instant) / 1_000


class TimelineQuery(serializers.Serializer):
    machine_name = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="설비 / machines; all, in order of name, if none."
    )
    fault_type = serializers.MultipleChoiceField(
        choices=FaultType.choices, required=False, help_text="진단 / states to list; all if none."
    )
    start = QueryTimeField(
        measured=False, required=False, help_text="시작, 포함 / first instant; 7 days before the end if left out."
    )
    end = QueryTimeField(measured=False, required=False, help_text="끝, 제외 / instant after the last one; now.")
    range = serializers.ChoiceField(
        choices=list(RANGES), required=False, help_text="기간 / this long until now, instead of start and end."
    )
    points = serializers.IntegerField(
        default=1_000, min_value=10, max_value=4_000, help_text="점 수 / how many pixels the drawing has."
    )

    def validate(self, asked):
        if "range" in asked and ("start" in asked or "end" in asked):
            raise serializers.ValidationError({"range": ["Give either a range or start and end."]})
        return asked


class TimelineAct(Shape):  # of an EpisodeAct with its episode at hand
    """An acknowledgement, an outcome or a note."""

    at = InstantField(help_text="시각 / when; milliseconds since 1970, UTC.")
    kind = serializers.ChoiceField(choices=SHOWN, help_text="조치 / what was done: acknowledge, close, note.")
    by_name = serializers.CharField(help_text="작업자 / who did it.")
    episode = serializers.IntegerField(source="episode_id", help_text="에피소드 / about which episode.")
    fault_type = serializers.IntegerField(**KNOWN, source="episode.fault_type", help_text=f"진단 / {MEANING}.")
    verdict = serializers.ChoiceField(
        choices=EpisodeAct.Verdict.values, required=False, help_text="판정 / outcome of a close."
    )
    comment = serializers.CharField(required=False, help_text="의견 / comment.")
    action = serializers.CharField(required=False, help_text="조치 내용 / action taken.")


class MachineRuns(Shape):  # of a `machine`, its `runs`, the `models` of these and its `acts`
    """Runs of one machine in rising order of time; a list has one value for each run."""

    machine_name = serializers.CharField(source="machine.name", help_text="설비 이름 / machine.")
    fault_type = Column(
        child=serializers.IntegerField(**KNOWN),
        source="runs.state",
        help_text=f"진단 / state; of several runs the worst. {MEANING}.",
    )
    start = MillisecondColumn(
        source="runs.start", help_text="시작 / its first diagnosis; milliseconds since 1970, UTC."
    )
    end = MillisecondColumn(
        source="runs.end", help_text="끝 / until when its last diagnosis holds; milliseconds since 1970, UTC."
    )
    count = Column(child=serializers.IntegerField(), source="runs.count", help_text="진단 수 / diagnoses.")
    runs = Column(
        child=serializers.IntegerField(),
        source="runs.runs",
        help_text="상태 구간 수 / runs merged into one, being thinner than a pixel; else 1.",
    )
    first_model = Column(
        child=serializers.CharField(allow_blank=True), source="models.least", help_text="AI 모델 / model."
    )
    last_model = Column(
        child=serializers.CharField(allow_blank=True),
        source="models.greatest",
        help_text="AI 모델 / another one, if there are several.",
    )
    least_confidence = Column(
        child=serializers.FloatField(allow_null=True), source="runs.least_confidence", help_text="최소 신뢰도."
    )
    greatest_confidence = Column(
        child=serializers.FloatField(allow_null=True), source="runs.greatest_confidence", help_text="최대 신뢰도."
    )
    acts = TimelineAct(
        many=True,
        required=False,
        help_text="조치 / what people did about its episodes in this period; 1,000 at most, the newest.",
    )


class Timeline(Shape):
    start = serializers.FloatField(help_text="시작 / milliseconds since 1970, UTC.")
    end = serializers.FloatField(help_text="끝 / milliseconds since 1970, UTC.")
    now = serializers.FloatField(help_text="현재 / the server's time; a run that ends then is ongoing.")
    machines = MachineRuns(many=True)


class GroupedRecentQuery(serializers.Serializer):
    per_group_limit = serializers.IntegerField(
        default=1_000, min_value=1, max_value=10_000, help_text="설비별 행 수 / rows of each machine."
    )
    machine_name = serializers.CharField(required=False, help_text="설비 / this machine only.")
