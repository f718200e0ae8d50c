from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from machines import clocks
from machines.clocks import SIGHTINGS, STEP, behind_of, certain_lags, note_clock
from machines.models import ClockLag, Machine

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def machine(db):
    return Machine.objects.create(name="g1")


def come(lag: timedelta, minutes: float, **more) -> str | None:
    """A post that comes so long after NOW, with times that lag so."""
    now = NOW + minutes * MINUTE
    return note_clock("g1", now - lag, now=now, **{"data": "samples", "source": "press: sensor1"} | more)


@pytest.mark.parametrize(
    ("lag", "behind"),
    [
        (9 * HOUR, 9 * HOUR),
        (9 * HOUR - 2 * MINUTE, 9 * HOUR),  # a clock that is fast besides
        (9 * HOUR + 4 * MINUTE, 9 * HOUR),  # and data that were under way
        (9 * HOUR + 5 * MINUTE, None),
        (9 * HOUR - 3 * MINUTE, None),
        (HOUR, HOUR),
        (14 * HOUR, 14 * HOUR),
        (15 * HOUR, None),
        (timedelta(0), None),
        (-HOUR, None),
        (3 * MINUTE, None),
        (5.5 * HOUR, None),
        (300 * 24 * HOUR, None),
    ],
)
def test_a_whole_number_of_hours_is_what_a_clock_can_be_set_back_by(lag, behind):
    assert behind_of(NOW - lag, NOW) == behind


def test_a_clock_in_utc_lags_by_what_the_plant_is_ahead_be_it_half_an_hour():
    with timezone.override("Asia/Kolkata"):
        assert behind_of(NOW - 5.5 * HOUR - MINUTE, NOW) == 5.5 * HOUR
        assert behind_of(NOW - 4.5 * HOUR, NOW) is None


def test_a_lag_is_told_of_when_it_has_stayed_the_same(machine):
    told = [come(9 * HOUR, minutes) for minutes in (0, 3, 6, 9)]
    assert told[:-1] == [None] * 3
    assert "machine g1, 2026-11-20T03:09:00, is 9 h behind" in told[-1]
    assert "since 2026-11-20T12:00:00+09:00" in told[-1]
    assert "seems to be set to UTC. Set it to plant time, or send times with their offset." in told[-1]
    [lag] = certain_lags(NOW + 9 * MINUTE)
    assert (lag.machine, lag.data, lag.source, lag.hours, lag.is_utc) == (
        machine,
        "samples",
        "press: sensor1",
        "9",
        True,
    )


def test_one_of_another_zone_is_not_said_to_be_in_utc(machine):
    told = [come(8 * HOUR, minutes) for minutes in (0, 3, 6, 9)]
    assert "8 h behind" in told[-1]
    assert "seems to be set to another time zone." in told[-1]


@pytest.mark.parametrize("faster", [0.3, 1.7, 2, 10, 60, 1000])
def test_old_data_that_are_sent_late_are_no_clock(machine, faster):
    """Wherever it begins, a lag that grows or shrinks passes by each whole hour too soon."""
    for beginning in range(0, 60, 4):
        ClockLag.objects.all().delete()
        for minutes in range(90):
            assert come(9 * HOUR + beginning * MINUTE - (faster - 1) * minutes * MINUTE, minutes) is None


def test_many_posts_at_once_are_one_sighting(machine):
    assert [come(9 * HOUR, second / 60) for second in range(100)] == [None] * 100
    assert ClockLag.objects.get().sightings == 1


def test_the_same_time_sent_again_is_none(machine):
    for minutes in range(0, 4):
        note_clock("g1", NOW - 9 * HOUR, now=NOW + minutes * MINUTE, data="samples")
    assert ClockLag.objects.get().sightings == 1


def test_it_is_over_as_soon_as_the_clock_is_right(machine):
    for minutes in (0, 3, 6, 9):
        come(9 * HOUR, minutes)
    assert come(timedelta(seconds=2), 12) is None
    assert not ClockLag.objects.exists()


def test_times_with_an_offset_end_it_too(machine):
    for minutes in (0, 3, 6, 9):
        come(9 * HOUR, minutes)
    assert note_clock("g1", None, now=NOW + 12 * MINUTE, data="samples", source="press: sensor1") is None
    assert not ClockLag.objects.exists()


def test_another_lag_begins_anew(machine):
    for minutes in (0, 3, 6, 9):
        come(9 * HOUR, minutes)
    assert come(8 * HOUR, 12) is None
    assert (ClockLag.objects.get().behind, ClockLag.objects.get().sightings) == (8 * HOUR, 1)


def test_each_source_has_a_clock_of_its_own(machine):
    for minutes in (0, 3, 6, 9):
        told = [come(9 * HOUR, minutes), come(MINUTE, minutes, source="other"), come(MINUTE, minutes, data="diagnoses")]
    assert [bool(it) for it in told] == [True, False, False]


def test_a_right_clock_costs_no_statement(machine, django_assert_num_queries):
    come(MINUTE, 0)
    with django_assert_num_queries(0):
        for minutes in range(100):
            assert come(MINUTE, minutes) is None
            assert come(10 * 24 * HOUR, minutes) is None


def test_what_another_process_has_noted_is_known_after_a_while(machine, monkeypatch):
    come(MINUTE, 0)
    ClockLag.objects.create(
        machine=machine,
        data="samples",
        source="press: sensor1",
        behind=9 * HOUR,
        first_at=NOW,
        last_at=NOW,
        newest=NOW,
        sightings=SIGHTINGS,
    )
    clocks.cache.delete(clocks._KEY)  # as after KEPT_S
    come(MINUTE, 0)
    assert not ClockLag.objects.exists()


def test_what_was_not_seen_for_a_week_is_not_shown_and_begins_anew(machine):
    for minutes in (0, 3, 6, 9):
        come(9 * HOUR, minutes)
    later = 9 + 8 * 24 * 60
    assert certain_lags(NOW + later * MINUTE) == []
    assert come(9 * HOUR, later) is None
    assert ClockLag.objects.get().sightings == 1


def test_old_ones_make_room_for_new_ones(machine):
    come(9 * HOUR, 0, source="former")
    come(9 * HOUR, 8 * 24 * 60)
    assert ClockLag.objects.get().source == "press: sensor1"


def test_a_machine_that_is_not_registered_has_no_clock(db):
    assert note_clock("nobody", NOW - 9 * HOUR, data="samples", now=NOW) is None
    assert not ClockLag.objects.exists()


def test_steps_and_sightings_are_some_minutes():
    assert timedelta(minutes=5) <= (SIGHTINGS - 1) * STEP <= timedelta(minutes=15)
