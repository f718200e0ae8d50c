"""`backup` and `restore`: what they refuse, and what is left when they fail."""

import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from himmes.operations.backups import mysql, sqlite
from himmes.operations.backups.archive import BackupError
from himmes.operations.backups.making import make_backup
from himmes.operations.backups.mysql_tools import address, find_tool, option_text, running
from himmes.operations.tests.test_restore_drill import empty_database, speaking_to  # noqa: F401  a fixture
from machines.models import Machine
from vibration.models import Recording, VibrationData
from vibration.tests.test_import_processes import PATIENCE_S, database_url, wait_until
from vibration.tests.world import make_recording, stored_rows

pytestmark = pytest.mark.django_db(transaction=True)

with_tools = pytest.mark.skipif(connection.vendor != "mysql", reason="speaks of the tools of MySQL and MariaDB")
# What shows the options that a tool read, password and all
SHOWING = {"mariadb": ["mariadb", "--print-defaults"], "mysql": ["my_print_defaults", "--show", "client"]}
PASSWORDS = [" a ", '"', "'", '"a"', "a#b", 'a"#b', "a'#b", "\\", "a\\n", "a\\", "한국🙂", "=;!$`%&", 'a"b\'c\\"d#e;f ']


@pytest.fixture
def file(tmp_path):
    make_recording(3000)
    file = tmp_path / "backup.zip"
    call_command("backup", file, stdout=io.StringIO())
    return file


def restored(file, *options):
    out = io.StringIO()
    call_command("restore", file, *options, stdout=out)
    return out.getvalue()


def own_tool(kind):
    """The dump tool (`-dump`) or the client (``) of the server's own product: its name, and where it is."""
    path, _version = find_tool(kind, mariadb=connection.mysql_is_mariadb)
    return Path(path).name, path


def own_options(**changed):
    """The option file for it."""
    return option_text(connection.settings_dict | changed, mariadb_tool=connection.mysql_is_mariadb)


def start_backup(file):
    return subprocess.Popen(
        [sys.executable, "manage.py", "backup", str(file)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url()},
        stderr=subprocess.PIPE,
        text=True,
    )


def rewrite(file, *, content=None, **manifest):
    """The backup with another content or other words in its manifest, and otherwise sound."""
    with zipfile.ZipFile(file) as archive:
        said = json.loads(archive.read("manifest.json"))
        old = archive.read(said["content"])
    new = content(old) if content else old
    assert not content or new != old
    said |= {"content_sha256": sha256(new).hexdigest(), "content_bytes": len(new)} | manifest
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(said["content"], new)
        archive.writestr("manifest.json", json.dumps(said))


def tables_now():
    with connection.cursor() as cursor:
        return connection.introspection.table_names(cursor)


def test_it_says_what_it_wrote_in_a_file_for_its_owner_alone(tmp_path):
    make_recording(100)
    out = io.StringIO()
    call_command("backup", tmp_path / "b.zip", stdout=out)
    assert "rows of" in out.getvalue()
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


def test_a_file_that_is_there_and_a_folder_that_is_not_are_refused(file, tmp_path):
    content = file.read_bytes()
    with pytest.raises(CommandError, match="already exists"):
        call_command("backup", file)
    assert file.read_bytes() == content
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("backup", tmp_path / "nowhere" / "b.zip")


@pytest.mark.parametrize(("number", "status", "leftovers"), [(signal.SIGKILL, -9, 1), (signal.SIGTERM, 130, 0)])
def test_a_backup_that_is_ended_leaves_no_file_that_looks_whole(tmp_path, number, status, leftovers):
    make_recording(60_000)
    file = tmp_path / "b.zip"
    process = start_backup(file)
    wait_until(lambda: list(tmp_path.glob(".b.zip.*.part/*")))
    process.send_signal(number)
    _out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status, err
    assert "Traceback" not in err
    assert not file.exists()
    assert len(list(tmp_path.iterdir())) == leftovers
    call_command("backup", file, stdout=io.StringIO())
    assert file.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="speaks of SQLite's backup API")
def test_the_copy_is_not_begun_anew_each_time_that_somebody_writes(tmp_path, monkeypatch):
    make_recording(3000)
    monkeypatch.setattr(sqlite, "PAGES_AT_ONCE", 20)
    steps = []

    def tell(step, done, total):
        if "Copying" in step:
            assert done > max(steps, default=0)
            steps.append(done)
            Machine.objects.create(name=f"meanwhile {done}")

    manifest, _size = make_backup(tmp_path / "b.zip", tell)
    assert Machine.objects.count() == 1 + len(steps) > 5
    assert manifest.tables["machines_machine"].rows == 1


def damage(file, how):
    if how == "exchanged":
        rewrite(file, content_sha256=sha256(b"another content").hexdigest())
        return
    whole = file.read_bytes()
    middle = len(whole) // 2
    changed = bytes(byte ^ 255 for byte in whole[middle : middle + 16])  # a single bit may be one that says nothing
    file.write_bytes(
        {
            "cut": whole[:middle],
            "changed": whole[:middle] + changed + whole[middle + 16 :],
            "no zip": b"SELECT 1;\n",
            "empty": b"",
        }[how]
    )


@pytest.mark.parametrize("how", ["cut", "changed", "exchanged", "no zip", "empty"])
def test_a_damaged_file_is_refused_before_anything_is_changed(file, how):
    rows = stored_rows()
    damage(file, how)
    with pytest.raises(CommandError, match="damaged"):
        restored(file, "--replace", "--no-input")
    assert stored_rows() == rows


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"none\.zip: No such file"):
        restored(tmp_path / "none.zip")


def test_a_backup_of_another_engine_is_refused(file):
    rewrite(file, engine="mysql" if connection.vendor == "sqlite" else "sqlite")
    with pytest.raises(CommandError, match="Restore it into the engine that it came from"):
        restored(file, "--replace", "--no-input")
    assert VibrationData.objects.count() == 3000


def test_a_backup_of_a_newer_program_is_refused_and_an_older_one_asks_for_migrations(file):
    with zipfile.ZipFile(file) as archive:
        known = json.loads(archive.read("manifest.json"))["migrations"]
    rewrite(file, migrations=[*known, "machines.9999_from_the_future"])
    with pytest.raises(CommandError, match=r"newer version of HIM-MES.*machines\.9999_from_the_future"):
        restored(file, "--replace", "--no-input")
    rewrite(file, migrations=known)
    assert "migrate" not in restored(file, "--replace", "--no-input")
    rewrite(file, migrations=known[:-2])
    assert "run `manage.py migrate` for 2 migrations" in restored(file, "--replace", "--no-input")


def test_data_is_replaced_only_when_told_and_confirmed(file, monkeypatch):
    Machine.objects.create(name="newer")
    with pytest.raises(CommandError, match="give --replace"):
        restored(file)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        restored(file, "--replace")
    assert Machine.objects.filter(name="newer").exists()
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    assert "restored" in restored(file, "--replace")
    assert not Machine.objects.filter(name="newer").exists()
    assert Recording.objects.get().sample_count == 3000


def test_verify_names_the_table_in_which_a_row_was_changed(file, tmp_path):
    value = repr(float(VibrationData.objects.all().as_samples().values[1234, 2]))

    def tamper(content):
        if connection.vendor == "mysql":
            return content.replace(f",{value},".encode(), f",{value}1,".encode())
        import sqlite3

        path = tmp_path / "tampered"
        path.write_bytes(content)
        with sqlite3.connect(path) as database:
            database.execute(f"UPDATE vibration_data SET looseness = {value}1 WHERE looseness = {value}")
        return path.read_bytes()

    rewrite(file, content=tamper)
    with pytest.raises(CommandError, match=r"not as in the backup: vibration_data\.") as error:
        restored(file, "--replace", "--no-input", "--verify")
    assert error.value.returncode == 1
    assert VibrationData.objects.count() == 3000


def test_verify_names_a_table_with_a_row_too_few_and_one_too_many_tables(file):
    with zipfile.ZipFile(file) as archive:
        tables = json.loads(archive.read("manifest.json"))["tables"]
    tables["machines_machine"]["rows"] += 1
    del tables["machines_sensor"]
    rewrite(file, tables=tables)
    with pytest.raises(CommandError, match=r"not as in the backup: machines_machine, machines_sensor\."):
        restored(file, "--replace", "--no-input", "--verify")


def test_a_restore_that_fails_midway_leaves_nothing_that_looks_whole(file, empty_database, client):  # noqa: F811
    good = shutil.copy(file, f"{file}.good")
    middle = b"INSERT INTO `machines_sensor`" if connection.vendor == "mysql" else b"SQLite format 3"
    rewrite(file, content=lambda content: content.replace(middle, b"INSERT INTO nowhere"))
    with speaking_to(empty_database):
        with pytest.raises(CommandError) as error:
            restored(file, "--verify")
        if connection.vendor == "sqlite":
            assert "The database is as it was before." in str(error.value)
            assert tables_now() == []
        else:
            assert "nowhere" in str(error.value)
            assert "machines_machine" in tables_now()
            assert "django_migrations" not in tables_now()
            assert client.get("/readyz").json()["checks"]["migrations"] == "failed"
            with pytest.raises(CommandError, match="give --replace"):
                restored(good)
        assert "found equal" in restored(good, "--replace", "--no-input", "--verify")
        assert client.get("/readyz").json()["checks"]["migrations"] == "ok"


def test_a_database_without_tables_is_not_backed_up(tmp_path, empty_database):  # noqa: F811
    with speaking_to(empty_database), pytest.raises(CommandError, match="no tables yet"):
        call_command("backup", tmp_path / "b.zip")


@pytest.mark.parametrize("option", [[], ["--replace", "--no-input"]], ids=["refused", "replaced"])
def test_the_first_line_says_which_database_without_user_and_password(file, option):
    out = io.StringIO()
    if option:
        call_command("restore", file, *option, stdout=out)
    else:
        with pytest.raises(CommandError, match="--replace"):
            call_command("restore", file, stdout=out)
    said = connection.settings_dict
    place = f"SQLite file {said['NAME']}"
    if connection.vendor == "mysql":
        port = said["PORT"] or 3306
        place = f"{connection.display_name} database {said['NAME']} at {said['HOST']}:{port}"
    assert out.getvalue().splitlines()[0] == f"Into: {place}"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"HOST": "db.example", "PORT": "3307"}, "db.example:3307"),
        ({"HOST": "db.example", "PORT": ""}, "db.example:3306"),
        ({"HOST": "", "PORT": ""}, "localhost:3306"),
        ({"HOST": "/run/mysqld.sock", "PORT": ""}, "/run/mysqld.sock"),
        ({"HOST": "x", "PORT": "1", "OPTIONS": {"unix_socket": "/run/mysqld.sock"}}, "/run/mysqld.sock"),
        ({"HOST": "x", "PORT": "1", "OPTIONS": {"host": "db.example", "port": 3307}}, "db.example:3307"),
    ],
)
def test_the_address_is_that_which_django_connects_to(changed, said):
    assert address({"USER": "somebody", "PASSWORD": "secret"} | changed) == said


@with_tools
@pytest.mark.parametrize("lacks", ["the client", "a login"])
def test_a_client_that_can_not_load_is_noticed_before_a_table_is_dropped(file, tmp_path, monkeypatch, lacks):
    name, _path = own_tool("")
    before = tables_now(), stored_rows()
    if lacks == "the client":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
        said = "apt-get install mariadb-client"
    else:
        monkeypatch.setattr(
            mysql, "option_text", lambda settings, **more: '[client]\nuser="nobody"\nhost="127.0.0.1"\n'
        )
        said = f"{name}: ERROR"
    with pytest.raises(CommandError, match=said):
        restored(file, "--replace", "--no-input")
    assert (tables_now(), stored_rows()) == before


@with_tools
def test_no_other_user_of_the_machine_sees_the_password(file, tmp_path, monkeypatch):
    """What every user may see of a process is its command line; other users' environments they may not."""
    name, real = own_tool("-dump")
    fake = tmp_path / "bin" / name
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/seen\nenv >> {tmp_path}/seen\nexec {real} "$@"\n')
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    call_command("backup", tmp_path / "again.zip", stdout=io.StringIO())
    seen = (tmp_path / "seen").read_text()
    assert "--single-transaction" in seen
    assert connection.settings_dict["PASSWORD"] not in seen


@with_tools
@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("printf 'INSERT INTO `a` VALUES (1,'; echo 'Got error: 2013: Lost connection' >&2; exit 3", "Lost connection"),
        ("printf 'INSERT INTO `a` VALUES (1,'", "unknown kind of line"),
        ("kill -9 $$", "ended with status -9"),
    ],
)
def test_a_dump_that_breaks_off_is_no_backup(tmp_path, monkeypatch, does, said):
    fake = tmp_path / "bin" / own_tool("-dump")[0]
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n[ $1 = --version ] || {{ {does}; }}\n")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(CommandError, match=said):
        call_command("backup", tmp_path / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@with_tools
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_of_any_letters_reaches_the_tools_as_it_is(password):
    tool, *arguments = SHOWING["mariadb" if connection.mysql_is_mariadb else "mysql"]
    with running(tool, own_options(PASSWORD=password), *arguments, stdout=subprocess.PIPE) as process:
        shown = process.stdout.read().decode()
    assert re.search(rf"[ \n]--password={re.escape(password)}[ \n]--", shown)


@with_tools
@pytest.mark.parametrize("command", ["\\!", "system"])
def test_a_dump_can_not_run_commands_of_the_client(file, tmp_path, empty_database, command):  # noqa: F811
    """The client's own commands start shells and read files, and a dump may have been tampered with."""
    owned = tmp_path / "owned"
    rewrite(file, content=lambda content: f"{command} touch {owned}\n".encode() + content)
    with speaking_to(empty_database), pytest.raises(CommandError, match=r"Unknown command|error in your SQL syntax"):
        restored(file)
    assert not owned.exists()


@with_tools
def test_failures_of_the_tools_are_passed_on_with_what_to_do(monkeypatch):
    _name, tool = own_tool("")

    def answer(**changed):
        arguments = ["-e", "SELECT 1", connection.settings_dict["NAME"]]
        with running(tool, own_options(**changed), *arguments, stdout=subprocess.PIPE) as process:
            return process.stdout.read()

    assert answer() == b"1\n1\n"
    with pytest.raises(BackupError, match="refuses the user or the password"):
        answer(PASSWORD="wrong")
    with pytest.raises(BackupError, match="does not answer"):
        answer(PORT=1)
    with pytest.raises(BackupError, match="TLS to the database server failed"):
        answer(OPTIONS={"ssl_mode": "VERIFY_CA"})  # this server has none, or one that nobody knows
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackupError, match="apt-get install mariadb-client"):
        own_tool("-dump")


@pytest.mark.parametrize(
    ("options", "mariadb_lines", "mysql_lines"),
    [
        ({}, ["skip-ssl-verify-server-cert"], []),
        ({"ssl_mode": "DISABLED"}, ["skip-ssl"], ["ssl-mode=DISABLED"]),
        ({"ssl_mode": "REQUIRED"}, ["ssl", "skip-ssl-verify-server-cert"], ["ssl-mode=REQUIRED"]),
        (
            {"ssl_mode": "VERIFY_IDENTITY", "ssl": {"ca": "/etc/rds.pem"}},
            ['ssl-ca="/etc/rds.pem"', "ssl", "ssl-verify-server-cert"],
            ['ssl-ca="/etc/rds.pem"', "ssl-mode=VERIFY_IDENTITY"],
        ),
    ],
)
def test_the_tools_get_the_tls_of_the_settings(options, mariadb_lines, mysql_lines):
    database = {"USER": "u", "PASSWORD": "p", "HOST": "h", "PORT": 3306, "OPTIONS": options}
    for mariadb_tool, lines in ((True, mariadb_lines), (False, mysql_lines)):
        text = option_text(database, mariadb_tool=mariadb_tool)
        assert [line for line in text.splitlines() if "ssl" in line] == lines
