"""The OpenAPI schema: complete, without warnings, and true: every operation is called as its examples say."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import jsonschema
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from diagnosis.models import Episode
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.tests.world import post
from himmes.accounts.tokens import make_token
from himmes.api.tests.api_world import Program, make_program
from machines.models import Machine, Sensor
from vibration.tests.world import KAMP_ROWS

pytestmark = pytest.mark.database  # which numbers a field takes in, Django asks the database

METHODS = ("get", "post", "put", "patch", "delete")
HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def schema():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(schema, default=str))  # as a program gets it


def operations() -> list[tuple[str, str]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [(method, path) for path, item in schema["paths"].items() for method in METHODS if method in item]


def example(media: dict):
    """The first example of a body, of a request or of an answer."""
    examples = list(media.get("examples", {}).values())
    return examples[0]["value"] if examples else None


def check(instance, schema: dict, whole: dict) -> None:
    """Validate against OpenAPI 3.0's dialect, of which `nullable` is what matters here."""

    def translate(node):
        if isinstance(node, list):
            return [translate(it) for it in node]
        if not isinstance(node, dict):
            return node
        node = {name: translate(it) for name, it in node.items()}
        if node.pop("nullable", False):
            return {"anyOf": [node, {"type": "null"}]}
        return node

    root = translate({"components": whole["components"]}) | {"allOf": [translate(schema)]}
    jsonschema.validate(instance, root, format_checker=jsonschema.FormatChecker())


def test_the_schema_has_no_warnings(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


@pytest.mark.parametrize(("method", "path"), operations())
def test_every_operation_speaks_korean_and_english_and_shows_examples(schema, method, path):
    operation = schema["paths"][path][method]
    for text in (operation["summary"], operation["description"], *operation["tags"]):
        assert HANGUL.search(text), text
        assert re.search("[A-Za-z]", text), text
    assert len(operation["tags"]) == 1
    assert operation["security"] == [{"token": []}, {"cookieAuth": []}]
    assert {"400", "401", "403", "404", "429"} <= set(operation["responses"])
    for status, response in operation["responses"].items():
        assert response["description"] or int(status) < 300
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]
    for body in operation.get("requestBody", {}).get("content", {}).values():
        is_binary = body["schema"].get("format") == "binary"
        assert "multipart" in str(operation["requestBody"]) or is_binary or example(body) is not None


def test_operations_have_names_that_make_functions(schema):
    names = [operation["operationId"] for item in schema["paths"].values() for operation in item.values()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert not any(path.endswith("/") for path in schema["paths"])


def test_examples_are_of_the_shape_that_they_are_examples_of(schema):
    seen = 0
    for item in schema["paths"].values():
        for operation in item.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for media_type, media in ((name, it) for body in bodies for name, it in body.get("content", {}).items()):
                if "json" in media_type:
                    for shown in media.get("examples", {}).values():
                        check(shown["value"], media["schema"], schema)
                        seen += 1
    assert seen > 30


@pytest.fixture
def program(roles):
    """In a world in which every example can be carried out, beginning with the posts."""
    return make_program(roles, "administrator")


@pytest.fixture
def operator_program(roles, operator):
    """That of the control room, as the examples of acts have it."""
    return Program(make_token(operator, roles["operator"], name="control-room")[1], Client())


def seed(program: Program, schema: dict, method: str, path: str) -> dict[str, int]:
    """What an operation needs to be there; the numbers that its path takes."""
    if path.startswith("/api/episodes"):
        instants = (datetime(2026, 11, 20, 0, minute, tzinfo=UTC) for minute in (30, 31))
        post("g1", *((at, 2) for at in instants), model="cnn-v3", confidence=0.93)
        number = Episode.objects.get().pk
        if path.endswith("/unshelve"):
            acts.shelve(number, Actor(None, "kim / control-room"), seen=1, reason="bearing ordered", minutes=480)
        return {"episodes": number}
    if method == "get":
        [sample] = [
            example(schema["paths"]["/api/vibration-data"]["post"]["requestBody"]["content"]["application/json"])
        ]
        assert program.post("vibration-data", sample).status_code == 201
        diagnosis = example(
            schema["paths"]["/api/vibration-diagnosis"]["post"]["requestBody"]["content"]["application/json"]
        )
        assert program.post("vibration-diagnosis", diagnosis).status_code == 201
        capture = example(schema["paths"]["/api/captures"]["post"]["requestBody"]["content"]["application/json"])
        assert program.post("captures", capture).status_code == 201
        machine, sensor = Machine.objects.get(), Sensor.objects.get()
        numbers = {"recordings": sensor.recordings.get().pk, "captures": sensor.captures.get().pk}
        return numbers | {"machines": machine.pk, "sensors": sensor.pk}
    if "sensors" in path or "{id}" in path:
        machine = Machine.objects.create(name="g1")
        if "{id}" in path:
            sensor = Sensor.objects.create(machine=machine, sensor_no="sensor1") if "sensors" in path else None
            return {"machines": machine.pk, "sensors": sensor and sensor.pk}
    return {}


# What differs from call to call: numbers of rows, and the time of the call itself
CHANGING = {"id", "import_run", "seconds", "created_at", "last_written_at", "now", "received_at", "source"}
CHANGING |= {"episode", "at", "acknowledged_at", "shelved_until", "closed_at", "ended_at"}
# Where the example is that of a time
_DAY = "&started_at_after=2026-11-20T00:00:00&started_at_before=2026-11-21T00:00:00"
QUERIES = {
    "/api/vibration-diagnosis/timeline": "?start=2026-11-20T00:00:00&end=2026-11-21T00:00:00",
    "/api/trend": _DAY,
    "/api/trend/numbers": _DAY,
    "/api/waterfall": f"{_DAY}&rows=1",
}


def settled(value):
    if isinstance(value, list):
        return [settled(it) for it in value]
    if isinstance(value, dict):
        return {name: it and "changes" if name in CHANGING else settled(it) for name, it in value.items()}
    return value


def form(schema: dict, path: str) -> dict:
    """What a multipart post is about."""
    if path == "/api/captures/bulk":
        posted = example(schema["paths"]["/api/captures"]["post"]["requestBody"]["content"]["application/json"])
        described = {name: value for name, value in posted.items() if name != "values"} | {"part": "x"}
        samples = SimpleUploadedFile("x", np.array(posted["values"], "<f4").tobytes())
        return {"captures": json.dumps([described]), "x": samples}
    return {"file": SimpleUploadedFile("g1_sensor1.csv", KAMP_ROWS.encode())}


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), operations())
def test_each_operation_is_called_as_its_example_says(program, operator_program, schema, method, path):
    operation = schema["paths"][path][method]
    numbers = seed(program, schema, method, path)
    if path.startswith("/api/episodes/"):
        program = operator_program
    address = path.removeprefix("/api/").replace("{id}", str(numbers.get(path.split("/")[2])))
    required = [it["name"] for it in operation.get("parameters", []) if it["in"] == "query" and it.get("required")]
    values = {"machine_name": "g1", "sensor_no": "sensor1", "series": "sensor1/x"}
    values |= {"state": "normal", "kind": "harmonics", "hz": "25"}
    if required:
        address += "?" + "&".join(f"{name}={values[name]}" for name in required)
    address += QUERIES.get(path, "")
    contents = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in contents:
        answer = program.client.post(path, form(schema, path), headers={"Authorization": f"Bearer {program.token}"})
    else:
        body = example(contents["application/json"]) if contents else None
        answer = program(method.upper(), address, body)
    assert 200 <= answer.status_code < 300, answer.content
    documented = operation["responses"][str(answer.status_code)]
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.status_code == 204:
        assert not answer.content
        return
    media = documented["content"][media_type]
    if path == "/api/schema":
        return
    check(answer.json(), media["schema"], schema)
    if shown := example(media):
        assert settled(answer.json()) == settled(shown)


@pytest.mark.django_db
def test_the_csv_examples_are_what_is_sent(program, schema):
    seed(program, schema, "get", "")
    for path in ("vibration-data", "vibration-diagnosis"):
        answer = program.get(f"{path}?format=csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        assert text == example(schema["paths"][f"/api/{path}"]["get"]["responses"]["200"]["content"]["text/csv"])


@pytest.mark.django_db
def test_the_csv_example_of_an_episode_is_what_is_sent_but_for_its_number(program, schema):
    seed(program, schema, "get", "/api/episodes")
    text = b"".join(program.get("episodes?format=csv").streaming_content).decode("utf-8-sig")
    shown = example(schema["paths"]["/api/episodes"]["get"]["responses"]["200"]["content"]["text/csv"])
    assert re.sub(r"^\d+,", "1,", text, flags=re.MULTILINE) == shown


@pytest.mark.django_db
def test_the_schema_is_served_as_json_and_yaml(program):
    assert program.get("schema?format=json").json()["openapi"].startswith("3.")
    assert b"openapi: 3." in program.get("schema").content
    assert Client().get("/api/schema").status_code == 401


# Without a login, which would ask a database: it is about how the schema is made.
TWO_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from rest_framework.permissions import AllowAny
from rest_framework.test import APIRequestFactory
from himmes.api.docs import Schema
ask = Schema.as_view(authentication_classes=[], permission_classes=[AllowAny], throttle_classes=[])
with ThreadPoolExecutor(2) as pool:
    print([it.status_code for it in pool.map(ask, [APIRequestFactory().get("/api/schema") for _ in range(2)])])
"""


def test_of_two_who_ask_first_at_once_each_gets_the_schema():
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "himmes.settings"}
    told = subprocess.run([sys.executable, "-c", TWO_AT_ONCE], env=env, capture_output=True, text=True, check=False)
    assert told.stdout == "[200, 200]\n", told.stderr
