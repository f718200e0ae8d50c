"""Admin of the audit trail: everybody with the permission reads it, nobody changes it."""

import auditlog.admin  # noqa: F401  registers an administration of its own, which is replaced here
from auditlog.models import LogEntry
from auditlog.render import render_logentry_changes_html
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.admin.limited_counting import LimitedPaginator
from common.admin.lists import OfferedFilters, ReadOnly
from common.audit_trail import Action, author_of
from diagnosis.models import Episode, VibrationDiagnosis
from himmes.accounts.login_limits import UNKNOWN_NAME
from himmes.accounts.models import ApiToken
from machines.models import Bearing, Machine, Sensor
from vibration.models import Capture, CaptureMapping, ImportRun, Recording, VibrationData

ABOUT: list[type[Model]] = [Machine, Sensor, Recording, VibrationData, VibrationDiagnosis, Episode, ImportRun]
ABOUT += [Bearing, Capture, CaptureMapping, ApiToken, User, Group, AccessAttempt]
EVENTS = {
    "login": _("login"),
    "logout": _("logout"),
    "failed login": _("failed login"),
    "export": _("export"),
    "unlocked": _("unlocked"),
    "pruned": _("old samples removed"),
}
DETAILS = {
    "request": _("request"),
    "token": _("API token"),
    "command": _("command"),
    "system_user": _("system user"),
    "locked_out": _("locked out"),
    "samples": _("samples"),
    "captures": _("captures"),
    "bytes": _("bytes"),
    "source": _("source"),
    "file_size": _("size (bytes)"),
    "sha256": "SHA-256",
    "outcome": _("outcome"),
    "new": _("new"),
    "identical": _("identical"),
    "conflicting": _("conflicting"),
    "rejected": _("rejected"),
    "first": _("first"),
    "last": _("last"),
    "models": _("models"),
    "address": _("address"),
    "failures": _("failures"),
    "note": _("note"),
    "before": _("measured before"),
}

VALUES = {"True": _("yes"), "False": _("no"), "None": "–"}
OPERATIONS = {"add": _("added"), "delete": _("removed")}

admin.site.unregister(LogEntry)
LogEntry._meta.verbose_name, LogEntry._meta.verbose_name_plural = _("audit trail entry"), _("audit trail")


class EventFilter(admin.SimpleListFilter):
    title = _("action")
    parameter_name = "what"

    def lookups(self, request, model_admin):
        return [*((str(number), name) for number, name in Action.choices if number != Action.ACCESS), *EVENTS.items()]

    def queryset(self, request, queryset):
        if self.value() in EVENTS:
            return queryset.filter(additional_data__event=self.value())
        if (self.value() or "").isdecimal():
            return queryset.filter(action=self.value())
        return queryset


class AboutFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "about"

    def lookups(self, request, model_admin):
        return [(model._meta.label_lower, capfirst(model._meta.verbose_name_plural)) for model in ABOUT]

    def queryset(self, request, queryset):
        models = {model._meta.label_lower: model for model in ABOUT}
        if model := models.get(self.value() or ""):
            return queryset.filter(content_type=ContentType.objects.get_for_model(model))
        return queryset


@admin.register(LogEntry)
class TrailAdmin(ReadOnly, OfferedFilters, admin.ModelAdmin):
    list_display = ["timestamp", "who", "event", "about", "which", "fields_changed", "remote_addr"]
    list_display_links = ["timestamp"]
    list_filter = ["timestamp", EventFilter, AboutFilter, "actor"]
    list_select_related = ["actor", "content_type"]
    search_fields = ["object_repr", "remote_addr"]
    search_fields += [f"additional_data__{name}" for name in ("actor", "token", "command", "system_user")]
    search_help_text = _("Name of a person, token, command, machine or file, or an address")
    paginator = LimitedPaginator
    show_full_result_count = False
    fields = readonly_fields = [
        "timestamp",
        "who",
        "remote_addr",
        "event",
        "about",
        "subject",
        "changes_made",
        "details",
        "request_id",
    ]

    @admin.display(description=_("who"))
    def who(self, entry):
        return author_of(entry) or "–"

    @admin.display(description=_("action"), ordering="action")
    def event(self, entry):
        name = (entry.additional_data or {}).get("event")
        return EVENTS.get(name or "") or entry.get_action_display()

    @admin.display(description=_("kind"), ordering="content_type")
    def about(self, entry):
        model = entry.content_type.model_class()
        return model._meta.verbose_name if model else entry.content_type.model

    @admin.display(description=_("changed"))
    def fields_changed(self, entry):
        model = entry.content_type.model_class()
        if entry.action != Action.UPDATE or model is None:
            return ""
        known = {field.name: field.verbose_name for field in model._meta.get_fields() if hasattr(field, "verbose_name")}
        return ", ".join(str(known.get(name, name)) for name in sorted(entry.changes or {}))

    @admin.display(description=_("object"), ordering="object_repr")
    def which(self, entry):
        return gettext(UNKNOWN_NAME) if entry.object_repr == UNKNOWN_NAME else entry.object_repr

    @admin.display(description=_("object"))
    def subject(self, entry):
        kind = entry.content_type
        model = kind.model_class()
        if model is None or not entry.object_pk or not model._base_manager.filter(pk=entry.object_pk).exists():
            return self.which(entry)
        try:
            url = reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[entry.object_pk])
        except NoReverseMatch:
            return entry.object_repr
        return format_html('<a href="{}">{}</a>', url, entry.object_repr)

    @admin.display(description=_("changes"))
    def changes_made(self, entry):
        shown = LogEntry(content_type=entry.content_type, changes=_changes_in_words(entry))
        return render_logentry_changes_html(shown) or "–"

    @admin.display(description=_("request id, as in the log"))
    def request_id(self, entry):
        return entry.cid or "–"

    @admin.display(description=_("details"))
    def details(self, entry):
        data = {name: value for name, value in (entry.additional_data or {}).items() if name not in ("actor", "event")}
        rows = ((DETAILS.get(name, name), _in_words(name, value)) for name, value in data.items())
        return format_html("<table>{}</table>", format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", rows))


def _in_words(name: str, value) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if name == "outcome":
        return str(dict(ImportRun.Outcome.choices).get(value, value))
    if name == "note":
        return gettext(value)  # marked where it is written
    return str(value)


def _changes_in_words(entry: LogEntry) -> dict:
    """Its changes with values in the reader's language; auditlog shows them as Python writes them."""
    model = entry.content_type.model_class()
    fields = {field.name: field for field in model._meta.fields} if model else {}
    found = {}
    for name, change in entry.changes_dict.items():
        if isinstance(change, dict):  # of a many-to-many field
            found[name] = change | {"operation": OPERATIONS.get(change["operation"], change["operation"])}
        else:
            words = VALUES | {str(value): label for value, label in getattr(fields.get(name), "flatchoices", ())}
            found[name] = [words.get(value, value) for value in change]
    return found
