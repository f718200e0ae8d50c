"""The administrator role may read what is kept of posted rows in conflict."""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def _permissions(apps, database):
    permission = apps.get_model("auth", "Permission").objects.using(database)
    return permission.filter(content_type__app_label="machines", codename="view_postconflict")


def give(apps, schema_editor):
    database = schema_editor.connection.alias
    # Django makes permissions only after the last migration.
    config = apps.get_app_config("machines")
    config.models_module = True
    create_permissions(config, apps=apps, using=database, verbosity=0)
    config.models_module = None
    for role in apps.get_model("auth", "Group").objects.using(database).filter(name="administrator"):
        role.permissions.add(*_permissions(apps, database))


def take(apps, schema_editor):
    database = schema_editor.connection.alias
    for role in apps.get_model("auth", "Group").objects.using(database).filter(name="administrator"):
        role.permissions.remove(*_permissions(apps, database))


class Migration(migrations.Migration):
    dependencies = [
        ("himmes", "0004_initial_password"),
        ("machines", "0005_post_conflict"),
    ]

    operations = [migrations.RunPython(give, take)]
