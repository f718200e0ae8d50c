"""Admin of captures, which are looked at and deleted, and of mappings of columns, which are edited."""

import json

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.admin.forms import ToldOfChanges
from common.admin.limited_counting import LimitedPaginator
from common.admin.lists import OfferedFilters
from machines.models import Sensor
from vibration.captures.storing import delete_captures
from vibration.formats.mapping import BadMapping, from_json
from vibration.models import Capture, CaptureFeatures, CaptureMapping


@admin.register(Capture)
class CaptureAdmin(OfferedFilters, admin.ModelAdmin):
    """To look at, and to delete what was stored by mistake; what was measured is not edited."""

    list_display = ["place", "axis", "started_at", "sampling_hz", "count", "unit", "rpm", "size"]
    list_display += ["has_samples", "is_kept", "is_clipped", "is_flat", "source"]
    list_display_links = ["started_at"]
    list_filter = ["sensor__machine", "is_kept", "has_samples", "is_clipped", "is_flat"]
    search_fields = ["sensor__machine__name"]  # for the box; see get_search_results
    search_help_text = _("Name or title of a machine, or name of a sensor")
    show_full_result_count = False
    paginator = LimitedPaginator
    ordering = ["-started_at", "-sensor_id", "-axis"]
    fields = [
        *("sensor", "axis", "started_at", "sampling_hz", "count", "unit", "rpm", "received_at", "source"),
        *("is_clipped", "is_flat", "has_gap", "clock_drifts", "has_samples", "is_kept", "size", "sha256"),
    ]

    def get_queryset(self, request):
        # Not by a join: MariaDB would begin it at the machines, and sort all captures.
        return super().get_queryset(request).defer("data").prefetch_related("sensor__machine")

    def get_search_results(self, request, queryset, search_term):
        """By sensor: a join would read every capture to look at the names of its sensor and machine."""
        if not search_term:
            return queryset, False
        named = Q(machine__name__icontains=search_term) | Q(machine__title__icontains=search_term)
        sensors = Sensor.objects.filter(named | Q(sensor_no__icontains=search_term))
        return queryset.filter(sensor__in=list(sensors)), False

    def delete_model(self, request, obj):
        delete_captures(Capture.objects.filter(pk=obj.pk))

    def delete_queryset(self, request, queryset):
        delete_captures(queryset)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def get_deleted_objects(self, objs, request):
        """Say that their features go along, which belong to the sensor for Django."""
        captures = list(objs)
        count = number_format(len(captures), force_grouping=True)
        counts = {Capture._meta.verbose_name_plural: count, CaptureFeatures._meta.verbose_name_plural: count}
        allowed = self.has_delete_permission(request)
        return [str(it) for it in captures], counts, set() if allowed else {Capture._meta.verbose_name}, []

    @admin.display(description=_("machine / sensor"))
    def place(self, capture):
        return str(capture.sensor)


class MappingForm(forms.ModelForm):
    """What is written by hand is read as an import reads it."""

    def clean_mapping(self):
        mapping = self.cleaned_data["mapping"]
        try:
            return json.loads(from_json(json.dumps(mapping)).to_json())
        except BadMapping as error:
            raise forms.ValidationError(gettext("This is no mapping: %(reason)s"), params={"reason": error}) from None


@admin.register(CaptureMapping)
class CaptureMappingAdmin(ToldOfChanges, OfferedFilters, admin.ModelAdmin):
    """Mappings are made where a file is at hand: by an import or an upload."""

    form = MappingForm
    list_display = ["name", "saved_by", "saved_at"]
    search_fields = ["name", "saved_by"]
    fields = ["name", "mapping", "saved_by", "saved_at"]
    readonly_fields = ["saved_by", "saved_at"]

    def has_add_permission(self, request):
        return False
