"""`make fuzz-files` and `make watch-days` in small."""

import json
import os
import subprocess
import sys

from django.conf import settings

PATIENCE_S = 600


def run(*command: str) -> dict:
    """What the last line of a check says, which has a database of its own."""
    env = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE")
    }
    found = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=settings.BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert found.returncode == 0, found.stderr + found.stdout
    return json.loads(found.stdout.splitlines()[-1])


def test_files_that_are_made_up_are_stored_right_or_refused_with_a_true_reason():
    told = run("bench.fuzz_files", "--files=60")
    assert told["ok"]
    assert told["files"] == 60
    assert min(told["stored"], told["refused"], told["partly"]) > 0
    assert told["wrong"] == 0


def test_of_an_hour_of_minute_files_in_watched_folders_each_row_is_accounted_for():
    told = run("bench.watch_days", f"--days={1 / 24}", "--stops=1", "--idle-seconds=1", "--seed=3")
    assert told["ok"]
    assert told["files"] == 3 * 60
    assert told["rows_new"] + told["rows_rejected"] == told["rows_written"]
    assert told["rows_rejected"] > 0
    assert told["machines"] == ["fan_2", "press", "pump run"]
    assert told["lagging"] == ["press: 9 h"]
