"""The role of those who act on episodes, and for all roles that read diagnoses the right to read episodes."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

READING = ["view_machine", "view_sensor", "view_recording", "view_vibrationdata", "view_vibrationdiagnosis"]
NEW = ["view_episode", "view_episodeact"]
READERS = ["viewer", "collector", "diagnoser"]
OPERATOR = [*READING, *NEW, "add_episodeact"]
ADMINISTRATOR = [*NEW, "add_episodeact", "view_notice"]
ADMINISTRATOR += [f"{deed}_subscription" for deed in ("add", "change", "delete", "view")]


def _permissions(apps, database, codenames):
    permission = apps.get_model("auth", "Permission").objects.using(database)
    labels = ["machines", "vibration", "diagnosis"]
    return permission.filter(content_type__app_label__in=labels, codename__in=codenames)


def give(apps, schema_editor):
    database = schema_editor.connection.alias
    # Django makes permissions only after the last migration.
    config = apps.get_app_config("diagnosis")
    config.models_module = True
    create_permissions(config, apps=apps, using=database, verbosity=0)
    config.models_module = None
    roles = apps.get_model("auth", "Group").objects.using(database)
    for role in roles.filter(name__in=READERS):
        role.permissions.add(*_permissions(apps, database, NEW))
    for role in roles.filter(name="administrator"):
        role.permissions.add(*_permissions(apps, database, ADMINISTRATOR))
    operator, _created = roles.get_or_create(name="operator")
    operator.permissions.add(*_permissions(apps, database, OPERATOR))


def take(apps, schema_editor):
    database = schema_editor.connection.alias
    apps.get_model("himmes", "ApiToken").objects.using(database).filter(role__name="operator").delete()
    roles = apps.get_model("auth", "Group").objects.using(database)
    roles.filter(name="operator").delete()
    for role in roles.filter(name__in=READERS):
        role.permissions.remove(*_permissions(apps, database, NEW))
    for role in roles.filter(name="administrator"):
        role.permissions.remove(*_permissions(apps, database, ADMINISTRATOR))


class Migration(migrations.Migration):
    dependencies = [
        ("himmes", "0005_conflicts_are_read"),
        ("diagnosis", "0004_episodes"),
    ]

    operations = [migrations.RunPython(give, take)]
