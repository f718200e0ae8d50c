"""Transactions that are taken again when the database gave them up for another's sake."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, OperationalError, transaction

T = TypeVar("T")
ATTEMPTS = 6
# MySQL's numbers: a deadlock, after which the whole transaction is rolled back; and a foreign key to a row that another
# transaction deleted after this one had read it.
_DEADLOCK, _NO_LONGER_THERE = 1213, 1452


def in_transaction(work: Callable[[], T], *, again_on: tuple[type[Exception], ...] = ()) -> T:
    """What `work` returns, run in one transaction; once more, some times, when others came in between.

    Writers take their locks in one order, but a database also locks where no program asks it to, as between two inserts
    of one new name. `work` must be safe to run anew, which it is if all it changes is in the database. `again_on` are
    errors of its own that another attempt may not meet.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return work()
        except (DatabaseError, *again_on) as error:
            inner = transaction.get_connection().in_atomic_block  # the outermost one has to begin anew
            if inner or attempt == ATTEMPTS - 1 or not (isinstance(error, again_on) or _may_pass(error)):
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311  only so that two do not meet again
    raise AssertionError("not reached")


def _may_pass(error: Exception) -> bool:
    number = error.args[0] if error.args else None
    return (isinstance(error, OperationalError) and number == _DEADLOCK) or (
        isinstance(error, IntegrityError) and number == _NO_LONGER_THERE
    )
