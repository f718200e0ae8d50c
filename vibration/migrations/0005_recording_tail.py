"""The newest samples of a recording may have no rollups yet."""

from django.db import migrations, models


def roll_up_tails(apps, schema_editor):
    """For whoever goes back: the version before this one takes all samples for summed up."""
    from vibration.models import Recording
    from vibration.storage.tails import roll_up

    recordings = apps.get_model("vibration", "Recording").objects
    needed = ["pk", "rollup_exponent", "first_time", "last_time", "tail_from", "pruned_before"]
    for number in list(recordings.exclude(tail_from=None).values_list("pk", flat=True)):
        # Under the lock of those who still write.
        values = dict(zip(needed, recordings.select_for_update().values_list(*needed).get(pk=number), strict=True))
        recording = Recording(**values)
        roll_up(recording)
        recordings.filter(pk=number).update(rollup_exponent=recording.rollup_exponent, tail_from=None, tail_count=0)


class Migration(migrations.Migration):
    dependencies = [("vibration", "0004_an_import_is_called_so")]

    operations = [
        migrations.AddField("recording", "tail_from", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField(
            "recording", "tail_count", models.PositiveIntegerField(db_default=0, default=0, editable=False)
        ),
        migrations.RunPython(migrations.RunPython.noop, roll_up_tails),
    ]
