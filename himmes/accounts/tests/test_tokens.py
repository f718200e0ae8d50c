"""API tokens: made by command and in the administration, kept as hashes, limited in time."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from common.tests.html import flat
from himmes.accounts.models import ApiToken
from himmes.api.tests.api_world import Program, make_program

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_api_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def status(text: str) -> int:
    return Program(text, Client()).get("machines").status_code


def test_the_command_prints_the_token_alone_and_makes_the_user(roles):
    out, err = create("collector-1", "--role", "collector")
    assert out == out.strip() + "\n"
    assert status(out.strip()) == 200
    user = get_user_model().objects.get()
    assert (user.username, user.has_usable_password(), user.is_staff) == ("collector-1", False, False)
    assert [group.name for group in user.groups.all()] == ["collector"]
    assert "expires: never" in err
    assert out.strip() not in err


def test_only_a_hash_is_stored(roles):
    text = create("collector-1", "--role", "collector")[0].strip()
    token = ApiToken.objects.get()
    assert len(token.digest) == 128
    assert all(text not in str(value) for value in ApiToken.objects.values().get().values())
    assert text not in str(token)


def test_a_second_token_of_a_user_does_not_end_the_first(roles):
    first, second = (create("ai", "--role", "diagnoser", "--name", name)[0].strip() for name in ("a", "b"))
    assert first != second
    ApiToken.objects.get(name="a").delete()
    assert (status(first), status(second)) == (401, 200)


def test_a_token_expires(roles):
    text = create("collector-1", "--role", "collector", "--expires", "90d")[0].strip()
    token = ApiToken.objects.get()
    assert abs(token.expiry - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert status(text) == 200
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    answer = Program(text, Client()).get("machines")
    assert answer.status_code == 401
    assert "expired at" in answer.json()["detail"]
    assert ApiToken.objects.exists()  # a person can see which one it was


def test_the_last_use_is_kept_to_the_minute(roles, django_assert_num_queries):
    program = make_program(roles, "viewer")
    assert ApiToken.objects.get().last_used is None
    program.get("machines")
    first = ApiToken.objects.get().last_used
    assert timezone.now() - first < timedelta(minutes=1)
    program.get("machines")
    assert ApiToken.objects.get().last_used == first  # no write for every request
    ApiToken.objects.update(last_used=timezone.now() - timedelta(minutes=2))
    program.get("machines")
    assert ApiToken.objects.get().last_used >= first


def test_a_user_who_is_not_active_gets_in_with_no_token(roles):
    program = make_program(roles, "viewer")
    get_user_model().objects.update(is_active=False)
    assert program.get("machines").status_code == 401
    with pytest.raises(CommandError, match="not active"):
        create("viewer-program", "--role", "viewer")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--role", "king"], "no role king. Roles: administrator, collector, diagnoser, operator, viewer"),
        (["x", "--role", "viewer", "--expires", "soon"], "--expires"),
        (["x", "--role", "viewer", "--expires", "2020-01-01T00:00:00"], "is in the past"),
        (["x y", "--role", "viewer"], "valid username"),
        (["x", "--role", "viewer", "--expires", "99999d", "--name", "n" * 101], "name"),
    ],
)
def test_wrong_arguments_are_explained_and_leave_nothing_behind(roles, arguments, said):
    with pytest.raises(CommandError, match=said):
        create(*arguments)
    assert not get_user_model().objects.exists()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer x",
        "Bearer a b",
        "bearer \xff",
        "Basic eDp5",
        "Token x",
        "",
        "Bearer " + "9" * 64,
        "Bearer \x00",
    ],
)
def test_no_wrong_header_gets_in(roles, header):
    assert Client().get("/api/machines", headers={"Authorization": header}).status_code == 401


def test_the_administration_makes_a_token_and_shows_it_once(roles, admin_client, user):
    fields = {"name": "line 3", "user": user.pk, "role": roles["viewer"].pk, "expiry_0": "", "expiry_1": ""}
    answer = admin_client.post("/admin/himmes/apitoken/add/", fields)
    assert answer.status_code == 200, answer.headers
    text = flat(answer).partition('id="token">')[2].partition("<")[0]
    assert status(text) == 200
    assert "no-store" in answer.headers["Cache-Control"]
    token = ApiToken.objects.get()
    for page in ("", f"{token.pk}/change/"):
        content = admin_client.get(f"/admin/himmes/apitoken/{page}").content.decode()
        assert "line 3" in content
        assert text not in content
        assert token.digest not in content
    admin_client.post(f"/admin/himmes/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert status(text) == 401


def test_the_administration_refuses_a_token_that_could_do_nothing(roles, admin_client, user):
    fields = {"name": "x", "user": user.pk, "role": roles["collector"].pk, "expiry_0": "2020-01-01", "expiry_1": "0:0"}
    content = admin_client.post("/admin/himmes/apitoken/add/", fields, headers={"Accept-Language": "en"}).content
    assert b"does not have this role" in content
    assert b"is in the past" in content
    assert not ApiToken.objects.exists()


def test_a_user_that_can_not_be_is_an_error_of_the_form(roles, admin_client):
    """Django's field with a search fails to draw such a value again: found by the scanner."""
    fields = {"name": "x", "user": "http://evil.example", "role": roles["viewer"].pk}
    assert admin_client.post("/admin/himmes/apitoken/add/", fields).status_code == 200
    assert not ApiToken.objects.exists()


def test_an_administrator_who_is_staff_may_make_tokens(roles, client, django_user_model):
    person = django_user_model.objects.create_user("boss", is_staff=True)
    person.groups.add(roles["administrator"])
    client.force_login(person)
    assert client.get("/admin/himmes/apitoken/add/").status_code == 200
    assert client.get("/admin/machines/machine/add/").status_code == 200
    person.groups.set([roles["viewer"]])
    assert client.get("/admin/himmes/apitoken/").status_code == 403


def test_only_a_superuser_makes_a_token_in_a_superusers_name(roles, client, admin_user, django_user_model):
    boss = django_user_model.objects.create_user("boss", is_staff=True)
    boss.groups.add(roles["administrator"])
    fields = {"name": "x", "user": admin_user.pk, "role": roles["viewer"].pk, "expiry_0": "", "expiry_1": ""}
    for person, made in ((boss, False), (admin_user, True)):
        client.force_login(person)
        client.post("/admin/himmes/apitoken/add/", fields)
        assert ApiToken.objects.exists() == made
