"""Stamps of a clock in the time column, to the nanosecond."""

import io
import time as clock
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vibration.csv.reader import CsvReader
from vibration.csv.times import (
    EPOCHS,
    Period,
    find_zone,
    seconds_between,
    stamp_told,
    time_column,
    to_instant,
    to_stamp,
)

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
START = datetime(2026, 3, 5, tzinfo=UTC)  # 9 o'clock in Seoul
PERIOD = Period(SEOUL, datetime(1900, 1, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))


def read(stamps: list[str], time: str, period: Period = PERIOD, **options):
    """Stamps as seconds from START, and the rejected rows, of a file with these in its time column."""
    content = "".join(f"{stamp};1;2;3;4\n" for stamp in stamps).encode()
    reader = CsvReader(io.BytesIO(content), time=time_column(time, period), **options)
    batches = [batch.counted_from(to_stamp(START), SEOUL) for batch in reader]
    return [time for batch in batches for time in batch.time.tolist()], [row for it in batches for row in it.rejected]


@pytest.mark.parametrize(
    ("time", "stamps"),
    [
        ("epoch-s", ["1772668800.000", "1772668800.001", "1772668800.1", "1772668801", "1772755200.000000001"]),
        ("epoch-s", ['"1772668800"', " 1772668800.001 ", "+1772668800.10", "1.772668801e9", "1772755200.0000000010"]),
        ("epoch-ms", ["1772668800000", "1772668800001", "1772668800100.0", "1.772668801e12", "1772755200000.000001"]),
        (
            "epoch-us",
            ["1772668800000000", "1772668800001000", "1772668800100000", "1772668801e6", "1772755200000000.001"],
        ),
        (
            "epoch-ns",
            ["1772668800000000000", "1772668800001000000", "1.7726688001e18", "1772668801e9", "1772755200000000001"],
        ),
        (
            "iso",
            [
                "2026-03-05T09:00:00",
                "2026-03-05T09:00:00.001",
                "2026-03-05 09:00:00,1",
                "2026-03-05t09:00:01.0",
                "2026-03-06T09:00:00.000000001",
            ],
        ),
        (
            "iso",
            [
                "2026-03-05T00:00:00Z",
                "2026-03-05T09:00:00.001+09:00",
                "2026-03-04 19:00:00.100-0500",
                "2026-03-05T09:00:01+09",
                "2026-03-06T00:00:00.0000000010z",
            ],
        ),
    ],
)
@pytest.mark.parametrize("batch_rows", [1, 2, 50])
def test_a_stamp_is_the_double_nearest_to_its_seconds_from_the_start(time, stamps, batch_rows):
    read_, rejected = read(stamps, time, batch_rows=batch_rows)
    assert rejected == []
    assert read_ == [0.0, 0.001, 0.1, 1.0, 86400.000000001]


@given(st.integers(0, 10**18), st.integers(0, 10**18))
@example(1_772_668_800 * 10**9, 1_772_668_800 * 10**9 + 10**6)
@example(0, 2**53 + 1)
@example(0, 10**18 - 1)
def test_the_seconds_between_two_stamps_are_rounded_once(start, stamp):
    [seconds] = seconds_between(start, np.array([stamp])).tolist()
    assert seconds == float(Fraction(stamp - start, 10**9))


def test_a_long_recording_of_nanoseconds_is_exact_to_its_end():
    stamps = [f"{1772668800 + day * 86400}.123456789" for day in range(0, 240, 40)]
    read_, _rejected = read(stamps, "epoch-s")
    assert read_ == [float(Decimal(stamp) - 1772668800) for stamp in stamps]


@pytest.mark.parametrize(
    ("time", "stamp", "reason"),
    [
        ("epoch-s", "x", "measured_time is 'x', not a number of seconds since 1970"),
        ("epoch-ms", "NaN", "measured_time is 'NaN', not finite"),
        ("epoch-s", "", "measured_time is empty"),
        ("epoch-s", "1772668800.0000000001", "at most 9 decimals of a second are kept"),
        ("epoch-ns", "1772668800000000000.5", "at most 9 decimals of a second are kept"),
        ("epoch-s", "1e-400", "at most 9 decimals"),
        ("epoch-s", "1e999999999", "which is not an instant"),
        ("epoch-s", "1" * 100, "a stamp has at most 60 characters"),
        ("epoch-s", "-2500000000", "which is before 1900-01-01"),
        ("epoch-s", "1795600000", "which is more than an hour in the future. Is the clock or offset right?"),
        ("epoch-s", "1772668800000", "which is a number of milliseconds since 1970, 2026-03-05 09:00:00 Asia/Seoul"),
        ("iso", "1772668800", "not a time such as 2026-03-05T09:00:00.123"),
        ("iso", "2026-03-05", "not a time such as"),
        ("iso", "2026-03-05T09:00", "not a time such as"),
        ("iso", "2026-03-05T09:00:00.1234567891", "not a time such as"),
        ("iso", "2026-02-29T09:00:00", "there is no such time"),
        ("iso", "2026-03-05T09:00:60", "there is no such time"),
        ("iso", "2026-03-05T24:00:00", "there is no such time"),
        ("iso", "1899-12-31T00:00:00", "which is before 1900-01-01"),
        ("iso", "0001-01-01T00:00:00", "there is no such time"),
        ("iso", "0002-01-01T00:00:00", "which is too far in the past"),
        ("iso", "9999-12-31T23:59:59", "in the future"),
        ("iso", "2026-11-21T00:00:00", "which is more than an hour in the future"),
        ("iso", "2026-03-05T09:00:00Z", "with an offset, where the rows above are without one"),
    ],
)
def test_a_bad_stamp_is_rejected_with_its_reason(time, stamp, reason):
    good = {"epoch-s": "1772668800", "epoch-ms": "1772668800000", "epoch-ns": "1772668800000000000"}
    good |= {"iso": "2026-03-05T09:00:00"}
    read_, rejected = read([good[time], stamp, good[time]], time)
    assert read_ == [0.0, 0.0]
    assert [row.line for row in rejected] == [2]
    assert reason in rejected[0].reason


@pytest.mark.parametrize("batch_rows", [1, 10])
def test_one_form_belongs_in_a_column_whatever_the_batches(batch_rows):
    stamps = ["2026-03-05T00:00:00Z", "2026-03-05T00:00:01+00:00", "2026-03-05T09:00:02", "2026-03-05T00:00:03Z"]
    read_, rejected = read(stamps, "iso", batch_rows=batch_rows)
    assert read_ == [0.0, 1.0, 3.0]
    assert "without an offset, where the rows above are with one" in rejected[0].reason


@pytest.mark.parametrize("minute", ["2026-03-08T02:30", "2026-11-01T01:30"])
def test_a_time_that_a_change_of_clocks_leaves_out_or_repeats_is_rejected(minute):
    period = Period(NEW_YORK)
    read_, rejected = read([f"2026-03-05T00:00:0{second}" for second in range(3)] + [f"{minute}:00"], "iso", period)
    assert read_ == [5 * 3600.0, 5 * 3600.0 + 1, 5 * 3600.0 + 2]
    assert f"minute {minute}, which does not exist, or exists twice, in America/New_York" in rejected[0].reason
    read_, rejected = read([f"{minute}:00-05:00"], "iso", period)
    assert (len(read_), rejected) == (1, [])


def test_a_stamp_before_the_start_is_rejected_with_both_instants():
    _read, rejected = read(["2026-03-05T08:59:59.5", "2026-03-05T09:00:00"], "iso")
    assert [row.line for row in rejected] == [1]
    assert rejected[0].text == "2026-03-05T08:59:59.5;1;2;3;4"
    assert "it is of 2026-03-05T08:59:59.5+09:00, before the start of the recording, 2026-03-05T09:00:00+09:00" in (
        rejected[0].reason
    )


# Whatever a column holds, it is the same whether read as a whole or cell by cell.
digits = st.integers(0, 10**10).map(str)
stamps = st.one_of(
    st.integers(0, 2 * 10**18).map(lambda it: f"{it // 10**9}.{it % 10**9:09d}"),
    st.builds("{}.{}".format, digits, digits),
    st.integers(0, 4 * 10**18).map(str),
    st.text(alphabet="0123456789.eE+- ", max_size=22),
)
seconds = st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1))
times = st.one_of(
    seconds.map(lambda it: it.isoformat()),
    seconds.map(lambda it: it.isoformat(" ", "milliseconds") + "Z"),
    seconds.map(lambda it: it.isoformat() + "+05:30"),
    st.text(alphabet="0123456789-:.T Z+", max_size=30),
)


def in_one_and_singly(name: str, texts: list[str]) -> None:
    whole = time_column(name, Period(NEW_YORK)).read_column(pl.Series(texts, dtype=pl.String))
    if whole is None:
        return  # then each is looked at
    singly = time_column(name, Period(NEW_YORK))
    assert whole.tolist() == [singly.read(text.strip().encode()) for text in texts]


@pytest.mark.parametrize("name", list(EPOCHS))
@given(texts=st.lists(stamps, min_size=1, max_size=3))
@example(texts=["9223372036.854775807", "9999999999"])
@example(texts=["1772668800.", ".5", "+1", "1e9"])
def test_numbers_since_1970_are_the_same_as_a_column_and_singly(name, texts):
    in_one_and_singly(name, texts)


@given(texts=st.lists(times, min_size=1, max_size=3))
@example(texts=["2026-11-01T01:30:00"])
@example(texts=["2026-03-05T09:00:00Z", "2026-03-05 09:00:00,5+0530"])
def test_dates_and_times_are_the_same_as_a_column_and_singly(texts):
    in_one_and_singly("iso", texts)


@pytest.mark.parametrize(
    ("time", "text"),
    [("epoch-s", "1772668800.5"), ("epoch-ms", "1772668800500"), ("iso", "2026-03-05T09:00:00.5")],
)
def test_good_stamps_are_read_as_a_column(time, text):
    """A row a call would take a second for what takes some hundredths."""
    assert time_column(time).read_column(pl.Series([text] * 3, dtype=pl.String)) is not None


def test_a_column_of_a_different_minute_each_takes_no_minutes():
    days = [(datetime(1990, 1, 1) + timedelta(hours=hour)).isoformat() for hour in range(200_000)]
    started = clock.thread_time()
    assert len(time_column("iso").read_column(pl.Series(days))) == 200_000
    assert clock.thread_time() - started < 30


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
def test_an_instant_comes_back_from_its_stamp(instant):
    instant = instant.replace(tzinfo=UTC)
    assert to_instant(to_stamp(instant)) == instant
    assert to_instant(to_stamp(instant) + 999) == instant


def test_a_stamp_is_told_with_all_its_digits():
    assert stamp_told(to_stamp(START), SEOUL) == "2026-03-05T09:00:00+09:00"
    assert stamp_told(to_stamp(START) + 1_500, NEW_YORK) == "2026-03-04T19:00:00.0000015-05:00"


@pytest.mark.parametrize("name", ["", "Mars/Phobos", "../etc/passwd", "/etc", "Asia", "x\0y", "a" * 300])
def test_a_name_of_no_zone_is_told(name):
    with pytest.raises(ValueError, match="is not a time zone such as UTC or Asia/Seoul"):
        find_zone(name)
    assert find_zone("UTC").utcoffset(START) == timedelta(0)
