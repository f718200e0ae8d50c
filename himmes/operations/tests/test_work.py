"""The worker: `manage.py work` in processes of its own, as it runs beside the server."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from ipaddress import ip_network

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from diagnosis.models import Chore, Notice
from diagnosis.models.notices import Transition
from diagnosis.notices.backlog import KEPT
from diagnosis.notices.outbox import Event, tell
from diagnosis.tests.notices_world import episode, machine, person, subscription
from diagnosis.tests.receivers import free_port, mail_server, web_server
from vibration.models import Capture, Recording
from vibration.tests.captures_world import at, days_ago, stored
from vibration.tests.test_import_processes import database_url
from vibration.tests.test_import_processes import wait_until as look_until
from vibration.tests.world import make_recording

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roles")]
PATIENCE_S = 60


def wait_until(condition):
    """Workers need seconds to start: looks as often as for an import would take their processor from them."""
    return look_until(condition, every_s=0.1)


@pytest.fixture
def web(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with web_server() as server:
        yield server


def hook(server, **fields):
    return subscription(channel="webhook", target=f"http://127.0.0.1:{server.port}/", **fields)


def written(*names: str) -> None:
    events = [Event(Transition.OPENED, it.machine_id, it, it.opened_at) for it in map(episode, map(machine, names))]
    tell(events, timezone.now())


def old_recording() -> None:
    """Of samples that were written 200 days ago; when they were measured is not known."""
    make_recording(50)
    Recording.objects.update(last_written_at=timezone.now() - timedelta(days=200))


@pytest.fixture
def start():
    """Starts workers, and ends them whatever happens."""
    started = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen:
        variables = {"DATABASE_URL": database_url(), "DJANGO_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"} | variables
        started.append(
            subprocess.Popen(
                [sys.executable, "manage.py", "work", "--every=1", *arguments],
                env=os.environ | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        )
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def test_once_does_what_is_due_and_ends(web, start):
    hook(web)
    written("g1", "g2")
    worker = start("--once")
    said, _none = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, said
    assert len(web.received) == 2
    assert not Notice.objects.filter(sent_at=None).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_sends_what_comes_and_ends_cleanly_when_it_is_told_to(web, start, number):
    hook(web)
    worker = start()
    wait_until(lambda: Chore.objects.filter(name="daily").exists())
    written("g1")
    wait_until(lambda: web.received and Notice.objects.exclude(sent_at=None).exists())
    worker.send_signal(number)
    said, _none = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, said
    assert "Ended. What is due waits for the next worker." in said
    assert "Traceback" not in said


def test_mail_goes_where_the_settings_say(settings, start):
    subscription()
    written("g1")
    with mail_server(settings) as mail:
        url = f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        said, _none = start(
            "--once", DJANGO_EMAIL_URL=url, DJANGO_EMAIL_FROM="mes@example.org", DJANGO_SITE_URL=""
        ).communicate(timeout=PATIENCE_S)
    assert [it["From"] for it in mail.received] == ["mes@example.org"], said


def test_without_a_mail_server_a_worker_leaves_mail_alone(start):
    subscription()
    written("g1")
    said, _none = start("--once", DJANGO_EMAIL_URL="").communicate(timeout=PATIENCE_S)
    notice = Notice.objects.get()
    assert (notice.tries, notice.sent_at, notice.given_up_at) == (0, None, None), said


def test_several_workers_send_each_notice_once(web, start):
    hook(web)
    workers = [start() for _ in range(3)]
    written(*(f"g{number}" for number in range(30)))
    wait_until(lambda: not Notice.objects.filter(sent_at=None).exists())
    for worker in workers:
        assert worker.stdout.readline().startswith("Working")
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0
    assert len(web.received) == 30


def test_what_is_old_is_removed_once_a_day(start, settings):
    long_ago = timezone.now() - KEPT - timedelta(days=1)
    Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    of = subscription(is_active=False)
    for number, fields in enumerate(
        [{"sent_at": long_ago}, {"given_up_at": long_ago}, {"sent_at": timezone.now()}, {}]
    ):
        Notice.objects.create(
            subscription=of,
            transition="silent",
            machine=machine(),
            at=long_ago,
            key=f"{number}",
            due_at=long_ago,
            **fields,
        )
    old_recording()
    stored(*(at(days_ago(day)) for day in (60, 40, 20)))
    worker = start("--once", DJANGO_PRUNE_AFTER="100d", DJANGO_KEEP_CAPTURES="30d")
    said, _none = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, said
    assert "prune_captures ended with status 0" in said
    assert "prune_vibration ended with status 0" in said
    assert list(Capture.objects.order_by("started_at").values_list("has_samples", flat=True)) == [True, False, True]
    assert not Session.objects.exists()
    assert set(Notice.objects.values_list("key", flat=True)) == {"2", "3"}
    assert Recording.objects.get().pruned_count > 0
    Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    assert start("--once").wait(PATIENCE_S) == 0
    assert Session.objects.exists()


def test_raw_samples_stay_where_no_age_is_set(start):
    old_recording()
    stored(*(at(days_ago(day)) for day in (60, 40)))
    assert start("--once", DJANGO_PRUNE_AFTER="", DJANGO_KEEP_CAPTURES="forever").wait(PATIENCE_S) == 0
    assert Recording.objects.get().pruned_count == 0
    assert not Capture.objects.filter(has_samples=False).exists()


def test_a_test_notice_is_sent_now_and_said_to_be(web, capsys):
    hook(web)
    dead = subscription(person("lee"), channel="webhook", target="https://127.0.0.1:9/")
    out = StringIO()
    call_command("send_test_notice", user="kim", stdout=out)
    assert "(kim, webhook): sent." in out.getvalue()
    assert b'"transition": "test"' in web.received[0][2]
    assert not Notice.objects.exists()
    dead.target = "http://192.168.0.1/"
    dead.save()
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 test notices could not be sent"):
        call_command("send_test_notice", subscription=dead.pk, stdout=out)
    assert "not sent. http:// is for networks that an administrator lists" in out.getvalue()
    with pytest.raises(CommandError, match="User nobody has no subscription"):
        call_command("send_test_notice", user="nobody")


def test_a_worker_waits_for_a_database_that_is_away(start):
    """And ends when it is told to, meanwhile."""
    worker = start(DATABASE_URL="mysql://nobody:nothing@127.0.0.1:1/nowhere")
    line = worker.stdout.readline()
    while "waiting up to" not in line:
        assert line and worker.poll() is None
        line = worker.stdout.readline()
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_make_run_has_a_worker_beside_its_server_and_both_end_together(number, tmp_path):
    port = free_port()
    with (tmp_path / "log").open("w+") as log:
        run = subprocess.Popen(
            ["scripts/serve.sh", str(port)],
            # The variable is of browser tests that ran before; a server refuses to start with it.
            env={name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
            | {"DATABASE_URL": database_url(), "DJANGO_DEBUG": "True"},
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            wait_until(lambda: Chore.objects.filter(name="daily").exists())
            wait_until(lambda: answers(port))
            os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)  # as a terminal does
            assert run.wait(PATIENCE_S) == 128 + number
            with pytest.raises(ProcessLookupError):
                os.killpg(run.pid, 0)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
