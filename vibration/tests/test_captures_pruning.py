"""Retention of captures: what goes, what stays, in whatever order captures come."""

import itertools
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from vibration.captures import pruning
from vibration.captures.pruning import Found, Span, Why, find_old, old_captures, remove_old
from vibration.captures.storing import delete_captures, remove_samples
from vibration.models import Capture, CaptureAxis, CaptureFeatures
from vibration.tests.captures_world import CLIPPED, FLAT, at, days_ago, plan_of, reads_an_index_alone, stored

pytestmark = pytest.mark.django_db
AGE = timedelta(days=14)


def none() -> dict:
    return {}


def prune(protected=none, *, batch: int = 2) -> int:
    cutoff = timezone.now() - AGE
    return sum(
        count for count, _bytes in remove_old(find_old(cutoff, protected), cutoff, protected, by="x", batch=batch)
    )


def with_samples(field: str = "pk") -> set:
    found = Capture.objects.filter(has_samples=True)
    assert not found.filter(data=None).exists()
    return set(found.values_list(field, flat=True))


def test_samples_that_are_old_go_and_features_and_rows_stay():
    first, *old = stored(*(at(days_ago(day)) for day in (20, 19, 18, 17, 16)))
    [young] = stored(at(days_ago(13)))
    size = first.size
    assert size > 0
    assert prune() == 4
    assert with_samples() == {first.pk, young.pk}
    assert Capture.objects.count() == CaptureFeatures.objects.count() == 6
    gone = Capture.objects.get(pk=old[0].pk)
    assert (gone.data, gone.size, gone.sha256) == (None, size, first.sha256)
    assert prune() == 0


def test_what_people_keep_stays():
    first, kept, other = stored(*(at(days_ago(day)) for day in (20, 19, 18)))
    Capture.objects.filter(pk=kept.pk).update(is_kept=True)
    assert prune() == 1
    assert with_samples() == {first.pk, kept.pk}
    # Even when it was kept after it was found
    Capture.objects.filter(pk=first.pk).update(is_kept=True)
    assert remove_samples([first.pk, kept.pk, other.pk]) == (0, 0)


def test_the_reference_of_an_axis_is_its_first_good_capture():
    stored(
        at(days_ago(30), FLAT),
        at(days_ago(29), CLIPPED, scale=0.1),
        at(days_ago(28), source="reference"),
        at(days_ago(27)),
        at(days_ago(26), axis="y", source="reference"),
        at(days_ago(25), sensor="nde", source="reference"),
        at(days_ago(24), sensor="nde", axis="y", values=FLAT),
    )
    assert prune() == 4
    assert with_samples("source") == {"reference"}
    assert Capture.objects.filter(has_samples=True).count() == 3


@pytest.mark.parametrize("seed", range(12))
def test_in_whatever_order_captures_come_and_are_pruned_the_same_stay(seed):
    """Of two axes: three good ones, one flat, one kept, evidence; with retention between any two."""
    chance = random.Random(seed)
    now = timezone.now()
    days = [(30, FLAT, "x"), (29, None, "x"), (28, None, "x"), (27, None, "x"), (26, None, "x"), (25, None, "y")]
    arriving = [at(now - timedelta(days=day), values, axis=axis) for day, values, axis in days]
    chance.shuffle(arriving)

    def protected():
        machine = next(iter(Capture.objects.values_list("sensor__machine", flat=True)[:1]), None)
        return {machine: [Span(now - timedelta(days=27.5), now - timedelta(days=26.5))]}

    for capture in arriving:
        stored(capture)
        if chance.random() < 0.7:
            prune(protected, batch=1)
    prune(protected)
    left = {round((now - it) / timedelta(days=1)) for it in with_samples("started_at")}
    assert left == {29, 27, 25}


def test_when_the_reference_is_deleted_the_next_one_with_samples_takes_its_place():
    captures = stored(*(at(days_ago(day)) for day in (20, 19, 13, 12)))
    prune()
    delete_captures(Capture.objects.filter(pk=captures[0].pk))
    assert CaptureFeatures.objects.count() == 3
    [old] = itertools.chain(*old_captures(days_ago(12.5), none))
    assert (old.pk, old.why) == (captures[2].pk, Why.REFERENCE)


def test_of_an_axis_whose_newest_is_deleted_the_one_before_is_the_newest():
    first, second, other = stored(at(days_ago(3)), at(days_ago(2)), at(days_ago(1), axis="y"))
    delete_captures(Capture.objects.filter(pk__in=[second.pk, other.pk]))
    assert dict(CaptureAxis.objects.values_list("axis", "newest_at")) == {"x": first.started_at}


def test_of_each_machine_it_is_found_what_goes_and_why_the_rest_stays():
    reference, kept, evidence, going = stored(*(at(days_ago(day)) for day in (20, 19, 18, 17)))
    stored(at(days_ago(1), machine="g2"))
    Capture.objects.filter(pk=kept.pk).update(is_kept=True)
    machine = reference.sensor.machine_id
    spans = {machine: [Span(evidence.started_at, evidence.started_at)]}
    assert find_old(days_ago(14), lambda: spans) == {
        machine: Found(
            going=1,
            bytes=going.size,
            first=going.started_at,
            last=going.started_at,
            staying={Why.KEPT: 1, Why.REFERENCE: 1, Why.EVIDENCE: 1},
            staying_bytes=3 * going.size,
        )
    }


def test_a_kill_between_two_batches_leaves_whole_captures_and_the_next_call_goes_on():
    captures = stored(*(at(days_ago(40 - number)) for number in range(7)))
    cutoff = timezone.now() - AGE
    batches = remove_old(find_old(cutoff, none), cutoff, none, by="x", batch=2)
    assert next(batches)[0] == 2
    batches.close()
    assert len(with_samples()) == 5
    assert prune() == 4
    assert with_samples() == {captures[0].pk}


def test_a_lot_that_ends_among_captures_of_one_instant_goes_on_behind_it(monkeypatch):
    monkeypatch.setattr("common.database.keysets.FETCHED_ROWS", 3)
    when = days_ago(20)
    stored(*(at(when, sensor=f"s{number}", axis=axis) for number in range(3) for axis in "xyz"))
    found = list(itertools.chain(*pruning.old_captures(days_ago(14), none)))
    assert len(found) == len({it.pk for it in found}) == 9
    assert {it.why for it in found} == {Why.REFERENCE}


def test_finding_what_is_old_looks_at_one_index_and_at_no_row():
    stored(*(at(days_ago(40 - number)) for number in range(20)))
    with CaptureQueriesContext(connection) as queries:
        list(old_captures(days_ago(14), none))
    [sql] = [it["sql"] for it in queries if "vibration_capture" in it["sql"]]
    assert reads_an_index_alone(sql, "capture_to_remove")
    if connection.vendor == "sqlite":
        assert "capture_to_remove (has_samples=? AND started_at<?)" in plan_of(sql)  # not as far as the samples removed
