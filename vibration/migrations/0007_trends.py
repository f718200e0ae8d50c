"""Extremes of features by the hour and longer, and outlines of spectra."""

import django.db.models.deletion
from django.db import migrations, models

import common.database.fields
from vibration.trends.extremes import WIDTHS, bucket_of, extremes_of, merged

AT_ONCE = 500


def fill(apps, schema_editor):
    """Sum up the features that are stored. Outlines need samples: `manage.py rebuild_features` makes those."""
    database = schema_editor.connection.alias
    features = apps.get_model("vibration", "CaptureFeatures").objects.using(database)
    rollups = apps.get_model("vibration", "FeatureRollup").objects.using(database)
    for sensor, axis in list(
        apps.get_model("vibration", "CaptureAxis").objects.using(database).values_list("sensor", "axis")
    ):
        found = {}
        for it in features.filter(sensor=sensor, axis=axis).iterator(AT_ONCE):
            for width in WIDTHS:
                found.setdefault((it.unit, width, bucket_of(it.started_at, width)), []).append(extremes_of(it))
        rollups.bulk_create(
            (_row(rollups.model, sensor, axis, *key, merged(parts)) for key, parts in found.items()), batch_size=AT_ONCE
        )


def _row(model, sensor, axis, unit, width, bucket, it):
    return model(
        sensor_id=sensor,
        axis=axis,
        unit=unit,
        width=width,
        bucket=bucket,
        count=it.count,
        flat=it.flat,
        first_at=it.first_at,
        extremes=it.encoded(),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("machines", "0008_bearing"),
        ("vibration", "0006_captures"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeatureRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "sensor",
                        "axis",
                        "unit",
                        "width",
                        "bucket",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("axis", common.database.fields.ExactCharField(max_length=20)),
                (
                    "unit",
                    models.CharField(
                        blank=True,
                        choices=[("", "unknown"), ("m/s2", "m/s²"), ("g", "g"), ("mm/s", "mm/s")],
                        max_length=4,
                    ),
                ),
                ("width", models.PositiveIntegerField()),
                ("bucket", models.IntegerField()),
                ("count", models.PositiveIntegerField()),
                ("flat", models.PositiveIntegerField()),
                ("first_at", models.DateTimeField()),
                ("extremes", models.BinaryField()),
                (
                    "sensor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feature_rollups",
                        to="machines.sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "features of a period",
                "verbose_name_plural": "features of periods",
                "db_table": "vibration_feature_rollup",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SpectrumOutline",
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
                ("sampling_hz", models.FloatField()),
                ("shaft_hz", models.FloatField(null=True)),
                ("data", models.BinaryField()),
                (
                    "sensor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spectrum_outlines",
                        to="machines.sensor",
                    ),
                ),
            ],
            options={
                "verbose_name": "outline of a spectrum",
                "verbose_name_plural": "outlines of spectra",
                "db_table": "vibration_spectrum_outline",
                "default_permissions": (),
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
