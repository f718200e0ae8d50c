"""The programs of bench/, run in small."""

import json
import os
import subprocess
import sys

from django.conf import settings

PATIENCE_S = 600


def told_by(program: str, *arguments: str, **variables: str | None) -> dict:
    """What the last line of a program says, which must succeed; a variable that is None is not set for it."""
    # The one that browser tests leave behind: a server refuses to start with it.
    variables = os.environ | variables | {"DJANGO_ALLOW_ASYNC_UNSAFE": None}
    process = subprocess.Popen(
        [sys.executable, "-m", f"bench.{program}", *arguments],
        cwd=settings.BASE_DIR,
        env={name: value for name, value in variables.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.terminate()  # which ends what it has started
        process.wait()
    assert process.returncode == 0, err + out
    return json.loads(out.splitlines()[-1])
