"""Spectra of captures as they are asked for, their cursors, fault frequencies, and all of it as CSV."""

import csv
import io
import math

import numpy as np
import pytest

from himmes.api.tests.api_world import Program, make_program
from machines.bearings import fault_orders
from machines.models import Bearing, Machine, Sensor
from vibration.models import Capture
from vibration.numbers.windows import FLAT_TOP
from vibration.signals.spectra import envelope_spectrum_of, spectrum_of
from vibration.signals.units import STANDARD_GRAVITY
from vibration.tests.captures_world import a_second, stored
from vibration.tests.test_signals_features import blows, sines

pytestmark = pytest.mark.django_db
RATE = 5_120.0
SECONDS = 4
SHAFT_HZ = 24.7
MULTIPLES = {1: 2.0, 2: 0.5, 3: 0.25, 10: 0.1}
VALUES = sines(RATE, SECONDS, *((n * SHAFT_HZ, amplitude, n) for n, amplitude in MULTIPLES.items()), noise=0.01)


@pytest.fixture
def viewer(roles) -> Program:
    return make_program(roles, "viewer")


def a_capture(values: np.ndarray = VALUES, **more) -> Capture:
    [capture] = stored(a_second(values, **{"sampling_hz": RATE, "rpm": SHAFT_HZ * 60} | more))
    return capture


def asked(viewer: Program, capture: Capture, what: str = "spectrum", **query) -> dict:
    answer = viewer.get(f"captures/{capture.pk}/{what}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def wrong(viewer: Program, capture: Capture, what: str = "spectrum", **query) -> list[str]:
    answer = viewer.get(f"captures/{capture.pk}/{what}", query)
    assert answer.status_code == 400
    return [it["field"] for it in answer.json()["errors"]]


def table(answer) -> tuple[dict[str, str], list[str], list[list[float]]]:
    """What stands above the header of a CSV, the header and the numbers."""
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    above = [line.removeprefix("# ").partition(": ") for line in lines if line.startswith("# ")]
    header, *rows = csv.reader(io.StringIO("\n".join(lines[len(above) :])))
    return {name: value for name, _colon, value in above}, header, [[float(it) for it in row] for row in rows]


# --- spectrum


def test_resolution_and_window_are_those_that_were_asked_for(viewer):
    told = asked(viewer, a_capture(), resolution=0.25, window="flattop")["spectrum"]
    expected = spectrum_of(VALUES, RATE, 0.25, FLAT_TOP)
    assert (told["resolution"], told["window"], told["sections"], told["overlap"]) == (0.25, "flat top", 1, 0.0)
    assert max(told["amplitude"]) == expected.amplitude.max() == pytest.approx(2, rel=1e-3)
    assert told["peaks"][0]["amplitude"] == pytest.approx(2, rel=0.01)
    told = asked(viewer, Capture.objects.get())["spectrum"]
    assert (told["resolution"], told["window"], told["sections"], told["overlap"]) == (1.0, "Hann", 7, 0.5)
    assert (told["quantity"], told["unit"], told["left_out_below"]) == ("measured", "g", 0.0)


def test_a_capture_too_short_for_the_resolution_says_so_and_which_it_is(viewer):
    told = asked(viewer, a_capture(), resolution=0.01)["spectrum"]
    assert (told["is_short"], told["sections"]) == (True, 1)
    assert told["resolution"] == pytest.approx(1 / SECONDS, rel=0.01)


def test_a_part_of_the_frequencies_is_reduced_by_itself_and_has_its_own_peaks(viewer):
    told = asked(viewer, a_capture(), low=40, high=80, points=10)["spectrum"]
    assert (told["bins"], len(told["frequency"])) == (41, 9)
    assert 40 <= told["frequency"][0] < told["frequency"][-1] <= 80
    assert [round(it["frequency"], 1) for it in told["peaks"]] == [49.4, 74.1]
    whole = spectrum_of(VALUES, RATE)
    assert max(told["amplitude"]) == whole.amplitude[40:81].max()
    nothing = asked(viewer, Capture.objects.get(), low=5_000)["spectrum"]
    assert (nothing["bins"], nothing["frequency"], nothing["amplitude"], nothing["peaks"]) == (0, [], [], [])


def test_the_velocity_is_in_millimetres_a_second_and_says_what_is_left_out(viewer):
    told = asked(viewer, a_capture(), quantity="velocity", resolution=0.5)["spectrum"]
    assert (told["quantity"], told["unit"], told["left_out_below"]) == ("velocity", "mm/s", 2.0)
    assert told["frequency"][0] >= 2
    expected = 2 * STANDARD_GRAVITY / (2 * math.pi * SHAFT_HZ) * 1_000
    assert told["peaks"][0]["amplitude"] == pytest.approx(expected, rel=0.02)
    assert told["peaks"][0]["order"] == pytest.approx(1, rel=1e-3)


def test_of_a_signal_without_a_unit_there_is_no_velocity_and_the_reason_is_told(viewer):
    told = asked(viewer, a_capture(unit=""), quantity="velocity")
    assert (told["spectrum"], told["spectrum_reason"]) == (None, "unit")
    assert asked(viewer, Capture.objects.get(), quantity="measured")["spectrum_reason"] is None


def test_the_envelope_takes_resolution_and_window_too(viewer):
    values = blows(25_600, 2, 87.3, 4_000, 0.05)
    capture = a_capture(values, sampling_hz=25_600)
    told = asked(viewer, capture, envelope="true", resolution=2, window="flattop")["spectrum"]
    expected = envelope_spectrum_of(values, 25_600, 2, FLAT_TOP)
    assert (told["resolution"], told["window"]) == (pytest.approx(2, rel=0.01), "flat top")
    assert told["sections"] == expected.sections > 1
    assert told["peaks"][0]["frequency"] == pytest.approx(87.3, abs=0.5)
    assert asked(viewer, capture, envelope="true")["spectrum"]["resolution"] == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("shaft_hz", "is_steady", "changes"),
    [
        (np.full(round(RATE * SECONDS), SHAFT_HZ), True, None),
        (np.linspace(SHAFT_HZ - 1.5, SHAFT_HZ + 1.5, round(RATE * SECONDS)), False, (SHAFT_HZ - 0.75, SHAFT_HZ + 0.75)),
    ],
)
def test_a_speed_that_changes_within_the_capture_is_told(viewer, shaft_hz, is_steady, changes):
    told = asked(viewer, a_capture(np.sin(2 * np.pi * np.cumsum(shaft_hz) / RATE)))
    speed = told["speed"]
    assert (speed["hz"], speed["source"], speed["is_steady"]) == (SHAFT_HZ, "measured", is_steady)
    assert (speed["hz"], speed["source"]) == (told["shaft_hz"], told["shaft_source"])
    found = speed["changes"] and (speed["changes"]["from_hz"], speed["changes"]["to_hz"])
    assert found == (changes and pytest.approx(changes, abs=0.3))


def test_without_a_speed_nothing_is_told_of_its_change(viewer):
    assert asked(viewer, a_capture(rpm=None))["speed"] == {
        "hz": None,
        "source": None,
        "is_steady": None,
        "changes": None,
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"resolution": 0.009}, "resolution"),
        ({"resolution": 1_001}, "resolution"),
        ({"resolution": "nan"}, "resolution"),
        ({"window": "hamming"}, "window"),
        ({"window": "Hann"}, "window"),
        ({"low": -1}, "low"),
        ({"low": 10, "high": 5}, "high"),
        ({"high": "inf"}, "high"),
        ({"quantity": "displacement"}, "quantity"),
        ({"quantity": "velocity", "envelope": "true"}, "quantity"),
        ({"hz": 5}, "hz"),
    ],
)
def test_a_wrong_question_for_a_spectrum_is_answered_with_its_field(viewer, query, field):
    assert wrong(viewer, a_capture(), **query) == [field]


# --- cursors


def test_harmonic_cursors_stand_on_the_multiples(viewer):
    told = asked(viewer, a_capture(), "cursors", kind="harmonics", hz=25, count=12, resolution=0.5)
    assert (told["kind"], told["resolution"], told["amplitude_unit"]) == ("harmonics", 0.5, "g")
    assert told["base_hz"] == told["spacing_hz"] == pytest.approx(SHAFT_HZ, abs=0.02)
    assert [it["multiple"] for it in told["lines"]] == list(range(1, 13))
    assert max(abs(it["hz"] - it["multiple"] * SHAFT_HZ) for it in told["lines"]) < 0.25
    assert {it["multiple"]: it["amplitude"] for it in told["lines"] if it["stands_out"]} == pytest.approx(
        MULTIPLES, rel=0.03
    )


def test_a_click_on_a_reduced_chart_is_off_by_half_of_a_group_and_finds_its_line(viewer):
    """Of 10,241 bins each of 100 groups has 103, 25.75 Hz, and the middle of the first is at 12.75 Hz."""
    click = {"kind": "harmonics", "hz": 12.75, "resolution": 0.25}
    capture = a_capture()
    assert asked(viewer, capture, "cursors", points=100, **click)["base_hz"] == pytest.approx(SHAFT_HZ, abs=0.02)
    assert asked(viewer, capture, "cursors", points=2_000, **click)["base_hz"] != pytest.approx(SHAFT_HZ, abs=1)


def test_sideband_cursors_stand_on_both_sides_in_the_quantity_asked_for(viewer):
    time = np.arange(round(RATE * SECONDS)) / RATE
    values = (1 + 0.6 * np.cos(2 * np.pi * 20.3 * time)) * np.sin(2 * np.pi * 800.2 * time)
    query = {"kind": "sidebands", "hz": 800, "spacing": 20, "count": 1, "resolution": 0.5, "quantity": "velocity"}
    told = asked(viewer, a_capture(values), "cursors", **query)
    assert (told["base_hz"], told["spacing_hz"]) == pytest.approx((800.2, 20.3), abs=0.05)
    assert (told["quantity"], told["amplitude_unit"]) == ("velocity", "mm/s")
    for line, amplitude in zip(told["lines"], (0.3, 1, 0.3), strict=True):
        expected = amplitude * STANDARD_GRAVITY * 1_000 / (2 * math.pi * line["hz"])
        assert line["amplitude"] == pytest.approx(expected, rel=0.02)
    assert [it["multiple"] for it in told["lines"]] == [-1, 0, 1]


def test_cursors_stand_on_the_spectrum_of_the_envelope(viewer):
    capture = a_capture(blows(25_600, 2, 87.3, 4_000, 0.05), sampling_hz=25_600)
    told = asked(viewer, capture, "cursors", kind="harmonics", hz=87, count=20, envelope="true")
    assert told["base_hz"] == pytest.approx(87.3, abs=0.1)
    assert [it["multiple"] for it in told["lines"]] == [1, 2, 3, 4]  # it ends at 400 Hz


def test_without_a_spectrum_there_are_no_cursors_and_the_reason_is_told(viewer):
    told = asked(viewer, a_capture(np.arange(10.0)), "cursors", kind="harmonics", hz=25)
    assert (told["lines"], told["base_hz"], told["spectrum_reason"]) == ([], None, "too_few_samples")
    Capture.objects.update(data=None, has_samples=False)
    told = asked(viewer, Capture.objects.get(), "cursors", kind="harmonics", hz=25)
    assert told["spectrum_reason"] == "samples_removed"


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, ["kind", "hz"]),
        ({"kind": "harmonics", "hz": 0}, ["hz"]),
        ({"kind": "harmonics", "hz": "nan"}, ["hz"]),
        ({"kind": "octaves", "hz": 25}, ["kind"]),
        ({"kind": "harmonics", "hz": 25, "count": 0}, ["count"]),
        ({"kind": "harmonics", "hz": 25, "count": 101}, ["count"]),
        ({"kind": "harmonics", "hz": 25, "spacing": 5}, ["spacing"]),
        ({"kind": "sidebands", "hz": 25}, ["spacing"]),
        ({"kind": "sidebands", "hz": 25, "spacing": 0}, ["spacing"]),
        ({"kind": "harmonics", "hz": 25, "low": 3, "high": 2}, ["high"]),
        ({"kind": "harmonics", "hz": 25, "quantity": "velocity", "envelope": "true"}, ["quantity"]),
        ({"kind": "harmonics", "hz": 25, "state": "normal"}, ["state"]),
    ],
)
def test_a_wrong_question_for_cursors_is_answered_with_its_field(viewer, query, fields):
    assert wrong(viewer, a_capture(), "cursors", **query) == fields


# --- fault frequencies

GEOMETRY = {"rolling_elements": 9, "ball_diameter_mm": 7.94, "pitch_diameter_mm": 39.04, "contact_angle_deg": 0.0}


def a_bearing(name: str, **more) -> Bearing:
    return Bearing.objects.create(machine=Machine.objects.get(name="pump3"), name=name, **more)


def test_the_fault_frequencies_are_those_of_the_speed_of_the_capture(viewer):
    capture = a_capture()
    a_bearing("6205", sensor=capture.sensor, **GEOMETRY)
    told = asked(viewer, capture, "fault-frequencies")
    assert (told["shaft_hz"], told["shaft_source"], told["id"]) == (SHAFT_HZ, "measured", capture.pk)
    [found] = told["bearings"]
    assert (found["name"], found["sensor_no"], found["reason"]) == ("6205", "de", None)
    assert found["orders"] == pytest.approx(vars(fault_orders(9, 7.94, 39.04)))
    assert {name: found[name] for name in found["orders"]} == pytest.approx(
        {name: SHAFT_HZ * order for name, order in found["orders"].items()}
    )


def test_those_of_other_sensors_are_left_out_and_those_of_none_are_there(viewer):
    capture = a_capture()
    other = Sensor.objects.create(machine=capture.sensor.machine, sensor_no="nde")
    a_bearing("b", sensor=other, **GEOMETRY)
    a_bearing("c", sensor=capture.sensor, **GEOMETRY)
    a_bearing("a", **GEOMETRY)
    Bearing.objects.create(machine=Machine.objects.create(name="other"), name="d", **GEOMETRY)
    found = asked(viewer, capture, "fault-frequencies")["bearings"]
    assert [(it["name"], it["sensor_no"]) for it in found] == [("a", None), ("c", "de")]


def test_without_speed_or_geometry_the_reason_is_told(viewer):
    capture = a_capture(rpm=None)
    a_bearing("a", **GEOMETRY)
    a_bearing("b")
    a_bearing("c", **GEOMETRY | {"rolling_elements": 50})
    speed, missing, impossible = asked(viewer, capture, "fault-frequencies")["bearings"]
    assert (speed["reason"], speed["bpfo"], speed["orders"]["ftf"]) == ("speed", None, pytest.approx(0.398, abs=1e-3))
    assert (missing["reason"], missing["bpfo"], missing["orders"]) == ("no_geometry", None, None)
    assert (impossible["reason"], impossible["bpfo"], impossible["orders"]) == ("wrong_geometry", None, None)
    assert wrong(viewer, capture, "fault-frequencies", points=100) == ["points"]


@pytest.mark.parametrize("what", ["cursors", "fault-frequencies"])
def test_of_no_such_capture_there_is_neither(viewer, what):
    query = {"kind": "harmonics", "hz": 25} if what == "cursors" else {}
    assert viewer.get(f"captures/1/{what}", query).status_code == 404


# --- CSV


def test_a_spectrum_as_csv_has_every_bin_and_says_what_it_is(viewer):
    capture = a_capture()
    answer = viewer.get(f"captures/{capture.pk}/spectrum?format=csv&resolution=0.5&quantity=velocity&high=100")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="spectrum-pump3-de-x-2026')
    above, header, rows = table(answer)
    expected = spectrum_of(VALUES, RATE, 0.5)
    assert header == ["frequency", "amplitude"]
    assert [row[0] for row in rows] == expected.frequency[4:201].tolist()
    assert max(row[1] for row in rows) == pytest.approx(
        2 * STANDARD_GRAVITY * 1_000 / (2 * math.pi * SHAFT_HZ), rel=0.15
    )
    told = {name: above[name] for name in ("machine_name", "sensor_no", "axis", "quantity", "unit", "envelope")}
    assert told == {
        "machine_name": "pump3",
        "sensor_no": "de",
        "axis": "x",
        "quantity": "velocity",
        "unit": "mm/s",
        "envelope": "no",
    }
    assert (above["window"], above["resolution_hz"], above["reduction"]) == ("Hann", "0.5", "none")
    assert above["averaging"] == "3 sections of 10240 samples (2 s); overlap 50%"
    assert (above["left_out_below_hz"], above["shaft_hz"]) == ("2.0", "24.7")


def test_with_points_the_csv_is_reduced_as_the_chart_and_says_so(viewer):
    capture = a_capture()
    above, _header, rows = table(viewer.get(f"captures/{capture.pk}/spectrum?format=csv&points=100"))
    told = asked(viewer, capture, points=100)["spectrum"]
    assert [row[0] for row in rows] == told["frequency"]
    assert [row[1] for row in rows] == told["amplitude"]
    assert above["reduction"] == "greatest of each 26 bins"


def test_a_spectrum_that_is_not_there_has_no_line_and_a_removed_one_no_table(viewer):
    capture = a_capture(np.arange(10.0))
    above, header, rows = table(viewer.get(f"captures/{capture.pk}/spectrum?format=csv"))
    assert (above["no spectrum"], header, rows) == ("too_few_samples", ["frequency", "amplitude"], [])
    Capture.objects.update(data=None, has_samples=False)
    answer = viewer.get(f"captures/{capture.pk}/spectrum?format=csv")
    assert (answer.status_code, answer.json()["status"]) == (410, 410)


def test_a_waveform_as_csv_has_every_sample_or_the_buckets_of_the_chart(viewer):
    capture = a_capture()
    above, header, rows = table(viewer.get(f"captures/{capture.pk}/waveform?format=csv&start=1&end=1.5"))
    assert (header, len(rows), above["reduction"], above["unit"]) == (["time", "min", "max"], 2_561, "none", "g")
    assert [row[1] for row in rows] == [row[2] for row in rows] == VALUES[5_120:7_681].tolist()
    above, _header, rows = table(viewer.get(f"captures/{capture.pk}/waveform?format=csv&points=100"))
    told = asked(viewer, capture, "waveform", points=100)
    assert [row[0] for row in rows] == told["time"]
    assert [row[2] for row in rows] == told["values"]["max"]
    assert above["reduction"] == "least and greatest of each 205 samples"
