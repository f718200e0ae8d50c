"""The log: what stands in it, and above all what must not."""

import json
import logging
import logging.config
import re
import socket
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError, connections
from django.test import Client

from diagnosis.notices import messengers
from diagnosis.tests.world import post
from himmes.accounts.models import ApiToken
from himmes.api.tests.api_world import SAMPLE, make_program
from himmes.operations.health import look_at_database
from himmes.operations.logs import logging_config
from himmes.tests.test_start import start

pytestmark = pytest.mark.django_db


class Log:
    """What is logged by the set-up of a server, read in place of standard error."""

    def __init__(self):
        self.set_up()

    def set_up(self, level: str = "INFO", *, debug: bool = False) -> None:
        logging.config.dictConfig(logging_config(debug=debug, level=level))
        [handler] = logging.getLogger().handlers
        self._stream = StringIO()
        handler.setStream(self._stream)

    def text(self) -> str:
        """What came since this was asked last."""
        text = self._stream.getvalue()
        self._stream.seek(0)
        self._stream.truncate()
        return text

    def lines(self) -> list[dict]:
        """Likewise, as objects; each line must be one."""
        return [json.loads(line) for line in self.text().split("\n") if line]

    def of_requests(self) -> list[dict]:
        return [line for line in self.lines() if line["logger"] == "himmes.requests"]


@pytest.fixture
def log():
    yield Log()
    logging.config.dictConfig(project.LOGGING)


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


# --- A line for each request


def test_a_request_has_a_line_with_what_one_looks_for(log, client, user):
    client.force_login(user)
    answer = client.get("/vibration/table/?start=1")
    [line] = log.of_requests()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", line.pop("time"))
    assert line.pop("duration_ms") > 0
    assert isinstance(line.pop("process"), int)
    assert line == {
        "level": "INFO",
        "logger": "himmes.requests",
        "message": "GET /vibration/table/ 200",
        "request_id": answer.headers["X-Request-ID"],
        "method": "GET",
        "path": "/vibration/table/",
        "status": 200,
        "user": user.pk,
        "address": "127.0.0.1",
    }


def test_a_token_is_told_by_its_number(log, roles):
    program = make_program(roles, "viewer")
    program.get("machines")
    [line] = log.of_requests()
    token = ApiToken.objects.get()
    assert (line["token"], line["user"]) == (token.pk, token.user_id)


def test_who_it_was_is_not_asked_of_a_database_that_is_away(log, client, user, monkeypatch):
    def fail(request):
        raise OperationalError(2002, "Can't connect to server")

    client.force_login(user)
    monkeypatch.setattr("django.contrib.auth.get_user", fail)
    answer = client.get("/vibration/table/")
    assert answer.status_code >= 500
    [line] = log.of_requests()
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "user" not in line


def test_behind_a_proxy_the_address_is_that_of_the_caller(log, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    Client().get("/login/", headers={"X-Forwarded-For": "203.0.113.5, 203.0.113.9"})
    assert log.of_requests()[0]["address"] == "203.0.113.9"


def test_what_is_asked_each_second_is_told_on_debug_only(log, client, user):
    post("g1", (5, 0))
    client.force_login(user)
    first = client.get("/")
    poll = {"HX-Request": "true", "Known-Version": first.context["version"]}
    timeline = client.get("/api/vibration-diagnosis/timeline")
    log.lines()
    for level, told in (("INFO", 0), ("DEBUG", 6)):
        log.set_up(level)
        assert client.get("/", headers=poll).status_code == 204
        assert client.get("/", headers=poll | {"Known-Version": "older"}).status_code == 200
        known = {"If-None-Match": timeline.headers["ETag"]}
        assert client.get("/api/vibration-diagnosis/timeline", headers=known).status_code == 304
        client.get("/healthz")
        client.get("/readyz")
        client.get("/metrics")
        assert len(log.of_requests()) == told, level
    log.set_up()
    client.get("/nowhere/", headers=poll)  # a stranger can't hide by the header
    client.get("/vibration/table/", headers=poll)
    assert [line["status"] for line in log.of_requests()] == [404, 200]


# --- The id


@pytest.mark.parametrize("given", ["0123456789abcdef", "Root=1-67891233-abcdef012345678912345678"])
def test_the_proxys_id_is_taken_over(settings, given):
    settings.BEHIND_PROXY = True
    assert Client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "new\nline-0123", "0123 456789", '"0123456789"', "식별자식별자식별자", ""]
)
def test_an_id_that_is_none_is_not_taken_over(settings, given):
    settings.BEHIND_PROXY = True
    answer = Client().get("/healthz", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_without_a_proxy_nobody_chooses_his_id():
    answer = Client().get("/healthz", headers={"X-Request-ID": "0123456789abcdef"})
    assert answer.headers["X-Request-ID"] != "0123456789abcdef"


def test_a_fault_is_found_in_the_log_by_the_id_that_api_and_page_tell(log, client, user, monkeypatch):
    client.force_login(user)
    monkeypatch.setattr("machines.api.MachineList.get", lambda *arguments, **more: 1 / 0)
    monkeypatch.setattr("vibration.pages.views.render", lambda *arguments, **more: 1 / 0)
    api, page = client.get("/api/machines"), client.get("/vibration/table/")
    assert api.json()["request_id"] == api.headers["X-Request-ID"]
    assert page.headers["X-Request-ID"] in page.text
    told = [line for line in log.lines() if "traceback" in line]
    assert [line["request_id"] for line in told] == [api.headers["X-Request-ID"], page.headers["X-Request-ID"]]
    for line in told:
        assert line["level"] == "ERROR"
        assert line["traceback"].startswith("Traceback (most recent call last):\n")
        assert line["traceback"].endswith("ZeroDivisionError: division by zero")


def test_a_busy_database_is_answered_with_the_id_too(client, user, monkeypatch):
    def fail(*arguments, **more):
        raise OperationalError("database is locked")

    client.force_login(user)
    monkeypatch.setattr("machines.api.MachineList.get", fail)
    answer = client.get("/api/machines")
    assert answer.status_code == 503
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert "request_id" not in client.get("/api/nothing").json()


# --- Lines of others


def test_who_is_refused_gets_one_line_without_a_traceback(log, django_user_model):
    newcomer = Client(enforce_csrf_checks=True)
    newcomer.force_login(django_user_model.objects.create_user("newcomer"))
    newcomer.get("/vibration/table/")  # no role
    newcomer.post("/logout/")  # no CSRF token
    Client().get("/login/", headers={"Host": "evil.example"})
    others = [line for line in log.lines() if line["logger"] != "himmes.requests"]
    assert [(line["logger"], line["level"], line["status"]) for line in others] == [
        ("django.request", "WARNING", 403),
        ("django.security.csrf", "WARNING", 403),
        ("django.security.DisallowedHost", "WARNING", 400),
    ]
    assert not any("traceback" in line for line in others)
    assert all(line["request_id"] for line in others)


def test_a_line_end_in_a_path_is_no_line_end_in_the_log(log):
    path = "/%0A%7B%22level%22:%22ERROR%22%7D%0D%1B[31m%C2%85%E2%80%A8한글"
    Client().get(path)
    told = log.lines()
    assert [line["logger"] for line in told] == ["himmes.requests", "django.request"]
    assert told[0]["path"].startswith('/\n{"level":"ERROR"}\r\x1b[31m')
    log.set_up(debug=True)
    logging.getLogger("himmes.requests").setLevel("INFO")
    Client().get(path)
    assert len(log.text().splitlines()) == 2


def test_half_a_character_and_an_odd_object_do_not_break_the_log(log):
    logging.getLogger("himmes").warning("%s %s", "\ud800", object(), extra={"status": {1, 2}, "cookies": "sessionid=1"})
    [line] = log.lines()
    assert line["message"].startswith("\ud800 <object")
    assert "cookies" not in line


def test_with_debug_on_the_log_is_text(log):
    log.set_up(debug=True)
    logging.getLogger("himmes").warning("some words")
    assert re.fullmatch(r"\S+ \S+ WARNING himmes: some words\n", log.text())


def test_with_debug_on_the_log_shows_escapes_of_what_a_terminal_would_obey(log):
    log.set_up(debug=True)
    logging.getLogger("himmes").warning("a name: \x1b]0;pwned\x07\u202e\nand a line")
    assert log.text().endswith("WARNING himmes: a name: \\x1b]0;pwned\\x07\\u202e\nand a line\n")


def test_the_level_is_that_of_our_loggers_alone(log):
    log.set_up("DEBUG")
    assert logging.getLogger("himmes.operations.health").isEnabledFor(logging.DEBUG)
    for library in ("django.db.backends", "axes", "knox", "environ", "urllib3"):
        assert not logging.getLogger(library).isEnabledFor(logging.DEBUG), library


def test_a_level_that_is_none_is_refused():
    result = start(DJANGO_SECRET_KEY="0123456789" * 6, DJANGO_LOG_LEVEL="LOUD")
    assert result.returncode != 0
    assert "DJANGO_LOG_LEVEL must be" in result.stderr


# --- Secrets


def test_no_secret_is_ever_logged(log, client, roles, settings, monkeypatch):
    """Whatever people and programs show or are given, through the real set-up, at its most talkative."""
    log.set_up("DEBUG")
    secrets = {
        "key": settings.SECRET_KEY,
        "password": "correct-horse-7391",
        "wrong password": "wrong-horse-7392",
        "password of the database": "database-horse-7393",
        "query": "query-horse-7394",
        "unknown token": "7395" * 16,
    }
    person = get_user_model().objects.create_superuser("chief", password=secrets["password"])

    # Logins, good and bad; a password typed as the name
    client.post("/login/?next=/query-horse-7394", {"username": "chief", "password": secrets["wrong password"]})
    client.post("/login/", {"username": secrets["wrong password"], "password": "x"})
    for _attempt in range(6):
        client.post("/login/", {"username": "locked", "password": secrets["wrong password"]})
    assert client.post("/login/", {"username": "chief", "password": secrets["password"]}).status_code == 302
    secrets["session"] = client.cookies["sessionid"].value
    client.get("/login/")
    secrets["CSRF token"] = client.cookies["csrftoken"].value
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post("/logout/", {"csrfmiddlewaretoken": "x"}).status_code == 403

    # Tokens, made by page and command, used and refused
    role = roles["administrator"]
    page = client.post("/admin/himmes/apitoken/add/", {"name": "p", "user": person.pk, "role": role.pk}, follow=True)
    [secrets["token of the page"]] = re.findall(r"\b[0-9a-f]{64}\b", page.text)
    out = StringIO()
    call_command("create_api_token", "program", role="collector", stdout=out, stderr=StringIO())
    secrets["token of the command"] = out.getvalue().strip()
    program = make_program(roles, "administrator", client)
    secrets["token"] = program.token
    program.get("machines", {"token": secrets["query"]})
    program.post("vibration-data/bulk", [SAMPLE, SAMPLE | {"normal": "x"}])
    for name in ("unknown token", "token of the command"):
        headers = {"Authorization": f"Bearer {secrets[name]}"}
        client.get("/api/machines", headers=headers)
        client.delete("/api/machines/1", headers=headers)
        client.get("/metrics", headers=headers)
    file = SimpleUploadedFile("g1_sensor1.csv", b"0,1,2,3,4\nx\n", "text/csv")
    headers = {"Authorization": f"Bearer {program.token}"}
    client.post("/api/vibration-data/csv", {"file": file}, headers=headers)

    # Faults with a password at hand
    with monkeypatch.context() as patch:
        patch.setattr("django.contrib.auth.views.LoginView.form_valid", lambda self, form: 1 / 0)
        again = Client(raise_request_exception=False)
        assert again.post("/login/", {"username": "chief", "password": secrets["password"]}).status_code == 500
        patch.setattr("machines.api.MachineList.post", lambda *arguments, **more: 1 / 0)
        assert program.post("machines", {"name": secrets["query"]}).status_code == 500
    fields = {"username": "new", "password1": secrets["password"], "password2": secrets["wrong password"]}
    client.post("/admin/auth/user/add/", fields)

    # The database refuses, and is gone
    database = connections.settings["default"]
    monkeypatch.setitem(database, "PASSWORD", secrets["password of the database"])
    monkeypatch.setitem(database, "USER", "nobody")
    look_at_database()
    monkeypatch.setitem(database, "PORT", 1)
    monkeypatch.setitem(database, "NAME", "/nowhere/himmes.sqlite3")
    assert look_at_database() is None
    client.get("/readyz")

    text = log.text()
    told = [json.loads(line) for line in text.splitlines()]
    assert {500, 429, 403, 401, 400, 302, 200} <= {line.get("status") for line in told}
    assert "The database does not answer" in text
    assert text.count("ZeroDivisionError") >= 2
    assert "Login failed from 127.0.0.1" in text
    found = {name for name, secret in secrets.items() if secret in text}
    assert found == set()
    assert not re.search(r"sessionid|csrftoken|Bearer|Authorization", text)


# --- A server, and a command


def say(port: int, *lines: str) -> bytes:
    """The answer to a request of these lines."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
        caller.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        return caller.recv(1000)


def test_gunicorn_logs_in_the_same_way_and_nothing_of_what_was_sent(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "broken.py").write_text(
        "import django; django.setup(set_prefix=False)\n"
        "def application(environ, start_response): raise ValueError('broken')"
    )
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--pythonpath", str(tmp_path)]
    output = tmp_path / "log"
    with output.open("wb") as out:
        server = subprocess.Popen([*command, "broken:application"], cwd=project.BASE_DIR, stderr=out, stdout=out)
        try:
            deadline = time.monotonic() + 30
            while b"Listening at" not in output.read_bytes():
                assert time.monotonic() < deadline
                time.sleep(0.1)
            answers = [
                say(port, "GET /page?secret=horse HTTP/1.1", "Host: x"),
                say(port, "GET /page HTTP/1.1", "Authorization Bearer horse"),
                say(port, "GET /page?horse HTTP/horse"),
            ]
        finally:
            server.terminate()
            server.wait(30)
    assert [answer.split()[1] for answer in answers] == [b"500", b"400", b"400"]
    told = [json.loads(line) for line in output.read_text().splitlines()]
    assert {line["logger"] for line in told} == {"gunicorn.error", "waitress"}
    [fault] = [line for line in told if "traceback" in line]
    assert fault["message"] == "Exception while serving /page"
    assert "horse" not in output.read_text()


def test_commands_speak_to_people_and_log_beside(log, capsys):
    call_command("check")
    assert "no issues" in capsys.readouterr().out
    assert log.text() == ""


def test_no_token_of_a_messenger_is_logged(log):
    token = "TIiajkdnlazkcOXrIdevi7FQ"
    with pytest.raises(ValidationError, match="Slack"):
        messengers.check(f"slack://T1JJ3T3L2/A1BRTD4JD/{token}!")
    assert token not in log.text()
