"""The reduction of a window: no extreme lost, little read."""

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibration.csv.synthetic import row_count, sample_lines
from vibration.models import VibrationData
from vibration.numbers.samples import Samples
from vibration.storage.tails import TAIL_SAMPLES
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_recording
from vibration.windows.waveform import read_waveform

pytestmark = pytest.mark.django_db

few = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def assert_stands_for_its_samples(waveform, time, values, start, end, points):
    """Nothing of the window is missing, and each bucket has the very extremes of the samples between its edges."""
    assert len(waveform.time) <= points
    first, last = max(start, time[0]), min(end, time[-1])
    if first <= last:
        assert waveform.start <= first
        assert last < waveform.end
    covered = (time >= waveform.start) & (time < waveform.end)
    assert waveform.count.sum() == covered.sum()
    if waveform.width == 0:
        assert waveform.time.tolist() == time[covered].tolist()
        assert (waveform.minimum == values[covered]).all()
        assert (waveform.maximum == values[covered]).all()
        return
    assert (np.diff(waveform.time) >= waveform.width).all()
    for begin, count, low, high in zip(waveform.time, waveform.count, waveform.minimum, waveform.maximum, strict=True):
        inside = (time >= begin) & (time < begin + waveform.width)
        assert inside.sum() == count
        assert (values[inside].min(axis=0) == low).all()
        assert (values[inside].max(axis=0) == high).all()


recordings = st.tuples(
    st.integers(1, 3000),  # samples
    st.sampled_from([0.000736, 0.001, 0.1, 3.0]),  # step
    st.sampled_from(["even", "jitter", "gaps", "burst"]),
    st.integers(0, 5),
)


def samples_of(count, step, kind, seed):
    random = np.random.default_rng(seed)
    time = np.arange(count) * step
    if kind == "jitter":
        time = np.unique(time + random.uniform(0, step * 5, count))
    elif kind == "gaps":
        time = time + np.cumsum(random.random(count) < 0.002) * step * 5000
    elif kind == "burst":
        time = np.unique(np.concatenate([time, time[-1] / 2 + np.arange(500) * step / 100]))
    values = random.normal(0, 1, (len(time), 4))
    values[random.integers(0, len(time), 3)] *= 50  # peaks that an average would hide
    return time, values


@few
@given(recordings, st.floats(-0.2, 1.2), st.floats(0, 1.5), st.sampled_from([10, 50, 300, 1000]))
def test_no_window_ever_loses_an_extreme(shape, start, length, points):
    time, values = samples_of(*shape)
    span = time[-1] - time[0]
    start, end = start * span, start * span + length * length * span
    with transaction.atomic():
        recording = open_recording("g1", "sensor1")
        for part in np.array_split(np.arange(len(time)), 3):
            write_samples(recording, Samples(time[part], values[part]))
        recording.refresh_from_db()
        waveform = read_waveform(recording, start, end, points)
        assert_stands_for_its_samples(waveform, time, values, start, end, points)
        transaction.set_rollback(True)


@pytest.fixture
def long_recording():
    """As long as a real one: 190,218 samples."""
    lines = "".join(sample_lines(1, 1, 140.0, seed=1)).split()
    numbers = np.array([line.split(",") for line in lines], dtype=np.float64)
    recording = open_recording("g1", "sensor1")
    write_samples(recording, Samples(numbers[:, 0], numbers[:, 1:]))
    recording.refresh_from_db()
    return recording, numbers


def rows_read(queries):
    """What the SELECTs of a page really fetch: each is run again and its rows are counted."""
    count = 0
    with connection.cursor() as cursor:
        for query in queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute(query["sql"].replace("%", "%%"))
                count += len(cursor.fetchall())
    return count


def test_a_long_recording_is_drawn_from_a_few_thousand_rows_at_any_zoom(long_recording):
    recording, numbers = long_recording
    time, values = numbers[:, 0], numbers[:, 1:]
    assert recording.sample_count == row_count(1, 140.0) == 190_218
    most = {140.0: 3_000, 60.0: 3_000, 20.0: 3_000, 15.0: 21_000, 2.0: 3_000, 0.5: 1_000, 0.01: 100}
    for length, limit in most.items():
        with CaptureQueriesContext(connection) as queries:
            waveform = read_waveform(recording, 5.0, 5.0 + length)
        assert_stands_for_its_samples(waveform, time, values, 5.0, 5.0 + length, 1000)
        assert len(queries) <= 3
        assert 0 < rows_read(queries) <= limit, length
    assert read_waveform(recording, 0, 140).width > 0
    assert read_waveform(recording, 5.0, 5.5).width == 0  # single samples


def test_what_is_read_does_not_grow_with_the_recording():
    recording = make_recording(2_000)
    time = np.arange(2_000) * 0.001
    for hour in range(1, 40):
        write_samples(recording, Samples(time + hour * 3600.0, np.sin(np.outer(time, [1, 2, 3, 4]))))
    recording.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        waveform = read_waveform(recording, 0, 40 * 3600.0, 100)
    assert waveform.count.sum() == 80_000
    assert rows_read(queries) <= 800 + TAIL_SAMPLES


def test_an_empty_recording_and_a_window_beside_the_samples_give_nothing():
    recording = make_recording(0)
    assert len(read_waveform(recording, 0, 10).time) == 0
    recording = make_recording(100)
    assert len(read_waveform(recording, 5, 10).time) == 0
    assert len(read_waveform(recording, -10, -5).time) == 0
    assert read_waveform(recording, 0.05, 0.05).time.tolist() == [0.05]


def test_the_samples_of_a_window_are_half_open():
    recording = make_recording(10)
    samples = VibrationData.objects.of(recording).in_window(0.002, 0.005).as_samples()
    assert samples.time.tolist() == [0.002, 0.003, 0.004]
