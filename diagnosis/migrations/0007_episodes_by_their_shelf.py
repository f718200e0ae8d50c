"""What is on the shelf, or comes from it, is found without looking at all that was ever cleared."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0006_chores")]

    operations = [
        migrations.AddIndex(
            model_name="episode", index=models.Index(fields=["shelved_until"], name="episode_by_shelf")
        ),
    ]
