"""Waiting for what must come."""

import sys
import time
from collections.abc import Callable
from threading import Event

PATIENCE_S = 900.0
POLL_S = 0.005


def wait_until(
    condition: Callable[[], bool], what: str, gave_up: Event | None = None, *, every_s: float = POLL_S
) -> None:
    """Until it is so, or somebody gave up; ends this program when it never comes."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition() and not (gave_up and gave_up.is_set()):
        if time.monotonic() > deadline:
            sys.exit(f"waited {PATIENCE_S:g} s in vain until {what}")
        time.sleep(every_s)
