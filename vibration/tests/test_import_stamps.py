"""Importing files with stamps of a clock in the time column, and files that are none of ours."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from machines.models import Machine
from vibration.files.importing import Options
from vibration.files.names import Naming
from vibration.models import ImportRun, Recording, VibrationData
from vibration.tests.world import import_csv, stored_rows, write_csv

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 5, tzinfo=UTC)  # 9 o'clock in Seoul, the plant's time
HEADER = "time,normal,unbalance,looseness,unbalance_looseness\n"


def counts(report):
    run = report.run
    return (run.outcome, run.new, run.identical, run.conflicting, run.rejected)


def stamped(path: Path, *stamps: str) -> Path:
    return write_csv(path, HEADER + "".join(f"{stamp},1,2,3,4\n" for stamp in stamps))


def stored(name: str = "default") -> list[tuple]:
    samples = VibrationData.objects.filter(recording__name=name).order_by("measured_time")
    return [(time, (at - START).total_seconds()) for time, at in samples.values_list("measured_time", "collected_at")]


@pytest.mark.parametrize(
    ("time", "stamps"),
    [
        ("epoch-s", ["1772668800.25", "1772668800.251", "1772668801.25"]),
        ("epoch-ms", ["1772668800250", "1772668800251", "1772668801250"]),
        ("epoch-us", ["1772668800250000", "1772668800251000", "1772668801250000"]),
        ("epoch-ns", ["1772668800250000000", "1772668800251000000", "1772668801250000000"]),
        ("iso", ["2026-03-05T09:00:00.25", "2026-03-05T09:00:00.251", "2026-03-05T09:00:01.25"]),
        ("iso", ["2026-03-05 00:00:00.25Z", "2026-03-05 00:00:00.251Z", "2026-03-05 00:00:01.25Z"]),
    ],
)
@pytest.mark.parametrize("batch_rows", [1, 2, 50_000])
def test_the_first_stamp_is_the_start_of_the_recording(tmp_path, time, stamps, batch_rows):
    path = stamped(tmp_path / "g1_a.csv", *stamps)
    report = import_csv(path, Options(time=time, batch_rows=batch_rows))
    assert counts(report) == ("complete", 3, 0, 0, 0)
    assert Recording.objects.get().started_at == START + timedelta(milliseconds=250)
    assert stored() == [(0.0, 0.25), (0.001, 0.251), (1.0, 1.25)]
    before = stored_rows()
    assert counts(import_csv(path, Options(time=time))) == ("complete", 0, 3, 0, 0)
    assert stored_rows() == before


def test_the_start_has_microseconds_and_the_times_count_from_there(tmp_path):
    import_csv(stamped(tmp_path / "g1_a.csv", "1772668800.000000750", "1772668800.001"), Options(time="epoch-s"))
    assert Recording.objects.get().started_at == START
    assert [time for time, _at in stored()] == [0.00000075, 0.001]


def test_files_of_one_run_follow_each_other(tmp_path):
    options = Options(time="iso")
    import_csv(stamped(tmp_path / "g1_a.csv", "2026-03-05T09:00:00.5", "2026-03-05T09:00:59.5"), options)
    later = stamped(tmp_path / "g1_a.csv", "2026-03-05T09:01:00.5", "2026-03-05T09:01:59.5")
    assert counts(import_csv(later, options)) == ("complete", 2, 0, 0, 0)
    assert [time for time, _at in stored()] == [0.0, 59.0, 60.0, 119.0]
    assert Recording.objects.count() == 1


def test_stamps_before_the_start_are_rejected_and_a_name_of_its_own_takes_them(tmp_path):
    import_csv(stamped(tmp_path / "g1_a.csv", "2026-03-05T09:01:00"), Options(time="iso"))
    earlier = stamped(tmp_path / "g1_a.csv", "2026-03-05T09:00:59", "2026-03-05T09:01:00", "2026-03-05T09:01:01")
    report = import_csv(earlier, Options(time="iso"))
    assert counts(report) == ("stopped", 0, 0, 0, 1)
    assert (
        ":2: rejected: it is of 2026-03-05T09:00:59+09:00, before the start of the recording, 2026-03-05T09:01:00+"
        in (report.problems[0])
    )
    assert "another" not in report.run.message
    assert counts(import_csv(earlier, Options(time="iso", skip_bad_rows=True))) == ("problems", 1, 1, 0, 1)
    assert counts(import_csv(earlier, Options(time="iso", naming=Naming(recording="earlier")))) == (
        "complete",
        3,
        0,
        0,
        0,
    )


def test_stamps_count_from_a_start_that_was_given_and_not_into_a_recording_without_one(tmp_path):
    path = tmp_path / "g1_a.csv"
    import_csv(stamped(path, "0", "1"), Options(naming=Naming(started_at=START)))
    import_csv(stamped(path, "2026-03-05T09:00:02"), Options(time="iso"))
    assert stored() == [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]
    import_csv(stamped(path, "0"), Options(naming=Naming(recording="unknown")))
    report = import_csv(stamped(path, "2026-03-05T09:00:02"), Options(time="iso", naming=Naming(recording="unknown")))
    assert counts(report) == ("failed", 0, 0, 0, 0)
    assert "holds 1 samples that were stored without a start" in report.run.message


def test_a_zone_is_that_of_stamps_without_an_offset(tmp_path):
    path = stamped(tmp_path / "g1_a.csv", "2026-03-05T00:00:00")
    call_command("import_vibration", str(path), "--time", "iso", "--time-zone", "UTC", stdout=StringIO())
    assert Recording.objects.get().started_at == START


def test_a_clock_that_runs_ahead_or_was_reset_is_told(tmp_path):
    ahead = timezone.localtime() + timedelta(hours=2)
    path = stamped(tmp_path / "g1_a.csv", "2026-03-05T09:00:00", f"{ahead:%Y-%m-%dT%H:%M:%S}")
    report = import_csv(path, Options(time="iso"))
    assert counts(report) == ("stopped", 1, 0, 0, 1)
    assert "is more than an hour in the future. Is the clock or offset right?" in report.problems[0]
    report = import_csv(stamped(path, "1850-03-05T09:00:00"), Options(time="iso"))
    assert counts(report) == ("stopped", 0, 0, 0, 1)
    assert "which is before 2000-01-01 00:00:00 Asia/Seoul" in report.problems[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--time", "epoch-s", "--started-at", "2026-03-05T09:00"], "--started-at goes with --time seconds"),
        (["--time-zone", "UTC"], "--time-zone goes with --time iso"),
        (["--time", "epoch-s", "--time-zone", "UTC"], "--time-zone goes with --time iso"),
        (["--time", "iso", "--time-zone", "Mars"], "'Mars' is not a time zone such as UTC or Asia/Seoul"),
        (["--time", "clock"], "invalid choice: 'clock'"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_imported(tmp_path, arguments, message):
    path = stamped(tmp_path / "g1_a.csv", "1772668800")
    with pytest.raises(CommandError, match=message):
        call_command("import_vibration", str(path), *arguments)
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("skip_bad_rows", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# made by a logger\ntime_ms,temp,x,y,z\n0,41.5,0,0,1\n1,41.5,0,0,1\n", "'time_ms', 'temp', 'x', 'y', 'z'"),
        (",time,x,y,z\n0,0.0,1,2,3\n1,0.1,1,2,3\n", "(no name), 'time', 'x', 'y', 'z'"),
        ("1772668800.000,0,0,1,47.5\n1772668800.001,0,0,1,47.5\n", "say --time epoch-s (in an upload time=epoch-s)"),
        ("time,x,y,z\n0,1,2,3\n1,2,3,4\n", "cannot be stored yet"),
    ],
)
def test_a_file_of_something_else_leaves_nothing_behind_but_its_record(tmp_path, skip_bad_rows, content, message):
    report = import_csv(write_csv(tmp_path / "g1_a.csv", content), Options(skip_bad_rows=skip_bad_rows))
    assert counts(report) == ("failed", 0, 0, 0, 0)
    assert message in report.run.message
    assert not Machine.objects.exists()
    assert ImportRun.objects.get().outcome == ImportRun.Outcome.FAILED


def test_a_header_of_other_columns_below_keeps_the_rows_above_it(tmp_path):
    other = "time,unbalance,normal,looseness,unbalance_looseness\n"
    path = write_csv(tmp_path / "g1_a.csv", f"{HEADER}0,1,2,3,4\n1,1,2,3,4\n{other}2,2,1,3,4\n")
    for skip_bad_rows in (False, True):
        report = import_csv(path, Options(skip_bad_rows=skip_bad_rows))
        assert report.run.outcome == ImportRun.Outcome.FAILED
        assert "line 4 is a header with other columns" in report.run.message
    assert sorted(VibrationData.objects.values_list("measured_time", flat=True)) == [0.0, 1.0]
