"""Diagnoses of the database as runs, and as the strip of the last 24 hours."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.tests.rows_read import analyze, rows_read
from diagnosis.history.reading import NAMED_MACHINES, instant_of, microseconds, read_runs
from diagnosis.history.run_objects import tell_runs
from diagnosis.history.strips import HEIGHT, HEIGHTS, WIDTH, strips_of
from diagnosis.models import VibrationDiagnosis
from diagnosis.states import FaultType
from diagnosis.tests.world import post
from machines.models import Machine

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 34, 56, 789_012, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(machine, start, end=NOW) -> list[tuple]:
    history = read_runs([machine], start, end, now=NOW)
    return [(it.state, it.start, it.end, it.count) for it in tell_runs(machine, history, start, NOW)]


def test_instants_keep_their_microseconds():
    assert instant_of(microseconds(NOW)) == NOW
    g1 = post("g1", (NOW - HOUR, 1), (NOW - HOUR / 2, 0))
    assert told(g1, NOW - 2 * HOUR) == [(1, NOW - HOUR, NOW - HOUR / 2, 1), (0, NOW - HOUR / 2, NOW, 1)]


def test_a_run_from_before_the_window_reaches_into_it_as_far_as_it_is_known_to():
    g1 = post("g1", (NOW - 5 * HOUR, 2), (NOW - 4.5 * HOUR, 2))
    found = list(tell_runs(g1, read_runs([g1], NOW - 4 * HOUR, NOW, now=NOW), NOW - 4 * HOUR, NOW))
    assert [(it.begins_before, it.end, it.goes_on) for it in found] == [(True, NOW - 3.5 * HOUR, False)]
    assert told(g1, NOW - 3 * HOUR) == []


def test_each_machine_has_its_own_expected_interval():
    for name, minutes in (("g1", 10), ("g2", None)):
        machine = post(name, (NOW - HOUR, 0))
        Machine.objects.filter(pk=machine.pk).update(expected_interval_min=minutes)
    machines = list(Machine.objects.order_by("name"))
    history = read_runs(machines, NOW - 2 * HOUR, NOW, now=NOW)
    ends = [instant_of(history.runs[machine.pk].end[0]) for machine in machines]
    assert ends == [NOW - HOUR + timedelta(minutes=10), NOW]


def test_the_models_of_a_run_are_named():
    post("g1", (NOW - HOUR, 0), model="b")
    g1 = post("g1", (NOW - HOUR / 2, 0), model="a")
    [run] = tell_runs(g1, read_runs([g1], NOW - 2 * HOUR, NOW, now=NOW), NOW - 2 * HOUR, NOW)
    assert run.models == ["a", "b"]


@pytest.mark.parametrize("machines", [1, 30])
def test_any_number_of_machines_is_one_query(machines, django_assert_num_queries):
    found = [post(f"g{number}", (NOW - HOUR, 0)) for number in range(machines)]
    with django_assert_num_queries(1):
        read_runs(found, NOW - 2 * HOUR, NOW, now=NOW)


def test_many_machines_are_read_as_each_by_itself():
    found = [
        post(f"g{number}", (NOW - HOUR, number % 4), model="ab"[number % 2]) for number in range(2 * NAMED_MACHINES + 2)
    ]
    Machine.objects.filter(pk__in=[it.pk for it in found[::2]]).update(expected_interval_min=10)  # as many in each way
    machines = list(Machine.objects.order_by("pk"))
    left_out = machines.pop()
    history = read_runs(machines, NOW - 2 * HOUR, NOW, now=NOW)
    assert left_out.pk not in history.runs
    for machine in machines:
        [run] = tell_runs(machine, history, NOW - 2 * HOUR, NOW)
        [alone] = tell_runs(machine, read_runs([machine], NOW - 2 * HOUR, NOW, now=NOW), NOW - 2 * HOUR, NOW)
        assert run == alone


@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite counts no rows")
@pytest.mark.django_db(transaction=True)  # MySQL ends one to look at a table
@pytest.mark.parametrize("count", [NAMED_MACHINES, NAMED_MACHINES + 1])
def test_a_day_of_many_machines_costs_its_own_diagnoses_not_those_before(count):
    machines = [Machine.objects.create(name=f"g{number}") for number in range(count)]
    VibrationDiagnosis.objects.bulk_create(
        VibrationDiagnosis(machine=machine, detected_at=NOW - number * HOUR, fault_type=0)
        for number in range(400)
        for machine in machines
    )
    analyze("vibration_diagnosis")
    assert rows_read(lambda: read_runs(machines, NOW - 24 * HOUR, NOW, now=NOW)) < 3 * 27 * count


def strip(machine) -> dict[str, str]:
    [machine] = Machine.objects.select_related("current_state").filter(pk=machine.pk)
    return dict(strips_of([machine], NOW)[machine.pk])


def test_a_strip_draws_the_worse_the_taller_at_its_time_of_the_day():
    g1 = post("g1", (NOW - 12 * HOUR, 3), (NOW - 11.5 * HOUR, 0), (NOW - 11 * HOUR, 0))
    drawn = strip(g1)
    assert set(drawn) == {"unbalance_looseness", "normal"}
    left, tall, width = map(
        float, re.fullmatch(rf"M([\d.]+) {HEIGHT}v-(\d+)h([\d.]+)v\2z", drawn["unbalance_looseness"]).groups()
    )
    assert tall == HEIGHTS[FaultType.UNBALANCE_LOOSENESS]
    assert abs(left - WIDTH / 2) <= 2  # the strip ends with the 10 minutes that are under way
    assert abs(width - WIDTH / 48) < 0.1


def test_a_strip_is_read_again_only_when_its_machine_was_diagnosed():
    g1, g2 = post("g1", (NOW - HOUR, 0)), post("g2", (NOW - HOUR, 0))
    before = strip(g1), strip(g2)
    post("g1", (NOW - HOUR / 2, 3))
    with CaptureQueriesContext(connection) as queries:
        assert strip(g2) == before[1]
        assert strip(g1) != before[0]
    assert len([it for it in queries if "vibration_diagnosis" in it["sql"]]) == 1


def test_of_a_past_period_the_last_run_ends_where_the_next_diagnosis_came():
    g1 = post("g1", (NOW - timedelta(minutes=61), 0), (NOW - timedelta(minutes=55), 2))
    start, end = NOW - 3 * HOUR, NOW - timedelta(minutes=60)
    [run] = tell_runs(g1, read_runs([g1], start, end, now=NOW), start, NOW)
    assert (run.state, run.end, run.goes_on) == (0, NOW - timedelta(minutes=55), False)


def test_what_is_kept_of_strips_does_not_grow_with_the_diagnoses():
    for minute in range(5, 0, -1):
        g1 = post("g1", (NOW - timedelta(minutes=minute), minute % 2))
        strip(g1)
    assert len([key for key in cache._cache if "strip" in key]) == 1
