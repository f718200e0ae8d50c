"""The page /vibration/: its form on the server, its chart in a browser."""

import re

import numpy as np
import pytest
from django.urls import reverse

from common.tests.html import flat
from machines.models import Sensor
from machines.tests.page_clock import settle
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_recording, make_samples

URL = "/vibration/"
COUNT = 20_000  # at 1 kHz: 20 s; more than a chart has pixels

# Each dataset of the chart that is visible: its state and points.
DRAWN = """() => {
    const chart = Chart.getChart(document.querySelector("#waveform canvas"));
    return chart.data.datasets
        .filter((dataset, index) => chart.isDatasetVisible(index))
        .map(({ state, data }) => ({ state, x: data.map((it) => it.x), y: data.map((it) => it.y) }));
}"""
TOOLTIP = """() => {
    const { tooltip } = Chart.getChart(document.querySelector("#waveform canvas"));
    return [...tooltip.title, ...tooltip.body.flatMap((it) => it.lines)];
}"""
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


# --- The form ---------------------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_the_login(client):
    client.logout()
    assert client.get(URL).url == f"{reverse('login')}?next={URL}"


@pytest.mark.parametrize(
    ("language", "title"),
    [("en-US,en;q=0.9", "Waveform"), ("ko-KR", "파형"), ("fr", "파형"), ("fr,en;q=0.5", "Waveform"), ("", "파형")],
)
def test_the_browsers_preference_decides_the_language_and_korean_when_it_names_neither(client, language, title):
    response = client.get(URL, headers={"Accept-Language": language})
    assert f"<title>{title} – HIM-MES</title>" in response.text


def test_without_recordings_the_page_says_how_to_get_some(client):
    response = client.get(URL)
    assert response.status_code == 200
    assert "There are no recordings yet" in response.text
    for command in ("make_sample_csv", "import_vibration"):
        assert f"python manage.py {command} var/samples" in response.text


def test_what_is_not_asked_for_takes_the_first_choice_and_all_states(client):
    for machine in ("g2", "g1"):
        for sensor in ("sensor2", "sensor1"):
            make_recording(5, machine=machine, sensor=sensor)
    form = client.get(URL).context["form"]
    assert form.cleaned_data == {
        "machine": "g1",
        "sensor": "sensor1",
        "recording": "default",
        "compare": "",
        "states": list(STATES),
        "start": None,
        "end": None,
    }
    form = client.get(URL, {"machine": "g2", "sensor": ""}).context["form"]
    assert (form.cleaned_data["machine"], form.cleaned_data["sensor"]) == ("g2", "sensor1")


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", "There is no machine “g9” with recordings. Choose one from the list."),
        (
            {"sensor": "sensor9"},
            "sensor",
            "This machine has no sensor “sensor9” with recordings. Choose one from the list.",
        ),
        ({"recording": "night"}, "recording", "This sensor has no recording “night”. Choose one from the list."),
        ({"states": ["normal", "broken"]}, "states", "There is no state “broken”."),
        ({"start": "soon"}, "start", "Enter a number of seconds, such as 12.5."),
        ({"end": "nan"}, "end", "Enter a number of seconds, such as 12.5."),
        ({"start": "2", "end": "1"}, "end", "The end must not be before the start."),
    ],
)
def test_a_wrong_value_is_explained_at_its_field_and_the_form_stays_usable(client, query, field, message):
    make_recording(5)
    response = client.get(URL, query)
    assert response.status_code == 400
    assert response.context["form"].errors == {field: [message]}
    assert message in response.text
    assert f'id="id_{field}_error"' in response.text
    assert '<option value="g1"' in response.text
    assert "<canvas" not in response.text


def test_a_machine_of_unknown_name_is_said_once_not_also_of_its_sensor(client):
    make_recording(5)
    response = client.get(URL, {"machine": "g9\x00", "sensor": "sensor1", "recording": "default"})
    assert list(response.context["form"].errors) == ["machine"]


@pytest.mark.parametrize("machines", [2, 20])
def test_the_page_costs_six_queries_however_many_machines_there_are(client, django_assert_num_queries, machines):
    for machine in range(machines):
        for sensor in range(2):
            open_recording(f"g{machine}", f"sensor{sensor}")
    # Session, user, his permissions and those of his roles, machines, recordings of the machine
    with django_assert_num_queries(6):
        assert client.get(URL, {"machine": "g1"}).status_code == 200


def test_a_unit_is_named_only_when_the_sensor_has_one(client):
    make_recording(5)
    assert 'data-unit=""' in client.get(URL).text
    Sensor.objects.update(unit="mm/s²")
    text = flat(client.get(URL))
    assert 'data-unit="mm/s²"' in text
    assert "RMS (mm/s²)" in text


# --- The chart --------------------------------------------------------------------------------------------------------


def show(page, query: str = "") -> None:
    page.goto(URL + query)
    loaded(page)


def loaded(page) -> None:
    page.wait_for_selector("#waveform[aria-busy=false]")
    page.wait_for_selector("#spectrum[aria-busy=false]")


def caption(page) -> str:
    return page.inner_text("#waveform figcaption")


def press(page, name: str) -> None:
    """Press a button of the chart and wait for what it reads."""
    with page.expect_response("**/waveform?*"):
        page.get_by_role("button", name=name).click()
    loaded(page)


def drag(page, start: float, end: float) -> None:
    """Across the plot, by shares of its width."""
    area = page.evaluate("Chart.getChart(document.querySelector('#waveform canvas')).chartArea")
    box = page.locator("#waveform canvas").bounding_box()
    y = box["y"] + (area["top"] + area["bottom"]) / 2
    x = [box["x"] + area["left"] + share * (area["right"] - area["left"]) for share in (start, end)]
    page.mouse.move(x[0], y)
    page.mouse.down()
    page.mouse.move(x[1], y, steps=4)
    with page.expect_response("**/waveform?*"):
        page.mouse.up()
    loaded(page)


@pytest.mark.browser
def test_a_long_recording_is_drawn_as_envelopes_that_keep_every_extreme(page):
    make_recording(COUNT)
    _time, values = make_samples(COUNT)
    show(page)
    drawn = page.evaluate(DRAWN)
    assert [it["state"] for it in drawn] == [state for state in STATES for _edge in range(2)]
    for number, state in enumerate(STATES):
        lower, upper = (it["y"] for it in drawn if it["state"] == state)
        assert (min(lower), max(upper)) == (values[:, number].min(), values[:, number].max())
    assert re.fullmatch(
        r"20,000 samples shown as [\d,]+ buckets of 0\.\d+ s, with the least and greatest value of each", caption(page)
    )


@pytest.mark.browser
def test_dragging_reads_the_window_anew_and_shows_each_sample(page):
    make_recording(COUNT)
    time, values = make_samples(COUNT)
    show(page)
    drag(page, 0.5, 0.51)
    start, end = (float(page.input_value(f"[name={name}]")) for name in ("start", "end"))
    assert 9.9 < start < end < 10.3
    inside = (time >= start) & (time <= end)
    for number, line in enumerate(page.evaluate(DRAWN)):
        assert line["state"] == STATES[number]
        assert line["x"] == time[inside].tolist()
        assert line["y"] == values[inside, number].tolist()
    assert caption(page) == f"all {inside.sum()} samples of this window"


@pytest.mark.browser
def test_the_tooltip_has_microseconds_and_every_digit(page):
    time, values = make_samples(COUNT, step=0.000736)
    write_samples(open_recording("g1", "sensor1"), Samples(time, values))
    show(page, "?start=1&end=1.05")
    page.hover("#waveform canvas")
    title, *lines = page.evaluate(TOOLTIP)
    index = time.tolist().index(float(title.removesuffix(" s")))
    assert title == f"{time[index]:.6f} s"
    names = ("normal", "unbalance", "looseness", "unbalance and looseness")
    assert lines == [f"{name}: {value!r}" for name, value in zip(names, values[index].tolist(), strict=True)]

    show(page)
    page.hover("#waveform canvas")
    title, *lines = page.evaluate(TOOLTIP)
    start, end = map(float, re.fullmatch(r"(\d+\.\d{6}) – (\d+\.\d{6}) s", title).groups())
    inside = values[(time >= start - 1e-6) & (time < end), :]
    assert len(lines) == 4
    assert lines[0] == f"normal: least {float(inside[:, 0].min())!r}, greatest {float(inside[:, 0].max())!r}"


@pytest.mark.browser
def test_a_gap_in_the_recording_is_not_bridged(page):
    time, values = make_samples(COUNT)
    kept = (time < 5) | (time > 12)
    write_samples(open_recording("g1", "sensor1"), Samples(time[kept], values[kept]))
    for window in ("", "?start=4.9&end=12.1"):
        show(page, window)
        for line in page.evaluate(DRAWN):
            x, y = np.array(line["x"]), np.array(line["y"])
            breaks = np.flatnonzero(np.isnan(y))
            assert len(breaks) == 1
            assert x[breaks[0] - 1] < 5.1
            assert x[breaks[0] + 1] > 11.9


@pytest.mark.browser
def test_each_zoom_is_an_address_that_can_be_shared_and_stepped_back_from(page):
    make_recording(COUNT)
    show(page)
    back, whole = (page.get_by_role("button", name=name) for name in ("Step back", "Whole recording"))
    assert back.is_disabled()
    assert whole.is_disabled()
    drag(page, 0.25, 0.5)
    first = page.url
    drag(page, 0.25, 0.5)
    second = page.url
    assert "start=" in first
    assert first != second
    seen = page.evaluate(DRAWN)

    page.reload()
    loaded(page)
    assert page.evaluate(DRAWN) == seen

    press(page, "Step back")
    assert page.url == first
    with page.expect_response("**/waveform?*"):
        page.go_forward()
    loaded(page)
    assert page.url == second
    assert page.evaluate(DRAWN) == seen

    press(page, "Whole recording")
    assert "start=" not in page.url
    assert caption(page).startswith("20,000 samples")
    press(page, "Step back")
    assert page.url == second


@pytest.mark.browser
def test_panning_moves_by_half_a_window_and_stops_at_the_ends(page):
    make_recording(COUNT)
    show(page, "?start=1&end=4")
    window = "['start', 'end'].map((name) => document.querySelector(`[name=${name}]`).value)"
    press(page, "Later")
    assert page.evaluate(window) == ["2.5", "5.5"]
    press(page, "Earlier")
    press(page, "Earlier")
    assert page.evaluate(window) == ["", "3"]
    assert page.get_by_role("button", name="Earlier").is_disabled()
    page.get_by_role("button", name="Zoom in").focus()
    with page.expect_response("**/waveform?*"):
        page.keyboard.press("Enter")
    assert page.evaluate(window) == ["0.75", "2.25"]


@pytest.mark.browser
def test_a_state_is_hidden_at_once_and_stays_so_in_the_address(page):
    make_recording(COUNT)
    show(page)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.uncheck("[value=unbalance_looseness]")
    assert {it["state"] for it in page.evaluate(DRAWN)} == {"normal", "unbalance", "looseness"}
    page.uncheck("[value=normal]")
    page.uncheck("[value=looseness]")
    assert {it["state"] for it in page.evaluate(DRAWN)} == {"unbalance"}
    assert not [url for url in requests if "/api/" in url]
    assert page.url.endswith("states=unbalance")
    page.reload()
    loaded(page)
    assert {it["state"] for it in page.evaluate(DRAWN)} == {"unbalance"}
    page.uncheck("[value=unbalance]")
    assert caption(page) == "No state is selected."


@pytest.mark.browser
def test_another_machine_is_shown_with_a_sensor_that_it_has(page):
    make_recording(COUNT, sensor="only-here")
    make_recording(COUNT, machine="g2", seed=2)
    show(page, "?start=2&end=3")
    page.select_option("[name=machine]", "g2")
    page.wait_for_url("**/?machine=g2**")
    loaded(page)
    assert page.title() == "g2 / sensor1 / default – Waveform – HIM-MES"
    assert page.input_value("[name=start]") == "2"  # the same window, to compare


@pytest.mark.browser
def test_a_window_without_samples_says_where_they_are(page):
    make_recording(COUNT)
    show(page, "?start=100&end=200")
    assert caption(page) == "There are no samples in this window. The recording spans 0 s to 19.999 s."
    press(page, "Whole recording")
    assert caption(page).startswith("20,000 samples")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("count", "text"), [(0, "This recording has no samples yet."), (1, "the only sample of this window")]
)
def test_a_recording_of_next_to_nothing_is_no_error(page, count, text):
    make_recording(count)
    show(page)
    assert caption(page) == text


@pytest.mark.browser
def test_an_answer_that_comes_late_is_dropped(page):
    make_recording(COUNT)
    show(page)
    held = []
    page.route("**/waveform?*", lambda route: held.append(route), times=1)
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("document.querySelector('#waveform').ariaBusy === 'true'")
    press(page, "Zoom in")
    shown = caption(page)
    held[0].abort("aborted")
    settle(page)
    assert caption(page) == shown
    assert page.get_by_role("alert").is_hidden()


@pytest.mark.browser
def test_when_the_server_is_away_the_page_says_so_and_can_try_again(page, watch):
    make_recording(COUNT)
    watch.expect("ERR_CONNECTION_REFUSED")
    page.route("**/waveform?*", lambda route: route.abort("connectionrefused"), times=1)
    show(page)
    alert = page.get_by_role("alert")
    assert "The server does not answer." in alert.inner_text()
    press(page, "Try again")
    assert alert.is_hidden()
    assert caption(page).startswith("20,000 samples")


REFUSED = '{"detail": "Invalid.", "errors": [{"field": "points", "message": "Too many."}]}'


@pytest.mark.browser
@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, REFUSED, "The server refused the request: points: Too many."),
        (403, '{"detail": "Your role does not allow this."}', "refused the request: Your role does not allow this."),
        (404, "{}", "This recording is no longer stored."),
        (502, "<h1>Bad gateway</h1>", "The server could not answer (HTTP 502). Try again later."),
        (200, "<h1>A proxy's own page</h1>", "The server could not answer (HTTP 200). Try again later."),
    ],
)
def test_what_the_server_objects_to_is_shown(page, watch, status, body, message):
    make_recording(5)
    if status >= 400:
        watch.expect_status(status)
    kind = "application/problem+json" if body.startswith("{") else "text/html"
    page.route("**/waveform?*", lambda route: route.fulfill(status=status, body=body, content_type=kind))
    show(page)
    assert message in page.get_by_role("alert").inner_text()


@pytest.mark.browser
def test_who_was_logged_out_gets_the_way_to_the_login_and_back(page, watch, user):
    make_recording(COUNT)
    show(page)
    watch.expect_status(401)
    user.set_password("correct horse battery")  # ends the session
    user.save()
    press(page, "Zoom in")
    assert "You are logged out." in page.get_by_role("alert").inner_text()
    here = page.url
    page.get_by_role("link", name="Log in").click()
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", "correct horse battery")
    page.locator("main").get_by_role("button", name="Log in").click()
    page.wait_for_url(here)
    loaded(page)


@pytest.mark.browser
def test_the_switch_changes_the_language_and_keeps_the_window(new_page, user):
    make_recording(COUNT)
    page = new_page(login=user, locale="fr-FR")
    show(page, "?start=1&end=9")
    assert page.title() == "g1 / sensor1 / default – 파형 – HIM-MES"
    assert re.fullmatch(r"샘플 [\d,]+개를 0\.\d+초 칸 [\d,]+개로 묶어 표시합니다\. .*", caption(page))
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**start=1**")
    loaded(page)
    assert page.title() == "g1 / sensor1 / default – Waveform – HIM-MES"
    assert page.input_value("[name=end]") == "9"


@pytest.mark.browser
def test_dark_follows_the_system_until_the_switch_says_otherwise(new_page, user):
    make_recording(COUNT)
    page = new_page(login=user, color_scheme="dark")
    show(page)
    theme = "document.documentElement.dataset.bsTheme"
    colours = "Chart.getChart(document.querySelector('#waveform canvas')).data.datasets.map((it) => it.borderColor)"
    dark = page.evaluate(colours)
    assert page.evaluate(theme) == "dark"
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(theme) == "light"
    assert not set(dark) & set(page.evaluate(colours))
    page.reload()
    assert page.evaluate(theme) == "light"


@pytest.mark.browser
@pytest.mark.parametrize("query", ["", "?sensor=a-name-of-20-letters&start=2&end=1&states=x"])
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
@pytest.mark.parametrize("width", [390, 768, 1920])
def test_nothing_reaches_beyond_the_width_of_the_screen(new_page, user, watch, locale, width, query):
    make_recording(COUNT, machine="a-name-of-fifty-letters-which-is-all-that-may-be-1")
    if query:
        watch.expect_status(400)
    page = new_page(login=user, locale=locale, viewport={"width": width, "height": 844})
    page.goto(URL + query)
    if not query:
        loaded(page)
    assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.browser
def test_two_fingers_zoom_and_one_can_still_scroll_the_page(new_page, user):
    make_recording(COUNT)
    page = new_page(login=user, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    show(page)
    canvas = page.locator("#waveform canvas")
    canvas.scroll_into_view_if_needed()
    assert canvas.evaluate("(it) => getComputedStyle(it).touchAction") == "pan-y"
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = page.context.new_cdp_session(page)  # Playwright itself has one finger only

    def touch(kind: str, apart: int | None = None) -> None:
        points = [{"x": x + side * apart, "y": y, "id": side} for side in (-1, 1)] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    with page.expect_response("**/waveform?*start=*"):
        touch("touchStart", 20)
        for apart in range(25, 105, 5):
            touch("touchMove", apart)
        touch("touchEnd")
    loaded(page)
    assert float(page.input_value("[name=start]")) > 1


@pytest.mark.browser
def test_without_javascript_the_form_works_and_says_what_is_missing(new_page, user):
    make_recording(5)
    make_recording(5, machine="g2")
    page = new_page(login=user, java_script_enabled=False)
    page.goto(URL)
    assert "The chart needs JavaScript" in page.inner_text("noscript")
    assert page.locator("#waveform").is_hidden()
    page.select_option("[name=machine]", "g2")
    with page.expect_navigation():
        page.get_by_role("button", name="Show").click()
    assert page.title() == "g2 / sensor1 / default – Waveform – HIM-MES"


@pytest.mark.browser
def test_zooming_ends_where_some_samples_are_in_sight(page):
    make_recording(COUNT)
    show(page, "?start=10&end=10.02")
    for _turn in range(4):
        if page.get_by_role("button", name="Zoom in").is_disabled():
            break
        press(page, "Zoom in")
    assert page.get_by_role("button", name="Zoom in").is_disabled()
    assert re.match(r"all [2-9] samples|the only sample", caption(page))
