"""`make chaos` in small: the database and server processes are killed while an import and the API write."""

import pytest
from django.db import connection

from himmes.tests.bench_world import told_by


@pytest.mark.skipif(connection.vendor != "mysql", reason="wants a MariaDB server to kill")
def test_a_killed_database_loses_nothing_that_was_acknowledged_and_stores_nothing_twice():
    small = ["--rows=20000", "--batch-size=500", "--kills=2", "--worker-seconds=1.5", "--seconds-after=8"]
    told = told_by("chaos", *small, "--api-only")
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
