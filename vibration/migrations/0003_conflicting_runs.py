"""Finds the import runs with rows in conflict, which are few."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vibration", "0002_recording_pruned"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["conflicting"], name="importrun_conflicting"),
        ),
    ]
