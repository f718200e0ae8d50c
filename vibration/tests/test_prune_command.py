"""`prune_vibration`: what it asks, shows and refuses."""

import os
import signal
import subprocess
import sys
import time as clock
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from common.durations import read_duration
from vibration.management import removing
from vibration.management.commands import prune_vibration
from vibration.models import Recording, VibrationData, VibrationRollup
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.test_import_processes import database_url, has_ended_what_was_sent, wait_until
from vibration.tests.world import make_recording, make_samples

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signals():
    kept = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, kept)


def recorded(machine: str = "g1", sensor: str = "sensor1", *, days_ago: float = 100, count: int = 2000, name="default"):
    started_at = timezone.now() - timedelta(days=days_ago)
    recording = open_recording(machine, sensor, started_at=started_at, name=name)
    write_samples(recording, Samples(*make_samples(count)))
    recording.refresh_from_db()
    return recording


def prune(*args, stdin: str = "", monkeypatch=None) -> str:
    out = StringIO()
    if monkeypatch:
        monkeypatch.setattr(sys, "stdin", StringIO(stdin))
    call_command("prune_vibration", *args, stdout=out)
    return out.getvalue()


def removed() -> dict[str, int]:
    return {str(it): it.pruned_count for it in Recording.objects.with_place() if it.pruned_count}


def test_it_shows_what_it_would_remove_and_a_dry_run_ends_there():
    recorded()
    recorded(sensor="sensor2", count=300)
    recorded(sensor="sensor3", days_ago=1)
    told = prune("--older-than", "90d", "--dry-run")
    lines = [line.split() for line in told.splitlines()]
    assert lines[1][:4] == ["machine", "sensor", "recording", "samples"]
    assert lines[2][:7] == ["g1", "sensor1", "default", "2,000", "2,000", "0.000", "1.999"]
    assert lines[3][:5] == ["g1", "sensor2", "default", "300", "300"]
    assert lines[4] == ["2", "recordings", "2,300", "2,300", "0.2"]
    assert "sensor3" not in told
    assert removed() == {}
    assert VibrationData.objects.count() == 4300


def test_it_asks_and_takes_only_yes(monkeypatch):
    recorded()
    with pytest.raises(CommandError, match="Nothing was removed"):
        prune("--older-than", "90d", stdin="y\n", monkeypatch=monkeypatch)
    with pytest.raises(CommandError, match=r"nobody answered.*--no-input"):
        prune("--older-than", "90d", stdin="", monkeypatch=monkeypatch)
    assert removed() == {}
    told = prune("--older-than", "90d", stdin="yes\n", monkeypatch=monkeypatch)
    assert "Removed 2,000 of 2,000 samples" in told
    assert removed() == {"g1 / sensor1 / default": 2000}
    assert not VibrationData.objects.exists()
    assert VibrationRollup.objects.exists()


def test_nothing_to_remove_is_no_error():
    assert "No samples from before" in prune("--older-than", "90d", "--no-input")
    recorded(days_ago=10)
    assert "No samples from before" in prune("--older-than", "2w", "--no-input")
    assert removed() == {}


def test_only_the_machines_that_are_named():
    for machine in ("g1", "g2", "pump"):
        recorded(machine)
    prune("--older-than", "90d", "--machine", "g1", "--machine", "pump", "--no-input", "--pause", "0")
    assert removed() == {"g1 / sensor1 / default": 2000, "pump / sensor1 / default": 2000}


def test_an_unknown_machine_is_an_error_that_names_near_ones():
    for machine in ("g1", "pump-1", "pump-2"):
        recorded(machine)
    with pytest.raises(CommandError, match=r"There is no machine pump1. Perhaps: pump-1, pump-2"):
        prune("--older-than", "90d", "--machine", "g1", "--machine", "pump1", "--no-input")
    assert removed() == {}


@pytest.mark.parametrize("text", ["90", "0d", "1h", "23h", "-90d", "90 d", "1.5d", "90days", "", "9" * 6 + "d", "٣d"])
def test_an_age_that_is_none_or_less_than_a_day_is_refused(text):
    with pytest.raises(CommandError, match=r"not a length of time such as|less than a day"):
        prune(f"--older-than={text}", "--no-input")


@pytest.mark.parametrize(("text", "hours"), [("36h", 36), ("90d", 2160), ("2w", 336), ("0d", 0)])
def test_lengths_of_time(text, hours):
    assert read_duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("option", ["--batch-size=0", "--batch-size=100001", "--pause=-1", "--pause=nan", "--pause=x"])
def test_numbers_that_make_no_sense_are_refused(option):
    with pytest.raises(CommandError):
        prune("--older-than", "90d", option, "--no-input")


def test_a_recording_without_times_of_day_counts_from_its_last_write():
    recording = make_recording(2000)
    assert "No samples" in prune("--older-than", "90d", "--no-input")
    Recording.objects.update(last_written_at=timezone.now() - timedelta(days=91))
    told = prune("--older-than", "90d", "--no-input")
    assert "not known" in told
    assert removed() == {str(recording): 2000}


def test_interrupted_between_two_batches_it_ends_with_130_and_says_how_far_it_came(monkeypatch):
    recorded()
    recorded(sensor="sensor2")

    def interrupt(seconds):
        if VibrationData.objects.count() <= 3000:
            raise KeyboardInterrupt

    monkeypatch.setattr(removing.clock, "sleep", interrupt)
    with pytest.raises(CommandError, match=r"Interrupted; 1,\d\d\d samples are removed, in whole batches") as caught:
        prune("--older-than", "90d", "--no-input", "--batch-size", "500")
    assert caught.value.returncode == 130
    [(_recording, count)] = removed().items()
    assert VibrationData.objects.count() == 4000 - count
    monkeypatch.undo()
    prune("--older-than", "90d", "--no-input", "--pause", "0")
    assert sum(removed().values()) == 4000


def test_a_failing_database_is_said_in_a_line(monkeypatch):
    recorded()

    def fail(*args):
        raise OperationalError(2013, "Lost connection to server during query")

    monkeypatch.setattr("vibration.storage.pruning._remove_batch", fail)
    with pytest.raises(CommandError, match=r"The database failed: .*Lost connection.* 0 samples are removed"):
        prune("--older-than", "90d", "--no-input")


def test_a_recording_deleted_in_the_meantime_does_not_keep_the_others(monkeypatch, capsys):
    recorded(sensor="sensor1")
    recorded(sensor="sensor2")
    find = prune_vibration.find_removal

    def find_and_delete(recording, cutoff):
        found = find(recording, cutoff)
        if recording.sensor.sensor_no == "sensor1":
            Recording.objects.filter(pk=recording.pk).delete()
        return found

    monkeypatch.setattr(prune_vibration, "find_removal", find_and_delete)
    told = prune("--older-than", "90d", "--no-input")
    assert "g1 / sensor1 / default was deleted in the meantime." in capsys.readouterr().err
    assert "Removed 2,000 of 4,000 samples" in told
    assert "stored or deleted by others" in told
    assert removed() == {"g1 / sensor2 / default": 2000}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_ended_at_any_time_leaves_counts_that_fit(number):
    recorded(count=40_000)
    before = list(VibrationRollup.objects.order_by("level", "bucket").values_list())
    command = [sys.executable, "manage.py", "prune_vibration", "--older-than=90d", "--no-input", "--batch-size=1000"]
    process = subprocess.Popen(
        [*command, "--pause=2"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background it might be ignored
    )
    try:
        deadline = clock.monotonic() + 60
        while not Recording.objects.get().pruned_count:
            assert process.poll() is None, process.communicate()
            assert clock.monotonic() < deadline
            clock.sleep(0.005)
        process.send_signal(number)
        _out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130), errors
    wait_until(has_ended_what_was_sent)
    recording = Recording.objects.get()
    times = VibrationData.objects.order_by("measured_time").values_list("measured_time", flat=True)
    assert 0 < recording.pruned_count < 40_000
    assert times.count() == recording.sample_count == 40_000 - recording.pruned_count
    assert times.first() >= recording.pruned_before
    assert list(VibrationRollup.objects.order_by("level", "bucket").values_list()) == before
    prune("--older-than=90d", "--no-input", "--pause=0")
    assert Recording.objects.get().pruned_count == 40_000
    assert not VibrationData.objects.exists()
