"""Diagnoses in the Django admin: found quickly, deleted with their traces, never counted to the end."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.tests.html import flat
from diagnosis.models import CurrentState, VibrationDiagnosis
from diagnosis.tests.world import post
from machines.models import Machine

pytestmark = pytest.mark.django_db
URL = "/admin/diagnosis/vibrationdiagnosis/"
START = datetime(2026, 11, 1, tzinfo=UTC)


def test_no_list_counts_a_million_diagnoses(admin_client):
    post("g1", (5, 0), (4, 1))
    with CaptureQueriesContext(connection) as queries:
        assert admin_client.get(URL).status_code == 200
    counts = [it["sql"] for it in queries if "COUNT(" in it["sql"] and "vibration_diagnosis" in it["sql"]]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)


def test_a_list_that_was_not_counted_to_its_end_says_so(admin_client):
    machine = Machine.objects.create(name="g1")
    VibrationDiagnosis.objects.bulk_create(
        (
            VibrationDiagnosis(machine=machine, detected_at=START + timedelta(seconds=it), fault_type=0)
            for it in range(10_001)
        ),
        batch_size=2_000,
    )
    page = admin_client.get(URL, headers={"accept-language": "en"}).content.decode()
    assert "more than 10,000; filter or search for older ones" in page
    assert admin_client.get(f"{URL}?p=101").status_code == 200
    VibrationDiagnosis.objects.first().delete()
    assert "10,000 diagnoses" in flat(admin_client.get(URL, headers={"accept-language": "en"}))


@pytest.mark.parametrize("search", ["g2", "펌프"])
def test_a_diagnosis_is_found_by_name_or_title_of_its_machine(admin_client, search):
    post("g1", (5, 0))
    Machine.objects.filter(pk=post("g2", (4, 3)).pk).update(title="급수 펌프")
    page = flat(admin_client.get(URL, {"q": search}, headers={"accept-language": "en"}))
    assert "1 diagnosis" in page
    assert ">g2<" in page
    assert "0 diagnoses" in flat(admin_client.get(URL, {"q": "g9"}, headers={"accept-language": "en"}))


@pytest.mark.parametrize("way", ["one", "chosen"])
def test_deleting_a_diagnosis_brings_the_current_state_up_to_date(admin_client, way):
    machine = post("g1", (5, 0), (4, 3))
    wrong = machine.diagnoses.get(fault_type=3)
    if way == "one":
        admin_client.post(f"{URL}{wrong.pk}/delete/", {"post": "yes"})
    else:
        admin_client.post(URL, {"action": "delete_selected", "_selected_action": [wrong.pk], "post": "yes"})
    assert CurrentState.objects.get().fault_type == 0
