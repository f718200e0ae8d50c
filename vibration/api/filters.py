"""Filters of recordings, samples and captures in query strings."""

import django_filters
from django.db.models import Q
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from common.rest.query import InstantFilter, SecondsFilter
from machines.models import Sensor
from vibration.models import Capture, Recording
from vibration.querysets import CaptureQuerySet


class RecordingFilter(FilterSet):
    machine_name = django_filters.CharFilter(
        field_name="sensor__machine__name", help_text="설비 이름 / name of the machine, exactly."
    )
    sensor_no = django_filters.CharFilter(field_name="sensor__sensor_no", help_text="센서 번호 / sensor, exactly.")
    recording = django_filters.CharFilter(field_name="name", help_text="측정 기록 / name of the recording, exactly.")

    class Meta:
        model = Recording
        fields = ["machine_name", "sensor_no", "recording"]


class SampleFilter(RecordingFilter):
    """Filters the recordings down to those that can hold the samples asked for; `window` picks these within them."""

    measured_time_min = SecondsFilter(
        field_name="last_time", lookup_expr="gte", help_text="시작(초) / measured_time from this on."
    )
    measured_time_max = SecondsFilter(
        field_name="first_time", lookup_expr="lte", help_text="끝(초) / measured_time up to this, included."
    )
    collected_at_after = InstantFilter(
        field_name="last_collected_at",
        lookup_expr="gte",
        help_text="수집 시각 이후 / collected_at from this on; no sample whose time is unknown. No index: narrow the "
        "recordings where they are long.",
    )
    collected_at_before = InstantFilter(
        method="pass_on", help_text="수집 시각 이전 / collected_at up to this, included."
    )

    def pass_on(self, recordings, name, value):
        return recordings

    def window(self) -> Q:
        """The condition on samples; the filter set must be valid."""
        lookups = {
            "measured_time_min": "measured_time__gte",
            "measured_time_max": "measured_time__lte",
            "collected_at_after": "collected_at__gte",
            "collected_at_before": "collected_at__lte",
        }
        asked = self.form.cleaned_data
        return Q(**{lookup: asked[name] for name, lookup in lookups.items() if asked[name] is not None})


class CaptureFilter(FilterSet):
    machine_name = django_filters.CharFilter(method="pass_on", help_text="설비 이름 / name of the machine, exactly.")
    sensor_no = django_filters.CharFilter(method="pass_on", help_text="센서 번호 / sensor, exactly.")
    axis = django_filters.CharFilter(method="pass_on", help_text="축 / axis, exactly.")
    started_at_after = InstantFilter(
        field_name="started_at", lookup_expr="gte", help_text="시작 시각 이후 / started_at from this on."
    )
    started_at_before = InstantFilter(
        field_name="started_at", lookup_expr="lte", help_text="시작 시각 이전 / started_at up to this, included."
    )
    has_samples = extend_schema_field(OpenApiTypes.BOOL)(
        django_filters.TypedChoiceFilter(
            choices=[("true", "true"), ("false", "false")],
            coerce="true".__eq__,
            help_text="샘플 있음 / whether its samples are still there.",
        )
    )

    class Meta:
        model = Capture
        fields = ["machine_name", "sensor_no", "axis", "started_at_after", "started_at_before", "has_samples"]

    def pass_on(self, captures: CaptureQuerySet, name: str, value: str) -> CaptureQuerySet:
        return captures

    def filter_queryset(self, queryset: CaptureQuerySet) -> CaptureQuerySet:
        """By the numbers of sensors: joined to these, MariaDB begins with them and sorts all their captures."""
        asked, captures = self.form.cleaned_data, super().filter_queryset(queryset)
        named = {"machine__name": asked["machine_name"], "sensor_no": asked["sensor_no"]}
        axis, wanted = asked["axis"], {lookup: value for lookup, value in named.items() if value}
        if not wanted:
            return captures.with_axis(axis) if axis else captures
        sensors = list(Sensor.objects.order_by().filter(**wanted).values_list("pk", flat=True))
        if axis and len(sensors) == 1:
            return captures.of_axis(sensors[0], axis)
        captures = captures.filter(sensor__in=sensors)
        return captures.with_axis(axis) if axis else captures
