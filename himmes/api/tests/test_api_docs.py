"""Swagger UI and ReDoc in a browser: from this server alone, within the CSP, usable with a token."""

import pytest

from himmes.accounts.models import ApiToken
from himmes.api.tests.api_world import make_program
from himmes.api.tests.test_api_schema import operations
from vibration.tests.world import make_recording

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_swagger_ui_shows_every_operation_and_calls_one_with_a_token(page, roles):
    make_recording(3)
    token = make_program(roles, "viewer").token
    page.goto("/api/docs")
    page.wait_for_selector(".opblock")
    assert page.title() == "HIM-MES API – Swagger UI"
    assert page.locator(".opblock").count() == len(operations())
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".auth-container").filter(has_text="Bearer")
    dialog.locator("input").fill(token)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()
    operation = page.locator("[id$=get_vibration_data_waveform]")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("tr[data-param-name=machine_name] input").fill("g1")
    operation.locator("tr[data-param-name=sensor_no] input").fill("sensor1")
    operation.get_by_role("button", name="Execute").click()
    operation.get_by_text('"samples": 3').first.wait_for()
    assert ApiToken.objects.get().last_used is not None  # the token was sent, not only the login


def test_swagger_ui_posts_as_the_person_who_is_logged_in(page, user, roles):
    user.groups.add(roles["collector"])
    page.goto("/api/docs")
    operation = page.locator("[id$=post_vibration_data_bulk]")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/api/vibration-data/bulk") as answered:
        operation.get_by_role("button", name="Execute").click()
    assert (answered.value.status, answered.value.json()["inserted"]) == (200, 1)
    operation.locator(".live-responses-table").get_by_text('"inserted": 1').first.wait_for()


def test_redoc_shows_every_operation(page):
    page.goto("/api/redoc")
    page.wait_for_selector("[data-section-id^='tag/']")
    assert page.title() == "HIM-MES API – ReDoc"
    assert page.get_by_text("진단 / diagnoses").count() >= 1
    page.get_by_placeholder("Search...").fill("waveform")  # its index is built in a worker
    page.locator("[data-role='search:results']").get_by_text("waveform").first.wait_for()
