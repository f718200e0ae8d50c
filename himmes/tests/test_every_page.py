"""Every page in a browser: with no data, some and much, in both languages, light and dark, on a phone and on a wall.

The fixture `watch` fails a test for any console error, failed request, or request to another host.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from django.conf import settings

from bench.much_data import fill
from diagnosis.models import Episode, VibrationDiagnosis
from himmes.tests.test_korean import PARTICLE, TONE
from machines.models import Machine
from vibration.models import Capture, VibrationData
from vibration.tests.captures_world import a_second, stored

pytestmark = pytest.mark.browser

# Each page, and what is there when it has read all that it shows; on pages of charts only if there is data.
PAGES = {
    "/": "#live",
    "/?kiosk=1": "#live",
    "/diagnosis/": "main",
    "/diagnosis/?state=3&range=30d": "main",
    "/diagnosis/alarms/": "main",
    "/diagnosis/alarms/?tab=cleared&severity=2": "main",
    "/diagnosis/timeline/": "#timeline[aria-busy=false]",
    "/vibration/": "#waveform[aria-busy=false]",
    "/vibration/features/": "#features[aria-busy=false]",
    "/vibration/table/": "main",
    "/vibration/waterfall/": "#waterfall[aria-busy=false]",
    "/vibration/captures/": "main",
    "/vibration/captures/?range=30d": "main",
    "/vibration/kept/": "main",
    "/vibration/trend/": "#trend[aria-busy=false]",
    "/vibration/trend/?feature=rms&range=365d&compare=month": "#trend[aria-busy=false]",
}
PAGES_OF_A_MACHINE = {"/machines/g1/": "#live", "/diagnosis/history/?machine=g1": "main tbody"}
OF_CAPTURE = "main:not(:has(.chart[aria-busy=true]))"


def pages_of_data() -> dict[str, str]:
    """Those that there are only with data."""
    alarms = {it.get_absolute_url(): "main" for it in Episode.objects.order_by("pk")[:1]}
    numbers = list(Capture.objects.order_by("pk").values_list("pk", flat=True)[:2])
    captures = {f"/vibration/captures/{it}/": OF_CAPTURE for it in numbers}
    reports = {f"/vibration/captures/{it}/report/": OF_CAPTURE for it in numbers[:1]}
    return PAGES_OF_A_MACHINE | alarms | captures | reports


# Which show no data
PAGES_OF_ONESELF = {
    "/password/": "main",
    "/password/changed/": "main",
    "/diagnosis/notices/": "main",
    "/diagnosis/notices/add/": "main",
    "/vibration/upload/": "main",
}
LANGUAGES = {"ko": "ko-KR", "en": "en-US"}
SIZES = {"phone": (390, 844), "wall": (1920, 1080)}
HANGUL = re.compile(r"[가-힣]")
KOREAN_DATA = re.compile(r"급수 펌프 \d+호기|제\d공장")  # titles and locations of bench.much_data
# Names and units, which a Korean page has as they are; and any other word in Latin letters
NAMES = re.compile(
    r"HIM-MES|\bAI\b|API|CSV|RMS|JavaScript|UTC|Asia/Seoul|Hz|rpm|\bg\d+\b|npy|\b[KMG]B(?![A-Za-z])|m/s|mm/s|sensor\d+|default|operator|synthetic|cnn\S*"
    r"|PNG|JSON|\bdB(?![A-Za-z])|Enter|Shift|Esc(?![A-Za-z])|Page Up|Page Down|BPFO|BPFI|BSF|FTF"
)
LATIN = re.compile(r"[A-Za-z]{2,}")
OF_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}  # rules of axe
# Text as it is read, piece by piece; what is marked as of another language is not meant.
TEXTS = """(language) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        const foreign = parent.closest("[lang]:not(html)");
        if (parent.closest("script, code, kbd, noscript") || (foreign && foreign.lang !== language)) continue;
        const text = walker.currentNode.textContent.trim();
        if (text) found.push(text);
    }
    return found;
}"""


def english_texts() -> set[str]:
    """What must not be read on a Korean page: texts whose translation is another."""
    path = settings.BASE_DIR / "locale" / "ko" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        catalog = read_po(file, locale="ko")
    return {it.id for it in catalog if isinstance(it.id, str) and it.id and it.id != it.string and "{" not in it.id}


def make_some_captures() -> None:
    """Of a machine of bench.much_data; one of a unit that is not known, of which much is not assessable."""
    stored(
        a_second(machine="g1", sensor="sensor1", source="synthetic"),
        a_second(machine="g1", sensor="sensor1", axis="y", unit="", rpm=1_480.0, has_gap=True),
    )


def look_at(page, url: str, ready: str, *, language: str, with_data: bool) -> None:
    """Open a page, wait until it shows what it has, and check what holds for every page."""
    page.goto(url)
    page.wait_for_selector(ready if with_data or "aria-busy" not in ready else "main")
    if "waveform" in ready and with_data:
        page.wait_for_selector("#spectrum[aria-busy=false]")
    assert page.evaluate("document.documentElement.lang") == language
    texts = page.evaluate(TEXTS, language)
    if language == "ko":
        untranslated = set(texts) & english_texts() - {"operator"}  # who is logged in is called like a role
        untranslated |= {text for text in texts if LATIN.search(NAMES.sub("", text))}
        assert not [text for text in texts if PARTICLE.search(text) or TONE.search(text)], url
    else:
        untranslated = {text for text in texts if HANGUL.search(KOREAN_DATA.sub("", text))}
    assert not untranslated, f"{url} in {language}: {untranslated}"
    assert "UTC+09:00" in page.inner_text("footer"), url
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{url} is wider than the screen"


def look_at_all(new_page, user, *, with_data: bool) -> list[str]:
    titles = set()
    for number, (language, locale) in enumerate(LANGUAGES.items()):
        width, height = list(SIZES.values())[number]
        page = new_page(login=user, locale=locale, viewport={"width": width, "height": height})
        for url, ready in (PAGES | PAGES_OF_ONESELF | (pages_of_data() if with_data else {})).items():
            look_at(page, url, ready, language=language, with_data=with_data)
            titles.add(page.title())
    return titles


def test_with_no_data_every_page_says_what_to_do(new_page, user):
    look_at_all(new_page, user, with_data=False)
    page = new_page(login=user)
    for url in PAGES:
        page.goto(url)
        if any(it in url for it in ("/captures/", "/waterfall/", "/trend/")):  # who reads them may have no terminal
            assert "Operators and administrators can upload files here" in page.inner_text("main"), url
        else:
            assert "python manage.py make_sample_" in page.locator("main pre").first.inner_text(), url


def test_with_machines_of_which_nothing_was_said_yet_no_page_fails(new_page, user):
    Machine.objects.create(name="g1")
    page = new_page(login=user)
    for url in PAGES:
        page.goto(url)
        page.wait_for_load_state()


def test_every_page_names_a_parameter_that_it_does_not_know(new_page, user, watch):
    fill(samples=400, machines=1, diagnoses=4)
    watch.expect_status(400)
    page = new_page(login=user, locale="en-US")
    for url in PAGES | PAGES_OF_A_MACHINE | PAGES_OF_ONESELF:
        page.goto(f"{url}{'&' if '?' in url else '?'}nobody_knows=1")
        assert "This page has no parameter “nobody_knows”." in page.get_by_role("alert").inner_text(), url
        page.get_by_role("link", name="Open this page without it").click()
        page.wait_for_url(f"**{url.partition('?')[0]}")


def test_with_some_data_every_page_opens_in_both_languages_and_has_its_own_title(new_page, user):
    fill(samples=60_000, machines=3, diagnoses=600)
    make_some_captures()
    titles = look_at_all(new_page, user, with_data=True)
    # In each language: overview (twice), diagnoses (twice), timeline, waveform, samples, machine, history, password,
    # password changed, notices, a new subscription, alarms, an alarm, captures (twice), a report, what is kept of them,
    # upload, a waterfall, features of a recording, two trends; a machine's title is its name in both; that of each
    # capture has a time
    assert len(titles) == 45


def test_with_much_data_every_page_opens_in_both_languages(new_page, user):
    fill(samples=1_500_000, machines=200, diagnoses=100_000)
    assert VibrationData.objects.count() == 1_500_000
    assert (Machine.objects.count(), VibrationDiagnosis.objects.count()) == (200, 100_000)
    make_some_captures()
    look_at_all(new_page, user, with_data=True)


def serious_on(page) -> list[str]:
    """What axe finds on a page that is open in light, and of what depends on colours in dark, too."""
    found = [("light", it) for it in Axe().run(page).response["violations"]]
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-bs-theme=dark]")
    found += [("dark", it) for it in Axe().run(page, options=OF_COLOURS).response["violations"]]
    page.emulate_media(color_scheme="light")
    return [
        f"{page.url} in {scheme}: {it['id']}: {node['target']} {node['html'][:150]}"
        for scheme, it in found
        if it["impact"] in ("serious", "critical")
        for node in it["nodes"]
    ]


@pytest.mark.parametrize("with_data", [True, False], ids=["data", "no data"])
def test_axe_finds_nothing_serious_light_and_dark(new_page, user, with_data):
    if with_data:
        fill(samples=60_000, machines=3, diagnoses=600)
        make_some_captures()
    still = {"color_scheme": "light", "reduced_motion": "reduce"}  # or buttons would be between two colours
    page = new_page(login=user, **still)
    pages = (
        PAGES
        | PAGES_OF_ONESELF
        | (pages_of_data() if with_data else {})
        | {"/nowhere/": "main", "/vibration/?machine=g9": "main", "/vibration/?machine_name=g1": "main"}
    )
    page.context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    findings = []
    for url, ready in pages.items():
        if not with_data and "g9" in url:  # without data there is no machine to be wrong about
            continue
        page.goto(url)
        page.wait_for_selector(ready if with_data or "aria-busy" not in ready else "main")
        findings += serious_on(page)
    new = new_page(**still)
    new.goto("/login/")
    findings += serious_on(new)
    assert not findings, "\n".join(findings)


@pytest.fixture(autouse=True)
def what_is_not_found_is_meant(request, watch):
    if "axe" in request.node.name:
        watch.expect_status(404)
        watch.expect_status(400)


def test_the_switch_turns_the_page_dark_and_the_next_page_stays_so(new_page, user):
    page = new_page(login=user, color_scheme="light")
    page.goto("/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(background)
    assert dark != light
    page.goto("/diagnosis/")
    assert page.evaluate(background) == dark


def test_what_the_administration_keeps_of_its_own_switch_does_not_make_a_dark_page_light(new_page, user):
    page = new_page(login=user, color_scheme="dark")
    page.goto("/")
    page.evaluate("localStorage.setItem('theme', 'auto')")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_every_page_can_be_reached_by_the_keyboard_alone(new_page, user):
    fill(samples=0, machines=1, diagnoses=3)
    page = new_page(login=user)
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.href").endswith("?kiosk=1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/machines/g1/")
