"""Admin of users, roles and failed logins."""

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from common.admin.forms import ToldOfChanges
from common.admin.lists import OfferedFilters
from common.audit_trail import Action, note
from himmes.accounts.initial_passwords import give_initial_password
from himmes.accounts.login_limits import UNKNOWN_NAME
from himmes.accounts.role_names import RoleFilter, RolesInWords, role_in_words

admin.site.unregister([User, Group])
# What axes calls its own is English, and no word that people here use.
apps.get_app_config("axes").verbose_name = _("Logins")
AccessAttempt.__str__ = lambda attempt: f"{localtime(attempt.attempt_time):%Y-%m-%d %H:%M:%S}, {attempt.ip_address}"
AccessAttempt._meta.verbose_name, AccessAttempt._meta.verbose_name_plural = _("failed login"), _("failed logins")


@admin.register(User)
class PeopleAdmin(RolesInWords, ToldOfChanges, OfferedFilters, UserAdmin):
    """Only superusers may create or change superusers, so that nobody becomes one otherwise.

    Nobody deletes their own account: the trail would have no author.
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
    list_filter = ["is_staff", "is_superuser", "is_active", ("groups", RoleFilter)]

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
        """Marks a password that was set here as initial; Django calls this then."""
        if request.resolver_match.url_name == "auth_user_password_change":
            give_initial_password(obj)
        return super().log_change(request, obj, message)

    @staticmethod
    def _is_within_reach(request, user) -> bool:
        return user is None or not user.is_superuser or request.user.is_superuser

    @admin.display(description=_("roles"))
    def roles(self, user):
        return ", ".join(map(role_in_words, user.groups.all()))


@admin.register(Group)
class RoleAdmin(RolesInWords, ToldOfChanges, OfferedFilters, GroupAdmin):
    """Django's own, with the lists and forms of ours."""

    list_display = ["in_words"]

    @admin.display(description=_("role"), ordering="name")
    def in_words(self, role):
        return role_in_words(role)


@admin.register(AccessAttempt)
class FailedLoginAdmin(OfferedFilters, admin.ModelAdmin):
    """Failed logins of the last minutes. Deleting one unlocks; the audit trail notes that, too."""

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
        what, failures = _user_name(attempt) or UNKNOWN_NAME, attempt.failures_since_start
        note(Action.DELETE, attempt, what, event="unlocked", address=attempt.ip_address, failures=failures)

    @admin.display(description=_("username"))
    def name(self, attempt):
        return _user_name(attempt) or _(UNKNOWN_NAME)

    @admin.display(description=_("locked"), boolean=True)
    def is_locked(self, attempt):
        return attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT


def _user_name(attempt: AccessAttempt) -> str | None:
    """The username if a user has it: any other text may be a password that was typed into the wrong field."""
    user = get_user_model().objects.filter(username=attempt.username).first()
    return user.get_username() if user else None
