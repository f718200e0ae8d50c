"""Filters of machines and sensors in query strings."""

import django_filters
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from machines.models import Machine, Sensor


class MachineFilter(FilterSet):
    name = django_filters.CharFilter(help_text="설비 이름 / name of the machine, exactly.")
    # BooleanFilter would pass over what is neither.
    is_active = extend_schema_field(OpenApiTypes.BOOL)(
        django_filters.TypedChoiceFilter(
            choices=[("true", "true"), ("false", "false")], coerce="true".__eq__, help_text="사용 중 / in use."
        )
    )

    class Meta:
        model = Machine
        fields = ["name", "is_active"]


class SensorFilter(FilterSet):
    machine_name = django_filters.CharFilter(
        field_name="machine__name", help_text="설비 이름 / name of the machine, exactly."
    )

    class Meta:
        model = Sensor
        fields = ["machine_name", "sensor_no"]
