from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.admin.limited_counting import LimitedPaginator
from common.admin.lists import OfferedFilters, ReadOnly
from diagnosis.models import Episode, EpisodeAct, Notice, Subscription, VibrationDiagnosis
from diagnosis.notices.targets import masked
from diagnosis.storage.writing import delete_diagnoses
from machines.models import Machine


@admin.register(VibrationDiagnosis)
class VibrationDiagnosisAdmin(OfferedFilters, admin.ModelAdmin):
    """To look at, and to delete what was posted by mistake; what a program said is not edited."""

    list_display = ["machine_name", "detected_at", "fault_type", "model_name", "confidence", "created_at"]
    list_filter = ["machine", "fault_type"]
    search_fields = ["machine__name"]  # for the box; see get_search_results
    search_help_text = _("Name or title of a machine")
    show_full_result_count = False
    paginator = LimitedPaginator
    ordering = ["-detected_at", "-machine_id", "-model_name"]

    def get_queryset(self, request):
        # Not by a join: MariaDB would begin it at the machines, and sort all diagnoses.
        return super().get_queryset(request).prefetch_related("machine")

    def get_search_results(self, request, queryset, search_term):
        """By machine: a join would read every diagnosis to look at the name of its machine."""
        if not search_term:
            return queryset, False
        machines = Machine.objects.filter(Q(name__icontains=search_term) | Q(title__icontains=search_term))
        return queryset.filter(machine__in=list(machines)), False

    def delete_model(self, request, obj):
        delete_diagnoses([obj])

    def delete_queryset(self, request, queryset):
        delete_diagnoses(queryset)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description=_("machine"), ordering="machine__name")
    def machine_name(self, diagnosis):
        return diagnosis.machine.name


@admin.register(Episode)
class EpisodeAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    """To look at, those too that late data took back. It is made of diagnoses and acts, and so is nothing to edit."""

    list_display = ["machine_name", "fault_type", "severity", "family", "opened_at", "last_at", "ended_at", "count"]
    list_filter = ["fault_type", "severity", "machine"]
    search_fields = ["machine__name", "family"]
    list_select_related = ["machine"]
    show_full_result_count = False
    paginator = LimitedPaginator
    ordering = ["-opened_at", "-pk"]
    # What an act has made of it stands on its page and in the acts.
    fields = [
        "machine",
        "family",
        "fault_type",
        "severity",
        "began_at",
        "opened_at",
        "last_at",
        "ended_at",
        "count",
        "model_names",
    ]

    @admin.display(description=_("machine"), ordering="machine__name")
    def machine_name(self, episode):
        return episode.machine.name


@admin.register(EpisodeAct)
class EpisodeActAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    """What people did, newest first: written once, and neither changed nor deleted."""

    list_display = ["at", "machine_name", "kind", "by_name", "address", "comment", "verdict", "found", "action"]
    list_filter = ["kind", "verdict", "machine"]
    search_fields = ["machine__name", "by_name", "comment", "action"]
    list_select_related = ["machine"]
    show_full_result_count = False
    paginator = LimitedPaginator
    ordering = ["-pk"]
    fields = [
        "episode",
        "machine",
        "family",
        "about",
        "kind",
        "at",
        "by",
        "by_name",
        "address",
        "comment",
        "minutes",
        "verdict",
        "found",
        "action",
    ]

    @admin.display(description=_("machine"), ordering="machine__name")
    def machine_name(self, act):
        return act.machine.name


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    """To look at. Without the secret, and without what in an address may be a password."""

    list_display = ["user", "channel", "address", "least_severity", "language", "is_active", "created_at"]
    list_filter = ["channel", "is_active"]
    search_fields = ["user__username"]
    list_select_related = ["user"]
    exclude = ["target"]
    readonly_fields = ["address"]

    def has_delete_permission(self, request, obj=None):
        """As they go with their user."""
        return request.user.has_perm("diagnosis.delete_subscription")

    @admin.display(description=_("address"))
    def address(self, subscription):
        return masked(subscription)


@admin.register(Notice)
class NoticeAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    """What was sent, waits or was given up, newest first."""

    list_display = ["at", "machine_name", "transition", "to", "tries", "sent_at", "given_up_at", "error"]
    list_filter = ["transition", "subscription__channel"]
    search_fields = ["machine__name", "subscription__user__username"]
    list_select_related = ["machine", "subscription__user"]
    show_full_result_count = False
    paginator = LimitedPaginator
    ordering = ["-pk"]

    def has_delete_permission(self, request, obj=None):
        """As they go with their user and with their machine."""
        return request.user.has_perm("diagnosis.delete_subscription")

    @admin.display(description=_("machine"), ordering="machine__name")
    def machine_name(self, notice):
        return notice.machine.name

    @admin.display(description=_("to"), ordering="subscription__user__username")
    def to(self, notice):
        return f"{notice.subscription.user} ({notice.subscription.get_channel_display()})"
