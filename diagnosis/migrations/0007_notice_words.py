"""What the fields of notices are called, for the administration."""

import django.db.models.deletion
from django.db import migrations, models

import common.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0006_chores"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="due_at",
            field=models.DateTimeField(verbose_name="due at"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="error",
            field=models.CharField(blank=True, max_length=500, verbose_name="error"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="given_up_at",
            field=models.DateTimeField(null=True, verbose_name="given up at"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="key",
            field=common.database.fields.ExactCharField(max_length=100, unique=True, verbose_name="number"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="diagnosis.subscription",
                verbose_name="subscription",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="tries",
            field=models.PositiveIntegerField(default=0, verbose_name="tries"),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="language",
            field=models.CharField(
                choices=[("ko", "Korean"), ("en", "English")], default="ko", max_length=5, verbose_name="language"
            ),
        ),
    ]
