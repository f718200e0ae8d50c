"""Registering machines and sensors that data name for the first time."""

from collections.abc import Iterable

from common.names import clean_name
from machines.models import Machine, RegisteredBy, Sensor


def register_machine(name: str, *, registered_by: RegisteredBy) -> Machine:
    """The machine of that name; it is created when it is not known yet, also if two callers do so at once."""
    name = clean_name(name, Machine._meta.get_field("name"))
    return Machine.objects.get_or_create(name=name, defaults={"registered_by": registered_by})[0]


def machines_by_name(names: Iterable[str], *, register: RegisteredBy | None) -> dict[str, Machine]:
    """The machines of these names, which are clean; the unknown ones are created, or left out without `register`."""
    names = set(names)
    machines = {machine.name: machine for machine in Machine.objects.filter(name__in=names)}
    if register:
        # In one order, so that two callers with the same new names do not wait for each other.
        machines |= {name: register_machine(name, registered_by=register) for name in sorted(names - machines.keys())}
    return machines


def register_sensor(machine_name: str, sensor_no: str, *, registered_by: RegisteredBy) -> Sensor:
    """The sensor of that machine; both are created when they are not known yet, also if two callers do so at once."""
    sensor_no = clean_name(sensor_no, Sensor._meta.get_field("sensor_no"))
    machine = register_machine(machine_name, registered_by=registered_by)
    return Sensor.objects.get_or_create(machine=machine, sensor_no=sensor_no)[0]
