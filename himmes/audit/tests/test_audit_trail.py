"""The audit trail: who did what, from where; for everything that is to stand in it, and whoever did it."""

import json
import re
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from common.audit_trail import Action
from common.limits.rates import ExportRate
from common.tests.html import flat
from diagnosis.models import VibrationDiagnosis
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.world import post
from himmes.accounts.models import ApiToken
from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, make_program, samples
from himmes.tests.admin_world import opened
from machines.models import Machine, Sensor
from vibration.captures.storing import delete_captures
from vibration.models import Capture, CaptureFeatures, ImportRun, Recording
from vibration.tests.captures_world import at, days_ago, stored
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db
ADDRESS = "192.0.2.7"
PASSWORD = "several words of no sense"


def entries(model, action=None) -> list[LogEntry]:
    """Of this model, oldest first."""
    found = LogEntry.objects.filter(content_type__model=model._meta.model_name).order_by("pk")
    return list(found if action is None else found.filter(action=action))


def only(model, action=None) -> LogEntry:
    (entry,) = entries(model, action)
    return entry


@pytest.fixture
def boss(roles, django_user_model):
    """An administrator who may use the admin, but no superuser."""
    person = django_user_model.objects.create_user("boss", password=PASSWORD, is_staff=True)
    person.groups.add(roles["administrator"])
    return person


@pytest.fixture
def office(boss):
    """The admin, used by the boss from an address of his own; in English."""
    client = Client(REMOTE_ADDR=ADDRESS, headers={"Accept-Language": "en"})
    client.force_login(boss)
    LogEntry.objects.all().delete()
    return client


MACHINE_FORM = {
    "name": "g1",
    "title": "Pump",
    "is_active": "on",
    "sensors-TOTAL_FORMS": 1,
    "bearings-TOTAL_FORMS": 0,
    "bearings-INITIAL_FORMS": 0,
    "sensors-INITIAL_FORMS": 0,
    "sensors-0-sensor_no": "sensor1",
}


def test_a_machine_and_its_sensor_are_followed_through_the_admin(office, boss):
    assert office.post("/admin/machines/machine/add/", MACHINE_FORM).status_code == 302
    machine = Machine.objects.get()
    made = only(Machine)
    assert (made.action, made.actor, made.remote_addr) == (Action.CREATE, boss, ADDRESS)
    assert made.additional_data["request"] == "POST /admin/machines/machine/add/"
    assert re.fullmatch(r"[0-9a-f]{32}", made.cid)  # the request, as the log calls it
    assert made.changes["name"] == ["None", "g1"]
    assert only(Sensor).changes["machine"] == ["None", "g1 (Pump)"]  # by its name, as it may be deleted later
    path = f"/admin/machines/machine/{machine.pk}/"
    changed = opened(office, f"{path}change/", **{"title": "펌프", "sensors-0-DELETE": "on"})
    assert office.post(f"{path}change/", changed).status_code == 302
    assert only(Machine, Action.UPDATE).changes == {"title": ["Pump", "펌프"]}
    assert only(Sensor, Action.DELETE).object_repr == "g1 / sensor1"
    office.post(f"{path}delete/", {"post": "yes"})
    assert only(Machine, Action.DELETE).changes["title"] == ["펌프", "None"]


def test_saving_without_a_change_leaves_no_entry(office):
    machine = Machine.objects.create(name="g1")
    LogEntry.objects.all().delete()
    machine.save()
    assert entries(Machine) == []


def test_a_call_with_a_login_names_the_person_and_one_with_a_token_the_token_too(office, boss, roles):
    answer = office.post("/api/machines", {"name": "g1"}, content_type="application/json")
    assert answer.status_code == 201
    by_login = only(Machine)
    assert (by_login.actor, by_login.remote_addr) == (boss, ADDRESS)
    assert "token" not in by_login.additional_data
    program = make_program(roles, "administrator")
    token = ApiToken.objects.get()
    LogEntry.objects.all().delete()
    assert program("PATCH", f"machines/{Machine.objects.get().pk}", {"is_active": False}).status_code == 200
    by_token = only(Machine)
    assert (by_token.action, by_token.actor) == (Action.UPDATE, token.user)
    assert by_token.additional_data["actor"] == "administrator-program"
    assert by_token.additional_data["token"] == f"administrator ({token.token_key}…)"
    assert by_token.changes == {"is_active": ["True", "False"]}


def test_one_request_does_not_lend_its_actor_to_the_next(office, roles):
    program = make_program(roles, "administrator")
    office.post("/api/machines", {"name": "g1"}, content_type="application/json")
    program.post("machines", {"name": "g2"})
    Machine.objects.create(name="g3")
    made = {entry.object_repr: entry for entry in entries(Machine)}
    assert [made[name].actor and made[name].actor.username for name in ("g1", "g2", "g3")] == [
        "boss",
        "administrator-program",
        None,
    ]
    assert made["g3"].remote_addr is None


def test_machines_that_a_post_registers_name_the_token_and_the_samples_themselves_are_not_noted(roles):
    program = make_program(roles, "collector")
    LogEntry.objects.all().delete()
    assert program.post("vibration-data/bulk", samples(50)).status_code == 200
    assert program.post("vibration-data", SAMPLE | {"measured_time": 9}).status_code == 201
    program("POST", "vibration-diagnosis", DIAGNOSIS)
    assert sorted(entry.content_type.model for entry in LogEntry.objects.all()) == ["machine", "sensor"]
    machine = only(Machine)
    assert machine.additional_data["token"].startswith("collector (")
    assert machine.changes["registered_by"] == ["None", "api"]


def test_a_post_to_what_is_known_writes_nothing_to_the_trail(roles, django_assert_num_queries):
    program = make_program(roles, "collector")
    program.post("vibration-data/bulk", samples(5))
    LogEntry.objects.all().delete()
    program.post("vibration-data/bulk", samples(50))
    assert not LogEntry.objects.exists()


def test_an_import_by_command_names_command_and_system_user(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/srv/manage.py", "import_vibration", "g1_sensor1.csv"])
    monkeypatch.setattr("getpass.getuser", lambda: "plant")
    file = tmp_path / "g1_sensor1.csv"
    file.write_text("0.001,1,2,3,4\n0.002,1,2,3,4\n0.002,9,2,3,4\n")
    with pytest.raises(Exception, match="not imported"):
        call_command("import_vibration", file, verbosity=0)
    begun, ended = entries(ImportRun)
    assert (begun.action, ended.action) == (Action.CREATE, Action.UPDATE)
    assert (begun.actor, begun.remote_addr, begun.object_repr) == (
        None,
        None,
        "g1_sensor1.csv → g1 / sensor1 / default",
    )
    assert begun.additional_data["command"] == "manage.py import_vibration"
    assert begun.additional_data["system_user"] == "plant"
    assert begun.additional_data["sha256"] == ImportRun.objects.get().sha256
    counts = [ended.additional_data[name] for name in ("outcome", "new", "identical", "conflicting", "rejected")]
    assert counts == ["problems", 2, 0, 1, 0]
    assert only(Machine).additional_data["command"] == "manage.py import_vibration"


def test_a_dry_run_leaves_nothing_in_the_trail(tmp_path):
    file = tmp_path / "g1_sensor1.csv"
    file.write_text("0.001,1,2,3,4\n")
    call_command("import_vibration", file, dry_run=True, verbosity=0)
    assert not LogEntry.objects.exists()


def test_an_upload_names_token_file_and_counts(roles):
    program = make_program(roles, "collector")
    upload = {"file": SimpleUploadedFile("g1_sensor1.csv", b"0.001,1,2,3,4\n")}
    headers = {"Authorization": f"Bearer {program.token}"}
    assert Client(REMOTE_ADDR=ADDRESS).post("/api/vibration-data/csv", upload, headers=headers).status_code == 200
    begun, ended = entries(ImportRun)
    assert begun.additional_data["token"].startswith("collector (")
    assert (begun.remote_addr, ended.additional_data["new"]) == (ADDRESS, 1)


EXPORTS = {
    "/api/vibration-data?machine_name=g1&format=csv": "vibrationdata",
    "/vibration/table/?machine=g1&format=csv": "vibrationdata",
    "/api/vibration-diagnosis?machine_name=g1&format=csv": "vibrationdiagnosis",
    "/diagnosis/?machine=g1&format=csv": "vibrationdiagnosis",
    "/diagnosis/timeline/?machine=g1&format=csv": "vibrationdiagnosis",
}


@pytest.mark.parametrize("path", EXPORTS)
def test_every_csv_that_is_fetched_is_noted_with_its_filter(office, boss, path):
    make_recording(3)
    post("g1", (1, 2))
    LogEntry.objects.all().delete()
    answer = office.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    entry = LogEntry.objects.get()
    assert (entry.action, entry.content_type.model, entry.actor) == (Action.ACCESS, EXPORTS[path], boss)
    assert (entry.additional_data["event"], entry.additional_data["request"]) == ("export", f"GET {path}")
    assert entry.cid == answer.headers["X-Request-ID"]
    assert entry.remote_addr == ADDRESS


@pytest.mark.parametrize("path", EXPORTS)
def test_who_fetches_csv_again_and_again_is_stopped_before_he_floods_the_trail(office, monkeypatch, path):
    monkeypatch.setattr(ExportRate, "THROTTLE_RATES", {"export": "2/hour", "caller": None})
    make_recording(3)
    LogEntry.objects.all().delete()
    assert [office.get(path).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert LogEntry.objects.count() == 2
    answer = office.get(path)
    assert 3590 <= int(answer.headers["Retry-After"]) <= 3600
    if path.startswith("/api/"):
        assert answer.json()["status"] == 429
    else:
        assert "Try again in 3600 seconds." in answer.text
    assert office.get(path.replace("format=csv", "")).status_code == 200  # to look is no export


def test_exports_are_counted_for_each_person_and_token_and_by_whatever_way(office, roles, monkeypatch):
    monkeypatch.setattr(ExportRate, "THROTTLE_RATES", {"export": "2/hour", "caller": None})
    make_recording(3)
    program = make_program(roles, "viewer")
    by_api, by_page = "/api/vibration-data?machine_name=g1&format=csv", "/vibration/table/?machine=g1&format=csv"
    assert [office.get(path).status_code for path in (by_api, by_page, by_api)] == [200, 200, 429]
    assert [program.get("vibration-data?format=csv").status_code for _ in range(3)] == [200, 200, 429]


def test_a_page_that_is_only_looked_at_is_not_noted(office):
    make_recording(3)
    LogEntry.objects.all().delete()
    for path in ("/", "/vibration/table/", "/diagnosis/timeline/", "/api/vibration-data", "/admin/auth/user/"):
        assert office.get(path).status_code == 200
    assert not LogEntry.objects.exists()


def test_deleting_recordings_and_diagnoses_is_noted(office):
    recording = make_recording(3)
    post("g1", (1, 2), (2, 0), (3, 1))
    LogEntry.objects.all().delete()
    office.post(f"/admin/vibration/recording/{recording.pk}/delete/", {"post": "yes"})
    assert only(Recording).additional_data["samples"] == 3
    assert only(Recording).object_repr == "g1 / sensor1 / default"
    delete_diagnoses(VibrationDiagnosis.objects.all()[:2])
    gone = only(VibrationDiagnosis)
    assert (gone.action, gone.object_repr) == (Action.DELETE, "g1: 2")
    assert {"first", "last", "models"} <= gone.additional_data.keys()


def test_a_recording_deleted_by_command_is_noted(monkeypatch):
    make_recording(3)
    call_command("delete_recording", "g1", "sensor1", no_input=True, verbosity=0)
    assert only(Recording, Action.DELETE).additional_data["system_user"]


def test_old_samples_that_are_removed_are_noted_once_for_each_recording():
    recording = make_recording(3000)
    Recording.objects.update(last_written_at=timezone.now() - timedelta(days=100))
    LogEntry.objects.all().delete()
    call_command("prune_vibration", "--older-than=90d", "--no-input", "--batch-size=1000", "--pause=0")
    entry = only(Recording)
    assert (entry.action, entry.object_id, entry.additional_data["event"]) == (Action.DELETE, recording.pk, "pruned")
    assert (entry.additional_data["samples"], recording.samples.count()) == (3000, 0)


def test_samples_of_captures_that_are_removed_are_noted_once_for_each_machine():
    stored(*(at(days_ago(day), machine=name) for name in ("g1", "g2") for day in (20, 19, 18)))
    LogEntry.objects.all().delete()
    call_command("prune_captures", "--no-input", "--pause=0")
    noted = entries(Capture)
    assert [(it.action, it.object_repr, it.additional_data["event"]) for it in noted] == [
        (Action.DELETE, "g1: 2", "pruned"),
        (Action.DELETE, "g2: 2", "pruned"),
    ]
    assert noted[0].additional_data["captures"] == 2


def test_captures_that_are_deleted_are_noted_one_by_one():
    captures = stored(at(days_ago(2), source="a.wav"), at(days_ago(1)))
    LogEntry.objects.all().delete()
    delete_captures(Capture.objects.all())
    assert [(it.action, it.object_id) for it in entries(Capture)] == [(Action.DELETE, it.pk) for it in captures]
    assert entries(Capture)[0].additional_data["source"] == "a.wav"
    assert entries(CaptureFeatures) == []


def test_rights_of_a_user_are_followed(office, user, roles):
    LogEntry.objects.all().delete()
    path = f"/admin/auth/user/{user.pk}/change/"
    form = opened(office, path, is_staff="on", groups=[roles["collector"].pk])
    assert office.post(path, form).status_code == 302
    changes = {}
    for entry in entries(type(user)):
        for name, change in entry.changes.items():
            changes.setdefault(name, []).append(change)
    assert changes["is_staff"] == [["False", "True"]]
    assert {"type": "m2m", "operation": "add", "objects": ["collector"]} in changes["groups"]
    assert {"type": "m2m", "operation": "delete", "objects": ["viewer"]} in changes["groups"]


def test_a_role_given_from_the_other_side_or_cleared_stands_at_the_user(user, roles):
    LogEntry.objects.all().delete()
    roles["collector"].user_set.add(user)
    user.groups.clear()
    given, taken = entries(type(user))
    assert (given.object_repr, given.changes["groups"]["objects"]) == ("operator", ["collector"])
    # Not all the roles that there are
    assert sorted(taken.changes["groups"]["objects"]) == ["collector", "viewer"]


def test_a_role_that_is_deleted_is_noted_at_those_who_had_it(user, roles):
    LogEntry.objects.all().delete()
    roles["viewer"].delete()
    assert only(type(user)).changes["groups"] == {"type": "m2m", "operation": "delete", "objects": ["viewer"]}
    assert only(Group).action == Action.DELETE


def test_permissions_of_a_role_are_followed(roles):
    LogEntry.objects.all().delete()
    roles["viewer"].permissions.add(Permission.objects.get(codename="add_machine"))
    (added,) = only(Group).changes["permissions"]["objects"]
    assert added.endswith("Can add machine")


def test_a_changed_password_is_noted_without_any_part_of_its_hash(office, user):
    LogEntry.objects.all().delete()
    path = f"/admin/auth/user/{user.pk}/password/"
    assert (
        office.post(path, {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}).status_code == 302
    )
    assert only(type(user)).changes == {"password": ["•••", "•••"]}
    user.refresh_from_db()
    everything = json.dumps(list(LogEntry.objects.values()), default=str)
    assert user.password not in everything
    assert user.password.rpartition("$")[2][-8:] not in everything


def test_a_password_that_is_disabled_is_noted_as_that(office, user):
    user.set_password(PASSWORD)
    user.save()
    LogEntry.objects.all().delete()
    office.post(f"/admin/auth/user/{user.pk}/password/", {"usable_password": "false", "unset-password": "yes"})
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert only(type(user)).additional_data["note"] == "password disabled"


def test_a_hash_that_is_renewed_at_login_is_no_changed_password(user, settings):
    settings.PASSWORD_HASHERS = [name for name in settings.PASSWORD_HASHERS if "MD5" not in name]
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1)
    user.save()
    LogEntry.objects.all().delete()
    Client().post("/login/", {"username": "operator", "password": PASSWORD})
    user.refresh_from_db()
    assert user.password.startswith("argon2")
    renewed = only(type(user), Action.UPDATE)
    assert renewed.additional_data["note"] == "the same password, hashed anew"


def test_tokens_are_followed_without_their_secret(office, user, roles):
    LogEntry.objects.all().delete()
    fields = {"name": "line 3", "user": user.pk, "role": roles["viewer"].pk, "expiry_0": "", "expiry_1": ""}
    text = flat(office.post("/admin/himmes/apitoken/add/", fields))
    text = text.partition('id="token">')[2].partition("<")[0]
    token = ApiToken.objects.get()
    assert only(ApiToken).changes["user"] == ["None", "operator"]
    office.get("/api/machines", headers={"Authorization": f"Bearer {text}"})  # its last use is no change
    office.post(f"/admin/himmes/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert [entry.action for entry in entries(ApiToken)] == [Action.CREATE, Action.DELETE]
    everything = json.dumps(list(LogEntry.objects.values()), default=str)
    assert text not in everything
    assert token.digest not in everything


def test_a_token_made_by_command_is_noted(roles):
    call_command("create_api_token", "collector-1", "--role", "collector")
    assert "system_user" in only(ApiToken).additional_data


def test_logins_are_noted_good_and_bad(boss):
    client = Client(REMOTE_ADDR=ADDRESS)
    client.post("/login/", {"username": "boss", "password": "wrong"})
    client.post("/login/", {"username": "my secret in the wrong field", "password": "x"})
    client.post("/login/", {"username": "boss", "password": PASSWORD})
    client.post("/logout/")
    found = [
        (entry.additional_data["event"], entry.object_repr, entry.remote_addr)
        for entry in entries(type(boss), Action.ACCESS)
    ]
    assert found == [
        ("failed login", "boss", ADDRESS),
        ("failed login", "(unknown name)", ADDRESS),
        ("login", "boss", ADDRESS),
        ("logout", "boss", ADDRESS),
    ]
    assert "secret" not in json.dumps(list(LogEntry.objects.values()), default=str)


def test_what_a_deleted_user_did_stays_readable(office, boss, admin_client):
    office.post("/admin/machines/machine/add/", MACHINE_FORM)
    Machine.objects.update(name="renamed")
    boss.delete()
    entry = only(Machine, Action.CREATE)
    assert entry.actor is None
    page = admin_client.get(f"/admin/auditlog/logentry/{entry.pk}/change/", headers={"Accept-Language": "en"}).text
    assert "boss" in page
    assert "g1 (Pump)" in page
    assert ADDRESS in page
    assert "boss" in admin_client.get("/admin/auditlog/logentry/").text


@pytest.fixture
def trail(office):
    """Some entries of all kinds."""
    office.post("/admin/machines/machine/add/", MACHINE_FORM)
    make_recording(3, machine="g2").delete()
    office.get("/vibration/table/?format=csv")
    Client().post("/login/", {"username": "boss", "password": "wrong"})
    return list(LogEntry.objects.order_by("pk"))


@pytest.mark.parametrize("who", ["boss", "superuser"])
def test_nobody_can_change_or_delete_an_entry(who, trail, office, admin_client):
    client = {"boss": office, "superuser": admin_client}[who]
    base = "/admin/auditlog/logentry/"
    entry = trail[0]
    listed = client.get(base, headers={"Accept-Language": "en"})
    assert listed.status_code == 200
    assert "delete_selected" not in listed.text
    before = list(LogEntry.objects.filter(pk__lte=trail[-1].pk).order_by("pk").values())
    for path in ("add/", f"{entry.pk}/delete/"):
        assert client.get(base + path).status_code == 403
        assert client.post(base + path, {"post": "yes"}).status_code == 403
    assert client.post(f"{base}{entry.pk}/change/", {"object_repr": "x"}).status_code == 403
    client.post(base, {"action": "delete_selected", "_selected_action": [it.pk for it in trail], "post": "yes"})
    assert list(LogEntry.objects.filter(pk__lte=trail[-1].pk).order_by("pk").values()) == before


def test_only_administrators_read_it(trail, roles, django_user_model, client):
    for role in ("viewer", "collector", "diagnoser"):
        person = django_user_model.objects.create_user(f"{role}-person", is_staff=True)
        person.groups.add(roles[role])
        client.force_login(person)
        assert client.get("/admin/auditlog/logentry/").status_code == 403
    person.groups.set([roles["administrator"]])
    assert client.get("/admin/auditlog/logentry/").status_code == 200


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_entry_can_be_opened_searched_and_filtered(language, trail, office):
    speaks = {"Accept-Language": language}
    base = "/admin/auditlog/logentry/"
    for entry in trail:
        assert office.get(f"{base}{entry.pk}/change/", headers=speaks).status_code == 200

    def shown(**query) -> int:
        answer = office.get(base, query, headers=speaks)
        assert answer.status_code == 200
        return answer.context["cl"].result_count

    assert shown() == len(LogEntry.objects.all())
    assert shown(q="boss") == LogEntry.objects.filter(additional_data__actor="boss").count() + 1  # and the failed login
    assert shown(q=ADDRESS) >= 3
    assert shown(q="no such thing") == 0
    assert shown(what="export") == 1
    assert shown(what="failed login") == 1
    assert shown(what=str(Action.DELETE)) == 1
    assert shown(about="machines.machine") == 2
    assert shown(actor__id__exact=trail[0].actor.pk) >= 3


def test_an_address_that_is_none_is_not_stored(settings, boss):
    """As behind a socket file, or where a header is forged that no proxy writes."""
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    client = Client(headers={"X-Forwarded-For": "x" * 300})
    assert client.post("/login/", {"username": "boss", "password": PASSWORD}).status_code == 302
    assert only(type(boss), Action.ACCESS).remote_addr is None
