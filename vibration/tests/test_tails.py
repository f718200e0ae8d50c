"""The newest samples of a recording: without rollups while they are few, and seen by whoever reads."""

from importlib import import_module

import numpy as np
import pytest
from django.apps import apps
from django.db import connection

from vibration.models import Recording, VibrationRollup
from vibration.numbers.samples import Samples
from vibration.storage import tails
from vibration.storage.rollups import read_cover, read_level
from vibration.storage.tails import TAIL_SAMPLES, roll_up
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import assert_rollups_fit, make_recording, make_samples
from vibration.windows.waveform import read_waveform

pytestmark = pytest.mark.django_db
LIST = 200


def written_in_lists(count: int) -> tuple[Recording, Samples]:
    """A recording that came as lists of 200 samples."""
    recording, samples = open_recording("g1", "sensor1"), Samples(*make_samples(count))
    for start in range(0, count, LIST):
        write_samples(recording, samples.take(slice(start, start + LIST)))
    recording.refresh_from_db()
    return recording, samples


def test_a_list_that_continues_a_recording_touches_no_rollup(django_assert_num_queries):
    recording, _samples = written_in_lists(3 * LIST)
    assert (recording.tail_from, recording.tail_count) == (0, 3 * LIST)
    assert not VibrationRollup.objects.exists()
    time, values = make_samples(4 * LIST)
    with django_assert_num_queries(3):  # the lock, the samples, the counts
        write_samples(recording, Samples(time[-LIST:], values[-LIST:]))


def test_a_tail_that_has_grown_long_is_rolled_up_but_for_its_last_bucket():
    recording, samples = written_in_lists(TAIL_SAMPLES + LIST)
    assert 0 < recording.tail_count <= 100
    assert_rollups_fit(recording, samples)


def test_a_large_write_leaves_no_tail():
    recording, _samples = written_in_lists(2 * LIST)
    time, values = make_samples(2 * LIST + TAIL_SAMPLES + 1)
    write_samples(recording, Samples(time[2 * LIST :], values[2 * LIST :]))
    recording.refresh_from_db()
    assert (recording.tail_from, recording.tail_count) == (None, 0)
    assert_rollups_fit(recording, Samples(time, values))


def test_the_extremes_of_the_newest_sample_are_seen_at_once():
    recording, samples = written_in_lists(TAIL_SAMPLES + LIST)
    write_samples(recording, Samples(samples.time[-1:] + 0.001, np.full((1, 4), 99.0)))
    recording.refresh_from_db()
    waveform = read_waveform(recording, 0, 1e9, 50)
    assert waveform.samples == TAIL_SAMPLES + LIST + 1
    assert (waveform.maximum[-1] == 99).all()


def test_a_recording_that_was_read_before_its_tail_was_rolled_up_counts_no_sample_twice():
    recording, samples = written_in_lists(TAIL_SAMPLES)
    known_before = Recording.objects.get()
    write_samples(recording, Samples(samples.time[-1:] + 0.001, np.ones((1, 4))))
    assert Recording.objects.get().tail_from > known_before.tail_from
    for level in range(3):
        assert read_level(known_before, level, 0, 10**6).count.sum() == TAIL_SAMPLES + 1
    assert read_cover(known_before, 0, 10**6).count.sum() == TAIL_SAMPLES + 1


def test_a_recording_of_the_version_before_goes_on_with_a_tail():
    recording = make_recording(2 * TAIL_SAMPLES)
    assert recording.tail_from is None
    time, values = make_samples(2 * TAIL_SAMPLES + 2 * LIST)
    for start in (2 * TAIL_SAMPLES, 2 * TAIL_SAMPLES + LIST):
        write_samples(recording, Samples(time[start : start + LIST], values[start : start + LIST]))
    recording.refresh_from_db()
    assert recording.tail_from is not None
    assert_rollups_fit(recording, Samples(time, values))


def test_a_sample_in_a_bucket_that_is_rolled_up_stays_out_of_the_tail():
    recording, samples = written_in_lists(TAIL_SAMPLES + LIST)
    late = Samples(np.array([0.0005, samples.time[-1] - 0.0005]), np.ones((2, 4)))
    write_samples(recording, late)
    recording.refresh_from_db()
    assert_rollups_fit(recording, Samples.concatenate([samples, late]).by_time())


def test_buckets_that_grow_full_before_the_tail_and_in_it_are_divided_once(monkeypatch):
    monkeypatch.setattr(tails, "TAIL_SAMPLES", 300)
    recording = open_recording("g1", "sensor1")

    def write(*times: np.ndarray) -> None:
        time = np.concatenate(times)
        write_samples(recording, Samples(time, np.ones((len(time), 4))))
        recording.refresh_from_db()

    for part in (np.zeros(1), np.linspace(0.1, 0.8, 150), np.linspace(5, 5.6, 200), np.linspace(5.61, 5.9, 95)):
        write(part)
    assert (recording.rollup_exponent, recording.tail_from, recording.tail_count) == (0, 5, 295)
    write(np.linspace(0.101, 0.799, 60), np.linspace(5.001, 5.599, 10))
    assert (recording.rollup_exponent, recording.tail_count) == (-2, 0)  # a quarter of the width for twice to thrice


def test_who_goes_back_to_the_version_before_has_all_samples_in_rollups():
    recording, samples = written_in_lists(TAIL_SAMPLES + LIST)
    import_module("vibration.migrations.0005_recording_tail").roll_up_tails(apps, connection.schema_editor())
    recording.refresh_from_db()
    assert recording.tail_from is None
    assert_rollups_fit(recording, samples)


def test_to_roll_up_a_recording_without_a_tail_changes_nothing(django_assert_num_queries):
    recording = make_recording(2 * TAIL_SAMPLES)
    with django_assert_num_queries(0):
        roll_up(recording)
