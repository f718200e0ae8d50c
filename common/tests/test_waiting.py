"""An import whose database goes away at any instant."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from common.database import transactions
from common.database.transactions import Patience
from machines.models import Machine, Sensor
from vibration.files.importing import Options
from vibration.models import ImportRun, Recording, VibrationData
from vibration.tests.test_importing import assert_fits
from vibration.tests.world import as_csv, import_csv, make_samples, write_csv

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, BATCH = 20, 10
LAST_INSTANTS = 10  # of the transaction that stores the outcome, with its entry in the audit trail
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")


@pytest.fixture
def path(tmp_path):
    return write_csv(tmp_path / "g1_sensor1.csv", as_csv(*make_samples(ROWS)))


def lose_connection():
    """As if the server, or the disk, had gone: what is not committed is undone, and no answer comes any more."""
    if connection.vendor == "sqlite":
        connection.connection.rollback()
        raise OperationalError("disk I/O error")
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("KILL %s", [connection.connection.thread_id()])
    raise OperationalError(2013, "Lost connection to server during query")


class Instants:
    """Before and after each statement and each commit; at the one that is wanted the connection is lost."""

    def __init__(self, monkeypatch):
        self.passed, self.wanted = 0, None
        for owner, name in (
            (BaseDatabaseWrapper, "_commit"),
            (CursorWrapper, "execute"),
            (CursorWrapper, "executemany"),
        ):
            monkeypatch.setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, work):
        def worked(*args, **kwargs):
            self._pass()
            result = work(*args, **kwargs)
            self._pass()
            return result

        return worked

    def _pass(self):
        self.passed += 1
        if self.passed == self.wanted:
            self.wanted = None
            lose_connection()


def test_an_import_whose_connection_breaks_at_any_instant_goes_on_and_counts_right(path, monkeypatch):
    """Also between a commit and its answer: then the batch is stored, and must not be told as identical."""
    monkeypatch.setattr(transactions, "FIRST_PAUSE_S", 0.0)
    instants = Instants(monkeypatch)

    def import_cut_at(instant):
        instants.wanted = None
        ImportRun.objects.all().delete()
        for model in (Recording, Sensor, Machine):
            model.objects.all().delete()
        connection.close()
        instants.passed, instants.wanted = 0, instant
        out, err = StringIO(), StringIO()
        call_command("import_vibration", path, "--batch-size", BATCH, "--wait-for-database", 30, stdout=out, stderr=err)
        instants.wanted = None
        return err.getvalue()

    for _time in range(2):  # the first time some things are read that are kept in memory from then on
        assert import_cut_at(None) == ""
    count = instants.passed
    assert count > 50
    for instant in range(1, count + 1):
        said = import_cut_at(instant)
        run = ImportRun.objects.get()  # one, whatever was tried twice
        assert (run.new, run.identical, run.conflicting, run.rejected) == (ROWS, 0, 0, 0), instant
        assert run.outcome == "complete", instant
        assert VibrationData.objects.count() == ROWS
        assert_fits(run.recording)
        # Django itself sends some statements again when it finds a connection dead.
        if said:
            assert said.count("waiting up to 30 s for the database (away: ") == 1, said
            assert said.count("the database is back after ") == 1
            # What stores the message comes last: it can't say how long it has waited itself.
            assert "waited " in run.message or instant > count - LAST_INSTANTS


@pytest.fixture
def half_of_the_answers_lost(monkeypatch):
    """Each second commit is done, but nobody hears of it."""
    monkeypatch.setattr(transactions, "FIRST_PAUSE_S", 0.0)
    commits = 0
    commit = BaseDatabaseWrapper._commit

    def commit_and_lose(self):
        nonlocal commits
        commits += 1
        commit(self)
        if commits % 2:
            lose_connection()

    def lose():
        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose)
        return lambda: commits

    return lose


def test_rows_in_conflict_are_told_of_once_though_their_batch_was_tried_twice(path, half_of_the_answers_lost):
    time_s, values = make_samples(ROWS)
    import_csv(path, Options())
    write_csv(path, as_csv(time_s, values + 1))
    commits = half_of_the_answers_lost()
    report = import_csv(path, Options(batch_rows=BATCH), patience=Patience(30))
    assert commits() > 3
    assert (report.run.conflicting, report.run.identical) == (ROWS, 0)
    assert report.told.total() == ROWS


def test_rows_that_retention_keeps_out_are_told_of_once_too(path, half_of_the_answers_lost):
    recording = import_csv(path, Options()).run.recording
    recording.samples.all().delete()
    Recording.objects.update(sample_count=0, pruned_before=0.005, pruned_count=5, pruned_at=timezone.now())
    commits = half_of_the_answers_lost()
    report = import_csv(path, Options(batch_rows=BATCH, skip_bad_rows=True), patience=Patience(30))
    assert commits() > 3
    assert (report.run.new, report.run.identical, report.run.rejected) == (ROWS - 5, 0, 5)
    assert report.told.total() == 5


def test_after_the_bound_the_import_fails_and_says_what_to_do(path, monkeypatch):
    monkeypatch.setattr(transactions, "FIRST_PAUSE_S", 0.05)

    def fail(*args, **kwargs):
        raise OperationalError(2003, "Can't connect to server")

    monkeypatch.setattr("vibration.files.storing.write_samples", fail)
    err = StringIO()
    began = time.monotonic()
    with pytest.raises(CommandError, match=r"The database failed.*import the same again to complete it") as raised:
        call_command("import_vibration", path, "--wait-for-database", 0.4, stderr=err, stdout=StringIO())
    assert raised.value.returncode == 1
    assert 0.4 <= time.monotonic() - began < 20
    assert err.getvalue().count("waiting up to 0.4 s for the database") == 1
    assert ImportRun.objects.get().outcome == ImportRun.Outcome.UNFINISHED


def test_an_error_of_the_driver_itself_is_waited_for_and_told_of_too(path, monkeypatch):
    """Django lets those through that come up when a cursor is closed."""
    monkeypatch.setattr(transactions, "FIRST_PAUSE_S", 0.01)
    gone = (2006, "") if connection.vendor == "mysql" else ("disk I/O error",)

    def fail(*args, **kwargs):
        raise connection.Database.OperationalError(*gone)

    monkeypatch.setattr("vibration.files.storing.write_samples", fail)
    err = StringIO()
    with pytest.raises(CommandError, match=r"The database failed: .*; whole batches are stored"):
        call_command("import_vibration", path, "--wait-for-database", 0.2, stderr=err, stdout=StringIO())
    assert err.getvalue().count("waiting up to 0.2 s for the database (away: ") == 1
    with pytest.raises(CommandError, match=r"The database failed: .*; nothing was stored"):
        call_command("import_vibration", path, "--dry-run", stderr=err, stdout=StringIO())


def test_without_patience_it_fails_at_once(path, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError(2003, "Can't connect to server")

    monkeypatch.setattr("vibration.files.storing.write_samples", fail)
    err = StringIO()
    with pytest.raises(CommandError, match="The database failed"):
        call_command("import_vibration", path, "--wait-for-database", 0, stderr=err, stdout=StringIO())
    assert err.getvalue() == ""


def test_ctrl_c_ends_the_wait_though_its_record_cannot_be_written(path, monkeypatch):
    interrupt = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])

    def fail(*args, **kwargs):
        if not interrupt.ident:
            interrupt.start()
        raise OperationalError(2003, "Can't connect to server")

    monkeypatch.setattr("vibration.files.storing.write_samples", fail)
    monkeypatch.setattr("vibration.files.importing.finish_run", fail_to_finish)
    with pytest.raises(CommandError, match="Interrupted; whole batches are stored") as raised:
        call_command("import_vibration", path, stderr=StringIO(), stdout=StringIO())
    assert raised.value.returncode == 130


def fail_to_finish(*args, **kwargs):
    raise OperationalError(2006, "Server has gone away")


def test_a_dry_run_cannot_go_on_and_says_so(path):
    where = {"NAME": "/nowhere/at.all"} if connection.vendor == "sqlite" else {"PORT": 9}
    before = {name: connection.settings_dict[name] for name in where}
    connection.settings_dict.update(where)
    connection.close()
    try:
        with pytest.raises(CommandError, match=r"The database failed: .*; nothing was stored"):
            call_command("import_vibration", path, "--dry-run", stderr=StringIO(), stdout=StringIO())
    finally:
        connection.settings_dict.update(before)
        connection.close()


def test_what_is_no_absence_of_the_database_is_not_waited_for():
    def fail():
        raise OperationalError(1054, "Unknown column")

    with pytest.raises(OperationalError, match="Unknown column"):
        Patience(60).until_done(fail)


def test_within_a_transaction_nothing_is_tried_again():
    calls = []

    def fail():
        calls.append(1)
        raise OperationalError(2006, "Server has gone away")

    with pytest.raises(OperationalError), transaction.atomic():
        Patience(60).until_done(fail)
    assert len(calls) == 1


def test_pauses_grow_and_stay_within_the_bound(monkeypatch):
    pauses, now = [], [0.0]

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    def fail():
        raise OperationalError(2006, "Server has gone away")

    monkeypatch.setattr(transactions.time, "monotonic", lambda: now[0])
    with pytest.raises(OperationalError):
        Patience(60, sleep=sleep).until_done(fail)
    assert pauses[:5] == [0.25, 0.5, 1, 2, 4]
    assert max(pauses) == 10
    assert sum(pauses) == 60


# --- SQLite


@contextmanager
def locked_for(seconds: float):
    """Another process holds the whole database for so long."""
    program = (
        "import sqlite3, sys, time\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True)\n"
        "time.sleep(float(sys.argv[2]))\n"
        "connection.execute('ROLLBACK')\n"
    )
    command = [sys.executable, "-c", program, str(connection.settings_dict["NAME"]), str(seconds)]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "locked\n"
        yield
    finally:
        process.wait(60)


@contextmanager
def options(**changed):
    """SQLite connections that are opened with other options."""
    before = dict(connection.settings_dict["OPTIONS"])
    connection.settings_dict["OPTIONS"].update(changed)
    connection.close()
    try:
        yield
    finally:
        connection.settings_dict["OPTIONS"].update(before)
        connection.close()


@on_sqlite
def test_a_database_that_another_program_locks_is_waited_for(path):
    err = StringIO()
    with options(timeout=0.1), locked_for(3):
        call_command("import_vibration", path, "--batch-size", BATCH, stderr=err, stdout=StringIO())
    assert err.getvalue().count("waiting up to 600 s for the database (busy: database is locked)") == 1
    run = ImportRun.objects.get()
    assert (run.new, run.identical, run.outcome) == (ROWS, 0, "complete")
    assert "waited " in run.message


@on_sqlite
def test_a_full_disk_is_waited_for(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(*make_samples(20_000)))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # or pages that earlier tests have freed would do
        [pages] = cursor.execute("PRAGMA page_count").fetchone()
    command = connection.settings_dict["OPTIONS"]["init_command"]
    err = StringIO()
    with options(init_command=f"{command} PRAGMA max_page_count={pages + 100};"):

        def make_room():
            connection_options["init_command"] = command

        connection_options = connection.settings_dict["OPTIONS"]
        timer = threading.Timer(2, make_room)
        timer.start()
        call_command("import_vibration", path, "--batch-size", 1_000, stderr=err, stdout=StringIO())
        timer.join()
    assert err.getvalue().count("waiting up to 600 s for the database (full: database or disk is full)") == 1
    run = ImportRun.objects.get()
    assert (run.new, run.identical, run.outcome) == (20_000, 0, "complete")
    assert_fits(run.recording)
