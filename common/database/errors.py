"""What an error of a database means for whoever gets it: whether waiting helps, and whether anything was stored."""

from collections.abc import Iterator
from enum import Enum

from django.db import DatabaseError, Error, IntegrityError, InterfaceError, connection

# To be caught by whoever takes an error of the database for one: those of Django, and those of the driver (MySQLdb or
# sqlite3), which Django passes on as they are where it closes a cursor.
_DRIVER = connection.Database  # type: ignore[attr-defined]  # the stubs know of no driver
DATABASE_ERRORS = (Error, _DRIVER.Error)


class Trouble(Enum):
    """Why a database takes no work, though the work itself is sound; the value is when to try again, in seconds."""

    BUSY = 1  # others hold a lock
    AWAY = 3  # gone, starting, ending, full of connections, or the connection broke
    READ_ONLY = 10  # as a replica, or until another server has become the primary
    FULL = 30  # its disk; somebody has to make room

    @property
    def retry_after(self) -> int:
        return self.value

    @property
    def is_of_writes(self) -> bool:
        """Whether the database goes on answering reads."""
        return self is not Trouble.AWAY


# Numbers of MySQL and MariaDB. Of the client: no socket, no connection, no address, broken, handshake broken, no TLS.
_UNREACHABLE = {2001, 2002, 2003, 2004, 2005}
# Of the server before it takes any work: too many connections (of all, of a user, of one host after errors), the
# cluster not ready.
_REFUSED = {1040, 1042, 1047, 1129, 1203}
# Of the client: broken. Of the server: going down, connection or query killed, the network failed, idle for too long.
_BROKEN = {2006, 2012, 2013, 2026, 2055}
_BROKEN |= {1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 3169, 4031}
_LOCKED = {1205, 1213}  # waited too long for a lock; a deadlock, each time it was tried
_READ_ONLY = {1290, 1792, 1836}
_FULL = {1021, 1114}
# A foreign key to a row that is not there, or from a row that still is
_REFERENCE = {1216, 1452, 1217, 1451}
_DUPLICATE = {1062, 1586}
_INTERFACE_ERRORS = (InterfaceError, _DRIVER.InterfaceError)
# The errno of a full disk, in texts that come with several numbers
_NO_SPACE = ('rrcode: 28 "', "rror 28 ", "errno 28 ", "errno: 28 ")

_SQLITE = {
    "database is locked": Trouble.BUSY,
    "database table is locked": Trouble.BUSY,
    "database schema is locked": Trouble.BUSY,
    "unable to open database file": Trouble.AWAY,
    "disk i/o error": Trouble.AWAY,
    "attempt to write a readonly database": Trouble.READ_ONLY,
    "database or disk is full": Trouble.FULL,
    "cannot operate on a closed database": Trouble.AWAY,
}


class UnknownCommit(DatabaseError):
    """The connection broke while a transaction was being committed: it is stored as a whole, or not at all."""


def trouble_of(error: BaseException | None) -> Trouble | None:
    """What keeps the database from working, if that is what an error tells of, or came of; None for any other error."""
    return next((trouble for it in _database_errors(error) if (trouble := _trouble_of_one(it))), None)


def is_lost_reference(error: BaseException) -> bool:
    """Whether a foreign key refused it: others deleted what a row belongs to, or stored what belongs to it."""
    return _is_refused(error, _REFERENCE, "foreign key constraint failed")


def is_duplicate(error: BaseException) -> bool:
    """Whether there is a row of that unique key already."""
    return _is_refused(error, _DUPLICATE, "unique constraint failed")


def mark_undone(error: Exception, is_undone: bool = True) -> None:
    """Note at an error whether all that was done until it came up is undone."""
    error.is_undone = is_undone  # type: ignore[attr-defined]  # a note of ours at whatever error it is


def is_undone(error: BaseException) -> bool:
    """Whether what failed with this error has surely changed nothing in the database."""
    # Each error that led to it counts: whoever can't connect any more may have lost the answer to a COMMIT before.
    return getattr(error, "is_undone", all(map(_changed_nothing, _database_errors(error))))


def _database_errors(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came of. Django raises errors of its own when the database has failed just before."""
    while error is not None:
        if isinstance(error, DATABASE_ERRORS):
            yield error
        error = error.__cause__ or error.__context__


def _is_refused(error: BaseException, numbers: set[int], text: str) -> bool:
    return isinstance(error, IntegrityError) and (_number(error) in numbers or _text(error).startswith(text))


def _changed_nothing(error: BaseException) -> bool:
    number = _number(error)
    if number is None:
        # Of SQLite, all but an I/O error, which may come up in the middle of a commit
        return _trouble_of_one(error) is not None and "i/o" not in _text(error)
    return number in _UNREACHABLE or number in _REFUSED or number in _LOCKED or number in _READ_ONLY


def _trouble_of_one(error: BaseException) -> Trouble | None:
    number, text = _number(error), _text(error)
    if number is None:
        return next((trouble for known, trouble in _SQLITE.items() if text.startswith(known)), None)
    if number in _LOCKED:
        return Trouble.BUSY
    if number in _FULL or any(mark in text for mark in _NO_SPACE):
        return Trouble.FULL
    if number in _READ_ONLY:
        return Trouble.READ_ONLY
    # mysqlclient's number 0: the connection is closed already.
    gone = number in _UNREACHABLE or number in _REFUSED or number in _BROKEN
    return Trouble.AWAY if gone or (number == 0 and isinstance(error, _INTERFACE_ERRORS)) else None


def _number(error: BaseException) -> int | None:
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


def _text(error: BaseException) -> str:
    return " ".join(map(str, error.args)).lower()
