"""The extremes of features by the hour and longer are those of the captures that are stored, whatever happened."""

from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from vibration.captures.storing import delete_captures, rebuild_features, remove_samples
from vibration.models import Capture, CaptureFeatures, FeatureRollup, SpectrumOutline
from vibration.tests.captures_world import FLAT, START, at, stored, tone
from vibration.trends.extremes import NAMES, WIDTHS, bucket_of, decoded

HOURS = st.integers(0, 60)


def as_stored() -> dict:
    """Of each bucket what a rollup says."""
    found = {}
    for row in FeatureRollup.objects.all():
        key = row.sensor_id, row.axis, row.unit, row.width, row.bucket
        found[key] = row.count, row.flat, row.first_at, decoded(bytes(row.extremes)).tolist()
    return found


def as_they_are() -> dict:
    """The same, from the features of all captures, one by one."""
    of: dict = defaultdict(list)
    for it in CaptureFeatures.objects.all():
        for width in WIDTHS:
            of[it.sensor_id, it.axis, it.unit, width, bucket_of(it.started_at, width)].append(it)
    return {
        key: (
            len(its),
            sum(it.crest_factor is None for it in its),
            min(it.started_at for it in its),
            [_extremes([getattr(it, name) for it in its]) for name in NAMES],
        )
        for key, its in of.items()
    }


def _extremes(values: list) -> list[float]:
    known = [it for it in values if it is not None]
    return [min(known), max(known)] if known else [np.nan, np.nan]


def assert_right():
    found, expected = as_stored(), as_they_are()
    assert found.keys() == expected.keys()
    for key, (*numbers, extremes) in expected.items():
        assert list(found[key][:3]) == numbers
        np.testing.assert_array_equal(found[key][3], extremes)


class TestWhateverHappens(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.tuples(HOURS, st.floats(0, 9), st.sampled_from("xy"), st.sampled_from(["g", "m/s2"])), max_size=12),
        st.sets(st.integers(0, 11)),
    )
    def test_rollups_are_those_of_the_features(self, came, deleted):
        """In lots of some, late or not, flat or not; then some are deleted."""
        new = [
            at(START + timedelta(hours=hour, seconds=number), tone(amplitude=size), axis=axis, unit=unit)
            for number, (hour, size, axis, unit) in enumerate(came)
        ]
        captures = [it for start in range(0, len(new), 5) for it in stored(*new[start : start + 5])]
        assert_right()
        gone = [it.pk for number, it in enumerate(captures) if number in deleted]
        delete_captures(Capture.objects.filter(pk__in=gone))
        assert_right()


@pytest.mark.django_db
def test_features_that_are_made_anew_are_summed_up_anew():
    [capture, other] = stored(at(START), at(START + timedelta(minutes=1), tone(amplitude=2)))
    right = as_stored()
    CaptureFeatures.objects.update(rms=9.0)
    FeatureRollup.objects.all().delete()
    assert rebuild_features([capture.pk, other.pk]) == 2
    np.testing.assert_equal(as_stored(), right)
    assert rebuild_features([capture.pk, other.pk]) == 0


@pytest.mark.django_db
def test_an_outline_that_is_missing_is_made_when_features_are_made_anew():
    [capture] = stored(at(START))
    before = SpectrumOutline.objects.get()
    SpectrumOutline.objects.all().delete()
    assert rebuild_features([capture.pk]) == 1
    assert bytes(SpectrumOutline.objects.get().data) == bytes(before.data)


@pytest.mark.django_db
def test_of_removed_samples_the_first_outline_of_a_day_stays():
    starts = [START + timedelta(hours=hours) for hours in (0, 1, 30, 31)]
    captures = stored(*(at(it) for it in starts), at(starts[1], axis="y"))
    remove_samples([it.pk for it in captures])
    left = sorted(SpectrumOutline.objects.values_list("axis", "started_at"))
    assert left == [("x", starts[0]), ("x", starts[2]), ("y", starts[1])]


@pytest.mark.django_db
def test_a_flat_signal_has_no_outline():
    stored(at(START, FLAT))
    assert not SpectrumOutline.objects.exists()
    assert FeatureRollup.objects.filter(flat=1).count() == len(WIDTHS)
