"""Trends in a browser: zoom, cursor, clicks and comparison by mouse, finger and keyboard."""

import json
import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from django.utils import timezone

from diagnosis.models import Episode
from diagnosis.tests.world import post
from machines.models import Machine
from vibration.models import Capture
from vibration.tests.captures_world import a_second, stored, tone

URL = "/vibration/trend/?machine=pump3&feature=order_1_0"
READY = "#trend[aria-busy=false]"
CHART = "Chart.getChart(document.querySelector('#trend canvas'))"
DRAWN = f"""() => {CHART}.data.datasets.map(({{ label, which, dashed, data }}) =>
    ({{ label, which, dashed, x: data.map((it) => it.x), y: data.map((it) => it.y) }}))"""
# Where a point of a dataset is on the screen
PLACE = f"""([dataset, index]) => {{
    const {{ x, y }} = {CHART}.getDatasetMeta(dataset).data[index];
    const box = document.querySelector("#trend canvas").getBoundingClientRect();
    return [box.left + x, box.top + y];
}}"""
pytestmark = pytest.mark.browser


def growing(days: int = 10, *, machine: str = "pump3", until: datetime | None = None, **more) -> list[Capture]:
    """A capture a day up to an hour ago, of an amplitude at 25 Hz that is the day's number."""
    Machine.objects.get_or_create(name=machine, defaults={"rated_rpm": 1_500})
    end = until or timezone.now() - timedelta(hours=1)
    return stored(
        *(
            a_second(tone(2_560, day), machine=machine, started_at=end - timedelta(days=days - day), **more)
            for day in range(1, days + 1)
        )
    )


def unbalance(at: datetime, machine: str = "pump3") -> Episode:
    post(machine, *((at + timedelta(minutes=number), int(number < 3)) for number in range(9)))
    return Episode.objects.get(opened_at__gte=at, opened_at__lt=at + timedelta(hours=1))


def show(page, query: str = "") -> None:
    page.goto(URL + query)
    page.wait_for_selector(READY)
    page.locator("#trend canvas").scroll_into_view_if_needed()


def levels(dataset) -> list[float]:
    """The values of a line, rounded; a break of it is no number."""
    return [round(it) for it in dataset["y"] if it == it]


def test_whether_unbalance_is_worse_than_a_month_ago_is_answered_from_the_overview_in_three_clicks(page):
    growing(2, until=timezone.now() - timedelta(days=30, hours=1))
    stored(a_second(tone(2_560, 3.8), started_at=timezone.now() - timedelta(hours=2)))
    post("pump3", (1, 0))
    page.goto("/")
    page.get_by_role("link", name="pump3").click()
    page.get_by_role("link", name="Amplitude at 1×").click()
    page.get_by_role("link", name="A month ago", exact=True).click()
    page.wait_for_selector(READY)
    row = page.locator("#trend-numbers tbody tr").first
    assert row.locator("th").inner_text() == "de / x"
    assert row.locator("[data-ratio]").inner_text() == "2.5 times"  # 3.8 against 1 and 2
    assert "3.8 g" in row.inner_text()


def test_each_capture_is_a_point_with_gaps_standstills_and_alarms_marked_and_told(page):
    captures = growing(10)
    end = captures[-1].started_at
    # Four days without a capture, then three hours without vibration
    stored(*(a_second(np.zeros(2_560), started_at=end - timedelta(days=14, hours=it)) for it in (0, 1, 2)))
    episode = unbalance(end - timedelta(days=5))
    show(page, "&range=30d")
    [line] = page.evaluate(DRAWN)
    assert levels(line) == list(range(1, 11))
    caption = page.inner_text("#trend figcaption")
    assert caption.startswith("13 captures, each on its own, from ")
    assert "de / x: no vibration from " in caption
    assert "shaded: the machine stands, or the sensor is dead." in caption
    marks = page.evaluate(f"Object.keys({CHART}.options.plugins.annotation.annotations)")
    assert sorted(marks) == ["alarm0", "flat0"]
    page.get_by_role("link", name=f"Alarm {episode.pk}: unbalance").click()
    page.wait_for_url(f"**{episode.get_absolute_url()}")


def test_a_drag_zooms_in_reads_anew_and_back_steps_back(page):
    growing(10)
    show(page)
    left, right = (page.evaluate(PLACE, [0, index]) for index in (4, 7))
    with page.expect_response("**/api/trend?*"), page.expect_response(re.compile(r"/vibration/trend/\?.*after=")):
        page.mouse.move(left[0] - 8, left[1])
        page.mouse.down()
        page.mouse.move(right[0] + 8, right[1] - 30, steps=4)
        page.mouse.up()
    page.wait_for_selector(READY)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["feature"] == ["order_1_0"]
    assert levels(page.evaluate(DRAWN)[0]) == [5, 6, 7, 8]
    page.wait_for_function("() => document.querySelector('#trend-numbers').innerText.includes('6.5 g')")
    # The wheel reads anew, too, and what a person sees by the link is the same.
    with page.expect_response("**/api/trend?*"):
        page.mouse.wheel(0, -200)
    page.wait_for_selector(READY)
    page.get_by_role("button", name="Step back").click()
    page.wait_for_function(f"() => ({DRAWN})()[0].y.length >= 4")
    page.get_by_role("button", name="Step back").click()
    page.wait_for_url(f"**{URL}")
    page.wait_for_selector(READY)
    assert levels(page.evaluate(DRAWN)[0]) == list(range(1, 11))


def test_a_click_on_a_point_opens_its_capture_and_beside_it_nothing(page):
    captures = growing(10)
    show(page)
    x, y = page.evaluate(PLACE, [0, 6])
    page.mouse.click(x, y + 60)  # far below the line
    page.mouse.click(x, y)
    page.wait_for_url(f"**/vibration/captures/{captures[6].pk}/")


def test_a_finger_opens_a_capture_and_two_zoom_on_a_phone(new_page, user):
    captures = growing(10)
    page = new_page(login=user, locale="ko-KR", has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    show(page)
    canvas = page.locator("#trend canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle, y = box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2
    fingers = page.context.new_cdp_session(page)  # Playwright itself has one finger only

    def touch(kind: str, apart: int | None = None) -> None:
        points = [{"x": middle + side * apart, "y": y, "id": side} for side in (-1, 1)] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    with page.expect_response("**/api/trend?*"):
        touch("touchStart", 20)
        for apart in range(25, 105, 5):
            touch("touchMove", apart)
        touch("touchEnd")
    page.wait_for_url("**after=**")
    page.get_by_role("button", name="되돌리기").tap()
    page.wait_for_url(f"**{URL}")
    page.wait_for_selector(READY)
    canvas.scroll_into_view_if_needed()
    page.touchscreen.tap(*page.evaluate(PLACE, [0, 8]))
    page.wait_for_url(f"**/vibration/captures/{captures[8].pk}/")


def test_by_keyboard_alone_the_points_are_read_another_axis_is_reached_and_a_capture_is_opened(page):
    captures = growing(10)
    growing(10, axis="y")
    show(page)
    page.focus("#trend canvas")
    said = page.locator("#trend [data-reading]")
    page.keyboard.press("ArrowLeft")  # the cursor comes to the newest
    assert said.inner_text().startswith("de / x: 10 g, ")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert said.inner_text().startswith("de / x: 8 g, ")
    page.keyboard.press("ArrowDown")
    assert said.inner_text().startswith("de / y: 8 g, ")
    page.keyboard.press("Home")
    assert said.inner_text().startswith("de / y: 1 g, ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert said.inner_text().endswith(". Enter opens the capture.")
    with page.expect_response("**/api/trend?*"):
        page.keyboard.press("+")
    page.wait_for_selector(READY)
    page.keyboard.press("Home")
    page.keyboard.press("Home")
    value = int(re.match(r"de / x: (\d+) g", said.inner_text())[1])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/vibration/captures/{captures[value - 1].pk}/")


def test_of_buckets_the_edges_lead_to_the_captures_with_the_least_and_the_greatest_value(page, monkeypatch):
    monkeypatch.setattr("vibration.trends.reading.MOST_CAPTURES", 5)
    captures = growing(10)
    show(page)
    lower, upper = page.evaluate(DRAWN)
    assert (lower["which"], upper["which"]) == ("least", "greatest")
    assert "the least and the greatest value of each" in page.inner_text("#trend figcaption")
    page.focus("#trend canvas")
    page.keyboard.press("Home")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#trend [data-reading]").startswith("de / x, greatest: 1 g, ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/vibration/captures/{captures[0].pk}/")


def test_two_alarms_are_drawn_over_each_other_in_days_from_their_opening(page):
    now = timezone.now()
    first, second = unbalance(now - timedelta(days=20)), unbalance(now - timedelta(days=4))
    for opening, amplitude in ((first.opened_at, 1.0), (second.opened_at, 3.0)):
        Machine.objects.filter(name="pump3").update(rated_rpm=1_500)
        starts = [opening + timedelta(days=day) for day in (-2, -1, 1, 2)]
        stored(*(a_second(tone(2_560, amplitude), started_at=it) for it in starts))
    show(page, f"&compare=alarm&alarm={second.pk}&with_alarm={first.pk}")
    solid, dashed = page.evaluate(DRAWN)
    assert (solid["dashed"], dashed["dashed"]) == (False, True)
    assert solid["x"] == pytest.approx([-2, -1, 1, 2], abs=1e-6)
    assert dashed["x"] == pytest.approx([-2, -1, 1, 2], abs=1e-6)
    assert (levels(solid), levels(dashed)) == ([3] * 4, [1] * 4)
    marks = page.evaluate(f"Object.values({CHART}.options.plugins.annotation.annotations).map((it) => it.xMin)")
    assert marks == pytest.approx([0, 0], abs=1e-6)
    assert page.inner_text("[data-ratio]") == "3.0 times"
    with page.expect_response(re.compile(r"/vibration/trend/\?.*after=")):
        page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()  # to 1.75 days before and after
    page.wait_for_function(f"() => ({DRAWN})()[1].x.length === 2")
    assert page.evaluate(DRAWN)[1]["x"] == pytest.approx([-1, 1], abs=1e-6)


def test_a_new_capture_comes_by_itself(page):
    growing(3)
    page.clock.install()
    show(page)
    stored(a_second(tone(2_560, 9), started_at=timezone.now() - timedelta(minutes=5)))
    with page.expect_response("**/api/trend?*"):
        page.clock.run_for(11_000)
    page.wait_for_function(f"() => ({DRAWN})()[0].y.length === 4")
    page.wait_for_function("() => document.querySelector('#trend-numbers').innerText.includes('9 g')")


def test_while_the_server_is_away_the_page_says_so_and_goes_on_by_itself(page, watch):
    growing(3)
    page.clock.install()
    show(page)
    watch.expect("net::ERR_FAILED")
    page.route("**/api/trend?*", lambda route: route.abort())
    page.clock.run_for(11_000)
    page.get_by_text("The server does not answer.").wait_for()
    assert page.locator("#trend[data-stale]").count() == 1
    page.unroute("**/api/trend?*")
    page.clock.run_for(11_000)
    page.wait_for_selector("#trend:not([data-stale])")


def test_an_axis_that_is_unticked_is_gone_and_the_address_says_so(page):
    growing(3)
    growing(3, axis="y")
    show(page)
    with page.expect_response("**/api/trend?*"):
        page.get_by_role("checkbox", name="de / x").uncheck()
    page.wait_for_function(f"() => {CHART}.data.datasets.length === 1")
    assert parse_qs(urlsplit(page.url).query)["series"] == ["de/y"]
    page.get_by_role("checkbox", name="de / y").uncheck()
    page.get_by_text("No axis is selected.").wait_for()
    page.get_by_role("checkbox", name="de / x").check()
    page.wait_for_function(f"() => {CHART}.data.datasets[0]?.label === 'de / x'")


def test_what_the_api_remarks_is_said_in_words(page):
    growing(3, unit="g")
    remarks = [
        {"code": "converted", "captures": 3, "unit": "m/s2"},
        {"code": "other_unit", "captures": 1, "unit": ""},
        {"code": "rates", "first_hz": 2_560, "last_hz": 25_600},
        {"code": "before_first", "first": "2026-11-01T00:00:00+09:00"},
        {"code": "none"},
        {"code": "not_assessable", "points": 2, "reason": "speed"},
        {"code": "not_assessable", "points": 2, "reason": ""},
    ]

    def answer(route):
        response = route.fetch()
        body = response.json()
        body["series"][0]["remarks"] = remarks
        route.fulfill(response=response, body=json.dumps(body))

    page.route("**/api/trend?*", answer)
    show(page)
    assert page.inner_text("#trend figcaption").splitlines()[1:] == [
        "de / x: 3 captures were in m/s² and are converted to g.",
        "de / x: 1 captures in an unknown unit are left out, as they can't be converted to g.",
        "de / x: the sampling rate differs, from 2,560 to 25,600 Hz; values may differ for that.",
        "de / x: the first capture is of 1 Nov 2026 00:00:00; there is nothing before.",
        "de / x: no capture in this period.",
        "de / x: not assessable at 2 points (the speed is not known).",
        "de / x: no value at 2 points.",
    ]


def test_a_machine_draws_its_small_trends_and_each_leads_to_its_page(page):
    growing(10)
    page.goto("/machines/pump3/")
    page.get_by_text("greatest 10 g").first.wait_for()
    page.get_by_role("link", name="Envelope peak").click()
    page.wait_for_selector(READY)
    assert parse_qs(urlsplit(page.url).query) == {"machine": ["pump3"], "feature": ["envelope_peak"]}


def test_it_prints_on_one_page_without_what_only_a_screen_needs(page):
    growing(10)
    show(page, "&compare=week")
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    for hidden in (".site-header", ".filter-box", ".take-out", ".toolbar button"):
        assert not any(it.is_visible() for it in page.locator(hidden).all()), hidden
    assert page.locator("#trend canvas").is_visible()
