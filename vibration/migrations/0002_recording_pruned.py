from django.db import migrations, models


def refuse_to_forget(apps, schema_editor):
    """Without these fields rollups of removed samples would be made anew of what is left, and be lost."""
    if (
        apps.get_model("vibration", "Recording")
        .objects.using(schema_editor.connection.alias)
        .filter(pruned_count__gt=0)
    ):
        raise RuntimeError("Raw samples were removed by retention; the version before that can't keep what is left.")


class Migration(migrations.Migration):
    dependencies = [
        ("vibration", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="pruned_before",
            field=models.FloatField(
                db_default=0, default=0, editable=False, verbose_name="raw samples removed before (s)"
            ),
        ),
        migrations.AddField(
            model_name="recording",
            name="pruned_count",
            field=models.BigIntegerField(db_default=0, default=0, editable=False, verbose_name="raw samples removed"),
        ),
        migrations.AddField(
            model_name="recording",
            name="pruned_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="raw samples last removed"),
        ),
        migrations.RunPython(migrations.RunPython.noop, refuse_to_forget),
    ]
