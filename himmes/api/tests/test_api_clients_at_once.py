"""Many programs that post the same at once: stored once, counted right, and nobody is told of a deadlock."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from diagnosis.models import VibrationDiagnosis
from himmes.api.tests.api_world import DIAGNOSIS, Program, make_program, samples
from machines.models import Machine, Sensor
from vibration.captures.reading import samples_of
from vibration.models import Capture, CaptureFeatures, Recording, VibrationData
from vibration.tests.world import stored_rollups, stored_rows

CLIENTS = 8


def post_at_once(token: str, path: str, lists: list[list[dict]]) -> dict[str, int]:
    """Each client posts every list, in an order of its own, and then again; the sums of the counts."""

    def one_client(seed: int) -> list:
        program = Program(token, Client())
        order = random.Random(seed)
        answers = []
        try:
            for _time in range(2):
                for rows in order.sample(lists, len(lists)):
                    answers.append(program.post(path, order.sample(rows, len(rows))))
        finally:
            connection.close()
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for found in pool.map(one_client, range(CLIENTS)) for answer in found]
    assert {answer.status_code for answer in answers} == {200}, [it.content for it in answers if it.status_code != 200]
    return {
        name: sum(it.json()[name] for it in answers) for name in ("received", "inserted", "identical", "conflicting")
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sensors", [1, 5])
def test_eight_clients_post_the_same_10000_samples_twice(roles, sensors):
    """With five sensors each list holds rows of all of them: every client takes several locks."""
    program = make_program(roles, "collector")
    rows = [
        row
        for sensor in range(sensors)
        for row in samples(10_000 // sensors, machine_name=f"g{sensor % 2}", sensor_no=f"sensor{sensor}")
    ]
    random.Random(1).shuffle(rows)
    lists = [rows[start : start + 1_000] for start in range(0, 10_000, 1_000)]
    told = post_at_once(program.token, "vibration-data/bulk", lists)
    assert told == {"received": 160_000, "inserted": 10_000, "identical": 150_000, "conflicting": 0}
    assert VibrationData.objects.count() == 10_000
    assert (Machine.objects.count(), Sensor.objects.count(), Recording.objects.count()) == (
        min(2, sensors),
        sensors,
        sensors,
    )
    assert sum(Recording.objects.values_list("sample_count", flat=True)) == 10_000
    at_once = stored_rows(), stored_rollups()
    Recording.objects.all().delete()
    for rows in lists:
        program.post("vibration-data/bulk", rows)
    assert [row[3:] for row in at_once[0]] == [row[3:] for row in stored_rows()]
    assert at_once[1] == stored_rollups()


@pytest.mark.django_db(transaction=True)
def test_eight_clients_post_the_same_10000_diagnoses_twice(roles):
    program = make_program(roles, "diagnoser")
    rows = [
        DIAGNOSIS
        | {"machine_name": f"g{i % 7}", "detected_at": f"2026-11-{1 + i // 1440:02}T{i // 60 % 24:02}:{i % 60:02}:00"}
        for i in range(10_000)
    ]
    random.Random(1).shuffle(rows)
    lists = [rows[start : start + 1_000] for start in range(0, 10_000, 1_000)]
    told = post_at_once(program.token, "vibration-diagnosis/bulk", lists)
    assert told == {"received": 160_000, "inserted": 10_000, "identical": 150_000, "conflicting": 0}
    assert VibrationDiagnosis.objects.count() == 10_000
    assert Machine.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_eight_clients_post_the_same_captures_twice(roles):
    token = make_program(roles, "collector").token
    posts = [(f"2026-11-20T09:{minute}:00", f"g{minute % 3}") for minute in range(10, 20)]

    def one_client(seed: int) -> list:
        program, order = Program(token, Client()), random.Random(seed)
        try:
            answers = []
            for started_at, machine in order.sample(posts * 2, len(posts) * 2):
                axes = order.sample("xyz", 3)
                values = {axis: [1.0, float(minute_of(started_at)), ord(axis)] for axis in axes}
                said = {"machine_name": machine, "sensor_no": "de", "started_at": started_at, "sampling_hz": 100}
                answers.append(program.post("captures", said | {"values": values}))
            return answers
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for found in pool.map(one_client, range(CLIENTS)) for answer in found]
    assert {it.status_code for it in answers} == {200, 201}, [it.content for it in answers if it.status_code > 201]
    told = {name: sum(it.json()[name] for it in answers) for name in ("received", "inserted", "identical")}
    assert told == {"received": 480, "inserted": 30, "identical": 450}
    captures = [it for answer in answers for it in answer.json()["captures"]]
    numbers = {(it["machine_name"], it["started_at"], it["axis"], it["id"]) for it in captures}
    assert len(numbers) == Capture.objects.count() == CaptureFeatures.objects.count() == 30
    for capture in Capture.objects.all():
        assert samples_of(capture).tolist() == [1.0, timezone.localtime(capture.started_at).minute, ord(capture.axis)]


def minute_of(instant: str) -> int:
    return int(instant[14:16])


@pytest.mark.django_db(transaction=True)
def test_posts_to_what_others_delete_are_stored_or_told_of_a_conflict(roles):
    """Also whoever deletes meets no error: a recording goes with every sample that was written until then."""
    collector, diagnoser = make_program(roles, "collector"), make_program(roles, "diagnoser")
    administrator = make_program(roles, "administrator")
    rows = samples(20)

    def post(number: int) -> set[int]:
        try:
            return {
                program.post(path, data).status_code
                for _time in range(30)
                for program, path, data in (
                    (Program(collector.token, Client()), "vibration-data/bulk", rows),
                    (Program(collector.token, Client()), "vibration-data", rows[number]),
                    (Program(diagnoser.token, Client()), "vibration-diagnosis", DIAGNOSIS),
                )
            }
        finally:
            connection.close()

    def delete(_number: int) -> set[int]:
        program, statuses = Program(administrator.token, Client()), set()
        try:
            for _time in range(30):
                Recording.objects.all().delete()
                VibrationDiagnosis.objects.all().delete()
                for kind, model in (("sensors", Sensor), ("machines", Machine)):
                    if found := model.objects.first():
                        statuses.add(program("DELETE", f"{kind}/{found.pk}").status_code)
                for recording in Recording.objects.all():
                    recording.delete()
            return statuses
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        posts, deletes = [pool.submit(post, number) for number in range(3)], pool.submit(delete, 0)
        assert set.union(*(it.result() for it in posts)) <= {200, 201, 409}
        assert deletes.result() <= {204, 404, 409}
    for recording in Recording.objects.all():
        assert recording.sample_count == recording.samples.count()
