"""Backups of an SQLite database, by SQLite's own backup API."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from himmes.operations.backups.archive import (
    Archive,
    BackupError,
    Content,
    NewArchive,
    TableSum,
    Tell,
    copy_file,
    working_folder,
)

PAGES_AT_ONCE = 5_000  # of 4 KiB
ROWS_AT_ONCE = 5_000
LOCK_WAIT_S = 60


class SqliteEngine:
    """What a backup needs of the database that Django is connected to."""

    name = "sqlite"
    content = "database.sqlite3"
    server = sqlite3.sqlite_version
    after_failure = "The database is as it was before."

    def __init__(self):
        self._path = Path(connection.settings_dict["NAME"])
        self.place = f"SQLite file {self._path}"

    def dump(
        self, archive: NewArchive, folder: Path, left_out: set[str], tell: Tell
    ) -> tuple[Content, dict[str, TableSum], list[str], str]:
        """What was written, each table's sum, the applied migrations, and the tool's version."""
        path = folder / self.content
        path.touch(mode=0o600)
        with _opened(self._path) as source, _opened(path) as copy:
            # A copy that is lost in a crash is no backup yet; it need not wait for the disk.
            copy.execute("PRAGMA synchronous=OFF")
            # Read in one transaction, the copy is of one instant, and not begun anew when an import writes meanwhile.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_schema").fetchall()
            source.backup(
                copy,
                pages=PAGES_AT_ONCE,
                progress=lambda status, remaining, total: tell("Copying (pages)", total - remaining, total),
            )
            source.execute("ROLLBACK")
            copy.execute("PRAGMA journal_mode=DELETE")  # a file that stands by itself
            copy.execute("PRAGMA secure_delete=ON")
            for table in left_out.intersection(_table_names(copy)):
                copy.execute(f"DELETE FROM {_quoted(table)}")  # noqa: S608
            if (found := copy.execute("PRAGMA quick_check(1)").fetchone()[0]) != b"ok":
                raise BackupError(f"The database itself is damaged: {found.decode()}")
            sums = _sums(copy, left_out, tell)
            migrations = copy.execute("SELECT CAST(app || '.' || name AS TEXT) FROM django_migrations").fetchall()
        with archive.content(self.content) as content:
            copy_file(path, content, tell)
        path.unlink()
        return content, sums, sorted(name.decode() for (name,) in migrations), f"SQLite {self.server}"

    def sums(self, left_out: set[str], tell: Tell) -> dict[str, TableSum]:
        """What each table holds now."""
        with _opened(self._path) as database:
            database.execute("BEGIN")
            return _sums(database, left_out, tell)

    def load(self, archive: Archive, tell: Tell) -> None:
        """Put the whole database in place of the one that is there, in one transaction, once it is found sound."""
        connection.close()
        with working_folder(self._path) as folder:
            path = folder / self.content
            archive.check(tell, copy_to=path)
            with _opened(path) as copy, _opened(self._path) as target:
                # The backup API would wait for another writer without end.
                target.execute("BEGIN IMMEDIATE")
                target.execute("ROLLBACK")
                copy.backup(target)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # Texts as bytes: they are compared, not understood.
    database = sqlite3.connect(path, timeout=LOCK_WAIT_S, isolation_level=None)
    database.text_factory = bytes
    try:
        yield database
    except sqlite3.Error as error:
        raise BackupError(f"SQLite: {error}") from error
    finally:
        database.close()


def _table_names(database: sqlite3.Connection) -> list[str]:
    found = database.execute(
        r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
    )
    return sorted(name.decode() for (name,) in found)


def _sums(database: sqlite3.Connection, left_out: set[str], tell: Tell) -> dict[str, TableSum]:
    """Each table's rows in the order in which they are stored, which a copy by pages keeps."""
    sums, read = {}, 0
    for table in _table_names(database):
        if table in left_out:
            continue
        rows, digest = 0, hashlib.sha256()
        # Python writes a float so that it is read back to the last bit.
        found = database.execute(f"SELECT * FROM {_quoted(table)} NOT INDEXED")  # noqa: S608
        while some := found.fetchmany(ROWS_AT_ONCE):
            digest.update("\n".join(map(repr, some)).encode() + b"\n")
            rows += len(some)
            read += len(some)
            tell("Reading the database (rows)", read, None)
        sums[table] = TableSum(rows, digest.hexdigest())
    return sums


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
