"""Days on which the clock jumps, the disk of the log is full, or old samples are removed while they are imported."""

import io
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from rest_framework.throttling import SimpleRateThrottle

from bench.serving import AS_IN_PRODUCTION, free_port
from himmes.accounts.models import ApiToken
from himmes.api.tests.api_world import make_program
from vibration.files.importing import Options
from vibration.files.names import Naming
from vibration.models import ImportRun, Recording, VibrationData
from vibration.numbers.samples import Samples
from vibration.tests.world import as_csv, assert_rollups_fit, import_csv, make_samples, write_csv

pytestmark = pytest.mark.django_db
PASSWORD = "several words of no sense"
DAY_S, HOUR_S = 86_400, 3_600


# --- The clock


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock on the wall to so many seconds from now; the monotonic one goes on."""
    real_time, real_now = time.time, timezone.now

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real_time() + seconds)
        monkeypatch.setattr(timezone, "now", lambda: real_now() + timedelta(seconds=seconds))

    cache.clear()
    yield move
    cache.clear()


@pytest.mark.parametrize("ahead", [DAY_S, HOUR_S])
def test_who_called_before_the_clock_was_put_back_may_call_after_it(roles, counted_in, clock, monkeypatch, ahead):
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"caller": "3/minute", "stranger": "3/minute"})
    program, stranger = make_program(roles, "viewer"), make_program(roles, "viewer")
    stranger.token = "0" * 64
    clock(ahead)
    for caller, status in ((program, 200), (stranger, 401)):
        assert [caller.get("machines").status_code for _ in range(4)] == [status] * 3 + [429]
    clock(0)
    for caller, status in ((program, 200), (stranger, 401)):
        assert [caller.get("machines").status_code for _ in range(4)] == [status] * 3 + [429]


def test_clocks_of_two_servers_that_differ_by_seconds_share_a_limit(roles, clock, monkeypatch):
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"caller": "3/minute"})
    program = make_program(roles, "viewer")
    statuses = []
    for ahead in (5, 0, 5, 0):
        clock(ahead)
        statuses.append(program.get("machines").status_code)
    assert statuses == [200, 200, 200, 429]


def test_a_lock_does_not_last_until_a_clock_that_was_put_back_is_there_again(user, clock, monkeypatch):
    user.set_password(PASSWORD)
    user.save()

    def log_in(password: str) -> int:
        return Client().post("/login/", {"username": user.username, "password": password}).status_code

    monkeypatch.setattr("axes.handlers.proxy.now", lambda: timezone.now())
    clock(DAY_S)
    assert [log_in("wrong") for _ in range(5)] == [200] * 4 + [429]
    clock(0)
    assert log_in("wrong") == 200  # the first failure, not the sixth
    assert AccessAttempt.objects.get().failures_since_start == 1
    assert log_in(PASSWORD) == 302


def test_a_login_in_use_is_renewed_after_the_clock_was_put_back(user, clock):
    client = Client()
    user.set_password(PASSWORD)
    user.save()
    clock(DAY_S)
    assert client.post("/login/", {"username": user.username, "password": PASSWORD}).status_code == 302
    clock(0)
    assert client.get("/diagnosis/").status_code == 200
    assert abs(client.session["renewed"] - time.time()) < HOUR_S


def test_the_use_of_a_token_is_noted_after_the_clock_was_put_back(roles, clock):
    program = make_program(roles, "viewer")
    clock(DAY_S)
    assert program.get("machines").status_code == 200
    clock(0)
    assert program.get("machines").status_code == 200
    assert ApiToken.objects.get().last_used < timezone.now() + timedelta(hours=1)


# --- The log


STARTS_S = 120


def status_of(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=STARTS_S)
    try:
        connection.request("GET", path, headers={"X-Forwarded-Proto": "https"})
        return connection.getresponse().status
    finally:
        connection.close()


def answers(port: int) -> bool:
    try:
        return status_of(port, "/healthz") == 200
    except OSError:
        return False


@contextmanager
def served(folder, log):
    """gunicorn as in production, for the API alone, with the log in this file; its address."""
    variables = AS_IN_PRODUCTION | {"DJANGO_SETTINGS_MODULE": "bench.api_settings"}
    variables |= {"DATABASE_URL": f"sqlite:///{folder}/nothing.sqlite3", "DJANGO_SECRET_KEY": "only-for-tests-" * 4}
    variables |= {"PYTHONUNBUFFERED": "1"}  # as in the image; else Python ends with 120 for what it still holds
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", "--workers=1"]
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=log, stderr=log, env=os.environ | variables)
    try:
        deadline = time.monotonic() + STARTS_S
        while not answers(port):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield server, port
    finally:
        server.terminate()
        server.wait(STARTS_S)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux")
def test_requests_are_answered_while_the_disk_of_the_log_is_full(tmp_path):
    with Path("/dev/full").open("wb") as log, served(tmp_path, log) as (server, port):
        for _ in range(50):  # more than any buffer on the way holds
            statuses = [status_of(port, path) for path in ("/healthz", "/nothing-here/" + "x" * 500)]
            assert statuses == [200, 404]
        assert server.poll() is None
    assert server.returncode == 0


# --- Retention


@pytest.mark.parametrize("batch_rows", [700, 1024])
def test_nothing_is_removed_of_a_recording_while_an_import_of_it_runs(tmp_path, batch_rows):
    """Else the rows that complete its last bucket would be kept out, as those before the border are."""
    sampled, values = make_samples(5_000)
    path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(sampled, values))
    said = io.StringIO()

    def prune(report=None, bytes_read=0):
        call_command("prune_vibration", "--older-than=90d", "--no-input", stdout=io.StringIO(), stderr=said)

    options = Options(naming=Naming(started_at=timezone.now() - timedelta(days=91)), batch_rows=batch_rows)
    run = import_csv(path, options, on_progress=prune).run
    run.refresh_from_db()
    assert (run.outcome, run.new, run.read) == (ImportRun.Outcome.COMPLETE, len(sampled), len(sampled))
    assert "g1 / sensor1 / default is left for the next time: an import of it is running" in said.getvalue()
    prune()
    recording = Recording.objects.get()
    assert VibrationData.objects.count() == recording.sample_count == 0
    assert recording.pruned_count == len(sampled)
    assert_rollups_fit(recording, Samples(sampled, values))


def test_an_import_that_was_killed_keeps_nothing_for_long(tmp_path):
    sampled, values = make_samples(1_000)
    path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(sampled, values))
    import_csv(path, Options(naming=Naming(started_at=timezone.now() - timedelta(days=91))))
    for started_ago, left in ((timedelta(hours=23), 1_000), (timedelta(hours=25), 0)):
        ImportRun.objects.update(outcome=ImportRun.Outcome.UNFINISHED, started_at=timezone.now() - started_ago)
        call_command("prune_vibration", "--older-than=90d", "--no-input", stdout=io.StringIO())
        assert VibrationData.objects.count() == left
