"""Below and over the waveform: the window in numbers, its spectrum, a second recording, and the wheel."""

import numpy as np
import pytest

from machines.models import Machine, Sensor
from machines.tests.page_clock import pass_time, settle, stop_clock
from vibration.models import Recording
from vibration.numbers.features import features_of
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.test_waveform_page import COUNT, OVERFLOW, TOOLTIP, URL, caption, drag, loaded, press, show
from vibration.tests.world import make_recording, make_samples

TOO_FEW = (
    "No spectrum: by their times, there are no 16 consecutive samples without a gap. Times that are rounded too "
    "coarsely also look like gaps."
)
NAMES = ["normal", "unbalance", "looseness", "unbalance and looseness"]
FEATURES = ["rms", "peak", "crest_factor", "kurtosis"]
# What the table of numbers holds, whole: by state, in the order of its columns
NUMBERS = """() => Object.fromEntries([...document.querySelectorAll("[data-features]")].map((row) =>
    [row.dataset.features, [...row.querySelectorAll("data")].map((it) => it.value && Number(it.value))]))"""
# Each row of the table of peaks
PEAKS = """() => [...document.querySelectorAll("[data-peak-of]")].map((row) =>
    ({ state: row.dataset.peakOf, numbers: [...row.querySelectorAll("data")].map((it) => Number(it.value)) }))"""
# Each dataset of the spectrum that is visible; marks of peaks and lines
SPECTRUM = """() => {
    const chart = Chart.getChart(document.querySelector("#spectrum .canvas-box canvas"));
    return chart.data.datasets.filter((_it, index) => chart.isDatasetVisible(index)).map(({ state, marks, data }) =>
        ({ state, marks: Boolean(marks), x: data.map((it) => it.x), y: data.map((it) => it.y) }));
}"""
OVERLAY = """() => {
    const chart = Chart.getChart(document.querySelector("#waveform canvas"));
    return chart.data.datasets.filter((it, index) => chart.isDatasetVisible(index) && it.overlay).map((it) =>
        ({ state: it.state, filled: it.fill !== false, dashes: it.borderDash,
           x: it.data.map((point) => point.x), y: it.data.map((point) => point.y) }));
}"""


def write_tone(frequency: float = 27.5, count: int = 4_000) -> None:
    """Each state one tone, of amplitude 1 to 4, in noise; at 1 kHz."""
    time = np.round(np.arange(count) * 0.001, 6)
    noise = np.random.default_rng(1).normal(0, 0.1, (count, 4))
    values = np.round(np.outer(np.sin(2 * np.pi * frequency * time), [1, 2, 3, 4]) + noise, 6)
    write_samples(open_recording("g1", "sensor1"), Samples(time, values))


def note(page, name: str) -> str:
    return page.inner_text(f"#spectrum [data-{name}]")


def window(page) -> tuple[str, str]:
    return page.input_value("[name=start]"), page.input_value("[name=end]")


def turn_wheel(page, *deltas: int) -> None:
    """Over the middle of the plot, one event after the other."""
    box = page.locator("#waveform canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    stop_clock(page)  # however long an event takes, they are one turn
    for delta in deltas:
        page.mouse.wheel(0, delta)
        pass_time(page, 0.03)
    pass_time(page, 2)


# --- The numbers ------------------------------------------------------------------------------------------------------


def expected_numbers(inside: np.ndarray) -> dict:
    _time, values = make_samples(COUNT)
    found = features_of(values[inside])
    return {state: [getattr(it, name) for name in FEATURES] for state, it in zip(STATES, found, strict=True)}


@pytest.mark.browser
def test_the_numbers_are_those_of_the_window_shown_and_follow_each_zoom(page):
    make_recording(COUNT)
    time, _values = make_samples(COUNT)
    show(page)
    assert page.evaluate(NUMBERS) == expected_numbers(time >= 0)
    assert note(page, "window") == "0 s to 19.999 s, 20,000 samples"
    drag(page, 0.25, 0.5)
    start, end = map(float, window(page))
    inside = (time >= start) & (time <= end)
    assert page.evaluate(NUMBERS) == expected_numbers(inside)
    assert f"{inside.sum():,} samples" in note(page, "window")
    press(page, "Step back")
    assert page.evaluate(NUMBERS) == expected_numbers(time >= 0)
    assert note(page, "in-parts") == ""


@pytest.mark.browser
def test_numbers_are_rounded_to_four_digits_and_named_with_the_unit(page):
    time = np.arange(2_000) * 0.001
    values = np.outer(np.sin(2 * np.pi * 50 * time), [1, 1e-9, 1e99, 0])
    write_samples(open_recording("g1", "sensor1"), Samples(time, values))
    Sensor.objects.update(unit="mm/s²")
    show(page)
    rows = [row.inner_text().split()[-4:] for row in page.locator("[data-features]").all()]
    assert rows == [
        ["0.7071", "1.000", "1.414", "1.500"],
        ["7.071E-10", "1E-9", "1.414", "1.500"],
        ["7.071E98", "1E99", "1.414", "1.500"],
        ["0.000", "0.000", "–", "–"],
    ]
    assert page.get_by_role("columnheader", name="RMS (mm/s²)").is_visible()
    assert page.get_by_role("columnheader", name="Amplitude (mm/s²)").is_visible()
    assert page.get_by_role("rowheader", name="unbalance and looseness").count() == 1


# --- The spectrum -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_tone_is_marked_and_listed_with_its_order(page):
    write_tone()
    Machine.objects.update(rated_rpm=1650)
    show(page)
    peaks = page.evaluate(PEAKS)
    assert [it["state"] for it in peaks] == list(STATES)
    for number, peak in enumerate(peaks, start=1):
        assert peak["numbers"] == pytest.approx([27.5, number, 1.0], rel=0.01)
    first = page.locator("[data-peak-of]").first
    assert first.inner_text().split()[1] == "27.50"
    assert first.inner_text().split()[-1] == "1.00"
    drawn = page.evaluate(SPECTRUM)
    assert [(it["state"], it["marks"]) for it in drawn] == [(it, marks) for marks in (False, True) for it in STATES]
    for mark, peak in zip(drawn[4:], peaks, strict=True):
        assert (mark["x"], mark["y"]) == ([peak["numbers"][0]], [peak["numbers"][1]])
    assert len(drawn[0]["x"]) <= 2_000
    assert drawn[0]["x"][-1] == pytest.approx(500, abs=1)
    assert note(page, "about") == (
        "Amplitude, mean of 15 sections of 0.5 s, resolution 2 Hz: 4,000 samples at 1,000 Hz, mean removed, Hann "
        "window."
    )
    for line, mark in zip(drawn[:4], drawn[4:], strict=True):  # a mark never stands below its line
        assert max(line["y"]) <= mark["y"][0]
    assert note(page, "marks").startswith("The amplitude of a peak is that of the whole peak")
    assert note(page, "orders") == "Order 1 is the rated speed of the machine, 1,650 rpm (27.5 Hz)."


@pytest.mark.browser
def test_without_a_rated_speed_there_is_no_order_and_it_is_said_why(page):
    write_tone()
    show(page)
    assert [len(it["numbers"]) for it in page.evaluate(PEAKS)] == [2] * 4
    assert page.get_by_role("columnheader", name="Order").count() == 0
    assert note(page, "orders").startswith("The rated speed of this machine is not set")


@pytest.mark.browser
def test_the_states_chosen_above_are_those_of_the_spectrum_too(page):
    write_tone()
    show(page)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.uncheck("[value=unbalance]")
    page.uncheck("[value=normal]")
    assert {it["state"] for it in page.evaluate(SPECTRUM)} == {"looseness", "unbalance_looseness"}
    assert [it["state"] for it in page.evaluate(PEAKS)] == ["looseness", "unbalance_looseness"]
    assert not [url for url in requests if "/api/" in url]


@pytest.mark.browser
def test_the_tooltip_of_a_peak_names_its_frequency_amplitude_and_order(page):
    write_tone(frequency=250)
    Machine.objects.update(rated_rpm=1650)
    show(page, "?states=looseness")
    canvas = page.locator("#spectrum .canvas-box canvas")
    canvas.scroll_into_view_if_needed()
    at = page.evaluate("""() => {
        const { scales } = Chart.getChart(document.querySelector("#spectrum .canvas-box canvas"));
        return { x: scales.x.getPixelForValue(250), y: scales.y.getPixelForValue(1.5) };
    }""")
    canvas.hover(position=at)
    lines = page.evaluate(TOOLTIP.replace("#waveform canvas", "#spectrum .canvas-box canvas"))
    assert lines[0].endswith(" Hz")
    assert lines[1].startswith("looseness: ")
    assert lines[2].startswith("looseness: peak at 250 Hz, ")
    assert lines[2].endswith(", order 9.09")


@pytest.mark.browser
def test_noise_has_no_peak_and_that_is_said(page):
    make_recording(COUNT)
    show(page)
    assert page.evaluate(PEAKS) == []
    assert note(page, "no-peaks") == "No peak stands out from the noise."
    assert page.locator("#spectrum [data-marks]").is_hidden()


@pytest.mark.browser
def test_what_the_spectrum_can_not_be_made_of_is_said_in_words(page):
    time, values = make_samples(COUNT)
    write_samples(open_recording("g1", "sensor1"), Samples(time, values))
    show(page, "?start=1&end=1.005")
    assert note(page, "about") == "No spectrum: it needs at least 16 samples."
    assert page.locator("#spectrum .canvas-box").is_hidden()
    press(page, "Whole recording")
    assert page.locator("#spectrum .canvas-box").is_visible()
    uneven = np.round(np.cumsum(np.linspace(0.8, 1.2, 500)) * 0.001, 6)
    write_samples(open_recording("g2", "sensor1"), Samples(uneven, values[:500]))
    show(page, "?machine=g2")
    assert note(page, "about") == "No spectrum: the samples of this window are not evenly spaced in time."
    lossy = np.arange(COUNT) % 4 != 3
    write_samples(open_recording("g4", "sensor1"), Samples(time[lossy], values[lossy]))
    show(page, "?machine=g4&start=1&end=2")
    assert note(page, "about") == TOO_FEW
    kept = (time <= 5) | (time > 12)
    write_samples(open_recording("g3", "sensor1"), Samples(time[kept], values[kept]))
    show(page, "?machine=g3&start=4.7&end=12.2")
    assert "of one section of 0.301 s, resolution 3.322 Hz: 301 samples" in note(page, "about")
    assert "has room for a whole section, so the resolution is coarser than usual." in note(page, "about")
    assert "only the longest stretch without one is used, 4.7 s to 5 s" in note(page, "about")
    show(page, "?machine=g3&start=4.7&end=13")
    assert "Samples left out, beside gaps or where the spacing is uneven: 301." in note(page, "about")


@pytest.mark.browser
def test_that_a_long_window_is_read_in_parts_is_said(page, monkeypatch):
    make_recording(COUNT)
    monkeypatch.setattr("vibration.windows.analysis.MAX_SAMPLES", 5_000)
    show(page)
    assert note(page, "window") == "0 s to 19.999 s, 20,000 samples"
    assert note(page, "in-parts") == (
        "RMS, peak and crest factor use all samples. Kurtosis and spectrum use 5,000 of them, in 5 parts spread "
        "evenly over the window."
    )


@pytest.mark.browser
def test_whole_milliseconds_at_800_hz_have_a_spectrum(page):
    time = np.arange(800) / 800
    values = np.outer(np.sin(2 * np.pi * 50 * time), [1, 2, 3, 4])
    write_samples(open_recording("g1", "sensor1"), Samples(np.floor(time * 1000 + 1e-9) / 1000, values))
    show(page)
    for number, peak in enumerate(page.evaluate(PEAKS), start=1):
        assert peak["numbers"] == pytest.approx([50, number], rel=1e-3)
    assert "800 samples at 800 Hz" in note(page, "about")


@pytest.mark.browser
@pytest.mark.parametrize(("count", "text"), [(0, "There are no samples in this window."), (1, "0 s, one sample")])
def test_next_to_nothing_is_no_error_below_the_chart_either(page, count, text):
    make_recording(count)
    show(page)
    assert note(page, "window") == text
    assert [row[3] for row in page.evaluate(NUMBERS).values()] == [""] * 4


@pytest.mark.browser
def test_the_waveform_does_not_wait_for_the_spectrum_and_an_outdated_one_is_dropped(page):
    make_recording(COUNT)
    held = []
    page.route("**/spectrum?*", lambda route: held.append(route), times=1)
    page.goto(URL)
    page.wait_for_selector("#waveform[aria-busy=false]")
    assert caption(page).startswith("20,000 samples")
    assert page.get_attribute("#spectrum", "aria-busy") == "true"
    press(page, "Zoom in")
    told = note(page, "window")
    assert told.startswith("5 s to ")
    held[0].abort("aborted")
    settle(page)
    assert note(page, "window") == told
    assert page.get_by_role("alert").is_hidden()


@pytest.mark.browser
def test_when_only_the_spectrum_fails_the_chart_stays_and_it_can_be_tried_again(page, watch):
    make_recording(COUNT)
    watch.expect_status(502)
    page.route("**/spectrum?*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"), times=1)
    show(page)
    assert caption(page).startswith("20,000 samples")
    alert = page.locator("#spectrum").get_by_role("alert")
    assert "The server could not answer (HTTP 502)." in alert.inner_text()
    alert.get_by_role("button", name="Try again").click()
    page.wait_for_function("() => document.querySelector('#spectrum [role=alert]').hidden")
    assert note(page, "window").endswith("20,000 samples")


# --- The wheel --------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_turn_of_the_wheel_is_one_zoom_one_request_and_one_step_back(page):
    make_recording(COUNT)
    page.clock.install()
    show(page)
    depth = page.evaluate("history.length")
    requests = []
    page.on("request", lambda request: requests.append(request.url) if "/waveform?" in request.url else None)
    turn_wheel(page, *[-100] * 6)
    page.wait_for_url("**start=**")
    loaded(page)
    start, end = map(float, window(page))
    assert 4 < start < 9 < 11 < end < 16
    assert len(requests) == 1
    assert page.evaluate("history.length") == depth + 1
    shown = "(({ min, max }) => [min, max])(Chart.getChart(document.querySelector('#waveform canvas')).scales.x)"
    assert page.evaluate(shown) == pytest.approx([start, end], abs=1e-6)
    press(page, "Step back")
    assert window(page) == ("", "")
    assert caption(page).startswith("20,000 samples")


@pytest.mark.browser
def test_the_wheel_scrolls_the_page_where_it_could_not_zoom_out_any_more(page):
    make_recording(COUNT)
    page.clock.install()
    show(page)
    depth = page.evaluate("history.length")
    turn_wheel(page, 300)
    page.wait_for_function("() => scrollY > 0")
    assert page.evaluate("history.length") == depth
    assert window(page) == ("", "")


# --- Two recordings ---------------------------------------------------------------------------------------------------


@pytest.fixture
def two(transactional_db):
    """g1 / sensor1, and g1 / sensor2 of another seed and step; the number of the latter."""
    make_recording(COUNT)
    make_recording(5, machine="g2")
    return make_recording(COUNT, sensor="sensor2", seed=2, step=0.0011).pk


@pytest.fixture
def english(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def test_the_other_recordings_of_the_machine_are_offered_behind_none(english):
    one, two = make_recording(5), make_recording(5, sensor="sensor2")
    night = open_recording("g1", "sensor1", name="night")
    make_recording(5, machine="g2")
    form = english.get(URL, {"machine": "g1", "sensor": "sensor1", "recording": "default"}).context["form"]
    assert list(form.fields["compare"].choices) == [
        ("", "none"),
        (str(night.pk), "sensor1 / night"),
        (str(two.pk), "sensor2 / default"),
    ]
    response = english.get(URL, {"sensor": "sensor1", "recording": "night", "compare": one.pk})
    assert response.context["compared"] == one


@pytest.mark.parametrize("wrong", ["itself", "another machine's", "0", "x", "٣"])
def test_what_cannot_be_compared_is_explained_at_its_field(english, wrong):
    number = {"itself": make_recording(5).pk, "another machine's": make_recording(5, machine="g2").pk}.get(wrong, wrong)
    response = english.get(URL, {"machine": "g1", "compare": number})
    assert response.status_code == 400
    message = f"This machine has no other recording “{number}”. Choose one from the list."
    assert response.context["form"].errors == {"compare": [message]}
    assert 'id="id_compare_error"' in response.text


def test_of_a_wrong_machine_the_comparison_is_not_also_wrong(english):
    number = make_recording(5).pk
    form = english.get(URL, {"machine": "g9", "compare": number}).context["form"]
    assert list(form.errors) == ["machine"]


@pytest.mark.browser
def test_a_second_recording_is_drawn_over_the_first_dashed_and_unfilled(page, two):
    _time, values = make_samples(COUNT, seed=2, step=0.0011)
    show(page)
    page.select_option("[name=compare]", label="sensor2 / default")
    page.wait_for_url(f"**compare={two}**")
    loaded(page)
    drawn = page.evaluate(OVERLAY)
    assert [it["state"] for it in drawn] == [state for state in STATES for _edge in range(2)]
    assert all(it["dashes"] and not it["filled"] for it in drawn)
    seconds = 20  # the first recording's; the second one goes on to 22 s
    inside = np.arange(COUNT) * 0.0011 < seconds
    for number, state in enumerate(STATES):
        lower, upper = (it["y"] for it in drawn if it["state"] == state)
        assert min(lower) <= values[inside, number].min()
        assert max(upper) >= values[inside, number].max()
    first, second = caption(page).split("\n")
    assert first.startswith("sensor1 / default: 20,000 samples shown as ")
    assert second.startswith("sensor2 / default (dashed): 18,")
    page.hover("#waveform canvas")
    lines = page.evaluate(TOOLTIP)
    assert [lines[0], lines[2]] == ["sensor1 / default", "sensor2 / default (dashed)"]
    assert [line.partition(":")[0] for line in lines[4:]] == NAMES + [f"{name} (dashed)" for name in NAMES]


@pytest.mark.browser
def test_both_recordings_are_read_anew_at_a_zoom_each_with_its_own_times(page, two):
    time, values = make_samples(COUNT, seed=2, step=0.0011)
    show(page, f"?compare={two}")
    drag(page, 0.5, 0.51)
    page.wait_for_function(
        "() => document.querySelector('#waveform figcaption').innerText.includes('sensor2 / default')"
    )
    start, end = map(float, window(page))
    inside = (time >= start) & (time <= end)
    for number, line in enumerate(page.evaluate(OVERLAY)):
        assert line["x"] == time[inside].tolist()
        assert line["y"] == values[inside, number].tolist()
    assert f"sensor2 / default (dashed): all {inside.sum()} samples" in caption(page)
    assert f"compare={two}" in page.url
    page.hover("#waveform canvas")
    lines = page.evaluate(TOOLTIP)
    at = [float(lines[place].removesuffix(" s")) for place in (1, 3)]
    assert abs(at[0] - at[1]) <= 0.0011
    index = time.tolist().index(at[1])
    assert lines[8] == f"normal (dashed): {float(values[index, 0])!r}"
    press(page, "Step back")
    assert len(page.evaluate(OVERLAY)) == 8
    page.select_option("[name=compare]", label="none")
    page.wait_for_function("() => !location.search.includes('compare')")
    loaded(page)
    assert page.evaluate(OVERLAY) == []


@pytest.mark.browser
def test_a_recording_that_becomes_the_shown_one_is_not_compared_with_itself(page, two):
    show(page, f"?compare={two}")
    page.select_option("[name=sensor]", "sensor2")
    page.wait_for_url("**sensor=sensor2**")
    loaded(page)
    assert page.input_value("[name=compare]") == ""


@pytest.mark.browser
def test_that_the_second_recording_is_gone_is_said(page, two, watch):
    show(page, f"?compare={two}")
    Recording.objects.filter(pk=two).delete()
    watch.expect_status(404)
    press(page, "Zoom in")
    assert "This recording is no longer stored." in page.locator("#waveform").get_by_role("alert").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
def test_all_of_it_fits_a_phone(new_page, user, two, locale, scheme):
    Sensor.objects.update(unit="mm/s²")
    Machine.objects.update(rated_rpm=1650)
    page = new_page(login=user, locale=locale, color_scheme=scheme, viewport={"width": 390, "height": 844})
    show(page, f"?compare={two}")
    assert page.evaluate(OVERFLOW) <= 0
    tables = "[...document.querySelectorAll('.wide, .peaks')].map((it) => it.scrollWidth - it.clientWidth)"
    assert page.evaluate(tables) == [0, 0, 0]  # of the window, of the second one, and peaks
