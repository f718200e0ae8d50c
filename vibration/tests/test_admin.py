"""The Django admin, as an administrator uses it: complete, and not slower with more data."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from machines.models import Machine
from vibration.models import ImportRun, Recording, VibrationData
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_recording, make_samples

pytestmark = pytest.mark.django_db

LISTS = ["/admin/machines/machine/", "/admin/vibration/recording/", "/admin/vibration/importrun/"]


def fill(machines):
    for number in range(machines):
        recording = make_recording(20, machine=f"m{number:02}")
        open_recording(f"m{number:02}", "sensor2")
        ImportRun.objects.create(
            started_by="x",
            file_name=f"m{number:02}_sensor1.csv",
            file_size=1,
            sha256="0",
            recording=recording,
            place="p",
        )


@pytest.mark.parametrize("url", LISTS)
def test_a_list_costs_the_same_queries_with_2_and_with_20_machines(admin_client, url):
    costs = []
    for machines in (2, 20):
        fill(machines)
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(url).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("url", LISTS)
def test_no_list_counts_samples(admin_client, url):
    fill(2)
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(url + "?q=m0")
    assert not [query["sql"] for query in queries if "vibration_data" in query["sql"]]


def test_the_list_of_machines_tells_sensors_recordings_and_the_latest_sample(admin_client):
    recording = make_recording(5)
    open_recording("g1", "sensor1", name="second")
    open_recording("g1", "sensor2")
    Machine.objects.create(name="idle")
    page = admin_client.get(LISTS[0], headers={"accept-language": "en"}).content.decode()
    cells = dict(re.findall(r'class="field-(\w+)[^>]*>(?:<a[^>]*>)?([^<]*)', page.split("idle")[0]))
    assert (cells["sensor_count"], cells["recording_count"]) == ("2", "3")
    assert cells["latest_sample"] == "time unknown"
    assert cells["latest_write"] != "-"
    assert f"sensor__machine__id__exact={recording.sensor.machine_id}" in page


@pytest.mark.parametrize("search", ["g1", "sensor1", "default"])
def test_a_recording_is_found_by_machine_sensor_or_name(admin_client, search):
    make_recording(5)
    page = admin_client.get(LISTS[1], {"q": search}).content.decode()
    assert "/vibration/?machine=g1&amp;sensor=sensor1&amp;recording=default" in page


def test_deleting_a_recording_asks_with_the_number_of_samples_and_takes_few_statements(admin_client):
    recording = make_recording(3000)
    url = f"/admin/vibration/recording/{recording.pk}/delete/"
    with CaptureQueriesContext(connection) as queries:
        question = admin_client.get(url, headers={"accept-language": "en"}).content.decode()
    assert "3,000" in question
    assert not [query["sql"] for query in queries if "vibration_data" in query["sql"]]
    with CaptureQueriesContext(connection) as queries:
        admin_client.post(url, {"post": "yes"})
    assert len([query for query in queries if "vibration_data" in query["sql"]]) == 1
    assert not Recording.objects.exists()
    assert not VibrationData.objects.exists()


def test_several_recordings_are_deleted_at_once(admin_client):
    chosen = [make_recording(10).pk, make_recording(10, sensor="sensor2").pk]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    admin_client.post(LISTS[1], data)
    assert not Recording.objects.exists()


def test_a_machine_is_edited_with_its_sensors(admin_client):
    machine = make_recording(5).sensor.machine
    page = admin_client.get(f"/admin/machines/machine/{machine.pk}/change/").content.decode()
    assert 'value="sensor1"' in page


def test_a_machine_that_has_been_measured_says_why_it_can_not_be_deleted(admin_client):
    machine = make_recording(5).sensor.machine
    answer = admin_client.post(f"/admin/machines/machine/{machine.pk}/delete/", {"post": "yes"})
    assert answer.status_code in (200, 403)
    assert Machine.objects.exists()


def test_nobody_edits_what_was_measured(admin_client):
    recording = make_recording(5)
    for url in (f"/admin/vibration/recording/{recording.pk}/change/", "/admin/vibration/recording/add/"):
        assert admin_client.post(url, {"name": "x"}).status_code == 403
    run = ImportRun.objects.create(started_by="x", file_name="f", file_size=1, sha256="0", place="p")
    assert admin_client.post(f"/admin/vibration/importrun/{run.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_detail_pages_open(admin_client):
    recording = make_recording(5)
    write_samples(recording, Samples(*make_samples(5)))
    run = ImportRun.objects.create(started_by="x", file_name="f", file_size=1, sha256="0", place="p")
    for url in (f"/admin/vibration/recording/{recording.pk}/change/", f"/admin/vibration/importrun/{run.pk}/change/"):
        assert admin_client.get(url).status_code == 200
