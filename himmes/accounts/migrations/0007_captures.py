"""Who reads diagnoses reads captures; collectors and operators bring them in; operators say which to keep."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

READING = ["view_capture", "view_capturemapping"]
MAPPING = ["add_capturemapping", "change_capturemapping"]
GIVEN = {
    "viewer": READING,
    "diagnoser": READING,
    "collector": [*READING, "add_capture"],
    "operator": [*READING, "add_capture", "change_capture", *MAPPING],
    "administrator": [
        *READING,
        "add_capture",
        "change_capture",
        "delete_capture",
        *MAPPING,
        "delete_capturemapping",
    ],
}


def _permissions(apps, database, codenames):
    permission = apps.get_model("auth", "Permission").objects.using(database)
    return permission.filter(content_type__app_label="vibration", codename__in=codenames)


def give(apps, schema_editor):
    database = schema_editor.connection.alias
    # Django makes permissions only after the last migration.
    config = apps.get_app_config("vibration")
    config.models_module = True
    create_permissions(config, apps=apps, using=database, verbosity=0)
    config.models_module = None
    for role in apps.get_model("auth", "Group").objects.using(database).filter(name__in=GIVEN):
        role.permissions.add(*_permissions(apps, database, GIVEN[role.name]))


def take(apps, schema_editor):
    database = schema_editor.connection.alias
    for role in apps.get_model("auth", "Group").objects.using(database).filter(name__in=GIVEN):
        role.permissions.remove(*_permissions(apps, database, GIVEN[role.name]))


class Migration(migrations.Migration):
    dependencies = [
        ("himmes", "0006_operator"),
        ("vibration", "0006_captures"),
    ]

    operations = [migrations.RunPython(give, take)]
