"""Who may what: every operation of the API times every role, generated from the list of paths."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from diagnosis.models import Episode
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.tests.world import post
from himmes.api import urls as api
from himmes.api.tests.api_world import CAPTURE, DIAGNOSIS, SAMPLE, Program, make_program
from machines.models import Machine, Sensor
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import store_captures
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db

READERS = {"viewer", "collector", "diagnoser", "operator", "administrator"}
# Whatever is not read is written, by these; an operation that is missing here fails the tests.
WRITERS = {
    "POST machines": {"administrator"},
    "PUT machine": {"administrator"},
    "PATCH machine": {"administrator"},
    "DELETE machine": {"administrator"},
    "POST sensors": {"administrator"},
    "PUT sensor": {"administrator"},
    "PATCH sensor": {"administrator"},
    "DELETE sensor": {"administrator"},
    "POST samples": {"collector", "administrator"},
    "POST sample-bulk": {"collector", "administrator"},
    "POST csv-upload": {"collector", "administrator"},
    "POST captures": {"collector", "operator", "administrator"},
    "POST capture-bulk": {"collector", "operator", "administrator"},
    "POST diagnoses": {"diagnoser", "administrator"},
    "POST diagnosis-bulk": {"diagnoser", "administrator"},
    "POST acknowledge": {"operator", "administrator"},
    "POST shelve": {"operator", "administrator"},
    "POST unshelve": {"operator", "administrator"},
    "POST note": {"operator", "administrator"},
    "POST close": {"operator", "administrator"},
}
PAGES = {"docs", "redoc"}  # for people who are logged in, whatever their role
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
PATHS = {pattern.name.removeprefix("api-"): pattern for pattern in api.urlpatterns}
OPERATIONS = [
    (name, method)
    for name, pattern in PATHS.items()
    for method in METHODS
    if hasattr(pattern.callback.view_class, "get" if method == "HEAD" else method.lower())
]
BODIES = {
    "samples": SAMPLE,
    "sample-bulk": [SAMPLE],
    "captures": CAPTURE,
    "capture-bulk": "--x--\r\n",
    "diagnoses": DIAGNOSIS,
    "diagnosis-bulk": [DIAGNOSIS],
    "machines": {"name": "g7"},
    "machine": {"name": "g1"},
    "sensors": {"machine_name": "g1", "sensor_no": "sensor7"},
    "sensor": {"machine_name": "g1", "sensor_no": "sensor1"},
    "acknowledge": {"revision": 1},
    "shelve": {"revision": 1, "reason": "spare part ordered"},
    "unshelve": {"revision": 2},
    "note": {"comment": "loud"},
    "close": {"revision": 1, "verdict": "false"},
}
OF_CAPTURE = ["capture", "capture-cursors", "capture-fault-frequencies", "capture-samples", "capture-spectrum"]
OF_CAPTURE += ["capture-waveform"]
MULTIPART = {"csv-upload", "capture-bulk"}
CURSORS = "kind=harmonics&hz=25"
QUERIES = dict.fromkeys(["spectrum", "waveform", "features"], "?machine_name=g1&sensor_no=sensor1")
QUERIES |= dict.fromkeys(["trend", "trend-numbers"], "?machine_name=g1") | {
    "waterfall": "?machine_name=g1&series=sensor1/x"
}
QUERIES |= {"cursors": f"{QUERIES['spectrum']}&state=normal&{CURSORS}", "capture-cursors": f"?{CURSORS}"}


def call(program: Program, name: str, method: str) -> int:
    """The status of a request that is good in all but perhaps the right to make it."""
    recording = make_recording(3)
    Machine.objects.create(name="spare")
    numbers = {
        "machine": Machine.objects.get(name="spare").pk,
        "sensor": Sensor.objects.create(machine=recording.sensor.machine, sensor_no="spare").pk,
        "recording": recording.pk,
    }
    numbers |= dict.fromkeys(OF_CAPTURE, a_capture()) if name in [*OF_CAPTURE, "waterfall"] else {}
    path = PATHS[name].pattern.regex.pattern.removeprefix("^").removesuffix("/?$")
    if path.startswith("episodes/"):
        numbers[name] = an_episode(shelved=name == "unshelve")
    if "(?P<pk>" in path:
        path = re.sub(r"\(\?P<pk>.*?\)", str(numbers[name]), path)
    body = BODIES.get(name) if method in ("POST", "PUT", "PATCH") else None
    if method in ("PUT", "PATCH") and name in numbers:
        body = {"machine": {"name": "spare"}, "sensor": {"machine_name": "g1", "sensor_no": "spare"}}[name]
    more = {"content_type": "multipart/form-data; boundary=x"} if name in MULTIPART else {}
    return program(method, path + QUERIES.get(name, ""), body if method != "GET" else None, **more).status_code


def a_capture() -> int:
    new = NewCapture("g1", "sensor1", "x", datetime(2026, 11, 19, tzinfo=UTC), 1_000.0, np.sin(np.arange(100)))
    [stored] = store_captures([new], register=None)
    return stored.capture.pk


def an_episode(*, shelved: bool) -> int:
    post("g1", (3, 1), (2, 1))
    number = Episode.objects.get().pk
    if shelved:
        acts.shelve(number, Actor(None, "kim"), seen=1, reason="spare part ordered", minutes=480)
    return number


def allowed(name: str, method: str) -> set[str]:
    if method in ("GET", "HEAD", "OPTIONS"):
        # The permission of a write-only path to look at is that of its data.
        return READERS
    return WRITERS[f"{method} {name}"]


@pytest.mark.parametrize("role", sorted(READERS))
@pytest.mark.parametrize(("name", "method"), [it for it in OPERATIONS if it[0] not in PAGES])
def test_a_role_may_what_it_may_and_nothing_else(roles, name, method, role):
    status = call(make_program(roles, role), name, method)
    if role in allowed(name, method):
        # 400: an upload without what it is about; 409: not here, the machine to delete holds nothing
        assert status in ({200, 201, 204} if name not in MULTIPART or method != "POST" else {400})
    else:
        assert status == 403


@pytest.mark.parametrize(("name", "method"), OPERATIONS)
def test_nobody_does_anything_without_login_or_token(name, method):
    status = call(Program(None, Client()), name, method)
    if name in PAGES:
        assert status == 302  # to the login page
    else:
        assert status == 401


@pytest.mark.parametrize(("name", "method"), [it for it in OPERATIONS if it[0] not in PAGES])
def test_a_person_without_a_role_may_not_either(name, method, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_user("newcomer"))
    status = call(Program(None, client), name, method)
    assert status == (200 if name == "schema" else 403)  # the schema says nothing of the plant


@pytest.mark.parametrize(("name", "method"), [it for it in OPERATIONS if it[0] in PAGES])
def test_the_documentation_is_for_who_is_logged_in(name, method, user):
    client = Client()
    client.force_login(user)
    assert call(Program(None, client), name, method) == (200 if method in ("GET", "HEAD", "OPTIONS") else 405)


def test_a_token_may_no_more_than_its_own_role(roles):
    """Even that of a superuser: who steals a collector's token can post samples, not more."""
    program = make_program(roles, "collector")
    get_user_model().objects.update(is_superuser=True)
    assert program.post("vibration-data/bulk", []).status_code == 200
    assert program.post("vibration-diagnosis/bulk", []).status_code == 403
    assert program.post("machines", {"name": "g1"}).status_code == 403


def test_a_token_may_nothing_when_its_user_has_lost_the_role(roles):
    program = make_program(roles, "collector")
    user = get_user_model().objects.get()
    user.groups.set([roles["viewer"]])
    assert program.post("vibration-data/bulk", []).status_code == 403
    assert program.get("machines").status_code == 403


def test_a_page_is_for_those_with_a_role(client, django_user_model, user):
    client.force_login(django_user_model.objects.create_user("newcomer"))
    assert client.get("/vibration/").status_code == 403
    client.force_login(user)
    assert client.get("/vibration/").status_code == 200


def test_a_form_of_another_site_can_not_use_the_login(user, roles):
    user.groups.add(roles["collector"])
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    answer = client.post("/api/vibration-data/bulk", "[]", content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
