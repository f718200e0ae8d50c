"""Backups of a MySQL or MariaDB database, by mysqldump and the mysql client."""

import subprocess
from pathlib import Path

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from himmes.operations.backups.archive import Archive, BackupError, Content, NewArchive, TableSum, Tell
from himmes.operations.backups.dump_text import copy_dump
from himmes.operations.backups.mysql_tools import address, find_tool, option_text, running

# Restored last: until then nothing takes the database for whole.
LAST_TABLE = MigrationRecorder.Migration._meta.db_table
LOCK_WAIT_S = 60

# One snapshot, which no writer waits for, and no right but SELECT.
DUMP_OPTIONS = [
    "--single-transaction",
    "--quick",
    "--skip-lock-tables",
    "--no-tablespaces",
    "--skip-triggers",
    # So that a table's sum depends on its rows alone
    "--order-by-primary",
    "--skip-extended-insert",
    "--hex-blob",
    # For a database without tables, and no right but those of migrations
    "--skip-add-drop-table",
    "--skip-add-locks",
    "--skip-disable-keys",
    "--skip-comments",
]
# Only MySQL's own tool knows these. The first would lock the server where GTIDs are in use, which takes a right that
# RDS gives to nobody.
MYSQL_DUMP_OPTIONS = ["--set-gtid-purged=OFF", "--column-statistics=0"]


class MysqlEngine:
    """What a backup needs of the database that Django is connected to."""

    content = "database.sql"
    after_failure = (
        "MySQL and MariaDB commit each table by itself. If some were restored, the database has no table of "
        "migrations, so that nobody takes it for whole: restore again with --replace."
    )

    def __init__(self):
        self.name = "mariadb" if connection.mysql_is_mariadb else "mysql"
        self.server = connection.mysql_server_data["version"]
        self._database = connection.settings_dict["NAME"]
        self.place = f"{connection.display_name} database {self._database} at {address(connection.settings_dict)}"

    def dump(
        self, archive: NewArchive, folder: Path, left_out: set[str], tell: Tell
    ) -> tuple[Content, dict[str, TableSum], list[str], str]:
        """What was written, each table's sum, the applied migrations, and the tool's version."""
        migrations = applied_migrations()
        with archive.content(self.content) as content:
            sums, tool = self._read(left_out, content.write, tell)
        if applied_migrations() != migrations:
            raise BackupError("Migrations ran meanwhile, so the backup may mix two versions; make it again.")
        return content, sums, migrations, tool

    def sums(self, left_out: set[str], tell: Tell) -> dict[str, TableSum]:
        """What each table holds now."""
        return self._read(left_out, lambda text: None, tell, "--no-create-info")[0]

    def load(self, archive: Archive, tell: Tell) -> None:
        """Put all tables of the dump in place of those that are there; nothing is changed before it is found sound."""
        archive.check(tell)
        client, version = find_tool("", mariadb=self.name == "mariadb")
        options = option_text(connection.settings_dict, mariadb_tool="MariaDB" in version)
        # Binary mode: nothing in the dump is taken for a command of the client's own, such as one to run a shell.
        arguments = ["--binary-mode", "--batch", self._database]
        # Before a table is dropped: the client starts, logs in and knows these options.
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        with running(client, options, *arguments, "--execute=SELECT 1", **quiet):
            pass
        self._drop_tables()
        connection.close()
        done = 0
        with running(client, options, *arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            for block in archive.blocks():
                process.stdin.write(block)
                done += len(block)
                tell("Restoring (bytes)", done, archive.manifest.content_bytes)

    def _read(self, left_out, write, tell, *more: str) -> tuple[dict[str, TableSum], str]:
        tables = sorted(table_names(), key=lambda name: (name == LAST_TABLE, name))
        tool, version = find_tool("-dump", mariadb=self.name == "mariadb")
        is_mariadb = "MariaDB" in version
        arguments = [*DUMP_OPTIONS, *([] if is_mariadb else MYSQL_DUMP_OPTIONS), *more, self._database, *tables]
        options = option_text(connection.settings_dict, mariadb_tool=is_mariadb)
        connection.close()  # it would wait as long as the dump takes
        with running(tool, options, *arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
            sums = copy_dump(process.stdout, [name for name in tables if name not in left_out], write, tell)
        return sums, version

    def _drop_tables(self) -> None:
        tables = sorted(table_names(), key=lambda name: (name != LAST_TABLE, name))
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}, foreign_key_checks = 0")
            for table in tables:
                cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}")


def table_names() -> list[str]:
    with connection.cursor() as cursor:
        return [table.name for table in connection.introspection.get_table_list(cursor) if table.type == "t"]


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
