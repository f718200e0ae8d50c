"""The timeline: its numbers from the API, its chart in a browser, its CSV."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from diagnosis.history.reading import microseconds
from diagnosis.models import Episode
from diagnosis.pages.forms import MACHINES_PER_PAGE
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.tests.world import ago, post
from himmes.api.tests.api_world import make_program
from machines.models import Machine
from machines.tests.page_clock import pass_time, stop_clock

pytestmark = pytest.mark.django_db
URL = "/diagnosis/timeline/"
API = "/api/vibration-diagnosis/timeline"
MIDNIGHT = datetime(2026, 11, 19, 15, tzinfo=UTC)  # of Seoul, the 20th

# Of each lane the bars that are drawn: state, and where they begin and end in milliseconds.
DRAWN = """() => {
    const chart = Chart.getChart(document.querySelector("#timeline canvas"));
    const sets = chart.data.datasets.filter(({ type }) => type === "bar");
    const states = JSON.parse(document.getElementById("timeline-states").textContent).map(({ number }) => number);
    const bars = sets.flatMap(({ data }, place) => data.map((run) => ({ ...run, state: states[place] })));
    return bars.sort((a, b) => a.lane - b.lane || a.x[0] - b.x[0]).map(({ y, state, x }) => [y, state, ...x]);
}"""
# Where on the page the middle of a bar is.
MIDDLE = """([state, index]) => {
    const chart = Chart.getChart(document.querySelector("#timeline canvas"));
    const { x, base, y } = chart.getDatasetMeta(state).data[index];
    const box = chart.canvas.getBoundingClientRect();
    return [box.x + (x + base) / 2, box.y + y];
}"""

# Where on the page the mark of the first act is.
ACT_AT = """() => {
    const chart = Chart.getChart(document.querySelector("#timeline canvas"));
    const place = chart.data.datasets.findIndex(({ isActs }) => isActs);
    const { x, y } = chart.getDatasetMeta(place).data[0];
    const box = chart.canvas.getBoundingClientRect();
    return [box.x + x, box.y + y];
}"""


def plant(instant: datetime) -> str:
    """As the form of the period writes it."""
    return timezone.localtime(instant).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def ms(instant: datetime) -> float:
    return microseconds(instant) / 1_000


# --- The numbers ------------------------------------------------------------------------------------------------------


def test_the_api_tells_runs_by_machine(client):
    post("g2", (MIDNIGHT, 0), confidence=0.5)
    post("g1", (MIDNIGHT, 1), (MIDNIGHT + timedelta(minutes=10), 1), (MIDNIGHT + timedelta(minutes=20), 0))
    answer = client.get(API, {"start": "2026-11-20T00:00:00", "end": "2026-11-20T02:00:00+09:00"}).json()
    assert (answer["start"], answer["end"]) == (ms(MIDNIGHT), ms(MIDNIGHT + timedelta(hours=2)))
    g1, g2 = answer["machines"]
    assert g1 == {
        "machine_name": "g1",
        "fault_type": [1, 0],
        "start": [ms(MIDNIGHT), ms(MIDNIGHT + timedelta(minutes=20))],
        "end": [ms(MIDNIGHT + timedelta(minutes=20)), ms(MIDNIGHT + timedelta(minutes=80))],
        "count": [2, 1],
        "runs": [1, 1],
        "first_model": ["cnn", "cnn"],
        "last_model": ["cnn", "cnn"],
        "least_confidence": [0.9, 0.9],
        "greatest_confidence": [0.9, 0.9],
    }
    assert g2["least_confidence"] == [0.5]


def test_seven_days_of_flicker_come_back_as_the_worst_of_each_pixel(client):
    post("g1", *((10_000 - number * 1.44, number % 4) for number in range(6_900)))
    [g1] = client.get(API, {"range": "7d", "points": 500}).json()["machines"]
    assert len(g1["start"]) <= 501
    assert sum(g1["count"]) == 6_900
    assert g1["fault_type"].count(3) >= len(g1["fault_type"]) - 2  # but for what is left over at the ends
    start = datetime.fromtimestamp(g1["start"][250] / 1_000, UTC)
    [exact] = client.get(API, {"start": start.isoformat(), "end": (start + timedelta(minutes=20)).isoformat()}).json()[
        "machines"
    ]
    assert set(exact["runs"]) == {1}
    assert set(exact["fault_type"]) == {0, 1, 2, 3}


def test_only_the_states_asked_for_are_told(client):
    post("g1", (30, 0), (20, 2), (10, 3))
    for asked, told in [(["2", "3"], [2, 3]), (["0"], [0]), ([], [0, 2, 3])]:
        assert client.get(API, {"fault_type": asked}).json()["machines"][0]["fault_type"] == told


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine_name": "g9"}, "machine_name", "There is no machine g9."),
        ({"range": "1h", "start": "2026-11-20"}, "start", "Write the time as text such as"),
        ({"range": "1h", "end": "2026-11-20T00:00"}, "range", "Give either a range or start and end."),
        ({"start": "2026-11-20T00:00", "end": "2026-11-20T00:00"}, "end", "Must be after the start."),
        ({"start": "2026-01-01T00:00", "end": "2026-11-20T00:00"}, "end", "At most 92 days at a time."),
        ({"end": "0001-01-03T00:00"}, "end", "Give a year from 1901 to 2999."),
        ({"points": "9"}, "points", "greater than or equal to 10"),
        ({"fault_type": "99"}, "fault_type", '"99" is not a valid choice'),
    ],
)
def test_the_api_explains_what_is_wrong(client, query, field, message):
    answer = client.get(API, query)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert message in error["message"]


def test_the_api_tells_what_people_did_about_alarms_of_the_states_asked_for(client):
    kim = Actor(None, "kim")
    post("g1", (50, 1), (40, 1))
    episode = Episode.objects.get()
    acts.acknowledge(episode.pk, kim, seen=1, comment="on my way")
    acts.shelve(episode.pk, kim, seen=2, reason="bearing is ordered", minutes=60)
    acts.note(episode.pk, kim, comment="heard it")
    acts.close(episode.pk, kim, seen=3, verdict="right", found=1, action="balanced")
    [g1] = client.get(API, {"range": "1h"}).json()["machines"]
    assert g1["acts"] == [
        {"at": ms(act.at), "kind": act.kind, "by_name": "kim", "episode": episode.pk, "fault_type": 1} | more
        for act, more in zip(
            episode.acts.exclude(kind="shelve").order_by("pk"),
            [{"comment": "on my way"}, {"comment": "heard it"}, {"verdict": "right", "action": "balanced"}],
            strict=True,
        )
    ]
    for query in ({"range": "1h", "fault_type": 2}, {"end": ago(30).isoformat()}):
        assert "acts" not in client.get(API, query).json()["machines"][0]


def test_what_somebody_did_is_news_to_the_timeline(client):
    post("g1", (50, 1), (40, 1))
    version = client.get(API).headers["ETag"]
    acts.acknowledge(Episode.objects.get().pk, Actor(None, "kim"), seen=1)
    assert client.get(API, headers={"If-None-Match": version}).status_code == 200


def test_asked_again_the_api_says_when_nothing_changed(client, django_assert_num_queries):
    post("g1", (30, 0))
    version = client.get(API).headers["ETag"]
    with django_assert_num_queries(5):  # session, user, his permissions and those of his roles, version
        assert client.get(API, headers={"If-None-Match": version}).status_code == 304
    post("g1", (20, 1))
    changed = client.get(API, headers={"If-None-Match": version})
    assert (changed.status_code, changed.headers["ETag"] != version) == (200, True)


# --- The page ---------------------------------------------------------------------------------------------------------


def test_many_machines_come_some_at_a_time(client):
    for number in range(MACHINES_PER_PAGE + 3):
        post(f"g{number:02}", (5, 0))
    first, second = client.get(URL), client.get(URL, {"page": "2"})
    names = [it.name for response in (first, second) for it in response.context["machines"]]
    assert names == [f"g{number:02}" for number in range(MACHINES_PER_PAGE + 3)]
    assert 'href="?page=2"' in first.text
    for wrong in ("3", "0", "x"):
        assert client.get(URL, {"page": wrong}).status_code == 400


def test_a_longer_time_than_can_be_drawn_is_refused(client):
    post("g1", (5, 0))
    for query in ({"after": "2026-01-01", "before": "2026-11-01"}, {"after": "2026-01-01"}):
        response = client.get(URL, query)
        assert response.status_code == 400
        assert "At most 92 days at a time." in response.text
    assert "The start is in the future." in client.get(URL, {"after": "2999-01-01"}).text


def test_the_csv_has_the_runs_of_all_pages(client):
    Machine.objects.bulk_create(Machine(name=f"a{number:02}") for number in range(MACHINES_PER_PAGE))
    post("g1", (MIDNIGHT, 1), (MIDNIGHT + timedelta(minutes=10), 1), (MIDNIGHT + timedelta(minutes=20), 0))
    query = {"after": "2026-11-19", "before": "2026-11-21", "format": "csv"}
    rows = list(csv.reader(io.StringIO(client.get(URL, query).getvalue().decode("utf-8-sig"))))
    day = [f"2026-11-20T{time}:00.000000+09:00" for time in ("00:00", "00:20", "01:20")]
    assert rows[1:] == [
        ["g1", "1", "unbalance", day[0], day[1], "no", "1200.0", "2", "cnn", "cnn", "0.9", "0.9"],
        ["g1", "0", "normal", day[1], day[2], "no", "3600.0", "1", "cnn", "cnn", "0.9", "0.9"],
    ]
    of_state = client.get(URL, query | {"state": "1"}).getvalue().decode("utf-8-sig")
    assert len(of_state.splitlines()) == 2


# --- In a browser -----------------------------------------------------------------------------------------------------


def show(page, query: str = "") -> None:
    page.goto(URL + query)
    page.wait_for_selector("#timeline[aria-busy=false]")


@pytest.mark.browser
def test_runs_are_drawn_as_bars_in_the_lane_of_their_machine(page):
    post("g1", (MIDNIGHT, 1), (MIDNIGHT + timedelta(minutes=10), 1), (MIDNIGHT + timedelta(minutes=20), 0))
    post("g2", (MIDNIGHT, 3))
    show(page, "?after=2026-11-20&before=2026-11-20T03:00")
    start = ms(MIDNIGHT)
    assert page.evaluate(DRAWN) == [
        ["g1", 1, start, start + 20 * 60e3],
        ["g1", 0, start + 20 * 60e3, start + 80 * 60e3],
        ["g2", 3, start, start + 60 * 60e3],
    ]
    assert page.inner_text("#timeline figcaption") == (
        "Machines: 2, diagnoses: 4, 20 Nov 2026 00:00:00 to 20 Nov 2026 03:00:00"
    )


@pytest.mark.browser
def test_the_tooltip_tells_state_from_to_duration_count_model_and_confidence(page):
    post("g1", (MIDNIGHT, 1), (MIDNIGHT + timedelta(minutes=10), 1), (MIDNIGHT + timedelta(minutes=20.5), 0))
    show(page, "?after=2026-11-20&before=2026-11-20T03:00")
    page.mouse.move(*page.evaluate(MIDDLE, [1, 0]))
    page.wait_for_selector(".tip:not([hidden])")
    assert page.inner_text(".tip-head").split("\n") == ["g1", "unbalance"]
    names = page.locator(".tip dt").all_inner_texts()
    assert dict(zip(names, page.locator(".tip dd").all_inner_texts(), strict=True)) == {
        "From": "20 Nov 2026 00:00:00",
        "To": "20 Nov 2026 00:20:30",
        "Duration": "20 min 30 s",
        "Diagnoses": "2",
        "Model": "cnn",
        "Confidence": "0.9",
    }
    page.mouse.move(0, 0)
    page.wait_for_selector(".tip", state="hidden")


@pytest.mark.browser
def test_a_diagnosis_posted_to_the_api_is_drawn_within_two_seconds(page, roles):
    diagnoser = make_program(roles, "diagnoser")
    post("g1", (30, 0))
    page.clock.install()
    show(page)
    assert [state for _lane, state, *_ends in page.evaluate(DRAWN)] == [0]
    stop_clock(page)
    body = {"machine_name": "g1", "detected_at": timezone.now().isoformat(), "fault_type": 2}
    assert diagnoser.post("vibration-diagnosis", body).status_code == 201
    pass_time(page, 2)
    page.wait_for_function(f"() => ({DRAWN})().some(([, state]) => state === 2)")


@pytest.mark.browser
def test_dragging_zooms_to_exact_values_and_the_address_can_be_shared(page):
    first = ago(500)
    post("g1", *((first + timedelta(seconds=10 * number), number % 3) for number in range(3_000)))
    show(page, "?range=24h")
    assert "within one pixel" not in page.inner_text("#timeline")
    box = page.locator("#timeline canvas").bounding_box()
    area = page.evaluate("Chart.getChart(document.querySelector('#timeline canvas')).chartArea")
    y = box["y"] + (area["top"] + area["bottom"]) / 2
    page.mouse.move(box["x"] + area["right"] - 20, y)
    page.mouse.down()
    page.mouse.move(box["x"] + area["right"] - 26, y, steps=3)
    with page.expect_response(f"**{API}?*"):
        page.mouse.up()
    page.wait_for_selector("#timeline[aria-busy=false]")
    assert "after=" in page.url
    assert "before=" in page.url
    assert "range" not in page.url
    shared = page.url
    page.wait_for_function("document.querySelector('[data-do=back]').disabled === false")
    seen = page.evaluate(DRAWN)
    assert {round(end - start) for _lane, _state, start, end in seen[1:-1]} == {10_000}
    page.goto(shared)
    page.wait_for_selector("#timeline[aria-busy=false]")
    assert page.evaluate(DRAWN) == seen


@pytest.mark.browser
def test_the_wheel_zooms_and_step_back_returns(page):
    post("g1", (600, 1), (30, 0))
    show(page, "?range=24h")
    page.hover("#timeline canvas")
    with page.expect_response(f"**{API}?*end=*"):
        page.mouse.wheel(0, -300)
    page.wait_for_url("**after=**")
    page.get_by_role("button", name="Step back").click()
    page.wait_for_url("**?range=24h")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url("**before=**")
    page.get_by_role("button", name="Until now").click()
    page.wait_for_url("**range=7d")


@pytest.mark.browser
def test_after_a_zoom_the_csv_is_that_of_the_zoom_and_the_address_keeps_the_page(page):
    for number in range(MACHINES_PER_PAGE + 1):
        post(f"g{number:02}", (50, 1), (30, 0))
    show(page, "?range=24h&page=2&state=1")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url("**after=**")
    assert "page=2" in page.url
    link = page.get_by_role("link", name="CSV").get_attribute("href")
    assert "after=" in link
    assert "state=1" in link
    assert "format=csv" in link
    assert "page" not in link
    page.reload()
    page.wait_for_selector("#timeline[aria-busy=false]")
    assert page.evaluate("Chart.getChart(document.querySelector('#timeline canvas')).data.labels") == ["g20"]


@pytest.mark.browser
def test_what_is_typed_counts_when_it_is_sent(page):
    post("g1", (50, 1))
    show(page, "?range=1h")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill("[name=after]", "2026-11-20T00:00:00")
    page.check("[name=state][value='3']")
    for _poll in range(2):
        with page.expect_request(f"**{API}?*"):
            pass
    polled = [url for url in asked if API in url]
    assert all("range=1h" in url and "start" not in url and "fault_type" not in url for url in polled)


@pytest.mark.browser
def test_a_turn_of_the_wheel_is_one_step_back_and_ends_at_92_days(page):
    post("g1", (50, 1))
    page.clock.install()
    show(page, "?range=30d")
    page.hover("#timeline canvas")
    steps = page.evaluate("history.length")
    stop_clock(page)
    for _event in range(20):
        page.mouse.wheel(0, 400)
        pass_time(page, 0.04)
    pass_time(page, 2)
    page.wait_for_url("**after=**")
    page.wait_for_selector("#timeline[aria-busy=false]")
    assert page.evaluate("history.length") == steps + 1
    assert page.get_by_role("alert").is_hidden()
    page.reload()
    page.wait_for_selector("#timeline[aria-busy=false]")


@pytest.mark.browser
def test_when_a_machine_is_gone_the_page_asks_to_be_loaded_again(page, watch):
    post("g1", (50, 1))
    show(page)
    watch.expect_status(400)
    Machine.objects.update(name="renamed")
    post("g2", (50, 1))
    alert = page.get_by_role("alert")
    alert.wait_for(state="visible")
    assert "Reload the page." in alert.inner_text()
    alert.get_by_role("button", name="Try again").click()
    page.wait_for_function(
        "() => window.Chart?.getChart(document.querySelector('#timeline canvas'))?.data.labels.includes('renamed')"
    )


@pytest.mark.browser
def test_the_keyboard_steps_from_run_to_run_and_reads_them(page):
    post("g1", (50, 0), (30, 1))
    post("g2", (50, 3))
    show(page, "?range=1h")
    page.focus("#timeline canvas")
    reading = page.locator("[data-reading]")
    for key, start in [
        ("ArrowRight", "g1: normal, "),
        ("ArrowRight", "g1: unbalance, "),
        ("ArrowDown", "g2: unbalance and looseness, "),
        ("ArrowUp", "g1: "),
    ]:
        page.keyboard.press(key)
        assert reading.inner_text().startswith(start)
    assert page.locator(".tip").is_visible()


@pytest.mark.browser
def test_what_people_did_is_marked_and_told_to_pointer_and_keyboard(page):
    post("g1", (50, 1), (40, 1))
    acts.acknowledge(Episode.objects.get().pk, Actor(None, "kim"), seen=1, comment="<b>on my way</b>")
    show(page, f"?after={plant(ago(60))}&before={plant(ago(-30))}")
    page.mouse.move(*page.evaluate(ACT_AT))
    page.locator(".tip", has_text="<b>on my way</b>").wait_for()
    page.focus("#timeline canvas")
    for _key in range(2):
        page.keyboard.press("ArrowRight")
    assert re.fullmatch(r"g1: acknowledged, kim, .* \d\d:\d\d:\d\d", page.inner_text("[data-reading]"))
    assert page.locator(".legend [data-act] svg").count() == 3


@pytest.mark.browser
def test_when_the_server_is_away_the_timeline_says_so_and_goes_on_by_itself(page, watch):
    post("g1", (30, 0))
    show(page)
    watch.expect("ERR_CONNECTION_REFUSED")
    page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    alert = page.get_by_role("alert")
    alert.wait_for(state="visible")
    assert "The server does not answer." in alert.inner_text()
    page.unroute("**/api/**")
    alert.wait_for(state="hidden")


@pytest.mark.browser
def test_times_are_those_of_the_plant_wherever_the_browser_is(new_page, user):
    post("g1", (MIDNIGHT, 1), (MIDNIGHT + timedelta(minutes=10), 0))
    page = new_page(login=user, timezone_id="America/New_York", locale="ko-KR")
    show(page, "?after=2026-11-20&before=2026-11-20T03:00")
    page.mouse.move(*page.evaluate(MIDDLE, [1, 0]))
    page.wait_for_selector(".tip:not([hidden])")
    assert page.locator(".tip dd").all_inner_texts()[:3] == ["2026-11-20 00:00:00", "2026-11-20 00:10:00", "10분"]


@pytest.mark.browser
def test_a_stale_machine_ends_before_now(page):
    post("g1", (180, 0))
    show(page, "?range=24h")
    [[_lane, _state, start, end]] = page.evaluate(DRAWN)
    assert abs(end - start - 3_600_000) < 1
    assert abs(end - ms(ago(120))) < 60_000
