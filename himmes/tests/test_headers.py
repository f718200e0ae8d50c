"""What a browser is told with each answer, whatever it is an answer to; as production sends it."""

import re

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from common.tests.test_csv_export import formulas
from diagnosis.tests.world import post
from himmes.audit.tests.test_audit_trail import EXPORTS
from machines.models import Machine, Sensor
from vibration.models import Recording
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_recording, make_samples

ALWAYS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ANSWERS = {
    "/login/": 200,
    "/": 200,
    "/vibration/table/": 200,
    "/vibration/table/?start=x": 400,
    "/nowhere/": 404,
    "/.git/config": 404,
    "/admin/": 302,
    "/api/machines": 200,
    "/api/machines/999": 404,
    "/api/vibration-data?format=csv": 200,
    "/api/docs": 200,
    "/api/redoc": 200,
    "/password/": 200,
}


@pytest.fixture
def over_https(db, user):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return lambda method, path, *data, **more: getattr(client, method)(path, *data, secure=True, **more)


@pytest.mark.parametrize("path", ANSWERS)
def test_each_answer_has_the_headers_that_protect(path, over_https):
    answer = over_https("get", path)
    assert answer.status_code == ANSWERS[path]
    missing = {name: answer.headers.get(name) for name, value in ALWAYS.items() if answer.headers.get(name) != value}
    assert missing == {}
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]
    if answer.status_code != 302:
        assert re.search(
            r"^(text/(html|csv); charset=utf-8|application/(problem\+)?json)$", answer.headers["Content-Type"]
        )


def test_scripts_come_from_this_site_alone(over_https):
    for path in ("/", "/admin/login/", "/api/docs", "/api/redoc"):
        policy = over_https("get", path).headers["Content-Security-Policy"]
        (scripts,) = re.findall(r"script-src ([^;]*)", policy)
        assert scripts == "'self'", path


def test_a_static_file_has_them_too(settings, tmp_path):
    from whitenoise.middleware import WhiteNoiseMiddleware

    order = settings.MIDDLEWARE
    files = order.index(f"{WhiteNoiseMiddleware.__module__}.{WhiteNoiseMiddleware.__qualname__}")
    assert order.index("django.middleware.security.SecurityMiddleware") < files
    assert order.index("himmes.middleware.HeadersMiddleware") < files


def test_a_fault_has_them_too(over_https, monkeypatch, user):
    monkeypatch.setattr("diagnosis.pages.views.render_live", lambda *given, **more: 1 / 0)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    answer = client.get("/", secure=True)
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert "ZeroDivisionError" not in answer.text
    assert "Traceback" not in answer.text


def test_subdomains_can_be_left_out_of_https_and_the_site_is_never_preloaded():
    assert settings.SECURE_HSTS_SECONDS == 365 * 24 * 3600
    assert settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert not settings.SECURE_HSTS_PRELOAD


def test_no_cookie_is_to_be_had_by_another_host_or_without_https():
    """The settings as production has them: the tests speak HTTP, and have other names."""
    production = settings._wrapped.default_settings if hasattr(settings._wrapped, "default_settings") else settings
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert getattr(production, f"{name}_COOKIE_NAME").startswith("__Host-")
        assert getattr(production, f"{name}_COOKIE_SECURE") is True
        assert getattr(production, f"{name}_COOKIE_SAMESITE") == "Lax"
        assert getattr(production, f"{name}_COOKIE_PATH") == "/"
        assert getattr(production, f"{name}_COOKIE_DOMAIN") is None
        assert getattr(production, f"{name}_COOKIE_HTTPONLY") is True


@pytest.mark.django_db
@pytest.mark.parametrize("port", ["0", "65536", "99999", "0080", "0" * 400, "9" * 5_000, "-1", "x", "80:80", ""])
def test_a_port_that_can_not_be_is_refused_and_comes_back_nowhere(user, port):
    client = Client(headers={"Host": f"testserver:{port}"})
    for path in ("/login/", "/vibration/", "/api/machines", "/admin/"):
        answer = client.get(path)
        assert answer.status_code == 400, path
        assert port == "" or f":{port}" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("host", ["testserver", "testserver:80", "testserver:65535", "testserver:1"])
def test_a_port_that_can_be_is_taken(host):
    assert Client(headers={"Host": host}).get("/login/").status_code == 200


def test_a_host_that_is_none_of_ours_is_refused(client):
    assert client.get("/login/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/login/", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200
    answer = client.get("/login/", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/login/", "/logout/", "/i18n/setlang/", "/password/", "/admin/login/", "/admin/logout/"]
)
def test_a_form_that_another_site_sends_is_refused(path, user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(path, {}, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.django_db
def test_another_origin_may_not_read_the_api(client, user, settings):
    client.force_login(user)
    answer = client.get("/api/machines", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    settings.CORS_ALLOWED_ORIGINS = ["https://panel.example"]
    answer = client.get("/api/machines", headers={"Origin": "https://panel.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://panel.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.django_db
def test_a_form_has_at_most_so_many_bytes_and_fields(client):
    answer = client.post("/login/", {"username": "x" * 3_000_000, "password": "x"})
    assert answer.status_code == 413
    fields = "&".join(f"field{number}=x" for number in range(1_001))
    answer = client.post("/login/", fields, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "a;=1+1", "a\t@SUM(1)"])
@pytest.mark.parametrize("path", [path.replace("machine_name=g1&", "").replace("machine=g1&", "") for path in EXPORTS])
def test_no_cell_of_any_export_is_a_formula(path, formula, over_https):
    """Every name that a program may choose is a formula here, and the separator any of those in use."""
    post("g1", (1, 2), (2, 0), model=f"@model{formula}")
    make_recording(3)
    # As no post, but an administrator may call them
    Machine.objects.update(name=formula, title="=title", location="+location")
    Sensor.objects.update(sensor_no="+s;-s")
    Recording.objects.update(name=f"-recording{formula}", source="=source")
    text = b"".join(over_https("get", path).streaming_content).decode("utf-8-sig")
    assert text.count("\n") > 1
    assert formulas(text) == []
    assert f"'{formula}" in text or "a;'=1+1" in text or "a\t'@SUM(1)" in text


def test_rights_and_secrets_are_no_part_of_an_answer(over_https, user, admin_user):
    """A reader sees nothing of users and tokens anywhere in the API."""
    for path in ("/api/machines", "/api/sensors", "/api/recordings", "/api/schema"):
        text = over_https("get", path).content.decode()
        assert get_user_model().objects.get(pk=admin_user.pk).password not in text
        assert "digest" not in text


NAME = "</script><img src=x onerror=alert(1)>"
PAGES_WITH_NAMES = [
    "/",
    "/?kiosk=1",
    "/diagnosis/",
    f"/diagnosis/?machine={NAME}",
    f"/diagnosis/history/?machine={NAME}",
    "/diagnosis/timeline/",
    f"/machine/?name={NAME}",
    f"/vibration/?machine={NAME}&sensor={NAME[:20]}",
    f"/vibration/table/?machine={NAME}",
    f"/vibration/?machine=javascript:alert(1)&sensor={NAME}",
    "/admin/machines/machine/",
    "/admin/auditlog/logentry/",
]


@pytest.mark.parametrize("path", PAGES_WITH_NAMES)
def test_a_name_that_is_a_script_is_text_on_every_page(path, admin_client):
    """In HTML, in attributes, in addresses and in the JSON that scripts read."""
    post(NAME, (1, 2), (2, 0), model=NAME)
    write_samples(open_recording(NAME, NAME[:20], name=NAME), Samples(*make_samples(3)))
    path = path.replace("/machine/?name", "/machines/?name")
    answer = admin_client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code in (200, 400, 404)
    assert "<img src=x" not in answer.text
    assert 'href="javascript:' not in answer.text


def test_our_scripts_make_no_html_and_no_code_of_data():
    makes = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    scripts = list((settings.BASE_DIR / "static" / "js").glob("*.js"))
    assert len(scripts) > 5
    assert [script.name for script in scripts if makes.search(script.read_text(encoding="utf-8"))] == []


def test_our_code_hashes_with_nothing_weak_and_starts_no_shell():
    """Beside ruff's S rules, which `make lint` runs: nothing of ours is excused from these."""
    weak = re.compile(
        r"\b(md5|sha1|shell=True|os\.system|pickle|yaml\.load|xml\.|lxml|eval\(|exec\(|mark_safe|\|\s*safe\b)"
    )
    files = [
        path
        for app in ("common", "machines", "vibration", "diagnosis", "himmes")
        for path in (settings.BASE_DIR / app).rglob("*.py")
    ]
    files += (settings.BASE_DIR / "templates").rglob("*.html")
    found = {
        str(path.relative_to(settings.BASE_DIR)): match[0]
        for path in files
        if "tests" not in path.parts and (match := weak.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def rows_by_table() -> dict[str, int]:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


@pytest.mark.django_db
def test_a_stranger_makes_the_server_store_nothing_but_his_failed_logins(user):
    """No session, no message, no entry of the trail, whatever he asks for."""
    before = rows_by_table()
    stranger = Client(headers={"Accept-Language": "en"})
    for path in ("/", "/login/", "/login/?next=/vibration/", "/admin/", "/admin/login/", "/password/", "/api/docs"):
        stranger.get(path)
        stranger.post(path, {"language": "en", "old_password": "x", "username": "", "password": ""})
    for path in ("/logout/", "/i18n/setlang/", "/api/machines", "/api/vibration-data/csv", "/metrics", "/nowhere/"):
        stranger.get(path)
        stranger.post(path, {"language": "en", "next": "/login/"})
    assert rows_by_table() == before
    assert "sessionid" not in stranger.cookies
    for _ in range(20):
        stranger.post("/login/", {"username": "operator", "password": "wrong"})
    grown = {table: rows - before[table] for table, rows in rows_by_table().items() if rows != before[table]}
    # One row of a count, one lock, five entries: what is tried during a lock leaves nothing.
    assert grown == {"axes_accessattempt": 1, "machines_tally": 1, "auditlog_logentry": 5}
