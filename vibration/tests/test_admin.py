"""The Django admin, as an administrator uses it: complete, and not slower with more data."""

import html
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from himmes.tests.admin_world import opened
from machines.models import Machine
from vibration.formats.mapping import Axis, Mapping
from vibration.models import Capture, CaptureFeatures, CaptureMapping, ImportRun, Recording, VibrationData
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.captures_world import at, days_ago, stored
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


def test_a_list_of_captures_reads_no_samples_and_costs_the_same_with_more(admin_client):
    costs = []
    for machines in (2, 12):
        stored(*(at(days_ago(1), machine=f"m{number}") for number in range(machines)))
        with CaptureQueriesContext(connection) as queries:
            page = admin_client.get("/admin/vibration/capture/", {"q": "m"})
        assert page.status_code == 200
        assert not [it["sql"] for it in queries if re.search(r"vibration_capture[`\"]\.[`\"]data[`\"],", it["sql"])]
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert "m11 / de" in page.text


def test_captures_are_looked_at_and_deleted_with_their_features_and_not_edited(admin_client):
    first, second, third = stored(*(at(days_ago(day)) for day in (3, 2, 1)))
    url = f"/admin/vibration/capture/{first.pk}/"
    assert admin_client.get(f"{url}change/").status_code == 200
    assert admin_client.post(f"{url}change/", {"is_kept": "on"}).status_code == 403
    assert admin_client.get("/admin/vibration/capture/add/").status_code == 403
    question = admin_client.get(f"{url}delete/", headers={"accept-language": "en"}).text
    assert re.search(r"features of captures:\s*1\b", question, re.IGNORECASE)
    admin_client.post(f"{url}delete/", {"post": "yes"})
    assert set(Capture.objects.values_list("pk", flat=True)) == {second.pk, third.pk}
    assert CaptureFeatures.objects.count() == 2
    chosen = {"action": "delete_selected", "_selected_action": [second.pk, third.pk], "post": "yes"}
    admin_client.post("/admin/vibration/capture/", chosen)
    assert not Capture.objects.exists() and not CaptureFeatures.objects.exists()


def test_a_mapping_is_renamed_and_edited_but_only_to_one_that_can_be_read(admin_client):
    def mapping(**more) -> str:
        return json.dumps(json.loads(Mapping(axes=(Axis("a", "x", "g"),), rate_hz=5_120.0).to_json()) | more)

    kept = CaptureMapping.objects.create(name="logger", mapping=json.loads(mapping()), saved_by="kim")
    url = f"/admin/vibration/capturemapping/{kept.pk}/change/"
    english = {"headers": {"accept-language": "en"}}
    for wrong, says in (
        (mapping(rate_hz=0), "rate_hz is 0; it must be from 1 to 1e+06"),
        (mapping(speed=1), "unknown key"),
        ("[1]", "a mapping is a JSON object"),
        ('{"a"', "Enter a valid JSON."),
    ):
        answer = admin_client.post(url, opened(admin_client, url, name="new", mapping=wrong), **english)
        assert answer.status_code == 200
        assert says in html.unescape(answer.text)
    kept.refresh_from_db()
    assert (kept.name, kept.mapping) == ("logger", json.loads(mapping()))
    changed = opened(admin_client, url, name="new", mapping=mapping(rate_hz=2_560.0))
    assert admin_client.post(url, changed).status_code == 302
    kept.refresh_from_db()
    assert (kept.name, kept.mapping["rate_hz"], kept.saved_by) == ("new", 2_560.0, "kim")
    assert admin_client.get("/admin/vibration/capturemapping/add/").status_code == 403
    admin_client.post(f"/admin/vibration/capturemapping/{kept.pk}/delete/", {"post": "yes"})
    assert not CaptureMapping.objects.exists()


def test_imports_are_told_apart_by_what_they_bring(admin_client):
    for kind in ImportRun.Kind:
        ImportRun.objects.create(kind=kind, file_name=f"of-{kind}", file_size=1, sha256="0", place="p")
    page = admin_client.get("/admin/vibration/importrun/", {"kind__exact": "captures"}).text
    assert "of-captures" in page
    assert "of-samples" not in page
