"""The page /vibration/features/: its form on the server, its chart and its medians in a browser."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from common.tests.html import flat
from vibration.numbers.states import STATES
from vibration.tests.captures_world import a_second, stored
from vibration.tests.test_features_api import signals, write
from vibration.tests.test_waveform_page import OVERFLOW
from vibration.tests.world import make_recording

URL = "/vibration/features/"
READY = "#features[aria-busy=false]"
# Each line that is drawn: its state, and the points of its windows
DRAWN = """() => {
    const chart = Chart.getChart(document.querySelector("#features canvas"));
    return chart.data.datasets.filter((_it, index) => chart.isDatasetVisible(index)).map(({ state, data }) =>
        ({ state, y: data.map((it) => Number.isNaN(it.y) ? null : it.y) }));
}"""
# Where on the screen a window of the state normal lies
PLACE = """(index) => {
    const chart = Chart.getChart(document.querySelector("#features canvas"));
    const { x, y } = chart.getDatasetMeta(0).data[index];
    return { x, y };
}"""


@pytest.fixture
def english(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def show(page, query: str = "") -> None:
    page.goto(URL + query)
    page.wait_for_selector(READY)


def query_of(page) -> dict:
    return parse_qs(urlsplit(page.url).query)


def test_without_recordings_the_page_says_how_to_get_some(english):
    assert "There are no recordings yet" in english.get(URL).text


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", "There is no machine “g9” with recordings. Choose one from the list."),
        ({"feature": "noise"}, "feature", "There is no feature “noise”. Choose one from the list."),
        ({"windows": "201"}, "windows", "Enter a whole number from 1 to 200, or nothing for as many as fit."),
        ({"windows": "few"}, "windows", "Enter a whole number from 1 to 200, or nothing for as many as fit."),
        ({"start": "2", "end": "1"}, "end", "The end must not be before the start."),
    ],
)
def test_a_wrong_value_is_explained_at_its_field(english, query, field, message):
    make_recording(5)
    response = english.get(URL, query)
    assert response.status_code == 400
    assert response.context["form"].errors == {field: [message]}
    assert "<canvas" not in response.text


def test_the_features_are_named_in_the_language_of_the_reader(english):
    make_recording(5)
    assert "Amplitude at 1×" in english.get(URL).text
    assert "1× 진폭" in english.get(URL, headers={"Accept-Language": "ko"}).text


def test_where_the_machine_has_captures_too_a_link_leads_to_the_trend_of_the_same_feature(english):
    make_recording(5)
    link = 'href="/vibration/trend/?machine=g1&amp;feature=kurtosis"'
    assert link not in english.get(URL, {"feature": "kurtosis"}).text
    stored(a_second(machine="g1"))
    assert link in english.get(URL, {"feature": "kurtosis"}).text


def test_the_page_of_the_waveform_leads_to_that_of_the_features(english):
    make_recording(5)
    assert f'href="{URL}?machine=g1&amp;sensor=sensor1&amp;recording=default"' in flat(english.get("/vibration/"))


@pytest.mark.browser
def test_each_state_is_drawn_over_windows_with_a_gap_where_nothing_was_measured(page):
    time, values = signals(16)
    kept = (time < 8) | (time >= 12)
    write(time[kept], values[kept])
    show(page, "?windows=4&feature=order_1_0")
    drawn = page.evaluate(DRAWN)
    assert [it["state"] for it in drawn] == list(STATES)
    for number, line in enumerate(drawn, start=1):
        first, second, gap, third = line["y"]
        assert gap is None
        assert [first, second, third] == pytest.approx([number] * 3, rel=0.01)
    assert "Windows in which nothing was measured: 1. The line has a gap there." in page.inner_text("figcaption")
    ratios = page.locator("[data-medians=order_1_0] [data-ratio]").all()
    assert [float(it.get_attribute("data-ratio")) for it in ratios] == pytest.approx([2, 3, 4], rel=0.01)
    assert "the sampling rate is too low" in page.inner_text("[data-medians=band_1000_5000]")


@pytest.mark.browser
def test_another_feature_or_state_needs_no_request_and_stands_in_the_address(page):
    write(*signals(8))
    show(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Kurtosis").click()
    page.uncheck("[value=normal]")
    assert (query_of(page)["feature"], query_of(page)["states"]) == (["kurtosis"], list(STATES[1:]))
    assert [it["state"] for it in page.evaluate(DRAWN)] == list(STATES[1:])
    assert page.locator("[data-medians=kurtosis]").get_attribute("aria-current") == "true"
    page.select_option("[name=feature]", "velocity_rms")
    assert "unbalance: not assessable in 2 of 2 windows: the unit is not known" in page.inner_text("figcaption")
    assert [it for it in asked if "/api/" in it] == []
    show(page, f"?{urlsplit(page.url).query}")
    assert page.input_value("[name=feature]") == "velocity_rms"


@pytest.mark.browser
@pytest.mark.parametrize("hand", ["mouse", "finger"])
def test_a_click_on_a_window_opens_the_waveform_of_it(new_page, user, hand):
    write(*signals(12))
    page = new_page(login=user, has_touch=hand == "finger")
    show(page, "?windows=3")
    canvas = page.locator("#features canvas")
    (canvas.tap if hand == "finger" else canvas.click)(position=page.evaluate(PLACE, 1))
    page.wait_for_url("/vibration/?*")
    start, end = (float(query_of(page)[it][0]) for it in ("start", "end"))
    assert 3.9 < start < 4.1 < 7.9 < end < 8.1


@pytest.mark.browser
def test_the_keyboard_steps_through_the_windows_reads_them_and_opens_one(page):
    write(*signals(12))
    show(page, "?windows=3&feature=order_1_0&states=unbalance")
    page.focus("#features canvas")
    page.keyboard.press("ArrowRight")
    first = page.inner_text("[data-reading]")
    assert re.match(r"0\.000 s to 3\.9\d+ s\. unbalance: 2(\.0\d+)?\. Enter opens the waveform", first)
    page.keyboard.press("End")
    assert page.inner_text("[data-reading]").startswith("8.0")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url("/vibration/?*")
    assert float(query_of(page)["start"][0]) == pytest.approx(4, abs=0.01)


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_the_page_fits_a_phone_is_accessible_and_prints_on_one_page(new_page, user, locale):
    write(*signals(8))
    stored(a_second(machine="g1"))
    page = new_page(login=user, locale=locale, viewport={"width": 390, "height": 844}, color_scheme="dark")
    show(page)
    assert page.evaluate(OVERFLOW) <= 0
    findings = Axe().run(page).response["violations"]
    assert [it["id"] for it in findings if it["impact"] in ("serious", "critical")] == []
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.browser
def test_that_the_server_does_not_answer_is_said_and_asked_again(page, watch):
    write(*signals(4))
    watch.expect_status(502)
    page.route("**/features?*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"), times=1)
    show(page)
    alert = page.locator("#features").get_by_role("alert")
    assert "The server could not answer (HTTP 502)." in alert.inner_text()
    alert.get_by_role("button", name="Try again").click()
    page.wait_for_function("() => document.querySelector('#features [role=alert]').hidden")
    assert np.isfinite(page.evaluate(DRAWN)[0]["y"]).all()
