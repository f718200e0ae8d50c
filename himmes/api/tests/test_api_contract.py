"""The contract: what programs of the former system rely on, and what was promised beyond. One section a path."""

import gzip
import json
import math
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from common.addresses import address_of
from diagnosis.models import VibrationDiagnosis
from diagnosis.states import FaultType
from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, make_program, next_page, samples
from machines.models import Machine, RegisteredBy, Sensor
from vibration.models import ImportRun, Recording, VibrationData
from vibration.tests.world import KAMP_ROWS, make_recording, stored_rollups, stored_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(roles):
    return make_program(roles, "administrator")


def counts(answer) -> tuple[int, int, int]:
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["status"] == "success"
    assert told["received"] == told["inserted"] + told["identical"] + told["conflicting"]
    assert len(told["conflicts"]) == told["conflicting"]
    return told["inserted"], told["identical"], told["conflicting"]


# --- vibration-data/bulk


def test_the_uploader_counts_inserted_from_a_200_and_ends_with_an_empty_list(collector):
    inserted = 0
    for start in range(0, 1_000, 200):
        answer = collector.post("vibration-data/bulk", samples(200, start=start))
        assert answer.status_code == 200
        inserted += answer.json()["inserted"]
    assert counts(collector.post("vibration-data/bulk", [])) == (0, 0, 0)
    assert inserted == VibrationData.objects.count() == 1_000
    recording = Recording.objects.get()
    assert (recording.name, recording.sample_count, recording.source) == ("default", 1_000, "API")
    assert Machine.objects.get().registered_by == RegisteredBy.API


def test_what_is_posted_is_what_is_stored_to_the_last_digit(collector):
    row = SAMPLE | {
        "normal": 0.1 + 0.2,
        "unbalance": -5e-324,
        "looseness": 1.7976931348623157e99,
        "measured_time": 1 / 3,
    }
    assert counts(collector.post("vibration-data/bulk", [row])) == (1, 0, 0)
    stored = VibrationData.objects.get()
    assert (stored.normal, stored.unbalance, stored.looseness) == (0.1 + 0.2, -5e-324, 1.7976931348623157e99)
    assert stored.measured_time == 1 / 3
    [shown] = collector.get("vibration-data").json()
    assert {name: shown[name] for name in row if name != "collected_at"} == {
        name: row[name] for name in row if name != "collected_at"
    }


def test_a_time_without_offset_is_plant_time(collector):
    rows = [SAMPLE | {"measured_time": 1}, SAMPLE | {"measured_time": 2, "collected_at": "2026-11-20 09:30:00.000001"}]
    rows += [SAMPLE | {"measured_time": 3, "collected_at": "2026-11-20T00:30:00.5Z"}]
    rows += [SAMPLE | {"measured_time": 4, "collected_at": None}]
    assert counts(collector.post("vibration-data/bulk", rows)) == (4, 0, 0)
    assert list(VibrationData.objects.order_by("measured_time").values_list("collected_at", flat=True)) == [
        datetime(2026, 11, 20, 0, 30, tzinfo=UTC),
        datetime(2026, 11, 20, 0, 30, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 20, 0, 30, 0, 500_000, tzinfo=UTC),
        None,
    ]
    shown = [row["collected_at"] for row in collector.get("vibration-data").json()]
    assert shown[:2] == ["2026-11-20T09:30:00+09:00", "2026-11-20T09:30:00.000001+09:00"]


def test_left_out_the_time_follows_from_the_start_of_the_recording(collector):
    recording = make_recording(0)
    recording.started_at = datetime(2026, 11, 20, tzinfo=UTC)
    recording.save()
    row = {name: value for name, value in SAMPLE.items() if name != "collected_at"} | {"measured_time": 1.5}
    collector.post("vibration-data/bulk", [row])
    assert VibrationData.objects.get().collected_at == datetime(2026, 11, 20, 0, 0, 1, 500_000, tzinfo=UTC)


def test_posted_again_rows_change_nothing_and_say_so(collector):
    rows = samples(50)
    assert counts(collector.post("vibration-data/bulk", rows)) == (50, 0, 0)
    before = stored_rows(), stored_rollups()
    assert counts(collector.post("vibration-data/bulk", rows + samples(1, start=50))) == (1, 50, 0)
    assert counts(collector.post("vibration-data/bulk", samples(51))) == (0, 51, 0)
    assert stored_rows()[:50] == before[0]


def test_a_conflict_stores_nothing_of_its_row_and_is_named(collector):
    collector.post("vibration-data/bulk", samples(3))
    rows = samples(5)
    rows[1]["unbalance"] = rows[2]["unbalance"] = 99.0
    answer = collector.post("vibration-data/bulk", rows)
    assert counts(answer) == (2, 1, 2)
    assert answer.json()["conflicts"] == [1, 2]
    assert not VibrationData.objects.filter(unbalance=99).exists()


def test_a_row_given_twice_in_one_list_counts_one_after_the_other(collector):
    answer = collector.post("vibration-data/bulk", [SAMPLE, SAMPLE, SAMPLE | {"normal": 5.0}])
    assert counts(answer) == (1, 1, 1)
    assert answer.json()["conflicts"] == [2]


def test_one_bad_row_keeps_the_whole_list_out(collector):
    rows = samples(5)
    rows[3] |= {"normal": "0.5", "looseness": None, "colour": "red"}
    del rows[4]["sensor_no"]
    answer = collector.post("vibration-data/bulk", rows)
    assert answer.status_code == 400
    assert [(it["row"], it["field"]) for it in answer.json()["errors"]] == [
        (3, "colour"),
        (3, "normal"),
        (3, "looseness"),
        (4, "sensor_no"),
    ]
    assert "2 of 5 rows are invalid; nothing was stored" in answer.json()["detail"]
    assert not VibrationData.objects.exists()
    assert not Machine.objects.exists()


def test_the_first_hundred_bad_rows_are_named(collector):
    answer = collector.post("vibration-data/bulk", samples(150, measured_time=-1, normal="x")).json()
    assert [it["row"] for it in answer["errors"]] == [row for row in range(100) for _field in range(2)]
    assert "150 of 150 rows" in answer["detail"]


def test_one_list_may_hold_many_machines_sensors_and_recordings(collector):
    rows = [
        SAMPLE | {"machine_name": machine, "sensor_no": sensor, "recording": recording}
        for machine in ("g2", "g1")
        for sensor in ("sensor2", "sensor1")
        for recording in ("run 2", "default")
    ]
    assert counts(collector.post("vibration-data/bulk", rows)) == (8, 0, 0)
    assert counts(collector.post("vibration-data/bulk", rows[::-1])) == (0, 8, 0)
    assert Recording.objects.count() == 8
    assert Sensor.objects.count() == 4


def test_compressed_bodies_are_taken(collector):
    body = gzip.compress(json.dumps(samples(500)).encode())
    answer = collector.post("vibration-data/bulk", body, headers={"Content-Encoding": "gzip"})
    assert counts(answer) == (500, 0, 0)


def test_too_many_rows_are_refused_with_the_limit(collector, settings):
    settings.API_MAX_ROWS = 10
    answer = collector.post("vibration-data/bulk", samples(11))
    assert answer.status_code == 413
    assert "at most 10" in answer.json()["detail"]
    assert counts(collector.post("vibration-data/bulk", samples(10))) == (10, 0, 0)


@pytest.mark.parametrize("compressed", [False, True])
def test_too_many_bytes_are_refused_with_the_limit(collector, settings, compressed):
    settings.API_MAX_BODY_BYTES = 10_000
    body = json.dumps(samples(100)).encode()
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    answer = collector.post("vibration-data/bulk", gzip.compress(body) if compressed else body, headers=headers)
    assert answer.status_code == 413
    assert "10,000 bytes" in answer.json()["detail"]
    assert not VibrationData.objects.exists()


def test_with_registration_off_an_unknown_machine_or_sensor_is_an_error_of_its_row(collector, settings):
    settings.API_REGISTERS_MACHINES = False
    make_recording(0)
    rows = [SAMPLE, SAMPLE | {"machine_name": "g9"}, SAMPLE | {"sensor_no": "sensor9"}, SAMPLE | {"recording": "new"}]
    answer = collector.post("vibration-data/bulk", rows)
    assert answer.status_code == 400
    assert [(it["row"], it["field"]) for it in answer.json()["errors"]] == [(1, "machine_name"), (2, "sensor_no")]
    assert Machine.objects.count() == Recording.objects.count() == 1
    assert counts(collector.post("vibration-data/bulk", [rows[0], rows[3]])) == (2, 0, 0)


# --- vibration-data


def test_one_row_answers_201_then_200_then_409(collector):
    answer = collector.post("vibration-data", SAMPLE)
    assert answer.status_code == 201
    recording = Recording.objects.get()
    assert answer.json() == SAMPLE | {
        "id": f"{recording.pk}:0.000736",
        "recording": "default",
        "collected_at": "2026-11-20T09:30:00+09:00",
    }
    again = collector.post("vibration-data", SAMPLE)
    assert (again.status_code, again.json()) == (200, answer.json())
    conflict = collector.post("vibration-data", SAMPLE | {"normal": 7})
    assert conflict.status_code == 409
    assert "normal -0.740463" in conflict.json()["detail"]
    assert VibrationData.objects.get().normal == -0.740463


def test_a_bad_row_is_answered_with_its_fields(collector, settings):
    answer = collector.post("vibration-data", SAMPLE | {"normal": None, "measured_time": -1})
    assert answer.status_code == 400
    assert {it["field"] for it in answer.json()["errors"]} == {"normal", "measured_time"}
    settings.API_REGISTERS_MACHINES = False
    answer = collector.post("vibration-data", SAMPLE)
    assert answer.status_code == 400
    assert [it["field"] for it in answer.json()["errors"]] == ["machine_name"]


def every_page(program, path: str, query: dict) -> list[dict]:
    answer = program.get(path, query)
    rows, pages = answer.json(), 1
    while following := next_page(answer):
        answer = program.get(following)
        rows, pages = rows + answer.json(), pages + 1
    assert pages == max(1, -(-len(rows) // query["limit"]))
    return rows


def test_pages_by_time_come_to_every_row_once(collector):
    for sensor in ("sensor2", "sensor1"):
        make_recording(25, sensor=sensor)
    make_recording(5, machine="g2")
    rows = every_page(collector, "vibration-data", {"limit": 10})
    assert len({row["id"] for row in rows}) == len(rows) == 55
    keys = [(int(row["id"].split(":")[0]), row["measured_time"]) for row in rows]
    assert keys == sorted(keys)
    assert len(every_page(collector, "vibration-data", {"limit": 25, "machine_name": "g1"})) == 50


def test_samples_are_filtered_by_place_and_by_both_times(collector):
    collector.post("vibration-data/bulk", samples(10, step=1, collected_at="2026-11-20T00:00:00Z"))
    collector.post("vibration-data/bulk", samples(10, step=1, sensor_no="sensor2", recording="run 2"))
    found = {
        "sensor_no=sensor2": 10,
        "sensor_no=sensor2&recording=default": 0,
        "recording=run+2": 10,
        "machine_name=g9": 0,
        "measured_time_min=3&measured_time_max=4.5": 4,
        "measured_time_min=9": 2,
        "measured_time_min=9.5": 0,
        "collected_at_after=2026-11-20T00:15:00Z": 10,
        "collected_at_before=2026-11-20T09:00:00": 10,
        "collected_at_after=2026-11-20T09:00:00%2B09:00&collected_at_before=2026-11-20T09:30:00": 20,
    }
    assert {query: len(collector.get(f"vibration-data?{query}").json()) for query in found} == found


def test_csv_has_every_row_that_is_filtered(collector):
    make_recording(12_000)
    make_recording(10, machine="=cmd|'/C calc'!A0", sensor="진동")
    answer = collector.get("vibration-data?format=csv&machine_name=g1")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[:5] == ["machine_name", "sensor_no", "recording", "collected_at", "measured_time"]
    assert len(lines) == 12_001
    stored = [(row[3], *row[5:]) for row in stored_rows() if row[0] == "g1"]
    assert [tuple(map(float, line.split(",")[4:])) for line in lines[1:]] == stored
    collector.post("vibration-data", SAMPLE | {"measured_time": 1000})
    text = b"".join(collector.get("vibration-data?format=csv").streaming_content).decode("utf-8-sig")
    assert "2026-11-20T09:30:00.000000+09:00" in text
    assert "'=cmd|'/C calc'!A0,진동,default,," in text


# --- vibration-data/grouped-range


def test_the_page_reads_a_flat_list_of_the_first_rows_of_each_sensor(collector):
    for machine, sensor, count in (("g2", "sensor1", 5), ("g1", "sensor2", 1_500), ("g1", "sensor1", 10)):
        make_recording(count, machine=machine, sensor=sensor, step=0.1)
    rows = collector.get("vibration-data/grouped-range?per_group_limit=1000").json()
    assert isinstance(rows, list)
    places = [(row["machine_name"], row["sensor_no"], row["measured_time"]) for row in rows]
    assert places == sorted(places)
    assert len(rows) == 10 + 1_000 + 5
    assert len({row["id"] for row in rows}) == len(rows)
    numbers = ("measured_time", "normal", "unbalance", "looseness", "unbalance_looseness")
    assert all(type(row[name]) is float for row in rows for name in numbers)
    assert rows[0].keys() == SAMPLE.keys() | {"id", "recording"}


def test_grouped_range_starts_and_ends_where_it_is_told(collector):
    make_recording(300, step=1.0)
    times = [row["measured_time"] for row in collector.get("vibration-data/grouped-range").json()]
    assert times == list(range(141))  # 0 to 140 s by default, both included
    asked = {"start": 2, "end": 200, "per_group_limit": 3}
    assert [row["measured_time"] for row in collector.get("vibration-data/grouped-range", asked).json()] == [2, 3, 4]
    assert collector.get("vibration-data/grouped-range", {"recording": "other"}).json() == []


def test_a_window_that_ends_before_it_starts_is_refused(collector):
    answer = collector.get("vibration-data/grouped-range", {"start": 5, "end": 4})
    assert [it["field"] for it in answer.json()["errors"]] == ["end"]


def test_an_answer_without_pages_has_a_limit(collector, settings):
    settings.API_MAX_RESULT_ROWS = 20
    make_recording(25)
    answer = collector.get("vibration-data/grouped-range")
    assert answer.status_code == 400
    assert [it["field"] for it in answer.json()["errors"]] == ["per_group_limit"]
    assert len(collector.get("vibration-data/grouped-range", {"per_group_limit": 20}).json()) == 20


# --- vibration-data/spectrum


def test_a_window_is_told_in_numbers_and_as_a_spectrum(collector):
    tone = [2 * math.sin(2 * math.pi * 27.5 * number / 1_000) for number in range(2_000)]
    collector.post("vibration-data/bulk", [row | {"unbalance": tone[i]} for i, row in enumerate(samples(2_000))])
    Machine.objects.update(rated_rpm=1650)
    place = {"machine_name": "g1", "sensor_no": "sensor1"}
    told = collector.get("vibration-data/spectrum", place | {"start": 0, "end": 1.999, "states": "unbalance"}).json()
    assert (told["start"], told["end"], told["samples"], told["truncated"]) == (0, 1.999, 2_000, False)
    assert told["features"]["unbalance"] == pytest.approx(
        {"rms": math.sqrt(2), "peak": 2, "crest_factor": math.sqrt(2), "kurtosis": 1.5}, rel=1e-3
    )
    spectrum = told["spectrum"]
    assert (spectrum["window"], spectrum["sampling_frequency"], spectrum["resolution"]) == (
        "Hann",
        pytest.approx(1_000),
        pytest.approx(2),
    )
    assert (spectrum["sections"], spectrum["section_samples"], spectrum["section_length"]) == (
        7,
        500,
        pytest.approx(0.5),
    )
    [peak] = spectrum["peaks"]["unbalance"]
    assert peak == pytest.approx({"frequency": 27.5, "amplitude": 2, "order": 1}, rel=1e-3)


def test_without_a_spectrum_the_reason_is_a_word_for_programs(collector):
    collector.post("vibration-data/bulk", samples(15))
    told = collector.get("vibration-data/spectrum", {"machine_name": "g1", "sensor_no": "sensor1"}).json()
    assert (told["spectrum"], told["spectrum_reason"]) == (None, "too_few_samples")
    assert told["features"]["normal"]["peak"] == 14 / 8


# --- vibration-data/csv


def upload(program, name: str, content: str | bytes, **fields):
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    headers = {"Authorization": f"Bearer {program.token}"}
    return program.client.post("/api/vibration-data/csv", {"file": file} | fields, headers=headers)


@pytest.mark.parametrize("name", ["g1_sensor1.csv", "g1_sensor1.csv.gz"])
def test_a_file_goes_through_the_importer(collector, name):
    content = gzip.compress(KAMP_ROWS.encode()) if name.endswith("gz") else KAMP_ROWS
    answer = upload(collector, name, content)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["file"], told["place"], told["outcome"]) == (name, "g1 / sensor1 / default", "complete")
    assert (told["read"], told["new"], told["identical"]) == (6, 6, 0)
    assert [(row[3], *row[5:]) for row in stored_rows()] == [
        tuple(map(float, line.split(","))) for line in KAMP_ROWS.splitlines()
    ]
    run = ImportRun.objects.get()
    assert (run.pk, run.started_by, run.file_name) == (told["import_run"], "collector-program", name)
    assert Machine.objects.get().registered_by == RegisteredBy.API
    assert upload(collector, name, content).json()["identical"] == 6


def test_an_upload_says_where_it_belongs_and_when_it_began(collector):
    more = {"machine_name": "펌프", "sensor_no": "s/1", "recording": "run 2", "started_at": "2026-11-20T00:00:00"}
    assert upload(collector, "export (3).csv", KAMP_ROWS, **more).json()["place"] == "펌프 / s/1 / run 2"
    assert Recording.objects.get().started_at == datetime(2026, 11, 19, 15, tzinfo=UTC)


def test_an_upload_that_ends_early_says_at_which_line(collector):
    bad = "0,1,1,1,1\n1,2,2,2,2\n2,x,3,3,3\n3,4,4,4,4\n"
    answer = upload(collector, "g1_sensor1.csv", bad)
    assert answer.status_code == 400
    assert "g1_sensor1.csv:3: rejected" in answer.json()["detail"]
    assert answer.json()["report"]["new"] == 2
    answer = upload(collector, "g1_sensor1.csv", bad, on_error="skip")
    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["new"], answer.json()["rejected"]) == ("problems", 1, 1)


def test_a_wrong_upload_is_explained(collector, settings):
    assert [it["field"] for it in upload(collector, "data.csv", KAMP_ROWS).json()["errors"]] == ["file"]
    assert [it["field"] for it in upload(collector, "g1_s.csv", KAMP_ROWS, on_eror="x").json()["errors"]] == ["on_eror"]
    assert [it["field"] for it in upload(collector, "g1_s.csv", "").json()["errors"]] == ["file"]
    long_name = upload(collector, f"g1_{'s' * 30}.csv", KAMP_ROWS).json()["errors"][0]
    assert (long_name["field"], "at most 20" in long_name["message"]) == ("file", True)
    files = [SimpleUploadedFile(f"g1_s{number}.csv", KAMP_ROWS.encode()) for number in (1, 2)]
    headers = {"Authorization": f"Bearer {collector.token}"}
    answer = collector.client.post("/api/vibration-data/csv", {"file": files}, headers=headers)
    assert answer.json()["errors"] == [{"field": "file", "message": "Given more than once; send one file at a time."}]
    assert upload(collector, "g1_s.csv", b"\x89PNG\r\n\x1a\n\0\0").status_code == 400
    settings.API_REGISTERS_MACHINES = False
    assert [it["field"] for it in upload(collector, "g1_s.csv", KAMP_ROWS).json()["errors"]] == ["machine_name"]
    settings.API_MAX_UPLOAD_BYTES = 100
    assert upload(collector, "g1_s.csv", KAMP_ROWS).status_code == 413
    assert not VibrationData.objects.exists()
    assert not Machine.objects.exists()


# --- vibration-diagnosis


def test_a_diagnosis_answers_201_then_200_then_409(diagnoser):
    row = DIAGNOSIS | {"model_name": "cnn-v3", "confidence": 0.93}
    answer = diagnoser.post("vibration-diagnosis", row)
    assert answer.status_code == 201
    stored = VibrationDiagnosis.objects.get()
    assert answer.json() == row | {"id": stored.pk, "detected_at": "2026-11-20T09:30:00+09:00"}
    assert stored.detected_at == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
    assert diagnoser.post("vibration-diagnosis", row).status_code == 200
    conflict = diagnoser.post("vibration-diagnosis", row | {"fault_type": 1})
    assert conflict.status_code == 409
    assert "fault_type 2" in conflict.json()["detail"]
    assert diagnoser.post("vibration-diagnosis", row | {"model_name": "other", "fault_type": 1}).status_code == 201
    assert VibrationDiagnosis.objects.count() == 2


def dummies(count: int, machines: int = 5) -> list[dict]:
    return [
        {
            "machine_name": f"g{i % machines + 1}",
            "detected_at": f"2026-11-{1 + i // 1440 % 20:02}T{i // 60 % 24:02}:{i % 60:02}:00",
            "fault_type": i % 4,
        }
        for i in range(count)
    ]


def test_the_script_posts_10000_dummies_in_lists_of_1000_and_may_do_so_again(diagnoser):
    rows = dummies(10_000)
    for expected in ((1_000, 0, 0), (0, 1_000, 0)):
        for start in range(0, len(rows), 1_000):
            assert counts(diagnoser.post("vibration-diagnosis/bulk", rows[start : start + 1_000])) == expected
    assert VibrationDiagnosis.objects.count() == 10_000
    assert Machine.objects.count() == 5
    assert counts(diagnoser.post("vibration-diagnosis/bulk", [])) == (0, 0, 0)


def test_a_bulk_of_diagnoses_is_all_or_nothing_and_names_what_is_wrong(diagnoser):
    rows = [
        *dummies(3),
        DIAGNOSIS | {"fault_type": len(FaultType)},
        DIAGNOSIS | {"confidence": 1.01},
        {"fault_type": "2"},
    ]
    answer = diagnoser.post("vibration-diagnosis/bulk", rows)
    assert answer.status_code == 400
    assert [(it["row"], it["field"]) for it in answer.json()["errors"]] == [
        (3, "fault_type"),
        (4, "confidence"),
        (5, "machine_name"),
        (5, "detected_at"),
        (5, "fault_type"),
    ]
    assert not VibrationDiagnosis.objects.exists()
    assert not Machine.objects.exists()


def test_a_conflicting_diagnosis_is_named_and_the_others_are_stored(diagnoser):
    diagnoser.post("vibration-diagnosis", DIAGNOSIS)
    rows = [
        DIAGNOSIS | {"fault_type": 1},
        DIAGNOSIS,
        DIAGNOSIS | {"machine_name": "g2"},
        DIAGNOSIS | {"confidence": 0.5},
    ]
    answer = diagnoser.post("vibration-diagnosis/bulk", rows)
    assert counts(answer) == (1, 1, 2)
    assert answer.json()["conflicts"] == [0, 3]
    assert VibrationDiagnosis.objects.get(machine__name="g1").fault_type == 2


def test_with_registration_off_an_unknown_machine_is_an_error(diagnoser, settings):
    settings.API_REGISTERS_MACHINES = False
    Machine.objects.create(name="g1")
    answer = diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS, DIAGNOSIS | {"machine_name": "g2"}])
    assert answer.status_code == 400
    assert [(it["row"], it["field"]) for it in answer.json()["errors"]] == [(1, "machine_name")]
    assert diagnoser.post("vibration-diagnosis", DIAGNOSIS).status_code == 201


@pytest.mark.parametrize(
    "wrong", [{"fault_type": len(FaultType)}, {"fault_type": -1}, {"confidence": 1.5}, {"confidence": -0.1}]
)
def test_the_database_itself_refuses_what_is_no_diagnosis(wrong):
    machine = Machine.objects.create(name="g1")
    good = {"machine": machine, "detected_at": datetime(2026, 11, 20, tzinfo=UTC), "fault_type": 0}
    with pytest.raises(IntegrityError), transaction.atomic():
        VibrationDiagnosis.objects.bulk_create([VibrationDiagnosis(**good | wrong)])
    VibrationDiagnosis.objects.create(**good)
    with pytest.raises(IntegrityError), transaction.atomic():
        VibrationDiagnosis.objects.create(**good | {"fault_type": 1})


def test_diagnoses_are_listed_newest_first_in_pages(diagnoser):
    diagnoser.post("vibration-diagnosis/bulk", dummies(100) + [row | {"model_name": "b"} for row in dummies(50)])
    rows = every_page(diagnoser, "vibration-diagnosis", {"limit": 40})
    assert len({row["id"] for row in rows}) == len(rows) == 150
    times = [row["detected_at"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert len(every_page(diagnoser, "vibration-diagnosis", {"limit": 7, "machine_name": "g2"})) == 30
    assert len(every_page(diagnoser, "vibration-diagnosis", {"limit": 9, "model_name": "b", "fault_type": 3})) == 12


def test_diagnoses_are_filtered(diagnoser):
    diagnoser.post("vibration-diagnosis/bulk", dummies(100))
    found = {
        "machine_name=g2": 20,
        "fault_type=3": 25,
        "fault_type=3&fault_type=0": 50,
        "machine_name=g2&fault_type=1": 5,
        "detected_at_after=2026-11-01T01:00:00": 40,
        "detected_at_after=2026-11-01T00:10:00&detected_at_before=2026-11-01T00:19:00": 10,
        "model_name=x": 0,
    }
    assert {query: len(diagnoser.get(f"vibration-diagnosis?{query}").json()) for query in found} == found
    text = b"".join(diagnoser.get("vibration-diagnosis?format=csv&machine_name=g2").streaming_content)
    lines = text.decode("utf-8-sig").splitlines()
    assert lines[0] == "machine_name,detected_at,fault_type,model_name,confidence"
    assert lines[-1] == "g2,2026-11-01T00:01:00.000000+09:00,1,,"
    assert len(lines) == 21


# --- vibration-diagnosis/grouped-recent and latest


@pytest.mark.parametrize("machines", [3, 120])  # 120: more than one statement on MySQL
def test_the_page_reads_the_newest_of_each_machine(diagnoser, machines):
    rows = dummies(machines * 8, machines)
    diagnoser.post("vibration-diagnosis/bulk", rows)
    Machine.objects.create(name="silent")
    found = diagnoser.get("vibration-diagnosis/grouped-recent", {"per_group_limit": 5}).json()
    assert isinstance(found, list)
    expected = []
    for name in sorted({row["machine_name"] for row in rows}):
        mine = sorted((row for row in rows if row["machine_name"] == name), key=lambda row: row["detected_at"])
        expected += [(name, row["detected_at"] + "+09:00", row["fault_type"]) for row in mine[::-1][:5]]
    assert [(row["machine_name"], row["detected_at"], row["fault_type"]) for row in found] == expected
    assert found[0].keys() == {"id", "machine_name", "detected_at", "fault_type", "model_name", "confidence"}
    assert all(type(row["id"]) is int for row in found)
    assert len(diagnoser.get("vibration-diagnosis/grouped-recent").json()) == len(rows)


def test_latest_is_one_row_a_machine_with_its_master_data(diagnoser, django_assert_num_queries):
    Machine.objects.create(name="g2", title="펌프", rated_rpm=1650)
    Machine.objects.create(name="silent")
    diagnoser.post("vibration-diagnosis/bulk", dummies(100, 60))
    # Token with its role, and the newest of each machine with its machine; when it was used is noted once a minute
    diagnoser.get("machines")
    with django_assert_num_queries(2):
        found = diagnoser.get("vibration-diagnosis/latest").json()
    assert len(found) == 60
    assert [row["machine_name"] for row in found] == sorted(row["machine_name"] for row in found)
    second = next(row for row in found if row["machine_name"] == "g2")
    assert (second["detected_at"], second["fault_type"]) == ("2026-11-01T01:01:00+09:00", 1)
    assert (second["machine"]["title"], second["machine"]["rated_rpm"]) == ("펌프", 1650)


# --- machines, sensors, recordings


def test_machines_are_kept_by_administrators(administrator):
    made = administrator.post("machines", {"name": " 펌프/3 ", "rated_rpm": 1650})
    assert made.status_code == 201
    path = f"machines/{made.json()['id']}"
    assert (made.json()["name"], made.json()["registered_by"]) == ("펌프/3", "api")
    assert administrator("PATCH", path, {"title": "순환 펌프"}).json()["title"] == "순환 펌프"
    assert administrator("PUT", path, {"name": "g3"}).json()["name"] == "g3"
    assert [it["name"] for it in administrator.get("machines", {"name": "g3"}).json()] == ["g3"]
    assert administrator.get("machines", {"is_active": "false"}).json() == []
    assert administrator.post("machines", {"name": "g3"}).json()["errors"][0]["field"] == "name"
    assert administrator("DELETE", path).status_code == 204
    assert administrator.get(path).status_code == 404


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_wrote(settings, rf):
    request = rf.get("/", headers={"X-Forwarded-For": "6.6.6.6, 10.0.0.7"}, REMOTE_ADDR="127.0.0.1")
    for proxies, address in ((0, "127.0.0.1"), (1, "10.0.0.7")):
        settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": proxies}
        assert address_of(request) == address


def test_what_holds_data_is_not_deleted(administrator, diagnoser):
    recording = make_recording(3)
    for path in (f"machines/{recording.sensor.machine_id}", f"sensors/{recording.sensor_id}"):
        answer = administrator("DELETE", path)
        assert answer.status_code == 409
        assert "while it has" in answer.json()["detail"]
    diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"machine_name": "g2"})
    answer = administrator("DELETE", f"machines/{Machine.objects.get(name='g2').pk}")
    assert (answer.status_code, "diagnoses" in answer.json()["detail"]) == (409, True)


def test_sensors_are_kept_by_administrators(administrator):
    Machine.objects.create(name="g1")
    made = administrator.post("sensors", {"machine_name": "g1", "sensor_no": "sensor1", "position": "gearbox"})
    assert made.status_code == 201
    assert administrator.get("sensors", {"machine_name": "g1"}).json() == [made.json()]
    assert administrator.post("sensors", {"machine_name": "g1", "sensor_no": "sensor1"}).status_code == 400
    answer = administrator.post("sensors", {"machine_name": "g7", "sensor_no": "sensor1"})
    assert answer.json()["errors"] == [{"field": "machine_name", "message": "There is no machine g7."}]


def test_recordings_say_how_much_they_hold(collector):
    recording = make_recording(5)
    [found] = collector.get("recordings", {"machine_name": "g1"}).json()
    assert found == collector.get(f"recordings/{recording.pk}").json()
    assert (found["recording"], found["sample_count"], found["last_time"]) == ("default", 5, 0.004)
    assert collector.get("recordings", {"recording": "other"}).json() == []


def test_a_trailing_slash_is_optional_everywhere(administrator):
    make_recording(3)
    for path in ("machines", "sensors", "recordings", "vibration-data", "vibration-diagnosis", "schema"):
        assert administrator.get(path).content == administrator.get(path + "/").content, path
    for path in ("vibration-data/grouped-range", "vibration-diagnosis/latest", "vibration-diagnosis/grouped-recent"):
        assert administrator.get(path).json() == administrator.get(path + "/").json(), path
    for path in ("vibration-data/bulk/", "vibration-diagnosis/bulk/"):
        assert administrator.post(path, []).status_code == 200
    assert administrator.post("vibration-data/", SAMPLE).status_code == 201
    assert administrator.post("vibration-diagnosis/", DIAGNOSIS).status_code == 201
