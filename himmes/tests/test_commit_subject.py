"""What the hook of a commit's message refuses."""

import subprocess
import sys

import pytest
from django.conf import settings

from scripts.commit_subject import MOST_LETTERS, fault_of, subject_of

FITS, TOO_LONG = "x" * MOST_LETTERS, "x" * (MOST_LETTERS + 1)


def test_a_subject_has_fewer_than_72_letters():
    assert fault_of(FITS) is None
    fault = fault_of(TOO_LONG)
    assert "72 letters; at most 71" in fault
    assert f"{FITS}|x" in fault  # where it is cut


def test_a_korean_letter_counts_once():
    assert fault_of("가" * MOST_LETTERS) is None


@pytest.mark.parametrize("prefix", ["fixup! ", "squash! ", "amend! "])
def test_what_git_puts_before_a_subject_of_another_commit_does_not_count(prefix):
    assert fault_of(prefix + FITS) is None


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("Say it\n\nAnd why.\n", "Say it"),
        ("\n\nSay it  \n", "Say it"),
        ("# a comment of git's\nSay it\n# Changes to be committed:\n", "Say it"),
        (f"Say it\n\n{TOO_LONG}\n", "Say it"),
        ("# nothing said\n", ""),
        ("", ""),
    ],
)
def test_the_subject_is_the_first_line_that_says_something(message, subject):
    assert subject_of(message) == subject
    assert fault_of(subject) is None


@pytest.mark.parametrize(("subject", "status"), [(FITS, 0), (TOO_LONG, 1)])
def test_git_learns_it_by_the_exit_status(tmp_path, subject, status):
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(f"{subject}\n\nWhy.\n", encoding="utf-8")
    command = [sys.executable, "scripts/commit_subject.py", message]
    ended = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert ended.returncode == status, ended.stderr
    assert ("72 letters" in ended.stderr) == bool(status)
