"""A spectrum is looked into: on the server its query string and comparisons, in a browser zoom, cursors and overlay."""

import re
from datetime import timedelta

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from common.tests.html import flat
from machines.models import Bearing, Machine
from vibration.models import Capture, CaptureFeatures
from vibration.pages.comparison import numbers_of_both
from vibration.signals.units import STANDARD_GRAVITY
from vibration.tests.captures_world import START, a_second, stored, tone
from vibration.tests.test_spectrum_page import write_tone
from vibration.tests.world import make_recording

URL = "/vibration/captures/"
RATE = 12_800.0
SHAFT_HZ = 25.3
SPECTRUM = "#spectrum [data-chart]"
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def harmonics_in_noise(amplitude: float = 1.0, *, shaft_hz: float = SHAFT_HZ) -> np.ndarray:
    """One second: the shaft with its second and third multiple, a carrier at 3 kHz with sidebands 87 Hz apart."""
    time = np.arange(int(RATE)) / RATE
    shaft = sum(part * np.sin(2 * np.pi * k * shaft_hz * time) for k, part in ((1, amplitude), (2, 0.4), (3, 0.2)))
    carrier = 0.5 * (1 + 0.5 * np.sin(2 * np.pi * 87 * time)) * np.sin(2 * np.pi * 3_000 * time)
    return shaft + carrier + np.random.default_rng(1).normal(0, 0.02, len(time))


def one(values: np.ndarray | None = None, *, days_before: float = 0, **more) -> Capture:
    values = harmonics_in_noise() if values is None else values
    more = {"sampling_hz": RATE, "unit": "m/s2", "started_at": START - timedelta(days=days_before)} | more
    [capture] = stored(a_second(values, **more))
    return capture


# --- The query string -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"resolution": "3"}, "There is no choice “3”. Choose one from the list."),
        ({"low": "x"}, "Enter a frequency in Hz, such as 24.5."),
        ({"low": "20", "high": "10"}, "The range must end above where it begins."),
        ({"envelope_scale": "loud"}, "There is no choice “loud”. Choose one from the list."),
        ({"with": "soon"}, "Enter the number of a capture to compare with, as in its address."),
        ({"with": "999"}, "There is no capture 999 to compare with."),
    ],
)
def test_a_wrong_view_is_explained_and_nothing_is_drawn(client, query, message):
    response = client.get(f"{URL}{one().pk}/", query)
    assert response.status_code == 400
    assert message in flat(response)
    assert "<canvas" not in response.text


def test_a_capture_is_not_compared_with_itself(client):
    capture = one()
    response = client.get(f"{URL}{capture.pk}/", {"with": capture.pk})
    assert response.status_code == 400
    assert "A capture is not compared with itself." in flat(response)


def test_a_velocity_is_offered_of_an_acceleration_only(client):
    known, unknown = one(), one(unit="", axis="y")
    assert "velocity (mm/s)" in client.get(f"{URL}{known.pk}/").text
    assert "velocity (mm/s)" not in client.get(f"{URL}{unknown.pk}/").text
    response = client.get(f"{URL}{unknown.pk}/", {"quantity": "velocity"})
    assert response.status_code == 400
    assert "only an acceleration whose unit is known becomes a velocity" in flat(response)


@pytest.mark.parametrize("query", [{"scale": "loud"}, {"with_start": "2", "with_end": "1"}, {"state": "broken"}])
def test_a_wrong_view_of_a_recording_is_a_400_too(client, query):
    make_recording(5)
    response = client.get("/vibration/", query)
    assert response.status_code == 400
    assert "<canvas" not in response.text


# --- Compared with another --------------------------------------------------------------------------------------------


def test_the_one_before_a_week_a_month_before_and_the_earliest_sound_one_are_offered(client):
    flat_one = one(np.zeros(256), days_before=60)
    captures = {days: one(tone(256), days_before=days) for days in (50, 31, 8, 1)}
    others = client.get(f"{URL}{one().pk}/").context["others"]
    assert [(it.name, it.capture.pk) for it in others] == [
        ("the one before", captures[1].pk),
        ("a week before", captures[8].pk),
        ("a month before", captures[31].pk),
        ("the reference, the earliest sound one", captures[50].pk),
    ]
    assert flat_one.is_flat
    first = client.get(f"{URL}{flat_one.pk}/")
    assert first.context["others"] == []
    assert "This is the first capture of this axis" in flat(first)


def numbers(this: Capture, other: Capture) -> dict[str, tuple[str, str]]:
    """The ratio of each feature, and why there is none."""
    of = {it.started_at: it for it in CaptureFeatures.objects.all()}
    rows = numbers_of_both(this, other, of[this.started_at], of[other.started_at])
    return {row.name: (row.ratio, row.reason) for row in rows}


def test_the_ratio_tells_how_much_the_unbalance_has_grown():
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    found = numbers(one(harmonics_in_noise(2.5)), one(days_before=30))
    assert float(found["1×"][0]) == pytest.approx(2.5, rel=0.01)
    assert float(found["2×"][0]) == pytest.approx(1.0, rel=0.01)


def test_g_is_converted_and_what_depends_on_another_rate_or_unit_is_not_compared(client):
    this = one()
    in_g = one(harmonics_in_noise() / STANDARD_GRAVITY, days_before=1, unit="g")
    assert float(numbers(this, in_g)["RMS"][0]) == pytest.approx(1, rel=1e-3)
    assert "is in g, and is shown in m/s²" in flat(client.get(f"{URL}{this.pk}/", {"with": in_g.pk}))
    slower = one(tone(2_560, hz=25.0), days_before=2, sampling_hz=2_560.0)
    assert numbers(this, slower)["RMS"] == ("", "another sampling rate")
    assert numbers(this, slower)["Velocity RMS, 10–1,000 Hz"][1] == ""
    assert "The sampling rates differ" in flat(client.get(f"{URL}{this.pk}/", {"with": slower.pk}))
    unknown = one(days_before=3, unit="")
    assert numbers(this, unknown)["RMS"] == ("", "another unit")
    assert numbers(this, unknown)["Kurtosis"][1] == ""


# --- In a browser -----------------------------------------------------------------------------------------------------

CHART = f'Chart.getChart(document.querySelector("{SPECTRUM} canvas"))'
SHOWN = f"(({{ min, max }}) => [min, max])({CHART}.scales.x)"
PIXEL = f"(hz) => ({{ x: {CHART}.scales.x.getPixelForValue(hz), y: {CHART}.chartArea.top + 40 }})"
LINES = f"""() => Object.entries({CHART}.options.plugins.annotation.annotations)
    .filter(([name]) => name.startsWith("cursor")).map(([, {{ value }}]) => value)"""
MARKS = f"""() => Object.entries({CHART}.options.plugins.annotation.annotations)
    .filter(([name]) => name.startsWith("fault")).map(([, {{ value }}]) => value)"""
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


def opened(page, capture: Capture, query: str = "") -> None:
    page.goto(f"{URL}{capture.pk}/{query}")
    for panel in ("waveform", "spectrum", "envelope"):
        page.wait_for_selector(f"#{panel}[aria-busy=false]")
    page.locator(SPECTRUM).scroll_into_view_if_needed()


def pressed(page, key: str, *, reads: str) -> None:
    """A key on the chart of the spectrum, after which the API was asked."""
    page.focus(SPECTRUM)
    with page.expect_response(f"**/{reads}?*"):
        page.keyboard.press(key)
    page.wait_for_selector("#spectrum[aria-busy=false]")


def at(page) -> float:
    return float(page.input_value("#spectrum [data-tool=at]"))


def reading(page, *words: str) -> str:
    """What is said of the cursor, once all of these words are said."""
    page.wait_for_function(
        "(words) => words.every((it) => document.querySelector('#spectrum [data-reading]').textContent.includes(it))",
        arg=list(words),
    )
    return page.inner_text("#spectrum [data-reading]")


@pytest.mark.browser
def test_by_keys_alone_the_range_is_zoomed_into_shifted_and_whole_again(page):
    opened(page, one())
    pressed(page, "+", reads="spectrum")
    low, high = page.evaluate(SHOWN)
    assert (low, high) == pytest.approx((1_600, 4_800), rel=0.01)
    pressed(page, "ArrowLeft", reads="spectrum")
    assert page.evaluate(SHOWN) == pytest.approx([0, 3_200], abs=10)
    assert "high=" in page.url
    pressed(page, "0", reads="spectrum")
    assert "high" not in page.url


@pytest.mark.browser
def test_dragging_reads_single_bins_and_the_address_opens_the_same_view(page):
    opened(page, one(), "?scale=db")
    box = page.locator(f"{SPECTRUM} canvas").bounding_box()
    for hz, act in ((2_800, page.mouse.down), (3_200, page.mouse.up)):
        place = page.evaluate(PIXEL, hz)
        page.mouse.move(box["x"] + place["x"], box["y"] + place["y"], steps=5)
        if act == page.mouse.up:
            with page.expect_response("**/spectrum?*"):
                act()
        else:
            act()
    page.wait_for_selector("#spectrum[aria-busy=false]")
    shown = page.evaluate(SHOWN)
    assert shown == pytest.approx([2_800, 3_200], abs=15)
    x = page.evaluate(f"{CHART}.data.datasets[0].data.map((it) => it.x)")
    assert np.diff(x) == pytest.approx(1.0)  # bins, one by one
    page.goto(page.url)
    page.wait_for_selector("#spectrum[aria-busy=false]")
    assert page.evaluate(SHOWN) == pytest.approx(shown)
    assert page.input_value("#spectrum [data-tool=scale]") == "db"


@pytest.mark.browser
def test_a_click_puts_the_harmonic_cursor_on_the_peak_and_lists_its_lines(page):
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    opened(page, one(), "?low=0&high=200")
    with page.expect_response("**/cursors?*"):
        page.select_option("#spectrum [data-tool=cursor]", "harmonics")
    assert "3 of 10 stand out" in reading(page, "Harmonics of 25.3 Hz")
    assert at(page) == pytest.approx(SHAFT_HZ, abs=0.5)
    with page.expect_response("**/cursors?*"):
        page.locator(f"{SPECTRUM} canvas").click(position=page.evaluate(PIXEL, 51))
    reading(page, "order 2.00")
    assert at(page) == pytest.approx(2 * SHAFT_HZ, abs=0.5)
    first, *others = page.locator("#spectrum [data-cursor-lines] tbody tr").all_inner_texts()
    assert [first.split()[0], first.split()[2], first.split()[-1]] == ["1×", "2.00", "yes"]
    assert float(first.split()[3]) == pytest.approx(0.4, rel=0.02)
    assert [row.split()[-1] for row in others] == ["no"] * 9
    drawn = page.evaluate(LINES)
    assert drawn == pytest.approx([at(page) * k for k in range(1, 4)], rel=1e-6)  # up to 200 Hz


@pytest.mark.browser
def test_by_keys_a_cursor_is_placed_moved_by_a_bin_or_ten_put_on_the_peak_and_removed(page):
    opened(page, one(), "?low=0&high=200")
    pressed(page, "Enter", reads="cursors")
    reading(page, "Cursor: 25.3 Hz")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert at(page) == pytest.approx(SHAFT_HZ + 9, abs=0.1)
    assert "Enter puts it on the peak there" in reading(page, "It stands where it was put")
    page.fill("#spectrum [data-tool=at]", "50")
    page.locator("#spectrum [data-tool=at]").press("Tab")
    pressed(page, "Enter", reads="cursors")
    reading(page, "Cursor: 50.6 Hz")
    page.keyboard.press("Escape")
    assert page.evaluate(LINES) == []
    assert "cursor" not in page.url


@pytest.mark.browser
def test_a_finger_drags_a_sideband_and_all_follow(new_page, user):
    page = new_page(login=user, locale="en-US", viewport={"width": 390, "height": 844}, has_touch=True)
    opened(page, one(), "?low=2600&high=3400&cursor=sidebands&at=3000&spacing=70")
    reading(page, "3,000 Hz")
    canvas = page.locator(f"{SPECTRUM} canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    from_, to = (page.evaluate(PIXEL, hz) for hz in (3_070, 3_088))
    y = box["y"] + from_["y"]
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *x: float) -> None:
        points = [{"x": box["x"] + it, "y": y} for it in x]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", from_["x"])
    for share in (0.4, 0.7, 1.0):
        touch("touchMove", from_["x"] + share * (to["x"] - from_["x"]))
    with page.expect_response("**/cursors?*"):
        touch("touchEnd")
    assert "3 of 11 stand out" in reading(page, "Sidebands of 3,000 Hz, 87")
    assert float(page.input_value("#spectrum [data-tool=spacing]")) == pytest.approx(87, abs=0.5)


@pytest.mark.browser
def test_another_capture_lies_dashed_over_it_by_order_on_the_same_multiples(page):
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    other = one(harmonics_in_noise(shaft_hz=24.0), days_before=30)
    opened(page, one(harmonics_in_noise(2.5)), f"?with={other.pk}&x=orders&low=0&high=200")
    page.wait_for_function("() => document.querySelector('#spectrum [data-overlay]').textContent.includes('by order')")
    dashed = page.evaluate(f"""() => {{
        const {{ data, borderDash }} = {CHART}.data.datasets.find((it) => it.overlay);
        return {{ x: data.reduce((a, b) => (b.amplitude > a.amplitude ? b : a)).x, borderDash }};
    }}""")
    assert dashed["x"] == pytest.approx(SHAFT_HZ, abs=1.1)
    assert dashed["borderDash"]
    assert "2.5" in page.locator("[data-both] tr", has_text="1×").first.inner_text()


@pytest.mark.browser
def test_of_another_unit_nothing_is_drawn_over_it_and_that_is_said(page):
    other = one(days_before=1, unit="")
    opened(page, one(), f"?with={other.pk}")
    page.wait_for_function("() => document.querySelector('#spectrum [data-overlay]').textContent.includes('not drawn')")
    assert not page.evaluate(f"{CHART}.data.datasets.some((it) => it.overlay)")


@pytest.mark.browser
def test_bearings_mark_their_fault_frequencies_and_what_is_missing_is_said(page):
    machine = Machine.objects.create(name="pump3", rated_rpm=1_500)
    capture = one()
    opened(page, capture)
    page.wait_for_function("() => document.querySelector('[data-about-faults]').textContent.includes('No bearing')")
    Bearing.objects.create(machine=machine, name="NDE")
    geometry = {"rolling_elements": 9, "ball_diameter_mm": 7.94, "pitch_diameter_mm": 39.04, "contact_angle_deg": 0.0}
    Bearing.objects.create(machine=machine, name="DE", **geometry)
    opened(page, capture, "?high=400")
    page.wait_for_function("() => document.querySelector('[data-faults] tbody').rows.length === 2")
    assert "NDE: its geometry is not stored" in page.inner_text("[data-about-faults]")
    [found] = [row for row in page.locator("[data-faults] tbody tr").all_inner_texts() if row.startswith("DE")]
    bpfo, bpfi = map(float, found.split()[1:3])
    assert bpfo + bpfi == pytest.approx(9 * SHAFT_HZ, rel=0.01)  # a blow of each element at one ring or the other
    marked = page.evaluate(MARKS)
    assert any(it == pytest.approx(2 * bpfo, abs=0.02) for it in marked)


@pytest.mark.browser
def test_a_resolution_that_the_capture_is_too_short_for_is_said(page):
    opened(page, one(), "?resolution=0.1")
    said = page.inner_text("#spectrum [data-about]")
    assert "A resolution of 0.1 Hz needs 10 s without a gap. There are 1 s, so it is 1 Hz." in said


@pytest.mark.browser
def test_a_second_window_of_a_recording_lies_over_the_first_with_numbers_of_both(page):
    write_tone()
    page.goto("/vibration/?with_start=1&with_end=2&cursor=harmonics&state=looseness")
    page.wait_for_selector("#spectrum[aria-busy=false]")
    assert page.inner_text("#spectrum [data-second]") == "1 s to 2 s, 1,001 samples"
    ratios = page.locator("[data-second-features=normal] [data-ratio=rms] data").get_attribute("value")
    assert float(ratios) == pytest.approx(1, rel=0.01)
    assert page.evaluate(f"{CHART}.data.datasets.filter((it) => it.overlay).length") == 4
    reading(page, "Harmonics of 27.5 Hz")


@pytest.mark.browser
def test_the_wheel_zooms_in_once_for_a_turn_and_buttons_go_back_to_the_whole(page):
    opened(page, one())
    place = page.evaluate(PIXEL, 3_000)
    page.locator(f"{SPECTRUM} canvas").hover(position=place)
    with page.expect_response("**/spectrum?*"):
        page.mouse.wheel(0, -200)
    page.wait_for_function("() => !document.querySelector('[data-range=whole]').disabled")
    low, high = page.evaluate(SHOWN)
    assert 0 < low < 3_000 < high < RATE / 2
    with page.expect_response("**/spectrum?*"):
        page.get_by_role("button", name="Whole range").first.click()
    page.wait_for_selector("#spectrum[aria-busy=false]")
    assert page.evaluate(SHOWN) == pytest.approx([0, RATE / 2], abs=1)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_prints_to_one_page_in_dark_ink(new_page, user, scheme):
    one(days_before=10)
    capture = one()
    page = new_page(login=user, locale="ko-KR", color_scheme=scheme)
    page.goto(f"{URL}{capture.pk}/report/?low=0&high=400&scale=db")
    for section in ("trend", "spectrum", "waveform"):
        page.wait_for_selector(f"#{section}[aria-busy=false]")
        assert page.locator(f"#{section} [role=alert]").is_hidden()
    sheet = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1
    page.emulate_media(media="print")
    page.locator("html[data-bs-theme=light]").wait_for(state="attached")
    ink = page.evaluate("getComputedStyle(document.querySelector('.paper')).color")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 128
    colour = page.evaluate("Chart.getChart(document.querySelector('#spectrum canvas')).options.scales.x.ticks.color")
    assert colour == page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--bs-body-color')")


@pytest.mark.browser
@pytest.mark.parametrize(("locale", "scheme", "width"), [("ko-KR", "dark", 390), ("en-US", "light", 1440)])
def test_all_of_it_fits_and_is_accessible(new_page, user, locale, scheme, width):
    other = one(days_before=30)
    page = new_page(login=user, locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900})
    opened(page, one(), f"?with={other.pk}&cursor=harmonics&scale=log&x=orders")
    assert page.evaluate(OVERFLOW) <= 0
    found = [it for it in Axe().run(page).response["violations"] if it["impact"] in ("serious", "critical")]
    assert not found, [(it["id"], [node["html"] for node in it["nodes"]]) for it in found]
