"""What an upload may cost: bytes, seconds, and room on the disk."""

import gzip
import time
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from himmes.api.tests.api_world import make_program
from machines.models import Machine, RegisteredBy
from machines.registering import register_sensor
from vibration.api import upload_views as api
from vibration.files import storing
from vibration.models import ImportRun, Recording, VibrationData

pytestmark = pytest.mark.django_db

ROWS = 120_000
CONTENT = "".join(f"{row},1,2,3,4\n" for row in range(ROWS)).encode()


@pytest.fixture
def send(roles):
    """Uploads a file as a collector does."""
    program = make_program(roles, "collector")

    def send(name: str, content: bytes, **fields):
        file = SimpleUploadedFile(name, content)
        headers = {"Authorization": f"Bearer {program.token}"}
        return program.client.post("/api/vibration-data/csv", {"file": file} | fields, headers=headers)

    return send


def assert_too_much(answer, reason: str) -> int:
    """A 413 that says why, and how many rows are stored all the same; these."""
    assert answer.status_code == 413, answer.content
    told = answer.json()
    stored = VibrationData.objects.count()
    assert told["report"]["new"] == stored
    assert f"{reason}; {stored:,} of its rows are stored" in told["detail"]
    assert "import_vibration" in told["detail"]
    run = ImportRun.objects.get()
    assert (run.outcome, run.new) == (ImportRun.Outcome.FAILED, stored)
    assert f"{reason}; {stored:,} of its rows are stored" in run.message
    return stored


@pytest.mark.parametrize("compressed", [True, False])
def test_an_upload_of_more_bytes_than_are_read_is_stored_up_to_there(send, settings, compressed):
    content = gzip.compress(CONTENT) if compressed else CONTENT
    settings.API_MAX_UPLOAD_CONTENT_BYTES = len(CONTENT) - 1
    stored = assert_too_much(
        send("g1_sensor1.csv", content), f"it holds more than {len(CONTENT) - 1:,} bytes, decompressed"
    )
    assert 0 < stored < ROWS
    settings.API_MAX_UPLOAD_CONTENT_BYTES = len(CONTENT)
    told = send("g1_sensor1.csv", content).json()
    assert (told["outcome"], told["new"], told["identical"]) == ("complete", ROWS - stored, stored)


ROWS_OF_ONE = b"0,1,2,3,4\n1,1,2,3,4\n"
ROW = gzip.compress(b"0,1,2,3,4\n")


@pytest.mark.parametrize(
    "content",
    [
        ROW + gzip.compress(b"\n" * 4_000_000) * 150,
        ROW + gzip.compress(b"1" * 4_000_000) * 3_000,
        ROW + gzip.compress(b"") * 2_000_000,
    ],
    ids=["blank lines", "a line without end", "gzip members with nothing in them"],
)
def test_an_upload_that_takes_too_long_is_ended_whatever_it_holds(send, settings, content):
    settings.API_MAX_UPLOAD_CONTENT_BYTES = 10**12
    settings.API_MAX_UPLOAD_SECONDS = 1
    assert assert_too_much(send("g1_sensor1.csv.gz", content), "it takes longer than 1 s") <= 1


def test_an_upload_that_waits_for_the_database_is_ended_too(send, settings, monkeypatch):
    write = storing.write_samples

    def write_slowly(*args, **kwargs):
        time.sleep(2)
        return write(*args, **kwargs)

    monkeypatch.setattr(storing, "write_samples", write_slowly)
    settings.API_MAX_UPLOAD_SECONDS = 3
    assert 0 < assert_too_much(send("g1_sensor1.csv", CONTENT), "it takes longer than 3 s") < ROWS


def test_an_upload_lies_on_the_disk_under_no_name(send, settings, tmp_path, monkeypatch):
    """So that a process that is killed leaves nothing behind."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    import_file, seen = api.import_file, []

    def look_and_import(stream, *args, **kwargs):
        seen.append((list(tmp_path.iterdir()), stream.name))
        return import_file(stream, *args, **kwargs)

    monkeypatch.setattr(api, "import_file", look_and_import)
    answer = send("g1_sensor1.csv", b"0,1,2,3,4\n" * 100_000)
    assert answer.json()["read"] == 100_000
    [(names, descriptor)] = seen
    assert names == []
    assert isinstance(descriptor, int)  # and no path


@pytest.mark.parametrize("name", ["pump_run_20260305_090000.csv", "20260305_s1.csv", "pump_123456.csv"])
def test_a_stamp_in_the_name_of_an_upload_is_no_machine(send, name):
    answer = send(name, ROWS_OF_ONE)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["message"].endswith("; rename it, or give machine_name and sensor_no.")
    assert not Machine.objects.exists()
    assert send(name, ROWS_OF_ONE, machine_name="pump", sensor_no="s1").status_code == 200
    assert Machine.objects.get().name == "pump"


def test_an_upload_of_a_machine_that_nobody_registered_is_refused_where_that_is_set(send, settings):
    settings.API_REGISTERS_MACHINES = False
    answer = send("g1_a.csv", ROWS_OF_ONE)
    assert answer.status_code == 400
    message = "No sensor a of a machine g1 is registered; an administrator has to do so."
    assert answer.json()["errors"] == [{"field": "machine_name", "message": message}]
    assert not Machine.objects.exists()
    register_sensor("g1", "a", registered_by=RegisteredBy.ADMIN)
    assert send("g1_a.csv", ROWS_OF_ONE).status_code == 200


RUNS = b"0,1,2,3,4\n1,1,2,3,4\n0.5,1,2,3,4\n"
STAMPS = b"2026-03-05T00:00:00,1,2,3,4\n2026-03-05T00:00:00.001,1,2,3,4\n"


def test_an_upload_says_what_becomes_of_a_time_that_falls_back(send):
    answer = send("g1_a.csv", RUNS)
    assert answer.status_code == 400
    told = answer.json()
    assert "g1_a.csv:3: rejected: the time falls back from 1.0 s to 0.5 s" in told["detail"]
    assert "on_restart=split" in told["detail"]
    assert (told["report"]["outcome"], told["report"]["new"], told["report"]["rejected"]) == ("stopped", 2, 1)
    told = send("g1_a.csv", RUNS, on_restart="split").json()
    assert (told["outcome"], told["new"], told["identical"]) == ("complete", 1, 2)
    assert told["message"] == "2 recordings: default, default-2 from line 3"
    assert send("g1_a.csv", RUNS, on_restart="merge", recording="all").json()["new"] == 3


def test_an_upload_says_how_its_time_is_written(send):
    answer = send("g1_a.csv", STAMPS)
    assert answer.status_code == 400
    assert "say --time iso (in an upload time=iso)" in answer.json()["detail"]
    assert not VibrationData.objects.exists()
    assert send("g1_a.csv", STAMPS, time="iso", time_zone="UTC").json()["new"] == 2
    assert Recording.objects.get().started_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert list(VibrationData.objects.order_by("pk").values_list("measured_time", flat=True)) == [0.0, 0.001]
    assert send("g1_b.csv", b"1772668800,1,2,3,4\n", time="epoch-s").json()["outcome"] == "complete"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"time": "clock"}, "time", "is not a valid choice"),
        ({"on_restart": "weave"}, "on_restart", "is not a valid choice"),
        ({"time": "iso", "time_zone": "Mars"}, "time_zone", "'Mars' is not a time zone such as UTC or Asia/Seoul."),
        ({"time_zone": "UTC"}, "time_zone", "Goes with time=iso."),
        ({"time": "iso", "started_at": "2026-03-05T00:00:00"}, "started_at", "Goes with time=seconds"),
    ],
)
def test_a_wrong_word_about_the_time_of_an_upload_is_explained(send, fields, field, message):
    answer = send("g1_a.csv", RUNS, **fields)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert message in error["message"]
    assert not ImportRun.objects.exists()
