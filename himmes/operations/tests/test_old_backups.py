"""Backups of earlier versions: the format, as it is written to files that operators keep, is read for ever."""

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from hashlib import sha256

import pytest
from django.core.management import call_command
from django.db import connection

from himmes.operations.tests.test_restore_drill import empty_database, speaking_to  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db(transaction=True)

# What the first version had applied, of our own; a migration that is renamed or removed makes its backups unreadable.
MIGRATIONS = [
    "diagnosis.0001_initial",
    "diagnosis.0002_current_state",
    "diagnosis.0003_fill_current_states",
    "himmes.0001_initial",
    "himmes.0002_roles",
    "himmes.0003_audit_trail_is_read",
    "himmes.0004_initial_password",
    "himmes.0005_conflicts_are_read",
    "machines.0001_initial",
    "machines.0002_expected_interval",
    "machines.0003_tally",
    "machines.0004_clock_lag",
    "machines.0005_post_conflict",
    "vibration.0001_initial",
    "vibration.0002_recording_pruned",
    "vibration.0003_conflicting_runs",
]
# Two tables stand for all: the last one, by which a whole database is known, and one with texts and numbers.
SCHEMA = {
    "machines_machine": "CREATE TABLE machines_machine (id integer PRIMARY KEY, name varchar(50), speed double)",
    "django_migrations": "CREATE TABLE django_migrations (id integer PRIMARY KEY, app varchar(9), name varchar(99))",
}
# Each row as the first version wrote it, for a sum over the rows of its table.
SQLITE_ROWS = {
    "machines_machine": r"""(1, b"g1'", 0.1)
(2, b'\xea\xb8\x89\xec\x88\x98', None)
""",
    "django_migrations": """(1, b'machines', b'0001_initial')
""",
}
SERVER_ROWS = {
    "machines_machine": r"""(1,'g1\'',0.1),
(2,'급수',NULL),
""",
    "django_migrations": """(1,'machines','0001_initial'),
""",
}


def sqlite_content(path) -> bytes:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in SCHEMA.values():
            database.execute(statement)
        database.execute("INSERT INTO machines_machine VALUES (1, 'g1''', 0.1), (2, '급수', NULL)")
        database.execute("INSERT INTO django_migrations VALUES (1, 'machines', '0001_initial')")
    return path.read_bytes()


def server_content() -> bytes:
    parts = ["/*!40101 SET NAMES utf8mb4 */;\n"]
    for table, create in SCHEMA.items():
        rows = SERVER_ROWS[table].removesuffix(",\n")
        parts.append(f"{create} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\nINSERT INTO `{table}` VALUES \n{rows};\n")
    return "".join(parts).encode()


@pytest.fixture
def backup(tmp_path):
    """A file that the first version may have written on the engine of these tests."""
    is_sqlite = connection.vendor == "sqlite"
    content = sqlite_content(tmp_path / "old.sqlite3") if is_sqlite else server_content()
    rows = SQLITE_ROWS if is_sqlite else SERVER_ROWS
    manifest = {
        "format": 1,
        "made_at": "2026-11-25T20:08:09+00:00",
        "engine": "sqlite" if is_sqlite else "mariadb" if connection.mysql_is_mariadb else "mysql",
        "server": "3.40.1",
        "tool": "SQLite 3.40.1",
        "content": "database.sqlite3" if is_sqlite else "database.sql",
        "content_bytes": len(content),
        "content_sha256": sha256(content).hexdigest(),
        "migrations": MIGRATIONS,
        "left_out": ["django_session", "machines_tally"],
        "tables": {
            name: {"rows": text.count("\n"), "sha256": sha256(text.encode()).hexdigest()} for name, text in rows.items()
        },
    }
    file = tmp_path / "old.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(manifest["content"], content)
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return file


def test_a_backup_of_the_first_version_is_restored_and_found_equal(backup, empty_database):  # noqa: F811
    out = io.StringIO()
    with speaking_to(empty_database):
        call_command("restore", backup, "--verify", stdout=out)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, name, speed FROM machines_machine ORDER BY id")
            assert list(cursor.fetchall()) == [(1, "g1'", 0.1), (2, "급수", None)]
    assert "3 rows of 2 tables restored, compared and found equal" in out.getvalue()
    assert "run `manage.py migrate`" in out.getvalue()
