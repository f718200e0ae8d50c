"""However long a history is, a trend, its numbers and a waterfall read what they show, on either database."""

from datetime import timedelta

import pytest

from common.tests.rows_read import analyze, work_of
from vibration.models import CaptureAxis, SpectrumOutline
from vibration.tests.captures_world import RATE, START
from vibration.tests.trends_world import axis_of, put
from vibration.trends import reading
from vibration.trends.reading import Span, trend_of
from vibration.trends.summary import summary_of
from vibration.trends.waterfall import waterfall_of

# ANALYZE ends a transaction on MariaDB.
pytestmark = pytest.mark.django_db(transaction=True)
TABLES = [f"vibration_{it}" for it in ("capture", "capture_features", "feature_rollup", "spectrum_outline")]
BEFORE, SHOWN, BEHIND = (START + timedelta(days=days) for days in (-60, 0, 60))
DAY = Span(SHOWN, SHOWN + timedelta(days=1))
READS = {
    "a trend of a day": lambda axis: trend_of(axis, "rms", DAY, 400),
    "a trend of a month": lambda axis: trend_of(axis, "rms", Span(SHOWN, SHOWN + timedelta(days=30)), 400),
    "what has no value": lambda axis: trend_of(axis, "velocity_rms", DAY, 400),
    "a trend of nothing": lambda axis: trend_of(axis, "rms", Span(*(it + timedelta(days=30) for it in DAY)), 400),
    "numbers": lambda axis: summary_of(axis, "rms", *DAY, most=100),
    "numbers of nothing": lambda axis: summary_of(axis, "rms", *(it + timedelta(days=30) for it in DAY), most=100),
    "a waterfall": lambda axis: waterfall_of(axis, DAY, columns=10, rows=10),
    "a waterfall of nothing": lambda axis: waterfall_of(
        axis, Span(*(it + timedelta(days=30) for it in DAY)), columns=10, rows=10
    ),
}


def fill(axis: CaptureAxis, start, count: int) -> None:
    starts = [start + timedelta(minutes=20 * number) for number in range(count)]
    put(axis, starts, [1.0] * count)
    SpectrumOutline.objects.bulk_create(
        SpectrumOutline(sensor=axis.sensor, axis=axis.axis, started_at=it, unit="g", sampling_hz=RATE, data=b"\1\1")
        for it in starts
    )


def settle() -> None:
    for table in TABLES:
        analyze(table)


def test_what_is_read_does_not_grow_with_what_lies_before_behind_and_beside_it():
    axis = axis_of()
    fill(axis, SHOWN, 60)
    for start in (BEFORE, BEHIND):
        fill(axis, start, 40)
    for sensor, name in (("de", "w"), ("de", "y"), ("nde", "x")):
        fill(axis_of(sensor=sensor, axis=name), SHOWN, 40)
    settle()
    few = {name: work_of(lambda read=read: read(axis)) for name, read in READS.items()}
    for start in (BEFORE, BEHIND):
        fill(axis, start + timedelta(days=1), 500)
    for sensor, name in (("de", "w"), ("de", "y"), ("nde", "x")):
        fill(axis_of(sensor=sensor, axis=name), BEFORE, 500)
    settle()
    many = {name: work_of(lambda read=read: read(axis)) for name, read in READS.items()}
    grown = {name: (few[name], many[name]) for name in READS if many[name] > 1.5 * few[name] + 20}
    assert grown == {}


def test_a_trend_of_buckets_reads_no_more_where_each_has_more_captures(monkeypatch):
    monkeypatch.setattr(reading, "MOST_CAPTURES", 10)
    span = Span(SHOWN, SHOWN + timedelta(days=3))
    work = []
    for sensor, each in (("few", 1), ("many", 10)):
        axis = axis_of(sensor=sensor)
        put(axis, [SHOWN + timedelta(hours=1 / each * number) for number in range(60 * each)], [1.0] * 60 * each)
        settle()
        work.append(work_of(lambda axis=axis: trend_of(axis, "rms", span, 400)))
        assert trend_of(axis, "rms", span, 400).captures == 60 * each
    assert work[1] < 1.5 * work[0]
