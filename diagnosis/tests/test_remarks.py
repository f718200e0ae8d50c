"""What people are told of how data come in: on tiles, on the page of a machine, and in the metrics' figures."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from diagnosis.pages.overview import tiles_of
from diagnosis.states import FaultType
from diagnosis.tests.test_overview import ask, known_version, text
from diagnosis.tests.world import ago, post
from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, make_program
from machines.clocks import SIGHTINGS, note_clock
from machines.models import ClockLag, Machine, PostConflict
from machines.tests.world import pass_a_step
from vibration.models import ImportRun, Recording
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def pages(client) -> dict[str, str]:
    cache.clear()
    return {url: text(client.get(url)) for url in ("/", "/?kiosk=1", "/machines/g1/")}


def let_clock_lag(behind: timedelta = timedelta(hours=9), data: str = "diagnoses") -> None:
    for _ in range(SIGHTINGS):
        pass_a_step()
        note_clock("g1", timezone.now() - behind, data=data, source="press 1")


def import_with_conflicts(rows: int, **more) -> ImportRun:
    recording = Recording.objects.first() or make_recording(3)
    return ImportRun.objects.create(
        started_by="importer", file_name="g1_sensor1.csv", file_size=1, recording=recording, conflicting=rows, **more
    )


# --- Times ahead ------------------------------------------------------------------------------------------------------


def test_a_diagnosis_from_the_future_is_told_of_where_it_does_not_count_yet(client):
    at = timezone.now() + timedelta(minutes=42)
    post("g1", (at, 2))
    for url, told in pages(client).items():
        assert "no diagnosis" in told, url
        assert f"{timezone.localtime(at):%H:%M} is ahead of the server's clock" in told, url
        assert "counts from then" in told, url


def test_it_is_told_beside_what_counts_and_no_more_once_it_does(client, monkeypatch):
    post("g1", (20, 3), (-1, 0))
    version = known_version(client.get("/"))
    assert "unbalance and looseness" in pages(client)["/"]
    assert "is ahead" in pages(client)["/"]
    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(timezone, "now", lambda: later)
    told = text(ask(client, "/", version))
    assert "normal since" in told
    assert "is ahead" not in told


def test_the_page_knows_a_new_version_when_a_diagnosis_begins_to_count(client, monkeypatch):
    now = timezone.now().replace(second=10, microsecond=0)  # so that no new minute begins
    monkeypatch.setattr(timezone, "now", lambda: now)
    post("g1", (now + timedelta(seconds=20), 0))
    version = known_version(client.get("/"))
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=10))
    assert ask(client, "/", version).status_code == 204
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=21))
    assert "normal" in text(ask(client, "/", version))


def test_a_sample_from_the_future_is_told_of(client):
    recording = make_recording(3)
    assert "is ahead" not in pages(client)["/"]
    Recording.objects.filter(pk=recording.pk).update(last_collected_at=ago(-30))
    for url, told in pages(client).items():
        assert "sample of" in told and "is ahead" in told, url
        assert "sample 0" not in told


def test_the_page_of_diagnoses_does_not_take_it_for_the_state_of_now(client):
    post("g1", (20, 1), (-30, 3))
    page = client.get("/diagnosis/")
    [row] = page.context["latest"]
    assert row["now"] == FaultType.UNBALANCE


# --- Clocks that lag --------------------------------------------------------------------------------------------------


def test_a_clock_that_lags_is_told_of_until_it_is_right(client):
    post("g1", (9 * 60, 0))
    let_clock_lag()
    for url, told in pages(client).items():
        assert "9 h behind" in told, url
    told = pages(client)["/machines/g1/"]
    assert "Times without an offset are plant time (Asia/Seoul)." in told
    assert "the newest time that press 1 sends (diagnoses) is 9 h behind the server" in told
    assert "seems to be set to UTC. Set it to plant time" in told
    note_clock("g1", timezone.now(), data="diagnoses", source="press 1")
    assert not [url for url, told in pages(client).items() if "behind" in told]


def test_what_may_be_old_data_is_not_told_of(client):
    post("g1", (9 * 60, 0))
    note_clock("g1", ago(9 * 60), data="diagnoses", source="press 1")
    assert ClockLag.objects.exists()
    assert not [url for url, told in pages(client).items() if "behind" in told]


def test_the_page_of_a_machine_that_is_off_tells_it_too(client):
    post("g1", (9 * 60, 0))
    let_clock_lag(timedelta(hours=8))
    Machine.objects.update(is_active=False)
    assert "seems to be set to another time zone" in text(client.get("/machines/g1/"))


# --- Conflicts --------------------------------------------------------------------------------------------------------


def test_conflicts_of_posts_and_of_files_are_shown_alike(client, roles):
    diagnoser, collector = make_program(roles, "diagnoser"), make_program(roles, "collector")
    diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS, DIAGNOSIS | {"fault_type": 1}])
    collector.post("vibration-data/bulk", [SAMPLE, SAMPLE | {"normal": 0.25}, SAMPLE | {"normal": 0.5}])
    import_with_conflicts(1_200)
    told = pages(client)
    for url in ("/", "/?kiosk=1"):
        assert "1,203 rows in conflict" in told[url]
    page = told["/machines/g1/"]
    assert "1,203 rows in conflict in the last 7 days" in page
    assert "diagnoser-program / diagnoser diagnoses 1 detected_at 2026-11-20T09:30:00+09:00" in page
    assert "stored fault_type 2 (looseness), confidence None received fault_type 1 (unbalance), confidence None" in page
    assert "collector-program / collector vibration data 2 sensor1 / default, measured_time 0.000736" in page
    assert "importer g1_sensor1.csv 1,200 see the report of the import" in page


def test_those_of_another_machine_and_of_long_ago_are_not(client):
    recording = make_recording(3)
    post("g2", (10, 0), (ago(10), 1))
    PostConflict.objects.all().delete()
    at = ago(10)
    post("g2", (at, 0), (at, 1))
    old = import_with_conflicts(5, place="g1 / sensor1")
    ImportRun.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(days=8))
    assert recording.sensor.machine.name == "g1"
    assert "conflict" not in pages(client)["/machines/g1/"]
    assert "1 row in conflict" in pages(client)["/"]
    PostConflict.objects.update(last_at=timezone.now() - timedelta(days=8))
    assert "conflict" not in pages(client)["/"]


def test_at_most_20_are_listed_newest_first(client):
    for number in range(30):
        import_with_conflicts(1, place=str(number))
    page = client.get("/machines/g1/")
    assert "30 rows in conflict" in text(page)
    shown = [it.record.place for it, _url in page.context["conflicts"]]
    assert shown == [str(number) for number in range(29, 9, -1)]


def test_the_records_are_linked_for_those_who_may_see_them(client, roles):
    post("g1", *[(at, state) for at in [ago(5)] for state in (0, 1)])
    run = import_with_conflicts(1)
    kept = PostConflict.objects.get()
    addresses = [f"/admin/machines/postconflict/{kept.pk}/change/", f"/admin/vibration/importrun/{run.pk}/change/"]
    page = client.get("/machines/g1/").text
    assert not [address for address in addresses if address in page]
    administrator = get_user_model().objects.create_user("boss", is_staff=True)
    administrator.groups.add(roles["administrator"])
    staff = Client()
    staff.force_login(administrator)
    page = staff.get("/machines/g1/").text
    for address in addresses:
        assert address in page
        assert staff.get(address).status_code == 200
    listed = staff.get("/admin/machines/postconflict/?data__exact=diagnoses&q=g1", headers={"Accept-Language": "ko"})
    assert "전송 충돌 기록" in listed.text
    assert kept.last_came in listed.text
    for what in ("delete", "change"):
        assert staff.post(f"/admin/machines/postconflict/{kept.pk}/{what}/", {"post": "yes"}).status_code == 403


def test_a_machine_that_is_well_stands_before_the_others_of_its_state_if_there_is_something_to_look_at(client):
    at = ago(5)
    for name in ("g1", "g2", "g3"):
        post(name, (at, 0))
    post("g3", (at, 1))
    machines = list(Machine.objects.select_related("current_state").order_by("name"))
    tiles = tiles_of(machines, timezone.now())
    assert [(it.machine.name, it.state.key, it.is_well) for it in tiles] == [
        ("g3", "normal", False),
        ("g1", "normal", True),
        ("g2", "normal", True),
    ]


def test_with_nothing_to_look_at_nothing_is_said(client):
    post("g1", (5, 0))
    make_recording(3)
    for url, told in pages(client).items():
        assert not [word for word in ("To check", "conflict", "ahead", "behind") if word in told], url


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "locale"), [("light", "ko-KR"), ("dark", "en-US")])
def test_it_fits_the_screen_of_a_phone_and_keeps_nobody_out(new_page, user, scheme, locale):
    at = ago(5)
    post("g1", (at, 0), (at, 1), (-30, 2))
    make_recording(3)
    Recording.objects.update(last_collected_at=ago(-30))
    let_clock_lag()
    import_with_conflicts(12_345)
    page = new_page(login=user, color_scheme=scheme, locale=locale, viewport={"width": 390, "height": 844})
    for url, count in (("/", 4), ("/?kiosk=1", 4), ("/machines/g1/", 0)):
        page.goto(url)
        assert page.locator(".tile .remark").count() == count
        assert page.locator(".remarks").count() == (0 if count else 1)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, url
        violations = Axe().run(page).response["violations"]
        assert not [it["id"] for it in violations if it["impact"] in ("serious", "critical")], url
