"""Names of roles and permissions in the reader's language; the stored ones are English."""

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

ROLES = {
    "viewer": _("viewer"),
    "collector": _("collector"),
    "diagnoser": _("diagnoser"),
    "operator": _("operator"),
    "administrator": _("administrator"),
}
DEEDS = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}
# Tables that have no page, and so no name there.
UNLISTED = {
    "diagnosis.chore": _("chore"),
    "diagnosis.currentstate": _("current state"),
    "diagnosis.episodetail": _("newest diagnoses of a model"),
    "himmes.initialpassword": _("initial password"),
    "knox.authtoken": _("token of another kind"),
    "machines.tally": _("counted calls"),
    "vibration.vibrationrollup": _("rollup"),
}


def role_in_words(role: Group) -> str:
    """Such as "조회(viewer)", as commands and the API take the name that is stored; "viewer" where that is the word."""
    word = str(ROLES.get(role.name, role.name))
    return word if word == role.name else f"{word}({role.name})"


def permission_in_words(permission: Permission) -> str:
    """Such as "machines | machine | add", each in the reader's language."""
    kind = permission.content_type
    deed = permission.codename.partition("_")[0]
    return f"{_app_name(kind.app_label)} | {_table_name(kind)} | {DEEDS.get(deed, permission.name)}"


def _app_name(label: str) -> str | Promise:
    return apps.get_app_config(label).verbose_name if label in apps.app_configs else label


def _table_name(kind) -> str | Promise:
    model = kind.model_class()
    return UNLISTED.get(f"{kind.app_label}.{kind.model}") or (model._meta.verbose_name if model else kind.model)


class RolesInWords(admin.ModelAdmin):
    """Mixed into a ModelAdmin whose forms offer roles or permissions."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        return _labelled(super().formfield_for_foreignkey(db_field, request, **kwargs))

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return _labelled(super().formfield_for_manytomany(db_field, request, **kwargs))

    def get_deleted_objects(self, objs, request):
        """Without the rows between users, roles and permissions, which Django calls "Group_permissions object (18)"."""
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        between = [field.remote_field.through._meta for field in self.opts.many_to_many]
        between += [it.through._meta for it in self.opts.related_objects if it.many_to_many]
        names = tuple(f"{capfirst(it.verbose_name)}:" for it in between)
        kept = {name: count for name, count in counts.items() if name not in {it.verbose_name_plural for it in between}}
        return _without(found, names), kept, needed, protected


class RoleFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field, request, model_admin):
        return [(role.pk, role_in_words(role)) for role in Group.objects.order_by("name")]


def _labelled(field):
    words = {Group: role_in_words, Permission: permission_in_words}
    if field is not None and (label := words.get(field.queryset.model)):
        field.label_from_instance = label
    return field


def _without(found: list, names: tuple[str, ...]) -> list:
    """A nested list of what is deleted, without the lines that begin with one of these."""
    return [
        _without(it, names) if isinstance(it, list) else it
        for it in found
        if isinstance(it, list) or not str(it).startswith(names)
    ]
