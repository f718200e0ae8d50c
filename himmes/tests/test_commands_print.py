"""What commands print of names and contents that are made to be obeyed by a terminal, or taken for markup."""

import ast
import csv
import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.utils import timezone

from common.terminal import TerminalCommand
from himmes.operations.backups.archive import TableSum
from himmes.operations.backups.restoring import Compared
from himmes.operations.backups.showing import compared_table
from machines.models import Machine, Sensor
from vibration.files import display, importing
from vibration.files.display import result_line, show_bar
from vibration.files.names import Naming
from vibration.models import ImportRun, Recording
from vibration.numbers.samples import Samples
from vibration.storage.writing import write_samples
from vibration.tests.world import import_csv, write_csv

ROOT = Path(settings.BASE_DIR)
HOSTILE = "\x1b]0;pwned\x07\x1b[2J\x9b5m\u202e\r"
MARKUP = "[red]:smile:"
ESCAPES = r"\x1b]0;pwned\x07\x1b[2J\x9b5m\u202e\r"
OBEYED = re.compile(r"[^\x20-\x7e\n\xa0-\u200a\u3000-\ud7a3\uff00-\uffef…→]")


def ours() -> list[str]:
    apps = {"machines", "vibration", "diagnosis", "himmes"}
    return [name for name, app in get_commands().items() if app.split(".")[0] in apps]


def assert_harmless(*said: str) -> None:
    for text in said:
        assert OBEYED.findall(text) == []
        text.encode()


@pytest.fixture
def run(monkeypatch):
    """Runs a command as the command line does; all that it says."""
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)  # a test is in a transaction

    def run(name: str, *arguments) -> str:
        said = io.StringIO()
        command = type(load_command_class(get_commands()[name], name))(stdout=said, stderr=said)
        with suppress(SystemExit):
            command.run_from_argv(["manage.py", name, *map(str, arguments)])
        return said.getvalue()

    return run


def test_every_command_is_one_whose_words_are_made_printable():
    assert {"import_vibration", "backup", "create_api_token", "prune_vibration"} <= set(ours())
    for name in ours():
        assert isinstance(load_command_class(get_commands()[name], name), TerminalCommand), name


def test_nothing_else_asks_or_prints():
    for path in ROOT.glob("*/management/commands/*.py"):
        called = {
            getattr(node.func, "id", "") for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
        }
        assert called.isdisjoint({"input", "print"}), path


@pytest.mark.django_db
def test_an_import_shows_escapes_of_names_and_contents(tmp_path, run):
    folder = tmp_path / f"{HOSTILE}\n{MARKUP}"
    folder.mkdir()
    files = {
        f"g1_{HOSTILE}.csv": "0,1,2,3,4\n",  # a sensor that can't be so called
        f"{MARKUP}_a.csv": f"0,1,2,3,4\n1,{HOSTILE},2,3,4\n2,1,2,3",
        f"{MARKUP}_b.csv": f"{HOSTILE},{HOSTILE},a,b,c\n",
        f"{MARKUP}_c.csv": f"time,normal,type1,type2,{HOSTILE}\n0,1,2,3,4\n",
        f"{MARKUP}_d.csv": f"{HOSTILE}\n",
        f"{MARKUP}_e.csv": "0,1,2,3,4\n\t1,1,2,3,4",
    }
    for name, content in files.items():
        write_csv(folder / name, content)
    (folder / f"{HOSTILE}.csv").symlink_to(folder / "nowhere")
    rejects = tmp_path / "rejects.csv"
    said = run("import_vibration", folder)
    assert "holds control characters" in said
    assert "is a link" in said
    named = [folder / name for name in files if HOSTILE not in name]
    said += run("import_vibration", *named, "--on-error", "skip", "--rejects", rejects)
    said += run("import_vibration", folder / "missing.csv")
    assert_harmless(said, rejects.read_text().replace("\r\n", "\n"))
    assert ESCAPES in said
    assert MARKUP in said
    [row] = [row for row in csv.DictReader(rejects.open(newline="")) if row["line"] == "2"]
    assert row["row"] == f"1,{ESCAPES},2,3,4"
    assert_harmless(*ImportRun.objects.values_list("message", flat=True))


@pytest.mark.django_db
def test_a_file_name_that_is_no_text_is_shown(tmp_path, run):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/g1_\xff\xfe.csv"))
    assert r"g1_\udcff\udcfe.csv" in run("import_vibration", write_csv(path, "0,1,2,3,4\n"), "--sensor", "a")
    line = result_line(import_csv(path, importing.Options(naming=Naming(sensor="a"))))
    line.encode()
    assert r"g1_\udcff\udcfe.csv" in line


def test_a_bar_shows_the_name_as_it_is_and_what_is_said_above_it(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")
    with show_bar(f"{MARKUP}{HOSTILE}.csv", 10, io.StringIO(), io.StringIO()) as show:
        show(1, 5)
        show.say(f"the database said {MARKUP}{HOSTILE}")
    said = terminal.getvalue()
    assert f"{MARKUP}{ESCAPES}.csv" in said
    assert f"the database said {MARKUP}{ESCAPES}" in said
    assert "pwned\x07" not in said


@pytest.mark.django_db
def test_names_in_the_database_are_shown_as_escapes(monkeypatch, run):
    recording = Recording.objects.create(
        sensor=Sensor.objects.create(machine=Machine.objects.create(name=f"{MARKUP}[/]{HOSTILE}"), sensor_no=HOSTILE),
        name=f"{HOSTILE}\n",
    )
    write_samples(recording, Samples(np.array([0.0, 1.0]), np.ones((2, 4))))
    Recording.objects.update(last_written_at=timezone.now() - timedelta(days=9))
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "no")
    place = (recording.sensor.machine.name, recording.sensor.sensor_no, recording.name)
    said = run("prune_vibration", "--older-than", "1d") + run("delete_recording", *place)
    said += run("prune_vibration", "--older-than", "1d", "--machine", f"{MARKUP}[/]{HOSTILE}x")
    assert_harmless(said, *asked)
    assert f"{MARKUP}[/]{ESCAPES}" in said
    assert ESCAPES in asked[1]


def test_tables_of_a_backup_are_shown_as_escapes():
    said = compared_table([Compared(f"{MARKUP}{HOSTILE}", TableSum(1, "a"), None)])
    assert_harmless(said)
    assert f"{MARKUP}{ESCAPES}" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["import_vibration", f"{HOSTILE}_a.csv"],
        ["import_vibration", "--started-at", HOSTILE, "a_b.csv"],
        ["import_vibration", f"--{HOSTILE}"],
        ["backup", f"/nowhere/{HOSTILE}"],
        ["restore", f"/nowhere/{HOSTILE}"],
        ["make_sample_csv", "/dev/null", "--seed", HOSTILE],
    ],
    ids=["a path", "a value", "an option", "a backup", "a restore", "a number"],
)
def test_what_a_shell_puts_in_for_a_star_is_shown_as_escapes(arguments, tmp_path):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, timeout=120
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode in (1, 2)
    assert "Traceback" not in said
    assert_harmless(said)


def test_of_a_file_that_grows_the_share_of_what_it_is_by_now_is_shown(monkeypatch):
    monkeypatch.setattr(display, "PLAIN_INTERVAL_S", 0)
    said = io.StringIO()
    with show_bar("g1_a.csv", 100, said, said) as show:
        for done, size in ((50, 100), (150, 300), (300, 300)):
            show(1, done, size)
    assert [int(share) for share in re.findall(r"(\d+)%", said.getvalue())] == [50, 50, 100]
