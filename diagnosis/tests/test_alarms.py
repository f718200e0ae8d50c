"""The list of alarms and the page of each: what they show, what is done by them, and what is refused."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.models import Episode, EpisodeAct
from diagnosis.models.episodes import OTHER_FAULT
from diagnosis.pages import alarm_list
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.world import ago, post
from machines.models import Machine
from vibration.models import Recording
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db
LIST = "/diagnosis/alarms/"
LEE = Actor(None, "lee", "10.0.0.9")


@pytest.fixture
def looking(client, user):
    """Of a viewer."""
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def acting(client, operator):
    """Of kim, who may act."""
    client.force_login(operator)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def fault(machine: str, state: int = 1, *, minutes: float = 20, model: str = "cnn-v3") -> Episode:
    """An alarm that began so many minutes ago and goes on."""
    post(machine, (minutes, state), (minutes / 2, state), model=model)
    return Episode.objects.filter(machine__name=machine).latest("opened_at")


def text(response) -> str:
    """What is read, without tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", response.text)))


def rows(response) -> list[str]:
    """What each alarm of the list says."""
    found = re.findall(r'<li class="alarm".*?</li>', response.text, re.DOTALL)
    return [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", it))).strip() for it in found]


def act(client, episode: Episode, kind: str, **content):
    seen = content.pop("seen", Episode.objects.get(pk=episode.pk).revision)
    return client.post(reverse(f"alarm-{kind}", args=[episode.pk]), {"seen": seen} | content)


def later(monkeypatch, **length) -> None:
    """The server's clock goes on."""
    then = timezone.now() + timedelta(**length)
    monkeypatch.setattr(timezone, "now", lambda: then)


# --- The list ---------------------------------------------------------------------------------------------------------


def test_open_alarms_come_unacknowledged_ones_first_then_the_worst_then_the_newest(looking):
    acknowledged = fault("done", 3)
    acts.acknowledge(acknowledged.pk, LEE, seen=1)
    fault("old", 1, minutes=50)
    fault("new", 1, minutes=10)
    fault("worse", 2, minutes=30)
    told = rows(looking.get(LIST))
    assert [re.search(r"worse|new|old|done", it)[0] for it in told] == ["worse", "new", "old", "done"]
    assert "severity 3" in told[0]
    assert "not acknowledged" in told[0]
    assert re.search(r"acknowledged by lee, \d+ \w+ \d\d:\d\d", told[3])


def test_each_alarm_is_in_one_tab_and_the_tabs_count_them(looking):
    fault("open")
    acts.acknowledge(fault("seen").pk, LEE, seen=1)
    acts.shelve(fault("away").pk, LEE, seen=1, reason="bearing is ordered", minutes=60)
    acts.close(fault("over").pk, LEE, seen=1, verdict="false")
    post("gone", (50, 1), (49, 1), *((minute, 0) for minute in range(40, 30, -1)))
    post("worse", (50, 1), (49, 1), (48, 3), (47, 3))
    page = text(looking.get(LIST))
    assert re.search(r"Open 3 Shelved 1 Cleared, not acknowledged 1 Closed 2 ", page)
    shown = {tab: len(rows(looking.get(LIST, {"tab": tab}))) for tab in ("open", "shelved", "cleared", "closed")}
    assert shown == {"open": 3, "shelved": 1, "cleared": 1, "closed": 2}
    Episode.objects.filter(ending="cleared", standing="open").update(ended_at=timezone.now() - timedelta(days=8))
    assert len(rows(looking.get(LIST, {"tab": "cleared"}))) == 0
    assert len(rows(looking.get(LIST, {"tab": "cleared", "after": "2020-01-01"}))) == 1
    assert "continued by a worse one" in text(looking.get(LIST, {"tab": "closed"}))


def test_a_shelved_alarm_comes_back_by_itself(looking, monkeypatch):
    acts.shelve(fault("g1").pk, LEE, seen=1, reason="bearing is ordered", minutes=30)
    assert rows(looking.get(LIST)) == []
    [row] = rows(looking.get(LIST, {"tab": "shelved"}))
    assert re.search(r"shelved until \d+ \w+ \d\d:\d\d", row)
    later(monkeypatch, minutes=31)
    assert "not acknowledged" in rows(looking.get(LIST))[0]
    assert rows(looking.get(LIST, {"tab": "shelved"})) == []


def test_silence_is_shown_and_neither_opens_nor_clears(looking, monkeypatch):
    fault("g1")
    Machine.objects.update(expected_interval_min=30)
    assert "silent" not in rows(looking.get(LIST))[0]
    later(monkeypatch, hours=5)
    [row] = rows(looking.get(LIST))
    assert re.search(r"silent since \d+ \w+ \d\d:\d\d: no diagnosis", row)
    assert "not acknowledged" in row


def test_another_model_does_not_break_the_silence_of_the_first(looking):
    fault("g1", minutes=300)
    post("g1", (1, 0), model="tree")
    assert "silent since" in rows(looking.get(LIST))[0]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"machine": "g1"}, {"g1"}),
        ({"machine": ["g1", "g2"]}, {"g1", "g2"}),
        ({"state": "3"}, {"g2"}),
        ({"severity": "3"}, {"g2"}),
        ({"family": "tree"}, {"g3"}),
        ({"range": "1h"}, {"g1", "g2"}),
        ({"before": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}, {"g3"}),
        ({"state": "", "severity": "", "family": ""}, {"g1", "g2", "g3"}),
    ],
)
def test_filters_are_in_the_address(looking, query, shown):
    fault("g1")
    fault("g2", 3)
    fault("g3", minutes=400, model="tree 2")
    response = looking.get(LIST, query)
    assert {re.search(r"g\d", row)[0] for row in rows(response)} == shown
    told = {row["machine_name"] for row in csv_of(looking.get(LIST, query | {"format": "csv"}))}
    assert told == shown


def csv_of(response) -> list[dict]:
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"severity": "9"}, "There is no severity “9”. Choose 1 to 5."),
        ({"machine": "g9"}, "There is no machine “g9”."),
        ({"state": "0"}, "There is no state “0”."),
        ({"family": "oracle"}, "No model “oracle” has said anything yet."),
        ({"tab": "all"}, "There is no tab “all”. Known: open, shelved, cleared, closed."),
        ({"page": "0"}, "There is no such page."),
        ({"page": "100000"}, "The list ends before."),
        ({"range": "1h", "after": "2026-11-20"}, "Choose either a range or dates, not both."),
        ({"who": "kim"}, "This page has no parameter “who”."),
    ],
)
def test_a_filter_that_the_list_does_not_know_is_refused(looking, query, message):
    fault("g1")
    response = looking.get(LIST, query)
    assert response.status_code == 400
    assert message in text(response)


def test_the_csv_has_a_row_for_each_alarm_of_the_tab_that_matches(looking):
    episode = fault("g1", 2)
    acts.acknowledge(episode.pk, LEE, seen=1)
    fault("g2")
    [row] = csv_of(looking.get(LIST, {"format": "csv", "machine": "g1"}))
    assert (row["id"], row["machine_name"], row["family"]) == (str(episode.pk), "g1", "cnn")
    assert (row["stage"], row["fault_type"], row["state"], row["severity"]) == ("acknowledged", "2", "looseness", "3")
    assert (row["count"], row["model_names"], row["acknowledged_by"]) == ("2", "cnn-v3", "lee")
    assert datetime.fromisoformat(row["opened_at"]) == episode.opened_at
    assert row["ended_at"] == row["shelved_until"] == row["closed_at"] == row["verdict"] == ""
    assert csv_of(looking.get(LIST, {"format": "csv", "tab": "closed"})) == []


def test_a_long_list_comes_in_pages(looking, monkeypatch):
    monkeypatch.setattr("diagnosis.pages.alarm_views.PER_PAGE", 2)
    monkeypatch.setattr(alarm_list, "MOST_COUNTED", 4)
    for number in range(5):
        fault(f"g{number}", minutes=60 - number)
    first, second, third = (looking.get(LIST, {"page": page}) for page in (1, 2, 3))
    assert [re.search(r"g\d", row)[0] for page in (first, second, third) for row in rows(page)] == [
        "g4",
        "g3",
        "g2",
        "g1",
        "g0",
    ]
    assert "Open 4+ " in text(first)
    assert ("Next page" in first.text, "Previous page" in first.text) == (True, False)
    assert ("Next page" in third.text, "Previous page" in third.text) == (False, True)


@pytest.mark.parametrize("machines", [3, 60])
def test_the_list_costs_the_same_queries_however_many_alarms_there_are(acting, django_assert_num_queries, machines):
    for number in range(machines):
        fault(f"g{number}")
    # Session, user, his permissions and those of his roles, machines and models for the filter, version, a count for
    # each tab, the alarms and their machines, where their models stand
    with django_assert_num_queries(14):
        assert acting.get(LIST).status_code == 200


def test_asked_again_the_list_says_when_nothing_changed_and_sends_what_did(looking):
    episode = fault("g1")
    version = re.search(r'"Known-Version": "([^"]+)"', unescape(looking.get(LIST).text))[1]
    ask = {"HX-Request": "true", "Known-Version": version}
    assert looking.get(LIST, headers=ask).status_code == 204
    acts.acknowledge(episode.pk, LEE, seen=1)
    answer = looking.get(LIST, headers=ask)
    assert "<html" not in answer.text
    assert "acknowledged by lee" in rows(answer)[0]


def test_without_alarms_the_list_says_what_would_open_one(looking):
    post("g1", (5, 0))
    page = text(looking.get(LIST))
    assert "Nothing needs you now" in page
    assert "2 of the last 3 where nothing else is set" in page
    assert "No alarm of this kind matches the filter." in text(looking.get(LIST, {"machine": "g1"}))
    for tab, said in {"shelved": "is shelved", "cleared": "has cleared", "closed": "is closed yet"}.items():
        assert f"No alarm {said}" in text(looking.get(LIST, {"tab": tab}))


# --- Who may do what --------------------------------------------------------------------------------------------------

ACTS = {
    "acknowledge": {},
    "shelve": {"reason": "bearing is ordered", "minutes": 480},
    "note": {"comment": "looked at it"},
    "close": {"verdict": "false"},
}


def test_a_viewer_sees_all_and_can_do_nothing(looking):
    episode = fault("g1")
    for page in (LIST, "/", "/machines/g1/", episode.get_absolute_url()):
        shown = looking.get(page)
        assert "Acknowledge" not in text(shown)
        assert "/acknowledge/" not in shown.text
    for kind, content in ACTS.items():
        assert act(looking, episode, kind, **content).status_code == 403
    assert not EpisodeAct.objects.exists()


def test_without_a_role_nothing_is_seen(client, django_user_model):
    episode = fault("g1")
    client.force_login(django_user_model.objects.create_user("new"))
    assert [client.get(it).status_code for it in (LIST, episode.get_absolute_url())] == [403, 403]


def test_what_a_viewer_sees_of_the_overview_is_not_what_an_operator_is_given(client, user, operator):
    fault("g1")
    for who, buttons in ((operator, 1), (user, 0), (operator, 1)):
        client.force_login(who)
        assert client.get("/").text.count('class="btn btn-sm btn-primary acknowledge"') == buttons


def test_nobodys_token_is_in_what_all_share(acting):
    fault("g1")
    page = acting.get("/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    [part] = re.findall(r'<section\s+id="live".*?</section>', page.text, re.DOTALL)
    assert token not in part


# --- What is done -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [LIST, "/", "/machines/g1/"])
def test_one_click_acknowledges_and_leads_back_to_where_it_was(acting, page):
    episode = fault("g1")
    shown = acting.get(page).text
    assert f'formaction="/diagnosis/alarms/{episode.pk}/acknowledge/"' in shown
    response = act(acting, episode, "acknowledge", next=page)
    assert (response.status_code, response.url) == (302, page)
    stored = episode.acts.get()
    assert (stored.kind, stored.by_name, stored.address) == ("acknowledge", "kim", "127.0.0.1")
    assert "acknowledged by kim" in text(acting.get(page))


def test_back_is_never_to_another_site(acting):
    response = act(acting, episode := fault("g1"), "acknowledge", next="//evil.example/")
    assert response.url == episode.get_absolute_url()


@pytest.mark.parametrize("back", ["foo", "alarms", "?tab=closed"])
def test_back_is_an_address_and_never_the_name_of_a_page(acting, back):
    response = act(acting, fault("g1"), "acknowledge", next=back)
    assert (response.status_code, response.url) == (302, back)


def test_what_a_script_asks_is_answered_by_a_part(acting):
    episode = fault("g1")
    url = reverse("alarm-acknowledge", args=[episode.pk])
    done = acting.post(url, {"seen": 1}, headers={"HX-Request": "true"})
    assert (done.status_code, done.headers["HX-Trigger"]) == (200, "acted")
    assert "Acknowledged: g1, unbalance." in text(done)
    refused = acting.post(url, {"seen": ""}, headers={"HX-Request": "true"})
    assert refused.status_code == 400
    assert "Nothing was stored. The page did not say which revision" in text(refused)


def test_whoever_comes_to_an_act_by_a_link_is_led_to_the_alarm(acting):
    """As after a login in the middle of it."""
    episode = fault("g1")
    response = acting.get(reverse("alarm-shelve", args=[episode.pk]))
    assert (response.status_code, response.url) == (302, episode.get_absolute_url())
    assert (
        act(acting, Episode(pk=0), "acknowledge", seen=1).status_code == 404 if Episode.objects.filter(pk=0) else True
    )


def test_the_page_of_an_alarm_offers_what_is_legal(acting):
    episode = fault("g1")

    def offered() -> set[str]:
        found = re.findall(
            rf'action="/diagnosis/alarms/{episode.pk}/(\w+)/"', acting.get(episode.get_absolute_url()).text
        )
        return set(found)

    assert offered() == {"acknowledge", "shelve", "note", "close"}
    act(acting, episode, "acknowledge", comment="on my way")
    assert offered() == {"shelve", "note", "close"}
    act(acting, episode, "shelve", reason="bearing is ordered", minutes=480)
    assert offered() == {"unshelve", "note", "close"}
    act(acting, episode, "unshelve")
    assert offered() == {"shelve", "note", "close"}
    act(acting, episode, "close", verdict="right", found=OTHER_FAULT, action="bearing changed")
    assert offered() == {"note"}
    act(acting, episode, "note", comment="runs again")
    page = text(acting.get(episode.get_absolute_url()))
    for words in ("kim acknowledged on my way", "shelved, until", "kim taken from the shelf", "kim noted runs again"):
        assert words in page
    assert "kim closed – right alarm, another fault Action taken: bearing changed" in page
    assert [it.kind for it in episode.acts.order_by("pk")] == ["acknowledge", "shelve", "unshelve", "close", "note"]


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("shelve", {"minutes": 480}, "Say why it is shelved."),
        ("shelve", {"reason": "later", "minutes": 20_000}, "Shelve it for 1 minute to 7 days"),
        ("shelve", {"reason": "later"}, "Shelve it for 1 minute to 7 days"),
        ("note", {"comment": "  "}, "Write what is to be noted."),
        ("note", {"comment": "a" * 2_001}, "at most 2000 characters"),
        ("close", {}, "Say whether the alarm was right"),
        ("close", {"verdict": "perhaps"}, "Say whether the alarm was right"),
        ("close", {"verdict": "right"}, "Say which fault was found."),
        ("close", {"verdict": "right", "found": 0}, "Say which fault was found."),
        ("close", {"verdict": "unclear", "found": 1}, "Leave open what was found if nobody could tell."),
        ("close", {"verdict": "false", "found": 1}, "Of a false alarm no fault was found."),
        ("acknowledge", {"seen": "x"}, "The page did not say which revision"),
    ],
)
def test_an_act_that_is_wrong_says_so_at_its_field_and_stores_nothing(acting, kind, content, message):
    episode = fault("g1")
    response = act(acting, episode, kind, **content)
    assert response.status_code == 400
    [box] = re.findall(rf'action="/diagnosis/alarms/{episode.pk}/{kind}/".*?</form>', response.text, re.DOTALL)
    assert re.search(rf'class="field-error"[^>]*>[^<]*{re.escape(message)}', unescape(box))
    assert not EpisodeAct.objects.exists()


def test_an_act_from_a_stale_page_is_told_who_was_first_and_stores_nothing(acting):
    episode = fault("g1")
    acts.acknowledge(episode.pk, LEE, seen=1, comment="mine")
    response = act(acting, episode, "shelve", seen=1, reason="bearing is ordered", minutes=480)
    assert response.status_code == 409
    page = text(response)
    assert "the alarm has changed since it was on your screen. It is now: acknowledged." in page
    assert re.search(r"\d\d:\d\d:\d\d lee: acknowledged – mine", page)
    assert ">\nbearing is ordered</textarea>" in response.text  # what was written is not lost
    assert [it.by_name for it in episode.acts.all()] == ["lee"]
    part = acting.post(reverse("alarm-acknowledge", args=[episode.pk]), {"seen": 1}, headers={"HX-Request": "true"})
    assert part.status_code == 409
    assert "<html" not in part.text
    assert "lee: acknowledged – mine" in text(part)
    korean = client_in(acting, "ko").post(reverse("alarm-acknowledge", args=[episode.pk]), {"seen": 1})
    assert "저장하지 않았습니다. 화면에 표시된 뒤 알람이 바뀌었습니다. 지금 상태: 확인됨." in text(korean)


def client_in(client, language: str):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    return client


def test_an_act_about_what_the_diagnoses_have_ended_is_told_so(acting):
    episode = fault("g1")
    post("g1", (3, 3), (2, 3), model="cnn-v3")
    response = act(acting, episode, "acknowledge", seen=1)
    assert response.status_code == 409
    assert "It is now: continued by a worse one. Nobody has done anything about it" in text(response)


def test_a_double_click_is_one_act_and_no_complaint(acting):
    episode = fault("g1")
    for _click in range(2):
        assert act(acting, episode, "acknowledge", seen=1).status_code == 302
    assert episode.acts.count() == 1


@pytest.mark.parametrize(
    ("kind", "asked", "other"),
    [
        ("acknowledge", {"comment": "on my way"}, {"comment": "it is the belt"}),
        ("shelve", {"reason": "overhaul", "minutes": 60}, {"reason": "overhaul", "minutes": 240}),
        ("close", {"verdict": "false"}, {"verdict": "right", "found": 1}),
        ("close", {"verdict": "right", "found": 1}, {"verdict": "right", "found": 2}),
    ],
)
def test_who_does_another_thing_from_the_same_page_is_told_that_it_is_not_stored(acting, kind, asked, other):
    episode = fault("g1")
    assert act(acting, episode, kind, seen=1, **asked).status_code == 302
    assert act(acting, episode, kind, seen=1, **asked).status_code == 302
    response = act(acting, episode, kind, seen=1, **other)
    assert response.status_code == 409 and "Nothing was stored" in text(response)
    assert episode.acts.count() == 1


# --- The story --------------------------------------------------------------------------------------------------------


def test_the_story_says_why_it_opened_and_what_became_of_it(looking):
    Machine.objects.create(name="g1", title="pump", episode_rule="3/4/2")
    post("g1", (60, 0), (50, 1), (49, 1), (48, 1), (40, 0), (39, 0), confidence=0.75)
    page = text(looking.get(Episode.objects.get().get_absolute_url()))
    for words in (
        "g1 pump",
        "It opened when 3 of the last 4 diagnoses said that the machine has a fault.",
        "It cleared after 2 normal diagnoses in a row.",
        "cleared, not acknowledged",
        "2 of 5",
        "Diagnoses of a fault 3",
        "Confidence 0.75",
        "Nobody has done anything about it yet.",
    ):
        assert words in page


def test_predecessor_and_follower_lead_to_each_other(looking):
    post("g1", (50, 1), (49, 1), (40, 3), (39, 3))
    mild, worse = Episode.objects.order_by("opened_at")
    assert f'href="{worse.get_absolute_url()}"' in looking.get(mild.get_absolute_url()).text
    page = looking.get(worse.get_absolute_url())
    assert f'href="{mild.get_absolute_url()}"' in page.text
    assert "2 of the last 3 diagnoses were worse than the alarm that it follows: alarm" in text(page)


def test_what_late_data_moved_took_back_or_joined_is_told(looking):
    machine = post("g1", (50, 1), (49, 1), *((minute, 0) for minute in range(48, 43, -1)), (40, 1), (39, 1))
    first, second = Episode.objects.order_by("opened_at")
    acts.note(first.pk, LEE, comment="heard it")
    acts.note(second.pk, LEE, comment="again")
    delete_diagnoses(machine.diagnoses.filter(fault_type=0))
    kept, joined = sorted((first, second), key=lambda it: not Episode.objects.get(pk=it.pk).live)
    page = text(looking.get(kept.get_absolute_url()))
    assert "heard it" in page
    assert "again" in page
    assert f"Late diagnoses made it one with alarm {joined.pk}" in page
    assert f"part of another one: alarm {kept.pk}" in text(looking.get(joined.get_absolute_url()))
    delete_diagnoses(machine.diagnoses.all())
    page = text(looking.get(kept.get_absolute_url()))
    assert "Late diagnoses took this alarm back" in page
    assert "withdrawn" in page


def test_three_moments_stand_side_by_side_with_what_was_measured_then(looking):
    start = ago(60)
    recording = make_recording(60_000)
    length = recording.length
    Recording.objects.update(started_at=start, last_collected_at=start + timedelta(seconds=length))
    post("g1", (start + timedelta(seconds=length * 0.2), 0), (start + timedelta(seconds=length * 0.5), 1))
    post("g1", (start + timedelta(seconds=length * 0.6), 1), (5, 1))
    page = looking.get(Episode.objects.get().get_absolute_url())
    moments = re.findall(r'<article class="moment".*?</article>', page.text, re.DOTALL)
    told = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", it)) for it in moments]
    assert "Last normal before it normal" in told[0]
    assert "Its opening unbalance" in told[1]
    assert "/vibration/?machine=g1&amp;sensor=sensor1" in moments[0]
    assert re.search(r"sensor1( [\d.e-]+){4}", told[0])
    assert "No recording covers this time." in told[2]


def test_the_address_of_who_acted_is_for_those_who_read_the_audit_trail(client, user, admin_user):
    episode = fault("g1")
    acts.acknowledge(episode.pk, LEE, seen=1)
    for who, shown in ((user, False), (admin_user, True)):
        client.force_login(who)
        assert ("10.0.0.9" in client.get(episode.get_absolute_url()).text) is shown


def test_an_alarm_of_years_shows_the_last_of_it(looking):
    post("g1", (60 * 24 * 800, 1), (60 * 24 * 799, 1), (5, 1))
    page = looking.get(Episode.objects.get().get_absolute_url())
    assert "the alarm began earlier" in page.text
    timeline = re.search(r'href="(/diagnosis/timeline/[^"]+)"', page.text)[1]
    assert looking.get(unescape(timeline)).status_code == 200


def test_no_alarm_no_page(looking):
    assert looking.get("/diagnosis/alarms/12345/").status_code == 404
    assert looking.get(f"/diagnosis/alarms/{10**30}/").status_code == 404
