"""Captures of running machines with their features, mappings of columns; an import says of what it is."""

import django.db.models.deletion
from django.db import migrations, models

import common.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("machines", "0007_sensor_measuring_range"),
        ("vibration", "0005_recording_tail"),
    ]

    operations = [
        migrations.AddField(
            model_name="importrun",
            name="kind",
            field=models.CharField(
                choices=[("samples", "vibration data"), ("captures", "captures")],
                db_default="samples",
                default="samples",
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="CaptureFeatures",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "sensor", "axis", "started_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("axis", common.database.fields.ExactCharField(max_length=20)),
                ("started_at", models.DateTimeField()),
                (
                    "unit",
                    models.CharField(
                        blank=True,
                        choices=[("", "unknown"), ("m/s2", "m/s²"), ("g", "g"), ("mm/s", "mm/s")],
                        max_length=4,
                    ),
                ),
                ("version", models.PositiveSmallIntegerField()),
                ("mean", models.FloatField(verbose_name="mean")),
                ("rms", models.FloatField(verbose_name="RMS")),
                ("peak", models.FloatField(verbose_name="peak")),
                ("crest_factor", models.FloatField(null=True, verbose_name="crest factor")),
                ("kurtosis", models.FloatField(null=True, verbose_name="kurtosis")),
                ("velocity_rms", models.FloatField(null=True, verbose_name="velocity RMS (mm/s)")),
                (
                    "velocity_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unit", "the unit is not known, or has no such value"),
                            ("rate", "the sampling rate is too low"),
                            ("short", "the capture is too short"),
                            ("flat", "all samples are alike"),
                            ("speed", "the speed is not known"),
                        ],
                        max_length=12,
                    ),
                ),
                ("shaft_hz", models.FloatField(null=True, verbose_name="shaft frequency (Hz)")),
                (
                    "shaft_source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("measured", "measured"),
                            ("found", "found in the spectrum near the rated speed"),
                            ("rated", "rated"),
                        ],
                        max_length=8,
                    ),
                ),
                ("order_0_5", models.FloatField(null=True)),
                ("order_1_0", models.FloatField(null=True)),
                ("order_1_5", models.FloatField(null=True)),
                ("order_2_0", models.FloatField(null=True)),
                ("order_2_5", models.FloatField(null=True)),
                ("order_3_0", models.FloatField(null=True)),
                ("order_3_5", models.FloatField(null=True)),
                ("order_4_0", models.FloatField(null=True)),
                ("order_4_5", models.FloatField(null=True)),
                ("order_5_0", models.FloatField(null=True)),
                (
                    "orders_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unit", "the unit is not known, or has no such value"),
                            ("rate", "the sampling rate is too low"),
                            ("short", "the capture is too short"),
                            ("flat", "all samples are alike"),
                            ("speed", "the speed is not known"),
                        ],
                        max_length=12,
                    ),
                ),
                ("band_10_100", models.FloatField(null=True)),
                ("band_100_1000", models.FloatField(null=True)),
                ("band_1000_5000", models.FloatField(null=True)),
                ("band_5000_20000", models.FloatField(null=True)),
                ("envelope_peak", models.FloatField(null=True, verbose_name="envelope peak")),
                ("envelope_hz", models.FloatField(null=True, verbose_name="envelope frequency (Hz)")),
                (
                    "envelope_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unit", "the unit is not known, or has no such value"),
                            ("rate", "the sampling rate is too low"),
                            ("short", "the capture is too short"),
                            ("flat", "all samples are alike"),
                            ("speed", "the speed is not known"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "sensor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="capture_features",
                        to="machines.sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "features of a capture",
                "verbose_name_plural": "features of captures",
                "db_table": "vibration_capture_features",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="CaptureMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", common.database.fields.ExactCharField(max_length=50, unique=True, verbose_name="name")),
                ("mapping", models.JSONField(verbose_name="columns")),
                ("saved_by", models.CharField(blank=True, max_length=150, verbose_name="saved by")),
                ("saved_at", models.DateTimeField(auto_now=True, verbose_name="saved at")),
            ],
            options={
                "verbose_name": "mapping of columns",
                "verbose_name_plural": "mappings of columns",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="mapping_has_a_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="Capture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("axis", common.database.fields.ExactCharField(max_length=20, verbose_name="axis")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("sampling_hz", models.FloatField(verbose_name="sampling rate (Hz)")),
                ("count", models.PositiveIntegerField(verbose_name="samples")),
                (
                    "unit",
                    models.CharField(
                        blank=True,
                        choices=[("", "unknown"), ("m/s2", "m/s²"), ("g", "g"), ("mm/s", "mm/s")],
                        default="",
                        max_length=4,
                        verbose_name="unit",
                    ),
                ),
                ("rpm", models.FloatField(blank=True, null=True, verbose_name="speed (rpm)")),
                ("received_at", models.DateTimeField(auto_now_add=True, verbose_name="stored at")),
                ("source", models.CharField(blank=True, max_length=255, verbose_name="source")),
                ("is_clipped", models.BooleanField(default=False, verbose_name="clipped")),
                ("is_flat", models.BooleanField(default=False, verbose_name="flat")),
                ("has_gap", models.BooleanField(default=False, verbose_name="follows a gap")),
                ("clock_drifts", models.BooleanField(default=False, verbose_name="clock drifts")),
                ("has_samples", models.BooleanField(default=True, verbose_name="with samples")),
                ("is_kept", models.BooleanField(default=False, verbose_name="kept")),
                ("scale", models.FloatField(null=True)),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("codec", models.PositiveSmallIntegerField()),
                ("size", models.PositiveIntegerField(verbose_name="bytes")),
                ("data", models.BinaryField(null=True)),
                (
                    "sensor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="captures",
                        to="machines.sensor",
                        verbose_name="sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "capture",
                "verbose_name_plural": "captures",
                "indexes": [
                    models.Index(fields=["started_at", "sensor", "axis"], name="capture_by_time"),
                    models.Index(
                        fields=[
                            "has_samples",
                            "started_at",
                            "sensor",
                            "axis",
                            "is_kept",
                            "is_flat",
                            "is_clipped",
                            "size",
                        ],
                        name="capture_to_remove",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sensor", "axis", "started_at"), name="capture_once"),
                    models.CheckConstraint(condition=models.Q(("axis", ""), _negated=True), name="capture_has_an_axis"),
                    models.CheckConstraint(
                        condition=models.Q(("sampling_hz__range", (1.0, 1000000.0))), name="capture_rate_in_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("count__range", (1, 1000000))), name="capture_count_in_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rpm__isnull", True), models.Q(("rpm__gt", 0), ("rpm__lte", 1000000.0)), _connector="OR"
                        ),
                        name="capture_rpm_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("data__isnull", False), ("has_samples", True)),
                            models.Q(("data__isnull", True), ("has_samples", False)),
                            _connector="OR",
                        ),
                        name="capture_has_samples_or_not",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaptureAxis",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("axis", common.database.fields.ExactCharField(max_length=20)),
                ("newest_at", models.DateTimeField()),
                ("stored_at", models.DateTimeField()),
                (
                    "sensor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="capture_axes",
                        to="machines.sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "axis of captures",
                "verbose_name_plural": "axes of captures",
                "db_table": "vibration_capture_axis",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("sensor", "axis"), name="capture_axis_once")],
            },
        ),
    ]
