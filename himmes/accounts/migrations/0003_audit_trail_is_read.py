"""The administrator role may read the audit trail, and no more than that; and may unlock logins."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = {"auditlog": ["view_logentry"], "axes": ["view_accessattempt", "delete_accessattempt"]}


def _permissions(apps, database):
    permission = apps.get_model("auth", "Permission").objects.using(database)
    return [
        it for app, names in GIVEN.items() for it in permission.filter(content_type__app_label=app, codename__in=names)
    ]


def give(apps, schema_editor):
    database = schema_editor.connection.alias
    for app in GIVEN:
        # Django makes permissions only after the last migration.
        config = apps.get_app_config(app)
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
        ("himmes", "0002_roles"),
        ("auditlog", "0017_add_actor_email"),
        ("axes", "0001_initial"),
    ]

    operations = [migrations.RunPython(give, take)]
