"""Captures are stored once, exactly, with their features."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.rest.rows import InvalidRows
from machines.models import Machine, RegisteredBy, Sensor
from vibration.captures import storing
from vibration.captures.incoming import NewCapture
from vibration.captures.reading import SamplesRemoved, raw_samples, samples_of
from vibration.captures.storing import delete_captures, store_captures
from vibration.models import Capture, CaptureAxis, CaptureFeatures
from vibration.numbers.classifying import RowClass

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 3, tzinfo=UTC)
RATE = 2_560.0


def tone(count: int = 2_560, hz: float = 25.0, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(count) / RATE)


def capture(values: np.ndarray | None = None, **more) -> NewCapture:
    values = tone() if values is None else values
    return replace(NewCapture("pump3", "de", "x", START, RATE, values, unit="g"), **more)


def store(*new: NewCapture) -> list[RowClass]:
    return [it.row_class for it in store_captures(new, register=RegisteredBy.API)]


def test_what_is_stored_is_what_came_to_the_last_bit():
    random = np.random.default_rng(1)
    kinds = {
        "i": random.integers(-32_000, 32_000, 1_000).astype(np.int16),
        "f": random.normal(size=1_000).astype(np.float32),
        "d": random.normal(size=1_000) * 1e-9,
    }
    store(*(capture(values, axis=axis, scale=0.001 if axis == "i" else None) for axis, values in kinds.items()))
    for axis, values in kinds.items():
        found = Capture.objects.get(axis=axis)
        assert raw_samples(found).tobytes() == values.tobytes()
        assert (samples_of(found) == values * (0.001 if axis == "i" else 1.0)).all()


def test_a_machine_and_its_sensor_are_registered_by_their_first_capture():
    [stored] = store_captures([capture()], register=RegisteredBy.IMPORT)
    assert str(stored.capture.sensor) == "pump3 / de"
    assert Machine.objects.get().registered_by == RegisteredBy.IMPORT
    assert stored.capture.pk == Capture.objects.get().pk
    with pytest.raises(InvalidRows) as error:
        store_captures([capture(), capture(sensor="nde")], register=None)
    assert [(it["row"], it["field"]) for it in error.value.errors] == [(1, "sensor_no")]
    assert Sensor.objects.count() == 1


def test_the_same_again_is_identical_and_other_samples_conflict():
    assert store(capture(), capture(axis="y")) == [RowClass.NEW, RowClass.NEW]
    assert store(capture(), capture(axis="z")) == [RowClass.IDENTICAL, RowClass.NEW]
    others = [capture(tone(amplitude=2.0)), capture(unit="m/s2"), capture(rpm=1_500.0), capture(sampling_hz=2_561.0)]
    assert store(*others) == [RowClass.CONFLICTING] * 4
    assert Capture.objects.count() == CaptureFeatures.objects.count() == 3
    assert (samples_of(Capture.objects.get(axis="x")) == tone()).all()


def test_within_one_list_the_second_of_a_key_is_compared_with_the_first():
    assert store(capture(), capture(), capture(tone(amplitude=2.0))) == [
        RowClass.NEW,
        RowClass.IDENTICAL,
        RowClass.CONFLICTING,
    ]
    numbers = np.arange(-100, 100, dtype=np.int16)
    later = START + timedelta(seconds=1)
    as_floats = capture(numbers * 0.25, started_at=later)
    assert store(capture(numbers, scale=0.25, started_at=later), as_floats) == [RowClass.NEW, RowClass.IDENTICAL]


def test_features_are_stored_with_it_and_know_the_rated_speed():
    Machine.objects.create(name="pump3", rated_rpm=1_500)
    store(capture(tone(2 * 2_560) + 1.0))
    features = CaptureFeatures.objects.get()
    assert (features.axis, features.started_at, features.unit) == ("x", START, "g")
    assert features.mean == pytest.approx(1.0)
    assert features.rms == pytest.approx(np.sqrt(0.5))
    assert features.velocity_rms == pytest.approx(9.80665e3 / (2 * np.pi * 25) * np.sqrt(0.5), rel=0.01)
    assert (features.shaft_source, round(features.order_1_0, 2)) == ("found", 1.0)


def test_of_each_axis_it_is_known_when_the_newest_started():
    later, before = START + timedelta(hours=1), START - timedelta(hours=1)
    store(capture(), capture(axis="y"))
    store(capture(started_at=later), capture(started_at=before), capture(axis="z", started_at=before))
    store(capture(tone(amplitude=2.0), axis="y"))
    newest = CaptureAxis.objects.values_list("axis", "newest_at")
    assert dict(newest) == {"x": later, "y": START, "z": before}
    machine = Machine.objects.get()
    assert CaptureAxis.objects.newest_by_machine()[machine.pk][0] == later


def test_what_is_wrong_with_the_samples_is_marked():
    sensor = Sensor.objects.create(machine=Machine.objects.create(name="pump3"), sensor_no="de", measuring_range=2.0)
    at_the_end = np.array([0, 32_767, 5, -4] * 10, dtype=np.int16)
    store(
        capture(axis="fine"),
        capture(tone(amplitude=2.0), axis="at its range"),
        capture(at_the_end, axis="at the end", scale=1e-6),
        capture(np.zeros(100), axis="dead"),
        capture(axis="late", has_gap=True, clock_drifts=True),
    )
    marks = sensor.captures.values_list("axis", "is_clipped", "is_flat", "has_gap", "clock_drifts")
    assert {axis: tuple(map(int, them)) for axis, *them in marks} == {
        "fine": (0, 0, 0, 0),
        "at its range": (1, 0, 0, 0),
        "at the end": (1, 0, 0, 0),
        "dead": (0, 1, 0, 0),
        "late": (0, 0, 1, 1),
    }


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"values": np.array([])}, "samples", "There are no samples in it."),
        ({"values": np.array([1.0, np.nan, np.inf])}, "samples", "Sample 1 is nan, not a number to store (2 of 3 "),
        ({"values": np.zeros(1_000_001, np.float32)}, "samples", "1,000,001 samples; at most 1,000,000."),
        ({"values": np.array([1e101])}, "samples", "Sample 0 is 1e+101"),
        ({"values": np.zeros(4, np.int16)}, "scale", "Whole numbers need a scale."),
        ({"scale": 0.5}, "scale", "Only whole numbers have a scale."),
        ({"values": np.zeros(4, np.int16), "scale": -1.0}, "scale", "-1.0; give what one step"),
        ({"sampling_hz": 0.5}, "sampling_hz", "0.5 Hz; give samples per second, from 1 to 1,000,000."),
        ({"sampling_hz": float("nan")}, "sampling_hz", "nan Hz"),
        ({"unit": "furlong"}, "unit", '"furlong" is no unit of a capture. Known: m/s2, g, mm/s;'),
        ({"rpm": 0.0}, "rpm", "0.0 rpm; give the speed above 0"),
        ({"started_at": timezone.now() + timedelta(hours=2)}, "started_at", "is more than an hour in the future."),
        ({"started_at": datetime(1970, 1, 2, tzinfo=UTC)}, "started_at", "is before the earliest year"),
    ],
)
def test_of_a_list_with_a_wrong_one_nothing_is_stored_and_it_is_said_why(wrong, field, message):
    with pytest.raises(InvalidRows) as error:
        store(capture(axis="fine"), capture(**wrong))
    [told] = [it for it in error.value.errors if it["field"] == field]
    assert told["row"] == 1
    assert message in told["message"]
    assert not Capture.objects.exists()


def test_samples_that_do_not_fit_when_compressed_are_refused():
    noise = np.random.default_rng(1).bytes(8 * 600_000)
    values = np.frombuffer(noise, np.uint64) >> np.uint64(2)
    with pytest.raises(InvalidRows) as error:
        store(capture(values.view(np.float64) * 1.0))
    assert "more than 4,000,000 bytes even when compressed" in error.value.errors[0]["message"]


def test_captures_that_are_long_together_are_stored_by_several_statements(monkeypatch):
    """A statement longer than the server's packet is never taken, however often it is tried."""
    axes = [capture(np.random.default_rng(1).normal(size=1_000), axis=axis) for axis in "xyz"]
    monkeypatch.setattr(storing, "MAX_BYTES", 9_000)
    with CaptureQueriesContext(connection) as queries:
        assert store(*axes) == [RowClass.NEW] * 3
    inserts = [it["sql"] for it in queries if "INTO" in it["sql"] and '"codec"' in it["sql"].replace("`", '"')]
    assert len(inserts) == 3
    assert Capture.objects.count() == CaptureFeatures.objects.count() == 3


def test_of_one_whose_samples_are_removed_that_is_said():
    store(capture())
    Capture.objects.update(data=None, has_samples=False)
    with pytest.raises(SamplesRemoved, match="its features are kept"):
        samples_of(Capture.objects.get())
    assert store(capture()) == [RowClass.IDENTICAL]


@pytest.mark.django_db(transaction=True)  # SQLite looks at foreign keys when a transaction ends
def test_a_sensor_that_is_deleted_meanwhile_is_registered_anew(monkeypatch):
    store(capture())
    delete_captures(Capture.objects.all())

    def make(*args):
        Sensor.objects.all().delete()
        return made(*args)

    made = storing._make
    monkeypatch.setattr(storing, "_make", make)
    assert store(capture()) == [RowClass.NEW]
    assert Capture.objects.get().sensor == Sensor.objects.get()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("left", [0, 1])
def test_an_axis_of_which_one_is_stored_while_others_are_deleted_stays_known(left):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one writer at a time")
    store(*(capture(started_at=START - timedelta(days=days)) for days in range(1, 3)))
    old = Capture.objects.order_by("started_at")[left:]
    is_at_the_axis = Event()

    def look(execute, sql, params, many, context):
        if "vibration_capture_axis" in sql and "INSERT" not in sql:
            is_at_the_axis.set()
        return execute(sql, params, many, context)

    def delete():
        with connection.execute_wrapper(look):
            delete_captures(Capture.objects.filter(pk__in=numbers))
        connection.close()

    numbers = [it.pk for it in old]
    deleting = Thread(target=delete)

    def meanwhile(stored):
        deleting.start()
        assert is_at_the_axis.wait(30)

    store_captures([capture()], register=RegisteredBy.API, also=meanwhile)
    deleting.join()
    assert CaptureAxis.objects.get().newest_at == START
    assert Capture.objects.count() == left + 1
