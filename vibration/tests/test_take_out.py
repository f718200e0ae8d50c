"""The buttons by which a chart leaves the page, in a browser: with a canvas and a question of their own."""

import struct
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string
from django.utils import translation

pytestmark = pytest.mark.browser

# Any page that has the styles and is not asked for a login.
PAGE = "/login/"
SHOW = """async (buttons) => {
    document.querySelector("main").innerHTML =
        `<figure id="panel" data-url="/api/trend"><canvas width="300" height="150"></canvas>${buttons}</figure>`;
    const { takeOut } = await import("/static/js/charts/take_out.js");
    window.question = new URLSearchParams({ machine_name: "pump 3" });
    const panel = document.getElementById("panel");
    takeOut(panel, {
        canvas: panel.querySelector("canvas"),
        name: "pump 3 / de / x",
        question: () => new URLSearchParams(window.question),
    });
}"""


def show(page, language: str = "en"):
    page.goto(PAGE)
    with translation.override(language):
        page.evaluate(SHOW, render_to_string("vibration/take_out.html"))


def test_the_picture_is_the_canvas_below_its_title_on_the_background_of_the_theme(new_page, tmp_path):
    for scheme, background in (("light", (0xF3, 0xF4, 0xF5)), ("dark", (0x22, 0x26, 0x2B))):
        page = new_page(color_scheme=scheme)
        show(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Picture (PNG)").click()
        assert download.value.suggested_filename == "pump_3_de_x.png"
        path = tmp_path / f"{scheme}.png"
        download.value.save_as(path)
        content = path.read_bytes()
        width, height = struct.unpack(">II", content[16:24])  # of the first chunk of a PNG
        assert (width, height > 150) == (300, True)
        corner = page.evaluate(
            """async (bytes) => {
                const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
                const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
                pen.drawImage(image, 0, 0);
                return [...pen.getImageData(1, image.height - 2, 1, 1).data];
            }""",
            list(content),
        )
        assert corner == [*background, 255]


def test_the_links_ask_the_api_for_what_is_shown_at_that_moment_also_by_keyboard(page):
    show(page)
    page.evaluate("window.question.set('feature', 'rms')")
    for name in ("CSV", "JSON"):
        link = page.get_by_role("link", name=name)
        link.focus()
        parts = urlsplit(link.get_attribute("href"))
        assert parts.path == "/api/trend"
        assert parse_qs(parts.query) == {"machine_name": ["pump 3"], "feature": ["rms"], "format": [name.lower()]}


def test_the_address_of_the_view_is_copied(new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    show(page)
    page.evaluate("history.replaceState(null, '', '?start=1')")
    page.get_by_role("button", name="Copy the link").press("Enter")
    page.get_by_text("The address of this view was copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert not page.get_by_role("textbox").is_visible()


def test_without_a_clipboard_the_address_is_shown_and_marked_to_be_copied_by_hand(new_page):
    page = new_page(locale="ko-KR")
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    show(page, "ko")
    page.get_by_role("button", name="링크 복사").click()
    page.get_by_text("선택된 주소를 복사하십시오.").wait_for()
    field = page.get_by_role("textbox", name="이 화면의 주소")
    assert field.input_value() == page.url
    assert page.evaluate("getSelection().toString()") == page.url
