"""Every page of the administration in Korean, in a browser: no English is left, and no particle is guessed.

Walks over all that is registered, so that a new list is looked at without a word here.
"""

import re

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import reverse

from himmes.tests.admin_world import opened
from himmes.tests.test_admin_lists import ADMINS, rows  # noqa: F401  a fixture
from himmes.tests.test_every_page import TEXTS
from himmes.tests.test_korean import PARTICLE, TONE
from machines.models import Machine

pytestmark = pytest.mark.browser

# Names and units; the rest of what is written in Latin letters stands in the rows.
WORDS = {"HIM-MES", "API", "ID", "IP", "UTC", "SHA-256", "Ctrl", "Mac", "Command", "Knox", "CSV", "Bearer"}
WORDS |= {"rpm", "Hz", "mm"}
NAMES = re.compile(
    "|".join(
        [
            r"\S+@\S+|https?://\S+|Asia/Seoul|POST /\S+|\S+: \S+\.py\b.*|__main__\.py.*",
            r"viewer-program|viewer|collector|diagnoser|administrator|operator|admin\b|boss|root",
            r"silent-[\d.-]+|g1\.csv|g1-spare|g[123]\b|sensor1|default|cnn|unknown\b",
            r'^\{".*\}$',  # a mapping of columns, as JSON
            r"^English$",  # what a language calls itself
            r"^(opened|worsened|cleared|unshelved|silent)-\d\S*$",  # keys of notices
            r"\d{4}-\d\d-\d\dT\S+|[0-9a-f]{8,}\S*|md5|\S*\*{3,}|Authorization: .*|detected_at .*|fault_type .*",
        ]
    )
)
ENGLISH = re.compile(r"[A-Za-z][A-Za-z0-9-]+")
# The labels of what has no text, and the texts of buttons
LABELS = """() => [...document.querySelectorAll("[placeholder], [aria-label], [title], input[type=submit]")]
    .flatMap(it => [it.placeholder, it.ariaLabel, it.title, it.type === "submit" ? it.value : ""]).filter(Boolean)"""


class Reader:
    """Opens pages and notes what is wrong with their texts."""

    def __init__(self, page):
        self.page, self.wrong, self.seen = page, [], 0

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.read()

    def press(self, button) -> None:
        """Without what a browser checks itself, so that the server says what is wrong."""
        button.evaluate("it => { it.form.noValidate = true }")
        with self.page.expect_navigation():
            button.click()
        self.read()

    def read(self) -> None:
        self.page.wait_for_load_state("load")
        texts = [self.page.title(), *self.page.evaluate(TEXTS, "ko"), *self.page.evaluate(LABELS)]
        self.seen += 1
        for text in texts:
            left = [it for it in ENGLISH.findall(NAMES.sub("", text)) if it not in WORDS]
            if left or PARTICLE.search(text) or TONE.search(text):
                self.wrong.append(f"{self.page.url}: {' '.join(text.split())!r} {left}")


@pytest.fixture
def changed_rows(rows, client, admin_user):  # noqa: F811
    """Rows that were changed here, so that the trail and the histories have something to say."""
    # Roles that a test with real commits made anew are noted with their permissions, by what these were called then.
    LogEntry.objects.filter(content_type__model="group").delete()
    client.force_login(admin_user)
    client.post("/admin/machines/machine/add/", {"name": "g3"} | INLINES)
    machine = Machine.objects.get(name="g1")
    url = reverse("admin:machines_machine_change", args=[machine.pk])
    client.post(url, opened(client, url, title="급수 펌프", is_active=""))
    user = get_user_model().objects.get(username="operator")
    url = reverse("admin:auth_user_change", args=[user.pk])
    client.post(url, opened(client, url, is_staff="on", groups=[]))
    return rows


INLINES = {f"{of}-{name}_FORMS": "0" for of in ("sensors", "bearings") for name in ("TOTAL", "INITIAL")}


def test_every_page_of_the_administration_is_korean(new_page, changed_rows, admin_user):
    page = new_page(login=admin_user, locale="ko-KR", viewport={"width": 1400, "height": 900})
    reader = Reader(page)
    reader.open(reverse("admin:index"))
    for app in {it.opts.app_label for it in ADMINS}:
        reader.open(reverse("admin:app_list", args=[app]))
    for it in ADMINS:
        read_all_of(it, reader)
    other = get_user_model().objects.get(username="operator")
    reader.open(reverse("admin:auth_user_password_change", args=[other.pk]))
    page.fill("#id_password1", "operator")
    reader.press(page.locator("input[type=submit]").first)
    assert reader.seen > 90
    assert not reader.wrong, "\n".join(dict.fromkeys(reader.wrong))


def read_all_of(model_admin: admin.ModelAdmin, reader: Reader) -> None:
    page, name = reader.page, f"{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    rows_list = reverse(f"admin:{name}_changelist")
    reader.open(f"{rows_list}?q=nothing-like-it" if model_admin.search_fields else rows_list)
    reader.open(f"{rows_list}?unknown=1")
    reader.open(rows_list)
    may_add = page.locator(f"a.addlink[href='{rows_list}add/']").count()
    may_delete = page.locator("input[name=_selected_action]").count()
    for pk in model_admin.model._default_manager.values_list("pk", flat=True)[:30]:
        reader.open(reverse(f"admin:{name}_change", args=[pk]))
        reader.open(reverse(f"admin:{name}_history", args=[pk]))
    if may_add:
        reader.open(reverse(f"admin:{name}_add"))
        reader.press(page.locator("input[name=_save]"))
    if may_delete:
        reader.open(reverse(f"admin:{name}_delete", args=[pk]))
        reader.open(rows_list)
        page.select_option("select[name=action]", "delete_selected")
        reader.press(page.locator("button[name=index]"))  # of nothing
        page.locator("input[name=_selected_action]").first.check()
        page.select_option("select[name=action]", "delete_selected")
        reader.press(page.locator("button[name=index]"))


def test_the_way_into_the_administration_and_out_is_korean(new_page, user, admin_user, watch):
    reader = Reader(new_page(locale="ko-KR"))
    reader.open("/admin/login/")
    reader.page.fill("#id_username", "nobody-at-all")
    reader.page.fill("#id_password", "wrong")
    reader.press(reader.page.locator("input[type=submit]"))
    stranger = Reader(new_page(login=user, locale="ko-KR"))
    stranger.open("/admin/")
    boss = Reader(new_page(login=admin_user, locale="ko-KR"))
    boss.open("/admin/")
    boss.press(boss.page.locator("#logout-form button"))
    wrong = [*reader.wrong, *stranger.wrong, *boss.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["machines_machine", "himmes_apitoken", "auth_user"])
def test_what_was_stored_or_deleted_is_said_in_korean(new_page, changed_rows, admin_user, name):
    page = new_page(login=admin_user, locale="ko-KR")
    reader = Reader(page)
    reader.open(reverse(f"admin:{name}_add"))
    if name == "machines_machine":
        page.fill("#id_name", "g2")  # there is one
        reader.press(page.locator("input[name=_save]"))
        page.fill("#id_name", "g1-spare")
    elif name == "himmes_apitoken":
        page.fill("#id_name", "viewer-program")
        page.select_option("#id_user", label="viewer-program")
        page.select_option("#id_role", label="수집(collector)")
        reader.press(page.locator("input[name=_save]"))
        page.select_option("#id_role", label="조회(viewer)")
    else:
        page.fill("#id_username", "boss")
        page.fill("#id_password1", "viewer-program 2026 g1 g2")
        page.fill("#id_password2", "viewer-program 2026 g1 g2")
    reader.press(page.locator("input[name=_save]"))
    page.goto(reverse(f"admin:{name}_changelist"))
    page.locator("input[name=_selected_action]").last.check()
    page.select_option("select[name=action]", "delete_selected")
    reader.press(page.locator("button[name=index]"))
    reader.press(page.locator("#content form input[type=submit]"))
    assert not reader.wrong, "\n".join(dict.fromkeys(reader.wrong))
