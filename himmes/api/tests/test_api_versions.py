"""Changes of machines and sensors by several programs: none wipes another's, and If-Match makes sure of a version."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection
from django.test import Client

from himmes.api.tests.api_world import Program, make_program
from machines.models import Machine, RegisteredBy
from machines.registering import register_sensor

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(roles):
    return make_program(roles, "administrator")


@pytest.fixture(params=["machines", "sensors"])
def path(request):
    sensor = register_sensor("g1", "sensor1", registered_by=RegisteredBy.API)
    return f"machines/{sensor.machine.pk}" if request.param == "machines" else f"sensors/{sensor.pk}"


FIELDS = {"machines": ("title", "location"), "sensors": ("position", "unit")}


def test_a_change_of_a_version_that_is_not_there_any_more_is_refused(administrator, path):
    one, other = FIELDS[path.split("/")[0]]
    seen = administrator.get(path)
    version = seen.headers["ETag"]
    changed = administrator("PATCH", path, {one: "new"}, headers={"If-Match": version})
    assert changed.status_code == 200
    assert changed.headers["ETag"] not in (version, None)
    for method, body in (("PATCH", {other: "late"}), ("PUT", seen.json() | {other: "late"})):
        body.pop("id", None), body.pop("registered_by", None)
        refused = administrator(method, path, body, headers={"If-Match": version})
        assert (refused.status_code, refused.json()["status"]) == (412, 412)
        assert "changed since you read it" in refused.json()["detail"]
    now = administrator.get(path)
    assert (now.json()[one], now.json()[other]) == ("new", "")
    assert now.headers["ETag"] == changed.headers["ETag"]


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', "*"])
def test_each_form_of_the_header_is_understood(administrator, path, form):
    version = administrator.get(path).headers["ETag"]
    body = {FIELDS[path.split("/")[0]][0]: "new"}
    assert administrator("PATCH", path, body, headers={"If-Match": form.format(version)}).status_code == 200


@pytest.mark.parametrize("header", ["", "x", '"x"', "W/", "'", '"', "\xff"])
def test_a_version_that_never_was_is_refused(administrator, path, header):
    assert administrator("PATCH", path, {}, headers={"If-Match": header}).status_code == 412


def test_an_answer_that_is_compressed_has_a_version_that_counts_too(administrator, path):
    Machine.objects.update(notes="long " * 100)
    version = administrator.get(path, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    body = {FIELDS[path.split("/")[0]][0]: "new"}
    assert administrator("PATCH", path, body, headers={"If-Match": version}).status_code == 200


def test_without_the_header_a_change_is_made_as_ever(administrator, path):
    assert administrator("PATCH", path, {FIELDS[path.split("/")[0]][0]: "new"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_changes_of_several_fields_at_the_same_time_all_stay(roles, administrator):
    """Each program changes a field of its own. Of the rest, none brings back what it has read before."""
    fields = ["title", "location", "notes", "rated_rpm", "expected_interval_min", "installed_at"]
    path = f"machines/{Machine.objects.create(name='g1').pk}"
    for round_no in range(1, 6):
        start = Barrier(len(fields))
        values = [f"new {round_no}"] * 3 + [round_no] * 2 + [f"2026-01-0{round_no}"]

        def change(field, value, start=start) -> int:
            try:
                start.wait(60)
                return Program(administrator.token, Client())("PATCH", path, {field: value}).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(len(fields)) as pool:
            assert set(pool.map(change, fields, values)) == {200}
        found = administrator.get(path).json()
        assert [found[field] for field in fields] == values


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("method", "done"), [("DELETE", 204), ("PATCH", 200), ("PUT", 200)])
def test_a_deadlock_is_tried_again(administrator, monkeypatch, method, done):
    machine = Machine.objects.create(name="g1")
    tries = []

    def deadlock_once(original):
        def work(self, *args, **more):
            tries.append(method)
            if len(tries) == 1:
                raise OperationalError(1213, "Deadlock found when trying to get lock")
            return original(self, *args, **more)

        return work

    for name in ("save", "delete"):
        monkeypatch.setattr(Machine, name, deadlock_once(getattr(Machine, name)))
    answer = administrator(method, f"machines/{machine.pk}", {"name": "g1", "title": "new"})
    assert (answer.status_code, len(tries)) == (done, 2)
