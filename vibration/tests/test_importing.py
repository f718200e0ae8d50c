"""The one write path: what is stored, and the rollups with it."""

import threading
from datetime import UTC, datetime
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibration.models import Recording, VibrationData, VibrationRollup
from vibration.numbers.classifying import RowClass
from vibration.numbers.samples import Samples
from vibration.numbers.states import MAX_TIME_S, MAX_VALUE, STATES
from vibration.storage import pieces, tails
from vibration.storage.rollups import read_buckets
from vibration.storage.writing import RecordingStartDiffers, open_recording, write_samples
from vibration.tests.world import assert_rollups_fit, make_recording, make_samples, stored_rows

pytestmark = pytest.mark.django_db


def counts(classes):
    return [int((classes == row_class).sum()) for row_class in (RowClass.NEW, RowClass.IDENTICAL, RowClass.CONFLICTING)]


def stored(recording):
    samples = VibrationData.objects.of(recording).as_samples()
    return samples.time, samples.values


def assert_fits(recording):
    """The counts of a recording and its rollups are what the stored samples give."""
    recording.refresh_from_db()
    time, values = stored(recording)
    assert (recording.sample_count, recording.first_time, recording.last_time) == (len(time), time[0], time[-1])
    assert_rollups_fit(recording, Samples(time, values))


def test_samples_are_stored_once_and_the_second_time_is_identical():
    recording = open_recording("g1", "sensor1")
    time, values = make_samples(3000)
    assert counts(write_samples(recording, Samples(time, values))) == [3000, 0, 0]
    assert counts(write_samples(recording, Samples(time, values))) == [0, 3000, 0]
    kept_time, kept_values = stored(recording)
    assert kept_time.tobytes() == time.tobytes()
    assert kept_values.tobytes() == values.tobytes()
    assert_fits(recording)


def test_a_conflict_is_kept_out_unless_it_is_to_replace():
    recording = make_recording(500)
    time, values = make_samples(500)
    changed = values.copy()
    changed[[10, 20], 2] += 1
    assert counts(write_samples(recording, Samples(time, changed))) == [0, 498, 2]
    assert (stored(recording)[1] == values).all()
    assert counts(write_samples(recording, Samples(time, changed), replace=True)) == [0, 498, 2]
    assert (stored(recording)[1] == changed).all()
    assert_fits(recording)


def test_of_a_time_repeated_in_a_batch_the_first_counts_or_with_replace_the_last():
    time = np.array([1.0, 2.0, 1.0, 1.0])
    values = np.arange(16.0).reshape(4, 4)
    values[3] = values[0]
    first = open_recording("g1", "first")
    assert write_samples(first, Samples(time, values)).tolist() == [0, 0, 2, 1]
    assert stored(first)[1].tolist() == [values[0].tolist(), values[1].tolist()]
    last = open_recording("g1", "last")
    assert write_samples(last, Samples(time, values), replace=True).tolist() == [0, 0, 2, 2]
    assert stored(last)[1].tolist() == [values[3].tolist(), values[1].tolist()]
    assert_fits(last)


doubles = st.floats(-MAX_VALUE, MAX_VALUE, allow_nan=False).map(lambda number: number + 0.0)
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(st.lists(st.tuples(st.floats(0, MAX_TIME_S), *[doubles] * 4), min_size=1, max_size=50, unique_by=lambda r: r[0]))
def test_any_double_comes_back_bit_for_bit(rows):
    with transaction.atomic():
        recording = open_recording("g1", "sensor1")
        numbers = np.array(sorted(rows)) + 0.0
        write_samples(recording, Samples(numbers[:, 0], numbers[:, 1:]))
        time, values = stored(recording)
        assert np.column_stack([time, values]).tobytes() == numbers.tobytes()
        transaction.set_rollback(True)


writes = st.lists(
    st.tuples(
        st.one_of(  # times, in steps
            st.lists(st.integers(0, 400), min_size=1, max_size=60),
            st.builds(lambda start, count: list(range(start, start + count)), st.integers(0, 400), st.integers(1, 90)),
        ),
        st.sampled_from([0.001, 0.01, 7.0]),  # the step, in seconds
        st.integers(0, 3),  # which values
        st.booleans(),  # replace
    ),
    min_size=1,
    max_size=8,
)


@few
@given(writes, st.sampled_from([0, 5, 60, 4_000]))
def test_after_any_history_of_writes_the_rollups_fit_the_samples(history, tail_samples):
    with patch.object(tails, "TAIL_SAMPLES", tail_samples), transaction.atomic():
        recording = open_recording("g1", "sensor1")
        table = {}
        for steps, step, kind, replace in history:
            time = np.array(steps) * step
            values = np.sin(np.outer(time + kind, [1.0, 2.0, 3.0, 4.0]))
            write_samples(recording, Samples(time, values), replace=replace)
            for t, v in zip(time.tolist(), values.tolist(), strict=True):
                if replace or t not in table:
                    table[t] = v
        time, values = stored(recording)
        assert dict(zip(time.tolist(), values.tolist(), strict=True)) == table
        assert_fits(recording)
        assert recording.tail_count <= tail_samples
        transaction.set_rollback(True)


def test_how_the_samples_were_cut_in_batches_leaves_no_trace():
    time, values = make_samples(20_000)
    whole, cut = open_recording("g1", "whole"), open_recording("g1", "cut")
    write_samples(whole, Samples(time, values))
    for start in range(0, len(time), 777):
        write_samples(cut, Samples(time[start : start + 777], values[start : start + 777]))
    assert [row[2:] for row in stored_rows()[:20_000]] == [row[2:] for row in stored_rows()[20_000:]]
    assert_fits(whole)
    assert_fits(cut)


def test_pages_of_stored_samples_smaller_than_a_write_change_nothing(monkeypatch):
    monkeypatch.setattr(pieces, "PAGE_ROWS", 150)
    time, values = make_samples(3000)
    recording = open_recording("g1", "sensor1")
    shuffled = np.random.default_rng(2).permutation(3000)
    for rows in np.array_split(shuffled, 4):
        write_samples(recording, Samples(time[rows], values[rows]))
    assert counts(write_samples(recording, Samples(time[shuffled], values[shuffled]))) == [0, 3000, 0]
    assert stored(recording)[1].tobytes() == values.tobytes()
    assert_fits(recording)


def test_a_recording_that_begins_sparse_gets_narrow_buckets_when_it_becomes_dense():
    recording = open_recording("g1", "sensor1")
    for hour in range(3):
        write_samples(recording, Samples(np.array([hour * 3600.0]), np.zeros((1, 4))))
    recording.refresh_from_db()
    wide = recording.rollup_exponent
    time, values = make_samples(5000)
    for start in range(0, 5000, 500):
        write_samples(recording, Samples(100 + time[start : start + 500], values[start : start + 500]))
    assert_fits(recording)
    assert recording.rollup_exponent < wide
    assert max(read_buckets(VibrationRollup.objects.of(recording, 0)).count) <= 200


def test_a_few_samples_far_apart_in_a_long_recording_do_not_read_all_of_it(django_assert_max_num_queries):
    recording = make_recording(20_000)
    time, values = make_samples(20_000)
    with django_assert_max_num_queries(60):
        classes = write_samples(recording, Samples(time[[0, -1]], values[[0, -1]] + 1))
    assert counts(classes) == [0, 0, 2]


def test_sparse_samples_after_dense_ones_do_not_cost_a_statement_each(django_assert_max_num_queries):
    recording = make_recording(2_000)
    time = 100.0 + np.arange(1_000) * 600.0
    with django_assert_max_num_queries(12):
        write_samples(recording, Samples(time, np.zeros((1_000, 4))))
    assert_fits(recording)


def test_a_known_start_gives_each_sample_its_instant():
    start = datetime(2026, 3, 1, 0, 0, 0, 250_000, tzinfo=UTC)
    recording = open_recording("g1", "sensor1", started_at=start)
    write_samples(recording, Samples(np.array([0.0, 0.000736, 0.75, 139.999712]), np.zeros((4, 4))))
    instants = VibrationData.objects.of(recording).order_by("measured_time").values_list("collected_at", flat=True)
    assert [instant.isoformat() for instant in instants] == [
        "2026-03-01T00:00:00.250000+00:00",
        "2026-03-01T00:00:00.250736+00:00",
        "2026-03-01T00:00:01+00:00",
        "2026-03-01T00:02:20.249712+00:00",
    ]
    recording.refresh_from_db()
    assert recording.last_collected_at == instants[3]


def test_without_a_start_the_instant_is_unknown_and_stays_so():
    recording = make_recording(3)
    assert set(VibrationData.objects.of(recording).values_list("collected_at", flat=True)) == {None}
    with pytest.raises(RecordingStartDiffers, match="holds 3 samples that were stored without a start"):
        open_recording("g1", "sensor1", started_at=datetime(2026, 3, 1, tzinfo=UTC))


def test_a_recording_starts_once():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    recording = open_recording("g1", "sensor1")
    assert open_recording("g1", "sensor1", started_at=start).started_at == start  # it was empty
    assert open_recording("g1", "sensor1", started_at=start) == recording
    with pytest.raises(RecordingStartDiffers, match="2026-03-01T09:00:00"):
        open_recording("g1", "sensor1", started_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert open_recording("g1", "sensor1", name="second", started_at=datetime(2026, 3, 2, tzinfo=UTC)) != recording


def frame(recording, time, values, **more):
    columns = {"measured_time": time} | {state: values[:, i] for i, state in enumerate(STATES)} | more
    return pl.DataFrame(columns).with_columns(recording_id=pl.lit(recording.pk))


def test_columns_store_exactly_what_instances_store():
    time, values = make_samples(300)
    values[:4, 0] = [5e-324, -1.5e-300, 1 / 3, -12345678.9]
    instants = np.datetime64("2026-03-01T00:00:00.5") + (time * 1e6).astype("timedelta64[us]") * 500
    columns, instances = open_recording("g1", "columns"), open_recording("g1", "instances")
    VibrationData.objects.bulk_create(frame(columns, time, values, collected_at=instants))
    VibrationData.objects.bulk_create(
        VibrationData(
            recording=instances,
            measured_time=t,
            collected_at=instant.item().replace(tzinfo=UTC),
            **dict(zip(STATES, row, strict=True)),
        )
        for t, row, instant in zip(time.tolist(), values.tolist(), instants.astype("datetime64[us]"), strict=True)
    )
    with connection.cursor() as cursor:
        fields = ", ".join(["measured_time", "collected_at", *STATES])
        raw = []
        for recording in (columns, instances):
            cursor.execute(
                f"SELECT {fields} FROM vibration_data WHERE recording_id = %s ORDER BY measured_time", [recording.pk]
            )
            raw.append(cursor.fetchall())
    assert len(raw[0]) == 300
    assert raw[0] == raw[1]
    for recording in (columns, instances):
        read = VibrationData.objects.of(recording).as_samples()
        assert read.time.tobytes() == time.tobytes()
        assert read.values.tobytes() == values.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_columns_refuse_a_number_that_is_not_finite(value):
    recording = make_recording(0)
    time, values = make_samples(3)
    values[1, 2] = value
    with pytest.raises(ValueError, match="looseness: a value is not finite"):
        VibrationData.objects.bulk_create(frame(recording, time, values))


@pytest.mark.parametrize("rows", [400, 600])  # the text of an INSERT is made in two ways
def test_doubles_of_any_size_are_stored_to_the_last_bit(rows):
    random = np.random.default_rng(rows)
    values = random.normal(size=(rows, 4)) * 10.0 ** random.integers(-320, 8, (rows, 4))
    values[:5, 0] = [0.0, 5e-324, -1e-7, 0.1, -(2.0**26)]
    recording, time = open_recording("g1", "sensor1"), np.arange(rows) * 1e-6
    VibrationData.objects.bulk_create(frame(recording, time, values))
    assert stored(recording)[0].tobytes() == time.tobytes()
    assert stored(recording)[1].tobytes() == values.tobytes()


def test_columns_refuse_missing_values_text_and_options():
    recording = make_recording(0)
    good = frame(recording, *make_samples(3))
    with pytest.raises(ValueError, match="normal: a value is missing"):
        VibrationData.objects.bulk_create(good.with_columns(normal=pl.Series([1.0, None, 2.0])))
    with pytest.raises(TypeError, match="normal: no way to write String"):
        VibrationData.objects.bulk_create(good.with_columns(normal=pl.lit("1); DROP TABLE x")))
    with pytest.raises(TypeError, match="no options"):
        VibrationData.objects.bulk_create(good, ignore_conflicts=True)
    assert not VibrationData.objects.exists()


@pytest.mark.parametrize(
    ("time", "value"), [(-0.001, 0.0), (MAX_TIME_S * 1.01, 0.0), (1.0, MAX_VALUE * 1.01), (1.0, -MAX_VALUE * 1.01)]
)
def test_the_database_itself_refuses_what_is_out_of_range(time, value):
    recording = make_recording(0)
    with pytest.raises(IntegrityError), transaction.atomic():
        VibrationData.objects.bulk_create(frame(recording, np.array([time]), np.full((1, 4), value)))


def test_the_database_itself_refuses_a_second_sample_of_one_time_and_an_unknown_recording():
    recording = make_recording(3)
    with pytest.raises(IntegrityError), transaction.atomic():
        VibrationData.objects.bulk_create(frame(recording, *make_samples(1)))
    with pytest.raises(IntegrityError), transaction.atomic():
        VibrationData.objects.bulk_create(frame(Recording(pk=999_999), *make_samples(1)))
        connection.check_constraints()


@pytest.mark.skipif(connection.vendor != "mysql", reason="where each row of an INSERT looks up its foreign keys")
def test_a_write_to_a_locked_recording_looks_up_no_foreign_key_and_leaves_the_setting_as_it_was():
    recording = make_recording(0)
    with CaptureQueriesContext(connection) as queries:
        write_samples(recording, Samples(*make_samples(100)))
    inserts = [query["sql"] for query in queries if "INTO `vibration_data`" in query["sql"]]
    assert inserts
    assert all("foreign_key_checks" in sql for sql in inserts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@foreign_key_checks")
        assert cursor.fetchone() == (1,)
    with pytest.raises(TypeError, match="for a frame"):
        VibrationData.objects.bulk_create([], references_locked=True)


@pytest.mark.skipif(connection.vendor != "mysql", reason="where each row of an INSERT looks up its foreign keys")
def test_the_server_knows_how_to_leave_out_the_looking_up():
    rows = frame(Recording(pk=999_999), *make_samples(1))
    with transaction.atomic():
        VibrationData.objects.bulk_create(rows, references_locked=True)
        assert VibrationData.objects.filter(recording_id=999_999).exists()
        VibrationData.objects.all().delete()


def test_a_failure_on_the_way_leaves_nothing_of_the_write(monkeypatch):
    recording = make_recording(3_000)
    before = stored_rows()

    def fail(*args):
        raise RuntimeError("power cut")

    monkeypatch.setattr(tails, "replace_rollups", fail)
    time, values = make_samples(6_000)
    with pytest.raises(RuntimeError, match="power cut"), transaction.atomic():
        write_samples(recording, Samples(time, values))
    assert stored_rows() == before
    assert_fits(recording)


def test_deleting_a_recording_takes_a_handful_of_statements(django_assert_max_num_queries):
    recording = make_recording(5000)
    with django_assert_max_num_queries(11):  # three of them for the audit trail
        recording.delete()
    assert not VibrationData.objects.exists()
    assert not VibrationRollup.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_samples_store_them_once():
    time, values = make_samples(4000)
    results, failures = [], []

    def write(pieces):
        try:
            recording = open_recording("g1", "sensor1")
            for rows in pieces:
                results.append(counts(write_samples(recording, Samples(time[rows], values[rows]))))
        except Exception as error:  # noqa: BLE001  handed to the test, which fails with it
            failures.append(error)
        finally:
            connection.close()

    forward = np.array_split(np.arange(4000), 10)
    threads = [threading.Thread(target=write, args=[pieces]) for pieces in (forward, forward[::-1], forward[5:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    new, identical, conflicting = np.sum(results, axis=0).tolist()
    assert (new, identical, conflicting) == (4000, 6000, 0)
    recording = Recording.objects.get()
    assert stored(recording)[1].tobytes() == values.tobytes()
    assert_fits(recording)
