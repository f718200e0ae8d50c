"""Notices on their way: at least once, in their order, again and again until they are taken or given up."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from ipaddress import ip_network
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from diagnosis.models import Notice
from diagnosis.models.notices import Transition
from diagnosis.notices import sending
from diagnosis.notices.outbox import Event, tell
from diagnosis.notices.sending import GIVEN_UP_AFTER, LEASE, PAUSES, send_next
from diagnosis.tests.notices_world import episode, machine, person, subscription
from diagnosis.tests.receivers import free_port, mail_server, web_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(settings):
    with mail_server(settings) as server:
        yield server


@pytest.fixture
def web(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with web_server() as server:
        yield server


def hook(server, **fields):
    return subscription(channel="webhook", target=f"http://127.0.0.1:{server.port}/alarms", **fields)


def written(of=None, transition: Transition = Transition.OPENED) -> Notice:
    of = of or episode()
    tell([Event(transition, of.machine_id, of, of.opened_at)], timezone.now())
    return Notice.objects.latest("pk")


def send_all(now: datetime | None = None) -> list[Notice]:
    return list(iter(lambda: send_next(lambda: now or timezone.now()), None))


def test_mail_says_what_happened_where_and_what_to_do(mail, settings):
    settings.SITE_URL = "https://mes.example.org"
    subscription()
    g1 = machine("g1", title="Feed pump")
    tell([Event(Transition.SILENT, g1.pk, None, datetime.fromisoformat("2026-11-20T03:00:00+00:00"))], timezone.now())
    send_all()
    [got] = mail.received
    notice = Notice.objects.get()
    assert (got["Subject"], got["To"], got["From"]) == (
        "g1: no diagnoses",
        "kim@example.org",
        "HIM-MES <mes@example.org>",
    )
    text = got.get_content()
    for part in (
        "Machine: g1 (Feed pump)",
        "20 Nov 2026 12:00:00",
        "Check the machine",
        "https://mes.example.org/machines/g1/",
        notice.key,
    ):
        assert part in text
    assert (got["X-HIMMES-Notice"], got["Message-ID"]) == (notice.key, f"<{notice.key}@example.org>")
    assert notice.sent_at and not notice.error


def test_a_machine_whose_name_has_a_line_break_adds_no_line_to_the_head_of_a_mail(mail):
    subscription()
    written(episode(machine("g1\nBcc: mallory@example.org")))
    assert [it.error for it in send_all()] == [""]
    [got] = mail.received
    assert got["Subject"] == "g1 Bcc: mallory@example.org: alarm, unbalance" and got["Bcc"] is None


def test_mail_is_in_the_language_of_the_subscription(mail):
    subscription(language="ko")
    written()
    send_all()
    assert "알람" in mail.received[0]["Subject"]
    assert "심각도: 3/5" in mail.received[0].get_content()


def test_a_notice_of_an_episode_leads_to_its_page(web, settings):
    settings.SITE_URL = "https://mes.example.org"
    hook(web)
    it = episode()
    written(it)
    send_all()
    assert json.loads(web.received[0][2])["url"] == f"https://mes.example.org/diagnosis/alarms/{it.pk}/"


def test_mail_without_an_address_of_its_own_goes_to_the_users(mail):
    subscription(person("lee"), target="")
    written()
    send_all()
    assert mail.received[0]["To"] == "lee@example.org"


def test_mail_that_is_tried_again_has_the_same_ids(mail):
    subscription()
    notice = written()
    send_all()
    Notice.objects.update(sent_at=None, due_at=timezone.now())  # killed before it was noted
    send_all()
    first, second = mail.received
    assert first["Message-ID"] == second["Message-ID"]
    assert first["X-HIMMES-Notice"] == second["X-HIMMES-Notice"] == notice.key


def test_what_a_mail_server_refuses_is_noted_and_tried_again_later(mail):
    mail.refuses = "451 4.7.1 come again"
    subscription()
    written()
    send_all()
    notice = Notice.objects.get()
    assert "451 4.7.1 come again" in notice.error
    assert not mail.received
    mail.refuses = ""
    assert not send_all()
    assert send_all(notice.due_at)
    assert Notice.objects.get().sent_at
    assert len(mail.received) == 1


def test_without_a_mail_server_mail_waits_untried_and_all_else_is_sent(web, settings):
    settings.MAIL_IS_CONFIGURED = False
    subscription(person("lee"))
    hook(web)
    written()
    assert [it.subscription.user.username for it in send_all()] == ["kim"]
    assert send_all(timezone.now() + timedelta(days=30)) == []
    waits = Notice.objects.get(subscription__user__username="lee")
    assert (waits.tries, waits.error, waits.given_up_at) == (0, "", None)
    with mail_server(settings) as mail:
        send_all()
        assert len(mail.received) == 1


def test_a_receiver_that_is_down_is_tried_after_longer_and_longer_pauses_and_given_up_after_a_day(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    subscription(channel="webhook", target=f"http://127.0.0.1:{free_port()}/")
    notice = written()
    pauses, now = [], timezone.now()
    while notice.given_up_at is None:
        [notice] = send_all(now)
        pauses.append(notice.due_at - now)
        assert "127.0.0.1" in notice.error
        now = notice.due_at
    assert pauses[: len(PAUSES)] == PAUSES
    assert notice.given_up_at - notice.created_at >= GIVEN_UP_AFTER
    assert notice.given_up_at - notice.created_at < GIVEN_UP_AFTER + max(PAUSES)
    assert send_all(now + timedelta(days=1)) == []


def test_what_waits_behind_one_that_is_given_up_is_given_up_with_it(web):
    web.status = 500
    hook(web)
    for number in range(3):
        written(episode(machine(f"g{number}")))
    now = timezone.now()
    while Notice.objects.filter(given_up_at=None).exists():
        send_all(now)
        now = Notice.objects.filter(given_up_at=None).order_by("due_at").values_list("due_at", flat=True).first() or now
    assert len(web.received) < 3 * 15
    assert set(Notice.objects.values_list("error", flat=True)) == {"127.0.0.1 answered with HTTP status 500."}


def test_one_receiver_that_is_down_holds_up_nobody_else(web, settings):
    dead = subscription(person("dead"), channel="webhook", target=f"http://127.0.0.1:{free_port()}/")
    hook(web, user=person("lee"))
    for number in range(5):
        written(episode(machine(f"g{number}")))
    send_all()
    assert len(web.received) == 5
    assert sum(Notice.objects.filter(subscription=dead).values_list("tries", flat=True)) == 1


def test_cleared_is_not_told_before_opened(web):
    hook(web)
    it = episode()
    web.status = 503
    opened = written(it)
    send_all()
    web.status = 204
    written(it, Transition.CLEARED)
    assert send_all() == []
    opened.refresh_from_db()
    send_all(opened.due_at)
    assert [headers["X-HIMMES-Notice"].split("-")[0] for _path, headers, _body in web.received] == [
        "opened",
        "opened",
        "cleared",
    ]


def test_cleared_is_told_after_opened_was_given_up(web):
    hook(web)
    it = episode()
    written(it)
    Notice.objects.update(given_up_at=timezone.now())
    written(it, Transition.CLEARED)
    assert [it.transition for it in send_all()] == ["cleared"]


def test_what_was_taken_up_by_somebody_who_died_is_due_again_after_a_while(web):
    hook(web)
    written()
    now = timezone.now()
    assert sending._take_up(now)
    assert send_all(now + LEASE - timedelta(seconds=1)) == []
    [notice] = send_all(now + LEASE)
    assert (notice.tries, len(web.received)) == (2, 1)


def test_what_was_written_by_a_clock_that_was_a_year_ahead_is_sent_and_holds_up_nothing(web):
    hook(web)
    notice = written()
    Notice.objects.update(due_at=timezone.now() + timedelta(days=365))
    written(notice.episode, Transition.CLEARED)
    assert [it.transition for it in send_all()] == ["opened", "cleared"]


def test_a_subscription_that_is_paused_and_a_user_who_is_gone_get_nothing_more(web):
    paused, gone = hook(web, user=person("paused")), hook(web, user=person("gone"))
    written()
    paused.is_active = gone.user.is_active = False
    paused.save()
    gone.user.save()
    send_all()
    assert not web.received
    assert dict(Notice.objects.values_list("subscription__user__username", "error")) == {
        "paused": "The subscription is paused.",
        "gone": "The user may no longer see alarms.",
    }
    assert not Notice.objects.filter(given_up_at=None).exists()


def test_a_subscription_that_is_deleted_while_its_notice_is_sent_stops_nothing(web, monkeypatch):
    gone = hook(web, user=person("gone"))
    hook(web, user=person("lee"))
    written()
    send = sending._SENDERS["webhook"]

    def send_and_delete(of, message):
        send(of, message)
        if of == gone:
            of.delete()

    monkeypatch.setitem(sending._SENDERS, "webhook", send_and_delete)
    send_all()
    assert len(web.received) == 2
    assert Notice.objects.get().sent_at


def test_who_fails_after_another_has_sent_it_does_not_have_it_sent_again(web):
    hook(web)
    written()
    slow = sending._take_up(timezone.now())
    send_all(slow.due_at)
    sending._note(slow, "timed out", timezone.now())
    assert Notice.objects.get().sent_at
    assert send_all(timezone.now() + timedelta(days=1)) == []
    assert len(web.received) == 1


def test_an_error_that_nobody_expected_stops_no_other_notice(web, monkeypatch):
    hook(web, user=person("lee"))
    subscription(person("kim"), channel="apprise", target="tgram://1/2")
    monkeypatch.setitem(sending._SENDERS, "apprise", lambda *args: {}["nothing"])
    written()
    send_all()
    assert len(web.received) == 1
    assert Notice.objects.get(subscription__channel="apprise").error == "KeyError: 'nothing'"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("roles")
def test_several_workers_send_each_notice_once(web):
    hook(web)
    for number in range(40):
        written(episode(machine(f"g{number}")))

    def work():
        try:
            send_all()
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    keys = [headers["X-HIMMES-Notice"] for _path, headers, _body in web.received]
    assert len(keys) == 40
    assert set(keys) == set(Notice.objects.exclude(sent_at=None).values_list("key", flat=True))


def test_what_sends_is_imported_without_apprise():
    """It takes its time and its memory, which most have no need of."""
    program = "import django, sys; django.setup(); import diagnosis.notices.sending; print('apprise' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
