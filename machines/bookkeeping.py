"""Writes on the way of a read: who reads can do without them."""

from collections.abc import Callable

from machines.database_errors import trouble_of


def refused(write: Callable[[], object]) -> Exception | None:
    """Do such a write: the error, if the database takes no writes just now, and None once it is done.

    Not within a transaction, which an error would end. Raises what else fails, and also that the database is away, as
    then there is nothing to be read either.
    """
    try:
        write()
    except Exception as error:  # of a session, one that is none of a database
        if (trouble := trouble_of(error)) and trouble.is_of_writes:
            return error
        raise
    return None
