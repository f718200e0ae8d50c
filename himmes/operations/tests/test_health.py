"""What a load balancer and a container engine are told, also when the rest is out of order."""

import socket
import time
from threading import Event

import pytest
from django.db import OperationalError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from diagnosis.models import Notice
from diagnosis.models.notices import Transition
from diagnosis.notices import outbox
from diagnosis.notices.backlog import LATE
from diagnosis.tests.notices_world import machine, subscription
from himmes.operations import health

FINE = {"database": "ok", "migrations": "ok", "cache": "ok", "disk": "ok"}
FOUND = health.Seen(unapplied=[], cache_answers=True)


@pytest.fixture
def no_look_before():
    """A look that an earlier test left to end by itself is waited for."""
    yield
    if health._look:
        health._look.exception(timeout=30)


def ask(path: str = "/readyz", **headers):
    return Client().get(path, headers=headers)


def away(monkeypatch, **more) -> None:
    """The database is where nobody answers. Connections that are open stay so."""
    where = {"HOST": "127.0.0.1", "PORT": 1} if connection.vendor == "mysql" else {"NAME": "/nowhere/himmes.sqlite3"}
    for name, value in (where | more).items():
        monkeypatch.setitem(connections.settings["default"], name, value)


def test_alive_needs_no_database_no_host_no_https_no_login_and_leaves_no_cookie(settings):
    settings.SECURE_SSL_REDIRECT = True  # without the mark of a test with a database, reading it fails
    answer = ask("/healthz", host="10.1.2.3")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.django_db
def test_ready_says_so_to_whoever_asks(settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = ask(host="10.1.2.3")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": FINE, "notices": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("roles")
def test_notices_that_nobody_sends_are_told_and_leave_the_server_ready(settings):
    hook = subscription(channel="webhook", target="https://example.org/")
    outbox.tell([outbox.Event(Transition.SILENT, machine().pk, None, timezone.now())], timezone.now() - LATE)
    settings.MAIL_IS_CONFIGURED = True
    for told in ("waiting", "no mail server"):
        answer = ask()
        assert (answer.status_code, answer.json()["status"], answer.json()["notices"]) == (200, "ready", told)
        hook.channel, settings.MAIL_IS_CONFIGURED = "email", False
        hook.save()
    settings.MAIL_IS_CONFIGURED = True
    Notice.objects.update(sent_at=timezone.now())
    assert ask().json()["notices"] == "ok"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_get_and_head_are_answered(path):
    head = Client().head(path)
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = Client().generic(method, path)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_not_applied_is_not_ready():
    [newest] = MigrationLoader(connection).graph.leaf_nodes("diagnosis")
    applied = MigrationRecorder(connection)
    applied.record_unapplied(*newest)
    try:
        answer = ask()
    finally:
        applied.record_applied(*newest)
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "checks": FINE | {"migrations": "failed"}}
    assert ask().status_code == 200


@pytest.mark.django_db
def test_a_database_that_is_away_is_not_ready_and_strangers_learn_no_more(monkeypatch, caplog):
    away(monkeypatch)
    answer = ask()
    assert answer.status_code == 503
    told = answer.json()["checks"]
    assert (told["database"], told["migrations"], told["cache"]) == ("failed", "failed", "failed")
    assert set(told.values()) <= {"ok", "failed"}
    assert "The database does not answer" in caplog.text


@pytest.mark.django_db
@pytest.mark.usefixtures("no_look_before")
def test_a_database_that_hangs_is_not_waited_for_and_is_asked_by_one_thread_only(monkeypatch):
    goes_on, looks = Event(), []

    def hang():
        looks.append(1)
        assert goes_on.wait(30)
        return FOUND

    with monkeypatch.context() as patch:
        patch.setattr(health, "_see", hang)
        patch.setattr(health, "ANSWER_S", 0.1)
        assert [ask().status_code for _ in range(3)] == [503] * 3
        goes_on.set()
        assert health._look.result(30) == FOUND
        assert len(looks) == 1
    assert ask().status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "found", [FOUND, OperationalError(2002, "Can't connect"), connection.Database.OperationalError(2006, "")]
)
def test_what_was_found_is_good_for_a_second(monkeypatch, found):
    now, looks = time.monotonic() + 10, []

    def find():
        looks.append(1)
        if found is not FOUND:
            raise found
        return found

    monkeypatch.setattr(health, "KEPT_S", 1)
    monkeypatch.setattr(health, "_see", find)
    for seconds, made in ((0, 1), (0.9, 1), (1.1, 2)):
        monkeypatch.setattr(health.time, "monotonic", lambda: now + seconds)  # noqa: B023  called at once
        assert ask().status_code == (200 if found is FOUND else 503)
        assert len(looks) == made


@pytest.mark.django_db
@pytest.mark.usefixtures("no_look_before")
def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up(monkeypatch):
    if connection.vendor != "mysql":
        pytest.skip("SQLite has no server")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away(monkeypatch, PORT=silent.getsockname()[1])
        started = time.monotonic()
        assert ask().status_code == 503
        assert time.monotonic() - started < 30  # by itself it would wait for minutes
        # ... and the thread does not wait for ever.
        assert health._look.exception(timeout=60)


@pytest.mark.django_db
def test_a_full_disk_is_not_ready(settings, caplog):
    settings.READY_MIN_FREE_MB = 10**9
    answer = ask()
    assert answer.status_code == 503
    assert answer.json()["checks"] == FINE | {"disk": "failed"}
    assert "MB left" in caplog.text


@pytest.mark.django_db
def test_a_folder_that_is_gone_is_not_ready(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "gone")
    answer = ask()
    assert answer.json()["checks"] == FINE | {"disk": "failed"}
    assert str(tmp_path) not in answer.text


def test_the_disk_of_an_sqlite_file_is_looked_at_and_that_of_a_server_can_not_be(settings, tmp_path, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    file = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "data" / "x.sqlite3"}
    monkeypatch.setitem(settings.DATABASES, "default", file)
    assert health.disks() == {"uploads": tmp_path, "database": tmp_path / "data"}
    server = {"ENGINE": "django.db.backends.mysql", "NAME": "himmes"}
    monkeypatch.setitem(settings.DATABASES, "default", server)
    assert health.disks() == {"uploads": tmp_path}
