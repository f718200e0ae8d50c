"""Which collectors have a clock that is set to another time zone."""

import django.db.models.deletion
from django.db import migrations, models

import common.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("machines", "0003_tally"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClockLag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "data",
                    models.CharField(
                        choices=[("samples", "vibration data"), ("diagnoses", "diagnoses")], max_length=10
                    ),
                ),
                ("source", common.database.fields.ExactCharField(blank=True, max_length=300)),
                ("behind", models.DurationField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("newest", models.DateTimeField()),
                ("sightings", models.PositiveIntegerField(default=1)),
                (
                    "machine",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="clock_lags",
                        to="machines.machine",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("machine", "data", "source"), name="clock_lag_once")],
            },
        ),
    ]
