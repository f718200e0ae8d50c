"""Ctrl-C at every instant of an import that matters to a database."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.transaction import Atomic

from common.interrupting import noted_interruptions
from machines.models import Machine, Sensor
from vibration.models import ImportRun, Recording, VibrationData
from vibration.tests.test_importing import assert_fits
from vibration.tests.world import as_csv, make_samples, write_csv

ROWS, BATCH = 30, 10
INSTANTS = [(Atomic, "__enter__"), (Atomic, "__exit__"), (CursorWrapper, "execute"), (CursorWrapper, "executemany")]


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_at_any_instant_leaves_whole_batches_and_their_counts(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(*make_samples(ROWS)))
    passed, wanted = 0, None

    def count_and_interrupt() -> None:
        nonlocal passed
        passed += 1
        if passed == wanted:
            os.kill(os.getpid(), signal.SIGINT)

    def with_instants(work):
        def worked(*args, **kwargs):
            count_and_interrupt()
            result = work(*args, **kwargs)
            count_and_interrupt()
            return result

        return worked

    for owner, name in INSTANTS:
        monkeypatch.setattr(owner, name, with_instants(getattr(owner, name)))

    def interrupted_at(instant) -> tuple[int, ImportRun]:
        nonlocal passed, wanted
        ImportRun.objects.all().delete()
        for model in (Recording, Sensor, Machine):
            model.objects.all().delete()
        passed, wanted = 0, instant
        try:
            call_command("import_vibration", path, "--batch-size", BATCH)
            status = 0
        except CommandError as error:
            status = error.returncode
        wanted = None
        assert not connection.in_atomic_block
        connection.close()  # what was not committed is gone
        return status, ImportRun.objects.get()

    assert interrupted_at(None)[0] == 0
    instants = passed
    assert instants > 50
    stopped = 0
    for instant in range(1, instants + 1):
        status, run = interrupted_at(instant)
        count = VibrationData.objects.count()
        assert (status, run.outcome) in [(130, "interrupted"), (0, "complete")], instant
        assert run.new == count, instant
        assert count % BATCH == 0
        if count:
            assert_fits(run.recording)
        stopped += count < ROWS
    assert stopped > instants / 2


def test_the_second_ctrl_c_ends_a_program_at_once():
    program = (
        "import time; from common.interrupting import noted_interruptions\n"
        "with noted_interruptions() as noted:\n"
        "    print('ready', flush=True)\n"
        "    while not noted.is_wanted: time.sleep(0.01)\n"
        "    print('noted', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "noted\n"
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err == ""


def test_a_wish_to_end_cuts_a_wait_short_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    began = time.monotonic()
    with noted_interruptions() as noted:
        noted.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # no second one: the script that runs it got Ctrl-C, too
        with pytest.raises(KeyboardInterrupt):
            noted.sleep(60)
    assert time.monotonic() - began < 30
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
