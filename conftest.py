"""What every test may use: plain HTTP, and Debian's Chromium, which fails a test for what goes wrong in its pages."""

import gc
import os
import shutil
import zlib
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import call_command
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connection
from django.test import Client, override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from himmes.accounts.tests.roles_world import make_roles
from himmes.operations import health

# Tests start hundreds of programs: the first compiles our modules for all, whatever the machine's own habit.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

WITHOUT_BROWSER = os.environ.get("HIMMES_WITHOUT_BROWSER") == "1"
PATIENCE_MS = 60_000  # with what a page is waited for: a busy machine is no fault of the page
CHROMIUM_ARGS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # As root, which a container often is, Chromium refuses to start with its sandbox.
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]

# The live server writes the head of an answer and then its body: else the body would wait 40 ms until the head is
# acknowledged, which whoever asks puts off for as long.
WSGIRequestHandler.disable_nagle_algorithm = True

# Nor is it one of what hypothesis makes up
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")


def looks_at_the_database(item) -> bool:
    """Whether a test may use the database, or lies in a module that can tell which one it is."""
    uses_it = {"db", "transactional_db", "live_server"} & set(item.fixturenames)
    return bool(uses_it or item.get_closest_marker("django_db") or hasattr(item.module, "connection"))


def is_left_out(item, half: int | None) -> bool:
    """Whether a test drives a browser and this run has none, or leaves it to the run on another database.

    What only a browser tells is in scripts, styles and texts, which know no database; tests without one look at what
    pages read. The name of a function decides, so that both databases meet about as many.
    """
    if not item.get_closest_marker("browser"):
        return False
    function, _bracket, _case = item.nodeid.partition("[")
    return WITHOUT_BROWSER or (half is not None and zlib.crc32(function.encode()) % 2 + 1 != half)


def pytest_addoption(parser):
    parser.addoption(
        "--browser-half",
        type=int,
        choices=[1, 2],
        help="of the tests in a browser only this half; another run, on another database, has the other",
    )


@pytest.hookimpl(tryfirst=True)  # before `-m database` chooses
def pytest_collection_modifyitems(config, items):
    for item in filter(looks_at_the_database, items):
        item.add_marker("database")
    left_out = {item for item in items if is_left_out(item, config.getoption("--browser-half"))}
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """What was imported and collected stays until the end: no collection of garbage looks at it again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def plain_http(django_test_environment, tmp_path_factory):
    """Tests speak HTTP, take static files from where they lie, and hash passwords in no time.

    For the session, as the live server reads its settings once, when it starts.
    """
    with override_settings(
        SECURE_SSL_REDIRECT=False,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
        LANGUAGE_COOKIE_SECURE=False,
        # The names that begin with __Host- are for HTTPS.
        SESSION_COOKIE_NAME="sessionid",
        CSRF_COOKIE_NAME="csrftoken",
        LANGUAGE_COOKIE_NAME="language",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS],
        STATIC_ROOT=tmp_path_factory.mktemp("static"),
        STORAGES=settings.STORAGES
        | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
    ):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """SQLite waits for no disk: a test may kill a process, but none cuts the power."""
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"


@pytest.fixture(autouse=True)
def no_process_has_another_database(request, monkeypatch):
    """What a test without the mark `database` starts finds the same, whichever database the tests run on."""
    if not request.node.get_closest_marker("database"):
        monkeypatch.setenv("DATABASE_URL", "sqlite://:memory:")


@pytest.fixture(autouse=True)
def no_calls_counted():
    """The API's limits begin anew with each test."""
    cache.clear()


@pytest.fixture(autouse=True)
def each_note_may_be_written(monkeypatch):
    """What one test could not write is nothing for the next."""
    for notes in ("himmes.accounts.authentication.USES", "himmes.accounts.sessions.RENEWALS"):
        monkeypatch.setattr(f"{notes}._none_until", 0.0)


@pytest.fixture(autouse=True)
def each_look_is_a_new_one(monkeypatch):
    """What one test found out about the database is nothing for the next."""
    monkeypatch.setattr(health, "KEPT_S", 0)
    monkeypatch.setattr(health, "_begun", 0.0)  # some tests set the clock


@pytest.fixture
def roles(db):
    """The roles by name. The migration made them, but a test that runs without a transaction leaves empty tables."""
    if not Group.objects.exists():
        make_roles()
    return {role.name: role for role in Group.objects.all()}


@pytest.fixture
def user(roles):
    """A viewer: he may read everything."""
    user = get_user_model().objects.create_user("operator")
    user.groups.add(roles["viewer"])
    return user


@pytest.fixture
def operator(roles):
    """Somebody on the floor who may act on episodes."""
    user = get_user_model().objects.create_user("kim")
    user.groups.add(roles["operator"])
    return user


@pytest.fixture(params=["locmemcache", "dbcache"])
def counted_in(request, settings):
    """Each place where a single server may count calls."""
    if request.param == "dbcache":
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "api_calls"}
        }
        call_command("createcachetable")


@pytest.fixture(scope="session")
def chromium():
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not executable:
        pytest.fail(
            "Chromium is not installed. Debian: apt-get install chromium fonts-nanum; elsewhere name it in CHROMIUM. "
            "HIMMES_WITHOUT_BROWSER=1 leaves the browser tests out.",
            pytrace=False,
        )
    from playwright.sync_api import sync_playwright  # here, so that other tests run without it

    with pytest.MonkeyPatch.context() as patch:
        # Playwright's sync API keeps an event loop in this thread, in which Django refuses to use the database. Nothing
        # here is asynchronous: the loop stands still while a test runs its own code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGS)
            yield browser
            browser.close()


class Watch:
    """Notes what goes wrong in pages; a test announces what it wants to go wrong."""

    def __init__(self):
        self.problems: list[str] = []
        self.announced: list[str] = []

    def expect(self, *texts: str) -> None:
        """Each text must be part of at least one problem, and excuses those that it is part of."""
        self.announced += texts

    def expect_status(self, status: int) -> None:
        self.expect(f"response {status} ", f"status of {status} ")

    def follow(self, page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._request_failed)
        page.on("response", self._response)

    def verdict(self) -> list[str]:
        left = [it for it in self.problems if not any(text in it for text in self.announced)]
        missing = [text for text in self.announced if not any(text in it for it in self.problems)]
        return left + [f"announced, but did not happen: {text}" for text in missing]

    def _console(self, message):
        if message.type == "error":
            self.problems.append(f"console error: {message.text} ({message.location.get('url')})")

    def _request(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.problems.append(f"request leaves this machine: {request.url}")

    def _request_failed(self, request):
        # Aborted: the page itself dropped it, for a newer request or because it was left.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"request failed: {request.failure} {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.problems.append(f"response {response.status} {response.url}")


@pytest.fixture
def watch():
    watch = Watch()
    yield watch
    assert not (problems := watch.verdict()), "\n".join(problems)


@pytest.fixture(scope="session")
def contexts(chromium):
    from himmes.tests.browser_contexts import Contexts

    return Contexts(chromium)


@pytest.fixture
def new_page(contexts, live_server, transactional_db, watch):
    """Opens pages: new_page(login=user, locale="en", viewport={...}, color_scheme="dark", ...), each by itself."""
    taken = []

    def new_page(login=None, viewport=None, color_scheme=None, **options):
        taken.append(contexts.take(base_url=live_server.url, **{"locale": "en-US"} | options))
        context = taken[-1].context
        if login:
            client = Client()
            client.force_login(login)
            context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
        page = context.new_page()
        # Of the page, not of its context: so one context serves many tests.
        if viewport:
            page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.set_default_timeout(PATIENCE_MS)
        watch.follow(page)
        return page

    yield new_page
    for it in taken:
        contexts.give_back(it, live_server.url)


@pytest.fixture
def page(new_page, user):
    """An English page of a user who is logged in."""
    return new_page(login=user)
