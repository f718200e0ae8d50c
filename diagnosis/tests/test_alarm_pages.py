"""Alarms in a browser: the list by keyboard, the page of one, two people at once, paper and phones."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from diagnosis.models import Episode
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.tests.world import ago, post
from machines.models import Machine
from machines.tests.page_clock import pass_time, stop_clock
from vibration.models import Recording
from vibration.tests.world import make_recording

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/diagnosis/alarms/"
LOCALES = ["en-US", "ko-KR"]
WORDS = {
    "en-US": {
        "acknowledge": "Acknowledge",
        "acknowledged": "acknowledged",
        "shelve": "Shelve",
        "reason": "Reason",
        "shelved": "shelved",
        "unacknowledged": "not acknowledged",
        "close": "Close with an outcome",
        "close it": "Close",
        "right": "right alarm",
        "found": "Fault found",
        "looseness": "looseness",
        "action": "Action taken",
        "outcome": "closed – right alarm, looseness",
        "moved": "Nothing was stored: the alarm has changed since it was on your screen.",
        "which fault": "Say which fault was found.",
    },
    "ko-KR": {
        "acknowledge": "확인",
        "acknowledged": "확인됨",
        "shelve": "보류",
        "reason": "이유",
        "shelved": "보류 중",
        "unacknowledged": "미확인",
        "close": "판정하고 종결",
        "close it": "종결",
        "right": "맞는 알람",
        "found": "발견된 고장",
        "looseness": "지지 불량",
        "action": "조치 내용",
        "outcome": "종결 – 맞는 알람, 지지 불량",
        "moved": "저장하지 않았습니다. 화면에 표시된 뒤 알람이 바뀌었습니다.",
        "which fault": "발견된 고장을 선택하십시오.",
    },
}


def fault(machine: str, state: int = 1, minutes: float = 20) -> Episode:
    post(machine, (minutes, state), (minutes / 2, state))
    return Episode.objects.filter(machine__name=machine).latest("opened_at")


def row(page, episode: Episode):
    return page.locator(f".alarm:has(#alarm-{episode.pk})")


def stage(page, episode: Episode, words: str) -> None:
    """Wait until the row of an alarm says so."""
    row(page, episode).locator(".stage", has_text=re.compile(f"^{re.escape(words)}$")).wait_for()


def focused(page) -> str:
    return page.evaluate("document.activeElement.id")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_list_is_worked_through_by_the_keyboard_alone(new_page, operator, locale):
    words = WORDS[locale]
    worse, mild = fault("g1", 3), fault("g2", 1)
    page = new_page(login=operator, locale=locale)
    page.goto(LIST)
    page.keyboard.press("j")
    assert focused(page) == f"alarm-{worse.pk}"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    assert focused(page) == f"alarm-{worse.pk}"
    page.keyboard.press("a")
    stage(page, worse, words["acknowledged"])
    assert (worse.acts.get().kind, worse.acts.get().by_name) == ("acknowledge", "kim")
    # On with the next one, which has come first
    assert focused(page) == f"alarm-{mild.pk}"
    assert page.locator(".alarm-story").first.get_attribute("id") == f"alarm-{mild.pk}"
    page.keyboard.press("a")
    stage(page, mild, words["acknowledged"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{mild.get_absolute_url()}")


def test_keys_belong_to_what_is_typed_into(new_page, operator):
    episode = fault("g1")
    page = new_page(login=operator)
    page.goto(LIST)
    page.get_by_label("Severity from").focus()
    page.keyboard.press("j")
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.name") == "severity"
    page.keyboard.press("Escape")
    page.locator(f"#alarm-{episode.pk}").focus()
    page.keyboard.press("Control+a")
    assert not episode.acts.exists()


def test_with_korean_input_on_the_keys_do_the_same(new_page, operator):
    episode = fault("g1")
    page = new_page(login=operator)
    page.goto(LIST)
    press = """([key, code]) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }))"""
    page.evaluate(press, ["ㅓ", "KeyJ"])
    assert focused(page) == f"alarm-{episode.pk}"
    page.evaluate(press, ["ㅁ", "KeyA"])
    stage(page, episode, "acknowledged")


def test_who_may_not_act_has_no_key_for_it(new_page, user):
    episode = fault("g1")
    page = new_page(login=user)
    page.goto(LIST)
    page.keyboard.press("j")
    page.keyboard.press("a")
    assert focused(page) == f"alarm-{episode.pk}"
    assert page.locator(".acknowledge").count() == 0
    assert "acknowledge it" not in page.inner_text("main")


def test_the_list_keeps_itself_up_to_date(new_page, operator):
    episode = fault("g1")
    page = new_page(login=operator)
    page.clock.install()
    page.goto(LIST)
    stop_clock(page)
    page.locator(f"#alarm-{episode.pk}").focus()
    newer = fault("g2", 2)
    acts.acknowledge(episode.pk, Actor(None, "lee"), seen=1)
    pass_time(page, 2)
    assert page.locator(".alarm-story").first.get_attribute("id") == f"alarm-{newer.pk}"
    assert "by lee" in row(page, episode).inner_text()
    assert focused(page) == f"alarm-{episode.pk}"


@pytest.mark.parametrize("address", ["/", "/machines/g1/"])
def test_one_click_acknowledges_where_the_machine_is_shown(new_page, operator, address):
    episode = fault("g1")
    page = new_page(login=operator)
    page.goto(address)
    page.get_by_role("button", name="Acknowledge g1: unbalance").click()
    page.locator("#told", has_text="Acknowledged: g1, unbalance.").wait_for()
    page.locator("#live", has_text="acknowledged").locator("text=kim").wait_for()
    assert page.locator(".acknowledge").count() == 0
    assert episode.acts.get().by_name == "kim"
    assert page.url.endswith(address)


@pytest.mark.parametrize("address", [LIST, "/", "/machines/g1/"])
def test_it_does_so_without_javascript(new_page, operator, address):
    episode = fault("g1")
    page = new_page(login=operator, java_script_enabled=False)
    page.goto(address)
    page.get_by_role("button", name="Acknowledge g1: unbalance").click()
    page.wait_for_url(f"**{address}")
    assert episode.acts.get().kind == "acknowledge"
    assert page.get_by_role("button", name="Acknowledge g1: unbalance").count() == 0


@pytest.mark.parametrize("locale", LOCALES)
def test_shelved_on_its_page_it_comes_back_to_the_list_by_itself(new_page, operator, locale, monkeypatch):
    words = WORDS[locale]
    episode = fault("g1")
    Machine.objects.update(expected_interval_min=60 * 24)
    page = new_page(login=operator, locale=locale)
    page.goto(episode.get_absolute_url())
    box = page.locator(".act-form-box", has=page.locator("#shelve-reason"))
    box.locator("summary").click()
    box.get_by_label(words["reason"]).fill("베어링 주문함")
    assert box.locator("select").input_value() == "480"
    box.get_by_role("button").click()
    page.locator("dd strong", has_text=words["shelved"]).wait_for()
    page.goto(LIST)
    assert page.locator(".alarm").count() == 0
    then = timezone.now() + timedelta(hours=8, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: then)
    stage(page, episode, words["unacknowledged"])


@pytest.mark.parametrize("locale", LOCALES)
def test_an_outcome_ends_it_and_what_is_missing_is_told_at_its_field(new_page, operator, watch, locale):
    words = WORDS[locale]
    watch.expect_status(400)
    episode = fault("g1")
    page = new_page(login=operator, locale=locale)
    page.goto(episode.get_absolute_url())
    box = page.locator(".act-form-box", has=page.locator("#close-action"))
    box.locator("summary").click()
    box.get_by_label(words["right"]).check()
    box.get_by_label(words["action"]).fill("볼트 조임")
    box.get_by_role("button", name=words["close it"], exact=True).click()
    page.locator("#close-found_error", has_text=words["which fault"]).wait_for()
    assert page.locator("#close-action").input_value() == "볼트 조임"
    box.get_by_label(words["found"]).select_option(label=words["looseness"])
    box.get_by_role("button", name=words["close it"], exact=True).click()
    page.locator("td", has_text=words["outcome"]).wait_for()
    assert "볼트 조임" in page.inner_text(".acts")
    closed = episode.acts.get()
    assert (closed.verdict, closed.found, closed.action) == ("right", 2, "볼트 조임")


@pytest.mark.parametrize("locale", LOCALES)
def test_of_two_at_once_one_wins_and_the_other_is_told_who_was_first(new_page, operator, roles, watch, locale):
    words = WORDS[locale]
    watch.expect_status(409)
    watch.expect("Response Status Error Code 409")
    episode = fault("g1")
    lee = type(operator).objects.create_user("lee")
    lee.groups.add(roles["operator"])
    pages = [new_page(login=who, locale=locale) for who in (operator, lee)]
    for page in pages:
        page.clock.install()
        page.goto(LIST)
        stop_clock(page)  # so that neither sees what the other does
    first, second = pages
    row(first, episode).get_by_role("button").click()
    first.locator("#told p").wait_for()
    row(second, episode).get_by_role("button").click()
    alert = second.get_by_role("alert").filter(has_text=words["moved"])
    alert.wait_for()
    assert re.search(r"\d\d:\d\d:\d\d kim: ", alert.inner_text())
    assert [it.by_name for it in episode.acts.all()] == ["kim"]
    pass_time(second, 2)
    stage(second, episode, words["acknowledged"])


def test_from_a_stale_page_of_an_alarm_nothing_is_stored_and_nothing_that_was_written_is_lost(
    new_page, operator, watch
):
    watch.expect_status(409)
    episode = fault("g1")
    page = new_page(login=operator)
    page.goto(episode.get_absolute_url())
    acts.acknowledge(episode.pk, Actor(None, "lee"), seen=1)
    page.locator(".act-form-box", has=page.locator("#shelve-reason")).locator("summary").click()
    page.locator("#shelve-reason").fill("bearing is ordered")
    page.locator(".act-form:has(#shelve-reason)").get_by_role("button").click()
    page.get_by_role("alert").filter(has_text="lee: acknowledged").wait_for()
    assert page.locator("#shelve-reason").input_value() == "bearing is ordered"
    page.locator(".act-form:has(#shelve-reason)").get_by_role("button").click()
    page.locator("dd strong", has_text="shelved").wait_for()
    assert [it.kind for it in episode.acts.order_by("pk")] == ["acknowledge", "shelve"]


def long_story() -> Episode:
    """An alarm with recordings at each of its moments, and what people did."""
    start = ago(60)
    for number in range(1, 5):
        make_recording(3_000, sensor=f"sensor{number}")
    seconds = 4_000
    Recording.objects.update(started_at=start, last_collected_at=start + timedelta(seconds=seconds), last_time=seconds)
    post("g1", (55, 0), (50, 3), (49, 3), (2, 3))
    Machine.objects.update(title="급수 펌프 1호기")
    episode = Episode.objects.get()
    kim = Actor(None, "kim")
    acts.acknowledge(episode.pk, kim, seen=1, comment="on my way to look at the bearings of the drive end")
    for number in range(6):
        acts.note(episode.pk, kim, comment=f"note {number}: temperature of the drive end is rising slowly")
    return episode


@pytest.mark.parametrize("locale", LOCALES)
def test_an_alarm_is_printed_on_one_page_without_buttons(new_page, operator, locale):
    episode = long_story()
    page = new_page(login=operator, locale=locale, color_scheme="dark")
    page.goto(episode.get_absolute_url())
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    for hidden in (".site-header", ".act-form", "button", ".not-printed"):
        assert not any(it.is_visible() for it in page.locator(hidden).all()), hidden
    assert page.locator(".moment").first.is_visible()
    page.locator("html[data-bs-theme=light]").wait_for(state="attached")  # on paper, whatever the screen is
    page.emulate_media(media="screen")
    page.locator("html[data-bs-theme=dark]").wait_for(state="attached")


@pytest.mark.parametrize("locale", LOCALES)
def test_on_a_phone_nothing_is_wider_than_the_screen(new_page, operator, locale):
    episode = long_story()
    page = new_page(login=operator, locale=locale, viewport={"width": 360, "height": 740})
    for address in (LIST, episode.get_absolute_url(), "/", "/machines/g1/"):
        page.goto(address)
        page.locator("main").wait_for()
        page.evaluate("document.querySelectorAll('details').forEach((it) => (it.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address
