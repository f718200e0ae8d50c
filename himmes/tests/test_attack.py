"""`make attack` in small: fewer clients for a shorter time, without the proxy, on this engine."""

import json
import os
import subprocess
import sys

from django.conf import settings
from django.db import connection

PATIENCE_S = 500


def test_slow_endless_and_costly_requests_keep_nobody_from_working(tmp_path):
    command = [sys.executable, "-m", "bench.attack", "--seconds=1", "--clients=20", "--no-proxy", "--api-only"]
    # The machine may be busy with other tests: only what hangs fails here, `make attack` looks at seconds.
    command += ["--health-seconds=30", "--post-seconds=40", "--endless-bytes=30000000", "--bomb-times=20"]
    # Left behind by browser tests; a server refuses to start with it.
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    if connection.vendor == "sqlite":
        env["DATABASE_URL"] = f"sqlite:///{tmp_path}/attacked.sqlite3"
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
    kinds = told["kinds"]
    assert len(kinds) == 14
    assert all(told["posts"] > 0 for name, told in kinds.items() if name != "foreign files")
