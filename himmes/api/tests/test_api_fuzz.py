"""schemathesis calls every operation of the schema with what it makes up, right and wrong.

`make fuzz-api` does much of it.

Whatever comes must be answered by what the schema says: no 5xx, no other status, media type or shape. What the schema
forbids must be refused. Not the other way round: no schema says that a name is taken, or that an end lies before its
start.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rest_framework.throttling import SimpleRateThrottle

from diagnosis.tests.world import post
from himmes.api.tests.api_world import make_program
from vibration.tests.world import make_recording

EXAMPLES = os.environ.get("HIMMES_FUZZ_EXAMPLES", "2")  # made up for each operation; the systematic cases come beside
SEED = os.environ.get("HIMMES_FUZZ_SEED", "1")  # another one finds other things

PARTS, HALF = ("include", "exclude"), "/api/(captures|vibration-data)"


def told_by(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    folder.mkdir()
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.django_db(transaction=True)
def test_whatever_is_asked_is_answered_as_the_schema_says(live_server, roles, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"caller": None, "stranger": None, "export": None})
    make_recording(100)
    post("g1", (3, 1), (2, 1))
    token = make_program(roles, "administrator").token
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{live_server.url}/api/schema?format=json"]
    command += ["--header", f"Authorization: Bearer {token}", "--max-examples", EXAMPLES, "--seed", SEED]
    command += ["--exclude-checks", "positive_data_acceptance", "--continue-on-failure", "--no-color"]
    # Two processes, not two workers of one: threads that parse code at the same time fail at it now and then before
    # Python 3.11.9.
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda part: told_by([*command, f"--{part}-path-regex", HALF], tmp_path / part), PARTS))
    for run in runs:
        assert run.returncode == 0, run.stdout + run.stderr
    generated = sum(int(re.search(r"(\d+) generated", run.stdout)[1]) for run in runs)
    assert generated > 1_000
    with capsys.disabled():
        print(f"\n{generated:,} requests made up and answered as the schema says")  # noqa: T201  for `make fuzz-api`
