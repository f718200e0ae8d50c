"""The administration of users, and of logins that are locked."""

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.admin.forms import ToldOfChanges
from common.admin.lists import OfferedFilters
from common.audit_trail import Action, note
from himmes.accounts.initial_passwords import give_initial_password

admin.site.unregister([User, Group])


@admin.register(User)
class PeopleAdmin(ToldOfChanges, OfferedFilters, UserAdmin):
    """Who is no superuser can neither make one nor change one, so that he can't become one.

    Nobody deletes himself: the trail would have nobody who did it.
    """

    list_display = [
        "username",
        "first_name",
        "last_name",
        "roles",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request, obj=None):
        fixed = [*super().get_readonly_fields(request, obj), "last_login", "date_joined"]
        return fixed if request.user.is_superuser else [*fixed, "is_superuser", "user_permissions"]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self._is_within_reach(request, obj)

    def has_delete_permission(self, request, obj=None):
        may = super().has_delete_permission(request, obj)
        return may and self._is_within_reach(request, obj) and obj != request.user

    def get_deleted_objects(self, objs, request):
        *found, needed, protected = super().get_deleted_objects(objs, request)
        if not all(self.has_delete_permission(request, user) for user in objs):
            needed = needed | {str(self.opts.verbose_name)}
        return *found, needed, protected

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if not change:
            give_initial_password(obj)

    def user_change_password(self, request, id, form_url=""):
        """One's own password is changed by the page that asks for the present one.

        A password and the note that somebody else gave it are stored together, or neither.
        """
        # The users, not their numbers as text: an address may write 1 as 01.
        if self.get_object(request, unquote(id)) == request.user:
            return HttpResponseRedirect(reverse("admin:password_change"))
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def log_change(self, request, obj, message):
        """Also what Django calls when a password was set here."""
        if request.resolver_match.url_name == "auth_user_password_change":
            give_initial_password(obj)
        return super().log_change(request, obj, message)

    @staticmethod
    def _is_within_reach(request, user) -> bool:
        return user is None or not user.is_superuser or request.user.is_superuser

    @admin.display(description=_("roles"))
    def roles(self, user):
        return ", ".join(role.name for role in user.groups.all())


@admin.register(Group)
class RoleAdmin(ToldOfChanges, OfferedFilters, GroupAdmin):
    """Django's own, with the lists and forms of ours."""


@admin.register(AccessAttempt)
class FailedLoginAdmin(OfferedFilters, admin.ModelAdmin):
    """What has failed in the last minutes. Deleting it unlocks; that, too, stands in the trail."""

    list_display = ["attempt_time", "name", "ip_address", "failures_since_start", "is_locked"]
    list_filter = ["attempt_time"]
    # Not by name: who searches for one could guess what was typed into the wrong field.
    search_fields = ["ip_address"]
    fields = readonly_fields = ["attempt_time", "name", "ip_address", "user_agent", "failures_since_start"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def delete_model(self, request, obj):
        self._note(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        for attempt in queryset:
            self._note(attempt)
        super().delete_queryset(request, queryset)

    def _note(self, attempt: AccessAttempt) -> None:
        what, failures = self.name(attempt), attempt.failures_since_start
        note(Action.DELETE, attempt, what, event="unlocked", address=attempt.ip_address, failures=failures)

    @admin.display(description=_("username"))
    def name(self, attempt):
        """Of a user only: any other name may be a password that was typed into the wrong field."""
        user = get_user_model().objects.filter(username=attempt.username).first()
        return user.get_username() if user else "(unknown name)"

    @admin.display(description=_("locked"), boolean=True)
    def is_locked(self, attempt):
        return attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT
