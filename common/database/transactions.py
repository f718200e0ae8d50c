"""Transactions that are repeated when the database rolled them back in favour of others."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from common.database.connections import discard_unfinished
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


def in_transaction(work: Callable[[], T], *, again_on: tuple[type[Exception], ...] = ()) -> T:
    """What `work` returns, run in one transaction; once more, some times, when others came in between.

    Writers take their locks in one order, but a database also locks where no program asks it to, as between two inserts
    of one new name. `work` must be safe to run anew, which it is if all it changes is in the database. `again_on` are
    errors of its own that another attempt may not meet.

    Raises UnknownCommit when the connection broke while the transaction was being committed. Any other error of the
    database means that the transaction is undone, and `is_undone` says so of it.
    """
    began, is_outermost = time.monotonic(), not transaction.get_connection().in_atomic_block
    if is_outermost:
        discard_unfinished()
    for attempt in range(ATTEMPTS):
        is_done = False
        try:
            with transaction.atomic():
                result = work()
                is_done = True
            return result
        except (*DATABASE_ERRORS, *again_on) as error:
            if not is_outermost:
                raise  # that one has to begin anew
            trouble = trouble_of(error)
            if is_done and trouble is Trouble.AWAY:
                raise UnknownCommit("the connection broke during COMMIT") from error
            # Others have deleted what it had read, or stored what it did not find. It is not the commit that says so
            # but on SQLite, where nobody comes in between.
            is_overtaken = not is_done and (is_lost_reference(error) or is_duplicate(error))
            may_pass = trouble is Trouble.BUSY or is_overtaken or isinstance(error, again_on)
            is_late = attempt == ATTEMPTS - 1 or time.monotonic() - began > AGAIN_WITHIN_S
            if is_late or not may_pass:
                if isinstance(error, DATABASE_ERRORS):
                    mark_undone(error)
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311  only so that two do not meet again
    raise AssertionError("not reached")
