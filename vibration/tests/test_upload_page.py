"""The upload page: what a file is taken for, its correction, and what is stored of it."""

import gzip
import json
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.tests.html import flat
from himmes.serving.bodies import limit_of
from vibration.captures.mappings import save_mapping
from vibration.captures.reading import samples_of
from vibration.files.uploading import UPLOADS
from vibration.formats.mapping import Axis, Mapping
from vibration.formats.reasons import ENGLISH
from vibration.models import Capture, CaptureMapping, ImportRun, Recording, VibrationData
from vibration.pages.upload_remarks import WORDS
from vibration.tests.captures_world import a_second, stored

pytestmark = pytest.mark.django_db
URL, PREVIEW, STORE = (f"/vibration/upload/{it}" for it in ("", "preview/", "store/"))
RATE = 1_000.0
START = {"machine": "pump1", "sensor": "de", "started_at": "2026-11-20T12:00:00"}
FOUR_STATES = "time,normal,unbalance,looseness,unbalance_looseness\n0.000,1,2,3,4\n0.001,5,6,7,8\n"


def values(count: int = 500) -> np.ndarray:
    """(count, 3), with few enough digits to be written whole."""
    return np.random.default_rng(1).normal(size=(count, 3)).round(6)


def csv_text(head: str = "time,x,y,z", rows: np.ndarray | None = None) -> str:
    rows = values() if rows is None else rows
    lines = [f"{row / RATE:.3f}," + ",".join(map(repr, them)) for row, them in enumerate(rows.tolist())]
    return "\n".join([head, *lines]) + "\n"


ONE_SIGNAL = "acc (g)\n" + "\n".join(map(repr, values()[:, 0].tolist())) + "\n"


@pytest.fixture
def client(client, operator):
    client.force_login(operator)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def send(client, address: str = PREVIEW, text: str | bytes | None = None, name: str = "measured.csv", **fields):
    content = csv_text() if text is None else text
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(address, {"file": file, **fields})


def fields_of(response, **changes) -> dict[str, str]:
    """What the form that a preview answered with would send, with these changes."""
    taken = response.context["taken"]
    fields = {"kind": response.context["kind"], "machine": response.context["machine"]}
    fields |= {"sensor": response.context["sensor"], "guessed": taken.guessed.to_json()}
    fields |= {"started_at": response.context["started_at"], "time": response.context["time"]}
    for it in taken.columns:
        fields[f"column-{it.number}"], fields[f"use-{it.number}"] = it.of.column, it.use
        fields |= {f"axis-{it.number}": it.of.axis, f"unit-{it.number}": it.unit}
    return fields | changes


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_a_viewer_is_told_who_uploads_and_may_send_nothing(client, user):
    client.force_login(user)
    text = flat(client.get(URL))
    assert "uploaded here by operators, collectors and administrators" in text
    assert "<input class" not in text
    for address in (PREVIEW, STORE):
        assert send(client, address, **START).status_code == 403
    assert not Capture.objects.exists()


def test_a_stranger_is_sent_to_the_login(client):
    client.logout()
    for address in (URL, PREVIEW, STORE):
        assert client.get(address).url.startswith("/login/")
        assert send(client, address).url.startswith("/login/")


def test_without_the_token_of_the_page_nothing_is_taken(operator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert send(client, STORE, **START).status_code == 403
    assert not Capture.objects.exists()


@pytest.mark.parametrize("address", [PREVIEW, STORE])
def test_who_comes_by_a_link_is_led_to_the_page(client, address):
    assert client.get(address).url == URL


@pytest.mark.parametrize("address", [PREVIEW, STORE])
def test_a_file_may_be_as_large_here_as_by_the_api_but_not_of_a_stranger(settings, address):
    head = {"PATH_INFO": address, "HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}=a"}
    assert limit_of(head) == settings.API_MAX_UPLOAD_BYTES
    assert limit_of({"PATH_INFO": address}) == 64 * 1024


def test_while_another_upload_is_under_way_one_is_asked_to_wait(client):
    with UPLOADS.slot():
        response = send(client)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_every_reason_has_words():
    assert WORDS.keys() == ENGLISH.keys()
    for code, english in ENGLISH.items():
        taken = {part.split("}")[0] for part in english.split("{")[1:]}
        shown = {part.split("}")[0] for part in str(WORDS[code]).split("{")[1:]}
        assert shown <= taken, code


def test_a_preview_says_what_each_column_is_taken_for_and_stores_nothing(client):
    response = send(client, name="pump1_de.csv", text=csv_text("time,x (g),y (g),note"))
    rows = [(it.of.column, it.use, it.of.axis, it.unit) for it in response.context["taken"].columns]
    assert rows == [
        ("time", "time", "", "?"),
        ("x", "axis", "x", "g"),
        ("y", "axis", "y", "g"),
        ("note", "axis", "note", ""),
    ]
    text = flat(response)
    for told in (
        "the time, by its name",
        "unit g, as the file says",
        "Sampling rate by the times: 1000 Hz.",
        'name="machine" value="pump1"',
        'name="sensor" value="de"',
        "500</td>",
        "0.5 s",
    ):
        assert told in text
    assert not Capture.objects.exists()
    assert not ImportRun.objects.exists()


def test_the_first_second_is_drawn_with_its_extremes(client):
    rows = values(3_000)
    [x, _y, _z] = send(client, text=csv_text(rows=rows)).context["taken"].drawn
    assert (x["axis"], min(x["min"]), max(x["max"])) == ("x", rows[:1_000, 0].min(), rows[:1_000, 0].max())
    assert x["bucket_width"] == 0.002
    assert x["time"][-1] == 0.998


def test_without_a_start_that_of_the_last_change_is_proposed_and_said_to_be(client):
    changed = datetime(2026, 11, 20, 3, 0, 0, 500_000, UTC)
    response = send(client, modified=int(changed.timestamp() * 1e3))
    assert 'value="2026-11-20T12:00:00.000"' in flat(response)
    assert "Proposed is when the file was changed last" in response.text
    told = send(client, name="pump1_de_20261119_080000.csv", modified=int(changed.timestamp() * 1e3))
    assert told.context["started_at"] == ""
    assert "The start, as the file&#x27;s name tells: 2026-11-19 08:00:00." in told.text


def test_a_missing_rate_is_asked_for_and_then_counts(client):
    response = send(client, text=ONE_SIGNAL)
    assert "Nothing tells the sampling rate" in response.text
    assert not response.context["may_store"]
    again = send(client, text=ONE_SIGNAL, **fields_of(response, rate_hz="2560"))
    assert again.context["may_store"]
    assert again.context["taken"].signals[0]["rate"] == "2,560"


def test_a_time_in_an_unknown_unit_is_asked_for(client):
    text = "t,x\n" + "\n".join(f"{row},{row % 7}" for row in range(0, 4_000, 40)) + "\n"
    response = send(client, text=text)
    assert "nothing tells in which unit: 0, 40" in response.text
    again = send(client, text=text, **fields_of(response, time="ms"))
    assert [it["rate"] for it in again.context["taken"].signals] == ["25"]


def test_a_column_can_be_left_out_renamed_and_given_a_unit(client):
    changes = {"use-3": "out", "axis-1": "radial", "unit-1": "m/s2", "unit-2": "g"}
    fields = fields_of(send(client), **changes)
    response = send(client, **fields)
    assert [(it["axis"], it["unit"]) for it in response.context["taken"].signals] == [("radial", "m/s²"), ("y", "g")]
    send(client, STORE, **fields | START)
    assert list(Capture.objects.order_by("axis").values_list("axis", "unit")) == [("radial", "m/s2"), ("y", "g")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use-1": "out", "use-2": "out", "use-3": "out"}, "Say of at least one column that it is an axis."),
        ({"use-1": "time"}, "Only one column can be the time."),
        ({"use-1": "speed", "use-2": "speed"}, "Only one can be the speed."),
        ({"use-1": "axis", "axis-1": "y"}, "the name &#x27;y&#x27; is there twice"),
        ({"time": "", "use-1": "out"}, "Choose how the time is written."),
    ],
)
def test_rows_that_contradict_themselves_are_told(client, changes, message):
    fields = fields_of(send(client), **changes)
    assert message in send(client, **fields).text


def test_a_file_of_no_signals_says_why(client):
    for content, why in ((b"%PDF-1.4 nothing", "this is a PDF; export the signals as CSV."), (b"", "empty")):
        response = send(client, text=content, name="letter.pdf")
        assert (response.status_code, why in response.text) == (200, True), response.text
    assert send(client, STORE, text=b"%PDF-1.4 nothing", **START).status_code == 400


def test_a_form_of_another_page_is_refused(client):
    response = send(client, guessed="[1", **START)
    assert response.status_code == 400
    assert "This form is not one of this page." in response.text
    assert client.post(PREVIEW, {}).status_code == 400


def test_a_name_is_written_as_text(client):
    response = send(client, text=csv_text('time,<script>,y,"z"'))
    assert "<script>," not in response.text
    assert "&lt;script&gt;" in response.text


# --- What is stored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["measured.csv", "measured.csv.gz"])
def test_what_was_shown_is_stored_exactly_and_linked(client, name):
    text = csv_text("time,x (g),y (g),z (g)").encode()
    response = send(client, STORE, text=gzip.compress(text) if name.endswith("gz") else text, name=name, **START)
    assert response.status_code == 200
    for column, axis in enumerate("xyz"):
        capture = Capture.objects.get(axis=axis)
        assert (samples_of(capture) == values()[:, column]).all()
        assert (capture.started_at, capture.sampling_hz, capture.unit) == (
            datetime(2026, 11, 20, 3, tzinfo=UTC),
            RATE,
            "g",
        )
        assert str(capture.sensor) == "pump1 / de"
        assert f'href="/vibration/captures/{capture.pk}/"' in response.text
    run = ImportRun.objects.get()
    assert (run.started_by, run.new, run.outcome) == ("kim", 3, "complete")


def test_the_same_again_is_identical_and_other_samples_conflict(client):
    send(client, STORE, **START)
    assert "All of it was stored before." in send(client, STORE, **START).text
    others = values() + 1
    response = send(client, STORE, text=csv_text(rows=others), **START)
    assert "Stored, but not all of it." in response.text
    assert response.context["run"].conflicting == 3
    assert "its samples are others" in response.text


def test_without_machine_sensor_and_start_nothing_is_stored_and_each_is_named(client):
    response = send(client, STORE)
    assert response.status_code == 400
    assert response.context["errors"] == ["Enter the machine and the sensor.", "Enter when the measurement began."]
    assert not Capture.objects.exists()


def test_a_start_in_the_future_is_rejected_with_its_reason(client):
    response = send(client, STORE, **START | {"started_at": "2999-01-01T00:00:00"})
    assert response.status_code == 400
    assert "in the future" in response.text
    assert not Capture.objects.exists()


def test_where_programs_register_no_machines_an_unknown_one_is_refused(client, settings):
    settings.API_REGISTERS_MACHINES = False
    response = send(client, STORE, **START)
    assert (response.status_code, "is registered" in response.text) == (400, True)
    assert not Capture.objects.exists()


def test_a_file_beyond_the_bounds_is_refused(client, settings):
    settings.API_MAX_UPLOAD_CONTENT_BYTES = 1_000
    response = send(client)
    assert "it holds more than 1,000 bytes" in response.text


def test_a_mapping_is_saved_by_name_and_used_again(client):
    fields = fields_of(send(client), **{"axis-1": "radial", "save_as": "logger 7"})
    send(client, STORE, **fields | START)
    assert CaptureMapping.objects.get().saved_by == "kim"
    again = send(client, mapping="logger 7")
    assert [it["axis"] for it in again.context["taken"].signals] == ["radial", "y", "z"]
    assert "<option>logger 7</option>" in flat(send(client))
    assert "No mapping is called" in send(client, mapping="logger 8").text


def test_a_name_that_other_columns_have_is_not_given_again(client):
    before = fields_of(send(client), **{"axis-1": "radial", "save_as": "logger 7"})
    send(client, STORE, **before | START)
    fields = fields_of(send(client), **{"axis-1": "axial", "save_as": "logger 7"})
    refused = send(client, STORE, **fields | START)
    assert refused.status_code == 400
    assert "Other columns are saved as “logger 7”. Choose another name." in refused.text
    assert CaptureMapping.objects.get().mapping["axes"][0]["name"] == "radial"
    assert not Capture.objects.filter(axis="axial").exists()


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"time": "ms", "time_column": "time"}, csv_text()),
        ({"time": "s", "time_column": "time", "rate_hz": 1_000.0001}, csv_text()),
        ({"time": "s", "time_column": "time", "rpm": 1_500.0}, csv_text()),
        ({"rate_hz": 2_000.0, "left_out": ("time",)}, csv_text()),
        ({"rate_hz": 100.0, "separator": ";", "decimal": ","}, "x;y;z\n" + "1,5;2;3\n2,5;3;4\n" * 20),
    ],
)
@pytest.mark.parametrize("is_first", [False, True])
def test_what_a_saved_mapping_says_is_stored_as_it_was_shown(client, said, text, is_first):
    save_mapping("logger 7", Mapping(axes=tuple(Axis(it, it, "g") for it in "xyz"), **said), saved_by="")
    fields = {} if is_first else fields_of(send(client, text=text))
    shown = send(client, text=text, mapping="logger 7", **fields)
    signals = shown.context["taken"].found.signals
    sent = {name: value for name, value in shown.context["said"].items() if value}
    send(client, STORE, text=text, **fields_of(shown, **sent) | START)
    stored = Capture.objects.order_by("axis")
    assert [(it.sampling_hz, it.count, it.rpm, it.unit) for it in stored] == [
        (it.sampling_hz, len(it.values), it.rpm, "g") for it in signals
    ]


def test_what_is_changed_of_a_saved_mapping_is_stored_so(client):
    axes = tuple(Axis(it, it, "g") for it in "xyz")
    save_mapping("logger 7", Mapping(axes=axes, time="s", time_column="time"), saved_by="")
    shown = send(client, mapping="logger 7")
    send(client, STORE, **fields_of(shown, **{"unit-2": "m/s2"}) | START)
    assert dict(Capture.objects.values_list("axis", "unit")) == {"x": "g", "y": "m/s2", "z": "g"}


def test_an_axis_far_to_the_right_of_a_saved_mapping_is_shown_and_stored(client):
    names = [f"c{number}" for number in range(100)]
    text = ",".join(names) + "\n" + (",".join(["1.5"] * 100) + "\n") * 20
    left_out = tuple(name for name in names if name not in ("c0", "c90"))
    mapping = Mapping(axes=(Axis("c0", "x"), Axis("c90", "y")), rate_hz=100.0, left_out=left_out)
    save_mapping("wide", mapping, saved_by="")
    shown = send(client, text=text, mapping="wide")
    others = json.dumps(shown.context["taken"].others)
    send(client, STORE, text=text, **fields_of(shown, others=others, rate_hz="100") | START)
    assert set(Capture.objects.values_list("axis", flat=True)) == {"x", "y"}


def test_who_may_not_save_a_mapping_is_offered_no_name_for_one(client, django_user_model, roles):
    collector = django_user_model.objects.create_user("collector")
    collector.groups.add(roles["collector"])
    client.force_login(collector)
    assert "save_as" not in send(client).text
    send(client, STORE, save_as="mine", **START)
    assert Capture.objects.count() == 3
    assert not CaptureMapping.objects.exists()


# --- Recordings -------------------------------------------------------------------------------------------------------


def test_a_labelled_recording_is_recognized_and_imported_as_one(client, django_user_model, roles):
    boss = django_user_model.objects.create_user("boss")
    boss.groups.add(roles["administrator"])
    client.force_login(boss)
    response = send(client, text=FOUR_STATES, name="pump1_de.csv")
    assert "It is stored as a recording, with its labels." in response.text
    fields = {"kind": "recording", "machine": "pump1", "sensor": "de", "recording": "night", "time": "seconds"}
    stored = send(client, STORE, text=FOUR_STATES, name="pump1_de.csv", **fields)
    assert list(VibrationData.objects.order_by("measured_time").values_list("normal", "unbalance_looseness")) == [
        (1.0, 4.0),
        (5.0, 8.0),
    ]
    recording = Recording.objects.get()
    assert str(recording) == "pump1 / de / night"
    assert recording.get_absolute_url().replace("&", "&amp;") in stored.text
    assert not Capture.objects.exists()


def test_an_operator_is_told_that_his_role_stores_no_recordings_but_may_take_the_columns_as_captures(client):
    response = send(client, text=FOUR_STATES, name="pump1_de.csv")
    assert "Your role may store captures, but not labelled recordings." in response.text
    assert not response.context["may_store"]
    assert send(client, STORE, text=FOUR_STATES, **START).status_code == 400
    as_captures = send(client, text=FOUR_STATES, kind="captures")
    assert [it["axis"] for it in as_captures.context["taken"].signals] == [
        "normal",
        "unbalance",
        "looseness",
        "unbalance_looseness",
    ]
    send(client, STORE, text=FOUR_STATES, **fields_of(as_captures, **START))
    assert Capture.objects.count() == 4
    assert not VibrationData.objects.exists()


def test_columns_beyond_those_shown_are_left_out(client):
    head = ",".join(["time", *(f"c{number}" for number in range(70))])
    rows = "\n".join(f"{row / RATE}," + ",".join(["1.5"] * 69 + [str(row)]) for row in range(50))
    response = send(client, text=f"{head}\n{rows}\n")
    assert len(response.context["taken"].columns) == 60
    others = json.loads(response.context["others"])
    assert others == [f"c{number}" for number in range(59, 70)]
    fields = fields_of(response, others=json.dumps(others), **{"use-1": "axis", "axis-1": "x"})
    assert [it["axis"] for it in send(client, text=f"{head}\n{rows}\n", **fields).context["taken"].signals] == ["x"]


def test_a_wave_file_is_taken_with_its_own_rate(client):
    import wave

    samples = (1_000 * np.sin(np.arange(2_000) / 5)).astype("<i2")
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(samples.tobytes())
    response = send(client, text=file.getvalue(), name="pump1_de.wav")
    assert "Sampling rate that the file tells: 8000 Hz." in response.text
    send(client, STORE, text=file.getvalue(), name="pump1_de.wav", **START)
    assert (samples_of(Capture.objects.get()) == samples * 2.0**-15).all()


# --- In a browser -----------------------------------------------------------------------------------------------------

SIZES = {"phone": {"width": 390, "height": 844}, "wide": {"width": 1440, "height": 900}}
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


def payload(text: str = "", name: str = "measured.csv") -> dict:
    return {"name": name, "mimeType": "text/csv", "buffer": (text or csv_text()).encode()}


def choose(page, *files: dict) -> None:
    """Choose files, and wait until each is understood."""
    page.set_input_files("[name=files]", list(files))
    for number in range(len(files)):
        page.locator(".upload").nth(number).locator("[data-upload]").wait_for()


def page_that_chooses(new_page, operator):
    """A page whose dialog of files is caught from the beginning: a key may be quicker than what asks for that."""
    page = new_page(login=operator)
    page.on("filechooser", lambda chooser: None)
    return page


def is_sound(page) -> list[str]:
    """What axe finds serious, and whether the page is wider than the screen."""
    found = [it["id"] for it in Axe().run(page).response["violations"] if it["impact"] in ("serious", "critical")]
    return found + (["wider than the screen"] if page.evaluate(OVERFLOW) > 0 else [])


@pytest.mark.browser
def test_a_newcomer_gets_from_the_empty_start_page_to_a_spectrum_in_five_clicks_without_a_command(new_page, operator):
    page = page_that_chooses(new_page, operator)
    page.goto("/")
    page.get_by_role("link", name="Upload a file of your own").click()  # 1
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose files").click()  # 2
    chooser.value.set_files([payload()])
    page.locator("[name=machine]").fill("pump1")
    page.locator("[name=sensor]").fill("de")
    page.get_by_role("button", name="Store", exact=True).click()  # 3
    page.get_by_role("link", name="Axis x").click()  # 4
    page.wait_for_selector("#spectrum[aria-busy=false]")
    assert "500 samples at 1,000 Hz" in page.inner_text("#spectrum [data-about]")
    assert (
        page.evaluate("Chart.getChart(document.querySelector('#spectrum canvas')).data.datasets[0].data.length") > 200
    )


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("locale", "scheme"), [("ko-KR", "dark"), ("en-US", "light")])
def test_every_state_of_the_page_is_accessible_and_fits_the_screen(new_page, operator, locale, scheme, size):
    page = new_page(login=operator, locale=locale, color_scheme=scheme, viewport=SIZES[size])
    page.goto(URL)
    assert is_sound(page) == []
    choose(
        page, payload(), payload(ONE_SIGNAL, "pump1_de.csv"), payload("%PDF-1.4 x", "letter.pdf"), payload(FOUR_STATES)
    )
    assert is_sound(page) == []
    first = page.locator(".upload").first
    for name in ("machine", "sensor"):
        first.locator(f"[name={name}]").fill("m1")
    first.locator("[data-do=store]").click()
    first.locator("[data-upload=told]").wait_for()
    assert is_sound(page) == []


@pytest.mark.browser
def test_the_page_of_a_capture_is_accessible_and_fits_the_screen(new_page, operator):
    [capture] = stored(a_second(unit="", rpm=1_500.0, source="a" * 200))
    for size, locale, scheme in (("phone", "ko-KR", "dark"), ("wide", "en-US", "light"), ("phone", "en-US", "light")):
        page = new_page(login=operator, locale=locale, color_scheme=scheme, viewport=SIZES[size])
        page.goto(f"/vibration/captures/{capture.pk}/")
        page.wait_for_selector("#envelope[aria-busy=false]")
        assert is_sound(page) == []


@pytest.mark.browser
def test_what_changes_the_signals_is_looked_at_again_before_it_is_stored(new_page, operator):
    page = new_page(login=operator)
    page.goto(URL)
    choose(page, payload(name="pump1_de.csv"))
    store = page.get_by_role("button", name="Store", exact=True)
    page.get_by_label("z: Taken for").select_option("left out")
    assert store.is_disabled()
    page.get_by_text("Look at it again before you store it").wait_for()
    with page.expect_response("**/upload/preview/"):
        page.get_by_role("button", name="Look again").click()
    page.locator(".first-second canvas").nth(1).wait_for()
    store.click()
    page.locator("[data-upload=told]").wait_for()
    assert list(Capture.objects.order_by("axis").values_list("axis", flat=True)) == ["x", "y"]


@pytest.mark.browser
def test_what_contradicts_itself_is_told_beside_the_form_which_keeps_what_was_said(new_page, operator):
    page = new_page(login=operator)
    page.goto(URL)
    choose(page, payload(name="pump1_de.csv"))
    page.get_by_label("y: Name of the axis").fill("x")
    for _again in range(2):
        with page.expect_response("**/upload/preview/"):
            page.get_by_role("button", name="Look again").click()
        page.get_by_text("is there twice").wait_for()
        assert page.locator(".upload [data-upload=refused]").count() == 1
    page.get_by_label("y: Name of the axis").fill("radial")
    page.get_by_role("button", name="Look again").click()
    page.locator("[data-upload=refused]").wait_for(state="detached")
    page.get_by_role("button", name="Store", exact=True).click()
    page.locator("[data-upload=told]").wait_for()
    assert set(Capture.objects.values_list("axis", flat=True)) == {"x", "radial", "z"}


@pytest.mark.browser
def test_the_whole_way_goes_by_keyboard(new_page, operator):
    page = page_that_chooses(new_page, operator)
    page.goto(URL)
    page.locator("[name=files]").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([payload(name="pump1_de.csv")])
    page.locator("[data-upload=taken]").wait_for()
    page.locator("[name=machine]").focus()
    page.keyboard.press("Enter")
    page.locator("[data-upload=told]").wait_for()
    assert page.evaluate("document.activeElement.textContent").strip() == "Stored."
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/vibration/captures/*/")


@pytest.mark.browser
def test_several_files_are_stored_at_once_one_after_the_other(new_page, operator):
    page = new_page(login=operator)
    page.goto(URL)
    choose(page, *(payload(name=f"pump{number}_de.csv") for number in range(3)))
    page.get_by_role("button", name="Store all that are ready").click()
    for number in range(3):
        page.locator(".upload").nth(number).locator("[data-upload=told]").wait_for()
    assert Capture.objects.count() == 9


@pytest.mark.browser
def test_a_dropped_file_is_taken_like_a_chosen_one(new_page, operator):
    page = new_page(login=operator)
    page.goto(URL)
    transfer = page.evaluate_handle(
        """(text) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], "pump1_de.csv"));
            return transfer;
        }""",
        csv_text(),
    )
    page.dispatch_event(".drop-zone", "drop", {"dataTransfer": transfer})
    page.locator("[data-upload=taken]").wait_for()


@pytest.mark.browser
def test_a_server_that_is_busy_is_asked_again_as_soon_as_it_said(new_page, operator, watch):
    page = new_page(login=operator)
    page.clock.install()
    page.goto(URL)
    watch.expect_status(503)
    page.route("**/upload/preview/", lambda route: route.fulfill(status=503, headers={"Retry-After": "30"}), times=1)
    page.set_input_files("[name=files]", [payload()])
    page.get_by_text("This one continues in 30 s.").wait_for()
    page.clock.run_for(31_000)
    page.locator("[data-upload=taken]").wait_for()


@pytest.mark.browser
@pytest.mark.parametrize(("status", "said"), [(413, "larger than this server takes"), (500, "HTTP 500")])
def test_an_answer_that_is_none_of_the_page_is_told_and_can_be_tried_again(new_page, operator, watch, status, said):
    page = new_page(login=operator)
    page.goto(URL)
    watch.expect_status(status)
    page.route("**/upload/preview/", lambda route: route.fulfill(status=status, body="<p>no</p>"), times=1)
    page.set_input_files("[name=files]", [payload()])
    alert = page.locator("[data-problem]")
    alert.wait_for()
    assert said in alert.inner_text()
    alert.get_by_role("button", name="Try again").click()
    page.locator("[data-upload=taken]").wait_for()


def test_what_is_remarked_of_a_stored_file_is_said_in_the_language_of_the_page(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ko"
    report = send(client, STORE, **fields_of(send(client)) | START)
    assert "x, y, z: 단위를 알 수 없어" in report.text
    assert "is not known" not in report.text
