"""Writes made in passing while reading, which a reader can do without."""

import logging
import time
from collections.abc import Callable

from common.database.errors import trouble_of

logger = logging.getLogger(__name__)
REST_S = 60.0


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


class Notes:
    """Such writes of one kind, which come with many reads: after one that was refused, none is tried for a minute."""

    def __init__(self, what: str):
        self.what = what  # is written, for the log
        self._none_until = 0.0  # by `time.monotonic`

    def written(self, write: Callable[[], object]) -> bool:
        """Whether the write was done; raises what `refused` does."""
        if time.monotonic() < self._none_until:
            return False
        if error := refused(write):
            self._none_until = time.monotonic() + REST_S
            logger.warning(
                "%s can't be written; tried again after %g s: %s", self.what, REST_S, error.__context__ or error
            )
        return not error
