"""Transactions that are taken again when the database gave them up for another's sake."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction

T = TypeVar("T")
ATTEMPTS = 8
_DEADLOCK = 1213  # MySQL's number; it has rolled the whole transaction back


def in_transaction(work: Callable[[], T]) -> T:
    """What `work` returns, run in one transaction; once more, some times, when it was the victim of a deadlock.

    Writers take their locks in one order, but a database also locks where no program asks it to, as between two inserts
    of one new name. `work` must be safe to run anew, which it is if all it changes is in the database.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            inner = transaction.get_connection().in_atomic_block  # the outermost one has to begin anew
            if error.args[0] != _DEADLOCK or inner or attempt == ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311  only so that two do not meet again
    raise AssertionError("not reached")
