"""Importing a file whose time falls back: a logger that appended a second recording, or rows out of order."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from vibration.files import storing
from vibration.files.importing import Options
from vibration.files.names import Naming
from vibration.files.paths import BadPath
from vibration.files.report import RejectsFile
from vibration.models import ImportRun, Recording, VibrationData
from vibration.storage.pruning import find_removal, remove
from vibration.storage.writing import open_recording
from vibration.tests.world import import_csv, stored_rollups, stored_rows, write_csv

pytestmark = pytest.mark.django_db

# Two runs of a logger, as it appends after a power cut: lines 2 to 4 and 5 to 8
TWO_RUNS = (
    "time,normal,unbalance,looseness,unbalance_looseness\n"
    "0.5,1,2,3,4\n1.0,2,3,4,5\n1.0,2,3,4,5\n"
    "0.0,5,6,7,8\n0.7,6,7,8,9\n1.5,7,8,9,10\n2.5,8,9,10,11\n"
)


@pytest.fixture(params=[1, 2, 3, 50_000])
def batch_rows(request):
    return request.param


@pytest.fixture
def path(tmp_path):
    return write_csv(tmp_path / "g1_sensor1.csv", TWO_RUNS)


def counts(run):
    return (run.outcome, run.new, run.identical, run.conflicting, run.rejected)


def stored():
    """The samples of each recording, by its name."""
    return {
        recording.name: list(
            VibrationData.objects.of(recording).order_by("measured_time").values_list("measured_time", "normal")
        )
        for recording in Recording.objects.all()
    }


@pytest.mark.parametrize("skip_bad_rows", [False, True])
def test_by_default_the_import_ends_before_the_row_whose_time_falls_back(path, batch_rows, skip_bad_rows):
    report = import_csv(path, Options(batch_rows=batch_rows, skip_bad_rows=skip_bad_rows))
    assert counts(report.run) == (ImportRun.Outcome.STOPPED, 2, 1, 0, 1)
    assert stored() == {"default": [(0.5, 1.0), (1.0, 2.0)]}
    [problem] = report.problems
    assert f"{path}:5: rejected: the time falls back from 1.0 s to 0.0 s" in problem
    assert "--on-restart split (in an upload on_restart=split)" in problem
    assert report.run.message == "the rows after line 5 were not read"


def test_with_split_each_run_gets_a_recording_of_its_own_and_again_without_change(path, batch_rows):
    naming = Naming(recording="3월", started_at=datetime(2026, 3, 5, tzinfo=UTC))
    options = Options(naming=naming, on_restart="split")
    report = import_csv(path, Options(**vars(options) | {"batch_rows": batch_rows}))
    assert counts(report.run) == (ImportRun.Outcome.COMPLETE, 6, 1, 0, 0)
    assert stored() == {"3월": [(0.5, 1.0), (1.0, 2.0)], "3월-2": [(0.0, 5.0), (0.7, 6.0), (1.5, 7.0), (2.5, 8.0)]}
    assert (report.run.place, report.run.recording.name) == ("g1 / sensor1 / 3월", "3월-2")
    assert report.run.message == "2 recordings: 3월, 3월-2 from line 5"
    assert report.notes == ["line 5: the time falls back from 1.0 s to 0.0 s; the rows from here on go to 3월-2"]
    starts = dict(Recording.objects.values_list("name", "started_at"))
    assert starts == {"3월": datetime(2026, 3, 5, tzinfo=UTC), "3월-2": None}

    before = stored_rows(), stored_rollups()
    assert counts(import_csv(path, options).run) == (ImportRun.Outcome.COMPLETE, 0, 7, 0, 0)
    assert (stored_rows(), stored_rollups()) == before


def test_with_merge_the_rows_are_one_run_in_whatever_order(path, batch_rows):
    report = import_csv(path, Options(batch_rows=batch_rows, on_restart="merge"))
    assert counts(report.run) == (ImportRun.Outcome.COMPLETE, 6, 1, 0, 0)
    assert [time for time, _value in stored()["default"]] == [0.0, 0.5, 0.7, 1.0, 1.5, 2.5]
    assert report.notes == ["the time falls back once at line 5, from 1.0 s to 0.0 s; all rows are one recording"]


@pytest.mark.parametrize("on_restart", ["refuse", "split", "merge"])
def test_a_file_whose_time_never_falls_back_is_told_nothing(tmp_path, batch_rows, on_restart):
    path = write_csv(tmp_path / "g1_a.csv", "0,1,2,3,4\n0,1,2,3,4\n1,1,2,3,4\n")
    report = import_csv(path, Options(batch_rows=batch_rows, on_restart=on_restart))
    assert counts(report.run) == (ImportRun.Outcome.COMPLETE, 2, 1, 0, 0)
    assert (report.notes, report.problems, report.run.message) == ([], [], "")


def test_stamps_give_each_run_a_start_of_its_own(tmp_path, batch_rows):
    stamps = ["1772668800.5", "1772668801.5", "1772668700.25", "1772668700.5", "1772668600"]
    path = write_csv(tmp_path / "g1_a.csv", "".join(f"{stamp},1,2,3,4\n" for stamp in stamps))
    options = Options(time="epoch-s", on_restart="split", batch_rows=batch_rows)
    assert counts(import_csv(path, options).run) == (ImportRun.Outcome.COMPLETE, 5, 0, 0, 0)
    assert [(it.name, it.started_at.timestamp(), it.last_time) for it in Recording.objects.order_by("name")] == [
        ("default", 1772668800.5, 1.0),
        ("default-2", 1772668700.25, 0.25),
        ("default-3", 1772668600.0, 0.0),
    ]
    report = import_csv(path, Options(time="epoch-s", batch_rows=batch_rows))
    assert counts(report.run) == (ImportRun.Outcome.STOPPED, 0, 2, 0, 1)
    assert "falls back from 2026-03-05T09:00:01.5+09:00 to 2026-03-05T08:58:20.25+09:00" in report.problems[0]


def test_a_bad_row_above_stops_first_and_one_below_after_the_run_above_is_stored(tmp_path, batch_rows):
    path = write_csv(tmp_path / "g1_a.csv", "1,1,2,3,4\nbad\n2,1,2,3,4\n0,1,2,3,4\nworse\n1,9,9,9,9\n")
    options = {"on_restart": "split", "batch_rows": batch_rows}
    assert counts(import_csv(path, Options(**options)).run) == (ImportRun.Outcome.STOPPED, 1, 0, 0, 1)
    run = import_csv(path, Options(**options, skip_bad_rows=True)).run
    assert counts(run) == (ImportRun.Outcome.PROBLEMS, 3, 1, 0, 2)
    assert stored() == {"default": [(1.0, 1.0), (2.0, 1.0)], "default-2": [(0.0, 1.0), (1.0, 9.0)]}
    write_csv(path, "1,1,2,3,4\n2,1,2,3,4\n0,1,2,3,4\nworse\n1,9,9,9,9\n")
    run = import_csv(path, Options(**options, naming=Naming(recording="b"))).run
    assert counts(run) == (ImportRun.Outcome.STOPPED, 3, 0, 0, 1)
    assert run.message == "the rows after line 4 were not read; 2 recordings: b, b-2 from line 3"


def test_the_rejects_have_the_row_that_falls_back(path, tmp_path):
    rejects = tmp_path / "rejects.csv"
    with RejectsFile(rejects) as file:
        import_csv(path, Options(), rejects=file)
    [_header, row] = csv.reader(StringIO(rejects.read_text(), newline=""))
    assert row[1:3] == ["5", "rejected"]
    assert row[4] == "0.0,5,6,7,8"


def test_rows_out_of_order_are_no_hundred_runs(tmp_path, batch_rows, monkeypatch):
    monkeypatch.setattr(storing, "MAX_RECORDINGS", 3)
    path = write_csv(tmp_path / "g1_a.csv", "".join(f"{time},1,2,3,4\n" for time in (9, 8, 7, 6, 5)))
    report = import_csv(path, Options(on_restart="split", batch_rows=batch_rows))
    assert counts(report.run) == (ImportRun.Outcome.STOPPED, 3, 0, 0, 1)
    assert "from 7.0 s to 6.0 s, and a file may hold 3 recordings" in report.problems[-1]
    assert "say --on-restart merge" in report.problems[-1]


def test_a_name_that_is_too_long_for_a_second_run_is_said(path):
    report = import_csv(path, Options(naming=Naming(recording="r" * 99), on_restart="split"))
    assert counts(report.run) == (ImportRun.Outcome.FAILED, 2, 1, 0, 0)
    assert "has 101 characters; at most 100 are allowed" in report.run.message
    with pytest.raises(BadPath):
        import_csv(path, Options(naming=Naming(recording="r" * 101)))


def test_removed_rows_of_a_second_run_are_left_out_by_its_own_border(path):
    options = Options(on_restart="split")
    import_csv(path, options)
    second = Recording.objects.get(name="default-2")
    second.started_at = datetime(2026, 3, 1, tzinfo=UTC)
    second.save()
    VibrationData.objects.of(second).update(collected_at=second.started_at)
    cutoff = datetime(2026, 4, 1, tzinfo=UTC)
    list(remove(find_removal(second, cutoff), cutoff, by="test"))
    second.refresh_from_db()
    assert second.pruned_count
    report = import_csv(path, options)
    assert counts(report.run) == (ImportRun.Outcome.PROBLEMS, 0, 7 - second.pruned_count, 0, second.pruned_count)
    assert "default-2 before" in report.problems[0]


def test_the_record_stays_when_the_first_recording_is_deleted_while_the_second_is_filled(path, monkeypatch):
    write = storing.write_samples

    def write_and_delete(recording, *args, **kwargs):
        if recording.name == "default-2":
            Recording.objects.get(name="default").delete()
        return write(recording, *args, **kwargs)

    monkeypatch.setattr(storing, "write_samples", write_and_delete)
    run = import_csv(path, Options(on_restart="split")).run
    assert counts(run) == (ImportRun.Outcome.COMPLETE, 6, 1, 0, 0)
    run.refresh_from_db()
    assert run.recording.name == "default-2"
    assert list(stored()) == ["default-2"]


def test_retention_leaves_alone_the_recording_that_is_being_filled(path, monkeypatch):
    write = storing.write_samples
    found = []

    def look_and_write(recording, *args, **kwargs):
        classes = write(recording, *args, **kwargs)
        found.append((recording.name, ImportRun.objects.get().recording))
        return classes

    monkeypatch.setattr(storing, "write_samples", look_and_write)
    import_csv(path, Options(on_restart="split", batch_rows=2))
    # At the first batch of a recording its transaction is still open, which holds the lock of the recording.
    assert [(name, recording and recording.name) for name, recording in found] == [
        ("default", None),
        ("default", "default"),
        ("default-2", "default"),
        ("default-2", "default-2"),
        ("default-2", "default-2"),
    ]


def test_the_command_has_the_choices_and_ends_with_1_where_it_refuses(path, tmp_path):
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("import_vibration", str(path), stdout=out, stderr=StringIO())
    assert error.value.returncode == 1
    call_command("import_vibration", str(path), "--on-restart", "split", "--dry-run", stdout=out, stderr=StringIO())
    assert list(stored()) == ["default"]
    call_command("import_vibration", str(path), "--on-restart", "split", stdout=out, stderr=StringIO())
    assert sorted(stored()) == ["default", "default-2"]
    with pytest.raises(CommandError, match="invalid choice: 'weave'"):
        call_command("import_vibration", str(path), "--on-restart", "weave")


def test_a_file_appended_to_itself_is_refused_where_it_begins_anew(tmp_path):
    content = "0,1,2,3,4\n1,1,2,3,4\n"
    report = import_csv(write_csv(tmp_path / "g1_a.csv", content * 2), Options())
    assert counts(report.run) == (ImportRun.Outcome.STOPPED, 2, 0, 0, 1)
    assert ":3: rejected: the time falls back from 1.0 s to 0.0 s" in report.problems[0]


def test_times_of_a_recording_that_is_there_already_are_no_fall(tmp_path):
    """Only within a file: an older file of the same run may be imported later."""
    open_recording("g1", "a")
    path = write_csv(tmp_path / "g1_a.csv", "5,1,2,3,4\n6,1,2,3,4\n")
    import_csv(path, Options())
    assert counts(import_csv(write_csv(path, "0,1,2,3,4\n1,1,2,3,4\n"), Options()).run)[:2] == ("complete", 2)
