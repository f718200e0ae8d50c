"""Where the samples of a file belong, by its name."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from vibration.files.name_patterns import BadPattern, NamePattern
from vibration.files.name_stamps import stamps_in
from vibration.files.names import BadName, Naming, Place

NINE = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)  # 9 o'clock in Seoul


def place(name: str, pattern: str | None = None, **said) -> Place:
    return Naming(**said, pattern=pattern and NamePattern(pattern)).place_of(Path(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g1_sensor1.csv", ("g1", "sensor1")),
        ("line_2_press_x.CSV", ("line_2_press", "x")),
        ("압축기 1_진동.csv.gz", ("압축기 1", "진동")),
        ("press 100234_s1.csv", ("press 100234", "s1")),  # a number of its owner
        ("g1_1.csv", ("g1", "1")),
        ("g1_12345.csv", ("g1", "12345")),
        ("4711_s1.csv", ("4711", "s1")),
    ],
)
def test_a_name_is_cut_at_its_last_underscore(name, expected):
    assert place(name) == Place(*expected, "default")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pump_run_20260305_090000.csv", "20260305_090000 in the name is a time stamp, not a machine"),
        ("Log 2026-03-05 09_00_00.csv", "2026-03-05 09_00_00 in the name is a time stamp, not a machine"),
        ("pump_2026-03-05T09-00-00.csv", "2026-03-05T09-00-00 in the name is a time stamp, not a sensor"),
        ("pump_2026_03_05.csv", "2026_03_05 in the name is a time stamp, not a machine"),
        ("pump_20260305.csv", "20260305 in the name is a time stamp, not a sensor"),
        ("20260305_s1.csv", "20260305 in the name is a time stamp, not a machine"),
        ("pump_20260305T0900Z.csv.gz", "20260305T0900Z in the name is a time stamp, not a sensor"),
        ("pump_260305_090000.csv", "260305_090000 in the name is a time stamp, not a machine"),
        ("pump_090000.csv", "090000 in the name is a time stamp or a running number, not a sensor"),
        ("pump_1772668800.csv", "1772668800 in the name is a time stamp or a running number, not a sensor"),
        ("000123_s1.csv", "000123 in the name is a time stamp or a running number, not a machine"),
    ],
)
def test_a_stamp_or_a_running_number_is_neither_machine_nor_sensor(name, message):
    with pytest.raises(BadName) as error:
        place(name)
    assert str(error.value) == f"{name}: {message}; say --name-pattern '{{machine}}_{{recording}}' and --sensor"
    assert error.value.reason == f"{name}: {message}"


def test_what_is_said_goes_before_the_name_stamped_or_not():
    assert place("pump_20260305.csv", machine="pump", sensor="s1") == Place("pump", "s1", "default")
    assert place("20260305_s1.csv", machine="pump", recording="march") == Place("pump", "s1", "march")
    with pytest.raises(BadName, match="is a time stamp, not a sensor"):
        place("pump_20260305.csv", machine="pump")


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{machine}_{recording}", "pump_run_20260305_090000.csv", Place("pump_run", "s9", "20260305_090000")),
        ("{machine}_{recording}", "pump_run_000123.csv", Place("pump_run", "s9", "000123")),
        ("{machine}_{recording}", "line_2_20260305_ch1.csv", Place("line_2", "s9", "20260305_ch1")),
        ("{machine}_run_{recording}", "pump_run_7.csv", Place("pump", "s9", "7")),
        ("{machine}_{start}", "pump_run_20260305_090000.csv", Place("pump_run", "s9", "20260305_090000", NINE)),
        ("{machine} {start}", "Log 2026-03-05 09_00_00.csv", Place("Log", "s9", "2026-03-05 09_00_00", NINE)),
        ("{machine}-{start}", "p-2026-03-05T09-00-00.csv", Place("p", "s9", "2026-03-05T09-00-00", NINE)),
        ("{machine}-{start}", "p-2026-03-05T00-00-00Z.csv", Place("p", "s9", "2026-03-05T00-00-00Z", NINE)),
        ("{start}_{machine}", "202603050900_압축기 1.csv.gz", Place("압축기 1", "s9", "202603050900", NINE)),
        ("{machine}_{recording}_{start}", "p_7_20260305_0900.csv", Place("p", "s9", "7", NINE)),
    ],
)
def test_a_pattern_says_what_stands_where(pattern, name, expected):
    assert place(name, pattern, sensor="s9") == expected


def test_a_pattern_names_the_sensor_too():
    expected = Place("line_2", "s1", "20260305_090000", NINE)
    assert place("line_2_s1_20260305_090000.csv", "{machine}_{sensor}_{start}") == expected
    assert place("line_2_s1.csv", "{machine}_{sensor}") == Place("line_2", "s1", "default")
    assert place("line_2_100234.csv", "{machine}_{sensor}").sensor == "100234"  # as somebody has said


@pytest.mark.parametrize(
    ("pattern", "name", "message"),
    [
        ("{machine}_{start}", "pump.csv", r"is not like \{machine\}_\{start\}"),
        ("{machine}_{start}", "pump_run.csv", "is not like"),
        ("{machine}_{start}", "pump_20260305_0900 copy.csv", "is not like .*, where 20260305_0900 is a time stamp"),
        ("{machine}_run{recording}", "pump_7.csv", "is not like"),
        ("{machine}_{recording}", "_7.csv", "is not like"),
        ("{machine}", "pump_20260305.csv", "is not like .*, where 20260305 is a time stamp"),
        (
            "{machine}_{start}",
            "pump_20260305.csv",
            "20260305 is not a start: it needs a year of four digits, month, day",
        ),
        ("{machine}_{start}", "pump_260305_090000.csv", "260305_090000 is not a start: it needs a year of four digits"),
        ("{machine}_{start}", "pump_20260231_090000.csv", "20260231_090000 is not a start: .*there is no such time"),
        ("{machine}_{start}", "pump_19000101_0000.csv", "19000101_0000 is not a start"),  # 1899 in UTC
        ("{machine}_{start}", "pump_20990101_0000.csv", "not a start: .*more than an hour in the future"),
        ("{machine}_{recording}", "m" * 51 + "_7.csv", "machine '.*' has 51 characters"),
    ],
)
def test_a_name_that_is_not_like_the_pattern_is_refused(pattern, name, message):
    with pytest.raises(BadName, match=message):
        place(name, pattern, sensor="s9")


def test_a_start_in_an_hour_that_is_left_out_or_repeated_is_refused():
    with timezone.override("America/New_York"):
        for name in ("p_20260308_0230.csv", "p_20251102_0130.csv"):
            with pytest.raises(BadName, match="does not exist, or exists twice, in plant time"):
                place(name, "{machine}_{start}", sensor="s9")
        assert place("p_20260308_0330.csv", "{machine}_{start}", sensor="s9").started_at.hour == 7


def test_a_start_is_in_the_zone_that_is_said():
    in_utc = place("p_20260305_0000.csv", "{machine}_{start}", sensor="s9", zone=ZoneInfo("UTC"))
    assert (in_utc.started_at, in_utc.is_start_local) == (NINE, False)
    assert place("p_20260305_0900.csv", "{machine}_{start}", sensor="s9").is_start_local
    assert not place("p_20260305_0000Z.csv", "{machine}_{start}", sensor="s9").is_start_local


def test_a_name_of_many_separators_takes_no_time():
    with pytest.raises(BadName):
        place("_" * 250 + ".csv", "{machine}_{sensor}_{recording}_{start}")


@pytest.mark.parametrize("pattern", ["{machine}_{sensor}", "{machine}", "{recording}"])
def test_machine_and_sensor_are_said_once(pattern):
    with pytest.raises(BadPattern):
        Naming(machine="g1", pattern=NamePattern(pattern))


@pytest.mark.parametrize(
    ("name", "stamps"),
    [
        ("a 2026.03.05 09.00.00 b", ["2026.03.05 09.00.00"]),
        ("20260305090000", ["20260305090000"]),
        ("20260305_090000_20260306_0900", ["20260305_090000", "20260306_0900"]),
        ("20261305", []),
        ("120260305", []),
        ("1.2.3", []),
        ("2026-03-05_7", ["2026-03-05"]),
    ],
)
def test_stamps_are_found_whole(name, stamps):
    assert [stamp.text for stamp in stamps_in(name)] == stamps
