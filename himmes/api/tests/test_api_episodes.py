"""Episodes by the API: what is listed, what programs may do about one, and what they are told when it has moved on."""

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from diagnosis.models import Episode, EpisodeAct, VibrationDiagnosis
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.world import post
from himmes.accounts.tokens import make_token
from himmes.api.tests.api_world import Program, make_program, next_page, rows_of
from machines.models import Machine

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, tzinfo=UTC)
LEE = Actor(None, "lee", "10.0.0.8")


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def say(states: str, *, first: int = 0, model: str = "cnn-v3", machine: str = "g1") -> None:
    """One diagnosis a minute, in one post."""
    post(machine, *((at(first + minute), int(state)) for minute, state in enumerate(states)), model=model)


@pytest.fixture
def viewer(roles) -> Program:
    return make_program(roles, "viewer")


@pytest.fixture
def kim(roles, operator) -> Program:
    """The operator kim, by the token of the control room."""
    return Program(make_token(operator, roles["operator"], name="control-room")[1], Client())


@pytest.fixture
def number(db) -> int:
    """Of an open episode."""
    say("11")
    return Episode.objects.get().pk


def wrong_fields(answer) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    return {it["field"]: it["message"] for it in answer.json()["errors"]}


# --- Reading


def test_an_episode_is_told_with_all_that_is_known_of_it(viewer):
    say("011", model="cnn-v2")
    say("3", first=3)
    assert viewer.get("episodes").json() == [
        {
            "id": Episode.objects.get().pk,
            "machine_name": "g1",
            "family": "cnn",
            "fault_type": 1,
            "severity": 2,
            "stage": "unacknowledged",
            "message": "g1: unbalance since 2026-11-20T09:01:00+09:00, 3 diagnoses by cnn-v2, cnn-v3; nobody has "
            "acknowledged it.",
            "began_at": "2026-11-20T09:01:00+09:00",
            "opened_at": "2026-11-20T09:02:00+09:00",
            "last_at": "2026-11-20T09:03:00+09:00",
            "ended_at": None,
            "ending": "",
            "count": 3,
            "model_names": ["cnn-v2", "cnn-v3"],
            "least_confidence": 0.9,
            "greatest_confidence": 0.9,
            "acknowledged_at": None,
            "acknowledged_by": "",
            "shelved_until": None,
            "closed_at": None,
            "verdict": "",
            "follows": None,
            "merged_into": None,
            "revised_at": None,
            "revision": 1,
        }
    ]


def test_one_episode_comes_with_its_neighbours_and_what_people_did(viewer, kim):
    say("11")
    first = Episode.objects.get().pk
    kim.post(f"episodes/{first}/note", {"comment": "loud"})
    say("33", first=2)
    second = Episode.objects.get(follows=first).pk
    told = viewer.get(f"episodes/{first}").json()
    assert (told["stage"], told["followers"], told["merged"]) == ("continued", [second], [])
    assert [(it["kind"], it["by"], it["comment"]) for it in told["acts"]] == [("note", "kim / control-room", "loud")]
    assert told["message"].endswith("; it went on as a worse one.")
    told = viewer.get(f"episodes/{second}").json()
    assert (told["follows"], told["followers"], told["acts"]) == (first, [], [])


def test_a_merged_episode_says_into_which_and_that_one_has_its_acts(viewer, kim):
    say("11")
    say("00000", first=2)
    say("11", first=8)
    first, second = Episode.objects.order_by("opened_at")
    for it in (first, second):
        assert kim.post(f"episodes/{it.pk}/note", {"comment": f"heard {it.pk}"}).status_code == 200
    say("1", first=5, model="cnn-v2")  # among the five normal ones
    row = Episode.objects.live().get()
    [gone] = {first.pk, second.pk} - {row.pk}
    told = viewer.get(f"episodes/{gone}").json()
    assert (told["stage"], told["merged_into"]) == ("withdrawn", row.pk)
    assert told["revised_at"] and f"part of episode {row.pk}" in told["message"]
    told = viewer.get(f"episodes/{row.pk}").json()
    assert told["merged"] == [gone]
    assert {it["comment"] for it in told["acts"]} == {f"heard {first.pk}", f"heard {second.pk}"}


def test_an_episode_that_is_not_there_is_a_404_for_whoever_reads_and_acts(kim):
    for path in ("episodes/7", "episodes/999999999999999999"):
        answer = kim.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no episode {path.split('/')[1]}.")
    for deed, body in {
        "acknowledge": {"revision": 1},
        "shelve": {"revision": 1, "reason": "part ordered"},
        "unshelve": {"revision": 1},
        "note": {"comment": "loud"},
        "close": {"revision": 1, "verdict": "unclear"},
    }.items():
        assert kim.post(f"episodes/7/{deed}", body).status_code == 404


@pytest.fixture
def plant(kim):
    """Episodes of g1 and g2 in each stage, whose names here are a to h, by their numbers."""
    say("11" + "0" * 5)  # a: cleared, not acknowledged
    say("22" + "0" * 5, first=10)  # b: cleared and acknowledged
    say("33", first=20)  # c: closed
    say("11", machine="g2")  # d: continued
    say("33", first=2, machine="g2")  # e: shelved
    say("2211", first=30, model="tree-1", machine="g2")  # f: acknowledged
    say("11", first=40, model="mlp", machine="g2")  # g: withdrawn
    say("22", first=50, model="svm", machine="g2")  # h: unacknowledged
    rows = dict(zip("adebcfgh", Episode.objects.order_by("opened_at", "pk"), strict=True))
    for name, deed, body in (
        ("b", "acknowledge", {}),
        ("c", "close", {"verdict": "right", "found": 3}),
        ("e", "shelve", {"reason": "part ordered"}),
        ("f", "acknowledge", {}),
    ):
        answer = kim.post(f"episodes/{rows[name].pk}/{deed}", {"revision": rows[name].revision} | body)
        assert answer.status_code == 200, answer.content
    kim.post(f"episodes/{rows['g'].pk}/note", {"comment": "heard it"})
    delete_diagnoses(VibrationDiagnosis.objects.filter(model_name="mlp"))
    return {row.pk: name for name, row in rows.items()}


def test_the_list_has_the_last_opened_first_and_is_filtered(plant, viewer):
    found = {
        "": "hgfcbeda",
        "machine_name=g1": "cba",
        "family=cnn": "cbeda",
        "family=tree": "f",
        "family=cnn-v3": "",
        "fault_type=2": "hfb",
        "fault_type=1&fault_type=3": "gceda",
        "stage=unacknowledged": "h",
        "stage=acknowledged": "f",
        "stage=shelved": "e",
        "stage=cleared": "a",
        "stage=closed": "cb",
        "stage=continued": "d",
        "stage=withdrawn": "g",
        "stage=unacknowledged&stage=cleared": "ha",
        "severity_from=1": "hgfcbeda",
        "severity_from=3": "hfcbe",
        "severity_from=4": "ce",
        "severity_from=5": "",
        "opened_at_after=2026-11-20T09:31:00": "hgf",
        "opened_at_before=2026-11-20T00:01:00Z": "da",
        "machine_name=g2&stage=shelved&stage=acknowledged&severity_from=4": "e",
    }
    shown = {query: "".join(plant[row["id"]] for row in viewer.get(f"episodes?{query}").json()) for query in found}
    assert shown == found


def test_the_page_of_one_episode_and_the_list_say_the_same(plant, viewer):
    for row in viewer.get("episodes").json():
        told = viewer.get(f"episodes/{row['id']}").json()
        assert {name: told[name] for name in row} == row


def test_each_stage_has_its_sentence(plant, viewer):
    told = {plant[row["id"]]: row["message"].partition("; ")[2] for row in viewer.get("episodes").json()}
    assert told == {
        "a": "cleared, nobody has acknowledged it.",
        "b": "cleared, and acknowledged by kim / control-room.",
        "c": "closed as right.",
        "d": "it went on as a worse one.",
        "e": "shelved.",
        "f": "acknowledged by kim / control-room.",
        "g": "withdrawn, as diagnoses came late or were deleted.",
        "h": "nobody has acknowledged it.",
    }


def test_pages_come_to_every_episode_once(plant, viewer):
    answer = viewer.get("episodes?limit=3&stage=" + "&stage=".join(["cleared", "closed", "shelved", "unacknowledged"]))
    rows, pages = answer.json(), 1
    while following := next_page(answer):
        answer = viewer.get(following)
        rows, pages = rows + answer.json(), pages + 1
    assert ("".join(plant[row["id"]] for row in rows), pages) == ("hcbea", 2)
    answer = viewer.get("episodes?limit=9&cursor=x")
    assert list(wrong_fields(answer)) == ["cursor"]


def test_a_long_list_is_the_same_as_a_short_one(plant, viewer, settings):
    """Also where it is sent while it is read."""
    assert rows_of(viewer.get("episodes?limit=100000")) == rows_of(viewer.get("episodes?limit=100"))


def told_in_csv(value) -> str:
    if isinstance(value, list):
        return "; ".join(value)
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value).isoformat(timespec="microseconds")
    return "" if value is None else str(value)


def test_csv_has_every_episode_that_is_filtered_as_the_list_has_it(plant, viewer):
    answer = viewer.get("episodes?format=csv&machine_name=g2")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert "".join(plant[int(row["id"])] for row in rows) == "hgfed"
    for row, told in zip(rows, viewer.get("episodes?machine_name=g2").json(), strict=True):
        assert set(row) - {"state"} == set(told) - {"message"}
        assert {name: row[name] for name in told if name in row} == {
            name: told_in_csv(value) for name, value in told.items() if name in row
        }
    answer = viewer.get("episodes?format=csv&stage=open")
    assert list(wrong_fields(answer)) == ["stage"]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("machine_name=g9", "machine_name", "There is no machine g9."),
        ("stage=open", "stage", "open is not one of"),
        ("fault_type=0", "fault_type", "0 is not one of"),
        ("severity_from=6", "severity_from", "6 is not one of"),
        ("severity_from=bad", "severity_from", "bad is not one of"),
        ("opened_at_after=yesterday", "opened_at_after", "Write the time as text"),
        ("machine=g1", "machine", "Unknown parameter. Known: cursor, family, fault_type, format, limit, machine_name"),
        ("stage=", "stage", "Empty"),
        ("machine_name=g1&machine_name=g2", "machine_name", "more than once"),
    ],
)
def test_a_bad_filter_is_a_400_that_names_it(viewer, number, query, field, said):
    wrong = wrong_fields(viewer.get(f"episodes?{query}"))
    assert list(wrong) == [field]
    assert said in wrong[field]


def test_one_episode_takes_no_parameters(viewer, kim, number):
    assert list(wrong_fields(viewer.get(f"episodes/{number}?stage=closed"))) == ["stage"]
    assert list(wrong_fields(kim.post(f"episodes/{number}/note?comment=x", {"comment": "loud"}))) == ["comment"]


# --- Acting


def test_the_story_of_an_episode_by_the_api_alone(kim, number):
    def act(deed: str, **body) -> dict:
        answer = kim.post(f"episodes/{number}/{deed}", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    told = act("acknowledge", revision=1, comment="on my way")
    assert (told["stage"], told["acknowledged_by"], told["revision"]) == ("acknowledged", "kim / control-room", 2)
    told = act("shelve", revision=2, reason="part ordered")
    assert (told["stage"], told["acknowledged_at"]) == ("shelved", None)
    shelved = told["acts"][-1]
    assert datetime.fromisoformat(shelved["shelved_until"]) - datetime.fromisoformat(shelved["at"]) == timedelta(
        hours=8
    )
    assert told["shelved_until"] == shelved["shelved_until"]
    told = act("unshelve", revision=3)
    assert (told["stage"], told["shelved_until"]) == ("acknowledged", None)
    act("note", comment="coupling is loose")
    told = act("close", revision=4, verdict="right", found=2, action="tightened", comment="done")
    assert (told["stage"], told["ending"], told["verdict"]) == ("closed", "closed", "right")
    assert [it["kind"] for it in told["acts"]] == ["acknowledge", "shelve", "unshelve", "note", "close"]
    assert (told["acts"][-1]["found"], told["acts"][-1]["action"]) == (2, "tightened")
    stored = EpisodeAct.objects.order_by("pk").last()
    assert (stored.by.get_username(), stored.by_name, stored.address) == ("kim", "kim / control-room", "127.0.0.1")
    assert kim.get(f"episodes/{number}").json() == told


def test_what_is_over_may_still_get_its_outcome_once(kim):
    say("11" + "0" * 5)
    number = Episode.objects.get().pk
    seen = Episode.objects.get().revision
    told = kim.post(f"episodes/{number}/acknowledge", {"revision": seen}).json()
    assert told["stage"] == "closed"
    answer = kim.post(f"episodes/{number}/close", {"revision": told["revision"], "verdict": "false"})
    assert (answer.status_code, answer.json()["acts"][-1]["found"]) == (200, 0)
    again = kim.post(f"episodes/{number}/close", {"revision": answer.json()["revision"], "verdict": "unclear"})
    assert again.status_code == 409


def test_an_act_on_a_stale_page_is_refused_with_who_did_what_when(kim, number):
    acts.acknowledge(number, LEE, seen=1, comment="mine")
    answer = kim.post(f"episodes/{number}/acknowledge", {"revision": 1})
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    [act] = told["acts"]
    assert (told["revision"], told["stage"], told["errors"]) == (2, "acknowledged", [])
    assert (act["kind"], act["by"], act["comment"], act["episode"]) == ("acknowledge", "lee", "mine", number)
    assert told["detail"] == (
        f"Nothing was stored: the episode is acknowledged, revision 2. lee: acknowledge at {act['at']}"
    )
    assert EpisodeAct.objects.count() == 1


def test_an_act_that_is_not_legal_now_is_refused_whatever_was_seen(kim, number):
    answer = kim.post(f"episodes/{number}/unshelve", {"revision": 1})
    assert (answer.status_code, answer.json()["acts"]) == (409, [])
    say("00000", first=2)
    seen = Episode.objects.get().revision
    answer = kim.post(f"episodes/{number}/shelve", {"revision": seen, "reason": "part ordered"})
    assert (answer.status_code, answer.json()["stage"]) == (409, "cleared")
    assert not EpisodeAct.objects.exists()


def test_diagnoses_that_went_on_make_what_was_seen_stale(kim, number):
    say("33", first=2)
    answer = kim.post(f"episodes/{number}/acknowledge", {"revision": 1})
    assert (answer.status_code, answer.json()["stage"]) == (409, "continued")
    told = kim.post(f"episodes/{number}/note", {"comment": "was loud before"})
    assert told.status_code == 200


def test_shelving_comes_back_by_the_clock(kim, viewer, number):
    kim.post(f"episodes/{number}/shelve", {"revision": 1, "reason": "part ordered", "minutes": 30})
    later = timezone.now() + timedelta(minutes=31)
    with patch.object(timezone, "now", lambda: later):
        told = viewer.get(f"episodes/{number}").json()
        assert (told["stage"], told["shelved_until"], told["revision"]) == ("unacknowledged", None, 2)
        assert [row["id"] for row in viewer.get("episodes?stage=unacknowledged").json()] == [number]
        assert kim.post(f"episodes/{number}/acknowledge", {"revision": 2}).status_code == 200


TOO_LONG = "Shelve it for 1 minute to 7 days (10,080 minutes)."


@pytest.mark.parametrize(
    ("deed", "body", "wrong"),
    [
        ("acknowledge", {}, {"revision": "This field is required."}),
        ("acknowledge", {"revision": "1"}, {"revision": 'Must be a whole number, not "1".'}),
        ("acknowledge", {"revision": 0}, {"revision": "Ensure this value is greater than or equal to 1."}),
        ("acknowledge", {"revision": 1, "comment": 5}, {"comment": "Must be a text, not 5."}),
        (
            "acknowledge",
            {"revision": 1, "comment": "x" * 2_001},
            {"comment": "Ensure this field has no more than 2000 characters."},
        ),
        ("acknowledge", {"revision": 1, "reason": "x"}, {"reason": "Unknown field. Known: revision, comment."}),
        ("shelve", {"revision": 1}, {"reason": "This field is required."}),
        ("shelve", {"revision": 1, "reason": " "}, {"reason": "This field may not be blank."}),
        ("shelve", {"revision": 1, "reason": "x", "minutes": 10_081}, {"minutes": TOO_LONG}),
        ("shelve", {"revision": 1, "reason": "x", "minutes": 0}, {"minutes": TOO_LONG}),
        ("note", {}, {"comment": "This field is required."}),
        ("note", {"comment": "\n"}, {"comment": "This field may not be blank."}),
        ("note", {"comment": "x", "revision": 1}, {"revision": "Unknown field. Known: comment."}),
        ("close", {"revision": 1}, {"verdict": "This field is required."}),
        ("close", {"revision": 1, "verdict": "yes"}, {"verdict": '"yes" is not a valid choice.'}),
        ("close", {"revision": 1, "verdict": "right"}, {"found": "Say which fault was found."}),
        ("close", {"revision": 1, "verdict": "right", "found": 0}, {"found": "Say which fault was found."}),
        (
            "close",
            {"revision": 1, "verdict": "right", "found": 4},
            {"found": "Ensure this value is less than or equal to 3."},
        ),
        (
            "close",
            {"revision": 1, "verdict": "false", "found": 1},
            {"found": "Of a false alarm no fault was found. If one was, the alarm was right."},
        ),
        (
            "close",
            {"revision": 1, "verdict": "unclear", "found": 0},
            {"found": "Leave open what was found if nobody could tell."},
        ),
    ],
)
def test_bad_input_is_a_400_that_names_the_field_and_nothing_is_stored(kim, number, deed, body, wrong):
    assert wrong_fields(kim.post(f"episodes/{number}/{deed}", body)) == wrong
    assert not EpisodeAct.objects.exists()
    assert Episode.objects.get().revision == 1


def test_errors_are_in_english_whatever_the_language_of_who_asks(kim, number):
    korean = {"Accept-Language": "ko", "Authorization": f"Bearer {kim.token}"}
    wrong = wrong_fields(kim.post(f"episodes/{number}/close", {"revision": 1, "verdict": "right"}, headers=korean))
    assert wrong == {"found": "Say which fault was found."}
    assert list(wrong_fields(kim.client.get("/api/episodes?stage=open", headers=korean))) == ["stage"]
    told = kim.client.get(f"/api/episodes/{number}", headers=korean).json()
    assert told["message"].startswith("g1: unbalance since ")


@pytest.mark.parametrize("body", ["[]", "1", "null", '{"revision": 1', '"x"'])
def test_a_body_that_is_no_object_is_a_400(kim, number, body):
    answer = kim.post(f"episodes/{number}/acknowledge", body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_another_fault_than_ours_may_have_been_found(kim, number):
    told = kim.post(f"episodes/{number}/close", {"revision": 1, "verdict": "right", "found": -1}).json()
    assert (told["stage"], told["acts"][-1]["found"]) == ("closed", -1)


@pytest.mark.parametrize("role", ["viewer", "collector", "diagnoser"])
def test_who_only_reads_may_do_nothing_about_an_episode(roles, number, role):
    program = make_program(roles, role)
    assert program.get(f"episodes/{number}").status_code == 200
    answer = program.post(f"episodes/{number}/acknowledge", {"revision": 1})
    assert (answer.status_code, answer.json()["detail"]) == (403, "Your role does not allow this.")
    assert not EpisodeAct.objects.exists()


def test_a_login_acts_under_the_name_of_the_person(operator, number):
    client = Client()
    client.force_login(operator)
    answer = client.post(f"/api/episodes/{number}/acknowledge", {"revision": 1}, content_type="application/json")
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "kim")


@pytest.mark.parametrize("rule", ["2/3", "3/2/5", "1/21/5", "2/3/0", "2/3/101", "two", "2 3 5", "0/1/1"])
def test_a_rule_of_a_machine_that_is_none_is_a_400_that_says_what_to_write(roles, rule):
    administrator = make_program(roles, "administrator")
    machine = Machine.objects.create(name="g1")
    wrong = wrong_fields(administrator("PATCH", f"machines/{machine.pk}", {"episode_rule": rule}))
    assert list(wrong) == ["episode_rule"]
    assert re.search("Write three numbers such as 2/3/5: faults, among so many diagnoses", wrong["episode_rule"])
    machine.refresh_from_db()
    assert machine.episode_rule == ""


def test_a_new_rule_of_a_machine_counts_at_once_for_all_that_was_said(roles, viewer):
    administrator = make_program(roles, "administrator")
    say("010")
    assert viewer.get("episodes").json() == []
    machine = Machine.objects.get()
    answer = administrator("PATCH", f"machines/{machine.pk}", {"episode_rule": "1/1/1"})
    assert (answer.status_code, answer.json()["episode_rule"]) == (200, "1/1/1")
    assert [row["stage"] for row in viewer.get("episodes").json()] == ["cleared"]
    answer = administrator("PATCH", f"machines/{machine.pk}", {"episode_rule": ""})
    assert (answer.status_code, answer.json()["episode_rule"]) == (200, "")
    assert viewer.get("episodes").json() == []


@pytest.mark.django_db(transaction=True)
def test_twenty_people_acknowledge_at_once_and_one_of_them_has(roles, operator):
    say("11")
    number = Episode.objects.get().pk
    tokens = [make_token(operator, roles["operator"], name=f"panel {it}")[1] for it in range(20)]
    together = Barrier(len(tokens))

    def acknowledge(token: str):
        try:
            together.wait()
            return Program(token, Client()).post(f"episodes/{number}/acknowledge", {"revision": 1})
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(acknowledge, tokens))
    assert sorted(it.status_code for it in answers) == [200] + [409] * 19, [it.content for it in answers]
    act = EpisodeAct.objects.get()
    for answer in answers:
        told = answer.json()
        if answer.status_code == 200:
            assert told["acknowledged_by"] == act.by_name
        else:
            assert [(it["id"], it["by"]) for it in told["acts"]] == [(act.pk, act.by_name)]
            assert f"{act.by_name}: acknowledge at " in told["detail"]
    assert (Episode.objects.get().revision, Episode.objects.get().acknowledged_by) == (2, act.by_name)
