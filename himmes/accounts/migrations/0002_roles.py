"""The roles as groups. What a role may do is changed in the administration later on, not here."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

DATA = ["machine", "sensor", "recording", "vibrationdata", "vibrationdiagnosis"]
READING = {f"view_{model}" for model in DATA}
ROLES = {
    "viewer": READING,
    "collector": READING | {"add_vibrationdata"},
    "diagnoser": READING | {"add_vibrationdiagnosis"},
}
# The administrator may do everything that there is in these apps.
ADMINISTERED = ["machines", "vibration", "diagnosis", "himmes", "auth"]


def make_roles(apps, schema_editor):
    database = schema_editor.connection.alias
    for app in ADMINISTERED:
        # Django makes permissions only after the last migration.
        config = apps.get_app_config(app)
        config.models_module = True
        create_permissions(config, apps=apps, using=database, verbosity=0)
        config.models_module = None
    group = apps.get_model("auth", "Group").objects.using(database)
    permission = apps.get_model("auth", "Permission").objects.using(database)
    for name, codenames in ROLES.items():
        role, _created = group.get_or_create(name=name)
        role.permissions.add(*permission.filter(content_type__app_label__in=ADMINISTERED, codename__in=codenames))
    administrator, _created = group.get_or_create(name="administrator")
    administrator.permissions.add(*permission.filter(content_type__app_label__in=ADMINISTERED))


def remove_roles(apps, schema_editor):
    names = [*ROLES, "administrator"]
    apps.get_model("himmes", "ApiToken").objects.using(schema_editor.connection.alias).filter(
        role__name__in=names
    ).delete()
    apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("himmes", "0001_initial"),
        ("machines", "0001_initial"),
        ("vibration", "0001_initial"),
        ("diagnosis", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, remove_roles)]
