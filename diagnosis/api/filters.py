"""Which diagnoses a query string asks for."""

import django_filters
from django_filters.rest_framework import FilterSet

from common.rest.query import InstantFilter
from diagnosis.models import FaultType, VibrationDiagnosis


class DiagnosisFilter(FilterSet):
    machine_name = django_filters.CharFilter(field_name="machine__name", help_text="설비 이름 / machine, exactly.")
    detected_at_after = InstantFilter(
        field_name="detected_at", lookup_expr="gte", help_text="진단 시각 이후 / detected_at from this on."
    )
    detected_at_before = InstantFilter(
        field_name="detected_at", lookup_expr="lte", help_text="진단 시각 이전 / detected_at up to this, included."
    )
    fault_type = django_filters.MultipleChoiceFilter(
        choices=FaultType.choices, help_text="진단 결과 / state; may be given more than once."
    )
    model_name = django_filters.CharFilter(help_text="AI 모델 / model, exactly.")

    class Meta:
        model = VibrationDiagnosis
        fields = ["machine_name", "detected_at_after", "detected_at_before", "fault_type", "model_name"]
