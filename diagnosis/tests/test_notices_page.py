"""The page on which users say what they want to be told of: their own, and nothing that may not be."""

import re
from datetime import timedelta
from html import unescape
from ipaddress import ip_network

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from diagnosis.models import Notice, Subscription
from diagnosis.models.notices import Transition
from diagnosis.notices.clock import look
from diagnosis.notices.outbox import Event, tell
from diagnosis.pages.notices import TESTS
from diagnosis.pages.subscription_form import MOST_SUBSCRIPTIONS
from diagnosis.tests.notices_world import episode, machine, person, subscription
from diagnosis.tests.receivers import mail_server, web_server

pytestmark = pytest.mark.django_db
FORM = {"channel": "email", "target": "kim@example.org", "least_severity": "1", "language": "en", "is_active": "on"}


@pytest.fixture
def kim():
    return person("kim")


@pytest.fixture
def english(client, kim):
    client.force_login(kim)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def told(response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def add(client, **fields):
    return client.post("/diagnosis/notices/add/", FORM | fields)


def test_what_is_added_is_stored_as_it_was_meant(english, kim):
    g1, _g2 = machine("g1"), machine("g2")
    answer = add(
        english,
        machines=[g1.pk],
        least_severity="3",
        transitions=["opened", "worsened"],
        from_hour="22",
        to_hour="6",
        language="ko",
    )
    assert (answer.status_code, answer["Location"]) == (302, "/diagnosis/notices/")
    it = Subscription.objects.get()
    assert (it.user, it.channel, it.target, it.least_severity) == (kim, "email", "kim@example.org", 3)
    assert (list(it.machines.all()), it.transitions, it.language) == ([g1], ["opened", "worsened"], "ko")
    assert (it.from_hour, it.to_hour, it.is_active) == (22, 6, True)
    shown = told(english.get("/diagnosis/notices/"))
    for text in ("The subscription is added.", "kim@example.org", "opened, worsened", "g1", "3/5", "22:00–6:00"):
        assert text in shown


def test_what_is_changed_keeps_its_secret_and_what_is_deleted_is_gone(english, kim):
    it = subscription(kim)
    answer = english.post(f"/diagnosis/notices/{it.pk}/", FORM | {"target": "kim@example.net", "is_active": ""})
    assert answer.status_code == 302
    changed = Subscription.objects.get()
    assert (changed.target, changed.is_active, changed.secret) == ("kim@example.net", False, it.secret)
    assert "paused" in told(english.get("/diagnosis/notices/"))
    assert english.post(f"/diagnosis/notices/{it.pk}/delete/").status_code == 302
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"channel": "webhook", "target": "https://127.0.0.1/"}, "127.0.0.1 is not a public address."),
        (
            {"channel": "webhook", "target": "https://169.254.169.254/latest"},
            "169.254.169.254 is not a public address.",
        ),
        ({"channel": "webhook", "target": "http://8.8.8.8/"}, "http:// is for networks"),
        ({"channel": "webhook", "target": ""}, "Enter an address."),
        ({"channel": "email", "target": "nobody"}, "Enter a valid email address."),
        ({"channel": "apprise", "target": "json://127.0.0.1/"}, "“json” is no messenger that notices go to."),
        ({"channel": "pigeon"}, "Select a valid choice."),
        ({"from_hour": "8"}, "Choose both hours or none."),
        ({"to_hour": "8"}, "Choose both hours or none."),
        ({"from_hour": "8", "to_hour": "8"}, "The hours begin and end at the same time."),
        ({"from_hour": "24", "to_hour": "8"}, "Select a valid choice."),
        ({"least_severity": "6"}, "Select a valid choice."),
        ({"transitions": ["exploded"]}, "Select a valid choice."),
        ({"machines": ["999"]}, "Select a valid choice."),
        ({"target": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_may_not_be_is_refused_at_its_field_and_nothing_is_stored(english, fields, says):
    answer = add(english, **fields)
    assert answer.status_code == 400
    assert says in told(answer)
    assert not Subscription.objects.exists()


def test_the_refusal_is_korean_for_koreans(english):
    english.defaults["HTTP_ACCEPT_LANGUAGE"] = "ko"
    answer = add(english, channel="webhook", target="https://127.0.0.1/")
    assert "공개 주소가 아닙니다: 127.0.0.1." in told(answer)


def test_every_language_of_the_site_can_be_chosen(english, settings):
    shown = english.get("/diagnosis/notices/add/").text
    for code, _name in settings.LANGUAGES:
        assert f'<option value="{code}"' in shown


def test_mail_needs_an_address_of_the_account_where_none_is_given(english, kim):
    kim.email = ""
    kim.save()
    answer = add(english, target="")
    assert (answer.status_code, Subscription.objects.count()) == (400, 0)
    assert "Your account has none." in told(answer)
    kim.email = "kim@example.org"
    kim.save()
    assert add(english, target="").status_code == 302
    assert "kim@example.org" in told(english.get("/diagnosis/notices/"))


def test_there_may_be_so_many_and_no_more(english, kim):
    for _number in range(MOST_SUBSCRIPTIONS):
        subscription(kim)
    answer = add(english)
    assert answer.status_code == 400
    assert f"You have {MOST_SUBSCRIPTIONS} subscriptions" in told(answer)
    first = Subscription.objects.earliest("pk")
    assert english.post(f"/diagnosis/notices/{first.pk}/", FORM).status_code == 302


def test_nobody_sees_or_touches_what_is_anothers(english, settings):
    other = subscription(person("lee"), channel="webhook", target="https://example.org/token")
    tell([Event(Transition.SILENT, machine().pk, None, timezone.now())], timezone.now())
    assert "example.org" not in told(english.get("/diagnosis/notices/"))
    assert "g1" not in told(english.get("/diagnosis/notices/"))
    address = f"/diagnosis/notices/{other.pk}/"
    assert english.get(address).status_code == 404
    assert english.post(address, FORM).status_code == 404
    for action in ("delete/", "test/"):
        assert english.post(address + action).status_code == 404
    other.refresh_from_db()
    assert other.target == "https://example.org/token"


def test_who_may_not_see_episodes_may_not_subscribe(client):
    client.force_login(get_user_model().objects.create_user("stranger"))
    for address in ("/diagnosis/notices/", "/diagnosis/notices/add/"):
        assert client.get(address).status_code == 403
    assert client.post("/diagnosis/notices/add/", FORM).status_code == 403


def test_what_changes_something_is_posted(english, kim):
    it = subscription(kim)
    for action in ("delete", "test"):
        assert english.get(f"/diagnosis/notices/{it.pk}/{action}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(kim)
    assert strict.post(f"/diagnosis/notices/{it.pk}/delete/").status_code == 403
    assert Subscription.objects.exists()


def test_the_secret_is_shown_to_its_owner_where_a_webhook_needs_it(english, kim):
    hook = subscription(kim, channel="webhook", target="https://example.org/secret-path")
    mail = subscription(kim)
    assert hook.secret in english.get(f"/diagnosis/notices/{hook.pk}/").text
    assert mail.secret not in english.get(f"/diagnosis/notices/{mail.pk}/").text
    listed = english.get("/diagnosis/notices/").text
    assert hook.secret not in listed
    assert "secret-path" not in listed
    assert "https://example.org/•••" in listed


def test_a_test_is_sent_at_once_and_what_happened_is_said(english, kim, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with web_server() as web:
        it = subscription(kim, channel="webhook", target=f"http://127.0.0.1:{web.port}/")
        shown = told(english.post(f"/diagnosis/notices/{it.pk}/test/", follow=True))
        assert "The test was sent to http://127.0.0.1/•••." in shown
        assert len(web.received) == 1
        web.status = 500
        shown = told(english.post(f"/diagnosis/notices/{it.pk}/test/", follow=True))
        assert "The test was not sent: 127.0.0.1 answered with HTTP status 500." in shown


def test_a_test_by_mail_is_sent_in_the_language_of_the_subscription(english, kim, settings):
    it = subscription(kim, language="ko")
    with mail_server(settings) as mail:
        english.post(f"/diagnosis/notices/{it.pk}/test/")
    assert mail.received[0]["Subject"] == "시험 통지"


def test_tests_are_limited(english, kim, settings):
    settings.MAIL_IS_CONFIGURED = False
    it = subscription(kim)
    for _number in range(TESTS):
        assert "No mail server" in told(english.post(f"/diagnosis/notices/{it.pk}/test/", follow=True))
    assert "too many tests" in told(english.post(f"/diagnosis/notices/{it.pk}/test/", follow=True))


def test_names_of_hosts_are_not_looked_up_without_end(english, monkeypatch):
    monkeypatch.setattr("diagnosis.pages.subscription_form.NAMES", 2)
    for number in range(2):
        answer = add(english, channel="webhook", target=f"https://127.0.0.{number}/")
        assert "is not a public address" in told(answer)
    answer = add(english, channel="webhook", target="https://127.0.0.1/")
    assert answer.status_code == 400 and "You have tried too many addresses. Wait an hour." in told(answer)
    assert add(english).status_code == 302  # mail needs no name


def test_what_was_sent_waits_or_was_given_up_is_listed(english, kim):
    subscription(kim)
    for number, fields in enumerate(
        [
            {"sent_at": timezone.now()},
            {"given_up_at": timezone.now(), "error": "The mail server refused it: 550 no"},
            {"tries": 1, "error": "The mail server can't be reached: timed out"},
            {},
        ]
    ):
        it = episode(machine(f"g{number}"))
        tell([Event(Transition.OPENED, it.machine_id, it, it.opened_at)], timezone.now())
        Notice.objects.filter(machine=it.machine).update(**fields)
    shown = told(english.get("/diagnosis/notices/"))
    for text in ("sent at", "given up The mail server refused it: 550 no", "tried again at", "timed out", "waits"):
        assert text in shown


def test_it_is_said_when_no_mail_server_is_named_and_somebody_wants_mail(english, kim, settings):
    settings.MAIL_IS_CONFIGURED = False
    assert "DJANGO_EMAIL_URL" not in told(english.get("/diagnosis/notices/"))
    subscription(kim)
    assert "No mail server is configured, so notices by e-mail wait." in told(english.get("/diagnosis/notices/"))
    settings.MAIL_IS_CONFIGURED = True
    assert "DJANGO_EMAIL_URL" not in told(english.get("/diagnosis/notices/"))


def test_it_is_said_when_no_worker_runs(english):
    assert "the worker has never run" in told(english.get("/diagnosis/notices/"))
    look(timezone.now() - timedelta(minutes=10))
    assert "the worker was last seen at" in told(english.get("/diagnosis/notices/"))
    look(timezone.now())
    assert "worker" not in told(english.get("/diagnosis/notices/"))


def test_the_page_costs_as_many_queries_however_much_there_is(english, kim, django_assert_max_num_queries):
    machines = [machine(f"g{number}") for number in range(10)]
    for _number in range(10):
        subscription(kim, *machines)
    for it in machines:
        tell([Event(Transition.SILENT, it.pk, None, timezone.now())], timezone.now())
    with django_assert_max_num_queries(12):
        assert english.get("/diagnosis/notices/").status_code == 200


# --- Who else sees something of it


def test_the_trail_notes_changes_without_secrets(english, kim):
    add(english, channel="webhook", target="https://8.8.8.8/my-token", machines=[machine().pk])
    it = Subscription.objects.get()
    english.post(f"/diagnosis/notices/{it.pk}/", FORM | {"channel": "webhook", "target": "https://8.8.8.8/other-token"})
    english.post(f"/diagnosis/notices/{it.pk}/delete/")
    noted = LogEntry.objects.filter(content_type__model="subscription").order_by("pk")
    assert [entry.action for entry in noted] == [0, 1, 1, 1, 2]  # made, machines, changed, machines, deleted
    assert {entry.actor for entry in noted} == {kim}
    everything = str([(entry.changes, entry.additional_data, entry.object_repr) for entry in noted])
    assert "token" not in everything
    assert it.secret not in everything
    assert "target" in noted[2].changes


def test_the_administration_shows_no_secrets_and_changes_nothing(client):
    client.force_login(get_user_model().objects.create_superuser("admin"))
    it = subscription(channel="webhook", target="https://example.org/my-token")
    tell([Event(Transition.SILENT, machine().pk, None, timezone.now())], timezone.now())
    for address in (
        "/admin/diagnosis/subscription/",
        f"/admin/diagnosis/subscription/{it.pk}/change/",
        "/admin/diagnosis/notice/",
        f"/admin/diagnosis/notice/{Notice.objects.get().pk}/change/",
    ):
        page = client.get(address)
        assert page.status_code == 200, address
        assert "my-token" not in page.text
        assert it.secret not in page.text
    assert "https://example.org/•••" in client.get("/admin/diagnosis/subscription/").text
    assert client.post(f"/admin/diagnosis/subscription/{it.pk}/change/", {"is_active": ""}).status_code == 403
    assert client.get("/admin/diagnosis/subscription/add/").status_code == 403


def test_a_user_and_a_machine_with_notices_can_be_deleted(client, roles):
    administrator = get_user_model().objects.create_user("chief", is_staff=True)
    administrator.groups.add(roles["administrator"])
    client.force_login(administrator)
    it = subscription()
    tell([Event(Transition.SILENT, machine().pk, None, timezone.now())], timezone.now())
    for address in (f"/admin/machines/machine/{machine().pk}/delete/", f"/admin/auth/user/{it.user.pk}/delete/"):
        assert client.post(address, {"post": "yes"}).status_code == 302, address
    assert not Subscription.objects.exists()
    assert not Notice.objects.exists()
