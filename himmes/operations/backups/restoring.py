"""Restoring a backup into an empty database, or in place of what is there, and comparing the result."""

from dataclasses import dataclass

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from himmes.operations.backups.archive import Archive, BackupError, TableSum, Tell
from himmes.operations.backups.making import current_engine, tables_left_out

# What migrations put in: a database with nothing else is as good as empty.
FILLED_BY_MIGRATIONS = {
    MigrationRecorder.Migration._meta.db_table,
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
}


@dataclass(frozen=True)
class Compared:
    """A table as the backup has it and as the database has it; None where it isn't."""

    table: str
    backup: TableSum | None
    database: TableSum | None

    @property
    def equal(self) -> bool:
        return self.backup == self.database


def tables_with_data() -> list[str]:
    """Tables of the database that hold what a restore would overwrite."""
    harmless = FILLED_BY_MIGRATIONS | tables_left_out()
    with connection.cursor() as cursor:
        tables = [table.name for table in connection.introspection.get_table_list(cursor) if table.type == "t"]
        # Without its table of migrations, a database is the rest of a restore that was broken off.
        if tables and MigrationRecorder.Migration._meta.db_table not in tables:
            return sorted(tables)
        found = []
        for table in sorted(set(tables) - harmless):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608
            if cursor.fetchone():
                found.append(table)
    return found


def check_fits(archive: Archive) -> list[str]:
    """Migrations of this program that the backup doesn't have.

    Raises BackupError when it is of another engine, or of a newer program.
    """
    made_on, here = archive.manifest.engine, current_engine().name
    if made_on != here:
        raise BackupError(
            f"{archive.path} is a backup of {made_on}, and DATABASE_URL names a database of {here}. Restore it into "
            "the engine that it came from."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(archive.manifest.migrations) - known):
        raise BackupError(
            f"{archive.path} was made by a newer version of HIM-MES: this one does not know {', '.join(unknown)}. "
            "Restore it with that version."
        )
    return sorted(known - set(archive.manifest.migrations))


def restore_backup(archive: Archive, tell: Tell) -> None:
    """Put the backup in place of all tables of the database.

    Nothing is changed before the whole file has been read and found sound. Raises BackupError; the engine's
    `after_failure` says in what state the database is left then.
    """
    try:
        current_engine().load(archive, tell)
    finally:
        connection.close()


def compare(archive: Archive, tell: Tell) -> list[Compared]:
    """Each table of the backup and of the database, read anew."""
    expected = archive.manifest.tables
    found = current_engine().sums(set(archive.manifest.left_out), tell)
    return [Compared(name, expected.get(name), found.get(name)) for name in sorted({*expected, *found})]
