"""The command import_vibration, as a data engineer uses it."""

import csv
import gzip
import hashlib
import io
import os
import re
import time
import unicodedata
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone

from common.interrupting import Interruptions
from common.tests.test_csv_export import formulas
from machines.models import Machine, Sensor
from vibration.files import display as reporting
from vibration.files import importing as file_importing
from vibration.files import storing as file_storing
from vibration.files import watching
from vibration.files.importing import import_file
from vibration.files.paths import open_file
from vibration.files.storing import FileStore, Options
from vibration.files.watching import FolderGone, WatchedFolder
from vibration.management import import_command
from vibration.models import ImportRun, Recording, VibrationData
from vibration.numbers.states import STATES
from vibration.storage.writing import write_samples
from vibration.tests.world import KAMP_ROWS, as_csv, make_samples, stored_rollups, stored_rows, write_csv

pytestmark = pytest.mark.django_db

GOOD = "0,1,2,3,4\n1,1,2,3,4\n2,1,2,3,4\n"


def run(*arguments):
    """Standard output, standard error and the CommandError of a run, if it ended with one."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_vibration", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), error
    return out.getvalue(), err.getvalue(), None


def counts(import_run):
    return (import_run.new, import_run.identical, import_run.conflicting, import_run.rejected)


def test_the_kamp_rows_are_stored_to_their_last_digit(tmp_path):
    _out, _err, error = run(write_csv(tmp_path / "g1_sensor1.csv", KAMP_ROWS))
    assert error is None
    expected = [tuple(map(float, line.split(","))) for line in KAMP_ROWS.splitlines()]
    assert list(VibrationData.objects.order_by("measured_time").values_list("measured_time", *STATES)) == expected
    recording = Recording.objects.get()
    assert str(recording) == "g1 / sensor1 / default"
    assert (recording.sample_count, recording.first_time, recording.last_time) == (6, 0.0, 139.999712)


def test_a_folder_is_imported_file_by_file_and_again_without_change(tmp_path):
    write_csv(tmp_path / "g1_sensor1.csv", as_csv(*make_samples(3000)))
    write_csv(tmp_path / "g1_sensor2.csv.gz", as_csv(*make_samples(2000, seed=2)))
    write_csv(tmp_path / "line_2_press_x.CSV", GOOD)
    write_csv(tmp_path / "notes.txt", "not read")
    out, err, error = run(tmp_path, "--batch-size", 700)
    assert (err, error) == ("", None)
    places = Sensor.objects.order_by("machine__name", "sensor_no").values_list("machine__name", "sensor_no")
    assert list(places) == [("g1", "sensor1"), ("g1", "sensor2"), ("line_2_press", "x")]
    assert set(Machine.objects.values_list("registered_by", flat=True)) == {"import"}
    assert "3 files" in out
    assert "5,003" in out
    before = stored_rows(), stored_rollups()

    _out, _err, error = run(tmp_path)
    assert error is None
    assert (stored_rows(), stored_rollups()) == before
    assert [counts(import_run) for import_run in ImportRun.objects.order_by("pk")[3:]] == [
        (0, 3000, 0, 0),
        (0, 2000, 0, 0),
        (0, 3, 0, 0),
    ]


def test_every_run_leaves_a_record(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", GOOD + "2,1,2,3,5\n2,1,2,3,4\nbad\n")
    run(path, "--on-error", "skip")
    record = ImportRun.objects.get()
    assert (record.file_name, record.file_size) == ("g1_sensor1.csv", path.stat().st_size)
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.place == "g1 / sensor1 / default"
    assert record.recording == Recording.objects.get()
    assert counts(record) == (3, 1, 1, 1)
    assert record.read == 6
    assert record.outcome == ImportRun.Outcome.PROBLEMS
    assert record.seconds > 0
    assert record.started_by

    record.recording.delete()
    record.refresh_from_db()
    assert record.recording is None
    assert not VibrationData.objects.exists()


def test_a_conflict_is_reported_and_kept_out_or_replaces(tmp_path):
    path = tmp_path / "g1_sensor1.csv"
    run(write_csv(path, GOOD))
    _out, err, error = run(write_csv(path, GOOD.replace("1,1,2,3,4", "1,1,2,3,9")))
    assert f"{path}:2: conflicting: not stored: other values are stored at 1.0 s" in err
    assert error is not None
    assert error.returncode == 1
    assert VibrationData.objects.get(measured_time=1).unbalance_looseness == 4

    _out, err, error = run(path, "--on-conflict", "update")
    assert "replaced other values at 1.0 s" in err
    assert error is not None
    assert VibrationData.objects.get(measured_time=1).unbalance_looseness == 9
    assert run(path)[2] is None


def test_a_time_repeated_in_the_file_is_identical_or_in_conflict(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", "0,1,2,3,4\n0,1,2,3,4\n0,1,2,3,5\n1,1,2,3,4\n")
    _out, err, _error = run(path, "--batch-size", 1)
    assert counts(ImportRun.objects.get()) == (2, 1, 1, 0)
    assert f"{path}:3: conflicting" in err
    assert VibrationData.objects.get(measured_time=0).unbalance_looseness == 4


BAD = "0,1,2,3,4\n1,1,2,3\n2,NaN,2,3,4\n3,1,2,3,4\n"


def test_by_default_the_import_stops_at_the_first_bad_row_and_says_where(tmp_path):
    first = write_csv(tmp_path / "g1_sensor1.csv", BAD)
    write_csv(tmp_path / "g1_sensor2.csv", GOOD)
    out, err, error = run(tmp_path)
    assert f"{first}:2: rejected: 4 columns where 5 belong" in err
    assert f"{first}: stopped: the rows after line 2 were not read" in err
    assert "Not read" in out
    assert "g1_sensor2.csv" in out
    assert error is not None
    assert counts(ImportRun.objects.get()) == (1, 0, 0, 1)
    assert VibrationData.objects.count() == 1


def test_on_error_skip_keeps_every_good_row_and_goes_on(tmp_path):
    first = write_csv(tmp_path / "g1_sensor1.csv", BAD)
    write_csv(tmp_path / "g1_sensor2.csv", GOOD)
    rejects = tmp_path / "rejects.txt"
    _out, err, error = run(tmp_path, "--on-error", "skip", "--rejects", rejects)
    assert error is not None
    assert f"{first}:3: rejected: normal is 'NaN', not finite" in err
    assert [counts(record) for record in ImportRun.objects.order_by("pk")] == [(2, 0, 0, 2), (3, 0, 0, 0)]
    with rejects.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "class", "reason", "row"],
            [str(first), "2", "rejected", "4 columns where 5 belong", "1,1,2,3"],
            [str(first), "3", "rejected", "normal is 'NaN', not finite", "2,NaN,2,3,4"],
        ]


def test_a_thousand_bad_rows_do_not_flood_the_terminal_but_the_rejects_file_has_them(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", GOOD + "x,1,2,3,4\n" * 1000 + "1,9,9,9,9\n" * 10)
    rejects = tmp_path / "rejects.txt"
    _out, err, _error = run(path, "--on-error", "skip", "--rejects", rejects, "--on-restart", "merge")
    assert len(err.splitlines()) == 13
    assert (
        f"{path}: note: the time falls back once at line 1004, from 2.0 s to 1.0 s; all rows are one recording" in err
    )
    assert f"{path}: 995 more rejected rows (--rejects FILE writes them all)" in err
    assert f"{path}: 5 more conflicting rows" in err
    assert len(rejects.read_text().splitlines()) == 1011


def test_a_dry_run_says_what_an_import_would_and_stores_nothing(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", GOOD + "1,9,9,9,9\n")
    out, err, error = run(path, "--dry-run", "--batch-size", 2, "--on-restart", "merge")
    assert "Dry run: nothing was stored" in out
    assert f"{path}:4: conflicting" in err
    assert error is not None
    assert not Machine.objects.exists()
    assert not ImportRun.objects.exists()
    assert not VibrationData.objects.exists()
    run(path, "--on-restart", "merge")
    assert counts(ImportRun.objects.get()) == (3, 0, 1, 0)


def test_a_dry_run_of_several_files_of_one_recording_classes_them_as_the_import_would(tmp_path):
    for name, content in (("a", GOOD), ("b", GOOD.replace("1,1,", "1,7,"))):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "g1_a.csv", content)
    paths = [tmp_path / name / "g1_a.csv" for name in "ab"]
    _out, err, error = run(*paths, "--dry-run")
    assert f"{paths[1]}:2: conflicting" in err
    assert error is not None
    assert not Recording.objects.exists()
    assert run(*paths)[1] == err


def test_machine_sensor_and_recording_can_be_said(tmp_path):
    path = write_csv(tmp_path / "sensor7.csv", GOOD)
    start = "2026-03-01T09:00:00"
    assert run(path, "--machine", "프레스 1", "--recording", "3월", "--started-at", start)[2] is None
    recording = Recording.objects.get()
    assert str(recording) == "프레스 1 / sensor7 / 3월"
    assert recording.started_at == datetime(2026, 3, 1, tzinfo=UTC)  # 9 o'clock in Seoul
    assert recording.source == "sensor7.csv"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("2026-03-08T02:30", "does not exist, or exists twice, in plant time (America/New_York)"),
        ("2025-11-02T01:30", "does not exist, or exists twice, in plant time (America/New_York)"),
        ("2026-03-08T03:30", None),
        ("2025-11-02T01:30-04:00", None),
    ],
)
def test_a_start_that_plant_time_does_not_have_or_has_twice_is_refused(tmp_path, start, message):
    path = write_csv(tmp_path / "g1_a.csv", GOOD)
    with timezone.override("America/New_York"):
        error = run(path, "--started-at", start)[2]
    assert (error is None) if message is None else (message in str(error))
    assert Recording.objects.count() == (message is None)


def test_files_are_placed_by_a_pattern_and_those_unlike_it_passed_over(tmp_path):
    for name in ("pump_run_20260305_090000.csv", "pump_run_20260305_090100.csv", "notes.csv"):
        write_csv(tmp_path / name, GOOD)
    out, err, error = run(tmp_path, "--name-pattern", "{machine}_{start}", "--sensor", "s1")
    assert f"{tmp_path / 'notes.csv'}: the name is not like {{machine}}_{{start}}" in err
    assert "1 of 3 files" in str(error)
    assert error.returncode == 1
    assert "2 files" in out
    assert [str(recording) for recording in Recording.objects.order_by("started_at")] == [
        "pump_run / s1 / 20260305_090000",
        "pump_run / s1 / 20260305_090100",
    ]
    assert Recording.objects.earliest("started_at").started_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert set(ImportRun.objects.values_list("place", flat=True)) == set(map(str, Recording.objects.all()))


def test_no_file_like_the_pattern_is_an_error_too(tmp_path):
    _out, _err, error = run(write_csv(tmp_path / "g1_a.csv", GOOD), "--name-pattern", "{machine}_{sensor}_{start}")
    assert "1 of 1 files" in str(error)
    assert not ImportRun.objects.exists()


def test_a_stamped_name_without_a_pattern_is_refused_before_anything_is_imported(tmp_path):
    write_csv(tmp_path / "g1_a.csv", GOOD)
    write_csv(tmp_path / "pump_run_20260305_090000.csv", GOOD)
    _out, _err, error = run(tmp_path)
    assert "20260305_090000 in the name is a time stamp, not a machine; say --name-pattern" in str(error)
    assert not Machine.objects.exists()


def test_another_start_of_the_same_recording_is_refused(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", GOOD)
    run(path, "--started-at", "2026-03-01T00:00Z")
    _out, err, error = run(path, "--started-at", "2026-03-02T00:00Z")
    assert error is not None
    assert "another recording of the sensor needs a name of its own" in err


def test_a_name_in_decomposed_letters_is_the_same_machine(tmp_path):
    run(write_csv(tmp_path / "프레스_1.csv", GOOD))
    run(write_csv(tmp_path / unicodedata.normalize("NFD", "프레스_1.csv"), GOOD))
    assert Machine.objects.count() == 1


def test_names_that_differ_in_case_are_two_machines(tmp_path):
    run(write_csv(tmp_path / "g1_a.csv", GOOD))
    run(write_csv(tmp_path / "G1_a.csv", GOOD))
    assert sorted(Machine.objects.values_list("name", flat=True)) == ["G1", "g1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("g1_a.csv", b"", "the file is empty"),
        ("g1_a.csv", b"time,normal,type1,type2,type3\n", "the file has a header line and no rows"),
        ("g1_a.csv", "시간\n".encode("utf-16"), "unknown encoding"),
        ("g1_a.csv", b"Dear colleague,\n", "this is not a CSV file of samples"),
        ("g1_a.csv", b"time,ax,ay,az,aT\n0,1,2,3,4\n", "line 1 looks like a header"),
    ],
)
def test_an_unreadable_file_fails_in_words_and_leaves_a_record_but_no_machine(tmp_path, name, content, message):
    path = write_csv(tmp_path / name, content)
    _out, err, error = run(path)
    assert f"{path}: failed: " in err
    assert message in err
    assert error is not None
    assert not Machine.objects.exists()
    assert ImportRun.objects.get().outcome == ImportRun.Outcome.FAILED


def test_a_truncated_gz_keeps_its_whole_rows_and_fails(tmp_path):
    path = tmp_path / "g1_a.csv.gz"
    path.write_bytes(gzip.compress(as_csv(*make_samples(5000)).encode())[:-3000])
    _out, err, error = run(path)
    assert error is not None
    assert "failed: the gzip data ends before its end mark: the file was cut off" in err
    record = ImportRun.objects.get()
    assert record.new == VibrationData.objects.count() > 1000
    assert run(write_csv(path, as_csv(*make_samples(5000))))[2] is None
    assert VibrationData.objects.count() == 5000


def test_a_cut_last_line_is_rejected_and_the_whole_file_completes_it(tmp_path):
    path = tmp_path / "g1_a.csv"
    _out, err, error = run(write_csv(path, GOOD[:-5]))
    assert f"{path}:3: rejected: 3 columns where 5 belong; the file ends here without a line end" in err
    assert error is not None
    assert run(write_csv(path, GOOD))[2] is None
    assert VibrationData.objects.count() == 3


def test_a_last_line_without_line_end_is_taken_with_a_note(tmp_path):
    path = write_csv(tmp_path / "g1_a.csv", GOOD.rstrip("\n"))
    _out, err, error = run(path)
    assert error is None
    assert f"{path}: note: line 3, the last, has no line end; it was taken as complete: 2,1,2,3,4" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing_1.csv"], "missing_1.csv: no such file or folder"),
        (["empty"], "no .csv or .csv.gz file in this folder"),
        (["base.csv"], "the name is not <machine>_<sensor>.csv"),
        (["g1_" + "s" * 21 + ".csv"], "has 21 characters; at most 20 are allowed"),
        (["m" * 51 + "_s.csv"], "has 51 characters; at most 50 are allowed"),
        ([], "Name files or folders to import, or a folder to --watch"),
        (["g1_a.csv", "--started-at", "yesterday"], "--started-at: Write the time as text such as"),
        (["g1_a.csv", "--batch-size", "0"], "'0' is not a number of rows"),
        (["g1_a.csv", "--rejects", "missing/rejects.csv"], "No such file or directory"),
        (["--watch", "missing"], "missing: no such folder"),
        (["--watch", ".", "--dry-run"], "--dry-run and --watch cannot be combined"),
        ([""], "an empty path names nothing"),
        (["g1_a.csv", "--machine", ""], "machine is empty"),
        (["g1_a.csv", "--recording", " "], "recording is empty"),
        (["g1_a.csv", "--recording", "r" * 101], "has 101 characters; at most 100 are allowed"),
        (["g1_a.csv", "--started-at", "1899-01-01T00:00"], "1899-01-01T00:00 is before the year"),
        (["g1_a.csv", "--started-at", "2826-03-01T09:00"], "is more than an hour in the future"),
        (["g1_a.csv", "--name-pattern", "{machine}"], "has no {sensor}; say --sensor"),
        (["g1_a.csv", "--name-pattern", "{sensor}_{recording}"], "has no {machine}; say --machine"),
        (["g1_a.csv", "--name-pattern", "{machine}{sensor}"], "no text between the two of {machine}{sensor}"),
        (["g1_a.csv", "--name-pattern", "{machine}_{machine}"], "has {machine} more than once"),
        (["g1_a.csv", "--name-pattern", "{machine}_{run}"], "unknown placeholder {run}; there are {machine}, {sensor}"),
        (["g1_a.csv", "--name-pattern", "{machine_{sensor}"], "has a brace that belongs to no placeholder"),
        (["g1_a.csv", "--name-pattern", "g1_a"], "has no placeholder; there are {machine}"),
        (["g1_a.csv", "--name-pattern", ""], "has no placeholder; there are {machine}"),
        (["g1_a.csv", "--name-pattern", "{machine}_{sensor}.csv"], "is matched with the name without .csv"),
        (["g1_a.csv", "--name-pattern", "{machine}_{sensor}_20260305"], "has the time stamp 20260305; write {start}"),
        (
            ["g1_a.csv", "--name-pattern", "{machine}_{sensor}", "--sensor", "s1"],
            "--sensor and {sensor} in --name-pattern both say it",
        ),
        (
            ["g1_a.csv", "--name-pattern", "{machine}_{sensor}_{start}", "--started-at", "2026-03-01T09:00"],
            "--started-at and {start} in --name-pattern both say it",
        ),
        (
            ["g1_a.csv", "--name-pattern", "{machine}_{sensor}_{start}", "--recording", "r"],
            "--recording and {start} in --name-pattern do not go together",
        ),
        (["pipe"], "is neither a regular file nor a folder"),
    ],
)
def test_a_wrong_call_is_answered_before_anything_is_imported(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("g1_a.csv", "base.csv", "g1_" + "s" * 21 + ".csv", "m" * 51 + "_s.csv"):
        write_csv(tmp_path / name, GOOD)
    _out, _err, error = run("g1_a.csv", *arguments) if arguments and "--" not in arguments[0] else run(*arguments)
    assert error is not None
    assert message in str(error)
    assert not ImportRun.objects.exists()


def test_the_rejects_file_may_not_be_a_file_that_is_imported(tmp_path):
    path = write_csv(tmp_path / "g1_a.csv", GOOD)
    _out, _err, error = run(path, "--rejects", path)
    assert "is one of the files to import" in str(error)
    assert path.read_text() == GOOD


def test_the_rejects_file_may_not_lie_in_the_watched_folder_by_whatever_way(tmp_path, monkeypatch):
    monkeypatch.setattr(WatchedFolder, "whole_files", lambda self, check: iter(()))  # else the watch would not end
    (tmp_path / "watched").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "watched")
    _out, _err, error = run("--watch", tmp_path / "watched", "--rejects", tmp_path / "link" / "rejects.csv")
    assert "is in the watched folder" in str(error)
    assert list((tmp_path / "watched").iterdir()) == []


def test_the_rejects_file_takes_the_place_of_an_earlier_one_and_of_nothing_else(tmp_path):
    path = write_csv(tmp_path / "g1_a.csv", BAD)
    notes, rejects = tmp_path / "notes.txt", tmp_path / "rejects.csv"
    notes.write_text("not to be lost\n")
    _out, _err, error = run(path, "--rejects", notes)
    assert "exists and holds something other than rejects; name another file" in str(error)
    assert notes.read_text() == "not to be lost\n"
    assert not ImportRun.objects.exists()
    rejects.touch()
    for options in (["--on-error", "skip"], []):  # with two rejected rows, then with one
        run(path, "--rejects", rejects, *options)
    assert len(rejects.read_text().splitlines()) == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_the_rejects_is_a_formula_and_their_rows_can_be_repaired(tmp_path, separator):
    lines = [
        "0,-1,2,3,4",
        "1,x,-2,3,-4",
        "=cmd|' /C calc'!A0,1,2,3,4",
        "@SUM(1),-1,2,3,4",
        "-5,-1,-2,-3,-4",
        "2,=1+1,-2,3,4",
    ]
    path = write_csv(tmp_path / "g1_a.csv", "\n".join(lines).replace(",", separator) + "\n")
    rejects = tmp_path / "rejects.csv"
    run(path, "--on-error", "skip", "--rejects", rejects)
    text = rejects.read_bytes().decode()
    assert formulas(text) == []
    rows = [row["row"].replace("'", "") for row in csv.DictReader(StringIO(text, newline=""))]
    assert rows == [line.replace(",", separator).replace("'", "") for line in lines[1:]]
    # As somebody repairs them: apostrophes out, the bad cells in
    repaired = "\n".join(rows).replace("x", "7").replace("=1+1", "7").replace("@SUM(1)", "3").replace("-5", "5")
    repaired = [line for line in repaired.splitlines() if "cmd" not in line]
    assert run(write_csv(path, "\n".join(repaired) + "\n"), "--on-restart", "merge")[2] is None
    assert sorted(VibrationData.objects.values_list("measured_time", "unbalance_looseness")) == [
        (0, 4),
        (1, -4),
        (2, 4),
        (3, 4),
        (5, -4),
    ]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"0,1,2,3,4\n" + b"\n" * 3_000_000),
        gzip.compress(b"0,1,2,3,4\n") + gzip.compress(b"1" * 4_000_000) * 20,
        gzip.compress(b"0,1,2,3,4\n") + gzip.compress(b"") * 50_000,
    ],
    ids=["blank lines", "a line without end", "gzip members with nothing in them"],
)
def test_a_file_that_gives_no_rows_for_long_shows_how_far_it_is_and_can_be_interrupted(tmp_path, monkeypatch, content):
    path = tmp_path / "g1_a.csv.gz"
    path.write_bytes(content)
    monkeypatch.setattr(file_importing, "SIGN_OF_LIFE_S", 0)
    monkeypatch.setattr(reporting, "PLAIN_INTERVAL_S", 0)
    out, _err, _error = run(path)
    shares = [int(share) for share in re.findall(r"(\d+)%", out)]
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert shares[-1] == 100

    calls = []

    def interrupt(self):
        calls.append(1)
        if len(calls) == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(Interruptions, "check", interrupt)
    _out, _err, error = run(path)
    assert error.returncode == 130
    assert ImportRun.objects.latest("pk").outcome == ImportRun.Outcome.INTERRUPTED


def test_a_file_name_from_korean_windows_is_understood(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "프레스_1.csv".encode("cp949")))
    assert run(write_csv(path, GOOD))[2] is None
    assert str(Recording.objects.get()) == "프레스 / 1 / default"
    assert ImportRun.objects.get().file_name == "프레스_1.csv"


def test_a_file_that_is_gone_or_closed_to_us_is_said_and_the_next_one_is_read(tmp_path, monkeypatch):
    first, second = (write_csv(tmp_path / f"g1_{name}.csv", GOOD) for name in "ab")

    def refuse(path, **how):
        if path == first:
            raise PermissionError(13, "Permission denied")
        return open_file(path, **how)

    monkeypatch.setattr(import_command, "open_file", refuse)
    _out, err, error = run(first, second, "--on-error", "skip")
    assert f"{first}: failed: Permission denied" in err
    assert "1 of 2 files" in str(error)
    assert ImportRun.objects.get().file_name == second.name


def test_a_file_that_changes_while_it_is_read_is_not_called_complete(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "g1_a.csv", GOOD)

    def write_and_change(*args, **kwargs):
        write_csv(path, GOOD + "9,9,9,9,9\n")
        return write_samples(*args, **kwargs)

    monkeypatch.setattr(file_storing, "write_samples", write_and_change)
    _out, err, error = run(path)
    assert "failed: the file changed while it was read; import it again" in err
    assert error is not None


def test_a_database_that_fails_is_said_in_words_and_nothing_rolled_back_is_counted(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "g1_a.csv", GOOD)
    calls = []

    def fail_the_second_time(*args, **kwargs):
        calls.append(1)
        classes = write_samples(*args, **kwargs)
        if len(calls) == 2:
            raise OperationalError("database or disk is full")
        return classes

    monkeypatch.setattr(file_storing, "write_samples", fail_the_second_time)
    _out, _err, error = run(path, "--batch-size", 1, "--wait-for-database", 0)
    assert "The database failed: database or disk is full; whole batches are stored" in str(error)
    record = ImportRun.objects.get()
    assert record.new == VibrationData.objects.count() == 1
    assert record.outcome == ImportRun.Outcome.UNFINISHED


@pytest.mark.parametrize("committed", [True, False])
def test_ctrl_c_around_a_commit_counts_what_is_stored(tmp_path, monkeypatch, committed):
    def interrupted_write(store, batch):
        with transaction.atomic():
            write(store, batch)
            if not committed:
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    write = FileStore._write
    monkeypatch.setattr(FileStore, "_write", interrupted_write)
    _out, _err, error = run(write_csv(tmp_path / "g1_a.csv", GOOD))
    assert error is not None
    assert error.returncode == 130
    record = ImportRun.objects.get()
    assert record.outcome == ImportRun.Outcome.INTERRUPTED
    assert record.new == VibrationData.objects.count() == (3 if committed else 0)


def test_a_watched_file_counts_as_quiet_by_our_own_clock_too(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "g1_a.csv", GOOD)
    os.utime(path, (time.time() + 86_400,) * 2)  # the measuring machine's clock is a day ahead
    folder = WatchedFolder(tmp_path)
    assert not folder._is_to_be_given(path)
    monkeypatch.setattr(watching, "QUIET_S", 0.0)
    assert folder._is_to_be_given(path)
    assert not folder._is_to_be_given(path)
    folder.give_again(path)
    assert folder._is_to_be_given(path)


def test_a_watched_file_can_be_given_again_later(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "QUIET_S", 0.0)
    path = write_csv(tmp_path / "g1_a.csv", GOOD)
    folder = WatchedFolder(tmp_path)
    assert folder._is_to_be_given(path)
    folder.give_again(path, after_s=3600)
    assert not folder._is_to_be_given(path)
    folder.give_again(path)
    assert folder._is_to_be_given(path)


def test_a_watch_forgets_files_that_were_taken_away(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "QUIET_S", 0.0)
    monkeypatch.setattr(watching, "REST", 0)
    path = write_csv(tmp_path / "g1_a.csv", GOOD)
    folder = WatchedFolder(tmp_path)
    assert list(folder._look_at_all(lambda: None)) == [path]
    folder.give_again(path, after_s=3600)
    path.unlink()
    assert list(folder._look_at_all(lambda: None)) == []
    assert not (folder._seen or folder._given or folder._again)
    write_csv(path, GOOD)
    assert list(folder._look_at_all(lambda: None)) == [path]


def test_a_watch_rests_by_how_long_it_takes_to_look_at_all_files(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "POLL_MS", 5)
    looks, ticks = [], iter(range(1000))

    def listed(folder, kind):
        looks.append(next(ticks))
        time.sleep(0.05)  # as if there were many
        return [], []

    def check():
        if next(ticks) > 100:
            raise KeyboardInterrupt

    monkeypatch.setattr(watching, "files_in", listed)
    with pytest.raises(KeyboardInterrupt):
        list(WatchedFolder(tmp_path).whole_files(check))
    assert len(looks) < 10  # of a hundred times that it woke


def test_a_watched_folder_that_is_taken_away_ends_the_watch_in_words(tmp_path):
    folder = WatchedFolder(tmp_path / "missing")
    with pytest.raises(FolderGone, match="the watch has ended"):
        next(folder.whole_files())


class GoneMeanwhile(io.FileIO):
    """A file that can be read once, for its checksum."""

    is_gone = False

    def seek(self, *arguments):
        self.is_gone = True
        return super().seek(*arguments)

    def readinto(self, buffer):
        if self.is_gone:
            raise OSError("the share is gone")  # without a number, so without a text of the system's
        return super().readinto(buffer)


def test_why_a_file_could_not_be_read_is_told_also_without_a_number(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", KAMP_ROWS)
    with io.BufferedReader(GoneMeanwhile(path)) as stream:
        run = import_file(stream, path, Options()).run
    assert (run.outcome, run.message) == (ImportRun.Outcome.FAILED, "reading failed: the share is gone")
