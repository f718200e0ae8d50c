from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vibration", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="pruned_before",
            field=models.FloatField(default=0, editable=False, verbose_name="raw samples removed before (s)"),
        ),
        migrations.AddField(
            model_name="recording",
            name="pruned_count",
            field=models.BigIntegerField(default=0, editable=False, verbose_name="raw samples removed"),
        ),
        migrations.AddField(
            model_name="recording",
            name="pruned_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="raw samples last removed"),
        ),
    ]
