"""Samples as one value: its three columns never come apart."""

import numpy as np
import pytest

from vibration.numbers.samples import Samples

TIME = np.array([2.0, 1.0, 2.0])
VALUES = np.arange(12.0).reshape(3, 4)
INSTANTS = np.array(["2026-11-20T09:00", "NaT", "2026-11-20T09:01"], dtype="datetime64[us]")


def rows(samples: Samples) -> list[tuple]:
    instants = [None] * len(samples) if samples.collected_at is None else samples.collected_at.astype(str).tolist()
    return list(zip(samples.time.tolist(), samples.values.tolist(), instants, strict=True))


@pytest.mark.parametrize("chosen", [np.array([2, 0]), np.array([True, False, True]), slice(1, None)], ids=type)
def test_what_is_taken_are_whole_samples(chosen):
    samples = Samples(TIME, VALUES, INSTANTS)
    assert rows(samples.take(chosen)) == [rows(samples)[row] for row in np.arange(3)[chosen]]
    assert rows(Samples(TIME, VALUES).take(chosen)) == [
        rows(Samples(TIME, VALUES))[row] for row in np.arange(3)[chosen]
    ]


def test_samples_of_one_time_stay_in_their_order():
    samples = Samples(TIME, VALUES, INSTANTS)
    assert rows(samples.by_time()) == [rows(samples)[row] for row in (1, 0, 2)]


def test_parts_are_joined_and_with_their_instants_only_if_all_have_them():
    dated, undated = Samples(TIME, VALUES, INSTANTS), Samples(TIME, VALUES)
    assert rows(Samples.concatenate([dated, dated.take(slice(0))])) == rows(dated)
    assert rows(Samples.concatenate([dated, undated])) == rows(undated) * 2
    assert rows(Samples.concatenate([undated.take(slice(0)), dated])) == rows(dated)
    for nothing in (Samples.concatenate([]), Samples.concatenate([dated.take(slice(0))])):
        assert (len(nothing), nothing.values.shape, nothing.collected_at) == (0, (0, 4), None)
