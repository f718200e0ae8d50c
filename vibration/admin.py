"""Admin of recordings and imports, and what they add to the list of machines."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Max, OuterRef, Subquery
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from common.admin.lists import OfferedFilters, ReadOnly
from machines.admin import MachineAdmin
from machines.models import Machine
from vibration import admin_captures as admin_captures  # registers what it has
from vibration.models import ImportRun, Recording

admin.site.unregister(Machine)


def _of_machine(aggregate):
    """An aggregate over a machine's recordings as a subquery: joined, it would multiply with the count of sensors."""
    recordings = Recording.objects.filter(sensor__machine=OuterRef("pk")).order_by().values("sensor__machine")
    return Subquery(recordings.annotate(figure=aggregate).values("figure"))


Column = str | Callable[[Any], str | bool]  # of a list in the administration


def with_figures(columns: list[Column]) -> list[Column]:
    """The columns of a list of machines, with those of what was measured behind the number of sensors."""
    at = columns.index("sensor_count") + 1
    return [*columns[:at], "recording_count", "latest_sample", "latest_write", *columns[at:]]


@admin.register(Machine)
class MachineWithRecordingsAdmin(MachineAdmin):
    """The machines' own administration, with what has been measured of each: the machines app knows no samples."""

    list_display = with_figures(MachineAdmin.list_display)

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(
                recording_count=_of_machine(Count("pk")),
                latest_sample=_of_machine(Max("last_collected_at")),
                latest_write=_of_machine(Max("last_written_at")),
            )
        )

    @admin.display(description=_("recordings"), ordering="recording_count")
    def recording_count(self, machine):
        if not machine.recording_count:
            return 0
        url = reverse("admin:vibration_recording_changelist") + f"?sensor__machine__id__exact={machine.pk}"
        return format_html('<a href="{}">{}</a>', url, machine.recording_count)

    @admin.display(  # type: ignore[call-overload]  # the stubs want a text that is in no language
        description=_("latest sample"), ordering="latest_sample", empty_value=_("time unknown")
    )
    def latest_sample(self, machine):
        return machine.latest_sample

    @admin.display(description=_("last write"), ordering="latest_write")
    def latest_write(self, machine):
        return machine.latest_write


@admin.register(Recording)
class RecordingAdmin(OfferedFilters, admin.ModelAdmin):
    list_display = [
        "machine",
        "sensor_no",
        "name",
        "sample_count",
        "duration",
        "started_at",
        "last_written_at",
        "waveform",
    ]
    list_display_links = ["name"]
    list_filter = ["sensor__machine"]
    search_fields = ["name", "source", "sensor__sensor_no", "sensor__machine__name", "sensor__machine__title"]
    list_select_related = ["sensor__machine"]
    ordering = ["sensor__machine__name", "sensor__sensor_no", "name"]
    readonly_fields = [
        "sensor",
        "name",
        "started_at",
        "source",
        "created_at",
        "sample_count",
        "first_time",
        "last_time",
        "last_collected_at",
        "last_written_at",
        "pruned_before",
        "pruned_count",
        "pruned_at",
    ]

    def has_add_permission(self, request):
        return False  # recordings come with their samples

    def has_change_permission(self, request, obj=None):
        return False  # what was measured is not edited

    def get_deleted_objects(self, objs, request):
        """Say how many samples go along; Django would read each of them to name it."""
        samples = sum(recording.sample_count for recording in objs)
        names = [f"{recording}: {number_format(recording.sample_count, force_grouping=True)}" for recording in objs]
        counts = {Recording._meta.verbose_name_plural: len(objs), _("samples"): number_format(samples)}
        allowed = self.has_delete_permission(request)
        return names, counts, set() if allowed else {Recording._meta.verbose_name}, []

    @admin.display(description=_("machine"), ordering="sensor__machine__name")
    def machine(self, recording):
        return recording.sensor.machine.name

    @admin.display(description=_("sensor"), ordering="sensor__sensor_no")
    def sensor_no(self, recording):
        return recording.sensor.sensor_no

    @admin.display(description=_("duration (s)"), ordering=F("last_time") - F("first_time"))
    def duration(self, recording):
        return recording.length

    @admin.display(description=_("waveform"))
    def waveform(self, recording):
        return format_html('<a href="{}">{}</a>', recording.get_absolute_url(), _("show"))


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    list_display = ["started_at", "kind", "file_name", "place", "read", "new", "identical", "conflicting", "rejected"]
    list_display += ["seconds_taken", "outcome", "started_by"]
    list_filter = ["kind", "outcome", "started_at"]
    search_fields = ["file_name", "place", "sha256", "started_by"]

    @admin.display(description=_("read"))
    def read(self, run):
        return run.read

    @admin.display(description=_("seconds"), ordering="seconds")
    def seconds_taken(self, run):
        return f"{run.seconds:.1f}"
