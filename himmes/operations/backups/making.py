"""Making a backup of one instant, while others read and write."""

from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from common.limits.tally import Tally
from himmes.operations.backups.archive import BackupError, Manifest, NewArchive, Tell, working_folder
from himmes.operations.backups.mysql import MysqlEngine
from himmes.operations.backups.sqlite import SqliteEngine

Engine = MysqlEngine | SqliteEngine


def current_engine() -> Engine:
    """The engine of the database of the settings."""
    return SqliteEngine() if connection.vendor == "sqlite" else MysqlEngine()


def tables_left_out() -> set[str]:
    """Tables whose rows no backup holds: logins that a restore would bring back to life, counts, and caches."""
    caches = {cache["LOCATION"] for cache in settings.CACHES.values() if cache["BACKEND"].endswith(".DatabaseCache")}
    return {Session._meta.db_table, Tally._meta.db_table} | caches


def make_backup(path: Path, tell: Tell) -> tuple[Manifest, int]:
    """Write a backup to a new file; its manifest, and its size in bytes.

    Raises BackupError when it can't be made; then there is no file. A kill may leave a folder `.NAME.*.part` beside it.
    """
    if path.exists():
        raise BackupError(f"{path} already exists; name another file.")
    if not MigrationRecorder(connection).has_table():
        raise BackupError("The database has no tables yet; there is nothing to back up.")
    engine, left_out, made_at = current_engine(), tables_left_out(), timezone.now()
    with working_folder(path) as folder:
        archive = NewArchive(folder)
        content, sums, migrations, tool = engine.dump(archive, folder, left_out, tell)
        manifest = Manifest(
            made_at=made_at.isoformat(timespec="seconds"),
            engine=engine.name,
            server=engine.server,
            tool=tool,
            content=engine.content,
            content_bytes=content.bytes,
            content_sha256=content.sha256,
            migrations=migrations,
            left_out=sorted(left_out),
            tables=sums,
        )
        return manifest, archive.finish(manifest, path)
