"""Machines and sensors: what the database holds, however it got there."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from common.names import InvalidName
from machines.models import Machine, RegisteredBy, Sensor
from machines.registering import register_sensor

pytestmark = pytest.mark.django_db


def register(machine, sensor):
    return register_sensor(machine, sensor, registered_by=RegisteredBy.API)


def test_an_unknown_machine_and_sensor_register_themselves_once():
    sensor = register("g1", "sensor1")
    assert register("g1", "sensor1") == sensor
    assert register("g1", "sensor2").machine == sensor.machine
    assert Machine.objects.get().registered_by == RegisteredBy.API
    assert [str(sensor) for sensor in Sensor.objects.all()] == ["g1 / sensor1", "g1 / sensor2"]


def test_a_known_machine_keeps_what_the_administrator_said_of_it():
    Machine.objects.create(name="g1", title="Press")
    register("g1", "sensor1")
    machine = Machine.objects.get()
    assert (machine.title, machine.registered_by) == ("Press", RegisteredBy.ADMIN)


@pytest.mark.parametrize(
    ("machine", "sensor", "message"),
    [
        ("", "s", "name is empty"),
        ("  ", "s", "name is empty"),
        ("m" * 51, "s", "has 51 characters; at most 50 are allowed"),
        ("g1", "s" * 21, "has 21 characters; at most 20 are allowed"),
        ("g1\x00", "s", "holds control characters"),
        ("g1", "a\nb", "holds control characters"),
    ],
)
def test_a_name_that_can_not_be_is_refused_in_words(machine, sensor, message):
    with pytest.raises(InvalidName, match=message):
        register(machine, sensor)


@pytest.mark.parametrize("name", ["프레스 1호", "pump/2", "🏭", "m" * 50, "a'b\"c%"])
def test_any_other_name_is_stored_as_it_is(name):
    register(name, "s")
    assert Machine.objects.get(name=name).name == name


def test_names_compare_exactly_and_spelling_of_letters_does_not_matter():
    register("g1", "s")
    register("G1", "s")
    register("e\u0301", "s")  # e and an accent
    register("\u00e9", "s")  # one letter
    assert Machine.objects.count() == 3
    assert Machine.objects.get(name="e\u0301") == Machine.objects.get(name="\u00e9")


def test_the_database_refuses_a_second_machine_or_sensor_of_one_name_and_empty_names():
    machine = register("g1", "sensor1").machine
    for create in (
        lambda: Machine.objects.create(name="g1"),
        lambda: Machine.objects.create(name=""),
        lambda: Sensor.objects.create(machine=machine, sensor_no="sensor1"),
        lambda: Sensor.objects.create(machine=machine, sensor_no=""),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            create()


def test_a_machine_with_sensors_is_not_deleted_by_accident():
    with pytest.raises(ProtectedError):
        register("g1", "sensor1").machine.delete()
