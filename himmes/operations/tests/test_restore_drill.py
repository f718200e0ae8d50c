"""The restore drill: what a backup holds that was made during an import, and that it all comes back."""

import json
import os
import shutil
import struct
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from diagnosis.models import VibrationDiagnosis
from himmes.operations.backups import sqlite
from machines.models import Machine
from vibration.files.importing import Options
from vibration.models import ImportRun, Recording, VibrationData
from vibration.numbers.samples import Samples
from vibration.numbers.states import MAX_VALUE, STATES
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.test_import_processes import PATIENCE_S, clear, start, wait_until
from vibration.tests.test_importing import assert_fits
from vibration.tests.world import (
    as_csv,
    import_csv,
    make_recording,
    make_samples,
    stored_rollups,
    stored_rows,
    write_csv,
)

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, BATCH = 60_000, 500
ODD_TEXT = "설비 🙂 \0 \r\n\t\x1a ' \" \\ `%s` (-0,NULL); -- /* */ \\! ls\nDELIMITER x\n\u2028"


@contextmanager
def speaking_to(name):
    """Within the block, Django's connection is one to another database."""
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own


@pytest.fixture
def empty_database(tmp_path):
    """The name of a database without a table."""
    if connection.vendor == "sqlite":
        yield tmp_path / "restored.sqlite3"
        return
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE `{name}`")


def backed_up(tmp_path, name="backup.zip"):
    """A new backup, and its manifest."""
    file = tmp_path / name
    call_command("backup", file)
    with zipfile.ZipFile(file) as archive:
        return file, json.loads(archive.read("manifest.json"))


def backed_up_during_an_import(tmp_path):
    """The file that is imported and its rows; a backup with its manifest, and the rows stored just before and after it.

    Made again, with a longer file, where the import had ended by then: how fast each is depends on the machine.
    """
    for attempt in range(5):
        count = ROWS * 2**attempt
        path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(*make_samples(count)))
        process = start(path, "--batch-size", BATCH)
        wait_until(lambda: Recording.objects.filter(sample_count__gte=ROWS / 6).exists())
        before = Recording.objects.get().sample_count
        file, manifest = backed_up(tmp_path, f"backup-{attempt}.zip")
        after = Recording.objects.get().sample_count
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err + out
        if before < after < count:
            return path, count, file, manifest, before, after
        clear()
    pytest.fail("the import never ran while the backup was made")


def bits(values):
    return [struct.pack("<d", value) for value in values]


def test_a_backup_made_during_an_import_is_of_one_instant_and_restored_is_the_same(
    tmp_path, empty_database, capsys, monkeypatch
):
    # So few that the import writes between two steps of SQLite's backup
    monkeypatch.setattr(sqlite, "PAGES_AT_ONCE", 20)
    path, imported, file, manifest, before, after = backed_up_during_an_import(tmp_path)
    rows, rollups = stored_rows(), stored_rollups()
    assert len(rows) == imported

    with speaking_to(empty_database):
        capsys.readouterr()
        call_command("restore", file, "--verify")
        said = capsys.readouterr().out
        assert "compared and found equal" in said
        assert "DIFFERENT" not in said
        assert said.count(" equal ") >= len(manifest["tables"]) > 20

        # Whole batches, with all that belongs to them
        count = VibrationData.objects.count()
        assert before <= count <= after
        assert count == manifest["tables"]["vibration_data"]["rows"]
        assert count % BATCH == 0
        assert stored_rows() == rows[:count]
        assert Recording.objects.get().sample_count == count
        assert_fits(Recording.objects.get())
        run = ImportRun.objects.get()
        assert (run.new, run.outcome) == (count, ImportRun.Outcome.UNFINISHED)

        # And the import can be brought to its end there
        again = import_csv(path, Options(batch_rows=BATCH)).run
        assert (again.new, again.identical, again.conflicting) == (imported - count, count, 0)
        assert stored_rows() == rows
        assert stored_rollups() == rollups


def test_every_kind_of_value_comes_back_to_the_last_bit(tmp_path, empty_database):
    machine = Machine.objects.create(name="설비 🙂 '", title="", notes=ODD_TEXT, rated_rpm=None)
    random = np.random.default_rng(5)
    # Any bits, as long as the value is one that may be stored
    values = random.integers(0, 2**64, 200_000, dtype=np.uint64).view(np.float64)
    values = values[np.abs(values) <= MAX_VALUE][:100_000]
    odd = [5e-324, -5e-324, -2.2250738585072014e-308, MAX_VALUE, -MAX_VALUE, 0.1, 1 / 3, 123456789.12345679]
    values = np.concatenate([odd, values]).reshape(-1, len(STATES))
    assert len(values) >= 25_000
    write_samples(open_recording(machine.name, "s"), Samples(np.arange(len(values)) * 0.000736, values))
    VibrationDiagnosis.objects.create(machine=machine, detected_at=timezone.now(), fault_type=0, confidence=-0.0)
    VibrationDiagnosis.objects.create(machine=machine, detected_at=timezone.now(), fault_type=0, confidence=5e-324)

    def stored():
        samples = VibrationData.objects.all().as_samples()
        diagnoses = VibrationDiagnosis.objects.order_by("pk")
        return (
            samples.time.tobytes(),
            samples.values.tobytes(),
            stored_rollups(),
            bits(diagnoses.values_list("confidence", flat=True)),
            list(diagnoses.values()),
            list(Machine.objects.values()),
        )

    kept = stored()
    assert kept[1] == values.tobytes()
    assert kept[-1][0]["notes"] == ODD_TEXT
    file, _manifest = backed_up(tmp_path)
    with speaking_to(empty_database):
        call_command("restore", file, "--verify")
        assert stored() == kept


@pytest.fixture
def paths(tmp_path):
    """The PATH with the tools of MySQL, and one with MariaDB's under the names of both, as in the container image."""
    if connection.vendor != "mysql" or connection.mysql_is_mariadb:
        pytest.skip("only MySQL may meet the tools of another product")
    folder = tmp_path / "mariadb"
    folder.mkdir()
    for tool, others_name in (("mariadb", "mysql"), ("mariadb-dump", "mysqldump")):
        for name in (tool, others_name):
            (folder / name).symlink_to(shutil.which(tool))
    return {"MySQL": os.environ["PATH"], "MariaDB": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(("maker", "restorer"), [("MySQL", "MariaDB"), ("MariaDB", "MySQL"), ("MariaDB", "MariaDB")])
def test_a_backup_of_mysql_may_be_made_and_restored_by_the_tools_of_either(
    maker, restorer, paths, tmp_path, empty_database, monkeypatch
):
    machine = Machine.objects.create(name="설비 🙂 '", title="", notes=ODD_TEXT, rated_rpm=None)
    VibrationDiagnosis.objects.create(machine=machine, detected_at=timezone.now(), fault_type=0, confidence=-0.0)
    make_recording(500)
    monkeypatch.setenv("PATH", paths[maker])
    file, manifest = backed_up(tmp_path)
    assert ("MariaDB" in manifest["tool"]) == (maker == "MariaDB")
    monkeypatch.setenv("PATH", paths[restorer])
    with speaking_to(empty_database):
        call_command("restore", file, "--verify")
        assert Machine.objects.get(pk=machine.pk).notes == ODD_TEXT
        assert bits(VibrationDiagnosis.objects.values_list("confidence", flat=True)) == bits([-0.0])


def test_a_database_with_nothing_but_what_migrations_put_in_counts_as_empty(tmp_path, empty_database):
    make_recording(500)
    file, _manifest = backed_up(tmp_path)
    with speaking_to(empty_database):
        call_command("migrate", verbosity=0)
        call_command("restore", file, "--verify")
        assert Recording.objects.get().sample_count == 500


def test_logins_do_not_come_back_to_life(tmp_path, empty_database):
    expires = timezone.now() + timezone.timedelta(days=1)
    Session.objects.create(session_key="live-login-0123456789", session_data="x", expire_date=expires)
    file, manifest = backed_up(tmp_path)
    assert manifest["left_out"] == ["django_session", "machines_tally"]
    with zipfile.ZipFile(file) as archive:
        content = archive.read(manifest["content"])
    assert b"django_session" in content  # the table is
    assert b"live-login-0123456789" not in content
    with speaking_to(empty_database):
        call_command("restore", file, "--verify")
        assert not Session.objects.exists()
