"""Reading the newest: by index, whatever the table holds."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.db import connection

from common.database.keysets import behind, fields_of, order_of
from common.database.limited_reads import TooManyRows
from common.tests.rows_read import analyze, rows_read
from diagnosis.models import VibrationDiagnosis
from diagnosis.storage.current_states import read_anew
from machines.models import Machine

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 1, tzinfo=UTC)
MANY = 2_000


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


def assert_reads_only_what_it_gives(queryset, given: int):
    rows = list(queryset)
    assert len(rows) == given
    if connection.vendor == "mysql":
        # And a step behind the last row of each range
        assert rows_read(lambda: list(queryset.all())) <= 2 * given + 4
        return
    found = plan(queryset)
    assert "sqlite_autoindex_vibration_diagnosis_1" in found or "diagnosis_by_state" in found
    assert "TEMP B-TREE" not in found
    if "detected_at" in str(queryset.query.where):
        assert "detected_at" in found, "the read begins at an end of the index, not at the bound"


def make_few_machines():
    """A plant in which each machine has so large a share of all rows that databases rather read the whole table."""
    machines = [Machine.objects.create(name=f"g{number}") for number in range(3)]
    VibrationDiagnosis.objects.bulk_create(
        VibrationDiagnosis(
            machine=machine, detected_at=START + timedelta(minutes=i), fault_type=i % 20 == 7, model_name="a"
        )
        for i in range(MANY)
        for machine in machines
    )
    analyze("vibration_diagnosis")
    return machines


@pytest.mark.django_db(transaction=True)  # MySQL ends one to look at a table
def test_what_is_read_of_a_machine_is_what_is_given_from_any_instant_on():
    _first, machine, _last = make_few_machines()
    for part, filters in product([0.2, 0.5, 0.9], [{}, {"fault_type": 0}, {"fault_type": 1}]):
        instant = START + timedelta(minutes=MANY * part)
        newest_first = VibrationDiagnosis.objects.of_machine(machine).filter(**filters)
        assert_reads_only_what_it_gives(newest_first[:10], 10)
        assert_reads_only_what_it_gives(newest_first.filter(detected_at__lte=instant)[:10], 10)
        rising = VibrationDiagnosis.objects.of_machine(machine.pk, rising=True).filter(**filters)
        assert_reads_only_what_it_gives(rising.filter(detected_at__gt=instant)[:5], 5)
        # Pages
        first = VibrationDiagnosis.objects.get(machine=machine, detected_at=instant)
        key = [getattr(first, name) for name in fields_of(order_of(newest_first))]
        assert_reads_only_what_it_gives(newest_first.filter(behind(order_of(newest_first), key))[:10], 10)
        assert_reads_only_what_it_gives(newest_first.older_than(first)[:10], 10)


@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite counts no rows")
@pytest.mark.django_db(transaction=True)
def test_the_latest_of_each_machine_cost_a_few_rows_each():
    machines, diagnoses = make_few_machines(), VibrationDiagnosis.objects
    for machine in machines:
        read_anew(machine.pk)
    assert rows_read(lambda: list(diagnoses.latest_per_machine())) < 40
    assert rows_read(lambda: diagnoses.latest_of_states(machines, [0, 1, 2, 3])) < 100
    assert rows_read(lambda: diagnoses.newest_of_each(machines, 5, most=100)) < 60


def test_order_and_rows_of_a_machine_are_as_those_of_all(machines):
    diagnoses = VibrationDiagnosis.objects
    newest_first = list(diagnoses.filter(machine=machines[7]).newest_first())
    assert len(newest_first) == 40
    assert list(diagnoses.of_machine(machines[7])) == newest_first
    assert list(diagnoses.of_machine(machines[7].pk, rising=True)) == newest_first[::-1]


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


def test_the_latest_of_each_machine_takes_one_statement(machines, django_assert_num_queries):
    Machine.objects.create(name="silent")
    for machine in machines:
        read_anew(machine.pk)
    with django_assert_num_queries(1):
        latest = [
            (it.machine.name, it.detected_at, it.model_name) for it in VibrationDiagnosis.objects.latest_per_machine()
        ]
    assert latest == [(machine.name, START + timedelta(minutes=19), "b") for machine in machines]
