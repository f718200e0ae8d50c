"""Logging in and out: how often it may fail, how long it lasts, and which passwords there may be."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from auditlog.models import LogEntry
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from common.addresses import counted_address_of
from himmes.accounts.models import InitialPassword
from himmes.api.tests.api_world import make_program
from himmes.tests.admin_world import opened

pytestmark = pytest.mark.django_db
PASSWORD = "several words of no sense"
ANOTHER = "quite a different sentence"


@pytest.fixture
def user(user):
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def boss(roles, django_user_model):
    """An administrator who may use the admin, but no superuser."""
    person = django_user_model.objects.create_user("boss", password=PASSWORD, is_staff=True)
    person.groups.add(roles["administrator"])
    return person


def log_in(name: str, password: str, address: str = "192.0.2.1", client: Client | None = None) -> int:
    answer = (client or Client()).post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)
    return answer.status_code


OK, WRONG, LOCKED = 302, 200, 429


# --- How often it may fail


def test_five_failures_of_a_name_lock_it_at_this_address_only(user):
    assert [log_in("operator", "wrong") for _ in range(5)] == [WRONG] * 4 + [LOCKED]
    assert log_in("operator", PASSWORD) == LOCKED
    assert log_in("operator", PASSWORD, "192.0.2.2") == OK
    assert log_in("somebody", "wrong") == WRONG


def test_an_address_that_tries_many_names_is_locked_out_under_all_of_them(user, settings):
    settings.LOGIN_FAILURE_LIMITS = (5, 7, 100)
    assert [log_in(f"name{number}", "wrong") for number in range(7)] == [WRONG] * 6 + [LOCKED]
    assert log_in("operator", PASSWORD) == LOCKED
    assert log_in("operator", PASSWORD, "192.0.2.2") == OK


def test_a_name_that_is_tried_from_many_addresses_is_locked_everywhere(user, settings):
    settings.LOGIN_FAILURE_LIMITS = (5, 50, 7)
    tried = [log_in("operator", "wrong", f"192.0.2.{number}") for number in range(7)]
    assert tried == [WRONG] * 6 + [LOCKED]
    assert log_in("operator", PASSWORD, "198.51.100.1") == LOCKED
    assert log_in("somebody", "wrong", "198.51.100.1") == WRONG


def test_the_limits_of_the_settings_are_the_documented_ones(settings):
    assert settings.LOGIN_FAILURE_LIMITS == (5, 50, 100)
    assert timedelta(minutes=15) == settings.AXES_COOLOFF_TIME


def test_one_address_alone_can_not_lock_a_name_elsewhere(user, settings):
    """What is tried during a lock is not counted; else five addresses less would be needed with each try."""
    settings.LOGIN_FAILURE_LIMITS = (5, 50, 7)
    for _ in range(20):
        log_in("operator", "wrong")
    assert AccessAttempt.objects.get().failures_since_start == 5
    assert log_in("operator", PASSWORD, "192.0.2.2") == OK


def test_tries_during_a_lock_do_not_flood_the_trail(user):
    for _ in range(20):
        log_in("operator", "wrong")
    noted = LogEntry.objects.filter(additional_data__event="failed login").order_by("pk")
    assert [entry.additional_data["locked_out"] for entry in noted] == [False] * 4 + [True]


def test_a_lock_ends_after_fifteen_minutes(user):
    for _ in range(5):
        log_in("operator", "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert log_in("operator", PASSWORD) == LOCKED
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert log_in("operator", PASSWORD) == OK


def test_the_address_behind_a_proxy_is_the_one_that_the_proxy_wrote(user, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}

    def try_from(address: str, password: str) -> int:
        client = Client(headers={"X-Forwarded-For": f"10.9.9.9, {address}"})
        return log_in("operator", password, "127.0.0.1", client)

    assert [try_from("192.0.2.1", "wrong") for _ in range(5)][-1] == LOCKED
    assert try_from("192.0.2.1", PASSWORD) == LOCKED
    assert try_from("192.0.2.2", PASSWORD) == OK


def test_the_login_of_the_admin_has_the_same_limits(user):
    path = "/admin/login/"
    tried = [Client().post(path, {"username": "operator", "password": "wrong"}).status_code for _ in range(5)]
    assert tried == [WRONG] * 4 + [LOCKED]
    assert log_in("operator", PASSWORD, "127.0.0.1") == LOCKED


def test_a_locked_answer_says_when_to_try_again_and_is_a_page_for_scripts_too(user):
    for _ in range(5):
        log_in("operator", "wrong")
    scripted = Client(headers={"X-Requested-With": "XMLHttpRequest"})
    answer = scripted.post("/login/", {"username": "operator", "password": "x"}, REMOTE_ADDR="192.0.2.1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (LOCKED, "900")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_administrator_unlocks_and_the_trail_says_so(user, boss, client):
    for _ in range(5):
        log_in("operator", "wrong")
    client.force_login(boss)
    attempt = AccessAttempt.objects.get()
    assert "operator" in client.get("/admin/axes/accessattempt/").text
    client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"})
    assert log_in("operator", PASSWORD) == OK
    entry = LogEntry.objects.get(additional_data__event="unlocked")
    assert (entry.actor, entry.object_repr) == (boss, "operator")


def test_a_name_that_no_user_has_is_not_shown_as_it_may_be_a_password(user, boss, client):
    log_in("operator", "wrong")
    log_in(PASSWORD, "operator")
    client.force_login(boss)
    attempt = AccessAttempt.objects.get(username=PASSWORD)
    page = "/admin/axes/accessattempt/"
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    pages = [client.get(page).text, *(client.get(f"{page}{attempt.pk}/{what}/").text for what in ("change", "delete"))]
    assert "operator" in pages[0]
    assert "(unknown name)" in pages[0] and "(unknown name)" in pages[1]
    assert not any(PASSWORD in it for it in pages)
    assert "192.0.2.1" not in client.get(page, {"q": "several"}).text
    assert "192.0.2.1" in client.get(page, {"q": "192.0.2"}).text


def test_the_addresses_of_one_ipv6_network_are_counted_as_one_and_noted_as_they_are(user):
    tried = [log_in("operator", "wrong", f"2001:db8:1:2::{number}") for number in range(1, 6)]
    assert tried == [WRONG] * 4 + [LOCKED]
    assert log_in("operator", PASSWORD, "2001:db8:1:2:ffff::9") == LOCKED
    assert log_in("operator", PASSWORD, "2001:db8:1:3::1") == OK
    noted = LogEntry.objects.filter(additional_data__event="failed login").order_by("pk")
    assert [entry.remote_addr for entry in noted] == [f"2001:db8:1:2::{number}" for number in range(1, 6)]


def test_ipv4_addresses_that_are_written_as_ipv6_are_counted_each(rf):
    def counted(address):
        return counted_address_of(rf.get("/", REMOTE_ADDR=address))

    assert counted("::ffff:192.0.2.1") == counted("192.0.2.1") == "192.0.2.1"
    assert counted("fe80::1%eth0") == "fe80::"
    assert counted("") is None


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(user):
    def said(name: str) -> str:
        page = Client(headers={"Accept-Language": "en"}).post("/login/", {"username": name, "password": "wrong"}).text
        return re.search(r'role="alert">(.*?)<', page)[1]

    assert said("operator") == said("nobody")


def test_a_right_password_is_no_failure_though_it_is_counted_before_it_is_looked_at(user):
    assert [log_in("operator", "wrong") for _ in range(4)] == [WRONG] * 4
    for _ in range(10):
        assert log_in("operator", PASSWORD) == OK
    assert AccessAttempt.objects.get().failures_since_start == 4
    assert log_in("operator", "wrong") == LOCKED


def test_a_right_password_of_somebody_who_may_not_use_the_admin_is_no_failure(user):
    for _ in range(6):
        answer = Client().post("/admin/login/", {"username": "operator", "password": PASSWORD})
        assert answer.status_code == WRONG
    assert not AccessAttempt.objects.exists()


def test_a_try_that_the_database_did_not_let_come_to_its_end_is_no_failure(user, monkeypatch):
    def fail(*args, **more):
        raise OperationalError("database is locked")

    monkeypatch.setattr("django.contrib.auth.backends.ModelBackend.authenticate", fail)
    client = Client(raise_request_exception=False)
    assert log_in("operator", PASSWORD, client=client) == 503
    assert not AccessAttempt.objects.exists()


def test_tries_that_lie_behind_a_right_one_are_forgotten_in_their_own_time(user):
    """A right password does not move the end of what had failed before."""
    log_in("operator", "wrong")
    failed_at = timezone.now() - timedelta(minutes=14)
    AccessAttempt.objects.update(attempt_time=failed_at)
    log_in("operator", PASSWORD)
    assert AccessAttempt.objects.get().attempt_time == failed_at


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_who_knows_a_password_can_not_flood_the_trail_by_logging_in_again_and_again(boss, monkeypatch, page):
    monkeypatch.setattr("himmes.accounts.login_limits.LOGINS", 3)
    client = Client(headers={"Accept-Language": "en"})
    form = {"username": "boss", "password": PASSWORD, "next": "/"}
    assert [client.post(page, form).status_code for _ in range(4)] == [302, 302, 302, 200]
    assert "Try again in 15 min." in client.post(page, form).text
    assert LogEntry.objects.filter(additional_data__event="login").count() == 3
    assert not AccessAttempt.objects.exists()  # refused, but not failed


# --- Passwords


def test_new_passwords_are_hashed_with_argon2_and_old_hashes_are_renewed_at_login(user, settings):
    settings.PASSWORD_HASHERS = [name for name in settings.PASSWORD_HASHERS if "MD5" not in name]
    user.set_password(PASSWORD)
    assert user.password.startswith("argon2$argon2id$")
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1000)
    user.save()
    assert log_in("operator", PASSWORD) == OK
    user.refresh_from_db()
    assert identify_hasher(user.password).algorithm == "argon2"
    assert log_in("operator", PASSWORD) == OK


@pytest.mark.parametrize(
    "password",
    [
        "tooshort#7k",
        "123456789012",
        "passwordpassword",
        "Himmes!2026",
        "himmes123456",
        "vibration-2026",
        "machine12345",
        "qwertyuiop[]",
        "aaaaaaaaaaaaaaaa",
        "진동진동진동진동진동진동",
        "operator2026",
        "sojdlg123aljg",  # in Django's list of common ones
    ],
)
def test_a_weak_password_is_refused(user, password):
    with pytest.raises(ValidationError):
        validate_password(password, user)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "우리공장비밀번호는길다구요",
        "nqzkwpxvtrjm",
        "830274619358",  # any composition will do
        "#%&)(/&%$=?!+",
        " spaces at both ends ",
        "twelve blue lamps wander beyond an honest kettle " * 4,
    ],
)
def test_a_password_of_any_composition_and_length_will_do(user, password):
    validate_password(password, user)
    user.set_password(password)
    user.save()
    assert log_in("operator", password) == OK  # exactly as it was sent
    assert log_in("operator", password[:-1]) == WRONG


def test_a_user_changes_his_password_and_his_other_logins_end(user):
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        assert log_in("operator", PASSWORD, client=client) == OK
    form = {"old_password": "wrong", "new_password1": ANOTHER, "new_password2": ANOTHER}
    assert here.post("/password/", form).status_code == 200  # the present one is asked for
    assert here.post("/password/", form | {"old_password": PASSWORD}).status_code == 302
    assert here.get("/password/changed/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert log_in("operator", ANOTHER) == OK


def test_password_fields_are_masked_and_can_be_filled_by_a_password_manager(user):
    client = Client()
    fields = client.get("/login/").text
    client.force_login(user)
    fields = re.findall(r'<input[^>]*type="password"[^>]*>', fields + client.get("/password/").text)
    assert len(fields) == 4
    for field in fields:
        assert re.search(r'autocomplete="(current|new)-password"', field)
        assert "onpaste" not in field
        assert "maxlength" not in field


def test_the_first_administrator_has_to_choose_his_own_password(client):
    out = StringIO()
    call_command("create_first_admin", username="kim", stdout=out)
    given = out.getvalue().split("password: ")[1].split()[0]
    validate_password(given)
    assert log_in("kim", given, client=client) == OK
    for path in ("/", "/admin/", "/vibration/", "/api/docs"):
        answer = client.get(path)
        expected = 403 if path.startswith("/api") else 302
        assert answer.status_code == expected, path
        assert path.startswith("/api") or answer.headers["Location"] == "/password/"
    assert client.get("/password/", headers={"Accept-Language": "en"}).text.count("was set by someone else") == 1
    form = {"old_password": given, "new_password1": given, "new_password2": given}
    assert client.post("/password/", form).status_code == 200  # the same again is none of his own
    form |= {"new_password1": ANOTHER, "new_password2": ANOTHER}
    assert client.post("/password/", form).status_code == 302
    assert client.get("/admin/").status_code == 200
    again = Client()
    assert log_in("kim", ANOTHER, client=again) == OK
    assert again.get("/").status_code == 200
    assert not InitialPassword.objects.exists()


def test_a_password_that_an_administrator_gives_is_an_initial_one(boss, user, client):
    client.force_login(boss)
    form = {"username": "new", "password1": ANOTHER, "password2": ANOTHER, "usable_password": "true"}
    assert client.post("/admin/auth/user/add/", form).status_code == 302
    client.post(f"/admin/auth/user/{user.pk}/password/", form)
    assert {it.user.username for it in InitialPassword.objects.all()} == {"new", "operator"}
    path = f"/admin/auth/user/{user.pk}/change/"
    assert client.post(path, opened(client, path, first_name="x")).status_code == 302
    assert InitialPassword.objects.count() == 2  # no password was given with that


def test_ones_own_password_is_changed_in_the_admin_with_the_present_one_only(boss, client):
    client.force_login(boss)
    form = {"password1": ANOTHER, "password2": ANOTHER, "usable_password": "true"}
    for number in (boss.pk, f"0{boss.pk}"):  # both find the user
        path = f"/admin/auth/user/{number}/password/"
        assert client.get(path).headers["Location"] == "/admin/password_change/"
        client.post(path, form)
        boss.refresh_from_db()
        assert boss.check_password(PASSWORD)
    assert client.get("/admin/password_change/").headers["Location"] == "/password/"


def test_five_wrong_present_passwords_end_the_login_and_are_noted(user):
    client = Client()
    client.force_login(user)
    form = {"old_password": "wrong", "new_password1": ANOTHER, "new_password2": ANOTHER}
    assert client.post("/password/", form | {"old_password": PASSWORD, "new_password1": "x"}).status_code == 200
    assert [client.post("/password/", form).status_code for _ in range(4)] == [200] * 4
    assert client.post("/password/", form).headers["Location"] == "/login/"
    noted = LogEntry.objects.get(additional_data__event="failed login")
    assert (noted.actor, noted.object_repr, noted.additional_data["failures"]) == (user, "operator", 5)
    assert client.post("/password/", form | {"old_password": PASSWORD}).headers["Location"].startswith("/login/")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_right_present_password_begins_the_count_of_wrong_ones_anew(user):
    client = Client()
    client.force_login(user)
    form = {"old_password": "wrong", "new_password1": ANOTHER, "new_password2": ANOTHER}
    for _ in range(3):
        assert [client.post("/password/", form).status_code for _ in range(4)] == [200] * 4
        client.post("/password/", form | {"old_password": PASSWORD, "new_password1": "short"})
    assert client.get("/").status_code == 200


def test_who_changes_his_password_again_and_again_is_stopped(user, monkeypatch):
    monkeypatch.setattr("himmes.accounts.views.NEW_PASSWORDS", 2)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    for number in range(3):
        form = {"old_password": PASSWORD if number == 0 else f"{ANOTHER} {number - 1}"}
        form |= {"new_password1": f"{ANOTHER} {number}", "new_password2": f"{ANOTHER} {number}"}
        answer = client.post("/password/", form)
    assert answer.status_code == 200
    assert "too often" in answer.text
    user.refresh_from_db()
    assert user.check_password(f"{ANOTHER} 1")


@pytest.mark.parametrize("by", ["himself", "an administrator"])
def test_a_password_is_not_stored_without_the_note_whose_choice_it_is(user, boss, client, monkeypatch, by):
    def fail(*args):
        raise OperationalError("database is locked")

    monkeypatch.setattr("himmes.accounts.views.own_password_chosen", fail)
    monkeypatch.setattr("himmes.accounts.admin_users.give_initial_password", fail)
    client.raise_request_exception = False
    client.force_login(user if by == "himself" else boss)
    path = "/password/" if by == "himself" else f"/admin/auth/user/{user.pk}/password/"
    new = {"new_password1": ANOTHER, "new_password2": ANOTHER, "password1": ANOTHER, "password2": ANOTHER}
    assert client.post(path, new | {"old_password": PASSWORD, "usable_password": "true"}).status_code == 503
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


# --- Sessions


def test_a_login_gets_a_new_session_and_a_logout_ends_it(user):
    client = Client()
    log_in("operator", PASSWORD, client=client)
    first = client.cookies["sessionid"].value
    assert len(first) == 32  # of 36 letters and digits: 165 bits
    log_in("operator", PASSWORD, client=client)
    second = client.cookies["sessionid"].value
    assert first != second
    stolen = Client()
    stolen.cookies["sessionid"] = second
    assert stolen.get("/").status_code == 200
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Clear-Site-Data"] == '"cache"'
    assert stolen.get("/").status_code == 302
    stolen.cookies["sessionid"] = first
    assert stolen.get("/").status_code == 302


def test_sessions_of_a_user_who_is_not_active_or_deleted_are_over_at_once(user):
    client = Client()
    log_in("operator", PASSWORD, client=client)
    get_user_model().objects.update(is_active=False)
    assert client.get("/").status_code == 302
    assert client.get("/api/machines").status_code == 401
    get_user_model().objects.update(is_active=True)
    assert client.get("/").status_code == 200
    user.delete()
    assert client.get("/").status_code == 302


def test_a_login_in_use_goes_on_without_a_write_for_each_request(user, django_assert_num_queries):
    client = Client()
    log_in("operator", PASSWORD, client=client)

    def expiry():
        return Session.objects.get().expire_date

    begun = expiry()
    assert timedelta(hours=11.9) < begun - timezone.now() <= timedelta(hours=12)
    client.get("/diagnosis/")
    assert expiry() == begun
    session = client.session
    session["renewed"] -= 6 * 3600 + 60
    session.save()
    shortened = timezone.now() + timedelta(hours=5.9)
    Session.objects.update(expire_date=shortened)
    client.get("/diagnosis/")
    assert expiry() > shortened + timedelta(hours=6)
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/diagnosis/").status_code == 302


def test_a_token_call_makes_no_session(roles):
    program = make_program(roles, "viewer")
    answer = program.get("machines")
    assert not answer.cookies
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_nothing_leads_to_another_site(user, next_page):
    client = Client()
    form = {"username": "operator", "password": PASSWORD, "next": next_page}
    assert client.post("/login/", form).headers["Location"] == "/"
    answer = client.post("/i18n/setlang/", {"language": "en", "next": next_page})
    assert answer.headers["Location"] == "/"
    assert client.post("/logout/", {"next": next_page}).headers["Location"] == "/login/"


# --- Who may change whom


def test_an_administrator_can_not_make_himself_a_superuser_nor_change_one(boss, admin_user, client):
    client.force_login(boss)
    path = f"/admin/auth/user/{boss.pk}/change/"
    form = opened(client, path, is_superuser="on", first_name="Kim", user_permissions=[1])
    assert client.post(path, form).status_code == 302
    boss.refresh_from_db()
    assert (boss.first_name, boss.is_superuser) == ("Kim", False)
    assert not boss.user_permissions.exists()
    above = f"/admin/auth/user/{admin_user.pk}"
    assert client.post(f"{above}/change/", {"username": "admin"}).status_code == 403
    assert client.get(f"{above}/password/").status_code == 403
    assert client.post(f"{above}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [admin_user.pk, boss.pk], "post": "yes"}
    client.post("/admin/auth/user/", chosen)
    assert get_user_model().objects.filter(pk__in=[admin_user.pk, boss.pk]).count() == 2


def test_a_superuser_may_but_nobody_deletes_himself(user, admin_user, admin_client):
    path = f"/admin/auth/user/{user.pk}/change/"
    assert admin_client.post(path, opened(admin_client, path, is_superuser="on")).status_code == 302
    user.refresh_from_db()
    assert user.is_superuser
    assert admin_client.post(f"/admin/auth/user/{admin_user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}).status_code == 302


def test_reloading_the_answer_makes_no_second_token(roles, admin_client, user):
    page = admin_client.get("/admin/himmes/apitoken/add/").text
    once = re.search(r'name="once" value="([^"]+)"', page)[1]
    fields = {"name": "x", "user": user.pk, "role": roles["viewer"].pk, "expiry_0": "", "expiry_1": "", "once": once}
    assert admin_client.post("/admin/himmes/apitoken/add/", fields).status_code == 200
    assert admin_client.post("/admin/himmes/apitoken/add/", fields).status_code == 302
    assert user.auth_token_set.count() == 1
    other = re.search(r'name="once" value="([^"]+)"', admin_client.get("/admin/himmes/apitoken/add/").text)[1]
    assert admin_client.post("/admin/himmes/apitoken/add/", fields | {"once": other}).status_code == 200
