"""The importer as a process of its own: killed, interrupted, two at once, watching a folder."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

from machines.models import Machine, RegisteredBy
from machines.registering import register_sensor
from vibration.csv.synthetic import sample_lines
from vibration.files.importing import ImportedBefore, Options
from vibration.models import ImportRun, Recording, VibrationData
from vibration.tests.test_importing import assert_fits
from vibration.tests.world import as_csv, import_csv, make_samples, stored_rollups, stored_rows, write_csv

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, BATCH = 20_000, 400
KILLS = 20
PATIENCE_S = 60


def database_url():
    """Of the database that the tests use, for a process of its own."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"mysql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


def start(*arguments):
    command = [sys.executable, "manage.py", "import_vibration", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Started in the background, as CI may be, a process ignores Ctrl-C; one in a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_until(condition, *, every_s: float = 0.003):
    """What a condition gives as soon as it is true; looked at so often that the middle of an import is not missed."""
    deadline = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(every_s)
    return result


def has_ended_what_was_sent() -> bool:
    """Whether a server is done with what a killed process had sent it last, which may be a COMMIT.

    One that has slept for some seconds has nothing left to read: it is one of the live server, kept for the next page.
    """
    if connection.vendor != "mysql":
        return True
    others = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    with connection.cursor() as cursor:
        cursor.execute(f"{others} AND NOT (command = 'Sleep' AND time >= 3)")
        return cursor.fetchone() == (0,)


def import_has_begun():
    return ImportRun.objects.filter(recording__isnull=False).first()


def clear():
    ImportRun.objects.all().delete()
    Recording.objects.all().delete()


@pytest.fixture
def path(tmp_path):
    return write_csv(tmp_path / "g1_sensor1.csv", as_csv(*make_samples(ROWS)))


@pytest.fixture
def undisturbed(path):
    """What an import stores that nobody disturbs, and how long a batch of it takes."""
    process = start(path, "--batch-size", BATCH)
    wait_until(import_has_begun)
    began = time.monotonic()
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err + out
    batch_s = (time.monotonic() - began) / (ROWS / BATCH)
    expected = stored_rows(), stored_rollups()
    assert len(expected[0]) == ROWS
    clear()
    return *expected, batch_s


def test_killed_at_any_instant_whole_batches_stay_and_running_again_completes_them(path, undisturbed):
    rows, rollups, batch_s = undisturbed
    instants = random.Random(7)
    midway = 0
    for _kill in range(KILLS):
        process = start(path, "--batch-size", BATCH)
        # By how far it has come, not by the clock: a busy machine takes longer. Then anywhere within a batch.
        reached = instants.randrange(0, ROWS, BATCH)
        wait_until(lambda reached=reached: Recording.objects.filter(sample_count__gte=reached).exists())
        time.sleep(instants.uniform(0, 2 * batch_s))
        process.kill()
        process.communicate()
        wait_until(has_ended_what_was_sent)

        count = VibrationData.objects.count()
        assert count % BATCH == 0
        midway += 0 < count < ROWS
        recording = Recording.objects.get()
        if count:
            assert_fits(recording)
        assert recording.sample_count == count
        killed = ImportRun.objects.get()
        assert killed.new == count
        if count < ROWS:
            assert killed.outcome == ImportRun.Outcome.UNFINISHED

        again = import_csv(path, Options(batch_rows=BATCH)).run
        assert (again.new, again.identical, again.conflicting) == (ROWS - count, count, 0)
        assert stored_rows() == rows
        assert stored_rollups() == rollups
        clear()
    assert midway > KILLS / 2, "most kills came too early or too late to prove anything"


def test_interrupted_by_ctrl_c_it_stops_between_batches_and_says_how_to_go_on(path):
    process = start(path, "--batch-size", BATCH)
    wait_until(lambda: VibrationData.objects.exists())
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Interrupted; whole batches are stored; import the same again to complete it." in err
    assert "Traceback" not in err
    record = ImportRun.objects.get()
    assert record.outcome == ImportRun.Outcome.INTERRUPTED
    assert record.new == VibrationData.objects.count() < ROWS
    assert record.new % BATCH == 0
    assert_fits(record.recording)


def test_two_imports_of_one_file_at_once_store_it_once(path, undisturbed):
    rows, rollups, _batch_s = undisturbed
    processes = [start(path, "--batch-size", BATCH) for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err + out
    records = list(ImportRun.objects.all())
    assert sum(record.new for record in records) == ROWS
    assert sum(record.identical for record in records) == ROWS
    assert {record.outcome for record in records} == {ImportRun.Outcome.COMPLETE}
    assert stored_rows() == rows
    assert stored_rollups() == rollups


def end(process):
    """What a watch has said on standard output and on standard error, once it is told to end."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert out.endswith("Ended.\n")
    return out, err


def test_a_watched_folder_imports_each_file_once_it_is_whole(tmp_path):
    write_csv(tmp_path / "g1_there.csv", "0,1,2,3,4\n")
    process = start("--watch", tmp_path, "--name-pattern", "{machine}_{sensor}")
    try:
        wait_until(lambda: VibrationData.objects.filter(recording__sensor__sensor_no="there").exists())

        # A file that is moved in, one that is still being written, one whose name is unlike the pattern
        write_csv(tmp_path / "moved.part", "0,1,2,3,4\n").rename(tmp_path / "g1_moved.csv")
        write_csv(tmp_path / "nameless.csv", "0,1,2,3,4\n")
        with (tmp_path / "g1_slow.csv").open("w") as slow:
            for second in range(4):
                slow.write(f"{second},1,2,3,4\n{second}.5,1,2")  # pauses within a line
                slow.flush()
                time.sleep(1)
                slow.write(",3,4\n")
        wait_until(lambda: VibrationData.objects.filter(recording__sensor__sensor_no="moved").exists())
        wait_until(lambda: VibrationData.objects.filter(recording__sensor__sensor_no="slow").count() == 8)
        assert ImportRun.objects.count() == 3
        assert set(ImportRun.objects.values_list("rejected", flat=True)) == {0}
    finally:
        _out, err = end(process)
    assert err.count("the name is not like {machine}_{sensor}") == 1


def test_a_watched_folder_registers_no_machine_that_nobody_named(tmp_path):
    write_csv(tmp_path / "pump_run_20260305_090000.csv", "0,1,2,3,4\n")
    write_csv(tmp_path / "g1_a.csv", "0,1,2,3,4\n")
    write_csv(tmp_path / "g2_a.csv", "0,1,2,3,4\n")
    register_sensor("g2", "a", registered_by=RegisteredBy.ADMIN)
    process = start("--watch", tmp_path)
    try:
        wait_until(lambda: VibrationData.objects.filter(recording__sensor__machine__name="g2").exists())
        assert set(Machine.objects.values_list("name", flat=True)) == {"g2"}

        register_sensor("g1", "a", registered_by=RegisteredBy.ADMIN)  # it is looked for again
        wait_until(lambda: VibrationData.objects.filter(recording__sensor__machine__name="g1").exists())
    finally:
        _out, err = end(process)
    assert err.count("No sensor a of a machine g1 is registered; register it in the administration") == 1
    assert err.count("20260305_090000 in the name is a time stamp, not a machine; say --name-pattern") == 1
    assert set(Machine.objects.values_list("name", flat=True)) == {"g1", "g2"}


def test_a_watch_that_is_started_again_reads_no_file_again_that_is_taken(tmp_path):
    write_csv(tmp_path / "g1_a.csv", "0,1,2,3,4\n")
    write_csv(tmp_path / "g1_bad.csv", "0,1,2,3,4\nbad\n")
    watch = ["--watch", tmp_path, "--name-pattern", "{machine}_{sensor}"]
    process = start(*watch)
    try:
        wait_until(lambda: ImportRun.objects.exclude(outcome=ImportRun.Outcome.UNFINISHED).count() == 2)
    finally:
        end(process)
    write_csv(tmp_path / "g1_late.csv", "0,1,2,3,4\n")
    process = start(*watch)
    try:
        wait_until(lambda: ImportRun.objects.filter(file_name="g1_late.csv", outcome="complete").exists())
        # What has changed is read, though its size and name are the same
        write_csv(tmp_path / "g1_a.csv", "1,1,2,3,4\n")
        wait_until(lambda: ImportRun.objects.filter(file_name="g1_a.csv", outcome="complete").count() == 2)
    finally:
        out, _err = end(process)
    assert f"{tmp_path / 'g1_a.csv'} -> g1 / a / default: imported before" in out
    assert ImportRun.objects.filter(file_name="g1_bad.csv").count() == 2
    assert VibrationData.objects.count() == 4


def test_a_watch_reads_a_file_again_whose_recording_was_deleted(tmp_path):
    path = write_csv(tmp_path / "g1_a.csv", "0,1,2,3,4\n")
    once = Options(once=True)
    import_csv(path, once)
    with pytest.raises(ImportedBefore):
        import_csv(path, once)
    import_csv(path, Options())
    Recording.objects.all().delete()
    import_csv(path, once)
    assert VibrationData.objects.count() == 1


def test_a_whole_file_of_real_size_comes_back_bit_for_bit(tmp_path):
    path = write_csv(tmp_path / "g1_sensor1.csv", "".join(sample_lines(1, 1, 140.0, seed=1)))
    process = start(path)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err + out
    with path.open() as file:
        expected = np.array([[float(number) for number in line.split(",")] for line in file])
    assert expected.shape == (190_218, 5)
    samples = VibrationData.objects.all().as_samples()
    assert np.column_stack([samples.time, samples.values]).tobytes() == expected.tobytes()
    assert_fits(Recording.objects.get())


def test_what_make_sample_csv_writes_is_what_import_vibration_reads(tmp_path):
    command = [sys.executable, "manage.py", "make_sample_csv", str(tmp_path / "samples"), "--seconds", "1"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ, check=True, capture_output=True)
    process = start(tmp_path / "samples")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert Recording.objects.count() == 8
    assert "8 files" in out
    assert len(list(Path(tmp_path / "samples").iterdir())) == 8
