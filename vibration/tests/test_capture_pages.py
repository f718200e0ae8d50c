"""The list of captures and the page of each: on the server, then in a browser."""

from datetime import timedelta

import numpy as np
import pytest
from auditlog.models import LogEntry
from django.urls import reverse

from common.tests.html import flat
from machines.models import Machine
from vibration.models import Capture, CaptureFeatures
from vibration.pages.rounding import significant
from vibration.tests.captures_world import RATE, START, a_second, stored, tone

URL = "/vibration/captures/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def as_operator(client, operator):
    client.force_login(operator)
    return client


def listed(response) -> list[tuple[str, str, str]]:
    """Machine, sensor and axis of each row, in their order."""
    captures = [row.capture for row in response.context["page"].rows]
    return [(it.sensor.machine.name, it.sensor.sensor_no, it.axis) for it in captures]


def one(*values, **more) -> Capture:
    """Stored, of these values or of a tone."""
    [capture] = stored(a_second(*values, **more))
    return capture


# --- Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (1.0, "1"),
        (0.70710678, "0.7071"),
        (-12_345.678, "-12,346"),
        (1_500.0, "1,500"),
        (999.96, "1,000"),
        (0.000123456, "0.0001235"),
        (3.14e-7, "3.14×10⁻⁷"),
        (2.5e9, "2.5×10⁹"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert significant(value) == text


# --- The list ---------------------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_the_login(client):
    client.logout()
    assert client.get(URL).url == f"{reverse('login')}?next={URL}"


def test_without_captures_who_may_add_some_is_led_to_the_upload_and_others_are_told_who_may(client, operator):
    text = flat(client.get(URL))
    assert "There are no captures yet" in text
    assert 'href="/vibration/upload/"' not in text
    assert "Operators and administrators can upload files here" in text
    client.force_login(operator)
    assert '<a class="btn btn-primary" href="/vibration/upload/">Upload a file of your own</a>' in flat(client.get(URL))


def test_captures_are_listed_newest_first_with_numbers_units_speed_and_marks(client):
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    stored(
        a_second(),
        a_second(axis="y", started_at=START + timedelta(minutes=1), unit=""),
        a_second(np.zeros(64), axis="z", started_at=START + timedelta(minutes=2), rpm=1_480.0, has_gap=True),
    )
    response = client.get(URL)
    assert [axis for _machine, _sensor, axis in listed(response)] == ["z", "y", "x"]
    text = flat(response)
    assert "20 Nov 2026 12:00:00" in text  # plant time
    assert "0.7071 g" in text
    assert '0.7071<span class="quiet">(unit not known)</span>' in text
    assert "the unit is not known, or has no such value" in text
    assert "all samples are alike" in text
    assert '1,480 rpm<span class="quiet">(measured)</span>' in text
    assert '1,500 rpm<span class="quiet">(by spectrum)</span>' in text
    assert "flat, follows a gap" in text
    assert "2,560 Hz" in text


def test_a_capture_that_is_kept_and_one_whose_samples_were_removed_are_marked(client):
    kept, removed = stored(a_second(), a_second(axis="y"))
    Capture.objects.filter(pk=kept.pk).update(is_kept=True)
    Capture.objects.filter(pk=removed.pk).update(has_samples=False, data=None)
    by_axis = {row.capture.axis: row.marks for row in client.get(URL).context["page"].rows}
    assert by_axis == {"x": ["kept"], "y": ["samples removed"]}


def test_filters_narrow_the_list_and_each_offers_what_belongs_to_the_one_before(client):
    for machine in ("pump3", "fan1"):
        for sensor in ("de", "nde"):
            stored(*(a_second(machine=machine, sensor=sensor, axis=axis) for axis in "xy"))
    form = client.get(URL, {"machine": "fan1", "sensor": "de"}).context["form"]
    assert [key for key, _name in form.fields["axis"].choices] == ["", "x", "y"]
    assert set(listed(client.get(URL, {"machine": "fan1"}))) == {
        ("fan1", sensor, axis) for sensor in ("de", "nde") for axis in "xy"
    }
    assert listed(client.get(URL, {"machine": "fan1", "sensor": "nde", "axis": "y"})) == [("fan1", "nde", "y")]
    assert len(listed(client.get(URL, {"after": "2026-11-20T12:00"}))) == 8
    response = client.get(URL, {"after": "2026-11-20T12:00:01"})
    assert response.context["page"].rows == []
    assert "No capture matches these filters." in response.text


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", "There is no machine “g9” with captures. Choose one from the list."),
        ({"sensor": "de"}, "sensor", "Choose the machine of this sensor first."),
        (
            {"machine": "pump3", "sensor": "s9"},
            "sensor",
            "This machine has no sensor “s9” with captures. Choose one from the list.",
        ),
        ({"machine": "pump3", "axis": "x"}, "axis", "Choose the sensor of this axis first."),
        (
            {"machine": "pump3", "sensor": "de", "axis": "q"},
            "axis",
            "This sensor has no axis “q”. Choose one from the list.",
        ),
        ({"cursor": "last"}, "cursor", "This is not a position in the list. Start again from the newest capture."),
        ({"range": "2h"}, "range", "There is no range “2h”. Choose 1h, 24h, 7d or 30d."),
    ],
)
def test_a_wrong_value_is_explained_at_its_field(client, query, field, message):
    one()
    response = client.get(URL, query)
    assert response.status_code == 400
    assert response.context["form"].errors == {field: [message]}
    assert message in response.text


def test_pages_follow_each_other_without_a_row_twice_or_left_out(client):
    axes = [f"a{number:02}" for number in range(60)]
    stored(*(a_second(np.arange(16.0), axis=axis) for axis in axes))  # all of one instant
    first = client.get(URL)
    assert len(listed(first)) == 50
    second = client.get(URL + first.context["older"])
    assert [axis for _machine, _sensor, axis in listed(first) + listed(second)] == axes[::-1]
    assert not second.context["older"]
    assert "To the newest" in second.text


@pytest.mark.parametrize("count", [1, 60])
def test_the_list_costs_the_same_queries_however_many_captures_there_are(client, django_assert_num_queries, count):
    starts = [START + timedelta(minutes=number) for number in range(count)]
    stored(*(a_second(np.arange(16.0), axis=axis, started_at=it) for it in starts for axis in "xy"))
    # Session, user, his permissions and those of his roles; axes with their sensors, captures, features
    with django_assert_num_queries(7) as queries:
        assert client.get(URL).status_code == 200
    assert not any('"data"' in it["sql"] or "`data`" in it["sql"] for it in queries)
    # Those of each axis, instead of all, and then what is shown
    with django_assert_num_queries(9):
        assert client.get(URL, {"machine": "pump3"}).status_code == 200


@pytest.mark.parametrize("axes", [2, 30])
def test_pages_of_a_machine_follow_each_other_too(client, axes):
    names = [f"a{number:02}" for number in range(axes)]
    starts = [START + timedelta(minutes=number) for number in range(120 // axes)]
    stored(*(a_second(np.arange(16.0), axis=axis, started_at=it) for it in starts for axis in names))
    found, query = [], "?machine=pump3"
    while query:
        response = client.get(URL + query)
        found += [(row.capture.started_at, row.capture.axis) for row in response.context["page"].rows]
        query = response.context["older"]
    assert found == [(start, axis) for start in starts[::-1] for axis in names[::-1]]


# --- The page of one --------------------------------------------------------------------------------------------------


def page_of(client, capture: Capture, **query):
    return client.get(f"{URL}{capture.pk}/", query)


def test_a_capture_says_what_it_is_in_numbers_with_units(client):
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    text = flat(page_of(client, one(source="pump3_de.csv")))
    for told in ("2,560 Hz", "2,560 (1 s)", "pump3_de.csv", "Stored at"):
        assert told in text
    features = CaptureFeatures.objects.get()
    assert f'<data value="{features.rms!r}">0.7071</data>g' in text
    assert '>25</data>Hz<span class="quiet">(found in the spectrum near the rated speed)</span>' in text
    assert "1×" in text
    assert "10–100 Hz" in text
    assert f"{significant(features.velocity_rms)}</data>mm/s" in text


def test_what_is_not_assessable_is_said_with_its_reason(client):
    text = flat(page_of(client, one(tone(640, rate=640.0), sampling_hz=640.0, unit="")))
    assert "Unit not known" in text
    assert "Without a unit nothing that needs one is judged" in text
    assert 'not assessable<span class="quiet">(the unit is not known, or has no such value)</span>' in text
    assert "Amplitude at multiples of the shaft frequency: not assessable – the speed is not known" in text
    assert 'not assessable<span class="quiet">(the sampling rate is too low)</span>' in text


def test_the_captures_beside_it_are_linked(client):
    early, one, late, other = stored(
        a_second(),
        a_second(started_at=START + timedelta(minutes=10)),
        a_second(started_at=START + timedelta(minutes=20)),
        a_second(axis="y", started_at=START + timedelta(minutes=10)),
    )
    context = page_of(client, one).context
    assert (context["earlier"].pk, context["later"].pk) == (early.pk, late.pk)
    assert [it.pk for it in context["axes"]] == [one.pk, other.pk]
    assert (page_of(client, early).context["earlier"], page_of(client, late).context["later"]) == (None, None)


def test_of_removed_samples_the_numbers_stay_and_nothing_is_drawn(client):
    capture = one()
    Capture.objects.update(has_samples=False, data=None)
    text = flat(page_of(client, capture))
    assert "The samples of this capture were removed" in text
    assert "0.7071" in text
    assert "<canvas" not in text
    assert "Download" not in text


def test_a_wrong_window_is_explained_at_its_field(client):
    response = page_of(client, one(), start="2", end="1")
    assert response.status_code == 400
    assert response.context["form"].errors == {"end": ["The end must not be before the start."]}
    assert client.get(f"{URL}999/").status_code == 404


def test_an_operator_keeps_a_capture_and_lets_it_go_and_the_audit_trail_has_both(as_operator):
    capture = one()
    assert "Keep it" in page_of(as_operator, capture).text
    address = f"{URL}{capture.pk}/keep/"
    for said, is_kept in (("yes", True), ("yes", True), ("no", False)):
        assert as_operator.post(address, {"kept": said}).url == f"{URL}{capture.pk}/"
        assert Capture.objects.get().is_kept is is_kept
    notes = LogEntry.objects.filter(content_type__model="capture").order_by("pk")
    assert [(it.additional_data["kept"], it.actor.get_username()) for it in notes] == [(True, "kim"), (False, "kim")]
    assert as_operator.get(address).url == f"{URL}{capture.pk}/"
    assert as_operator.post(f"{URL}999/keep/", {"kept": "yes"}).status_code == 404


def test_a_viewer_may_not_keep_one(client):
    capture = one()
    assert "Keep it" not in page_of(client, capture).text
    assert client.post(f"{URL}{capture.pk}/keep/", {"kept": "yes"}).status_code == 403
    assert not Capture.objects.get().is_kept


@pytest.mark.parametrize("others", [1, 30])
def test_the_page_costs_the_same_queries_however_many_captures_there_are(client, django_assert_num_queries, others):
    capture, *_others = stored(
        *(a_second(np.arange(32.0), started_at=START + timedelta(minutes=it)) for it in range(others))
    )
    # Session, user, his permissions and those of his roles; the capture, its features, earlier, later, axes, and those
    # a week and a month before, and the earliest, to compare it with
    with django_assert_num_queries(12):
        page_of(client, capture)


def test_a_machine_shows_the_newest_capture_of_each_axis(client):
    stored(
        a_second(),
        a_second(started_at=START + timedelta(minutes=9)),
        a_second(axis="y"),
        a_second(machine="fan1"),
    )
    text = flat(client.get("/machines/pump3/"))
    newest = Capture.objects.get(axis="x", started_at__gt=START)
    assert f'<a href="/vibration/captures/{newest.pk}/">20 Nov 2026 12:09:00</a>' in text
    assert text.count('href="/vibration/captures/') == 4  # of the menu, of both axes, and all
    assert 'href="/vibration/captures/?machine=pump3"' in text


# --- In a browser -----------------------------------------------------------------------------------------------------

DRAWN = """(selector) => Chart.getChart(document.querySelector(selector + " canvas")).data.datasets
    .map(({ data }) => ({ x: data.map((it) => it.x), y: data.map((it) => it.y) }))"""
AREA = "Chart.getChart(document.querySelector('#waveform canvas')).chartArea"


def show(page, capture: Capture, query: str = "") -> None:
    page.goto(f"{URL}{capture.pk}/{query}")
    for panel in ("waveform", "spectrum", "envelope"):
        page.wait_for_selector(f"#{panel}[aria-busy=false]")


@pytest.mark.browser
def test_a_capture_is_drawn_as_an_envelope_that_keeps_every_extreme(page):
    values = np.random.default_rng(1).normal(size=20_000)
    show(page, one(values, sampling_hz=20_000.0))
    lower, upper = page.evaluate(DRAWN, "#waveform")
    assert (min(lower["y"]), max(upper["y"])) == (values.min(), values.max())
    assert page.inner_text("#waveform figcaption").startswith("20,000 samples shown as ")


@pytest.mark.browser
def test_dragging_reads_the_window_anew_down_to_single_samples_and_back_steps_back(page):
    values = np.random.default_rng(1).normal(size=20_000)
    capture = one(values, sampling_hz=20_000.0)
    show(page, capture)
    area, box = page.evaluate(AREA), page.locator("#waveform canvas").bounding_box()
    x = [box["x"] + area["left"] + share * (area["right"] - area["left"]) for share in (0.5, 0.51)]
    page.mouse.move(x[0], box["y"] + area["top"] + 20)
    page.mouse.down()
    page.mouse.move(x[1], box["y"] + area["top"] + 40, steps=4)
    with page.expect_response("**/waveform?*"):
        page.mouse.up()
    page.wait_for_selector("#waveform[aria-busy=false]")
    start, end = (float(page.input_value(f"[name={name}]")) for name in ("start", "end"))
    [line] = page.evaluate(DRAWN, "#waveform")
    times = np.arange(len(values)) / 20_000.0
    inside = (times >= start) & (times <= end)
    assert line["x"] == times[inside].tolist()
    assert line["y"] == values[inside].tolist()
    assert f"start={start:g}" in page.url
    page.get_by_role("button", name="Step back").click()
    page.wait_for_url(f"**{URL}{capture.pk}/")


@pytest.mark.browser
def test_the_spectrum_shows_the_tone_with_its_amplitude_and_its_order(page):
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    show(page, one(tone(5_120, hz=50.0, amplitude=2.0) + tone(5_120, hz=25.0)))
    first = page.locator("#spectrum [data-peak-of]").first.locator("td").all_inner_texts()
    assert first == ["50.00", "2.000", "2.00"]
    assert "Order 1 is the shaft frequency, 25 Hz (1,500 rpm)." in page.inner_text("#spectrum [data-orders]")


@pytest.mark.browser
def test_of_a_rate_too_low_the_envelope_says_why_there_is_none(page):
    show(page, one(tone(640, rate=640.0), sampling_hz=640.0))
    said = page.inner_text("#envelope [data-about]")
    assert said == "No spectrum of the envelope: the sampling rate is too low for it."


@pytest.mark.browser
def test_npy_and_csv_are_downloaded(page):
    show(page, one())
    for name in ("npy", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download as {name}").click()
        assert download.value.suggested_filename.endswith(f".{name.lower()}")


@pytest.mark.browser
def test_by_keyboard_alone_a_capture_is_kept_and_the_next_one_opened(new_page, operator):
    capture, later = stored(a_second(), a_second(started_at=START + timedelta(seconds=1 / RATE * 5_120)))
    page = new_page(login=operator)
    show(page, capture)
    keep = page.get_by_role("button", name="Keep it")
    keep.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Let it go").wait_for()
    assert Capture.objects.get(pk=capture.pk).is_kept
    page.get_by_role("link", name="Later capture").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{URL}{later.pk}/")
