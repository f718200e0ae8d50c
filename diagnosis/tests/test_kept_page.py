"""The page that says what is kept of captures."""

import re
from collections import namedtuple
from datetime import timedelta
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from common.database import disk
from diagnosis.pages import kept
from diagnosis.pages.kept import outlook
from diagnosis.tests.notices_world import episode, machine
from himmes.tests.test_every_page import LANGUAGES, SIZES, look_at
from vibration.captures.amounts import Amount, amounts, total
from vibration.captures.storing import remove_samples
from vibration.models import Capture
from vibration.tests.captures_world import at, days_ago, reads_an_index_alone, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roles")]
GB = 1e9
DAY = timedelta(days=1)


@pytest.fixture
def page(client, user):
    """What the page says in English, without tags."""
    client.force_login(user)

    def page() -> str:
        response = client.get("/vibration/kept/", headers={"accept-language": "en"})
        assert response.status_code == 200
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))

    return page


def test_it_says_how_much_there_is_of_each_machine_and_what_a_day_adds(page):
    captures = stored(*(at(days_ago(day / 2)) for day in range(1, 21)), at(days_ago(3), machine="g2"))
    size = sum(it.size for it in captures[:20])
    of = amounts(timezone.now(), 14 * DAY)
    assert [(it.captures, it.bytes) for it in of.values()] == [(20, size), (1, captures[20].size)]
    everything = total(of.values())
    assert everything.daily_captures == pytest.approx(14 / 7)
    assert everything.daily_bytes == pytest.approx(sum(it.size for it in [*captures[:13], captures[20]]) / 7)
    said = page()
    assert "kept for 14 days" in said
    assert re.search(r"g1 20 [\d.]+\s\w+", said)
    assert "a day adds 2 captures" in said


def test_samples_that_were_removed_do_not_count_and_features_go_back_further(page):
    old, _new = stored(at(days_ago(5)), at(days_ago(1)))
    remove_samples([old.pk])
    assert [it.captures for it in amounts(timezone.now(), None).values()] == [1]
    with override("en"):
        since = date_format(timezone.localtime(old.started_at), "DATETIME_FORMAT")
    assert f"the oldest are of {since}." in page()


def test_it_says_what_is_past_its_time_and_why_it_stays(page):
    captures = stored(*(at(days_ago(day)) for day in (30, 29, 28, 27.5, 26, 2)))
    Capture.objects.filter(pk=captures[1].pk).update(is_kept=True)
    episode(machine("g1"), opened_at=captures[2].started_at)
    said = page()
    assert "kept by people: 1 reference of its axis: 1 evidence of an alarm: 2" in said
    assert "whose samples are removed next: 1" in said


def test_for_ever_nothing_is_past_its_time(page, settings):
    settings.KEEP_CAPTURES = None
    stored(at(days_ago(200)), at(days_ago(100)))
    said = page()
    assert "Samples of captures are kept for ever." in said
    assert "Past their time" not in said


def test_when_nothing_removes_what_is_old_it_is_not_looked_at_one_by_one(page, monkeypatch):
    stored(*(at(days_ago(20 + number)) for number in range(4)))
    monkeypatch.setattr(kept, "MOST_OLD", 3)
    said = page()
    assert "Does the worker run?" in said
    assert "Past their time" not in said


def test_without_captures_it_says_how_to_make_some(page):
    assert "manage.py make_sample_captures" in page()


def test_whoever_may_not_see_captures_does_not_see_it(client, user):
    user.groups.clear()
    client.force_login(user)
    assert client.get("/vibration/kept/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_capture"))
    assert client.get("/vibration/kept/").status_code == 200


@pytest.mark.parametrize(
    ("kept_for", "bytes_now", "free", "full_in"),
    [
        (None, 10 * GB, 100 * GB, 50),
        (None, 10 * GB, 1e15, None),  # in more than ten years
        (14 * DAY, 10 * GB, 100 * GB, None),  # 28 GB at most
        (14 * DAY, 10 * GB, 12 * GB, 6),
        (14 * DAY, 20 * GB, 12 * GB, None),
        (14 * DAY, 10 * GB, None, None),  # not seen
    ],
)
def test_the_disk_is_full_when_what_comes_takes_the_free_space_before_as_much_is_removed(
    kept_for, bytes_now, free, full_in
):
    now = timezone.now()
    found = outlook(Amount(bytes=bytes_now, daily_bytes=2 * GB), kept_for, free, now)
    assert found.full_at == (full_in and now + full_in * DAY)
    assert found.final_bytes == (kept_for and 28 * GB)
    assert outlook(Amount(), kept_for, free, now).full_at is None


def test_the_page_says_when_the_disk_is_full_or_that_it_does_not_see_it(page, settings, monkeypatch):
    settings.KEEP_CAPTURES = None
    stored(at(days_ago(3)), at(days_ago(1)))
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(disk, "database_folder", lambda: "/")
    monkeypatch.setattr(disk, "shutil", SimpleNamespace(disk_usage=lambda _folder: usage(5_000)))
    assert "At this rate it is full on" in page()
    monkeypatch.setattr(disk, "database_folder", lambda: None)
    assert "is not seen from here" in page()


def test_no_sum_looks_at_a_row_and_more_machines_take_no_more_statements(client, user):
    client.force_login(user)
    costs = []
    for machines in (1, 8):
        stored(*(at(days_ago(1), machine=f"m{number}") for number in range(machines)))
        with CaptureQueriesContext(connection) as queries:
            client.get("/vibration/kept/")
        costs.append(len(queries))
    assert costs[0] == costs[1]
    sums = [it["sql"] for it in queries if "SUM(" in it["sql"]]
    assert len(sums) == 2
    assert all(reads_an_index_alone(sql, "capture_to_remove") for sql in sums)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_captures_it_fits_a_phone_and_a_wall_in_both_languages(new_page, user, scheme):
    stored(*(at(days_ago(day), machine=name) for name in ("g1", "g2") for day in (30, 29, 3, 2)))
    for (language, locale), (width, height) in zip(LANGUAGES.items(), SIZES.values(), strict=True):
        viewport = {"width": width, "height": height}
        page = new_page(login=user, locale=locale, color_scheme=scheme, viewport=viewport)
        look_at(page, "/vibration/kept/", "[data-staying]", language=language, with_data=True)
        found = Axe().run(page).response["violations"]
        assert [it["id"] for it in found if it["impact"] in ("serious", "critical")] == []
