"""What the loop of `manage.py work` has done, and up to when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0005_fill_episodes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Chore",
            fields=[
                ("name", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("done_up_to", models.DateTimeField()),
            ],
            options={
                "db_table": "diagnosis_chore",
                "default_permissions": (),
            },
        ),
    ]
