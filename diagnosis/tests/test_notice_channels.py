"""Where webhooks and messengers may go, and what they carry."""

import hashlib
import hmac
import json
import socket
import ssl
import sys
import threading
import time
from ipaddress import ip_address, ip_network

import pytest
import trustme
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from diagnosis.models import Notice
from diagnosis.models.notices import Transition
from diagnosis.notices import messengers, reachable, webhooks
from diagnosis.notices.messages import NotSent, message_of, trial_message
from diagnosis.notices.outbox import Event, tell
from diagnosis.tests.notices_world import episode, subscription
from diagnosis.tests.receivers import web_server

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def listed(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK


@pytest.fixture
def web(listed):
    with web_server() as server:
        yield server


def hook(address: str):
    return subscription(channel="webhook", target=address)


def trial(of):
    return trial_message(of, timezone.now())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104  to be refused
        "255.255.255.255", "240.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(address):
    assert not reachable.is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses_are_not(address):
    assert reachable.is_public(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_a_network_that_is_listed_is_let_through_in_each_way_to_write_it(listed, address):
    assert reachable.is_listed(ip_address(address))
    assert not reachable.is_listed(ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("https://127.0.0.1/x", "not a public address"),
        ("https://[::1]/x", "not a public address"),
        ("https://[::ffff:10.0.0.1]:8443/x", "not a public address"),
        ("https://localhost/x", "not a public address"),
        ("https://2130706433/", "not a public address"),
        ("https://0x7f.1/", "not a public address"),
        ("http://8.8.8.8/x", "http:// is for networks"),
        ("https://nowhere.invalid/x", "There is no address of nowhere.invalid"),
        ("https://kim:secret@8.8.8.8/", "Leave user, password"),
        ("https://8.8.8.8/#x", "Leave user, password"),
        ("ftp://8.8.8.8/", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://8.8.8.8:99999/", "begins with https://"),
        ("https://8.8.8.8/a b", "begins with https://"),
        ("https://8.8.8.8/a\nHost: x", "begins with https://"),
        ("8.8.8.8", "begins with https://"),
    ],
)
def test_what_may_not_be_called_is_refused_with_a_reason(target, says):
    with pytest.raises(ValidationError, match=says):
        webhooks.check(target)


def test_what_may_be_called_is_not_refused(listed):
    webhooks.check("https://8.8.8.8/x?y=1")
    webhooks.check("http://127.0.0.1:8000")


@pytest.mark.django_db
def test_a_post_is_signed_and_carries_its_key_and_all_that_a_program_needs(web, settings):
    it = episode(severity=4)
    of = hook(f"http://127.0.0.1:{web.port}/alarms?plant=1")
    tell([Event(Transition.OPENED, it.machine_id, it, it.opened_at)], timezone.now())
    notice = Notice.objects.get()
    webhooks.send(of, message_of(notice))
    [(path, headers, body)] = web.received
    assert path == "/alarms?plant=1"
    said = json.loads(body)
    assert said["key"] == headers["X-HIMMES-Notice"] == notice.key
    assert (said["transition"], said["machine"], said["url"]) == ("opened", "g1", "")
    assert said["at"] == timezone.localtime(it.opened_at).isoformat()
    assert said["episode"] == {
        "id": it.pk,
        "fault_type": 1,
        "state": it.state.key,
        "severity": 4,
        "models": ["cnn-v3"],
        "opened_at": timezone.localtime(it.opened_at).isoformat(),
        "ended_at": None,
    }
    timestamp, code = (part.partition("=")[2] for part in headers["X-HIMMES-Signature"].split(","))
    assert hmac.new(of.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest() == code
    assert abs(int(timestamp) - time.time()) < 600
    assert headers["Host"] == f"127.0.0.1:{web.port}"


@pytest.mark.django_db
@pytest.mark.parametrize("status", [302, 307, 400, 404, 500])
def test_whatever_is_not_a_success_is_none_and_redirects_are_not_followed(web, status):
    web.status = status
    of = hook(f"http://127.0.0.1:{web.port}/")
    with pytest.raises(NotSent, match=f"HTTP status {status}"):
        webhooks.send(of, trial(of))
    assert [path for path, *_rest in web.received] == ["/"]


@pytest.mark.django_db
def test_the_address_that_was_judged_is_the_one_that_is_connected_to(web, monkeypatch, settings):
    """A name that is a public address when it is looked at, and the server itself when it is connected to."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    asked = []

    def resolve(host, port, **kwargs):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (it, port)) for it in answers[min(len(asked), 2) - 1]]

    monkeypatch.setattr(reachable.socket, "getaddrinfo", resolve)
    of = hook(f"https://rebinding.example:{web.port}/")
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    webhooks.check(of.target)
    with pytest.raises(NotSent, match="not a public address"):
        webhooks.send(of, trial(of))
    assert set(asked) == {"rebinding.example"}
    assert not web.received


@pytest.fixture
def tls(listed, monkeypatch):
    """A server for hook.example on the loopback, of an authority that the machine trusts."""
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    monkeypatch.setattr(webhooks.ssl, "create_default_context", lambda: trusting)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hook.example").configure_cert(context)
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        return real("127.0.0.1" if host.endswith(".example") else host, port, *args, **kwargs)

    monkeypatch.setattr(reachable.socket, "getaddrinfo", resolve)
    with web_server(context) as server:
        yield server


@pytest.mark.django_db
def test_tls_is_checked_against_the_name_though_an_address_is_connected_to(tls):
    of = hook(f"https://hook.example:{tls.port}/alarms")
    webhooks.send(of, trial(of))
    assert [path for path, *_rest in tls.received] == ["/alarms"]
    of.target = f"https://other.example:{tls.port}/alarms"
    with pytest.raises(NotSent, match="certificate"):
        webhooks.send(of, trial(of))
    assert len(tls.received) == 1


@pytest.mark.django_db
def test_an_answer_that_never_ends_is_cut_off(listed, monkeypatch):
    """Byte by byte, so that no time-out of a socket ever comes."""
    monkeypatch.setattr(webhooks, "WHOLE_S", 0.5)
    stopped = threading.Event()

    def drip(server):
        connected, _address = server.accept()
        with connected:
            while not stopped.wait(0.02):
                try:
                    connected.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=[server], daemon=True)
        thread.start()
        of = hook(f"http://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(NotSent):
            webhooks.send(of, trial(of))
        stopped.set()
        thread.join()


@pytest.mark.django_db
def test_a_receiver_that_is_away_is_said_so(listed):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    of = hook(f"http://127.0.0.1:{port}/")
    with pytest.raises(NotSent, match=r"127.0.0.1 does not answer: .*refused"):
        webhooks.send(of, trial(of))


# --- Messengers

TELEGRAM = "tgram://123456789:AAabcdefghijklmnopqrstuvwxyz0123456/12345"


@pytest.mark.parametrize(
    "target",
    [
        TELEGRAM,
        TELEGRAM + "?silent=yes&topic=3",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "kakaotalk://abcdef0123456789/refresh-token",
        "workflows://prod-1.westus.logic.azure.com:443/643e69f83c8944/signature-12345678901234567890",
    ],
)
def test_messengers_with_fixed_hosts_are_offered(target):
    messengers.check(target)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("json://127.0.0.1/", "no messenger that notices go to. Known: .*KakaoTalk"),
        ("xml://127.0.0.1/", "no messenger"),
        ("syslog://", "no messenger"),
        ("dbus://", "no messenger"),
        ("windows://", "no messenger"),
        ("mailto://a:b@127.0.0.1", "no messenger"),
        ("https://hooks.slack.com/services/a/b/c", "no messenger"),
        ("gotify://127.0.0.1/token", "no messenger"),
        ("", "no messenger"),
        (TELEGRAM + "?template=/etc/passwd", "Leave “template=/etc/passwd” out"),
        (TELEGRAM + "?verify=no", "Leave “verify=no” out"),
        (TELEGRAM + "?%74emplate=/etc/passwd", "out of the address"),
        (TELEGRAM + "?to=1;template=/etc/passwd", "out of the address"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general?template=/etc/passwd", "out of the address"),
        ("tgram://nothing", "no complete address for Telegram"),
        ("workflows://127.0.0.1/643e69f83c8944/signature-12345678901234567890", "Microsoft Teams"),
        ("workflows://x.logic.azure.com:22/643e69f83c8944/signature-12345678901234567890", "Microsoft Teams"),
        ("workflows://logic.azure.com.example.org/643e69f83c8944/signature-12345678901234567890", "Microsoft Teams"),
    ],
)
def test_what_could_lead_elsewhere_is_refused_with_a_reason(target, says):
    with pytest.raises(ValidationError, match=says):
        messengers.check(target)


@pytest.mark.django_db
def test_a_messenger_is_told_and_what_it_says_is_passed_on(web, monkeypatch):
    from apprise.plugins.telegram import NotifyTelegram

    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{web.port}/bot")
    monkeypatch.setattr(NotifyTelegram, "request_rate_per_sec", 0)
    web.status = 200
    of = subscription(channel="apprise", target=TELEGRAM)
    messengers.send(of, trial(of))
    [(path, _headers, body)] = web.received
    assert path == "/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/sendMessage"
    assert b"Test notice" in body
    web.status = 403
    with pytest.raises(NotSent, match=r"Telegram did not take it: .*403") as caught:
        messengers.send(of, trial(of))
    assert "AAabc" not in str(caught.value)


def test_without_the_package_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ValidationError, match=r"scripts/setup.sh notices"):
        messengers.check(TELEGRAM)
