"""The command import_captures, as who has files of an accelerometer uses it."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from vibration.files.watching import WatchedFolder
from vibration.management.commands import import_captures
from vibration.models import Capture, CaptureMapping, ImportRun
from vibration.tests.test_import_captures import START, csv_text, signals

pytestmark = pytest.mark.django_db
SAID = ("--started-at", START.isoformat())


@pytest.fixture
def folder(tmp_path):
    for name, seed in (("pump3_de.csv", 1), ("pump3_nde.csv", 2)):
        (tmp_path / name).write_text(csv_text(signals(seed=seed)))
    return tmp_path


def run(*args) -> tuple[str, str, str]:
    """What it prints, says of trouble, and fails with."""
    out, err = StringIO(), StringIO()
    failed = ""
    try:
        call_command("import_captures", *map(str, args), stdout=out, stderr=err)
    except CommandError as error:
        failed = str(error)
    return out.getvalue(), err.getvalue(), failed


def test_a_folder_is_shown_once_and_stored(folder):
    out, err, failed = run(folder, *SAID)
    assert (err, failed) == ("", "")
    assert out.count("is taken for:") == 1
    assert "axis x" in out and "'x' is the axis x, by its name" in out
    assert "x, y, z: 500 samples at 1000 Hz, 0.5 s from 2026-11-20T12:00:00+09:00" in out
    assert "2 files" in out and "captures/s" in out
    assert Capture.objects.count() == 6


def test_other_files_of_a_folder_go_on_when_one_is_refused(folder):
    (folder / "pump1_de.csv").write_text("a,b\n3,2\n1,3\n2,4\n")
    (folder / "pump2.csv").write_text(csv_text(signals()))
    (folder / "pump2.csv").rename(folder / "pump4_de.wav")
    (folder / "pump5_de.csv").write_bytes(b"%PDF-1.4")
    out, err, failed = run(folder, *SAID)
    assert "to be said first: nothing tells the sampling rate" in out
    assert "this is a PDF; export the signals as CSV" in err
    assert failed == "2 of 5 files have captures or contents that were not imported, see above."
    assert Capture.objects.count() == 9
    assert ImportRun.objects.filter(outcome="failed").count() == 2


def test_a_dry_run_tells_the_same_and_stores_nothing(folder):
    out, _err, failed = run(folder, *SAID, "--dry-run", "--save-mapping", "logger")
    assert (failed, "Dry run: nothing was stored" in out) == ("", True)
    assert not Capture.objects.exists() and not ImportRun.objects.exists() and not CaptureMapping.objects.exists()


def test_what_is_not_agreed_to_is_left_out(folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr(import_captures.Command, "ask", lambda self, question: asked.append(question) or "n")
    _out, err, failed = run(folder, *SAID)
    assert len(asked) == 2 and "left out, as was answered" in err and failed.startswith("2 of 2 files")
    assert not Capture.objects.exists() and not ImportRun.objects.exists()
    monkeypatch.setattr(import_captures.Command, "ask", lambda self, question: asked.append(question) or "y")
    assert run(folder, *SAID)[1:] == ("", "")
    assert len(asked) == 3  # the other file is taken alike
    assert Capture.objects.count() == 6
    assert run(folder, *SAID, "--yes")[1:] == ("", "")
    assert len(asked) == 3


def test_a_mapping_is_saved_by_name_and_used_again(folder):
    text = "t,a,b\n" + "".join(f"{row},{row % 7},{row % 5}\n" for row in range(100))
    (folder / "p_s.dat").write_text(text)
    said = [*SAID, "--time", "ms", "--unit", "g", "--axis", "radial,axial"]
    assert run(folder / "p_s.dat", *said, "--save-mapping", "our logger")[2] == ""
    kept = CaptureMapping.objects.get()
    assert kept.mapping["axes"][0] == {"column": "a", "name": "radial", "unit": "g"}
    assert kept.saved_by
    (folder / "p_t.dat").write_text(text)
    out, _err, failed = run(folder / "p_t.dat", *SAID, "--mapping", "our logger")
    assert failed == "" and "axis radial" in out
    assert Capture.objects.filter(sensor__sensor_no="t", axis="axial").get().sampling_hz == 1_000.0
    (folder / "mapping.json").write_text(json.dumps(kept.mapping))
    assert run(folder / "p_t.dat", *SAID, "--mapping", folder / "mapping.json")[2] == ""
    assert Capture.objects.count() == 4
    assert "No mapping is called 'other'; there are: our logger" in run(folder, "--mapping", "other")[2]
    (folder / "mapping.json").write_text("{")
    assert "this is not JSON" in run(folder, "--mapping", folder / "mapping.json")[2]


def test_rejects_tell_each_capture_by_axis_and_start(folder):
    run(folder / "pump3_de.csv", *SAID)
    (folder / "pump3_de.csv").write_text(csv_text(signals(seed=3)))
    _out, err, failed = run(folder / "pump3_de.csv", *SAID, "--rejects", folder / "rejects.csv")
    assert failed.startswith("1 of 1 files") and err.count("conflicting") == 3
    lines = (folder / "rejects.csv").read_text().splitlines()
    assert len(lines) == 4
    assert "x at 2026-11-20T12:00:00+09:00,conflicting" in lines[1] and "500 samples, 1000.0 Hz, unit g" in lines[1]


def test_a_capture_that_cannot_be_stored_is_skipped_when_asked_to(folder):
    later = (timezone.now() + timezone.timedelta(minutes=59, seconds=59)).isoformat()
    (folder / "pump3_de.csv").write_text(csv_text(signals(3_000)))
    args = [folder / "pump3_de.csv", "--started-at", later, "--split", "1"]
    _out, err, failed = run(*args)
    assert "nothing of the file was stored" in err and failed and not Capture.objects.exists()
    _out, err, failed = run(*args, "--on-error", "skip")
    assert "is more than an hour in the future" in err and failed
    assert 0 < Capture.objects.count() < 9


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--unit", "mV"], "a voltage"),
        (["--rate", "0"], "is not a number above 0"),
        (["--axis", "x,x"], "names an axis twice"),
        (["--axis", "x,"], "axis is empty"),
        (["--name-pattern", "{machine}_{recording}"], "unknown placeholder {recording}"),
        (["--name-pattern", "{machine}_{sensor}_{axis}", "--axis", "x"], "leave one of them out"),
        (["--name-pattern", "{machine}_{sensor}_{start}", *SAID], "leave one of them out"),
        (["--watch", "here"], "Name files or folders to import, or a folder to --watch."),
    ],
)
def test_options_that_cannot_be_are_refused(folder, args, message):
    assert message in run(folder, *args)[2]
    assert not ImportRun.objects.exists()


def test_an_interruption_leaves_whole_captures_and_says_so(folder, monkeypatch):
    class Interrupted:
        def check(self):
            if Capture.objects.exists():
                raise KeyboardInterrupt

        sleep = None

    monkeypatch.setattr("vibration.management.import_command.noted_interruptions", lambda: _given(Interrupted()))
    out, _err, failed = run(folder, *SAID)
    assert failed == "Interrupted; whole captures are stored; import the same again to complete it."
    assert "Not read, or not to the end" in out
    assert Capture.objects.count() == 3


def _given(value):
    from contextlib import nullcontext

    return nullcontext(value)


def test_a_watched_folder_takes_each_file_once(folder, monkeypatch):
    given = [folder / "pump3_de.csv", folder / "pump3_de.csv", folder / "pump3_nde.csv"]
    monkeypatch.setattr(WatchedFolder, "whole_files", lambda self, check: iter(given))
    out, err, failed = run("--watch", folder, "--name-pattern", "{machine}_{sensor}", *SAID)
    assert (err, failed) == ("", "")
    assert "pump3 / de: imported before" in out
    assert out.count("3 read: 3 new, 0 identical, 0 conflicting, 0 rejected (complete)") == 2
    assert Capture.objects.count() == 6


def test_a_watched_folder_registers_nothing_that_nobody_named(folder, monkeypatch):
    monkeypatch.setattr(WatchedFolder, "whole_files", lambda self, check: iter([folder / "pump3_de.csv"]))
    _out, err, _failed = run("--watch", folder, *SAID)
    assert "No sensor de of a machine pump3 is registered" in err
    assert not ImportRun.objects.exists()


def test_the_start_of_a_capture_may_be_the_time_of_change(folder):
    path: Path = folder / "pump3_de.csv"
    assert run(path)[2].startswith("1 of 1")
    assert run(path, "--start-from-mtime")[2] == ""
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    assert abs((Capture.objects.first().started_at - changed).total_seconds()) < 1e-5
