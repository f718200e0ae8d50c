"""The current state of each machine that was diagnosed before they were kept."""

from django.db import migrations
from django.db.models import Q


def fill(apps, schema_editor):
    Machine = apps.get_model("machines", "Machine")
    VibrationDiagnosis = apps.get_model("diagnosis", "VibrationDiagnosis")
    CurrentState = apps.get_model("diagnosis", "CurrentState")
    for machine in Machine.objects.order_by("pk"):
        rising = VibrationDiagnosis.objects.filter(machine=machine).order_by("detected_at", "model_name")
        newest = rising.last()
        if newest is None:
            continue
        since = rising
        if other := rising.exclude(fault_type=newest.fault_type).last():
            at, model = other.detected_at, other.model_name
            since = rising.filter(Q(detected_at__gt=at) | Q(detected_at=at, model_name__gt=model))
        CurrentState.objects.create(
            machine=machine,
            fault_type=newest.fault_type,
            since=since.first().detected_at,
            detected_at=newest.detected_at,
            model_name=newest.model_name,
            confidence=newest.confidence,
            revision=1,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0002_current_state"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
