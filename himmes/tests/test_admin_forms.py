"""Forms in which several people edit the same: what one has changed meanwhile is not wiped without a word."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, models
from django.test import Client, RequestFactory

from common.admin.forms import ToldOfChanges
from himmes.api.tests.api_world import make_program
from himmes.tests.admin_world import opened
from machines.models import Machine, RegisteredBy, Sensor
from machines.registering import register_sensor

pytestmark = pytest.mark.django_db
SAVED, SHOWN_AGAIN = 302, 200


@pytest.fixture
def machine():
    sensor = register_sensor("g1", "sensor1", registered_by=RegisteredBy.API)
    Machine.objects.update(title="Pump", location="Hall A")
    sensor.machine.refresh_from_db()
    return sensor.machine


def office(roles, name: str, language: str = "en") -> Client:
    """The browser of an administrator of his own."""
    person = get_user_model().objects.create_user(name, is_staff=True)
    person.groups.add(roles["administrator"])
    client = Client(headers={"Accept-Language": language})
    client.force_login(person)
    return client


@pytest.fixture
def kim(roles):
    return office(roles, "kim")


@pytest.fixture
def lee(roles):
    return office(roles, "lee")


def address(obj) -> str:
    return f"/admin/{obj._meta.app_label}/{obj._meta.model_name}/{obj.pk}/change/"


def test_the_later_of_two_saves_is_told_of_the_first_and_wipes_nothing(kim, lee, machine):
    path = address(machine)
    of_kim, of_lee = opened(kim, path, title="Feed pump"), opened(lee, path, location="Hall B")
    assert kim.post(path, of_kim).status_code == SAVED
    answer = lee.post(path, of_lee)
    assert answer.status_code == SHOWN_AGAIN
    assert (
        "While this form was open, kim changed: title (now: Feed pump). Your changes are not saved yet" in answer.text
    )
    assert 'value="Hall B"' in answer.text and 'value="Pump"' in answer.text  # what he entered is kept
    machine.refresh_from_db()
    assert (machine.title, machine.location) == ("Feed pump", "Hall A")


def test_who_was_told_may_save_all_the_same(kim, lee, machine):
    path = address(machine)
    of_lee = opened(lee, path, location="Hall B")
    kim.post(path, opened(kim, path, title="Feed pump"))
    told = lee.post(path, of_lee)
    again = of_lee | {"drawn": told.context["drawn"]}
    assert lee.post(path, again).status_code == SAVED
    machine.refresh_from_db()
    assert (machine.title, machine.location) == ("Pump", "Hall B")
    # The next one is told of that in turn.
    assert lee.post(path, of_lee).status_code == SHOWN_AGAIN


@pytest.mark.parametrize("name", ["g1\nBcc: mallory@example.org", "g\u202e1", "g1\x07", "g\u200b1"], ids=ascii)
def test_a_name_with_what_nobody_sees_is_refused(kim, machine, name):
    path = address(machine)
    answer = kim.post(path, opened(kim, path, name=name))
    assert answer.status_code == SHOWN_AGAIN
    assert "There are invisible characters in it" in answer.text
    assert Machine.objects.get().name == "g1"


def test_it_is_told_in_korean_too(roles, kim, machine):
    lee, path = office(roles, "lee", "ko"), address(machine)
    of_lee = opened(lee, path, location="Hall B")
    kim.post(path, opened(kim, path, is_active="", title="Feed pump"))
    text = lee.post(path, of_lee).text
    assert "kim" in text and "표시 이름(현재: Feed pump)" in text and "아직 저장되지 않았지만" in text


def test_an_ordinary_mistake_is_told_as_ever_and_the_form_stays_of_its_time(kim, lee, machine):
    path = address(machine)
    of_lee = opened(lee, path, name="", location="Hall B")
    first = lee.post(path, of_lee)
    assert "This field is required." in first.text and "While this form was open" not in first.text
    kim.post(path, opened(kim, path, title="Feed pump"))
    assert "kim changed" in lee.post(path, of_lee | {"name": "g1", "drawn": first.context["drawn"]}).text


def test_sensors_within_the_form_of_their_machine_are_looked_at_too(kim, lee, machine, roles):
    path, sensor = address(machine), machine.sensors.get()
    of_lee = opened(lee, path, **{"sensors-0-unit": "mm/s"})
    program = make_program(roles, "administrator")
    assert program("PATCH", f"sensors/{sensor.pk}", {"position": "gearbox"}).status_code == 200
    text = lee.post(path, of_lee).text
    assert "administrator-program / administrator (" in text  # the token by which it was done
    assert "g1 / sensor1: position (now: gearbox)" in text
    sensor.refresh_from_db()
    assert (sensor.position, sensor.unit) == ("gearbox", "")


def test_a_sensor_that_was_deleted_meanwhile_is_told(kim, lee, machine):
    path, sensor = address(machine), machine.sensors.get()
    of_lee = opened(lee, path, title="Feed pump")
    assert kim.post(path, opened(kim, path, **{"sensors-0-DELETE": "on"})).status_code == SAVED
    assert f"kim changed: sensor no. {sensor.pk} (deleted)" in lee.post(path, of_lee).text


def test_what_was_added_meanwhile_is_in_nobodys_way(lee, machine):
    path = address(machine)
    of_lee = opened(lee, path, title="Feed pump")
    register_sensor("g1", "sensor2", registered_by=RegisteredBy.API)
    assert lee.post(path, of_lee).status_code == SAVED
    assert Sensor.objects.count() == 2


def test_roles_of_a_user_and_rights_of_a_role(kim, lee, roles, user):
    path = address(user)
    of_lee = opened(lee, path, first_name="Minho")
    both = [str(roles[name].pk) for name in ("viewer", "collector")]
    assert kim.post(path, opened(kim, path, groups=both)).status_code == SAVED
    assert "kim changed: groups (now: collector, viewer)" in lee.post(path, of_lee).text
    assert {group.name for group in user.groups.all()} == {"viewer", "collector"}


def test_rights_of_a_role(admin_client, roles):
    role = Group.objects.get(name="viewer")
    path = address(role)
    first, second = opened(admin_client, path, permissions=[]), opened(admin_client, path, name="reader")
    assert admin_client.post(path, first).status_code == SAVED
    answer = admin_client.post(path, second, headers={"Accept-Language": "en"})
    assert "admin changed: permissions (now: –)" in answer.text  # by oneself in another tab, just the same


def test_a_login_meanwhile_is_no_change_of_the_user(kim, user):
    path = address(user)
    of_kim = opened(kim, path, first_name="Minho")
    Client().force_login(user)
    user.refresh_from_db()
    assert user.last_login
    assert kim.post(path, of_kim).status_code == SAVED


@pytest.mark.parametrize("drawn", ["", "x", "x:y:z"])
def test_a_form_that_does_not_tell_its_time_is_shown_again(kim, machine, drawn):
    path = address(machine)
    answer = kim.post(path, opened(kim, path, title="Feed pump", drawn=drawn))
    assert "It is not known when this form was opened." in answer.text
    machine.refresh_from_db()
    assert machine.title == "Pump"
    again = opened(kim, path, title="Feed pump", drawn=answer.context["drawn"])
    assert kim.post(path, again).status_code == SAVED


def test_what_another_machine_was_says_nothing_of_this_one(kim, machine):
    other = Machine.objects.create(name="g2")
    form = opened(kim, address(machine), title="Feed pump", drawn=opened(kim, address(other))["drawn"])
    assert "is not known when this form was opened" in kim.post(address(machine), form).text


def test_in_a_list_a_row_that_nobody_touched_is_not_saved(kim, lee, machine):
    """The tick of one machine does not bring back another that was taken out of use meanwhile."""
    Machine.objects.create(name="g2")
    path = "/admin/machines/machine/"
    of_lee = opened(lee, path)
    kim.post(address(machine), opened(kim, address(machine)) | {"is_active": ""})
    del of_lee["form-1-is_active"]
    assert lee.post(path, of_lee | {"_save": "Save"}).status_code == SAVED
    assert dict(Machine.objects.values_list("name", "is_active")) == {"g1": False, "g2": False}


def test_each_form_and_list_that_changes_something_is_protected():
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_active=True)
    editable = [it for it in admin.site._registry.values() if it.has_change_permission(request)]
    assert {it.opts.label_lower for it in editable} >= {"machines.machine", "auth.user", "auth.group"}
    assert [it for it in editable if not isinstance(it, ToldOfChanges)] == []
    # Of two that tick the same box, the later one overrules nobody. Anything else in a list would have to be told.
    listed = [it.opts.get_field(name) for it in editable for name in it.list_editable]
    assert listed and all(isinstance(field, models.BooleanField) for field in listed)


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_the_same_time_one_is_told(roles):
    sensor = register_sensor("g1", "sensor1", registered_by=RegisteredBy.API)
    path, start = address(sensor.machine), Barrier(2)

    def save(name: str) -> int:
        try:
            client = office(roles, name)
            form = opened(client, path, title=name)
            start.wait(60)
            return client.post(path, form).status_code
        finally:
            connection.close()

    for round_no in range(5):
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(save, [f"kim{round_no}", f"lee{round_no}"]))
        assert sorted(answers) == [SHOWN_AGAIN, SAVED]
