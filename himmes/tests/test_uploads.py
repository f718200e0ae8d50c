"""What an upload may cost: bytes, seconds, and room on the disk."""

import gzip
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from himmes.tests.api_world import make_program
from vibration import api, file_storing
from vibration.models import ImportRun, VibrationData

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
    write = file_storing.write_samples

    def write_slowly(*args, **kwargs):
        time.sleep(2)
        return write(*args, **kwargs)

    monkeypatch.setattr(file_storing, "write_samples", write_slowly)
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
