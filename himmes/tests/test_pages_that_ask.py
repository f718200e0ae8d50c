"""Pages that ask by themselves: when to stop, and how long to wait.

Without a login each question counts for its address, and behind one address there may be a whole plant.
"""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from diagnosis.tests.world import post
from himmes.tests.test_unavailable import database_away
from machines.tests.page_clock import pass_time
from vibration.tests.world import make_recording

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
API = "/api/vibration-diagnosis/timeline"


def show(page) -> None:
    page.goto("/diagnosis/timeline/")
    page.wait_for_selector("#timeline[aria-busy=false]")


def refuse_once(page, path: str, seconds: int = 30) -> None:
    """The next question of this path is one too many."""
    refusal = {"status": 429, "headers": {"Retry-After": str(seconds)}, "content_type": "application/problem+json"}
    page.route(f"**{path}*", lambda route: route.fulfill(body='{"detail": "Too often."}', **refusal), times=1)


LOGGED_OUT = {"en-US": ("You are logged out.", "Log in"), "ko-KR": ("로그아웃된 상태입니다.", "로그인")}


def questions(page, path: str = API) -> list[str]:
    """Each that the page asks of this path from now on."""
    found = []
    page.on("request", lambda request: found.append(request.url) if urlsplit(request.url).path == path else None)
    return found


@pytest.mark.parametrize("locale", LOGGED_OUT)
def test_a_timeline_that_was_logged_out_says_so_and_asks_no_more(new_page, user, watch, live_server, locale):
    """Else it would use up what its address may ask, and with it everybody's behind that address."""
    post("g1", (30, 0))
    page = new_page(login=user, locale=locale)
    page.clock.install()
    show(page)
    watch.expect_status(401)
    page.context.clear_cookies()
    alert = page.get_by_role("alert")
    alert.wait_for(state="visible")
    said, link = LOGGED_OUT[locale]
    assert said in alert.inner_text()
    asked = questions(page)
    pass_time(page, 10)
    assert asked == []
    assert alert.get_by_role("link", name=link).get_attribute("href") == "/login/?next=%2Fdiagnosis%2Ftimeline%2F"
    # Who has logged in elsewhere and comes back to the tab finds it at work.
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    alert.wait_for(state="hidden")
    pass_time(page, 5)
    assert asked[1:]


def test_a_timeline_that_nobody_may_see_any_more_asks_no_more(page, user, watch):
    post("g1", (30, 0))
    page.clock.install()
    show(page)
    watch.expect_status(403)
    user.groups.clear()
    alert = page.get_by_role("alert")
    alert.wait_for(state="visible")
    asked = questions(page)
    pass_time(page, 10)
    assert asked == []
    alert.get_by_role("button", name="Try again").click()
    page.wait_for_function("document.title.startsWith('Not allowed')")


def test_a_timeline_that_asked_too_often_waits_as_long_as_it_is_told(page, watch):
    post("g1", (30, 0))
    page.clock.install()
    show(page)
    watch.expect_status(429)
    refusal = {"status": 429, "headers": {"Retry-After": "30"}, "content_type": "application/problem+json"}
    page.route(f"**{API}?*", lambda route: route.fulfill(body='{"detail": "Too often."}', **refusal), times=1)
    alert = page.get_by_role("alert")
    alert.wait_for(state="visible")
    assert "This page continues by itself in 30 s." in alert.inner_text()
    asked = questions(page)
    pass_time(page, 15)
    assert asked == []
    pass_time(page, 20)
    alert.wait_for(state="hidden")
    assert asked


def test_an_overview_that_asked_too_often_waits_as_long_as_it_is_told(page, watch):
    post("g1", (30, 0))
    page.clock.install()
    page.goto("/")
    page.wait_for_selector("[data-live]")
    watch.expect_status(429)
    watch.expect("Response Status Error Code 429")
    refuse_once(page, "/")
    page.clock.run_for(1_000)
    away = page.locator("#away")
    away.wait_for(state="visible")
    asked = questions(page, "/")
    pass_time(page, 15)
    assert asked == []
    pass_time(page, 20)
    away.wait_for(state="hidden")
    assert asked


@pytest.mark.parametrize("path", ["/machines/g1/", "/diagnosis/"])
def test_a_page_that_was_logged_out_is_the_login_after_its_next_question(page, path):
    post("g1", (30, 1))
    page.goto(path)
    page.context.clear_cookies()
    if path == "/diagnosis/":
        page.locator("summary").filter(has_text="g1").click()
    page.wait_for_url("**/login/**")
    assert page.get_by_role("button", name="Log in").is_visible()


@pytest.mark.parametrize("part", ["waveform", "spectrum"])
def test_a_chart_that_was_asked_too_often_is_drawn_as_soon_as_it_may_be(page, watch, part):
    make_recording(100)
    page.clock.install()
    watch.expect_status(429)
    refuse_once(page, f"/api/vibration-data/{part}?")
    page.goto("/vibration/?machine=g1&sensor=sensor1&recording=default")
    alert = page.locator(f"#{part} [role=alert]")
    alert.wait_for(state="visible")
    assert "This page continues by itself in 30 s." in alert.inner_text()
    asked = questions(page, f"/api/vibration-data/{part}")
    pass_time(page, 15)
    assert asked == []
    pass_time(page, 20)
    alert.wait_for(state="hidden")
    assert len(asked) == 1


def test_a_page_in_place_of_one_whose_database_is_away_waits_too(page, watch):
    page.clock.install()
    watch.expect_status(503)
    watch.expect_status(429)
    with database_away():
        page.goto("/vibration/table/")
    refuse_once(page, "/vibration/table/")
    with page.expect_response(lambda answer: answer.status == 429):
        page.clock.run_for(10_000)
    asked = questions(page, "/vibration/table/")
    pass_time(page, 15)
    assert asked == []
    with page.expect_navigation():
        page.clock.run_for(20_000)
    page.wait_for_selector("nav")
