"""What a newcomer reads of his own file is what happens: each file, command and answer of the page."""

import re
import shlex
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from himmes.tests import manual
from himmes.tests.manual import ROOT
from vibration.models import ImportRun, Recording

PAGES = [ROOT / "docs" / "first-file.md", ROOT / "docs" / "ko" / "first-file.md"]
PYTHON = ".venv/bin/python manage.py "
FAILED = "CommandError: "


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))  # what the page says to type
    return tmp_path


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=manual.name_of)
def test_what_the_page_says_is_what_happens(page, folder, admin_client):
    told = ""
    for block in manual.blocks_of(page):
        kind, _space, name = block.info.partition(" ")
        if kind == "csv":
            assert name in manual.words_in_code(page), "no reader sees what stands behind a fence"
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(block.text)
        elif kind == "sh":
            told = "".join(run(line) for line in manual.command_lines(block.text))
        else:
            assert kind == "text"
            assert is_told(block.text, told), f"the page says:\n{block.text}\nbut it is:\n{told}"
    assert {str(recording) for recording in Recording.objects.all()} == {
        "pump1 / de / default",
        "pump1 / de / 2026-03-06",
        "fan3 / de / default",
        "fan4 / de / 20260305_090000",
        "fan5 / de / default",
        "fan6 / de / default",
        "fan6 / de / default-2",
        "fan7 / de / default",
    }
    assert ImportRun.objects.filter(outcome="complete").count() > 5
    for address in manual.links_of(page):
        if address.startswith("http://127.0.0.1:8000"):
            response = admin_client.get(address.removeprefix("http://127.0.0.1:8000"))
            assert response.status_code == 200, address
            assert "pump1" in response.content.decode(), address


def run(line: str) -> str:
    """What a command says, on a terminal: its messages, its output, and why it failed."""
    if not line.startswith(PYTHON):
        return subprocess.run(["bash", "-c", line], check=True, capture_output=True, text=True).stdout
    out, problems, failure = StringIO(), StringIO(), ""
    try:
        call_command(*shlex.split(line.removeprefix(PYTHON)), stdout=out, stderr=problems)
    except CommandError as error:
        failure = f"{FAILED}{error}"
    return f"{problems.getvalue()}\n{out.getvalue()}\n{failure}"


def is_told(expected: str, told: str) -> bool:
    """Whether it is all that was told; `…` stands for any text, and rows/s may be any number."""
    pieces = [re.escape(piece) for piece in _plain(expected).split("…")]
    return re.fullmatch(r".*?".join(pieces), _plain(told)) is not None


def _plain(text: str) -> str:
    return re.sub(r"[\d,]+ (complete|problems|stopped|failed)\b", r"N \1", " ".join(text.split()))


def test_another_answer_than_the_page_has_is_noticed():
    assert is_told("a 4 30 complete", "a  4\n220 complete")
    assert is_told("a … b", "a whatever stands there b")
    assert not is_told("a 4 30 complete", "a 5 30 complete")
    assert not is_told("a", "a\nCommandError: b")
