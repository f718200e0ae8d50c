"""Ctrl-C and SIGTERM, handled at points where a program can stop.

Python raises KeyboardInterrupt at any instant: also after Django has begun a transaction and before it is sure to end
it. What is written then is in a transaction that nobody commits.
"""

import signal
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STEP_S = 0.1


class Interruptions:
    """Whether somebody wants the program to end."""

    is_wanted = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if an end is wanted. Call it where nothing is half done."""
        if self.is_wanted:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Wait, unless an end is wanted: then raise KeyboardInterrupt at once."""
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0:
            self.check()
            clock.sleep(min(STEP_S, left))
        self.check()


@contextmanager
def noted_interruptions() -> Iterator[Interruptions]:
    """Within it, the first Ctrl-C and the first SIGTERM are only noted.

    The second one of its kind ends the program at once, as a kill does, also while it waits for a server that hangs,
    when no Python code would get to run. One of each are no two: on Ctrl-C a script that runs the program gets it, too,
    and ends what it runs.
    """
    noted = Interruptions()

    def note(number: int, _frame: FrameType | None) -> None:
        noted.is_wanted = True
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
