"""Filters of diagnoses in query strings."""

import django_filters
from django_filters.rest_framework import FilterSet

from common.rest.query import InstantFilter
from diagnosis.models import VibrationDiagnosis
from diagnosis.states import FaultType
from machines.models import Machine


class DiagnosisFilter(FilterSet):
    machine_name = django_filters.CharFilter(method="of_machine", help_text="설비 이름 / machine, exactly.")
    detected_at_after = InstantFilter(
        field_name="detected_at", lookup_expr="gte", help_text="진단 시각 이후 / detected_at from this on."
    )
    detected_at_before = InstantFilter(
        field_name="detected_at", lookup_expr="lte", help_text="진단 시각 이전 / detected_at up to this, included."
    )
    fault_type = django_filters.MultipleChoiceFilter(
        choices=FaultType.choices, help_text="진단 / state; may be given more than once."
    )
    model_name = django_filters.CharFilter(help_text="AI 모델 / model, exactly.")

    class Meta:
        model = VibrationDiagnosis
        fields = ["machine_name", "detected_at_after", "detected_at_before", "fault_type", "model_name"]

    def of_machine(self, queryset, name, value):
        machine = Machine.objects.filter(name=value).values_list("pk", flat=True).first()
        return queryset.none() if machine is None else queryset.of_machine(machine)
