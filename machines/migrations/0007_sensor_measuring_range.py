"""A sensor may say how much it can measure; captures are posted, too."""

from django.db import migrations, models

import machines.models


class Migration(migrations.Migration):
    dependencies = [
        ("machines", "0006_machine_episode_rule"),
    ]

    operations = [
        migrations.AddField(
            model_name="sensor",
            name="measuring_range",
            field=models.FloatField(
                blank=True,
                help_text="To each side of 0, in the unit of its signals; one that reaches it is marked as clipped.",
                null=True,
                validators=[machines.models.positive],
                verbose_name="measuring range (±)",
            ),
        ),
        migrations.AlterField(
            model_name="clocklag",
            name="data",
            field=models.CharField(
                choices=[("samples", "vibration data"), ("diagnoses", "diagnoses"), ("captures", "captures")],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="postconflict",
            name="data",
            field=models.CharField(
                choices=[("samples", "vibration data"), ("diagnoses", "diagnoses"), ("captures", "captures")],
                max_length=10,
                verbose_name="data",
            ),
        ),
    ]
