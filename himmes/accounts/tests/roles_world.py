"""The roles for tests whose tables are empty: made once by the migrations, then put back as they were."""

from dataclasses import dataclass
from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

MIGRATIONS = {
    "0002_roles": "make_roles",
    "0003_audit_trail_is_read": "give",
    "0005_conflicts_are_read": "give",
    "0006_operator": "give",
    "0007_captures": "give",
    "0008_bearings": "give",
}
OF_PERMISSION = ("content_type__app_label", "content_type__model", "codename")
Key = tuple[str, str, str]


@dataclass
class MadeRoles:
    types: list[tuple[str, str]]  # the app and the model of each content type
    names: dict[Key, str]  # of the permissions
    roles: dict[str, list[Key]]  # the permissions of each


_made: list[MadeRoles] = []


def make_roles() -> None:
    """The migrations take 260 statements, and hundreds of tests need the roles anew: what they made is kept."""
    if _made:
        _put_back(_made[0])
        return
    for module, function in MIGRATIONS.items():
        getattr(import_module(f"himmes.accounts.migrations.{module}"), function)(apps, connection.schema_editor())
    names = {(app, model, codename): name for app, model, codename, name in _permissions("name")}
    roles = {it.name: list(it.permissions.values_list(*OF_PERMISSION)) for it in Group.objects.all()}
    _made.append(MadeRoles(sorted(_types()), names, roles))


def _permissions(value: str):
    return Permission.objects.values_list(*OF_PERMISSION, value)


def _types() -> dict[tuple[str, str], ContentType]:
    return {it.natural_key(): it for it in ContentType.objects.all()}


def _put_back(made: MadeRoles) -> None:
    """Without signals, as a migration does: the audit trail notes nothing."""
    ContentType.objects.clear_cache()
    types = _types()
    ContentType.objects.bulk_create(
        ContentType(app_label=app, model=model) for app, model in made.types if (app, model) not in types
    )
    types = _types()
    there = {(app, model, codename) for app, model, codename, _pk in _permissions("pk")}
    Permission.objects.bulk_create(
        Permission(content_type=types[key[:2]], codename=key[2], name=name)
        for key, name in made.names.items()
        if key not in there
    )
    numbers = {(app, model, codename): pk for app, model, codename, pk in _permissions("pk")}
    Group.objects.bulk_create(Group(name=name) for name in made.roles)
    groups = dict(Group.objects.values_list("name", "pk"))
    given = Group.permissions.through
    given.objects.bulk_create(
        given(group_id=groups[role], permission_id=numbers[key]) for role, keys in made.roles.items() for key in keys
    )
