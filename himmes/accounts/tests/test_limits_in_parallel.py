"""Limits are exact however many try at the same time: real connections to a server with a thread for each."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier
from urllib.parse import urlencode, urlsplit

import pytest
from auditlog.models import LogEntry
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from common.limits.tally import Tally
from himmes.api.tests.api_world import make_program

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "several words of no sense"
THREADS = 20
PATIENCE_S = 120


class Visitor:
    """A browser without pages: keeps cookies, and sends the token that forms want."""

    def __init__(self, live_server, session: str | None = None):
        self.host = urlsplit(live_server.url).netloc
        self.cookies = {"sessionid": session} if session else {}
        self.token = ""

    def ask(self, method: str, path: str, fields: dict | None = None, **headers) -> tuple[int, str, dict]:
        connection = HTTPConnection(self.host, timeout=PATIENCE_S)
        headers |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            body = urlencode(fields | {"csrfmiddlewaretoken": self.token})
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            for name, value in answer.getheaders():
                if name == "Set-Cookie":
                    self.cookies.update([value.partition(";")[0].split("=", 1)])
            return answer.status, text, dict(answer.getheaders())
        finally:
            connection.close()

    def open(self, path: str) -> None:
        """A page with a form."""
        self.token = re.search(r'name="csrfmiddlewaretoken" value="(.+?)"', self.ask("GET", path)[1])[1]


def at_once(work, times: int) -> list:
    """What `work` returns, called so many times by threads that begin together."""
    start = Barrier(THREADS)

    def one_thread(number: int) -> list:
        start.wait(PATIENCE_S)
        return [work() for _time in range(number, times, THREADS)]

    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for found in pool.map(one_thread, range(THREADS)) for answer in found]


@pytest.fixture
def user(user):
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def evaluated(monkeypatch) -> list[bool]:
    """Whether each password that was looked at is the right one. It takes its time, as a real hash does."""
    looks = []
    check = User.check_password

    def slowly(self, password):
        time.sleep(0.05)
        looks.append(check(self, password))
        return looks[-1]

    monkeypatch.setattr(User, "check_password", slowly)
    return looks


def test_of_sixty_wrong_passwords_of_a_name_five_are_looked_at(live_server, user, evaluated):
    def try_one() -> int:
        visitor = Visitor(live_server)
        visitor.open("/login/")
        return visitor.ask("POST", "/login/", {"username": "operator", "password": "wrong"})[0]

    assert Counter(at_once(try_one, 60)) == {200: 4, 429: 56}
    assert evaluated == [False] * 5
    assert AccessAttempt.objects.get().failures_since_start == 5
    noted = LogEntry.objects.filter(additional_data__event="failed login")
    assert sorted(entry.additional_data["locked_out"] for entry in noted) == [False] * 4 + [True]


def test_right_passwords_at_the_same_time_are_no_failures(live_server, user, evaluated, settings):
    """Each is counted until it has proved right; so many at once stay below a limit that is not of a single name."""
    settings.LOGIN_FAILURE_LIMITS = (THREADS, 50, 100)
    settings.AXES_FAILURE_LIMIT = THREADS

    def try_one() -> int:
        visitor = Visitor(live_server)
        visitor.open("/login/")
        return visitor.ask("POST", "/login/", {"username": "operator", "password": PASSWORD})[0]

    assert Counter(at_once(try_one, 40)) == {302: 40}
    assert not AccessAttempt.objects.exists()


def test_many_names_from_one_address_are_refused_at_its_limit(live_server, user, evaluated, settings):
    settings.LOGIN_FAILURE_LIMITS = (5, 7, 100)
    names = iter([f"name{number}" for number in range(60)])

    def try_one() -> int:
        visitor = Visitor(live_server)
        visitor.open("/login/")
        return visitor.ask("POST", "/login/", {"username": next(names), "password": "wrong"})[0]

    assert Counter(at_once(try_one, 60)) == {200: 6, 429: 54}
    assert AccessAttempt.objects.count() == 7


def test_of_sixty_wrong_present_passwords_five_are_looked_at(live_server, user, evaluated):
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    opened = Visitor(live_server, session)
    opened.open("/password/")
    LogEntry.objects.all().delete()
    form = {"old_password": "wrong", "new_password1": "any other words", "new_password2": "any other words"}

    def try_one() -> tuple[int, str | None]:
        visitor = Visitor(live_server, session)
        visitor.cookies, visitor.token = {**opened.cookies}, opened.token
        status, _text, headers = visitor.ask("POST", "/password/", form)
        return status, headers.get("Location", "").partition("?")[0]

    assert Counter(at_once(try_one, 60)) == {(200, ""): 4, (302, "/login/"): 56}
    assert evaluated == [False] * 5
    assert not Session.objects.exists()
    # However many came along, the trail is not flooded.
    assert sorted(entry.additional_data["event"] for entry in LogEntry.objects.all()) == ["failed login", "logout"]


def test_of_a_hundred_wrong_tokens_of_an_address_thirty_are_told_so(live_server, roles, counted_in):
    make_program(roles, "viewer")

    def try_one() -> tuple[int, bool]:
        status, _text, headers = Visitor(live_server).ask("GET", "/api/machines", Authorization="Bearer wrong")
        return status, 1 <= int(headers.get("Retry-After", 60)) <= 60

    assert Counter(at_once(try_one, 100)) == {(401, True): 30, (429, True): 70}


def test_of_a_hundred_calls_of_a_token_as_many_are_answered_as_it_may_do(live_server, roles, counted_in, monkeypatch):
    monkeypatch.setattr("himmes.accounts.throttling.CallerThrottle.THROTTLE_RATES", {"caller": "40/hour"})
    program = make_program(roles, "viewer")

    def call() -> int:
        return Visitor(live_server).ask("GET", "/api/machines", Authorization=f"Bearer {program.token}")[0]

    assert Counter(at_once(call, 100)) == {200: 40, 429: 60}


def test_calls_are_counted_without_a_write_to_the_database_where_the_cache_is_in_memory(roles):
    make_program(roles, "viewer").get("machines")
    assert not Tally.objects.exists()
