"""Reading the newest: by index, whatever the table holds."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from common.database.limited_reads import TooManyRows
from diagnosis.models import VibrationDiagnosis
from machines.models import Machine

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def machines():
    machines = [Machine.objects.create(name=f"g{i:03}") for i in range(60)]
    VibrationDiagnosis.objects.bulk_create(
        VibrationDiagnosis(
            machine=machine, detected_at=START + timedelta(minutes=i), fault_type=i % 4, model_name=model
        )
        for i in range(20)
        for machine in machines
        for model in ("a", "b")
    )
    return machines


def plan(queryset) -> str:
    return queryset.explain(format="JSON" if connection.vendor == "mysql" else None)


@pytest.mark.parametrize("filters", [{"machine": 1}, {"machine": 1, "detected_at__lt": START + timedelta(minutes=9)}])
def test_the_newest_of_a_machine_are_read_backwards_from_the_unique_key(machines, filters):
    found = plan(VibrationDiagnosis.objects.filter(**filters | {"machine": machines[7]}).newest_first()[:10])
    assert "diagnosis_once" in found or "sqlite_autoindex_vibration_diagnosis_1" in found
    assert "filesort" not in found
    assert "TEMP B-TREE" not in found


@pytest.mark.skipif(connection.vendor == "mysql", reason="of so few rows MariaDB rather sorts them all")
def test_the_newest_of_all_are_read_backwards_from_the_index_on_time(machines):
    found = plan(VibrationDiagnosis.objects.newest_first()[:10])
    assert "diagnosis_by_time" in found


def test_pages_by_key_come_to_every_diagnosis_once_where_instants_are_shared(machines):
    pages, last = [], None
    queryset = VibrationDiagnosis.objects.newest_first()
    while page := list((queryset.older_than(last) if last else queryset)[:77]):
        pages += page
        last = page[-1]
    keys = [(it.detected_at, it.machine_id, it.model_name) for it in pages]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == 60 * 20 * 2


def test_the_newest_of_each_cost_few_statements_or_small_ones(machines, django_assert_num_queries):
    # MySQL unites 50 reads in a statement; SQLite can't, but each costs it next to nothing.
    with django_assert_num_queries(2 if connection.vendor == "mysql" else 60):
        rows = VibrationDiagnosis.objects.newest_of_each(machines, 3, "fault_type", most=180)
    assert [row[0] for row in rows] == [machine.pk for machine in machines for _row in range(3)]
    newest = START + timedelta(minutes=19)
    assert [row[1:] for row in rows[:3]] == [
        (newest, "b", 3),
        (newest, "a", 3),
        (newest - timedelta(minutes=1), "b", 2),
    ]
    with pytest.raises(TooManyRows):
        VibrationDiagnosis.objects.newest_of_each(machines, 3, most=179)
    assert VibrationDiagnosis.objects.newest_of_each([], 3, most=1) == []


def test_the_latest_of_each_machine_takes_two_statements(machines, django_assert_num_queries):
    Machine.objects.create(name="silent")
    with django_assert_num_queries(2):
        latest = [
            (it.machine.name, it.detected_at, it.model_name) for it in VibrationDiagnosis.objects.latest_per_machine()
        ]
    assert latest == [(machine.name, START + timedelta(minutes=19), "b") for machine in machines]
    part = VibrationDiagnosis.objects.filter(detected_at__lt=START + timedelta(minutes=5)).latest_per_machine()
    assert {it.detected_at for it in part} == {START + timedelta(minutes=4)}
