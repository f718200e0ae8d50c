"""Work that waits for a database that is away for a while."""

import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection

from common.database.connections import discard_all
from common.database.errors import DATABASE_ERRORS, trouble_of

T = TypeVar("T")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0


@dataclass
class Patience:
    """How long to wait for a database that takes no work, and whom to tell of it; by default, not at all."""

    limit_s: float = 0.0  # each time it is away
    say: Callable[[str], None] = lambda text: None
    sleep: Callable[[float], None] = clock.sleep  # may raise to give up
    waited_s: float = 0.0  # in all

    def until_done(self, work: Callable[[], T]) -> T:
        """What `work` returns; run anew until the database takes it, or else the error that it failed with last.

        Within a transaction it is run once: what was done before it is gone with the connection. `work` must find out
        itself whether the last time it was committed after all, only without an answer.
        """
        failed_at, pause, is_within = None, FIRST_PAUSE_S, connection.in_atomic_block
        while True:
            try:
                result = work()
            except DATABASE_ERRORS as error:
                trouble = trouble_of(error)
                if is_within or not trouble:
                    raise
                if failed_at is None:
                    failed_at = clock.monotonic()
                    if self.limit_s:
                        self.say(f"waiting up to {self.limit_s:g} s for the database ({trouble.name.lower()}: {error})")
                left = failed_at + self.limit_s - clock.monotonic()
                if left <= 0:
                    raise
                discard_all()
                self.sleep(min(pause, left))
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            if failed_at is not None:
                away_s = clock.monotonic() - failed_at
                self.waited_s += away_s
                self.say(f"the database is back after {away_s:.1f} s")
            return result
