"""Who reads machines reads their bearings; administrators keep them."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = {
    "viewer": ["view_bearing"],
    "diagnoser": ["view_bearing"],
    "collector": ["view_bearing"],
    "operator": ["view_bearing"],
    "administrator": ["view_bearing", "add_bearing", "change_bearing", "delete_bearing"],
}


def _permissions(apps, database, codenames):
    permission = apps.get_model("auth", "Permission").objects.using(database)
    return permission.filter(content_type__app_label="machines", codename__in=codenames)


def give(apps, schema_editor):
    database = schema_editor.connection.alias
    # Django makes permissions only after the last migration.
    config = apps.get_app_config("machines")
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
        ("himmes", "0007_captures"),
        ("machines", "0008_bearing"),
    ]

    operations = [migrations.RunPython(give, take)]
