"""What a read costs the database in rows."""

from collections.abc import Callable

from django.db import connection


def rows_read(read: Callable[[], object]) -> int:
    """How many rows and entries of an index MariaDB or MySQL look at while something is read, whatever they plan.

    Entries that the storage engine looks at and hands to nobody are counted by MariaDB alone, and apart.
    """

    def read_so_far() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS WHERE Variable_name RLIKE '^Handler_(read|icp)'")
            counts = {name: int(count) for name, count in cursor.fetchall()}
        return sum(counts.values()) - 2 * counts.get("Handler_icp_match", 0)  # matches are attempts, and read

    before = read_so_far()
    read()
    return read_so_far() - before


def work_of(read: Callable[[], object]) -> int:
    """What a read costs the database: rows as `rows_read` has them, or on SQLite steps of its machine by the ten."""
    if connection.vendor == "mysql":
        return rows_read(read)
    tens = 0

    def count() -> int:
        nonlocal tens
        tens += 1
        return 0  # go on

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, 10)
    try:
        read()
    finally:
        connection.connection.set_progress_handler(None, 10)
    return tens


def analyze(table: str) -> None:
    """Statistics as they are in time: a database brings them up to date when it likes."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {table}" if connection.vendor == "mysql" else "ANALYZE")
        cursor.fetchall()
