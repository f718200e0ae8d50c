"""`make chaos-captures` in small, and that it would notice what it looks for."""

from datetime import timedelta

import pytest

from bench.chaos_captures.checks import wrong_captures, wrong_features
from bench.chaos_captures.made import FULL_SCALE, RATE_HZ, Made
from himmes.tests.bench_world import told_by
from machines.models import RegisteredBy
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import store_captures
from vibration.models import Capture, CaptureFeatures
from vibration.tests.broker_world import needs_broker

MADE = [Made("files", 0), Made("posts", 1)]


@needs_broker
def test_captures_are_there_once_whoever_is_killed():
    found = told_by("chaos_captures", "--sqlite", "--kills=1", "--captures=30")
    assert (found["captures"], found["wrong"]) == (270, 0)
    assert found["kills"] == {"files": 1, "messages": 1, "posts": 1}


@pytest.fixture
def stored(db):
    for made in MADE:
        store(made)


def store(made: Made, **more) -> None:
    counts = made.counts
    for column, ((machine, sensor, axis, start), _values) in enumerate(made.axes()):
        said = {"started_at": start, "unit": "g", "scale": FULL_SCALE} | more
        new = NewCapture(machine, sensor, axis, sampling_hz=RATE_HZ, values=counts[:, column].copy(), **said)
        store_captures([new], register=RegisteredBy.IMPORT)


@pytest.mark.usefixtures("stored")
def test_what_is_stored_as_it_was_sent_is_fine():
    assert [*wrong_captures(MADE), *wrong_features()] == []


@pytest.mark.usefixtures("stored")
def test_what_is_lost_is_noticed():
    assert list(wrong_captures([*MADE, Made("messages", 7)])) == [
        f"messages / de / {axis} / 2026-01-01 01:10:00+00:00 is lost" for axis in "xyz"
    ]


@pytest.mark.usefixtures("stored")
def test_what_is_stored_twice_is_noticed():
    store(MADE[0], started_at=MADE[0].started_at + timedelta(microseconds=1))
    assert len(list(wrong_captures(MADE))) == 3


@pytest.mark.usefixtures("stored")
def test_other_samples_are_noticed():
    Capture.objects.filter(axis="y").update(scale=2 * FULL_SCALE)
    assert [it.split(" has ")[1] for it in wrong_captures(MADE)] == ["other samples than were sent"] * 2


@pytest.mark.usefixtures("stored")
def test_features_that_are_missing_others_or_of_nothing_are_noticed():
    CaptureFeatures.objects.filter(axis="x").delete()
    CaptureFeatures.objects.filter(axis="y").update(rms=1.0)
    CaptureFeatures.objects.filter(axis="z").update(axis="w")
    said = sorted(it.rpartition(": ")[2].rpartition("has ")[2] for it in wrong_features())
    assert said.count("no features") == 4
    assert said.count("rms are others than a rebuild gives") == 2
    assert len(said) == 8
