"""What is kept of posted rows that contradict what is stored."""

import django.db.models.deletion
from django.db import migrations, models

import common.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("machines", "0004_clock_lag"),
    ]

    operations = [
        migrations.CreateModel(
            name="PostConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("machine_name", common.database.fields.ExactCharField(max_length=50, verbose_name="machine")),
                (
                    "data",
                    models.CharField(
                        choices=[("samples", "vibration data"), ("diagnoses", "diagnoses")],
                        max_length=10,
                        verbose_name="data",
                    ),
                ),
                ("poster", common.database.fields.ExactCharField(blank=True, max_length=255, verbose_name="posted by")),
                ("day", models.DateField(verbose_name="day")),
                ("rows", models.BigIntegerField(verbose_name="conflicting rows")),
                ("first_at", models.DateTimeField(verbose_name="first conflict")),
                ("last_at", models.DateTimeField(verbose_name="last conflict")),
                ("last_key", models.CharField(max_length=255, verbose_name="which row")),
                ("last_stored", models.CharField(max_length=255, verbose_name="what is stored")),
                ("last_came", models.CharField(max_length=255, verbose_name="what came")),
                (
                    "machine",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="post_conflicts",
                        to="machines.machine",
                        verbose_name="machine",
                    ),
                ),
            ],
            options={
                "verbose_name": "conflict of posts",
                "verbose_name_plural": "conflicts of posts",
                "ordering": ["-last_at", "-pk"],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["-last_at"], name="postconflict_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("machine", "data", "poster", "day"), name="post_conflict_once_a_day"
                    )
                ],
            },
        ),
    ]
