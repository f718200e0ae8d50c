"""What `manage.py make_sample_diagnoses` makes: a plant whose pages of alarms are full."""

from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from diagnosis.episodes.standing import Kind, Stage
from diagnosis.models import Episode, EpisodeAct, VibrationDiagnosis
from diagnosis.states import FaultType
from diagnosis.synthetic import make_story
from machines.models import Machine

pytestmark = pytest.mark.django_db


def make(*names: str, **options) -> str:
    Machine.objects.bulk_create(Machine(name=name) for name in names)
    out = StringIO()
    call_command("make_sample_diagnoses", stdout=out, **options)
    return out.getvalue()


def stages() -> set[Stage]:
    return {it.stage() for it in Episode.objects.all()}


def test_a_plant_has_alarms_of_each_kind_and_what_somebody_did_about_them():
    said = make("g1", "g2", "g3", "g4")
    acts = EpisodeAct.objects.all()
    assert f"{acts.count()} acts of a synthetic operator" in said
    assert stages() == set(Stage) - {Stage.WITHDRAWN}
    assert {it.kind for it in acts} == set(Kind) - {Kind.UNSHELVE}
    assert {"right", "false"} <= {it.verdict for it in acts}
    assert {(it.by, it.by_name, it.address) for it in acts} == {(None, "synthetic", None)}
    worse = Episode.objects.get(machine__name="g1", ended_at=None)
    assert (worse.state, worse.follows.state) == (FaultType.UNBALANCE_LOOSENESS, FaultType.UNBALANCE)
    assert worse.stage() == Stage.UNACKNOWLEDGED
    # g2 flaps in one alarm, and has been silent for two hours
    flapping = Episode.objects.get(machine__name="g2", ended_at=None)
    assert flapping.count > 30
    newest = VibrationDiagnosis.objects.filter(machine=flapping.machine).latest("detected_at")
    assert timezone.now() - newest.detected_at > flapping.machine.expected_interval


def test_two_machines_as_a_fresh_checkout_has_are_enough():
    make("g1", "g2")
    assert {Stage.UNACKNOWLEDGED, Stage.ACKNOWLEDGED, Stage.CLEARED, Stage.CLOSED} <= stages()


def test_called_again_nobody_does_anything_twice():
    make("g1", "g2", days=2)
    done = EpisodeAct.objects.count()
    assert "acts of" not in make(days=2)
    assert EpisodeAct.objects.count() == done


def test_the_same_seed_tells_the_same_story():
    stories = [make_story(0, 1_400, 168, np.random.default_rng([12, 0])) for _time in range(2)]
    assert all(np.array_equal(*it) for it in zip(*stories, strict=True))
    states, came = stories[0]
    assert came.all()
    assert set(states[-5:]) == {3}
