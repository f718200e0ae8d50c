"""The page /vibration/waterfall/: its form on the server, its image and its cursor in a browser."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from machines.tests.page_clock import pass_time, stop_clock
from vibration.models import Capture
from vibration.tests.captures_world import START, a_second, stored, tone
from vibration.tests.test_waveform_page import OVERFLOW

URL = "/vibration/waterfall/"
COLUMN = "/vibration/waterfall/column/"
READY = "#waterfall[aria-busy=false]"
DAY = "?machine=pump3&series=de/x&after=2026-11-20T00:00&before=2026-11-21T00:00"  # of the plant; START is 12:00
# The colour of the image at an instant (ms) and a frequency or order, as [red, green, blue, alpha]
COLOUR = """([ms, value]) => {
    const canvas = document.querySelector("#waterfall canvas");
    const { scales: { x, y }, currentDevicePixelRatio: ratio } = Chart.getChart(canvas);
    const at = [x.getPixelForValue(ms), y.getPixelForValue(value)].map((it) => it * ratio);
    return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
}"""
PLACE = """([ms, value]) => {
    const { scales } = Chart.getChart(document.querySelector("#waterfall canvas"));
    return { x: scales.x.getPixelForValue(ms), y: scales.y.getPixelForValue(value) };
}"""
ENDS = """() => {
    const { x, y } = Chart.getChart(document.querySelector("#waterfall canvas")).scales;
    return [x.min, x.max, y.min, y.max];
}"""
LIGHT, DARK = 150, 110  # greens of the palette


@pytest.fixture
def english(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def hours(number: float) -> float:
    """Milliseconds of an instant so long after START, within the column of a capture that starts then."""
    return (START + timedelta(hours=number, minutes=5)).timestamp() * 1e3


def store_hours(*numbers: float, hz: float = 100.0, **more) -> list[Capture]:
    """A capture of pump3 / de / x at each of these hours after START, a tone in a little noise."""
    noise = np.random.default_rng(1).normal(0, 1e-4, 2_560)
    values = tone(2_560, hz=hz) + noise
    return stored(*(a_second(values, started_at=START + timedelta(hours=it), **more) for it in numbers))


def show(page, query: str = DAY) -> None:
    page.goto(URL + query)
    page.wait_for_selector(READY)


def colour(page, hour: float, value: float) -> list[int]:
    return page.evaluate(COLOUR, [hours(hour), value])


def said(page) -> str:
    return page.inner_text("#waterfall figcaption")


def reading(page) -> str:
    return page.inner_text("[data-reading]")


def query_of(page) -> dict:
    return parse_qs(urlsplit(page.url).query)


# --- The form ---------------------------------------------------------------------------------------------------------


def test_without_captures_the_page_says_how_to_get_some(english):
    assert "There are no captures yet" in english.get(URL).text


def test_what_is_not_asked_for_is_the_first_axis_in_hertz_over_30_days(english):
    store_hours(0)
    store_hours(0, axis="a")
    form = english.get(URL).context["form"]
    told = {name: form.cleaned_data[name] for name in ("machine", "series", "scale", "floor", "low", "high")}
    assert told == {"machine": "pump3", "series": "de/a", "scale": "hz", "floor": 60, "low": None, "high": None}
    assert [it["name"] for it in form.ranges() if it["chosen"]] == ["last 30 days"]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", "There is no machine “g9” with captures. Choose one from the list."),
        ({"series": "de/q"}, "series", "This machine has no axis “de/q”. Choose from the list."),
        ({"scale": "rpm"}, "scale", "There is no frequency axis “rpm”. Choose hz or orders."),
        ({"floor": "70"}, "floor", "“70” is no such range. Choose 20, 40, 60 or 80 dB."),
        ({"low": "-1"}, "low", "Enter a number of 0 or more, such as 12.5."),
        ({"high": "all"}, "high", "Enter a number of 0 or more, such as 12.5."),
        ({"low": "50", "high": "50"}, "high", "The highest must be greater than the lowest."),
        ({"range": "9d"}, "range", "There is no range “9d”. Choose 1h, 24h, 7d, 30d, 90d or 365d."),
    ],
)
def test_a_wrong_value_is_explained_at_its_field(english, query, field, message):
    store_hours(0)
    response = english.get(URL, query)
    assert response.status_code == 400
    assert response.context["form"].errors == {field: [message]}
    assert "<canvas" not in response.text


def test_a_column_leads_to_its_capture_and_two_to_both_in_one(english):
    first, second = store_hours(0, 1)
    place = {"machine": "pump3", "series": "de/x", "at": second.started_at.isoformat()}
    assert english.get(COLUMN, place).url == f"/vibration/captures/{second.pk}/"
    both = english.get(COLUMN, place | {"other": first.started_at.isoformat()})
    assert both.url == f"/vibration/captures/{second.pk}/?with={first.pk}"


def test_a_capture_and_the_list_of_captures_lead_to_the_waterfall(english):
    [capture] = store_hours(0)
    period = "after=2026-11-05T12%3A00%3A00&amp;before=2026-12-05T12%3A00%3A00"
    link = f'href="{URL}?machine=pump3&amp;series=de%2Fx'
    page = english.get(f"/vibration/captures/{capture.pk}/").text
    assert f'{link}"' in page or f"{link}&amp;{period}" in page
    assert f'href="{URL}?machine=pump3"' in english.get("/vibration/captures/", {"machine": "pump3"}).text


@pytest.mark.parametrize(
    ("change", "status"), [({"at": "2026-11-20T03:00:01Z"}, 404), ({"series": "de/q"}, 404), ({"at": "soon"}, 400)]
)
def test_a_column_without_a_capture_is_told(english, change, status):
    store_hours(0)
    response = english.get(COLUMN, {"machine": "pump3", "series": "de/x", "at": START.isoformat()} | change)
    assert response.status_code == status
    assert "No such capture" in response.text


# --- The image --------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_tone_is_light_at_its_frequency_all_else_dark_and_a_gap_is_empty(page):
    store_hours(0, 1, 2, 5, 6)
    show(page, DAY + "&high=200")
    assert colour(page, 1, 100.5)[1] > LIGHT
    assert 0 < colour(page, 1, 150)[1] < DARK
    assert colour(page, 3.5, 100.5)[3] == 0
    assert colour(page, -2, 100.5)[3] == 0
    assert said(page).startswith("5 captures, 20 Nov 2026 00:00:00 to 21 Nov 2026 00:00:00.")
    assert re.search(r"The lightest colour is [−\d.]+ dB \((1|0\.9\d+|1\.0\d+) g\)", said(page))


@pytest.mark.browser
def test_on_the_axis_of_orders_each_column_is_scaled_by_its_own_speed_and_blank_without_one(page):
    store_hours(0, hz=50, rpm=1_500.0)
    store_hours(1, hz=40, rpm=1_200.0)
    store_hours(2, hz=40)
    show(page, DAY + "&scale=orders")
    assert colour(page, 0, 2)[1] > LIGHT
    assert colour(page, 1, 2)[1] > LIGHT
    assert colour(page, 0, 3)[1] < DARK
    assert colour(page, 2, 2.3)[3] == 0
    assert "The speed is not known of 1 of 3 captures: their columns are blank." in said(page)
    assert "Without an upper limit, orders up to 10 are shown." in said(page)


@pytest.mark.browser
def test_above_half_the_lower_rate_nothing_is_drawn_of_those_captures_and_that_is_told(page):
    store_hours(0, 1)
    values = tone(5_120, hz=100, rate=5_120)
    stored(*(a_second(values, sampling_hz=5_120.0, started_at=START + timedelta(hours=it)) for it in (2, 3)))
    show(page)
    assert colour(page, 1, 2_040)[3] == 0
    assert colour(page, 2, 2_040)[3] == 255
    assert "from 2,560 to 5,120 Hz. Above half its own rate nothing is drawn of a capture." in said(page)


@pytest.mark.browser
def test_a_period_without_captures_is_told(page):
    store_hours(0)
    show(page, "?machine=pump3&after=2026-10-01&before=2026-10-02")
    assert said(page).startswith("No capture of this axis started from 1 Oct 2026 00:00:00 to 2 Oct 2026 00:00:00.")


@pytest.mark.browser
def test_that_of_many_captures_some_are_shown_is_told(page):
    store_hours(0, 1, 2)

    def thin(route):
        answer = route.fetch()
        remarks = [{"code": "thinned", "every_s": 21_600.0}, {"code": "before_first", "first": START.isoformat()}]
        route.fulfill(response=answer, json=answer.json() | {"captures": 10_000, "remarks": remarks})

    page.route("**/api/waterfall?*", thin)
    show(page)
    assert "Of 10,000 captures the first of each 6 hours is shown, 3 in all." in said(page)
    assert "There are captures of this axis only from 20 Nov 2026 12:00:00 on." in said(page)


# --- The cursor -------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_mouse_reads_a_cell_and_a_click_opens_its_capture(page):
    _first, second, *_others = store_hours(0, 1, 2)
    show(page, DAY + "&high=200")
    canvas = page.locator("#waterfall canvas")
    place = page.evaluate(PLACE, [hours(1), 100.5])
    canvas.hover(position=place)
    assert reading(page).startswith("20 Nov 2026 13:00:00, ")
    assert " dB re 1 g (" in reading(page)
    canvas.click(position=place)
    page.wait_for_url(f"**/vibration/captures/{second.pk}/")


@pytest.mark.browser
def test_a_finger_moves_the_cursor_and_two_columns_are_compared(new_page, user):
    first, second, _third = store_hours(0, 1, 2)
    page = new_page(login=user, has_touch=True)
    show(page)
    canvas = page.locator("#waterfall canvas")
    canvas.tap(position=page.evaluate(PLACE, [hours(0), 100]))
    page.get_by_role("button", name="Remember this capture to compare it").click()
    assert "To compare: the capture of 20 Nov 2026 12:00:00." in page.inner_text("[data-marked]")
    canvas.tap(position=page.evaluate(PLACE, [hours(1), 100]))
    assert urlsplit(page.url).path == URL
    page.get_by_role("link", name="Compare it with that of 20 Nov 2026 12:00:00").click()
    page.wait_for_url(f"**/vibration/captures/{second.pk}/?with={first.pk}")


@pytest.mark.browser
def test_the_keyboard_moves_the_cursor_over_columns_and_rows_and_opens_a_capture(page):
    first, *_others = store_hours(0, 1, 5)
    show(page, DAY + "&low=95&high=105")
    page.focus("#waterfall canvas")
    page.keyboard.press("ArrowLeft")
    assert reading(page).startswith("20 Nov 2026 17:00:00, ")
    page.keyboard.press("ArrowLeft")
    before = reading(page)
    assert before.startswith("20 Nov 2026 13:00:00, ")
    page.keyboard.press("ArrowUp")
    assert reading(page).startswith("20 Nov 2026 13:00:00, ") and reading(page) != before
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/vibration/captures/{first.pk}/")


@pytest.mark.browser
def test_a_zoom_is_read_again_stands_in_the_address_and_is_one_step_back(page):
    store_hours(0, 1, 2)
    page.clock.install()
    show(page)
    before = page.evaluate(ENDS)
    box = page.locator("#waterfall canvas").bounding_box()
    place = page.evaluate(PLACE, [hours(1), 400])
    page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])
    stop_clock(page)
    page.mouse.wheel(0, -100)
    pass_time(page, 2)
    page.wait_for_url("**high=**")
    page.wait_for_selector(READY)
    after = page.evaluate(ENDS)
    assert before[0] < after[0] < hours(1) < after[1] < before[1]
    assert after[2:] == pytest.approx([float(query_of(page)[it][0]) for it in ("low", "high")])
    assert "3 captures" in said(page)
    page.get_by_role("button", name="Step back").click()
    page.wait_for_url(f"**{DAY}")
    page.wait_for_selector(READY)
    assert page.evaluate(ENDS) == before


# --- Everywhere -------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("ko-KR", "dark")])
def test_the_page_fits_a_phone_is_accessible_and_prints_on_one_page(new_page, user, locale, scheme):
    store_hours(0, 1, 2, rpm=1_500.0)
    page = new_page(login=user, locale=locale, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    show(page, DAY + "&scale=orders")
    assert page.evaluate(OVERFLOW) <= 0
    findings = Axe().run(page).response["violations"]
    assert [it["id"] for it in findings if it["impact"] in ("serious", "critical")] == []
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
