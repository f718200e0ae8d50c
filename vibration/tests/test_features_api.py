"""The endpoint behind the features of a recording over windows."""

import csv
import io

import numpy as np
import pytest
from django.urls import reverse

from machines.models import Machine, Sensor
from vibration.models import Recording
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.signals.features import features_of
from vibration.storage.writing import open_recording, write_samples
from vibration.windows import signal_features

pytestmark = pytest.mark.django_db
URL = "/api/vibration-data/features"
PLACE = {"machine_name": "g1", "sensor_no": "sensor1"}
RATE = 1_000.0


@pytest.fixture
def reader(client, user):
    client.force_login(user)
    return client


def signals(seconds: float, hz: float = 27.5) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and values (n, 4): each state one tone, of amplitude 1 to 4, about a mean of 10, in noise."""
    time = np.round(np.arange(round(seconds * RATE)) / RATE, 6)
    tones = np.sin(2 * np.pi * hz * time)[:, None] * np.arange(1.0, len(STATES) + 1)
    noise = np.random.default_rng(1).normal(0, 0.01, (len(time), len(STATES)))
    return time, np.round(10 + tones + noise, 6)


def write(time: np.ndarray, values: np.ndarray, rated_rpm: int | None = 1_650) -> Recording:
    Machine.objects.update_or_create(name="g1", defaults={"rated_rpm": rated_rpm})
    recording = open_recording("g1", "sensor1")
    write_samples(recording, Samples(time, values))
    recording.refresh_from_db()
    return recording


def test_each_state_has_the_features_of_each_window_and_their_median_beside_that_of_normal(reader):
    time, values = signals(12)
    write(time, values)
    answer = reader.get(URL, PLACE | {"windows": 3}).json()
    assert (answer["windows"], answer["window_length"], answer["window_start"]) == (
        3,
        pytest.approx(4, abs=0.001),
        pytest.approx([0, 4, 8], abs=0.002),
    )
    assert answer["sampling_frequency"] == pytest.approx([RATE] * 3)
    assert list(answer["features"]) == list(STATES)
    for column, state in enumerate(STATES):
        found = answer["features"][state]
        for start, end, rms in zip(answer["window_start"], answer["window_end"], found["rms"], strict=True):
            own = values[(time >= start) & (time <= end), column]
            assert rms == features_of(own, RATE, "").rms
        summary = answer["summaries"][state]["order_1_0"]
        assert (summary["windows"], summary["reason"]) == (3, None)
        assert summary["median"] == pytest.approx(np.median(found["order_1_0"]), rel=1e-12)
        assert (summary["median"], summary["ratio"]) == pytest.approx((column + 1, column + 1), rel=0.01)
        assert answer["summaries"][state]["mean"] == {
            "windows": 3,
            "median": pytest.approx(10, rel=1e-3),
            "ratio": None,
            "reason": None,
        }


def test_what_is_not_assessable_is_null_and_its_reason_is_told(reader):
    write(*signals(4), rated_rpm=None)
    summaries = reader.get(URL, PLACE).json()["summaries"]["normal"]
    reasons = {name: it["reason"] for name, it in summaries.items() if it["median"] is None}
    assert reasons["velocity_rms"] == "unit"
    assert reasons["shaft_hz"] == reasons["order_2_5"] == "speed"
    assert reasons["band_1000_5000"] == "rate"
    assert all(it["windows"] == 0 and it["ratio"] is None for it in summaries.values() if it["median"] is None)


def test_windows_left_out_are_counted_each_for_its_reason(reader):
    time, values = signals(16)
    time[4_000:8_000] = np.round(4 + np.cumsum(np.linspace(0.0008, 0.0012, 4_000)) - 0.001, 6)  # slower and slower
    kept = (time < 8) | (time >= 12)
    write(time[kept], values[kept])
    answer = reader.get(URL, PLACE | {"windows": 4}).json()
    assert (answer["empty"], answer["uneven"], answer["removed"], len(answer["window_start"])) == (1, 1, 0, 3)
    assert [it is None for it in answer["features"]["normal"]["rms"]] == [False, True, False]
    Recording.objects.update(pruned_before=12.0)
    assert reader.get(URL, PLACE | {"windows": 4, "start": 8.2, "end": 11.9}).json()["removed"] == 4


def test_a_flat_state_has_no_ratio_and_none_is_made_to_it(reader):
    time, values = signals(4)
    values[:, 0] = 5
    write(time, values)
    summaries = reader.get(URL, PLACE).json()["summaries"]
    assert summaries["normal"]["rms"] == {"windows": 1, "median": 0, "ratio": None, "reason": None}
    assert summaries["normal"]["kurtosis"]["reason"] == "flat"
    assert summaries["unbalance"]["rms"]["ratio"] is None


def test_no_more_samples_are_read_than_the_windows_share_and_that_is_told(reader, monkeypatch):
    monkeypatch.setattr(signal_features, "MOST_SAMPLES", 2_000)
    write(*signals(40))
    answer = reader.get(URL, PLACE | {"windows": 4}).json()
    assert (answer["samples"], answer["cut"], answer["samples_read"]) == ([500] * 4, 4, 2_000)


def test_by_itself_as_many_windows_are_made_as_have_room(reader):
    write(*signals(10))
    assert reader.get(URL, PLACE).json()["windows"] == 2
    assert reader.get(URL, PLACE | {"start": 3, "end": 3.5}).json()["windows"] == 1


def test_a_recording_without_samples_has_no_window(reader):
    open_recording("g1", "sensor1")
    answer = reader.get(URL, PLACE).json()
    assert (answer["window_start"], answer["features"]["normal"]["rms"]) == ([], [])
    assert answer["summaries"]["normal"]["rms"]["median"] is None


def test_the_csv_has_a_line_of_each_window_and_state_below_what_is_told_of_all(reader):
    write(*signals(8))
    Sensor.objects.update(unit="mm/s²")
    asked = PLACE | {"windows": 2, "states": ["normal", "looseness"]}
    answer = reader.get(URL, asked).json()
    response = reader.get(URL, asked | {"format": "csv"})
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    lines = text.splitlines()
    about = [it for it in lines if it.startswith("# ")]
    assert {"# unit: mm/s²", "# windows: 2", "# recording: default"} <= set(about)
    rows = list(csv.DictReader(io.StringIO("\n".join(lines[len(about) :]))))
    assert [it["state"] for it in rows] == ["normal", "looseness"] * 2
    assert [float(it["rms"]) for it in rows if it["state"] == "looseness"] == answer["features"]["looseness"]["rms"]
    assert {it["velocity_rms"] for it in rows} == {""}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"windows": 0}, "windows"),
        ({"windows": 201}, "windows"),
        ({"points": 100}, "points"),
        ({"start": 2, "end": 1}, "end"),
        ({"states": "broken"}, "states"),
        ({"features": "rms"}, "features"),
    ],
)
def test_a_wrong_parameter_is_named(reader, query, field):
    write(*signals(1))
    answer = reader.get(URL, PLACE | query)
    assert answer.status_code == 400
    assert [it["field"].split(".")[0] for it in answer.json()["errors"]] == [field]


def test_a_recording_that_is_not_there_is_not_found(reader):
    assert reader.get(URL, PLACE).status_code == 404


def test_who_may_not_read_samples_reads_no_features(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("nobody"))
    assert client.get(URL, PLACE).status_code == 403
    assert reverse("api-features") == URL
