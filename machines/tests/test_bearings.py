"""A bearing has a whole geometry or none, and none that no bearing has."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import override

from himmes.tests.admin_world import opened
from machines.models import Bearing, Machine, Sensor

pytestmark = pytest.mark.django_db
GEOMETRY = {"rolling_elements": 9, "ball_diameter_mm": 7.94, "pitch_diameter_mm": 39.04, "contact_angle_deg": 0.0}
WRONG = [
    {"pitch_diameter_mm": None},
    {"rolling_elements": 2},
    {"ball_diameter_mm": 0.0},
    {"ball_diameter_mm": 40.0},
    {"contact_angle_deg": -1.0},
    {"contact_angle_deg": 90.0},
]


@pytest.fixture
def pump():
    return Machine.objects.create(name="pump3")


def test_a_bearing_may_have_a_geometry_or_none(pump):
    for name, geometry in {"drive end": GEOMETRY, "other end": {}}.items():
        bearing = Bearing(machine=pump, name=name, **geometry)
        bearing.full_clean()
        bearing.save()
        assert bearing.has_geometry == bool(geometry)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_geometry_of_no_bearing_is_refused_by_the_form_and_by_the_database(pump, wrong):
    bearing = Bearing(machine=pump, name="drive end", **GEOMETRY | wrong)
    with pytest.raises(ValidationError):
        bearing.clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        bearing.save()


def test_rolling_elements_that_do_not_fit_on_the_pitch_circle_are_refused(pump):
    """As `fault_orders` would, so that none is stored whose fault frequencies can't be told."""
    with pytest.raises(ValidationError) as error:
        Bearing(machine=pump, name="drive end", **GEOMETRY | {"rolling_elements": 90}).clean()
    assert set(error.value.message_dict) == {"rolling_elements"}


def test_a_sensor_of_another_machine_is_refused(pump):
    sensor = Sensor.objects.create(machine=Machine.objects.create(name="fan1"), sensor_no="de")
    with override("en"), pytest.raises(ValidationError, match="another machine"):
        Bearing(machine=pump, sensor=sensor, name="drive end").clean()


def test_an_administrator_adds_one_with_its_machine(pump, admin_client):
    own = Sensor.objects.create(machine=pump, sensor_no="de")
    Sensor.objects.create(machine=Machine.objects.create(name="fan1"), sensor_no="elsewhere")
    path = reverse("admin:machines_machine_change", args=[pump.pk])
    form = opened(admin_client, path)
    assert "elsewhere" not in admin_client.get(path).content.decode()
    new = {"name": "drive end", "sensor": own.pk} | GEOMETRY
    form |= {"bearings-TOTAL_FORMS": 1} | {f"bearings-0-{name}": value for name, value in new.items()}
    assert admin_client.post(path, form).status_code == 302
    bearing = Bearing.objects.get()
    assert (bearing.sensor, bearing.pitch_diameter_mm) == (own, 39.04)
