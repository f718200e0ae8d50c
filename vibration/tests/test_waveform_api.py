"""The endpoint behind the waveform page."""

import pytest
from django.urls import reverse

from vibration.files.importing import Options
from vibration.numbers.states import STATES
from vibration.tests.world import KAMP_ROWS, import_csv, make_recording, write_csv

pytestmark = pytest.mark.django_db
URL = "/api/vibration-data/waveform"
PLACE = {"machine_name": "g1", "sensor_no": "sensor1"}


@pytest.fixture
def operator(client, user):
    client.force_login(user)
    return client


def test_the_kamp_rows_come_out_to_their_last_digit(operator, tmp_path):
    import_csv(write_csv(tmp_path / "g1_sensor1.csv", KAMP_ROWS), Options())
    answer = operator.get(URL, PLACE).json()
    expected = [tuple(map(float, line.split(","))) for line in KAMP_ROWS.splitlines()]
    assert (answer["samples"], answer["buckets"], answer["bucket_width"]) == (6, 6, 0)
    assert answer["time"] == [row[0] for row in expected]
    for position, state in enumerate(STATES, start=1):
        assert answer["states"][state] == {"min": [row[position] for row in expected]} | {
            "max": [row[position] for row in expected]
        }


def test_a_long_window_says_how_much_it_stands_for(operator):
    recording = make_recording(20_000)
    answer = operator.get(URL, PLACE | {"points": 200, "states": ["looseness", "normal"]}).json()
    assert answer["samples"] == 20_000
    assert answer["buckets"] == len(answer["time"]) == len(answer["states"]["normal"]["max"]) <= 200
    assert answer["bucket_width"] > 0
    assert list(answer["states"]) == ["normal", "looseness"]
    assert (answer["recording_start"], answer["recording_end"]) == (0.0, recording.last_time)
    assert (answer["machine_name"], answer["sensor_no"], answer["recording"]) == ("g1", "sensor1", "default")


def test_a_trailing_slash_is_optional(operator):
    make_recording(5)
    assert operator.get(URL, PLACE).json() == operator.get(URL + "/", PLACE).json()
    assert reverse("api-waveform") == URL


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sensor_no": "sensor1"}, "machine_name"),
        ({"machine_name": "g1"}, "sensor_no"),
        (PLACE | {"start": "soon"}, "start"),
        (PLACE | {"start": "1.2.3"}, "start"),
        (PLACE | {"end": "nan"}, "end"),
        (PLACE | {"start": "inf"}, "start"),
        (PLACE | {"start": "nan"}, "start"),
        (PLACE | {"start": 2, "end": 1}, "end"),
        (PLACE | {"points": 5}, "points"),
        (PLACE | {"points": 100_000}, "points"),
        (PLACE | {"states": "sideways"}, "states"),
    ],
)
def test_a_wrong_query_is_answered_with_the_name_of_its_field(operator, query, field):
    make_recording(5)
    answer = operator.get(URL, query)
    assert answer.status_code == 400
    assert [it["field"] for it in answer.json()["errors"]] == [field]


def test_a_recording_without_samples_and_a_window_beside_them_are_empty(operator):
    make_recording(0)
    assert operator.get(URL, PLACE).json()["time"] == []
    make_recording(5)
    assert operator.get(URL, PLACE | {"start": 100}).json()["samples"] == 0


def test_an_unknown_recording_is_not_found(operator):
    make_recording(5)
    for query in (PLACE | {"machine_name": "g9"}, PLACE | {"sensor_no": "x"}, PLACE | {"recording": "x"}):
        assert operator.get(URL, query).status_code == 404


def test_nobody_reads_without_a_login(client):
    make_recording(5)
    answer = client.get(URL, PLACE)
    assert answer.status_code == 401
    assert "time" not in answer.json()


def test_a_waveform_costs_a_fixed_number_of_queries(operator, django_assert_num_queries):
    make_recording(20_000)
    # Session, user, his permissions and those of his roles, recording, rollups
    with django_assert_num_queries(6):
        operator.get(URL, PLACE)
