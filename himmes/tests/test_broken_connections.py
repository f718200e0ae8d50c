"""What a connection that broke in the middle of something leaves behind: nothing for the next request, or attempt."""

from contextlib import suppress

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, RequestFactory

from common.database.errors import DATABASE_ERRORS
from common.database.transactions import Patience, in_transaction
from himmes.api.tests.api_world import DIAGNOSIS, Program, make_program, samples
from himmes.wsgi_handler import Handler
from machines.models import Machine
from vibration.models import VibrationData

pytestmark = pytest.mark.django_db(transaction=True)
OUR_CACHE, DJANGOS_CACHE = "himmes.caching.DatabaseCache", "django.core.cache.backends.db.DatabaseCache"


class Served:
    """A client of the application as the server calls it; the test client calls another handler."""

    def __init__(self):
        self.application = Handler()

    def generic(self, method: str, path: str, body: str = "", content_type: str = "", headers: dict | None = None):
        environ = RequestFactory(headers=headers).generic(method, path, body, content_type).environ
        answer = self.application(environ, lambda status, headers: None)
        list(answer)
        answer.close()
        return answer

    def get(self, path: str, data: dict | None = None, headers: dict | None = None):
        return self.generic("GET", path, headers=headers)


@pytest.fixture
def cache_table(settings):
    """Limits are counted in a table of the database, as compose.yaml has it; what it is called with is the class."""

    def use(backend: str) -> None:
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "api_calls"}}

    use(DJANGOS_CACHE)
    call_command("createcachetable")
    yield use
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE api_calls")


@pytest.fixture(autouse=True)
def nothing_is_left_for_other_tests(transactional_db):
    # The audit trail needs it. Made within a transaction that is undone, it would be remembered all the same.
    ContentType.objects.get_for_model(Machine)
    yield
    if connection.connection:
        with suppress(*DATABASE_ERRORS):  # it is closed already
            connection.connection.close()
    del connections["default"]


@pytest.fixture
def program(roles) -> Program:
    return make_program(roles, "administrator", Served())


@pytest.fixture
def break_after_commit(monkeypatch):
    """Call it, and the connection breaks with the next COMMIT: it is done, but there is no going back to autocommit."""

    def commit_and_break(self):
        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit)
        commit(self)
        self.connection.close()

    commit = BaseDatabaseWrapper._commit
    return lambda: monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_break)


def never_left() -> None:
    """A transaction is begun that nobody ends."""
    transaction.atomic().__enter__()
    Machine.objects.create(name="of nobody")


def kept_without_autocommit() -> None:
    connection.set_autocommit(False)
    Machine.objects.create(name="of nobody")


def broken_without_autocommit() -> None:
    connection.set_autocommit(False)
    connection.connection.close()


def savepoint_in_what_is_broken() -> None:
    broken_without_autocommit()
    with pytest.raises(DATABASE_ERRORS):
        transaction.atomic().__enter__()


def closed_in_a_transaction() -> None:
    transaction.atomic().__enter__()
    connection.close()


STATES = [
    never_left,
    kept_without_autocommit,
    broken_without_autocommit,
    savepoint_in_what_is_broken,
    closed_in_a_transaction,
]


@pytest.mark.parametrize("leave_it", STATES)
def test_whatever_a_request_leaves_behind_the_next_one_is_answered(program, leave_it):
    assert program.get("machines").status_code == 200
    leave_it()
    assert program.post("machines", {"name": "g1"}).status_code == 201
    assert program.get("machines").status_code == 200
    connection.close()
    assert [it.name for it in Machine.objects.all()] == ["g1"]


@pytest.mark.parametrize("backend", [OUR_CACHE, DJANGOS_CACHE])
def test_a_break_that_the_cache_passes_over_fails_no_later_request(program, cache_table, break_after_commit, backend):
    """The limit of calls is counted in a transaction of its own; in the middle of the request begins the next one."""
    cache_table(backend)
    assert program.post("vibration-data/bulk", samples(1)).status_code == 200
    break_after_commit()
    status = program.post("vibration-data/bulk", samples(2)).status_code
    assert status == 200
    for _time in range(3):
        assert program.post("vibration-data/bulk", samples(3)).status_code == 200
        assert program.post("vibration-diagnosis", DIAGNOSIS).status_code in (200, 201)
        assert program.get("recordings").status_code == 200
        assert Served().get("/readyz").status_code == 200
    assert VibrationData.objects.count() == 3


def test_a_sound_connection_serves_one_request_after_the_other(program, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    connection.close()
    program.get("machines")
    first = connection.connection
    assert first is not None
    program.post("machines", {"name": "g1"})
    program.get("machines")
    assert connection.connection is first
    connection.close()


def test_a_connection_that_broke_since_the_last_call_is_replaced(program, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    assert program.get("machines").status_code == 200
    if connection.vendor == "mysql":
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("KILL %s", [connection.connection.thread_id()])
        other.close()
    else:
        connection.connection.close()
    assert program.get("machines").status_code == 200
    connection.close()


def test_a_database_that_is_away_is_tried_once_a_call(program, monkeypatch):
    tried = []

    def refuse(*args):
        tried.append(1)
        raise OperationalError(2003, "Can't connect")

    connection.close()
    with monkeypatch.context() as away:
        away.setattr(connections["default"].__class__, "get_new_connection", refuse)
        assert program.get("machines").status_code == 503
    assert len(tried) == 1
    assert program.get("machines").status_code == 200
    connection.close()


def test_what_the_cache_keeps_is_kept_though_the_connection_breaks_then(cache_table, break_after_commit):
    cache.set("first", 1)
    cache_table(OUR_CACHE)
    break_after_commit()
    cache.set("second", 2)
    assert cache.get_many(["first", "second"]) == {"first": 1, "second": 2}
    assert connection.get_autocommit()


@pytest.mark.parametrize("leave_it", [kept_without_autocommit, broken_without_autocommit])
def test_a_transaction_is_begun_on_a_connection_that_can_have_one(leave_it):
    leave_it()
    assert in_transaction(lambda: Machine.objects.create(name="g1")).pk
    connection.close()
    assert [it.name for it in Machine.objects.all()] == ["g1"]


@pytest.mark.parametrize("leave_it", STATES)
def test_work_that_waits_for_the_database_gets_a_new_connection(leave_it):
    calls = []

    def work():
        calls.append(1)
        if len(calls) == 1:
            leave_it()
            raise OperationalError(2013, "Lost connection")
        return Machine.objects.count()

    assert Patience(60, sleep=lambda seconds: None).until_done(work) == 0
    assert len(calls) == 2
    assert connection.get_autocommit()


def test_a_table_of_the_cache_that_is_missing_is_not_ready(settings):
    settings.CACHES = {"default": {"BACKEND": OUR_CACHE, "LOCATION": "nowhere"}}
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["cache"]) == (503, "failed")
    assert answer.json()["checks"]["database"] == "ok"
