"""The endpoint behind the numbers and the spectrum of the waveform page."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from machines.models import Machine
from vibration.models import Recording
from vibration.numbers.peaks import peaks_of
from vibration.numbers.samples import Samples
from vibration.numbers.spectrum import spectrum_of
from vibration.numbers.states import STATES
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_recording, make_samples
from vibration.windows import analysis

pytestmark = pytest.mark.django_db
URL = "/api/vibration-data/spectrum"
PLACE = {"machine_name": "g1", "sensor_no": "sensor1"}


@pytest.fixture
def operator(client, user):
    client.force_login(user)
    return client


def write(time: np.ndarray, values: np.ndarray) -> None:
    write_samples(open_recording("g1", "sensor1"), Samples(time, values))


def tone(count: int = 2_000, frequency: float = 27.5) -> tuple[np.ndarray, np.ndarray]:
    """Each state one tone, of amplitude 1 to 4, at 1 kHz."""
    time = np.round(np.arange(count) * 0.001, 6)
    return time, np.outer(np.sin(2 * np.pi * frequency * time), [1, 2, 3, 4])


def test_the_answer_is_what_the_functions_make_of_the_samples(operator):
    make_recording(3_000)
    time, values = make_samples(3_000)
    answer = operator.get(URL, PLACE | {"start": 0.5, "end": 1.9995, "points": 2_000}).json()
    inside = (time >= 0.5) & (time <= 1.9995)
    spectrum = spectrum_of(time[inside], values[inside])
    assert (answer["start"], answer["end"], answer["samples"], answer["truncated"]) == (0.5, 1.999, 1_500, False)
    for number, state in enumerate(STATES):
        column = values[inside, number]
        deviation = column - column.mean()
        assert answer["features"][state] == pytest.approx(
            {
                "rms": np.sqrt(np.mean(column**2)),
                "peak": np.abs(column).max(),
                "crest_factor": np.abs(column).max() / np.sqrt(np.mean(column**2)),
                "kurtosis": np.mean(deviation**4) / np.mean(deviation**2) ** 2,
            }
        )
        assert answer["spectrum"]["amplitude"][state] == spectrum.amplitude[:, number].tolist()
        assert [it["amplitude"] for it in answer["spectrum"]["peaks"][state]] == [
            it.amplitude for it in peaks_of(spectrum, number)
        ]
    assert answer["spectrum"]["frequency"] == spectrum.frequency.tolist()
    assert answer["spectrum"]["bins"] == 251
    told = {name: answer["spectrum"][name] for name in ("sections", "section_samples", "is_short", "samples")}
    assert told == {"sections": 5, "section_samples": 500, "is_short": False, "samples": 1_500}
    assert (answer["spectrum"]["resolution"], answer["spectrum"]["section_length"]) == pytest.approx((2, 0.5))


def test_without_start_and_end_the_whole_recording_is_taken_and_only_the_states_asked_for(operator):
    write(*tone())
    answer = operator.get(URL, PLACE | {"states": ["looseness", "normal"]}).json()
    assert (answer["start"], answer["end"], answer["samples"]) == (0, 1.999, 2_000)
    for by_state in (answer["features"], answer["spectrum"]["amplitude"], answer["spectrum"]["peaks"]):
        assert list(by_state) == ["normal", "looseness"]
    assert (answer["machine_name"], answer["sensor_no"], answer["recording"]) == ("g1", "sensor1", "default")


def test_an_order_is_told_only_where_the_rated_speed_is_known(operator):
    write(*tone())
    for rpm, expected in ((None, None), (0, None), (1650, 1.0), (825, 2.0)):
        Machine.objects.update(rated_rpm=rpm)
        answer = operator.get(URL, PLACE).json()
        assert answer["rated_rpm"] == (rpm or None)
        for number, state in enumerate(STATES, start=1):
            [peak] = answer["spectrum"]["peaks"][state]
            assert (peak["frequency"], peak["amplitude"]) == pytest.approx((27.5, number), rel=1e-3)
            assert peak["order"] == (expected and pytest.approx(expected, rel=1e-3))


@pytest.mark.parametrize("points", [10, 100, 1000])
def test_no_more_values_than_points_and_the_highest_is_among_them(operator, points):
    write(*tone(20_000, frequency=123.45))
    spectrum = operator.get(URL, PLACE | {"points": points}).json()["spectrum"]
    values = spectrum["amplitude"]["unbalance_looseness"]
    assert len(spectrum["frequency"]) == len(values) <= points
    assert max(values) == pytest.approx(4, rel=0.16)  # between two bins the window takes up to 15 % off
    assert max(values) <= spectrum["peaks"]["unbalance_looseness"][0]["amplitude"]
    place = spectrum["frequency"][values.index(max(values))]
    assert abs(place - 123.45) <= max(500 / points, 1)  # half a bin, or half a group of bins


@pytest.fixture
def long_recording(monkeypatch):
    """30,000 samples, of which no more than 4,000 are read at once."""
    monkeypatch.setattr(analysis, "MAX_SAMPLES", 4_000)
    time, values = tone(30_000)
    values = np.round(values + np.random.default_rng(1).normal(0, 0.2, values.shape), 6)
    values[12_345] = [50, -60, 70, -80]  # where nothing is read
    write(time, values)
    return time, values


@pytest.mark.parametrize("window", [{}, {"start": 1.2345, "end": 28.7654}])
def test_a_long_window_is_read_in_parts_and_all_but_kurtosis_and_spectrum_is_of_all_of_it(
    operator, long_recording, window
):
    time, values = long_recording
    answer = operator.get(URL, PLACE | window).json()
    inside = (time >= window.get("start", 0)) & (time <= window.get("end", 30))
    time, values = time[inside], values[inside]
    assert (answer["start"], answer["end"], answer["samples"]) == (time[0], time[-1], len(time))
    assert (answer["samples_read"], answer["parts"], answer["truncated"]) == (4_000, 4, True)
    for number, state in enumerate(STATES):
        features, column = answer["features"][state], values[:, number]
        assert features["peak"] == np.abs(column).max()
        assert features["rms"] == pytest.approx(np.sqrt(np.mean(column**2)), rel=1e-12)
        assert features["crest_factor"] == pytest.approx(features["peak"] / features["rms"])
        assert features["kurtosis"] == pytest.approx(1.5, abs=0.3)  # without the one that stands out
        [peak] = answer["spectrum"]["peaks"][state]
        assert (peak["frequency"], peak["amplitude"]) == pytest.approx((27.5, number + 1), rel=0.02)
    spectrum = answer["spectrum"]
    assert (spectrum["samples"], spectrum["sections"], spectrum["resolution"]) == (4_000, 12, pytest.approx(2))
    # In the middle of four equal parts
    span = time[-1] - time[0]
    assert spectrum["start"] == pytest.approx(time[0] + span / 8 - 0.5, abs=0.01)
    assert spectrum["end"] == pytest.approx(time[-1] - span / 8 + 0.5, abs=0.01)


def test_parts_are_never_read_twice_and_those_without_samples_are_passed_over(operator, monkeypatch):
    monkeypatch.setattr(analysis, "MAX_SAMPLES", 4_000)
    time, values = tone(30_000)
    kept = (time < 6) | (time >= 24.5)
    write(time[kept], values[kept])
    answer = operator.get(URL, PLACE).json()
    assert (answer["samples"], answer["samples_read"], answer["parts"]) == (kept.sum(), 4_000, 4)
    assert answer["spectrum"]["samples"] == 4_000
    assert answer["spectrum"]["peaks"]["normal"][0]["amplitude"] == pytest.approx(1, rel=0.01)


def test_a_window_of_few_samples_is_read_whole(operator, long_recording):
    time, _values = long_recording
    answer = operator.get(URL, PLACE | {"start": 11, "end": 14.9}).json()
    inside = (time >= 11) & (time <= 14.9)
    assert (answer["samples"], answer["samples_read"], answer["parts"]) == (inside.sum(), inside.sum(), 1)
    assert answer["truncated"] is False
    assert answer["features"]["normal"]["kurtosis"] > 10


def test_what_is_read_does_not_grow_with_the_recording(operator, monkeypatch):
    monkeypatch.setattr(analysis, "MAX_SAMPLES", 4_000)
    found = []
    for count in (20_000, 200_000):
        Recording.objects.all().delete()
        write(*tone(count))
        with CaptureQueriesContext(connection) as queries:
            answer = operator.get(URL, PLACE).json()
        assert (answer["samples"], answer["samples_read"]) == (count, 4_000)
        found.append(len(queries))
    assert found[0] == found[1]


def test_where_no_section_fits_only_the_longest_stretch_makes_the_spectrum(operator):
    time, values = tone(1_000)
    kept = (time < 0.2) | (time >= 0.6)
    write(time[kept], values[kept])
    answer = operator.get(URL, PLACE).json()
    assert (answer["samples"], answer["samples_read"]) == (600, 600)
    spectrum = answer["spectrum"]
    assert (spectrum["start"], spectrum["end"], spectrum["samples"]) == (0.6, 0.999, 400)
    assert (spectrum["is_short"], spectrum["resolution"]) == (True, pytest.approx(2.5))


def test_without_a_spectrum_the_features_are_there_and_the_reason(operator):
    time = np.round(np.cumsum(np.linspace(0.8, 1.2, 500)) * 0.001, 6)
    write(time, make_samples(500)[1])
    answer = operator.get(URL, PLACE).json()
    assert (answer["spectrum"], answer["spectrum_reason"]) == (None, "not_evenly_sampled")
    assert answer["features"]["normal"]["rms"] > 0
    answer = operator.get(URL, PLACE | {"end": 0.01}).json()
    assert (answer["spectrum"], answer["spectrum_reason"]) == (None, "too_few_samples")


@pytest.mark.parametrize(("count", "query"), [(0, {}), (5, {"start": 100}), (5, {"start": -9, "end": -1})])
def test_where_there_are_no_samples_nothing_is_defined(operator, count, query):
    make_recording(count)
    answer = operator.get(URL, PLACE | query).json()
    assert (answer["start"], answer["end"], answer["samples"], answer["truncated"]) == (None, None, 0, False)
    assert set(answer["features"]["normal"].values()) == {None}
    assert answer["spectrum_reason"] == "too_few_samples"


def test_values_at_the_limit_of_what_can_be_stored_have_finite_numbers(operator):
    time, values = tone()
    write(time, values / 4 * 1e100)
    answer = operator.get(URL, PLACE).json()
    assert answer["features"]["unbalance_looseness"]["kurtosis"] == pytest.approx(1.5, rel=1e-3)
    [peak] = answer["spectrum"]["peaks"]["unbalance_looseness"]
    assert peak["amplitude"] == pytest.approx(1e100, rel=1e-3)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sensor_no": "sensor1"}, "machine_name"),
        ({"machine_name": "g1"}, "sensor_no"),
        (PLACE | {"start": "soon"}, "start"),
        (PLACE | {"end": "nan"}, "end"),
        (PLACE | {"start": 2, "end": 1}, "end"),
        (PLACE | {"points": 5}, "points"),
        (PLACE | {"points": 100_000}, "points"),
        (PLACE | {"states": "sideways"}, "states"),
        (PLACE | {"window": "Hamming"}, "window"),
    ],
)
def test_a_wrong_query_is_answered_with_the_name_of_its_field(operator, query, field):
    make_recording(5)
    answer = operator.get(URL, query)
    assert answer.status_code == 400
    assert [it["field"] for it in answer.json()["errors"]] == [field]


def test_an_unknown_recording_is_not_found_and_nobody_reads_without_a_login(operator):
    make_recording(5)
    assert operator.get(URL, PLACE | {"recording": "x"}).status_code == 404
    operator.logout()
    assert operator.get(URL, PLACE).status_code == 401
    assert reverse("api-spectrum") == URL


def test_a_spectrum_costs_a_fixed_number_of_queries(operator, django_assert_num_queries):
    make_recording(20_000)
    # Session, user, his permissions and those of his roles, recording, how many samples, they themselves, whether they
    # were removed meanwhile
    with django_assert_num_queries(8):
        operator.get(URL, PLACE)


# --- A part of the frequencies, as CSV, and cursors


def test_a_part_of_the_frequencies_is_reduced_by_itself_and_has_its_own_peaks(operator):
    time, values = tone()
    write(time, values + 0.5 * np.sin(2 * np.pi * 200 * time)[:, None])
    part = operator.get(URL, PLACE | {"low": 100, "high": 300, "points": 20}).json()["spectrum"]
    assert (part["bins"], len(part["frequency"])) == (101, 17)
    assert 100 <= part["frequency"][0] < part["frequency"][-1] <= 300
    assert max(part["amplitude"]["normal"]) == pytest.approx(0.5, rel=0.01)
    assert [it["frequency"] for it in part["peaks"]["normal"]] == pytest.approx([200], rel=1e-3)
    assert part["overlap"] == 0.5


def table(answer) -> tuple[dict[str, str], list[str]]:
    """What stands above the header of a CSV, and the other lines."""
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    above = [line.removeprefix("# ").partition(": ") for line in lines if line.startswith("# ")]
    return {name: value for name, _colon, value in above}, lines[len(above) :]


def test_as_csv_it_has_every_bin_and_a_column_of_each_state_and_says_what_it_is(operator):
    write(*tone())
    query = PLACE | {"states": ["looseness", "normal"], "format": "csv"}
    above, lines = table(operator.get(URL, query))
    told = operator.get(URL, PLACE).json()["spectrum"]
    assert lines[0] == "frequency,normal,looseness"
    numbers = np.array([line.split(",") for line in lines[1:]], float)
    assert numbers[:, 0].tolist() == told["frequency"]
    assert numbers[:, 2].tolist() == told["amplitude"]["looseness"]
    assert (above["machine_name"], above["recording"], above["unit"]) == ("g1", "default", "not known")
    assert (above["window"], above["resolution_hz"], above["reduction"]) == ("Hann", "2.0", "none")
    assert above["averaging"] == "7 sections of 500 samples (0.5 s); overlap 50%"
    above, lines = table(operator.get(URL, query | {"points": 10, "low": 100}))
    assert (len(lines), above["reduction"]) == (1 + 10, "greatest of each 21 bins")


def test_a_spectrum_that_is_not_there_has_no_line_of_csv(operator):
    make_recording(5)
    above, lines = table(operator.get(URL, PLACE | {"format": "csv", "states": "normal"}))
    assert (above["no spectrum"], lines) == ("too_few_samples", ["frequency,normal"])


CURSORS = "/api/vibration-data/cursors"


def test_cursors_stand_on_the_multiples_of_the_state_asked_for(operator):
    time, values = tone(4_000, 27.5)
    write(time, np.round(values + np.outer(np.sin(2 * np.pi * 82.5 * time), [0, 0.5, 0, 0]), 6))
    query = PLACE | {"kind": "harmonics", "hz": 28, "count": 4}
    told = operator.get(CURSORS, query | {"state": "unbalance"}).json()
    assert (told["recording"], told["state"], told["spectrum_reason"]) == ("default", "unbalance", None)
    assert told["base_hz"] == pytest.approx(27.5, abs=0.05)
    assert {it["multiple"]: it["amplitude"] for it in told["lines"] if it["stands_out"]} == pytest.approx(
        {1: 2, 3: 0.5}, rel=0.01
    )
    normal = operator.get(CURSORS, query | {"state": "normal"}).json()
    assert [it["multiple"] for it in normal["lines"] if it["stands_out"]] == [1]
    assert normal["lines"][0]["amplitude"] == pytest.approx(1, rel=0.01)


def test_without_a_spectrum_there_are_no_cursors_and_the_reason_is_told(operator):
    make_recording(5)
    told = operator.get(CURSORS, PLACE | {"kind": "harmonics", "hz": 28, "state": "normal"}).json()
    assert (told["lines"], told["spectrum_reason"]) == ([], "too_few_samples")
    time = np.round(np.cumsum(np.linspace(0.8, 1.2, 500)) * 0.001, 6)
    write_samples(open_recording("g1", "sensor1", name="uneven"), Samples(time, make_samples(500)[1]))
    told = operator.get(
        CURSORS, PLACE | {"recording": "uneven", "kind": "sidebands", "hz": 28, "spacing": 5, "state": "normal"}
    ).json()
    assert told["spectrum_reason"] == "not_evenly_sampled"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": None}, "state"),
        ({"state": "sideways"}, "state"),
        ({"hz": None}, "hz"),
        ({"kind": "sidebands"}, "spacing"),
        ({"resolution": 1}, "resolution"),
        ({"start": 2, "end": 1}, "end"),
        ({"low": 2, "high": 1}, "high"),
    ],
)
def test_a_wrong_question_for_cursors_is_answered_with_its_field(operator, query, field):
    make_recording(5)
    whole = PLACE | {"kind": "harmonics", "hz": 28, "state": "normal"} | query
    answer = operator.get(CURSORS, {name: value for name, value in whole.items() if value is not None})
    assert answer.status_code == 400
    assert [it["field"] for it in answer.json()["errors"]] == [field]
