"""The overview and the page of a machine: on the server, and kept up to date in a browser."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from diagnosis.pages.overview import counts_of, tiles_of
from diagnosis.states import STALE, FaultType
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.world import ago, post
from himmes.api.tests.api_world import make_program
from machines.models import Machine
from machines.tests.page_clock import pass_time, stop_clock
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def tiles() -> list:
    machines = Machine.objects.select_related("current_state").order_by("name")
    return tiles_of(list(machines), timezone.now())


def text(response) -> str:
    """What is read, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.text)).replace("\xa0", " ")


def known_version(response) -> str:
    return re.search(r'"Known-Version": "([^"]+)"', response.text.replace("&quot;", '"'))[1]


def ask(client, url: str, version: str):
    return client.get(url, headers={"HX-Request": "true", "Known-Version": version})


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_what_nobody_has_acknowledged_comes_first_then_the_worst_then_what_nobody_knows_then_what_is_well():
    Machine.objects.create(name="never")
    for name, *said in [
        ("well", (5, 0)),
        ("loose-old", (40, 2), (5, 2)),
        ("loose-new", (30, 2), (5, 2)),
        ("both", (50, 3)),
        ("unbalanced", (5, 1)),
        ("silent-well", (90, 0)),
        ("silent-faulty", (90, 1)),
    ]:
        post(name, *said)
    assert [(it.machine.name, it.state.key) for it in tiles()] == [
        ("loose-new", "looseness"),
        ("loose-old", "looseness"),
        ("both", "unbalance_looseness"),  # which no second diagnosis has confirmed
        ("unbalanced", "unbalance"),
        ("silent-faulty", "stale"),
        ("silent-well", "stale"),
        ("never", "none"),
        ("well", "normal"),
    ]
    assert [(it["state"].key, it["count"]) for it in counts_of(tiles()) if it["count"]] == [
        ("unbalance_looseness", 1),
        ("looseness", 2),
        ("unbalance", 1),
        ("stale", 2),
        ("none", 1),
        ("normal", 1),
    ]


def test_a_machine_is_stale_after_its_own_interval_and_is_never_shown_as_normal(client):
    post("g1", (20, 0))
    assert tiles()[0].state == FaultType.NORMAL
    Machine.objects.update(expected_interval_min=15)
    [tile] = tiles()
    assert (tile.state, tile.current.state) == (STALE, FaultType.NORMAL)
    cache.clear()
    page = client.get("/")
    assert "stale last known: normal" in text(page)
    assert re.findall(r'class="tile" data-state="(\w+)"', page.text) == ["stale"]


def test_a_tile_tells_since_when_and_how_old_diagnosis_and_sample_are(client):
    recording = make_recording(5)
    post("g1", (180, 0), (125, 1), (7, 1))
    type(recording).objects.update(last_collected_at=ago(9))
    page = text(client.get("/"))
    since = timezone.localtime(ago(125))
    assert f"unbalance since {since.day} {since:%b %H:%M} (2 hours 5 minutes)" in page
    assert "diagnosis 7 minutes ago sample 9 minutes ago" in page
    type(recording).objects.update(last_collected_at=None, last_written_at=ago(61))
    cache.clear()
    assert "sample stored 1 hour 1 minute ago" in text(client.get("/"))


def test_a_machine_that_is_not_in_use_is_left_out(client):
    post("g1", (5, 0))
    Machine.objects.update(is_active=False)
    assert "There are no machines yet" in text(client.get("/"))


def test_without_machines_the_page_says_how_to_get_some(client):
    page = client.get("/").text
    for command in ("make_sample_csv var/samples", "import_vibration var/samples", "make_sample_diagnoses"):
        assert f"python manage.py {command}" in page


def test_on_the_wall_there_is_no_navigation(client):
    assert "<nav" in client.get("/").text
    page = client.get("/?kiosk=1").text
    assert "<nav" not in page
    assert "Plant time: Asia/Seoul, UTC+09:00" in page


def test_a_machine_becomes_stale_on_the_second_and_is_told_at_the_next_question(client, monkeypatch):
    post("g1", (59, 0))
    version = known_version(client.get("/"))
    a_minute_later = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: a_minute_later)
    assert "stale" in text(ask(client, "/", version))


def test_what_is_said_of_the_future_does_not_count_yet(client):
    post("g1", (20, 2), (10, 3), (-30, 0))
    [tile] = tiles()
    assert (tile.state.key, tile.current.detected_at < timezone.now()) == ("unbalance_looseness", True)
    assert "since" in text(client.get("/machines/g1/"))
    post("g2", (-30, 0))
    assert {it.machine.name: it.state.key for it in tiles()} == {"g1": "unbalance_looseness", "g2": "none"}


def test_a_state_from_another_year_is_told_with_its_year(client):
    post("g1", (60 * 24 * 400, 0), (5, 0))
    assert re.search(r"since \d+ \w+ \d{4} \d\d:\d\d:\d\d \(1 year", text(client.get("/")))


@pytest.mark.parametrize(("machines", "crowded"), [(60, False), (61, True)])
def test_of_many_machines_those_that_are_well_take_little_room_on_the_wall(client, machines, crowded):
    Machine.objects.bulk_create(Machine(name=f"g{number}") for number in range(machines))
    assert ('class="groups crowded"' in client.get("/?kiosk=1").text) is crowded


# --- What it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machines", [5, 200])
def test_the_overview_costs_14_queries_however_many_machines_there_are(client, django_assert_num_queries, machines):
    for number in range(machines):
        post(f"g{number}", (40, number % 4), (30, number % 4), (5, 0))
    # Session, user, his permissions and those of his roles, version, machines with state, samples, captures, strips,
    # clocks, conflicts of posts and of files, alarms and when their models spoke last
    with django_assert_num_queries(14):
        assert client.get("/").status_code == 200


def test_when_nothing_changed_there_is_nothing_to_say_and_little_to_ask(client, django_assert_num_queries):
    post("g1", (5, 0))
    version = known_version(client.get("/"))
    with django_assert_num_queries(5):  # session, user, his permissions and those of his roles, version
        answer = ask(client, "/", version)
    assert (answer.status_code, answer.content) == (204, b"")


def test_after_a_diagnosis_only_the_changing_part_is_sent(client):
    post("g1", (5, 0))
    version = known_version(client.get("/"))
    post("g1", (4, 3))
    answer = ask(client, "/", version)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "unbalance and looseness" in text(answer)
    assert known_version(answer) != version
    assert ask(client, "/", known_version(answer)).status_code == 204


def test_a_deleted_diagnosis_changes_the_version_too(client):
    machine = post("g1", (5, 0), (4, 3))
    version = known_version(client.get("/"))
    delete_diagnoses(machine.diagnoses.filter(fault_type=3))
    assert "normal" in text(ask(client, "/", version))


def test_many_who_look_share_one_rendering(client, django_user_model, user):
    post("g1", (5, 0))
    client.get("/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert not [
        it for it in queries if "FROM `machines_machine`" in it["sql"] or 'FROM "machines_machine"' in it["sql"]
    ]


def test_what_is_kept_of_the_overview_does_not_grow_with_its_versions(client):
    for minute in range(5, 0, -1):
        post("g1", (minute, 0))
        client.get("/")
    assert len([key for key in cache._cache if "overview" in key]) == 1


def test_a_change_of_language_is_no_change_of_what_the_other_sees(client):
    post("g1", (5, 1))
    assert "unbalance" in text(client.get("/"))
    assert "질량 불균형" in text(client.get("/", headers={"Accept-Language": "ko"}))


# --- The page of a machine --------------------------------------------------------------------------------------------


def test_a_machine_tells_its_states_recordings_and_data(client):
    recording = make_recording(5)
    post("g1", (180, 0), (125, 1), (7, 1))
    Machine.objects.update(title="급수 펌프", location="2동", rated_rpm=1650, expected_interval_min=90)
    page = client.get("/machines/g1/")
    assert "<title>g1 – HIM-MES</title>" in page.text
    told = text(page)
    for words in ("급수 펌프", "2동", "1650", "90 min without a diagnosis", "sensor1", "default", "ongoing"):
        assert words in told
    assert recording.get_absolute_url().replace("&", "&amp;") in page.text


def test_the_name_of_a_machine_may_be_anything(client):
    machine = post("펌프 3/가 & <b>", (5, 0))
    page = client.get(machine.get_absolute_url())
    assert page.status_code == 200
    assert "펌프 3/가 &amp; &lt;b&gt;" in page.text
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("name", ["..", ".", "../etc", "a/./b"])
def test_a_name_that_a_browser_takes_for_a_way_through_folders_has_its_page(client, name):
    url = post(name, (5, 0)).get_absolute_url()
    assert url.startswith("/machines/?name=")
    assert client.get(url).context["machine"].name == name
    assert client.get("/machines/").status_code == 404


def test_an_unknown_machine_is_a_page_that_is_not_found(client):
    assert client.get("/machines/nowhere/").status_code == 404


@pytest.mark.parametrize("recordings", [1, 20])
def test_the_page_of_a_machine_costs_the_same_however_much_there_is(client, django_assert_num_queries, recordings):
    for number in range(recordings):
        make_recording(3, sensor=f"sensor{number}")
    post("g1", *((minute, minute % 3) for minute in range(1, 2 + recordings + 1)))
    # Session, user, permissions (2), machine, version, history, newest sample and capture, strip, recordings, sensors,
    # clocks, conflicts of posts and of files, both counted and listed, alarms that go on, when their models spoke last,
    # alarms that are over, axes of captures
    with django_assert_num_queries(21):
        assert client.get("/machines/g1/").status_code == 200


def test_pages_are_for_those_with_a_role(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("newcomer"))
    for url in ("/", "/machines/g1/", "/diagnosis/", "/diagnosis/history/", "/diagnosis/timeline/"):
        assert client.get(url).status_code == 403
    client.logout()
    for url in ("/", "/machines/g1/", "/diagnosis/", "/diagnosis/history/", "/diagnosis/timeline/"):
        assert client.get(url).status_code == 302


# --- In a browser -----------------------------------------------------------------------------------------------------


def tile_of(page, name: str):
    return page.locator(".tile").filter(has=page.locator(f".tile-name:text-is('{name}')"))


@pytest.mark.browser
def test_a_diagnosis_posted_to_the_api_is_seen_within_two_seconds(page, live_server, roles):
    diagnoser = make_program(roles, "diagnoser")
    post("g1", (5, 0))
    post("g2", (5, 0))
    page.clock.install()
    page.goto("/")
    assert tile_of(page, "g2").locator(".status .word").inner_text() == "normal"
    marked = page.evaluate("window.loadedOnce = true")
    body = {"machine_name": "g2", "detected_at": timezone.now().isoformat(), "fault_type": 3, "confidence": 0.97}
    stop_clock(page)
    assert diagnoser.post("vibration-diagnosis", body).status_code == 201
    pass_time(page, 2)
    page.wait_for_selector('.tile[data-state="unbalance_looseness"]')
    assert page.locator(".tile-name").first.inner_text() == "g2"  # the worst comes first
    assert page.evaluate("window.loadedOnce") is marked is True  # the page was not loaded again


@pytest.mark.browser
def test_the_page_survives_that_the_server_is_away(page, watch):
    post("g1", (5, 0))
    page.goto("/")
    watch.expect("ERR_CONNECTION_REFUSED", "htmx:sendError", "htmx:afterRequest")
    page.route("**/*", lambda route: route.abort("connectionrefused"))
    banner = page.get_by_role("alert")
    banner.wait_for(state="visible")
    assert re.search(r"What you see is from \d\d:\d\d:\d\d\.", banner.inner_text())
    post("g1", (4, 2))
    page.unroute("**/*")
    page.wait_for_selector('.tile[data-state="looseness"]')
    banner.wait_for(state="hidden")


@pytest.mark.browser
def test_a_server_error_is_told_too_and_is_not_shown_as_the_page(page, watch):
    post("g1", (5, 0))
    page.goto("/")
    watch.expect_status(502)
    watch.expect("Response Status Error Code 502")
    page.route("**/*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    page.get_by_role("alert").wait_for(state="visible")
    page.unroute("**/*")
    page.get_by_role("alert").wait_for(state="hidden")
    assert tile_of(page, "g1").count() == 1


@pytest.mark.browser
def test_who_was_logged_out_is_led_to_the_login(page, user):
    post("g1", (5, 0))
    page.goto("/")
    page.context.clear_cookies()
    page.wait_for_url("**/login/**")


@pytest.mark.browser
def test_the_focus_stays_on_a_tile_when_others_change(page):
    post("g1", (5, 0))
    post("g2", (5, 0))
    page.goto("/")
    tile_of(page, "g1").locator("a").focus()
    post("g2", (4, 3))
    page.wait_for_selector('.tile[data-state="unbalance_looseness"]')
    assert page.evaluate("document.activeElement.textContent").strip().startswith("g1")


@pytest.mark.browser
def test_the_page_of_a_machine_keeps_itself_up_to_date(page):
    post("g1", (5, 0))
    page.clock.install()
    page.goto("/machines/g1/")
    page.wait_for_selector('.now[data-state="normal"]')
    stop_clock(page)
    post("g1", (1, 1))
    pass_time(page, 2)
    page.wait_for_selector('.now[data-state="unbalance"]')
    assert "unbalance" in page.inner_text(".now")


@pytest.mark.browser
def test_from_the_overview_to_the_samples_takes_two_clicks(page):
    make_recording(2_000)
    post("g1", (5, 2))
    page.goto("/")
    tile_of(page, "g1").click()
    page.get_by_role("row", name="sensor1").get_by_role("link", name="Waveform").click()
    page.wait_for_selector("#waveform[aria-busy=false]")
    assert page.title() == "g1 / sensor1 / default – Waveform – HIM-MES"


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_long_titles_are_cut_and_names_are_not(page, width):
    for name, title in [("g30", "1공장 2라인 급수 펌프 예비기 모터 구동측(2024년 교체) " * 2), ("x" * 50, "long")]:
        Machine.objects.filter(pk=post(name, (5, 0)).pk).update(title=title)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    box = page.locator(".tile-name").filter(has_text="g30").bounding_box()
    assert box["width"] > box["height"]


@pytest.mark.browser
def test_the_language_is_changed_for_the_place_that_a_zoom_has_led_to(page):
    post("g1", (50, 1))
    page.goto("/diagnosis/timeline/?range=24h")
    page.wait_for_selector("#timeline[aria-busy=false]")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url("**after=**")
    zoomed = page.url
    page.get_by_role("button", name="한국어").click()
    page.wait_for_function("document.documentElement.lang === 'ko'")
    assert page.url == zoomed
