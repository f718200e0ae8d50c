"""The database goes away, is locked, full or read only: what callers of the API and people in front of pages get."""

import logging
import re
import socket
import time
from contextlib import closing, contextmanager, suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, OperationalError, connection
from django.test import Client

from common.database.errors import Trouble, trouble_of
from diagnosis.models import VibrationDiagnosis
from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, make_program, samples
from machines.models import Machine
from vibration.models import VibrationData
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db(transaction=True)
on_mysql = pytest.mark.skipif(connection.vendor != "mysql", reason="of MariaDB and MySQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")

WINDOW = {"machine_name": "g1", "sensor_no": "sensor1"}
READS = [
    ("machines", {}),
    ("machines/1", {}),
    ("sensors", {}),
    ("recordings", {}),
    ("vibration-data", {}),
    ("vibration-data", {"format": "csv"}),
    ("vibration-data/grouped-range", {}),
    ("vibration-data/spectrum", WINDOW),
    ("vibration-data/waveform", WINDOW),
    ("vibration-diagnosis", {}),
    ("vibration-diagnosis/grouped-recent", {}),
    ("vibration-diagnosis/latest", {}),
    ("vibration-diagnosis/timeline", {}),
    ("schema", {}),
]
WRITES = [
    ("POST", "vibration-data", SAMPLE),
    ("POST", "vibration-data/bulk", [SAMPLE]),
    ("POST", "vibration-diagnosis", DIAGNOSIS),
    ("POST", "vibration-diagnosis/bulk", [DIAGNOSIS]),
    ("POST", "machines", {"name": "g9"}),
    ("PATCH", "machines/1", {"title": "pump"}),
    ("DELETE", "machines/1", {}),
]
PAGES = [
    "/",
    "/?kiosk=1",
    "/machines/g1/",
    "/diagnosis/",
    "/diagnosis/timeline/",
    "/vibration/",
    "/vibration/table/",
    "/admin/",
    "/admin/vibration/recording/",
]


def open_options(**changed):
    """Connections from now on are opened with these."""
    connection.settings_dict["OPTIONS"].update(changed)
    connection.close()


@contextmanager
def changed_settings(**changed):
    before = {name: connection.settings_dict[name] for name in changed}
    connection.settings_dict.update(changed)
    connection.close()
    try:
        yield
    finally:
        connection.settings_dict.update(before)
        connection.close()


@contextmanager
def database_away():
    """Nobody can connect any more, and who was connected is not."""
    with changed_settings(**({"NAME": "/nowhere/at.all"} if connection.vendor == "sqlite" else {"PORT": 9})):
        if connection.vendor == "mysql":
            kill_all_connections()
        yield


def kill_all_connections():
    """Of all threads, as a server does that ends. On SQLite, a connection ends with its request."""
    connection.settings_dict["PORT"], given = kill_all_connections.port, connection.settings_dict["PORT"]
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            with suppress(OperationalError):  # it may have ended by itself
                cursor.execute("KILL %s", [number])
    connection.settings_dict["PORT"] = given


kill_all_connections.port = connection.settings_dict.get("PORT")


def assert_problem(answer, *, words: str = ""):
    assert answer.status_code == 503, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    body = answer.json()
    assert (body["status"], body["title"], body["errors"]) == (503, "Service Unavailable", [])
    assert words in body["detail"], body["detail"]


@pytest.fixture
def administrator(roles):
    program = make_program(roles, "administrator")
    program.client.raise_request_exception = False
    return program


@pytest.fixture
def browser(roles):
    """A superuser's, who may open everything."""
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_superuser("boss"))
    make_recording(10)
    return client


@pytest.mark.parametrize(("path", "query"), READS)
def test_each_read_of_the_api_says_that_the_database_is_away(administrator, path, query):
    with database_away():
        assert_problem(administrator.get(path, query), words="The database does not answer. Try again.")


@pytest.mark.parametrize(("method", "path", "data"), WRITES)
def test_each_write_of_the_api_says_that_nothing_was_stored(administrator, method, path, data):
    with database_away():
        answer = administrator(method, path, data)
        assert_problem(answer, words="The database does not answer. Nothing was stored. Send it again.")


def test_a_login_in_the_browser_meets_the_same_answers_of_the_api(browser):
    with database_away():
        assert_problem(browser.get("/api/machines"))
        assert_problem(browser.post("/api/machines", {"name": "g9"}, content_type="application/json"))


def test_it_is_logged_in_one_line_without_a_traceback(administrator, browser, caplog):
    with database_away():
        for ask in (
            lambda: administrator.get("machines"),
            lambda: browser.get("/"),
            lambda: browser.get("/api/machines"),
        ):
            caplog.clear()
            assert ask().status_code == 503
            [record] = [it for it in caplog.records if it.levelno >= logging.WARNING]
            assert record.levelname == "WARNING"
            assert not record.exc_info
            assert record.getMessage().startswith("Answered 503 to GET /")
            assert administrator.token not in record.getMessage()


def test_when_the_database_is_back_the_same_requests_work(administrator, browser):
    rows = samples(3, sensor_no="sensor2")
    with database_away():
        assert administrator.post("vibration-data/bulk", rows).status_code == 503
        assert browser.get("/").status_code == 503
    assert administrator.post("vibration-data/bulk", rows).json()["inserted"] == 3
    assert browser.get("/").status_code == 200


@on_mysql
def test_a_connection_that_is_killed_within_a_post_leaves_nothing_and_says_so(administrator, monkeypatch):
    from vibration.storage import posting

    def write_and_lose(*args, **kwargs):
        classes = posting_write(*args, **kwargs)
        kill_all_connections()
        return classes

    posting_write = posting.write_samples
    monkeypatch.setattr(posting, "write_samples", write_and_lose)
    # The connection breaks before COMMIT is sent, but nobody notices until it is.
    assert_problem(
        administrator.post("vibration-data/bulk", samples(3)), words="It is not known whether this was stored"
    )
    monkeypatch.undo()
    connection.close()
    assert not VibrationData.objects.exists()
    assert administrator.post("vibration-data/bulk", samples(3)).json()["inserted"] == 3


@pytest.mark.parametrize(
    ("path", "data", "model"),
    [("vibration-data/bulk", samples(3), VibrationData), ("vibration-diagnosis/bulk", [DIAGNOSIS], VibrationDiagnosis)],
)
def test_when_the_answer_to_the_commit_is_lost_the_caller_is_told_so(administrator, monkeypatch, path, data, model):
    from django.db.backends.base.base import BaseDatabaseWrapper

    administrator.post("machines", {"name": "g1"})
    commit = BaseDatabaseWrapper._commit

    def lose_the_answer(self):
        commit(self)
        raise OperationalError(2013, "Lost connection to server during query")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", lose_the_answer)
    answer = administrator.post(path, data)
    monkeypatch.undo()
    assert_problem(answer, words="It is not known whether this was stored. Send it again: what is stored counts as")
    connection.close()
    assert model.objects.count() == len(data)
    assert administrator.post(path, data).json()["identical"] == len(data)


def test_an_upload_does_not_say_that_nothing_was_stored(administrator, monkeypatch):
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    def fail(*args, **kwargs):
        raise OperationalError(1205, "Lock wait timeout exceeded")

    monkeypatch.setattr("vibration.files.storing.write_samples", fail)
    monkeypatch.setattr("common.database.transactions.AGAIN_WITHIN_S", -1)
    body = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile("g1_sensor1.csv", b"0,1,2,3,4\n")})
    answer = administrator.post("vibration-data/csv", body, content_type=MULTIPART_CONTENT)
    assert_problem(answer, words="The database is busy with other writes. It is not known whether")


# --- SQLite


@pytest.fixture
def sqlite_options():
    before = dict(connection.settings_dict["OPTIONS"])
    yield
    connection.settings_dict["OPTIONS"].clear()
    open_options(**before)


@on_sqlite
def test_a_locked_database_is_busy(administrator, sqlite_options):
    open_options(timeout=0.1)
    other = connection.copy()
    with closing(other):
        other.cursor().execute("BEGIN EXCLUSIVE")
        answer = administrator.post("vibration-data/bulk", samples(3))
        assert_problem(answer, words="The database is busy with other writes.")
        other.cursor().execute("ROLLBACK")
    assert administrator.post("vibration-data/bulk", samples(3)).json()["inserted"] == 3


@on_sqlite
def test_a_full_disk_is_said_and_leaves_nothing_by_halves(administrator, sqlite_options):
    administrator.get("machines")  # notes the use of the token
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # or pages that earlier tests have freed would do
        [pages] = cursor.execute("PRAGMA page_count").fetchone()
    command = connection.settings_dict["OPTIONS"]["init_command"]
    open_options(init_command=f"{command} PRAGMA max_page_count={pages + 20};")
    answer = administrator.post("vibration-data/bulk", samples(9_000))
    assert_problem(answer, words="The disk of the database is full. Nothing was stored.")
    assert answer.headers["Retry-After"] == "30"
    assert not VibrationData.objects.exists()
    open_options(init_command=command)
    assert administrator.post("vibration-data/bulk", samples(9_000)).json()["inserted"] == 9_000


@on_sqlite
def test_a_database_that_is_read_only_takes_no_posts_but_is_read(administrator, sqlite_options):
    administrator.get("machines")
    command = connection.settings_dict["OPTIONS"]["init_command"]
    open_options(init_command=f"{command} PRAGMA query_only=1;")
    answer = administrator.post("vibration-data/bulk", samples(3))
    assert_problem(answer, words="The database takes no writes right now. Nothing was stored.")
    assert administrator.get("machines").status_code == 200


# --- Pages


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("language", "title"), [("ko", "지금은 이용할 수 없음"), ("en", "Not available right now")])
def test_each_page_says_that_the_database_is_away(browser, path, language, title):
    with database_away():
        answer = browser.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    assert "no-store" in answer.headers["Cache-Control"]
    assert f"<title>{title} – HIM-MES</title>" in answer.text
    assert f'data-address="{path}"' in answer.text
    assert "Traceback" not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style| style=", answer.text)


def test_who_is_not_logged_in_meets_it_at_the_login(roles):
    get_user_model().objects.create_user("operator", password="correct horse")
    client = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
    with database_away():
        answer = client.post("/login/", {"username": "operator", "password": "correct horse"})
    assert answer.status_code == 503
    assert "It is not known whether what you just sent was stored." in answer.text  # nobody has marked it
    assert "unavailable.js" not in answer.text  # asking again would not send it again


def test_a_session_that_cannot_be_saved_is_no_bad_request(browser, monkeypatch, settings):
    """Django takes it for one that somebody deleted meanwhile."""
    settings.SESSION_SAVE_EVERY_REQUEST = True

    def fail(self, must_create=False):
        try:
            raise OperationalError(2006, "Server has gone away")
        except OperationalError:
            raise UpdateError from None

    monkeypatch.setattr(SessionStore, "save", fail)
    assert browser.get("/").status_code == 503


def test_an_error_of_the_driver_itself_is_answered_like_that_of_django(browser, administrator, monkeypatch):
    """Django lets those through that come up when a cursor is closed."""
    number = 2006 if connection.vendor == "mysql" else "unable to open database file"

    def fail(*args, **kwargs):
        raise connection.Database.OperationalError(number, "")

    monkeypatch.setattr("diagnosis.pages.live.current_version", fail)
    monkeypatch.setattr("himmes.accounts.authentication.find_token", fail)
    assert browser.get("/").status_code == 503
    assert_problem(administrator.get("machines"), words="The database does not answer.")
    monkeypatch.setattr(SessionStore, "load", fail)
    assert browser.get("/").status_code == 503


@pytest.mark.parametrize("error", [IntegrityError(1062, "Duplicate entry"), ValueError("x")])
def test_other_faults_stay_faults(browser, monkeypatch, error):
    def fail(request):
        raise error

    monkeypatch.setattr("diagnosis.pages.views.current_version", fail, raising=False)
    monkeypatch.setattr("diagnosis.pages.live.current_version", lambda: fail(None))
    answer = browser.get("/", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    assert "Server error" in answer.text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_that_was_not_there_comes_by_itself(new_page, user, watch, scheme):
    watch.expect_status(503)
    page = new_page(login=user, color_scheme=scheme, viewport={"width": 390, "height": 844})
    with database_away():
        page.goto("/vibration/table/")
        assert Axe().run(page).response["violations"] == []
        assert page.title() == "Not available right now – HIM-MES"
        assert page.get_by_role("alert").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.wait_for_selector("nav")
    assert page.title() == "Samples – HIM-MES"
    assert page.url.endswith("/vibration/table/")


@pytest.mark.browser
def test_an_open_overview_says_so_and_goes_on_by_itself(new_page, user, watch):
    watch.expect("response 503 ", "status of 503 ", "Status Error Code 503 from /")
    Machine.objects.create(name="g1")
    page = new_page(login=user)
    page.goto("/")
    page.wait_for_selector("[data-live]")
    with database_away():
        page.wait_for_selector("#away:not([hidden])")
    page.wait_for_selector("#away", state="hidden")


@pytest.mark.browser
def test_the_charts_say_so_and_draw_by_themselves_when_it_is_back(new_page, user, watch):
    watch.expect_status(503)
    make_recording(100)
    page = new_page(login=user)
    page.goto("/vibration/?machine=g1&sensor=sensor1&recording=default")
    page.wait_for_selector("#waveform[aria-busy=false]")
    with database_away():
        page.evaluate(
            "history.pushState(null, '', location.search + '&start=0.01'); dispatchEvent(new Event('popstate'))"
        )
        page.wait_for_selector("#waveform [role=alert]:not([hidden])")
        assert "This page keeps trying" in page.inner_text("#waveform [role=alert]")
    page.wait_for_selector("#waveform [role=alert]", state="hidden")
    page.wait_for_selector("#waveform:not([data-stale])")


# --- A server that hangs


@pytest.fixture
def silent_port():
    """Of a server that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@on_mysql
def test_a_server_that_hangs_is_not_waited_for_without_end(administrator, silent_port):
    options = connection.settings_dict["OPTIONS"] | {"connect_timeout": 1}
    began = time.monotonic()
    with changed_settings(PORT=silent_port, OPTIONS=options):
        assert_problem(administrator.get("machines"), words="The database does not answer.")
    assert time.monotonic() - began < 30


@on_mysql
def test_a_statement_that_never_ends_is_not_waited_for_without_end():
    with changed_settings(OPTIONS=connection.settings_dict["OPTIONS"] | {"read_timeout": 1}):
        began = time.monotonic()
        with pytest.raises(OperationalError) as found, connection.cursor() as cursor:
            cursor.execute("SELECT SLEEP(60)")
        assert time.monotonic() - began < 30
    assert trouble_of(found.value) is Trouble.AWAY


@on_mysql
def test_connections_are_opened_with_bounds():
    options = connection.settings_dict["OPTIONS"]
    assert {name: options[name] for name in ("connect_timeout", "read_timeout", "write_timeout")} == {
        "connect_timeout": 5,
        "read_timeout": 300,
        "write_timeout": 300,
    }
