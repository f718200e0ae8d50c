"""What frames every page, and the pages that are there when something is wrong."""

import re

import pytest
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.utils import translation
from django.views.defaults import permission_denied, server_error

PASSWORD = "correct horse battery"


@pytest.fixture
def user(user):
    user.set_password(PASSWORD)
    user.save()
    return user


def title(response) -> str:
    return re.search(r"<title>(.*?)</title>", response.text)[1]


def log_in(page, password: str) -> None:
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", password)
    with page.expect_navigation():
        page.locator("main").get_by_role("button").click()


@pytest.mark.browser
def test_logging_in_and_out(new_page, user):
    page = new_page()
    page.goto("/vibration/?start=3")
    log_in(page, PASSWORD)
    page.wait_for_url("**/vibration/?start=3")
    assert page.locator("header").get_by_text("operator").is_visible()
    assert page.locator("header").get_by_role("link", name="Admin").count() == 0
    assert "Asia/Seoul, UTC+09:00" in page.inner_text("footer")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")


@pytest.mark.browser
def test_the_language_can_be_switched_before_logging_in(new_page):
    page = new_page(locale="ko-KR")
    page.goto("/vibration/")
    assert page.title() == "로그인 – HIM-MES"
    with page.expect_navigation():
        page.get_by_role("button", name="English").click()
    assert page.title() == "Log in – HIM-MES"
    assert page.url.endswith("/login/?next=/vibration/")


@pytest.mark.browser
def test_five_wrong_passwords_lock_out_and_the_page_says_for_how_long(new_page, user, watch):
    watch.expect_status(429)
    page = new_page()
    page.goto("/login/")
    for _attempt in range(4):
        log_in(page, "wrong")
        assert page.get_by_role("alert").is_visible()
    log_in(page, "wrong")
    assert page.title() == "Locked out – HIM-MES"
    assert "Try again in 15 minutes" in page.inner_text("main")


@pytest.mark.browser
def test_an_unknown_address_has_a_page_of_the_same_look(new_page, user, watch):
    watch.expect_status(404)
    page = new_page(login=user, viewport={"width": 390, "height": 844})
    page.goto("/nowhere/")
    assert page.title() == "Page not found – HIM-MES"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "expected"), [("ko", "권한 없음 – HIM-MES"), ("en", "Not allowed – HIM-MES")])
def test_what_is_not_allowed_has_a_page_of_the_same_look(language, expected):
    with translation.override(language):
        response = permission_denied(RequestFactory().get("/"), PermissionError())
    assert (response.status_code, title(response)) == (403, expected)


@pytest.mark.django_db
def test_a_form_that_another_site_sent_is_refused_in_words(user):
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    response = client.post("/login/", {"username": "operator", "password": PASSWORD})
    assert (response.status_code, title(response)) == (403, "Form expired – HIM-MES")


@pytest.mark.parametrize(("language", "expected"), [("ko", "서버 오류 – HIM-MES"), ("en", "Server error – HIM-MES")])
def test_the_page_for_a_server_error_needs_neither_context_nor_database(language, expected):
    with translation.override(language):
        response = server_error(RequestFactory().get("/"))
    assert (response.status_code, title(response)) == (500, expected)


@pytest.mark.parametrize(
    "name",
    [
        "base.html",
        "vibration/waveform.html",
        "vibration/table.html",
        "registration/login.html",
        "500.html",
        "503.html",
        "standalone.html",
    ],
)
def test_a_template_holds_no_script_or_style_of_its_own(name):
    """The content security policy would block it."""
    source = get_template(name).template.source
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", source)
