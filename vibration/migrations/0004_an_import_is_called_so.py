"""The record of an import is called an import in the administration, no run: a run is a stretch of one state."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("vibration", "0003_conflicting_runs"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="importrun",
            options={"ordering": ["-started_at", "-pk"], "verbose_name": "import", "verbose_name_plural": "imports"},
        ),
    ]
