"""What is kept of each machine equals what its diagnoses say, whatever the order in which they came and went."""

import time
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnosis.models import CurrentState, VibrationDiagnosis
from diagnosis.storage.current_states import KEPT
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.world import post

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, tzinfo=UTC)


def kept() -> dict:
    return {row[0]: row[1:] for row in CurrentState.objects.values_list("machine__name", *KEPT)}


def read_slowly() -> dict:
    """The same from all diagnoses, one after the other."""
    found = {}
    rows = VibrationDiagnosis.objects.order_by("machine", "detected_at", "model_name")
    for it in rows.select_related("machine"):
        before = found.get(it.machine.name)
        since = before[1] if before and before[0] == it.fault_type else it.detected_at
        found[it.machine.name] = (it.fault_type, since, it.detected_at, it.model_name, it.confidence)
    return found


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def test_a_new_state_begins_with_its_first_diagnosis():
    post("g1", (at(0), 0), (at(1), 0))
    post("g1", (at(2), 2))
    post("g1", (at(3), 2))
    assert kept() == {"g1": (2, at(2), at(3), "cnn", 0.9)}


def test_a_late_diagnosis_of_another_state_shortens_the_run():
    post("g1", (at(0), 2), (at(4), 2))
    post("g1", (at(2), 0))
    assert kept()["g1"][:3] == (2, at(4), at(4))


def test_a_late_diagnosis_of_the_same_state_may_make_it_longer():
    post("g1", (at(0), 0), (at(4), 2))
    post("g1", (at(1), 2))
    assert kept()["g1"][:3] == (2, at(1), at(4))


def test_two_models_of_one_instant_are_told_apart_by_name():
    post("g1", (at(0), 1), model="b")
    post("g1", (at(0), 0), model="a")
    assert kept()["g1"][:4] == (1, at(0), at(0), "b")


def test_after_a_mistake_is_deleted_the_state_is_what_was_said_before():
    post("g1", (at(0), 0), (at(1), 3))
    delete_diagnoses(VibrationDiagnosis.objects.filter(fault_type=3))
    assert kept()["g1"][:3] == (0, at(0), at(0))
    delete_diagnoses(VibrationDiagnosis.objects.all())
    assert kept() == {}


def test_the_version_changes_with_each_write_and_only_then():
    seen = [CurrentState.objects.version(START)]
    for minute, state in [(0, 0), (5, 0), (3, 0), (4, 1)]:
        post("g1", (at(minute), state))
        seen.append(CurrentState.objects.version(START))
    post("g1", (at(4), 1))  # again
    assert CurrentState.objects.version(START) == seen[-1]
    delete_diagnoses(VibrationDiagnosis.objects.filter(detected_at=at(3)))
    seen.append(CurrentState.objects.version(START))
    assert len(set(seen)) == len(seen)


def test_a_machine_that_lost_all_its_diagnoses_comes_by_no_old_version_again():
    post("g1", (at(0), 0))
    seen = CurrentState.objects.version(START)
    delete_diagnoses(VibrationDiagnosis.objects.all())
    time.sleep(0.002)
    post("g1", (at(0), 3))
    assert CurrentState.objects.version(START) != seen


# A step posts some diagnoses of g1 or g2 (minute, state, model), or deletes those of a minute.
SAID = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from(["a", "b"])), min_size=1, max_size=5)
STEP = st.one_of(st.tuples(st.sampled_from(["g1", "g2"]), SAID), st.integers(0, 12))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=10))
def test_what_is_kept_is_what_the_diagnoses_say(steps):
    VibrationDiagnosis.objects.all().delete()
    CurrentState.objects.all().delete()
    for step in steps:
        if isinstance(step, int):
            delete_diagnoses(VibrationDiagnosis.objects.filter(detected_at=at(step)))
            continue
        machine, said = step
        for model in "ab":
            if of_model := [(at(minute), state) for minute, state, name in said if name == model]:
                post(machine, *of_model, model=model)
        assert kept() == read_slowly()
    assert kept() == read_slowly()


def test_the_migration_fills_in_what_was_diagnosed_before():
    post("g1", (at(0), 0), (at(1), 2), (at(2), 2))
    post("g2", (at(0), 1))
    expected = kept()
    CurrentState.objects.all().delete()
    import_module("diagnosis.migrations.0003_fill_current_states").fill(apps, None)
    assert kept() == expected
