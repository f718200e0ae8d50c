"""Work in the database that is repeated when the database did not take it. A writer calls `in_transaction`, no more.

==============================================  ======================================  ==========================
What came up                                    What is done                            For how long
==============================================  ======================================  ==========================
Others came in between: a deadlock, a lock not  The transaction begins anew after a     `ATTEMPTS` in all, none of
had in time, a row stored or deleted meanwhile  pause of some hundredths of a second    them after `AGAIN_WITHIN_S`
The database takes no work: away, read-only,    With `patience`, the same after a       `patience.limit_s`, each
full, or locked for longer than that            pause of up to `LONGEST_PAUSE_S`        time that it goes away
The connection broke during COMMIT, and so the  The same; `is_stored` looks first       As long
transaction may have been committed             whether there is anything left to do
Any other error                                 It is passed on                         -
==============================================  ======================================  ==========================

Each repetition begins with an empty transaction: what the attempt before it did is undone or, after a COMMIT without an
answer, stored as a whole.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import connection, transaction

from common.database.connections import discard_all, discard_unfinished
from common.database.errors import (
    DATABASE_ERRORS,
    Trouble,
    UnknownCommit,
    is_duplicate,
    is_lost_reference,
    mark_undone,
    trouble_of,
)

T = TypeVar("T")
ATTEMPTS = 6
AGAIN_WITHIN_S = 10.0  # whoever has waited so long for a lock has waited long enough; no attempt begins later
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0  # while the database takes no work


@dataclass
class Patience:
    """How long to wait for a database that takes no work, and whom to tell of it; by default, not at all."""

    limit_s: float = 0.0  # each time it is away
    say: Callable[[str], None] = lambda text: None
    sleep: Callable[[float], None] = time.sleep  # may raise to give up
    waited_s: float = 0.0  # in all

    def until_done(self, work: Callable[[], T]) -> T:
        """What `work` returns; run anew until the database takes it, or else the error that it failed with last.

        For work that only reads, or that is a transaction. Within one it is run once: what was done before it is gone
        with the connection.
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
                    failed_at = time.monotonic()
                    if self.limit_s:
                        self.say(f"waiting up to {self.limit_s:g} s for the database ({trouble.name.lower()}: {error})")
                left = failed_at + self.limit_s - time.monotonic()
                if left <= 0:
                    raise
                discard_all()
                self.sleep(min(pause, left))
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            if failed_at is not None:
                away_s = time.monotonic() - failed_at
                self.waited_s += away_s
                self.say(f"the database is back after {away_s:.1f} s")
            return result


def in_transaction(
    work: Callable[[], T],
    *,
    again_on: tuple[type[Exception], ...] = (),
    patience: Patience | None = None,
    is_stored: Callable[[], bool] | None = None,
) -> T:
    """What `work` returns, run in one transaction; repeated as the head of this module says.

    `work` must be safe to run anew, which it is if all it changes is in the database. `again_on` are errors of its own
    that another attempt may not meet. After a COMMIT without an answer `is_stored` is asked, in the transaction of the
    next attempt, whether the last one is stored: if so its result is returned, and else `work` runs again. It takes the
    locks that `work` takes, as the server may still be at the last attempt. Without it `work` runs again anyhow, so it
    must not add to what it has stored.

    Within another transaction it is run once, as only the outermost one can begin anew.

    Raises UnknownCommit when the connection broke during COMMIT and there is no patience left. Any other error of the
    database means that the transaction is undone, and `is_undone` says so of it.
    """
    if transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            return work()
    return (patience or Patience()).until_done(_Transaction(work, again_on, is_stored).done)


class _Transaction(Generic[T]):
    """Work in a transaction of its own, and what one attempt leaves for the next to know."""

    def __init__(
        self, work: Callable[[], T], again_on: tuple[type[Exception], ...], is_stored: Callable[[], bool] | None
    ):
        self._work, self._again_on, self._is_stored = work, again_on, is_stored
        self._unanswered: tuple[T] | None = None  # the result of an attempt whose COMMIT got no answer

    def done(self) -> T:
        """What the work returns; begun anew when others came in between."""
        began = time.monotonic()
        discard_unfinished()
        for attempt in range(ATTEMPTS):
            is_worked = False
            try:
                with transaction.atomic():
                    result = self._result()
                    is_worked = True
                return result
            except (*DATABASE_ERRORS, *self._again_on) as error:
                if is_worked and trouble_of(error) is Trouble.AWAY:
                    self._unanswered = (result,)
                    raise UnknownCommit("the connection broke during COMMIT") from error
                is_late = attempt == ATTEMPTS - 1 or time.monotonic() - began > AGAIN_WITHIN_S
                if is_late or not self._may_pass(error, at_commit=is_worked):
                    if isinstance(error, DATABASE_ERRORS):
                        mark_undone(error, self._unanswered is None)
                    raise
                time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311  only so that two do not meet again
        raise AssertionError("not reached")

    def _result(self) -> T:
        if self._unanswered and self._is_stored:
            if self._is_stored():
                return self._unanswered[0]
            self._unanswered = None
        return self._work()

    def _may_pass(self, error: Exception, *, at_commit: bool) -> bool:
        # Others have deleted what it had read, or stored what it did not find. It is not the commit that says so but
        # on SQLite, where nobody comes in between.
        is_overtaken = not at_commit and (is_lost_reference(error) or is_duplicate(error))
        return trouble_of(error) is Trouble.BUSY or is_overtaken or isinstance(error, self._again_on)
