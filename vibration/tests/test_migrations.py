"""What migrations keep those safe from who run two versions, or go back."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from vibration.models import Recording
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db

AFTER_THE_FIRST = {"pruned_before", "pruned_count", "pruned_at"}


def test_a_version_that_does_not_know_of_retention_yet_goes_on_storing():
    recording = make_recording(10)
    known = [it for it in Recording._meta.concrete_fields if it.name not in AFTER_THE_FIRST and not it.primary_key]
    values = [it.get_db_prep_save(getattr(recording, it.attname), connection) for it in known]
    values[[it.name for it in known].index("name")] = "of the old version"
    columns = ", ".join(connection.ops.quote_name(it.column) for it in known)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO vibration_recording ({columns}) VALUES ({', '.join(['%s'] * len(known))})", values)
    stored = Recording.objects.get(name="of the old version")
    assert (stored.pruned_before, stored.pruned_count, stored.pruned_at) == (0, 0, None)


def test_who_goes_back_does_not_lose_the_rollups_of_removed_samples():
    refuse = import_module("vibration.migrations.0002_recording_pruned").refuse_to_forget
    recording = make_recording(10)
    editor = connection.schema_editor()
    refuse(apps, editor)
    Recording.objects.filter(pk=recording.pk).update(pruned_count=1)
    with pytest.raises(RuntimeError, match="Raw samples were removed by retention"):
        refuse(apps, editor)
