"""Database connections that broke halfway through something."""

from contextlib import suppress

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from common.database.errors import DATABASE_ERRORS


def discard_unfinished() -> None:
    """Let go of this thread's connections that are within a transaction; the next query opens new ones.

    Only where no transaction can be meant to be open, as before a request.

    Where a connection breaks between COMMIT and the return to autocommit, Django keeps it without autocommit. The next
    `atomic` takes that for a transaction of its caller's, begins a savepoint in it, fails, and is never left: from then
    on each query of the thread fails, and `connection.close()` only waits for the end of the block.
    """
    for connection in connections.all(initialized_only=True):
        is_open = connection.connection is not None
        if is_open and (connection.in_atomic_block or connection.needs_rollback or not connection.get_autocommit()):
            _discard(connection)


def discard_all() -> None:
    """Let go of all connections of this thread, as one of them broke and Django would go on using it."""
    for connection in connections.all(initialized_only=True):
        _discard(connection)


def _discard(connection: BaseDatabaseWrapper) -> None:
    with suppress(*DATABASE_ERRORS):  # it may be closed already
        connection.close()
    del connections[connection.alias]
