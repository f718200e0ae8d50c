"""`make chaos` in small: the database and server processes are killed while an import and the API write."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

PATIENCE_S = 600


@pytest.mark.skipif(connection.vendor != "mysql", reason="wants a MariaDB server to kill")
def test_a_killed_database_loses_nothing_that_was_acknowledged_and_stores_nothing_twice():
    command = [sys.executable, "-m", "bench.chaos", "--rows=20000", "--batch-size=500", "--kills=2", "--api-only"]
    command += ["--worker-seconds=1.5", "--seconds-after=8"]
    # Left behind by browser tests; a server refuses to start with it.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.terminate()  # which ends what it has started
        process.wait()
    assert process.returncode == 0, err + out
    told = json.loads(out.splitlines()[-1])
    assert told["ok"]
    assert told["kills"] == 2
    assert told["rows"] == told["rows_imported"] >= 20_000
    assert told["samples_acknowledged"] > 0
    assert told["diagnoses_acknowledged"] > 0
    assert told["answers_503"] > 0
    assert told["worker_kills"] > 0
    assert told["answers_after"] > told["ready_after"] > 0
    assert told["silent_processes"] == 0
    assert told["answers_500"] == told["answers_500_after"] == told["answers_503_after"] == 0
