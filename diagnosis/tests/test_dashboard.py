"""The dashboard of diagnoses and the history of one machine: filters, what is shown, and the CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from diagnosis.models import VibrationDiagnosis
from diagnosis.states import FaultType
from diagnosis.tests.world import ago, post
from machines.models import Machine
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_samples

pytestmark = pytest.mark.django_db
URL = "/diagnosis/"
HISTORY = "/diagnosis/history/"
# Midnight of Seoul, the 20th
MIDNIGHT = datetime(2026, 11, 19, 15, tzinfo=UTC)


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def latest(response) -> list[tuple]:
    return [(it["diagnosis"].machine.name, it["diagnosis"].fault_type) for it in response.context["latest"]]


def rows(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))[1:]


@pytest.fixture
def plant():
    post("g1", (MIDNIGHT - timedelta(hours=1), 3), (MIDNIGHT, 1), (MIDNIGHT + timedelta(hours=1), 0))
    post("g2", (MIDNIGHT - timedelta(microseconds=1), 2))
    post("g3", (MIDNIGHT + timedelta(hours=23, minutes=59), 2))


# --- Filters ----------------------------------------------------------------------------------------------------------


def test_without_a_filter_the_newest_of_each_machine_is_shown(client, plant):
    assert latest(client.get(URL)) == [("g1", 0), ("g2", 2), ("g3", 2)]


def test_a_date_means_the_day_of_the_plant(client, plant):
    assert latest(client.get(URL, {"after": "2026-11-20"})) == [("g1", 0), ("g3", 2)]
    assert latest(client.get(URL, {"before": "2026-11-20"})) == [("g1", 3), ("g2", 2)]
    assert latest(client.get(URL, {"after": "2026-11-20", "before": "2026-11-21T00:00"})) == [("g1", 0), ("g3", 2)]
    assert latest(client.get(URL, {"after": "2026-11-19T15:00:00+00:00"})) == [("g1", 0), ("g3", 2)]


def test_states_and_machines_are_filtered_together(client, plant):
    assert latest(client.get(URL, {"state": ["1", "3"]})) == [("g1", 1)]
    assert latest(client.get(URL, {"state": "2", "machine": ["g1", "g3"]})) == [("g3", 2)]
    assert "No diagnosis matches the filter" in client.get(URL, {"state": "3", "machine": "g3"}).text


def test_a_range_ends_now(client):
    post("g1", (30, 1))
    post("g2", (90, 2))
    assert latest(client.get(URL, {"range": "1h"})) == [("g1", 1)]
    assert latest(client.get(URL, {"range": "24h"})) == [("g1", 1), ("g2", 2)]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", "There is no machine “g9”. Choose one from the list."),
        ({"state": ["1", "99"]}, "state", "There is no state “99”. Known: 0, 1, 2, 3"),
        ({"after": "soon"}, "after", "“soon” is not a date and time."),
        ({"before": "2026-02-30"}, "before", "“2026-02-30” is not a date and time."),
        ({"after": "0001-01-01"}, "after", "Enter a date from 1901 to 2999."),
        ({"before": "9999-12-31T23:59:59"}, "before", "Enter a date from 1901 to 2999."),
        ({"after": "2026-11-20", "before": "2026-11-20"}, "before", "The end must be after the start."),
        ({"range": "2h"}, "range", "There is no range “2h”. Choose 1h, 24h, 7d or 30d."),
        ({"range": "1h", "after": "2026-11-20"}, "range", "Choose either a range or dates, not both."),
    ],
)
@pytest.mark.parametrize("url", [URL, "/diagnosis/timeline/", HISTORY])
def test_a_wrong_value_is_explained_at_its_field_and_nothing_is_shown(client, plant, url, query, field, message):
    response = client.get(url, {"machine": "g1"} | query)
    assert response.status_code == 400
    assert message in response.context["form"].errors[field][0]
    assert message in response.text
    if url != HISTORY:
        assert f'id="id_{field}_error"' in response.text
        assert '<button class="btn btn-primary">' in response.text


def test_quick_ranges_keep_the_other_filters_and_drop_the_dates(client, plant):
    page = client.get(URL, {"state": "2", "after": "2026-11-20", "before": ""}).text
    assert 'href="?state=2&amp;range=24h"' in page


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_a_stale_diagnosis_is_marked(client):
    post("g1", (61, 0))
    post("g2", (5, 0))
    assert [it["stale"] for it in client.get(URL).context["latest"]] == [True, False]


def test_of_a_filtered_diagnosis_it_is_told_what_is_so_now(client):
    post("g1", (600, 3), (5, 0))
    post("g2", (600, 3))
    shown = {
        it["diagnosis"].machine.name: (it["stale"], it["now"])
        for it in client.get(URL, {"state": "3"}).context["latest"]
    }
    assert shown == {"g1": (False, FaultType.NORMAL), "g2": (True, None)}
    page = client.get(URL, {"state": "3", "machine": "g1"}).text
    assert "that matches the filter" in page
    assert "now:" in page


def test_a_time_with_a_plain_plus_is_understood(client, plant):
    assert latest(client.get(f"{URL}?after=2026-11-20T00:00:00+09:00")) == [("g1", 0), ("g3", 2)]


def test_without_diagnoses_the_page_says_how_to_get_some(client):
    Machine.objects.create(name="g1")
    page = client.get(URL).text
    assert "python manage.py make_sample_diagnoses" in page
    assert "python manage.py create_api_token ai-1 --role diagnoser" in page


@pytest.mark.parametrize("machines", [2, 40])
def test_the_dashboard_costs_the_same_however_many_machines_there_are(client, django_assert_num_queries, machines):
    for number in range(machines):
        post(f"g{number}", (10, 1), (5, 0))
    # Session, user, permissions (2), machines, newest of each state, these diagnoses, current states
    with django_assert_num_queries(8):
        client.get(URL)


# --- History ----------------------------------------------------------------------------------------------------------


def test_the_history_of_a_machine_goes_by_pages_from_the_newest_to_the_oldest(client):
    g1 = post("g1", *((minute, minute % 4) for minute in range(250)))
    post("g2", (1, 0))
    seen, url = [], f"{HISTORY}?machine=g1"
    while url:
        context = client.get(url).context
        seen += [row["diagnosis"].pk for row in context["rows"]]
        url = context["older_query"] and HISTORY + context["older_query"]
    assert seen == list(g1.diagnoses.order_by("-detected_at").values_list("pk", flat=True))


def test_the_history_keeps_the_filters_of_the_dashboard(client, plant):
    context = client.get(HISTORY, {"machine": "g1", "state": ["1", "3"], "before": "2026-11-20"}).context
    assert [row["diagnosis"].fault_type for row in context["rows"]] == [3]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "Choose one machine."),
        ({"machine": ["g1", "g2"]}, "Choose one machine."),
        ({"machine": "g1", "cursor": "x"}, "This position in the list no longer exists."),
        ({"machine": "g1", "cursor": "999999"}, "This position in the list no longer exists."),
    ],
)
def test_a_history_is_that_of_one_machine_from_a_place_that_there_is(client, plant, query, message):
    response = client.get(HISTORY, query)
    assert response.status_code == 400
    assert message in response.text


def test_a_diagnosis_leads_to_what_was_measured_then(client):
    recording = open_recording("g1", "sensor1", started_at=MIDNIGHT)
    write_samples(recording, Samples(*make_samples(20_000)))  # 20 s
    post("g1", (MIDNIGHT + timedelta(seconds=12.5), 1), (MIDNIGHT + timedelta(seconds=25), 1))
    outside, inside = client.get(HISTORY, {"machine": "g1"}).context["rows"]
    assert outside["waveform"] is None
    assert inside["waveform"] == "/vibration/?machine=g1&sensor=sensor1&recording=default&start=11.5&end=13.5"


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_the_csv_has_each_diagnosis_that_the_filter_leaves_newest_first(client, plant):
    found = rows(client.get(URL, {"after": "2026-11-20", "state": ["1", "2"], "format": "csv"}))
    assert found == [
        ["g3", "2026-11-20T23:59:00.000000+09:00", "2", "cnn", "0.9"],
        ["g1", "2026-11-20T00:00:00.000000+09:00", "1", "cnn", "0.9"],
    ]
    assert len(rows(client.get(URL, {"format": "csv"}))) == VibrationDiagnosis.objects.count()


def test_the_link_of_the_csv_keeps_the_filters(client, plant):
    assert 'href="?state=2&amp;format=csv"' in client.get(URL, {"state": "2"}).text
    assert client.get(URL, {"state": "9", "format": "csv"}).status_code == 400


# --- In a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_machine_opens_to_its_history_without_leaving_the_page(page):
    post("g1", *((minute, minute % 2) for minute in range(150)))
    page.goto(f"{URL}?state=1")
    page.locator("summary").filter(has_text="g1").click()
    page.wait_for_selector(".machine-history table")
    assert page.locator(".machine-history tbody tr").count() == 75
    assert page.url.endswith("?state=1")


@pytest.mark.browser
def test_a_history_that_could_not_be_read_says_so_and_is_read_when_it_is_opened_again(page, watch):
    post("g1", (30, 1))
    page.goto(URL)
    watch.expect("ERR_CONNECTION_REFUSED", "htmx:sendError", "htmx:afterRequest")
    page.route("**/history/**", lambda route: route.abort("connectionrefused"))
    summary = page.locator("summary").filter(has_text="g1")
    summary.click()
    page.get_by_text("The server does not answer. Close and open").wait_for()
    page.unroute("**/history/**")
    summary.click()
    summary.click()
    page.wait_for_selector(".machine-history table")


@pytest.mark.browser
def test_the_downloaded_csv_is_what_the_page_shows(page):
    post("g1", *((minute, minute % 3) for minute in range(30)))
    page.goto(f"{URL}?state=2&range=24h")
    page.locator("summary").filter(has_text="g1").click()
    page.wait_for_selector(".machine-history table")
    shown = page.locator(".machine-history time").evaluate_all("(all) => all.map((it) => it.dateTime)")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        exported = [datetime.fromisoformat(row["detected_at"]) for row in csv.DictReader(file)]
    assert exported == [datetime.fromisoformat(it) for it in shown]
    assert len(shown) == 10


@pytest.mark.browser
def test_typing_a_date_takes_the_place_of_a_range(page):
    post("g1", (30, 1))
    page.goto(f"{URL}?range=1h&state=1")
    page.fill("[name=after]", f"{timezone.localtime(ago(60)):%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**after=**")
    assert "range" not in page.url
    assert page.locator(".machine-row").count() == 1


@pytest.mark.browser
def test_without_javascript_filters_history_and_csv_work(new_page, user):
    post("g1", (30, 1))
    page = new_page(login=user, java_script_enabled=False)
    page.goto(URL)
    page.check("[name=state][value='1']")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**state=1**")
    page.get_by_role("link", name="last 24 hours").click()
    page.wait_for_url("**range=24h**")
    assert "state=1" in page.url
    page.locator("summary").filter(has_text="g1").click()
    page.locator(".machine-history").get_by_role("link", name="History").click()
    page.wait_for_url("**/history/**")
    assert page.title() == "Diagnoses of g1 – HIM-MES"
    assert page.locator("tbody tr").count() == 1
