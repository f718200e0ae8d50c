"""Odd requests, each answered as a person would wish: in one shape, with what is wrong and what to do."""

import gzip
import json
import logging.config
import unicodedata

import jsonschema
import pytest
from django.core.exceptions import TooManyFilesSent
from django.db import IntegrityError, OperationalError, connection
from django.test import Client, RequestFactory, override_settings

from diagnosis.states import FaultType
from diagnosis.storage import writing
from himmes.api.errors import MEDIA_TYPE
from himmes.api.schema import PROBLEM
from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, Program, make_program
from himmes.api.urls import urlpatterns
from himmes.wsgi_handler import Utf8Request
from machines.models import Machine
from machines.serializers import MachineNameField, MachineSerializer
from vibration.models import VibrationData
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db

UNKNOWN_STATE = max(FaultType) + 1


@pytest.fixture
def program(roles):
    return make_program(roles, "administrator")


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["type"] == "about:blank"
    # What the schema says of errors is what is sent; the report of an upload is looked at with the uploads.
    jsonschema.validate(told, PROBLEM | {"components": {"schemas": {"ImportReport": {"type": "object"}}}})
    return told


def refused(answer) -> dict[str, str]:
    """The message of each field of a 400."""
    return {it["field"]: it["message"] for it in problem(answer, 400)["errors"]}


# --- Not a request of this API


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["nothing", "", "machines/x", "machines/1/2", "vibration-data/bulk/x", "%00", "한글"])
def test_an_unknown_address_is_answered_in_json(program, path, debug, settings):
    settings.DEBUG = debug
    problem(program.get(path), 404)
    problem(Program(None, Client()).get(path), 404)


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_ours_is_answered_in_json_without_its_insides(program, settings, monkeypatch, debug):
    settings.DEBUG = debug
    monkeypatch.setattr("vibration.api.views.Posted", lambda *given: 1 / 0)
    program.client.raise_request_exception = False
    told = problem(program.post("vibration-data/bulk", []), 500)
    assert "ZeroDivision" not in json.dumps(told)


def test_a_wrong_host_is_answered_in_json(program):
    problem(program.get("machines", headers={"Host": "evil.example"}), 400)


def test_the_length_of_an_answer_is_right(program):
    for answer in (program.get("nothing"), program.get("machines"), program.get("machines/9")):
        if "Content-Length" in answer.headers:
            assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_wrong_method_names_itself_and_what_is_allowed(program, roles):
    for caller in (program, make_program(roles, "viewer")):
        told = caller("DELETE", "vibration-data/bulk")
        assert "DELETE" in problem(told, 405)["detail"]
        assert "POST" in told.headers["Allow"]
    problem(program.get("vibration-diagnosis/bulk"), 405)


def test_errors_are_in_english_whatever_the_caller_reads(program):
    for language in ("ko", "en", "fr"):
        answer = program.post("machines", {}, headers={"Accept-Language": language})
        assert refused(answer) == {"name": "This field is required."}
        assert answer.headers["Content-Language"] == "en"


def test_an_unknown_format_is_not_found_and_an_unwanted_one_not_acceptable(program):
    problem(program.get("vibration-data", {"format": "xml"}), 404)
    problem(program.get("machines", headers={"Accept": "image/png"}), 406)
    assert program.get("machines", headers={"Accept": "text/html,*/*;q=0.8"}).status_code == 200


def test_every_error_is_json_whatever_was_asked_for(program):
    problem(program.get("schema?format=x"), 404)
    problem(program.post("schema", {}), 405)
    problem(Program(None, Client()).get("schema"), 401)


def test_head_and_options_know_the_csv_export(program):
    make_recording(3)
    assert program("HEAD", "vibration-data?format=csv").status_code == 200
    assert "text/csv" in program("OPTIONS", "vibration-data").json()["renders"]


def test_an_error_of_a_csv_export_is_json_too(program):
    problem(program.get("vibration-data", {"format": "csv", "machin_name": "g1"}), 400)


# --- Bodies


@pytest.mark.parametrize(
    "body", ["[", "{]", '[{"a": 1,}]', "nul", b"\xff\xfe", '{"a": 1} x', "[" * 100_000, "1" * 5_000, '["\ud800"']
)
def test_a_broken_body_is_a_400_that_says_so(program, body):
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    assert "not valid JSON" in problem(program.post("vibration-data/bulk", body), 400)["detail"]


def test_a_key_given_twice_is_not_decided_in_silence(program):
    body = json.dumps([SAMPLE])[:-2] + ', "normal": 5}]'
    assert 'key "normal" twice' in problem(program.post("vibration-data/bulk", body), 400)["detail"]


@pytest.mark.parametrize("body", [{}, SAMPLE, "text", 5, None, True, {"rows": []}])
def test_a_bulk_that_is_no_list_is_told_so(program, body):
    for path in ("vibration-data/bulk", "vibration-diagnosis/bulk"):
        assert "JSON list" in problem(program.post(path, ""), 400)["detail"]
        assert "JSON list" in problem(program.post(path, json.dumps(body)), 400)["detail"]


@pytest.mark.parametrize("body", [[], [SAMPLE], "text", 5, None, True])
def test_a_single_row_that_is_no_object_is_told_so(program, body):
    for path in ("vibration-data", "vibration-diagnosis", "machines"):
        problem(program.post(path, json.dumps(body)), 400)


@pytest.mark.parametrize("row", [None, 5, "text", [], [SAMPLE]])
def test_a_row_that_is_no_object_is_named_beside_the_others(program, row):
    answer = program.post("vibration-data/bulk", [SAMPLE, row, SAMPLE | {"normal": "x"}])
    assert [(it["row"], it["field"]) for it in problem(answer, 400)["errors"]] == [(1, ""), (2, "normal")]


def test_another_media_type_is_not_guessed_at(program):
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/csv",
    ):
        problem(program.post("vibration-data/bulk", "[]", content_type=media_type), 415)
    problem(program.post("vibration-data/csv", "[]"), 415)
    assert program.post("vibration-data/bulk", "[]", content_type="application/json; charset=zlib").status_code == 200
    assert program.post("vibration-data/bulk", "[]", content_type="application/json; charset=utf-8").status_code == 200


def test_encodings_are_explained(program):
    zipped = gzip.compress(b"[]")
    assert (
        "gzip" in problem(program.post("vibration-data/bulk", "[]", headers={"Content-Encoding": "br"}), 415)["detail"]
    )
    headers = {"Content-Encoding": "gzip"}
    assert "not gzip" in problem(program.post("vibration-data/bulk", "[]", headers=headers), 400)["detail"]
    assert "ends before" in problem(program.post("vibration-data/bulk", zipped[:-4], headers=headers), 400)["detail"]
    twice = gzip.compress(b"[") + gzip.compress(b"]")
    assert (
        "one gzip member"
        in problem(program.post("vibration-data/bulk", zipped + zipped, headers={"Content-Encoding": "gzip"}), 400)[
            "detail"
        ]
    )
    problem(program.post("vibration-data/bulk", twice, headers={"Content-Encoding": "gzip"}), 400)
    headers = {"Transfer-Encoding": "chunked"}
    for path, media_type in (("bulk", "application/json"), ("csv", "multipart/form-data; boundary=x")):
        answer = program.post(f"vibration-data/{path}", "[]", headers=headers, content_type=media_type)
        assert "Content-Length" in problem(answer, 411)["detail"]


def test_a_zip_bomb_is_stopped_at_the_limit(program, settings):
    settings.API_MAX_BODY_BYTES = 100_000
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    problem(program.post("vibration-data/bulk", bomb, headers={"Content-Encoding": "gzip"}), 413)


# --- Values


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('"0.5"', "not the text"),
        ('"NaN"', "not the text"),
        ("NaN", "finite"),
        ("Infinity", "finite"),
        ("-Infinity", "finite"),
        ("1e400", "finite"),
        ("1" + "0" * 400, "finite"),
        ("1e101", "less than or equal"),
        ("null", "null"),
        ("true", "not true"),
        ("[1]", "not [1]"),
        ('{"a": 1}', "number"),
    ],
)
def test_a_value_that_is_no_number_is_refused_by_row_and_field(program, value, said):
    body = json.dumps([SAMPLE, SAMPLE | {"looseness": "HERE"}]).replace('"HERE"', value)
    [error] = problem(program.post("vibration-data/bulk", body), 400)["errors"]
    assert (error["row"], error["field"]) == (1, "looseness")
    assert said in error["message"]
    body = json.dumps(SAMPLE | {"looseness": "HERE"}).replace('"HERE"', value)
    assert said in refused(program.post("vibration-data", body))["looseness"]
    assert not VibrationData.objects.exists()


@pytest.mark.parametrize(("time", "said"), [(-0.001, "greater"), (1e10 + 1, "less"), ("0", "text"), (None, "null")])
def test_a_measured_time_is_a_number_of_seconds(program, time, said):
    assert said in refused(program.post("vibration-data", SAMPLE | {"measured_time": time}))["measured_time"]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2026-11-20", "Write the time"),
        ("20.11.2026 09:30", "Write the time"),
        ("yesterday", "Write the time"),
        ("", "Write the time"),
        (1_795_000_000, "Write the time"),
        ("2026-W47-5", "Write the time"),
        ("2026-02-30T00:00:00", "no such time"),
        ("2026-11-20T25:00:00", "no such time"),
        ("2026-11-20T09:30:60", "no such time"),
        ("0001-01-01T00:00:00+14:00", "no such time"),
        ("2026-11-20T09:30:00.1234567", "microseconds"),
        ("1970-01-01T00:00:07Z", "before the year 2000 (DJANGO_EARLIEST_YEAR). Was the sender's clock reset"),
        ("1999-12-31T23:59:59", "before the year 2000"),
        ("1999-12-31T14:59:59Z", "before the year 2000"),
        ("2999-01-01T00:00:00", "in the future"),
    ],
)
def test_a_time_that_can_not_be_meant_is_explained(program, time, said):
    assert said in refused(program.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": time}))["detected_at"]
    [error] = problem(program.post("vibration-diagnosis/bulk", [DIAGNOSIS, DIAGNOSIS | {"detected_at": time}]), 400)[
        "errors"
    ]
    assert (error["row"], error["field"], said in error["message"]) == (1, "detected_at", True)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-20T09:30",
        "2026-11-20 09:30:00",
        "2026-11-20t09:30:00z",
        "2026-11-20T09:30:00.5+0900",
        "2026-11-20T09:30:00,5+09",
        "2026-11-20T09:30:00.1234560000",
        "2000-01-01T00:00:00",
    ],
)
def test_the_ways_to_write_a_time_that_programs_use_are_read(program, time):
    assert program.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": time}).status_code == 201


@override_settings(TIME_ZONE="America/New_York")
def test_a_plant_time_of_a_clock_change_needs_its_offset(program):
    for time in ("2026-03-08T02:30:00", "2026-11-01T01:30:00"):  # never, and twice
        wrong = refused(program.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": time}))
        assert "clocks are changed" in wrong["detected_at"]
        errors = problem(program.post("vibration-diagnosis/bulk", [DIAGNOSIS | {"detected_at": time}]), 400)["errors"]
        assert "clocks are changed" in errors[0]["message"]
    answer = program.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": "2026-11-01T01:30:00-05:00"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "name", ["펌프 3", "A/B", "g1 🏭", "../../etc", "<b>x</b>", "'; DROP TABLE--", "%", "g" * 50, "Ω₁"]
)
def test_any_printable_name_is_a_name(program, name):
    assert program.post("vibration-data", SAMPLE | {"machine_name": name}).status_code == 201
    assert program.post("vibration-diagnosis", DIAGNOSIS | {"machine_name": name}).json()["machine_name"] == name
    assert Machine.objects.get().name == name
    assert len(program.get("vibration-data", {"machine_name": name}).json()) == 1
    assert program.get("vibration-data/waveform", {"machine_name": name, "sensor_no": "sensor1"}).json()["samples"] == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("g" * 51, "at most 50"),
        ("", "blank"),
        ("   ", "blank"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("\ud800", "control"),
        (5, "Must be a text, not 5"),
        (None, "null"),
        (["g1"], "Must be a text"),
    ],
)
def test_a_name_that_is_none_is_refused(program, name, said):
    assert said in refused(program.post("vibration-data", SAMPLE | {"machine_name": name}))["machine_name"]
    assert said in refused(program.post("vibration-diagnosis", DIAGNOSIS | {"machine_name": name}))["machine_name"]
    assert not Machine.objects.exists()


def test_names_are_one_however_their_letters_are_composed(program):
    composed = "펌프"
    apart = unicodedata.normalize("NFD", composed)
    for name in (composed, apart, f" {composed} "):
        program.post("vibration-data", SAMPLE | {"machine_name": name})
    assert Machine.objects.get().name == composed


@pytest.mark.parametrize(
    ("value", "said"),
    [(UNKNOWN_STATE, f"{max(FaultType)}"), (-1, "0"), (1.5, "1.5"), ("2", '"2"'), (None, "null"), (True, "true")],
)
def test_a_fault_type_is_one_of_the_known_numbers(program, value, said):
    assert said in refused(program.post("vibration-diagnosis", DIAGNOSIS | {"fault_type": value}))["fault_type"]
    assert (
        program.post("vibration-diagnosis", DIAGNOSIS | {"fault_type": 3.0}).status_code == 201
    )  # JSON knows one number


def test_unknown_fields_are_named(program):
    assert "Known:" in refused(program.post("vibration-data", SAMPLE | {"recordng": "x"}))["recordng"]
    assert set(refused(program.post("machines", {"name": "g1", "rpm": 5}))) == {"rpm"}
    assert set(refused(program.post("vibration-diagnosis", DIAGNOSIS | {"type": 5}))) == {"type"}


def test_a_key_that_is_no_text_for_a_database_is_named_too(program):
    answer = program.post("vibration-data", json.dumps(SAMPLE)[:-1] + ', "\\ud800": 1, "": 2}')
    assert len(problem(answer, 400)["errors"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        [{f"key {number}": 0} for number in range(10_000)],
        {str(number): 0 for number in range(50_000)} | {"twice": 1},
        SAMPLE | {"machine_name": "a" + "\u0301\u0316" * 100_000},
        [SAMPLE | {"machine_name": f"g{number}"} for number in range(1_000)],
    ],
    ids=["a key of its own in each row", "many keys", "a name that takes long to compose", "many machines"],
)
def test_a_small_body_is_no_long_work(program, body):
    """Seconds of work for some hundred kB, found by measuring; here the error and its size are looked at, not time."""
    path = "vibration-data/bulk" if isinstance(body, list) else "vibration-data"
    answer = program.post(path, body)
    problem(answer, 413 if "recordings" in answer.json()["detail"] else 400)
    assert len(answer.content) < 100_000
    assert not Machine.objects.exists()


def test_a_doubled_key_among_many_is_found_at_once(program):
    body = "{" + ", ".join(f'"{number}": 0' for number in [*range(50_000), 49_999]) + "}"
    assert 'key "49999" twice' in problem(program.post("vibration-data", body), 400)["detail"]


def test_the_charset_of_a_header_does_not_decide_how_texts_are_read():
    environ = RequestFactory().get("/api/machines?name=%ED%8E%8C%ED%94%84").environ
    for charset in ("idna", "zlib", "utf-16", "undefined"):
        request = Utf8Request(environ | {"CONTENT_TYPE": f"text/plain; CharSet={charset}"})
        assert request.GET["name"] == "펌프"


def test_a_fault_is_logged_with_debug_off(program, monkeypatch, capfd, settings):
    logging.config.dictConfig(settings.LOGGING)
    monkeypatch.setattr("vibration.api.views.Posted", lambda *given: 1 / 0)
    program.client.raise_request_exception = False
    program.post("vibration-data/bulk", [])
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert program.token not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (IntegrityError(1451, "a foreign key constraint fails"), 409),
        (IntegrityError(1452, "a foreign key constraint fails"), 409),
        (IntegrityError("FOREIGN KEY constraint failed"), 409),
        (connection.Database.OperationalError(1205, "Lock wait timeout exceeded"), 503),
        (OperationalError(1205, "Lock wait timeout exceeded"), 503),
        (OperationalError("database is locked"), 503),
        (TooManyFilesSent("too many"), 413),
    ],
)
def test_what_comes_in_between_is_no_fault_of_the_server(program, monkeypatch, error, status):
    def fail(columns, **more):
        raise error

    monkeypatch.setattr("vibration.api.views.post_samples", fail)
    answer = program.post("vibration-data/bulk", [])
    problem(answer, status)
    assert status != 503 or answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(1062, "Duplicate entry 'g1' for key 'name'"),
        IntegrityError("UNIQUE constraint failed: vibration_data.recording_id"),
        IntegrityError(1048, "Column 'name' cannot be null"),
        IntegrityError("CHECK constraint failed: x"),
    ],
)
def test_rows_of_ours_that_the_database_refuses_are_a_fault_of_the_server(program, monkeypatch, caplog, error):
    """Nobody else can help it by sending it again."""

    def fail(columns, **more):
        raise error

    monkeypatch.setattr("vibration.api.views.post_samples", fail)
    program.client.raise_request_exception = False
    answer = program.post("vibration-data/bulk", [])
    assert problem(answer, 500)["request_id"] == answer.headers["X-Request-ID"]
    [record] = [it for it in caplog.records if it.levelname == "ERROR"]
    assert record.exc_info[1] is error


def test_a_fault_type_that_the_table_does_not_know_is_a_fault_of_the_server(roles, monkeypatch):
    """As when a migration is missing: the database's own check refuses it, and to try again would not help."""
    with_machines = writing._with_machines
    unknown = {"fault_type": len(FaultType)}
    monkeypatch.setattr(writing, "_with_machines", lambda rows: [it._replace(**unknown) for it in with_machines(rows)])
    diagnoser = make_program(roles, "diagnoser")
    diagnoser.client.raise_request_exception = False
    problem(diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS]), 500)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_machine_that_is_deleted_while_its_sensor_is_saved_is_a_conflict(program, monkeypatch, method):
    program.post("machines", {"name": "g1"})
    program.post("machines", {"name": "g2"})
    sensor = program.post("sensors", {"machine_name": "g1", "sensor_no": "1"}).json()["id"]
    find = MachineNameField.to_internal_value

    def find_and_lose(self, data):
        found = find(self, data)
        Machine.objects.filter(pk=found.pk).delete()
        return found

    monkeypatch.setattr(MachineNameField, "to_internal_value", find_and_lose)
    path = "sensors" if method == "POST" else f"sensors/{sensor}"
    answer = program(method, path, {"machine_name": "g2", "sensor_no": "2"})
    assert "was changed or deleted meanwhile" in problem(answer, 409)["detail"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_one_name_at_once_the_second_is_refused_as_a_later_one_is(program, monkeypatch):
    valid = MachineSerializer.is_valid

    def valid_but_late(self, **more):
        found = valid(self, **more)
        Machine.objects.create(name="g1")
        return found

    monkeypatch.setattr(MachineSerializer, "is_valid", valid_but_late)
    assert "Another request has just saved one" in problem(program.post("machines", {"name": "g1"}), 400)["detail"]


def test_another_error_at_saving_a_machine_is_not_said_to_be_its_name(program, monkeypatch):
    def fail(self, **more):
        raise IntegrityError(1048, "Column 'notes' cannot be null")

    monkeypatch.setattr(MachineSerializer, "save", fail)
    program.client.raise_request_exception = False
    problem(program.post("machines", {"name": "g1"}), 500)


# --- Query strings


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("vibration-data", "machin_name=g1", "machin_name"),
        ("vibration-data", "machine_name=g1&machine_name=g2", "machine_name"),
        ("vibration-data", "machine_name=", "machine_name"),
        ("vibration-data", "cursor=", "cursor"),
        ("vibration-diagnosis/grouped-recent", "machine_name=", "machine_name"),
        ("vibration-diagnosis", "fault_type=", "fault_type"),
        ("machines", "limit=", "limit"),
        ("vibration-data", "measured_time_min=soon", "measured_time_min"),
        ("vibration-data", "measured_time_min=nan", "measured_time_min"),
        ("vibration-data", "measured_time_max=inf", "measured_time_max"),
        ("vibration-data", "collected_at_after=soon", "collected_at_after"),
        ("vibration-data", "limit=0", "limit"),
        ("vibration-data", "limit=-1", "limit"),
        ("vibration-data", "limit=abc", "limit"),
        ("vibration-data", "limit=5&limit=6", "limit"),
        ("vibration-data", "cursor=x", "cursor"),
        ("vibration-data", "cursor=1:nan", "cursor"),
        ("vibration-data", "cursor=1:9e999", "cursor"),
        ("vibration-data", "cursor=1_0:0", "cursor"),
        ("vibration-data", "cursor=-1:0", "cursor"),
        ("vibration-data/grouped-range", "per_group_limit=0", "per_group_limit"),
        ("vibration-data/grouped-range", "per_group_limit=many", "per_group_limit"),
        ("vibration-data/grouped-range", "limit=5", "limit"),
        ("vibration-diagnosis", f"fault_type={UNKNOWN_STATE}", "fault_type"),
        ("vibration-diagnosis", "detected_at_before=2026-13-01T00:00:00", "detected_at_before"),
        ("vibration-diagnosis", "cursor=99999", "cursor"),
        ("vibration-diagnosis/grouped-recent", "n=5", "n"),
        ("vibration-diagnosis/latest", "machine=g1", "machine"),
        ("machines", "is_active=perhaps", "is_active"),
        ("machines", "limit=0", "limit"),
        ("machines", "cursor=99", "cursor"),
        ("sensors", "cursor=1:0", "cursor"),
        ("recordings", "cursor=-1", "cursor"),
        ("machines", "page=1", "page"),
        ("recordings", "name=x", "name"),
    ],
)
def test_a_wrong_query_is_answered_with_the_name_of_its_field(program, path, query, field):
    assert list(refused(program.get(f"{path}?{query}"))) == [field]


# Of the paths without a number, those of the API's own documentation aside
READ = [
    it.pattern._regex.removeprefix("^").removesuffix("/?$")
    for it in urlpatterns
    if hasattr(it.callback.view_class, "get") and not it.pattern.regex.groups and "docs." not in it.lookup_str
]


@pytest.mark.parametrize("path", READ)
def test_no_path_passes_over_a_parameter_that_it_does_not_know_or_gets_twice(program, path):
    wrong = refused(program.get(f"{path}?no_such=1&format=json&format=json"))
    assert wrong["no_such"].startswith("Unknown parameter. Known: ")
    assert wrong["format"] == "Given more than once."


def test_a_plus_that_the_query_string_made_a_space_is_read_as_meant(program):
    """`+09:00` unescaped arrives as ` 09:00`; people forget to escape it."""
    program.post("vibration-data", SAMPLE)
    for time, found in (("2026-11-20T09:30:00+09:00", 1), ("2026-11-20T09:30:01+09:00", 0), ("2026-11-20 09:30", 1)):
        assert len(program.get(f"vibration-data?collected_at_after={time}").json()) == found


def test_too_many_calls_are_told_when_to_come_back(program, settings):
    rest = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"caller": "3/minute", "stranger": "2/minute"}}
    from rest_framework.throttling import SimpleRateThrottle

    settings.REST_FRAMEWORK = rest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rest["DEFAULT_THROTTLE_RATES"])
        assert [program.get("machines").status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = program.get("machines")
        problem(answer, 429)
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        stranger = Program("wrong", Client())
        assert [stranger.get("machines").status_code for _ in range(3)] == [401, 401, 429]
        # An address can't be made up.
        assert stranger.get("machines", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 429


def test_no_other_origin_may_call_unless_it_is_listed(program, settings):
    assert "Access-Control-Allow-Origin" not in program.get("machines", headers={"Origin": "https://x.example"}).headers
    settings.CORS_ALLOWED_ORIGINS = ["https://hmi.example"]
    origin = {"Origin": "https://hmi.example"}
    assert program.get("machines", headers=origin).headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert program.get("nothing", headers=origin).headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert "Access-Control-Allow-Origin" not in Client().get("/login/", headers=origin).headers
    assert "Access-Control-Allow-Origin" not in program.get("machines", headers={"Origin": "https://x.example"}).headers
    ask = origin | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = Client().options("/api/vibration-data/bulk", headers=ask)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, origin["Origin"])
