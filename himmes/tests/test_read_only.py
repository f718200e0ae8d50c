"""A database that takes no writes: what only reads goes on, whatever is otherwise written beside it."""

import json
import time
from contextlib import contextmanager

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from common.database import bookkeeping
from common.database.bookkeeping import refused
from diagnosis.tests.world import post
from himmes.accounts.authentication import LAST_USED_STEP
from himmes.accounts.models import ApiToken
from himmes.api.tests.api_world import SAMPLE, make_program, samples
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db(transaction=True)

WINDOW = {"machine_name": "g1", "sensor_no": "sensor1"}
READS = [
    ("machines", {}),
    ("sensors", {}),
    ("recordings", {}),
    ("vibration-data", {}),
    ("vibration-data/spectrum", WINDOW),
    ("vibration-data/waveform", WINDOW),
    ("vibration-diagnosis", {}),
    ("vibration-diagnosis/latest", {}),
    ("vibration-diagnosis/timeline", {}),
    ("schema", {}),
]
PAGES = [
    "/",
    "/?kiosk=1",
    "/machines/g1/",
    "/diagnosis/",
    "/diagnosis/timeline/",
    "/vibration/",
    "/vibration/table/",
    "/password/",
    "/admin/",
    "/admin/vibration/recording/",
]
CSV = ["/diagnosis/", "/vibration/table/", "/api/vibration-data", "/api/vibration-diagnosis"]


def refused_writes() -> str:
    if connection.vendor == "sqlite":
        return "; PRAGMA query_only=1"
    # MySQL has dropped the name that MariaDB 10.11 knows alone.
    return f", {'tx_read_only' if connection.mysql_is_mariadb else 'transaction_read_only'}=1"


@contextmanager
def read_only():
    """Connections are opened so that each write is refused, as a server does of which somebody has made a replica."""
    options = connection.settings_dict["OPTIONS"]
    before = options["init_command"]
    options["init_command"] = before.rstrip("; ") + refused_writes()
    connection.close()
    try:
        yield
    finally:
        options["init_command"] = before
        connection.close()


@pytest.fixture(params=["locmem", "database"])
def caches(request, settings):
    """The cache of each process by itself, and that in the database."""
    if request.param == "locmem":
        yield
        return
    settings.CACHES = {"default": {"BACKEND": "himmes.caching.DatabaseCache", "LOCATION": "api_calls"}}
    call_command("createcachetable")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE api_calls")


@pytest.fixture
def data():
    make_recording(100)
    post("g1", (5, 2))


@pytest.fixture
def program(roles, data):
    return make_program(roles, "administrator")


@pytest.fixture
def browser(roles, data):
    client = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
    client.force_login(get_user_model().objects.create_superuser("boss"))
    return client


def long_ago() -> None:
    """Tokens were used and logins renewed so long ago that it is to be written down anew; what is kept has expired."""
    ApiToken.objects.update(last_used=timezone.now() - 2 * LAST_USED_STEP)
    for row in Session.objects.all():
        session = Session.get_session_store_class()(row.session_key)
        session["renewed"] -= 7 * 3600
        session.save()
    if "DatabaseCache" in type(cache._connections["default"]).__name__:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE api_calls SET expires = %s", ["2026-01-01 00:00:00"])


def test_each_read_of_the_api_is_answered_however_long_it_lasts(program, caches):
    for path, query in READS:
        assert program.get(path, query).status_code == 200, path
    long_ago()
    with read_only():
        for _time in range(2):
            for path, query in READS:
                answer = program.get(path, query)
                assert answer.status_code == 200, (path, answer.content)


def test_each_page_is_opened_by_whoever_is_logged_in(browser, caches):
    for path in PAGES:
        assert browser.get(path).status_code == 200, path
    long_ago()
    with read_only():
        for _time in range(2):
            for path in PAGES:
                answer = browser.get(path)
                assert answer.status_code == 200, (path, answer.content)
            assert browser.get("/api/machines").status_code == 200


def test_metrics_are_told(program, caches):
    long_ago()
    with read_only():
        for _time in range(2):
            answer = program.client.get("/metrics", headers={"Authorization": f"Bearer {program.token}"})
            assert answer.status_code == 200
            assert b"himmes_database_up 1.0" in answer.content


def test_a_login_and_what_is_posted_need_a_database_that_writes(program, roles, caches):
    get_user_model().objects.create_user("operator", password="correct horse")
    client = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
    with read_only():
        assert client.get("/").status_code == 302
        answer = client.post("/login/", {"username": "operator", "password": "correct horse"})
        assert answer.status_code == 503
        assert "The database takes no changes right now." in answer.text
        answer = program.post("vibration-data/bulk", samples(3))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert "The database takes no writes right now. Nothing was stored." in answer.json()["detail"]
    assert client.post("/login/", {"username": "operator", "password": "correct horse"}).status_code == 302


# --- The use of a token


def test_the_use_of_a_token_is_tried_to_be_noted_once_a_minute_and_said_once(program, monkeypatch, caplog):
    program.get("machines")
    long_ago()
    before = ApiToken.objects.get().last_used
    with read_only():
        for _time in range(3):
            assert program.get("machines").status_code == 200
    assert caplog.text.count("When a token was used last can't be written; tried again after 60 s: ") == 1
    program.get("machines")
    assert ApiToken.objects.get().last_used == before
    now = time.monotonic()
    monkeypatch.setattr(bookkeeping.time, "monotonic", lambda: now + 61)
    program.get("machines")
    assert ApiToken.objects.get().last_used > before


def test_the_use_of_a_token_does_not_hide_that_the_database_is_away(program, monkeypatch):
    def fail(self, write):
        raise OperationalError(2013, "Lost connection")

    monkeypatch.setattr(bookkeeping.Notes, "written", fail)
    assert program.get("machines").status_code == 503


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OperationalError(1290, "The server is running with --read-only"), True),
        (OperationalError(1114, "The table is full"), True),
        (OperationalError(1205, "Lock wait timeout exceeded"), True),
        (OperationalError("database is locked"), True),
        (OperationalError(2013, "Lost connection"), False),
        (OperationalError("disk I/O error"), False),
        (OperationalError(1054, "Unknown column"), False),
        (ValueError("x"), False),
    ],
)
def test_only_what_keeps_a_database_from_writing_is_passed_over(error, passes):
    def fail():
        raise error

    if passes:
        assert refused(fail) is error
    else:
        with pytest.raises(type(error)):
            refused(fail)
    assert refused(lambda: "done") is None


# --- A login


def test_a_login_that_cannot_be_renewed_lasts_as_long_as_it_did_and_is_renewed_later(browser, caplog, monkeypatch):
    long_ago()
    end = Session.objects.get().expire_date
    with read_only():
        for _time in range(3):
            answer = browser.get("/diagnosis/")
            assert answer.status_code == 200
            assert "sessionid" not in answer.cookies
    assert caplog.text.count("That a login is in use can't be written; tried again after 60 s: ") == 1
    assert Session.objects.get().expire_date == end
    now = time.monotonic()
    monkeypatch.setattr(bookkeeping.time, "monotonic", lambda: now + 61)
    assert "sessionid" in browser.get("/diagnosis/").cookies
    assert Session.objects.get().expire_date > end


def test_a_login_that_ends_while_it_is_renewed_is_said_to_have_ended(browser, monkeypatch):
    long_ago()
    store = Session.get_session_store_class()
    save = store.save

    def end_and_save(self, must_create=False):
        Session.objects.all().delete()
        save(self, must_create)

    monkeypatch.setattr(store, "save", end_and_save)
    assert browser.get("/diagnosis/").status_code == 400


# --- Exports


@pytest.mark.parametrize("path", CSV)
def test_an_export_goes_on_and_the_log_says_what_the_audit_trail_cannot(browser, program, caplog, path):
    ask = {"headers": {"Authorization": f"Bearer {program.token}"}} if path.startswith("/api/") else {}
    client = Client() if ask else browser
    whole = b"".join(client.get(path, {"format": "csv"}, **ask).streaming_content)
    [told] = LogEntry.objects.filter(action=LogEntry.Action.ACCESS, additional_data__event="export")
    caplog.clear()
    with read_only():
        answer = client.get(path, {"format": "csv"}, **ask)
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == whole
    [record] = [it for it in caplog.records if it.name == "common.audit_trail"]
    assert record.levelname == "WARNING"
    said = json.loads(record.getMessage().partition("): ")[2])
    assert (
        said
        == {"what": told.object_repr, "about": told.content_type.model_class()._meta.label, "from": "127.0.0.1"}
        | told.additional_data
    )
    assert said["request"] == f"GET {path}?format=csv"
    assert said["actor"] == ("administrator-program" if ask else "boss")
    assert LogEntry.objects.filter(additional_data__event="export").count() == 1


def test_an_export_that_is_no_matter_of_the_trail_is_refused_as_ever(program, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError(2013, "Lost connection")

    monkeypatch.setattr(LogEntry, "save", fail)
    assert program.get("vibration-data", {"format": "csv"}).status_code == 503


# --- The cache


@pytest.mark.parametrize("caches", ["database"], indirect=True)
def test_the_cache_reads_and_loses_nothing_but_what_it_cannot_write(caches):
    cache.set("kept", 1, 3600)
    cache.set("over", 2, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE api_calls SET expires = %s WHERE cache_key LIKE %s", ["2026-01-01 00:00:00", "%over"])
    cache._max_entries = 1  # so that it wants to make room
    with read_only():
        assert cache.get_many(["kept", "over"]) == {"kept": 1}
        cache.set("new", 3, 3600)
        assert cache.get("new") is None
        assert not cache.delete("kept")
        assert cache.get("kept") == 1
    assert cache.delete("kept")
    assert not cache.delete("kept")


def test_one_sample_is_stored_as_soon_as_the_database_writes_again(program):
    with read_only():
        assert program.post("vibration-data", SAMPLE).status_code == 503
    assert program.post("vibration-data", SAMPLE).status_code == 201
