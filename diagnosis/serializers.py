"""What programs post and read of diagnoses, and what they may ask for."""

from rest_framework import serializers

from diagnosis.models import FaultType, VibrationDiagnosis
from machines.models import Machine
from machines.row_fields import NameField, NumberField, TimeField, WholeNumberField
from machines.serializers import MachineSerializer, RefuseUnknown

MEANING = "0 정상 normal, 1 질량 불균형 unbalance, 2 지지 불량 looseness, 3 복합 불량 both"
KNOWN = {"min_value": min(FaultType.values), "max_value": max(FaultType.values)}


class DiagnosisRow(RefuseUnknown, serializers.Serializer):
    """A diagnosis as it is posted."""

    machine_name = NameField(Machine._meta.get_field("name"), help_text="설비 이름 / machine.")
    detected_at = TimeField(help_text="진단 시각 / when it was so. Without an offset it is plant time.")
    fault_type = WholeNumberField(**KNOWN, help_text=f"진단 결과 / {MEANING}.")
    model_name = NameField(
        VibrationDiagnosis._meta.get_field("model_name"),
        default="",
        allow_blank=True,
        help_text="AI 모델 / the model that says so; two may speak of one instant.",
    )
    confidence = NumberField(
        min_value=0, max_value=1, required=False, allow_null=True, help_text="신뢰도 / from 0 to 1."
    )


class Diagnosis(serializers.Serializer):
    """A diagnosis as it is stored."""

    id = serializers.IntegerField()
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    detected_at = serializers.DateTimeField(help_text="진단 시각 / in plant time with its offset.")
    fault_type = serializers.IntegerField(**KNOWN, help_text=f"진단 결과 / {MEANING}.")
    model_name = serializers.CharField(allow_blank=True, help_text="AI 모델 / model; empty when it was not named.")
    confidence = serializers.FloatField(allow_null=True, help_text="신뢰도 / from 0 to 1.")


class LatestDiagnosis(Diagnosis):
    machine = MachineSerializer(help_text="설비 정보 / the machine's master data.")


class DiagnosisPage(serializers.Serializer):
    next = serializers.URLField(allow_null=True, help_text="다음 쪽 / address of the next page; null on the last one.")
    results = Diagnosis(many=True)


class DiagnosisPageQuery(serializers.Serializer):
    limit = serializers.IntegerField(default=100, min_value=1, max_value=10_000, help_text="쪽 크기 / rows on a page.")
    cursor = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="다음 쪽 / from the `next` of the page before."
    )


class GroupedRecentQuery(serializers.Serializer):
    per_group_limit = serializers.IntegerField(
        default=1_000, min_value=1, max_value=10_000, help_text="설비별 행 수 / rows of each machine."
    )
    machine_name = serializers.CharField(required=False, help_text="설비 / this machine only.")
