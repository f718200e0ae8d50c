from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from common.admin.forms import ToldOfChanges
from common.admin.lists import OfferedFilters, ReadOnly
from machines.models import Bearing, Machine, PostConflict, Sensor


class SensorInline(admin.TabularInline):
    model = Sensor
    extra = 0
    ordering = ["sensor_no"]


class BearingInline(admin.TabularInline):
    model = Bearing
    extra = 0
    ordering = ["name"]

    def get_formset(self, request, obj=None, **kwargs):
        """Only sensors of this machine are offered."""
        formset = super().get_formset(request, obj, **kwargs)
        sensor: Any = formset.form.base_fields.get("sensor")
        if sensor:  # there is none for who may only look
            sensor.queryset = Sensor.objects.filter(machine=obj)
        return formset


@admin.register(Machine)
class MachineAdmin(ToldOfChanges, OfferedFilters, admin.ModelAdmin):
    list_display = ["name", "title", "location", "expected_interval_min", "is_active", "sensor_count", "registered_by"]
    list_editable = ["is_active"]
    list_per_page = 50  # a form field in each row takes its time
    list_filter = ["is_active", "registered_by", "location"]
    search_fields = ["name", "title", "location", "notes"]
    readonly_fields = ["registered_by"]
    inlines = [SensorInline, BearingInline]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(sensor_count=Count("sensors", distinct=True))

    @admin.display(description=_("sensors"), ordering="sensor_count")
    def sensor_count(self, machine):
        return machine.sensor_count


@admin.register(PostConflict)
class PostConflictAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    """One row for each machine, caller and day, with the last conflicting row as an example."""

    list_display = ["last_at", "machine_name", "data", "poster", "rows", "last_key", "last_stored", "last_came"]
    list_filter = ["data", "last_at"]
    search_fields = ["machine_name", "poster", "last_key"]
    exclude = ["machine"]  # its name stays
