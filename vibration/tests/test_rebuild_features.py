"""`rebuild_features`: features of another version are made anew from the samples, and nothing else changes."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from machines.models import Machine
from vibration.captures import rebuilding
from vibration.captures.storing import remove_samples, values_of
from vibration.models import Capture, CaptureFeatures
from vibration.signals.features import VERSION
from vibration.tests.captures_world import CLIPPED, FLAT, at, days_ago, stored, tone

pytestmark = pytest.mark.django_db
OLD = VERSION + 100


def rebuild(*arguments: str) -> str:
    out = StringIO()
    call_command("rebuild_features", *arguments, stdout=out)
    return out.getvalue()


def all_features() -> list[list]:
    return [values_of(it) for it in CaptureFeatures.objects.order_by("sensor", "axis", "started_at")]


@pytest.fixture
def captured():
    Machine.objects.create(name="g1", rated_rpm=1_500)
    made = [FLAT, None, tone(3_000), tone(10), tone(2_560, 1e90)]
    ours = [at(days_ago(day), values, rpm=1_480.0 if day % 2 else None) for day, values in enumerate(made, 1)]
    return stored(*ours, at(days_ago(9), CLIPPED, scale=0.1), at(days_ago(9), machine="g2"))


def test_when_nothing_is_outdated_nothing_is_done(captured):
    assert rebuild() == "Features to be made anew: 0\n"
    before = all_features()
    assert "Features made anew: 7; other than before: 0" in rebuild("--all")
    assert all_features() == before


def test_features_of_another_version_become_what_they_are_now_and_stay_so(captured, monkeypatch):
    monkeypatch.setattr(rebuilding, "BATCH", 3)
    before = all_features()
    CaptureFeatures.objects.update(version=OLD, rms=-1.0, order_1_0=7.0, orders_reason="short")
    assert "to be made anew: 7" in rebuild("--dry-run")
    assert set(CaptureFeatures.objects.values_list("version", flat=True)) == {OLD}
    assert "Features made anew: 7; other than before: 7" in rebuild()
    assert all_features() == before
    assert rebuild() == "Features to be made anew: 0\n"


def test_those_without_samples_keep_theirs_and_are_told(captured):
    CaptureFeatures.objects.update(version=OLD)
    remove_samples([captured[0].pk, captured[1].pk])
    said = rebuild()
    assert "Features that stay as they are, as the samples were removed: 2" in said
    assert "Features made anew: 5" in said
    assert CaptureFeatures.objects.filter(version=OLD).count() == 2
    assert "samples were removed: 2" in rebuild()
    assert "samples were removed: 2" in rebuild("--all", "--dry-run")


def test_only_the_machine_that_is_named(captured):
    CaptureFeatures.objects.update(version=OLD)
    assert "Features made anew: 1;" in rebuild("--machine=g2")
    assert "to be made anew: 6" in rebuild("--machine=g1", "--dry-run")
    with pytest.raises(CommandError, match="There is no machine g3"):
        rebuild("--machine=g3")


def test_features_that_are_missing_are_made(captured):
    before = all_features()
    CaptureFeatures.objects.filter(started_at=captured[2].started_at).delete()
    assert "Features made anew: 1; other than before: 1" in rebuild()
    assert all_features() == before


def test_a_damaged_capture_is_named(captured):
    damaged = captured[3]
    Capture.objects.filter(pk=damaged.pk).update(data=b"12345678")
    with pytest.raises(CommandError, match=f"Capture {damaged.pk} of .*checksum differs.*from a backup"):
        rebuild("--all")
