"""Bearings of machines, with the geometry that the rates of their faults follow from."""

import django.db.models.deletion
from django.db import migrations, models

import common.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("machines", "0007_sensor_measuring_range"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bearing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    common.database.fields.ExactCharField(
                        help_text="E.g. drive end, 6205.", max_length=100, verbose_name="name"
                    ),
                ),
                (
                    "rolling_elements",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="rolling elements"),
                ),
                (
                    "ball_diameter_mm",
                    models.FloatField(blank=True, null=True, verbose_name="diameter of a rolling element (mm)"),
                ),
                ("pitch_diameter_mm", models.FloatField(blank=True, null=True, verbose_name="pitch diameter (mm)")),
                ("contact_angle_deg", models.FloatField(blank=True, null=True, verbose_name="contact angle (°)")),
                (
                    "machine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bearings",
                        to="machines.machine",
                        verbose_name="machine",
                    ),
                ),
                (
                    "sensor",
                    models.ForeignKey(
                        blank=True,
                        help_text="The one nearest to it. Empty: its fault frequencies are shown at all sensors.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="bearings",
                        to="machines.sensor",
                        verbose_name="sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "bearing",
                "verbose_name_plural": "bearings",
                "ordering": ["machine__name", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("machine", "name"), name="bearing_once_per_machine"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ball_diameter_mm__isnull", True),
                                ("contact_angle_deg__isnull", True),
                                ("pitch_diameter_mm__isnull", True),
                                ("rolling_elements__isnull", True),
                            ),
                            models.Q(
                                ("ball_diameter_mm__gt", 0),
                                ("ball_diameter_mm__isnull", False),
                                ("contact_angle_deg__gte", 0),
                                ("contact_angle_deg__isnull", False),
                                ("contact_angle_deg__lt", 90),
                                ("pitch_diameter_mm__gt", models.F("ball_diameter_mm")),
                                ("pitch_diameter_mm__isnull", False),
                                ("rolling_elements__gte", 3),
                                ("rolling_elements__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="bearing_geometry",
                    ),
                ],
            },
        ),
    ]
