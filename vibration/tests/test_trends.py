"""A trend has every extreme of its span, and says what it leaves out."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from vibration.tests.captures_world import START
from vibration.tests.trends_world import axis_of, put
from vibration.trends import reading
from vibration.trends.reading import Span, trend_of
from vibration.trends.remarks import Code
from vibration.trends.summary import summary_of

pytestmark = pytest.mark.django_db
DAYS = Span(START, START + timedelta(days=30))


def every(minutes: int, count: int, start=START) -> list:
    return [start + timedelta(minutes=minutes * number) for number in range(count)]


def codes(trend) -> list[str]:
    return [it.code for it in trend.remarks]


class TestExtremes(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(
        gaps=st.lists(st.integers(1, 40 * 3_600), min_size=1, max_size=40),
        begin=st.integers(-3, 3),
        length=st.integers(1, 60),
        points=st.integers(1, 30),
        most=st.sampled_from([0, 5, 1_000]),
    )
    def test_none_is_lost_at_any_zoom(self, gaps, begin, length, points, most):
        starts = [START + timedelta(seconds=it) for it in np.cumsum(gaps).tolist()]
        values = np.random.default_rng(len(gaps)).normal(5, 1, len(starts)).tolist()
        axis = axis_of()
        put(axis, starts, values)
        span = Span(START + timedelta(days=begin), START + timedelta(days=begin + length))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "MOST_CAPTURES", most)
            found = trend_of(axis, "rms", span, points)
        within = [value for at, value in zip(starts, values, strict=True) if span.start <= at < span.end]
        width = timedelta(seconds=found.width or 0)
        shown = 0
        for time, least, greatest in zip(found.time.tolist(), found.least, found.greatest, strict=True):
            at = span.start + timedelta(seconds=time)
            its = [it for when, it in zip(starts, values, strict=True) if when == at or at <= when < at + width]
            assert (least, greatest) == (min(its), max(its))
            shown += len(its)
        assert found.captures == shown >= len(within)
        assert found.width is not None or (len(found.time) == len(within))
        assert found.width is None or len(found.time) <= points


def test_few_captures_come_one_by_one_and_many_in_buckets():
    axis = axis_of()
    put(axis, every(10, 3_000), np.linspace(1, 2, 3_000).tolist())
    day = trend_of(axis, "rms", Span(START, START + timedelta(days=1)), 400)
    assert (day.width, day.captures, len(day.time)) == (None, 144, 144)
    assert day.gap_s == 1_800
    month = trend_of(axis, "rms", DAYS, 400)
    assert month.width == 2 * 3_600
    assert month.captures == 3_000
    assert len(month.time) < 400


def test_what_is_in_another_unit_is_converted_or_left_out_and_told():
    axis = axis_of()
    put(axis, every(10, 3), [1.0, 1.0, 1.0], unit="g")
    put(axis, every(10, 2, START + timedelta(days=1)), [2.0, 2.0], unit="mm/s")
    put(axis, every(10, 1, START + timedelta(days=2)), [3.0], unit="m/s2")
    found = trend_of(axis, "rms", DAYS, 100)
    assert found.unit == "m/s2"
    assert found.greatest.tolist() == [9.80665] * 3 + [3.0]
    assert [(it.code, it.numbers) for it in found.remarks] == [
        (Code.CONVERTED, {"captures": 3, "unit": "g"}),
        (Code.OTHER_UNIT, {"captures": 2, "unit": "mm/s"}),
    ]
    assert trend_of(axis, "kurtosis", DAYS, 100).captures == 6


def test_a_span_before_the_first_capture_and_one_after_the_last_are_told():
    axis = axis_of()
    put(axis, every(10, 5), [1.0] * 5)
    before = trend_of(axis, "rms", Span(START - timedelta(days=9), START), 100)
    assert [(it.code, it.numbers) for it in before.remarks] == [(Code.BEFORE_FIRST, {"first": START.isoformat()})]
    partly = trend_of(axis, "rms", Span(START - timedelta(days=9), START + timedelta(days=1)), 100)
    assert codes(partly) == [Code.BEFORE_FIRST]
    after = trend_of(axis, "rms", Span(START + timedelta(days=2), START + timedelta(days=3)), 100)
    assert codes(after) == [Code.NONE]


def test_rates_that_differ_are_told():
    axis = axis_of()
    put(axis, every(10, 2), [1.0, 1.0], rate=25_600)
    put(axis, every(10, 2, START + timedelta(days=1)), [1.0, 1.0], rate=12_800)
    [remark] = trend_of(axis, "rms", DAYS, 100).remarks
    assert remark == (Code.RATES, {"first_hz": 25_600, "last_hz": 12_800})


def test_what_is_not_assessable_has_no_value_and_a_reason():
    axis = axis_of()
    put(axis, every(10, 2), [1.0, 1.0], more={"velocity_rms": [None, 2.0]})
    found = trend_of(axis, "velocity_rms", DAYS, 100)
    np.testing.assert_array_equal(found.least, [np.nan, 2.0])
    assert codes(found) == [Code.NOT_ASSESSABLE]
    assert found.unit == "mm/s"


def test_what_has_no_vibration_is_marked():
    axis = axis_of()
    put(axis, every(10, 2), [0.0, 1.0], more={"crest_factor": [None, 1.4]})
    assert trend_of(axis, "rms", DAYS, 100).is_flat.tolist() == [True, False]


def test_a_summary_is_of_the_newest_captures_of_a_span():
    axis = axis_of()
    put(axis, every(10, 1_200), [*[9.0] * 600, *np.linspace(0, 2, 600)])
    found = summary_of(axis, "rms", *DAYS, most=1_000)
    assert (found.count, found.is_cut, found.least, found.greatest) == (1_000, True, 0.0, 9.0)
    first = summary_of(axis, "rms", START, START + timedelta(days=1), most=1_000)
    assert (first.count, first.is_cut, first.median) == (144, False, 9.0)
    assert summary_of(axis, "rms", START - timedelta(days=1), START, most=1_000).median is None
