"""Retention: what goes, what stays, and that whoever reads or writes knows it."""

import io
import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibration.files.display import problem_lines
from vibration.files.importing import Options, RejectsFile
from vibration.files.names import Naming
from vibration.models import ImportRun, Recording, VibrationData, VibrationRollup
from vibration.numbers.classifying import RowClass
from vibration.numbers.features import features_of
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.querysets import VibrationDataQuerySet
from vibration.storage.pruning import find_removal, remove
from vibration.storage.writing import RecordingStartDiffers, open_recording, write_samples
from vibration.tests.world import as_csv, assert_rollups_fit, import_csv, make_samples, write_csv
from vibration.windows import waveform
from vibration.windows.analysis import PRUNED, analyse
from vibration.windows.waveform import read_waveform

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def prune(recording: Recording, cutoff: datetime, batch_rows: int = 700) -> int:
    recording.refresh_from_db()
    removal = find_removal(recording, cutoff)
    removed = sum(remove(removal, cutoff, by="test", batch_rows=batch_rows)) if removal else 0
    recording.refresh_from_db()
    assert removed == (removal.samples if removal else 0)
    return removed


def recorded(count: int = 4000, *, started_at: datetime | None = START, step: float = 0.001, name: str = "default"):
    """A recording of `count` samples, and these."""
    recording = open_recording("g1", "sensor1", started_at=started_at, name=name)
    time, values = make_samples(count, step=step)
    write_samples(recording, Samples(time, values))
    recording.refresh_from_db()
    return recording, time, values


def assert_state_fits(recording, time, values):
    """Samples, counts and border fit; the rollups are, bit for bit, those of all samples that there ever were."""
    recording.refresh_from_db()
    kept = VibrationData.objects.of(recording).as_samples()
    there = time >= recording.pruned_before
    assert kept.time.tobytes() == time[there].tobytes()
    assert kept.values.tobytes() == values[there].tobytes()
    assert (recording.sample_count, recording.pruned_count) == (there.sum(), (~there).sum())
    assert (recording.pruned_at is None) == (recording.pruned_count == 0) == (recording.pruned_before == 0)
    assert (recording.first_time, recording.last_time) == (time[0], time[-1])
    bucket = recording.pruned_before / recording.bucket_width(0)
    assert bucket == int(bucket)
    assert_rollups_fit(recording, Samples(time, values))


# --- What goes --------------------------------------------------------------------------------------------------------


def test_what_is_old_goes_up_to_the_edge_of_a_bucket_and_the_rest_stays():
    recording, time, values = recorded()
    assert prune(recording, at(2.5)) == recording.pruned_count
    assert 2.5 - recording.bucket_width(0) < recording.pruned_before <= 2.5
    assert_state_fits(recording, time, values)
    assert prune(recording, at(2.5)) == 0
    assert prune(recording, at(3.0)) > 0
    assert_state_fits(recording, time, values)


def test_a_recording_that_is_old_as_a_whole_goes_as_a_whole():
    recording, time, values = recorded()
    assert prune(recording, at(4.1)) == 4000
    assert recording.pruned_before > time[-1]
    assert_state_fits(recording, time, values)
    assert find_removal(recording, at(1e6)) is None


def test_nothing_goes_of_a_recording_that_is_young_or_empty():
    recording, time, values = recorded()
    assert find_removal(recording, at(0)) is None
    assert find_removal(recording, at(0.02)) is None  # within the first bucket
    assert find_removal(open_recording("g1", "sensor2"), at(1e9)) is None
    assert_state_fits(recording, time, values)


def test_without_a_time_of_day_a_sample_counts_from_the_last_write():
    recording, time, values = recorded(started_at=None)
    written = recording.last_written_at
    assert find_removal(recording, written) is None
    assert prune(recording, written + timedelta(seconds=1)) == 4000
    assert_state_fits(recording, time, values)


def test_one_sample_of_unknown_time_keeps_all_behind_it_while_the_recording_is_written():
    recording = open_recording("g1", "sensor1")
    time, values = make_samples(4000)
    instants = np.datetime64("2026-03-01T00:00:00", "us") + (time * 1e6).astype("timedelta64[us]")
    instants[2010] = np.datetime64("NaT")
    write_samples(recording, Samples(time, values, instants))
    assert prune(recording, at(1e4)) == 2000  # an edge of the buckets of 1/16 s
    assert_state_fits(recording, time, values)
    assert prune(recording, timezone.now() + timedelta(days=1)) == 2000
    assert_state_fits(recording, time, values)


def test_the_first_sample_that_is_too_young_ends_what_goes_however_deep_it_lies(monkeypatch):
    monkeypatch.setattr("vibration.storage.pruning._LARGEST_PAGE", 500)
    recording = open_recording("g1", "sensor1")
    time, values = make_samples(4000)
    instants = np.full(4000, np.datetime64("2026-03-01T00:00:00", "us"))
    instants[3333] = np.datetime64("2026-06-01", "us")
    write_samples(recording, Samples(time, values, instants))
    assert prune(recording, datetime(2026, 5, 1, tzinfo=UTC)) == recording.pruned_count
    assert recording.pruned_before <= 3.333 < recording.pruned_before + recording.bucket_width(0)
    assert VibrationData.objects.filter(measured_time=3.333).exists()
    assert_state_fits(recording, time, values)


def test_a_young_sample_that_comes_while_somebody_is_asked_stays():
    recording, time, values = recorded()
    cutoff = at(3600)
    removal = find_removal(recording, cutoff)
    late = np.array(["2026-06-01"], dtype="datetime64[us]")
    write_samples(recording, Samples(np.array([2.0005]), np.zeros((1, 4)), late))
    assert 1900 < sum(remove(removal, cutoff, by="test", batch_rows=700)) <= 2001
    assert VibrationData.objects.filter(measured_time=2.0005).exists()
    time, values = np.insert(time, 2001, 2.0005), np.insert(values, 2001, np.zeros(4), axis=0)
    assert_state_fits(recording, time, values)


def test_no_more_goes_than_was_shown():
    recording, time, values = recorded()
    removal = find_removal(recording, at(1.0))
    assert sum(remove(removal, at(1e6), by="test", batch_rows=700)) == removal.samples
    assert_state_fits(recording, time, values)


def test_a_bucket_of_more_samples_than_a_batch_goes_in_one():
    recording, time, values = recorded()
    assert prune(recording, at(1e6), batch_rows=7) == 4000
    assert_state_fits(recording, time, values)


class PowerCut(Exception):
    pass


def test_ended_at_any_batch_the_state_fits_and_the_next_run_goes_on(monkeypatch):
    recording, time, values = recorded()
    removal = find_removal(recording, at(1e6))
    gone = 0
    for batch, count in enumerate(remove(removal, at(1e6), by="test", batch_rows=700), 1):
        gone += count
        assert_state_fits(recording, time, values)
        assert recording.pruned_count == gone
        if batch == 3:
            break
    with monkeypatch.context() as patch:
        patch.setattr(Recording, "save", lambda *args, **kwargs: (_ for _ in ()).throw(PowerCut))
        with pytest.raises(PowerCut), transaction.atomic():
            list(remove(removal, at(1e6), by="test", batch_rows=700))
    assert_state_fits(recording, time, values)
    assert recording.pruned_count == gone
    assert prune(recording, at(1e6)) == 4000 - gone
    assert_state_fits(recording, time, values)


def test_a_batch_takes_six_statements():
    recording, _time, _values = recorded()
    removal = find_removal(recording, at(1e6))
    batches = remove(removal, at(1e6), by="test", batch_rows=700)
    # Recording with its lock, first sample, the one behind the batch, the first too young, samples, recording
    next(batches)  # begins with an audit trail entry
    with CaptureQueriesContext(connection) as queries:
        next(batches)
    statements = [it["sql"] for it in queries if not it["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    assert len(statements) == 6, statements
    [delete] = [it for it in statements if it.startswith("DELETE")]
    assert "SELECT" not in delete


def test_a_recording_that_is_deleted_meanwhile_is_said_and_one_beside_it_is_not_touched():
    recording, *_rest = recorded()
    other, time, values = recorded(name="other")
    removal = find_removal(recording, at(1e6))
    recording.delete()
    with pytest.raises(Recording.DoesNotExist):
        list(remove(removal, at(1e6), by="test"))
    assert_state_fits(other, time, values)


def test_a_pruned_recording_can_be_deleted():
    recording, *_rest = recorded()
    prune(recording, at(2.5))
    recording.delete()
    assert not VibrationData.objects.exists()
    assert not VibrationRollup.objects.exists()


# --- What writers do then ---------------------------------------------------------------------------------------------


def test_rows_where_samples_were_removed_are_rejected_and_those_behind_are_stored():
    recording, time, values = recorded()
    prune(recording, at(2.5))
    border = recording.pruned_before
    classes = write_samples(recording, Samples(time, values))
    assert ((classes == RowClass.REJECTED) == (time < border)).all()
    assert ((classes == RowClass.IDENTICAL) == (time >= border)).all()
    more, other = np.array([0.0005, border, border + 0.0005, 9.0]), np.ones((4, 4))
    classes = write_samples(recording, Samples(more, other, np.full(4, np.datetime64("NaT"), "datetime64[us]")))
    assert classes.tolist()[0] == RowClass.REJECTED
    assert classes.tolist()[2:] == [RowClass.NEW, RowClass.NEW]
    recording.refresh_from_db()
    assert VibrationData.objects.filter(measured_time__lt=border).count() == 0


def test_to_replace_does_not_bring_removed_samples_back():
    recording, time, values = recorded()
    prune(recording, at(2.5))
    rows = time < 2
    assert set(write_samples(recording, Samples(time[rows], values[rows] + 1), replace=True)) == {RowClass.REJECTED}
    assert_state_fits(recording, time, values)


writes = st.lists(
    st.one_of(
        st.tuples(
            st.lists(st.integers(0, 3000), min_size=1, max_size=120),  # times, in steps
            st.sampled_from([0.0004, 0.001, 0.01, 7.0]),  # the step, in seconds
            st.booleans(),  # replace
        ),
        st.floats(0, 4),  # or: remove what is older
    ),
    min_size=1,
    max_size=12,
)
few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(writes)
def test_after_any_history_of_writes_and_removals_the_rollups_are_those_of_all_samples(history):
    with transaction.atomic():
        recording = open_recording("g1", "sensor1", started_at=START)
        table = {}
        for step in history:
            if isinstance(step, float):
                prune(recording, at(step), batch_rows=40)
                continue
            steps, unit, replaces = step
            time = np.array(steps) * unit
            values = np.sin(np.outer(time + len(table), [1.0, 2.0, 3.0, 4.0]))
            classes = write_samples(recording, Samples(time, values), replace=replaces)
            for row_class, t, v in zip(classes, time.tolist(), values.tolist(), strict=True):
                assert (row_class == RowClass.REJECTED) == (t < recording.pruned_before)
                if row_class != RowClass.REJECTED and (replaces or t not in table):
                    table[t] = v
        if table:
            numbers = np.array([[t, *v] for t, v in sorted(table.items())])
            assert_state_fits(recording, numbers[:, 0], numbers[:, 1:])
        transaction.set_rollback(True)


def test_buckets_that_grow_full_are_not_divided_once_samples_were_removed():
    recording, time, values = recorded(200, step=1.0)
    assert recording.bucket_width(0) == 64
    prune(recording, at(100))
    dense = 150 + np.arange(1, 4000) / 4096
    more = np.ones((len(dense), 4))
    assert set(write_samples(recording, Samples(dense, more))) == {RowClass.NEW}
    time, values = np.concatenate([time, dense]), np.concatenate([values, more])
    order = np.argsort(time)
    assert_state_fits(recording, time[order], values[order])


def counts(run: ImportRun) -> tuple:
    run.refresh_from_db()
    assert run.read == run.new + run.identical + run.conflicting + run.rejected
    return run.outcome, run.new, run.identical, run.conflicting, run.rejected


@pytest.mark.parametrize("skip_bad_rows", [False, True])
def test_a_file_that_was_removed_is_read_to_its_end_and_says_what_to_do(tmp_path, skip_bad_rows):
    recording, time, values = recorded()
    prune(recording, at(1e6))
    path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(time, values))
    with RejectsFile(tmp_path / "rejects") as rejects:
        report = import_csv(path, Options(skip_bad_rows=skip_bad_rows, batch_rows=1500), rejects=rejects)
    assert counts(report.run) == (ImportRun.Outcome.PROBLEMS, 0, 0, 0, len(time))
    assert report.run.message == ""
    assert len(report.problems) == 5
    assert "g1_sensor1.csv:1: rejected: raw samples of g1 / sensor1 / default before 4.0" in report.problems[0]
    assert f"were removed by retention, last on {timezone.localdate().isoformat()}" in report.problems[0]
    assert report.problems[0].endswith("another recording of the sensor needs a name of its own")
    assert f"{len(time) - 5:,} more rejected rows" in "\n".join(problem_lines(report))
    assert len((tmp_path / "rejects").read_text().splitlines()) == 1 + len(time)
    assert_state_fits(recording, time, values)


@pytest.mark.parametrize("skip_bad_rows", [False, True])
@pytest.mark.parametrize("batch_rows", [1, 3, 50_000])
def test_removed_rows_of_a_file_never_keep_those_beside_them_out(tmp_path, skip_bad_rows, batch_rows):
    recording, *_rest = recorded()
    prune(recording, at(2.5))
    border = recording.pruned_before
    # New rows, then some that were removed, one of them with other values than there were, then another new one
    lines = f"8,1,1,1,1\n9,1,1,1,1\n{border - 0.001!r},1,1,1,1\n0,1,1,1,1\n10,1,1,1,1\n9,2,2,2,2\n"
    path = write_csv(tmp_path / "g1_sensor1.csv", lines)
    options = {"skip_bad_rows": skip_bad_rows, "batch_rows": batch_rows, "on_restart": "merge"}
    run = import_csv(path, Options(**options)).run
    assert counts(run) == (ImportRun.Outcome.PROBLEMS, 3, 0, 1, 2)
    assert counts(import_csv(path, Options(**options)).run) == (ImportRun.Outcome.PROBLEMS, 0, 3, 1, 2)
    run = import_csv(path, Options(naming=Naming(recording="anew"), **options)).run
    assert counts(run) == (ImportRun.Outcome.PROBLEMS, 5, 0, 1, 0)


def test_a_row_that_can_not_be_read_stops_the_file_and_is_shown_after_many_removed_ones(tmp_path):
    recording, time, values = recorded()
    prune(recording, at(1e6))
    lines = as_csv(time[:20], values[:20]) + "8,1,1,1,1\n9,1,x,1,1\n10,1,1,1,1\n"
    report = import_csv(write_csv(tmp_path / "g1_sensor1.csv", lines), Options())
    assert counts(report.run) == (ImportRun.Outcome.STOPPED, 1, 0, 0, 21)
    assert len(report.problems) == 6
    assert "g1_sensor1.csv:22: rejected: " in report.problems[-1]
    assert "retention" not in report.problems[-1]
    assert "15 more rejected rows" in "\n".join(problem_lines(report))
    assert report.run.message == "the rows after line 22 were not read"


def test_the_command_stores_what_a_growing_file_got_since_and_ends_with_status_1(tmp_path):
    recording, time, values = recorded()
    prune(recording, at(2.5))
    path = write_csv(tmp_path / "g1_sensor1.csv", as_csv(time, values) + "8,1,1,1,1\n")
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1 files") as failed:
        call_command("import_vibration", path, stdout=out, stderr=out)
    assert failed.value.returncode == 1
    removed = int((time < recording.pruned_before).sum())
    assert counts(ImportRun.objects.get()) == (ImportRun.Outcome.PROBLEMS, 1, len(time) - removed, 0, removed)


def test_an_upload_with_removed_rows_is_a_200_that_says_so(client, collector):
    recording, time, values = recorded()
    prune(recording, at(2.5))
    file = SimpleUploadedFile("g1_sensor1.csv", (as_csv(time, values) + "8,1,1,1,1\n").encode())
    answer = client.post("/api/vibration-data/csv", {"file": file})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    removed = int((time < recording.pruned_before).sum())
    assert (told["outcome"], told["new"], told["rejected"]) == ("problems", 1, removed)
    assert "were removed by retention" in answer.text


def test_a_pruned_recording_without_a_start_gets_none():
    recording, *_rest = recorded(started_at=None)
    prune(recording, timezone.now() + timedelta(days=1))
    assert recording.sample_count == 0
    with pytest.raises(RecordingStartDiffers, match="4,000 samples that were stored without a start"):
        open_recording("g1", "sensor1", started_at=START)


# --- What readers see then --------------------------------------------------------------------------------------------


def assert_stands_for(found, time, values, start, end, *, pruned_before):
    """Each bucket stands for all samples that there ever were in it; those of the window are in one bucket each."""
    first, last = max(start, time[0]), min(end, time[-1])
    assert found.start <= first
    assert found.end > last
    covered = (time >= found.start) & (time < found.end)
    assert found.count.sum() == covered.sum()
    if found.width == 0:
        assert found.start >= pruned_before
        assert found.time.tolist() == time[covered].tolist()
        return
    for begin, count, low, high in zip(found.time, found.count, found.minimum, found.maximum, strict=True):
        inside = covered & (time >= begin) & (time < begin + found.width)
        assert inside.sum() == count
        assert (values[inside].min(axis=0) == low).all()
        assert (values[inside].max(axis=0) == high).all()


@few
@given(st.floats(0, 20), st.floats(0, 1), st.floats(0, 1), st.sampled_from([10, 100, 1000]))
def test_any_window_of_a_pruned_recording_has_no_hole_and_nothing_twice(cutoff, start, length, points):
    with transaction.atomic():
        recording, time, values = recorded(12_000)
        prune(recording, at(cutoff), batch_rows=5000)
        start = start * 12
        end = start + length**3 * 12
        found = read_waveform(recording, start, end, points)
        if start <= time[-1]:
            assert_stands_for(found, time, values, start, end, pruned_before=recording.pruned_before)
        transaction.set_rollback(True)


@pytest.mark.parametrize("shift", [-0.3, -0.05, -0.001, 0.0, 0.001, 0.01])
def test_at_the_border_itself_too(shift):
    recording, time, values = recorded(12_000)
    prune(recording, at(6.0), batch_rows=5000)
    start = recording.pruned_before + shift
    for points, length in itertools.product([10, 100, 1000], [0.0, 0.001, 0.01, 0.05, 0.3, 2.0]):
        found = read_waveform(recording, start, start + length, points)
        assert_stands_for(found, time, values, start, start + length, pruned_before=recording.pruned_before)
        if shift < 0:
            assert found.width >= recording.bucket_width(0)  # as fine as what is left
        elif length <= 0.01:
            assert found.width < recording.bucket_width(0)  # the samples themselves


def test_samples_that_are_removed_while_they_are_read_are_drawn_from_rollups(monkeypatch):
    recording, time, values = recorded(12_000)
    read = VibrationData.objects.none().__class__.as_samples

    def as_samples(self, *args):
        monkeypatch.undo()
        prune(Recording.objects.get(), at(6.0))
        return read(self, *args)

    monkeypatch.setattr(waveform.VibrationData.objects.none().__class__, "as_samples", as_samples)
    found = read_waveform(recording, 5.9, 6.1, 1000)
    assert recording.pruned_before > 0
    assert_stands_for(found, time, values, 5.9, 6.1, pruned_before=recording.pruned_before)


def test_samples_of_the_tail_that_are_removed_while_they_are_read_are_drawn_from_rollups(monkeypatch):
    recording, (time, values) = open_recording("g1", "sensor1", started_at=START), make_samples(2000)
    for start in range(0, 2000, 200):
        write_samples(recording, Samples(time[start : start + 200], values[start : start + 200]))
    recording.refresh_from_db()
    assert recording.tail_count == 2000
    read = VibrationDataQuerySet.as_samples

    def as_samples(self, *args):
        monkeypatch.undo()
        assert prune(Recording.objects.get(), at(1.5))
        return read(self, *args)

    monkeypatch.setattr(VibrationDataQuerySet, "as_samples", as_samples)
    found = read_waveform(recording, 0, 2, 50)
    assert found.samples == 2000
    assert (found.maximum.max(axis=0) == values.max(axis=0)).all()


def test_the_numbers_of_a_removed_window_are_those_of_all_its_samples():
    recording, time, values = recorded(12_000)
    before = analyse(recording, 0, 12)
    prune(recording, at(6.0))
    for start, end in ((0, 12), (1.0, 2.0), (5.0, 7.0)):
        found = analyse(recording, start, end)
        assert (found.reason, found.spectrum, found.samples_read) == (PRUNED, None, found.samples)
        assert found.start <= start
        assert found.end >= min(end, time[-1])
        inside = (time >= found.start) & (time <= found.end if found.end == time[-1] else time < found.end)
        assert found.samples == inside.sum()
        for one, other in zip(found.features, features_of(values[inside]), strict=True):
            assert (one.peak, one.kurtosis) == (other.peak, None)
            assert one.rms == pytest.approx(other.rms, rel=1e-12)
            assert one.crest_factor == pytest.approx(other.crest_factor, rel=1e-12)
    whole = analyse(recording, 0, 12)
    assert (whole.start, whole.end, whole.samples) == (before.start, before.end, before.samples)
    behind = analyse(recording, 6.0, 12)
    assert behind.reason is None
    assert behind.features[0].kurtosis is not None


def test_the_link_to_the_waveform_of_a_moment_outlives_the_samples():
    recording, *_rest = recorded()
    link = recording.url_at(at(1.0))
    assert link is not None
    prune(recording, at(1e6))
    assert recording.url_at(at(1.0)) == link
    assert len(read_waveform(recording, 0.0, 2.0).time) > 10


def test_admin_and_api_tell_what_was_removed(client, admin_user):
    recording, *_rest = recorded()
    prune(recording, at(2.5))
    client.force_login(admin_user)
    page = client.get(f"/admin/vibration/recording/{recording.pk}/change/", headers={"Accept-Language": "en"})
    assert "Raw samples removed before (s)" in page.text
    found = client.get(f"/api/recordings/{recording.pk}").json()
    assert found["pruned_before"] == recording.pruned_before
    assert found["pruned_count"] + found["sample_count"] == 4000
    assert found["pruned_at"] == timezone.localtime(recording.pruned_at).isoformat()
    asked = {"machine_name": "g1", "sensor_no": "sensor1"}
    for path in ("waveform", "spectrum"):
        assert client.get(f"/api/vibration-data/{path}", asked).json()["pruned_before"] == recording.pruned_before
    for path in ("/api/vibration-data", "/api/vibration-data/grouped-range"):
        rows = client.get(path, asked).json()
        assert min(row["measured_time"] for row in rows) >= recording.pruned_before


# --- What programs are told -------------------------------------------------------------------------------------------


def row(time, **more):
    return {"machine_name": "g1", "sensor_no": "sensor1", "measured_time": time} | more | dict.fromkeys(STATES, 1.0)


@pytest.fixture
def collector(client, user, roles):
    user.groups.add(roles["collector"])
    client.force_login(user)
    return lambda path, body: client.post(f"/api/{path}", body, content_type="application/json")


def test_a_posted_list_with_removed_rows_is_stored_without_them_and_says_so(collector):
    recording, *_rest = recorded()
    prune(recording, at(2.5))
    answer = collector(
        "vibration-data/bulk", [row(9.0), row(1.0), row(2.0), row(9.5), row(3.0), row(1.0, recording="x")]
    )
    assert answer.status_code == 200
    told = answer.json()
    notes = told.pop("notes")
    assert told == {
        "status": "success",
        "received": 6,
        "inserted": 3,
        "identical": 0,
        "conflicting": 3,
        "conflicts": [1, 2, 4],
        "pruned": [1, 2],
    }
    [note] = notes
    assert note.startswith(f"Not stored: raw samples of g1 / sensor1 / default before {recording.pruned_before!r} s")
    assert VibrationData.objects.filter(measured_time__gte=9).count() == 2
    assert "pruned" not in collector("vibration-data/bulk", [row(9.0)]).json()


def test_a_single_removed_row_is_a_conflict_with_the_reason(collector):
    recording, *_rest = recorded()
    prune(recording, at(1e6))
    answer = collector("vibration-data", row(1.0))
    assert answer.status_code == 409
    assert "were removed by retention" in answer.json()["detail"]
    assert "another recording of the sensor needs a name of its own" in answer.json()["detail"]
    assert collector("vibration-data", row(1.0, recording="next")).status_code == 201


# --- What people see --------------------------------------------------------------------------------------------------


def test_the_table_says_that_older_samples_were_removed(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    recording, *_rest = recorded()
    assert "removed by retention" not in client.get("/vibration/table/").text
    prune(recording, at(2.5))
    place = {"machine": "g1", "sensor": "sensor1", "recording": "default"}
    page = client.get("/vibration/table/", place)
    assert f"Raw samples of g1 / sensor1 / default before {recording.pruned_before} s" in page.text
    assert f"All {recording.sample_count:,} rows" in page.text or f"of {recording.sample_count:,} rows" in page.text
    assert "removed by retention" not in client.get("/vibration/table/", place | {"start": "3"}).text
    prune(recording, at(1e6))
    page = client.get("/vibration/table/")
    assert "No raw samples are left." in page.text
    assert "Raw samples of g1 / sensor1 / default before" in page.text
    other, *_rest = recorded(name="other")
    prune(other, at(2.5))
    assert "Older raw samples of 2 recordings were removed" in client.get("/vibration/table/").text


def test_a_row_of_a_recording_with_one_sample_left_leads_to_its_waveform(client, user):
    client.force_login(user)
    recording, time, _values = recorded(1985, step=1 / 1024)  # 31 buckets of 64, and one
    prune(recording, at(1.9375))
    assert recording.sample_count == 1
    page = client.get("/vibration/table/")
    assert page.status_code == 200
    assert repr(float(time[-1])) in page.text


CAPTION = "document.querySelector('#waveform figcaption').textContent"
LOADED = "() => ['waveform', 'spectrum'].every((it) => document.getElementById(it).ariaBusy === 'false')"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("locale", "removed", "no_spectrum"),
    [
        ("en", "were removed: only their least and greatest values are left", "No spectrum and no kurtosis"),
        ("ko", "이전의 원본 샘플은 삭제되어 최솟값과 최댓값만 남아 있습니다", "스펙트럼과 첨도 없음"),
    ],
)
def test_the_waveform_of_removed_samples_is_drawn_and_says_so(new_page, user, locale, removed, no_spectrum):
    recording, time, values = recorded(20_000)
    prune(recording, at(10.0), batch_rows=10_000)
    page = new_page(login=user, locale=locale)
    page.goto("/vibration/?start=1&end=1.5")
    page.wait_for_function(LOADED)
    drawn = page.evaluate(
        """() => Chart.getChart(document.querySelector("#waveform canvas")).data.datasets
            .filter((it) => it.state === "normal").flatMap((it) => it.data.map((point) => point.y))"""
    )
    inside = values[(time >= 1) & (time < 1.5), 0]
    assert (min(drawn), max(drawn)) == (inside.min(), inside.max())
    border = f"{recording.pruned_before:g}"
    assert removed in page.evaluate(CAPTION)
    assert border in page.evaluate(CAPTION)
    assert page.locator("#waveform [data-pruned]").count() == 1
    assert border in page.locator("#waveform [data-pruned]").inner_text()
    assert no_spectrum in page.locator("[data-about]").inner_text()
    rms = float(page.locator("[data-features=normal] [data-feature=rms] data").get_attribute("value"))
    assert 0.8 * np.sqrt((inside**2).mean()) < rms < 1.2 * np.sqrt((inside**2).mean())
    assert page.locator("[data-features=normal] [data-feature=kurtosis]").inner_text() == "–"
    page.goto("/vibration/?start=12&end=13")
    page.wait_for_function(LOADED)
    assert removed not in page.evaluate(CAPTION)
    assert no_spectrum not in page.locator("[data-about]").inner_text()
