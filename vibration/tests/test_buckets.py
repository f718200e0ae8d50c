"""Buckets as pure numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vibration.numbers import buckets as b
from vibration.numbers.samples import Samples

times = st.lists(st.floats(0, 1e10), min_size=1, max_size=60, unique=True).map(lambda values: np.array(sorted(values)))
exponents = st.integers(b.MIN_EXPONENT, b.MAX_EXPONENT)


def values_for(time):
    return np.random.default_rng(len(time)).normal(0, 3, (len(time), 4))


@given(times, exponents)
def test_every_sample_lies_between_the_edges_of_its_bucket(time, exponent):
    index = b.bucket_of(time, exponent)
    assert (np.ldexp(index.astype(float), exponent) <= time).all()
    assert (time < np.ldexp((index + 1).astype(float), exponent)).all()


@given(times, exponents, st.integers(1, 64))
def test_coarser_buckets_are_the_sum_of_the_finer_ones(time, exponent, factor):
    values = values_for(time)
    fine = b.summarise(Samples(time, values), exponent)
    coarse = b.coarsen(fine, factor)
    assert fine.count.sum() == coarse.count.sum() == len(time)
    for index, count, low, high, total, squares in zip(
        coarse.index, coarse.count, coarse.minimum, coarse.maximum, coarse.total, coarse.squares, strict=True
    ):
        inside = b.bucket_of(time, exponent) // factor == index
        assert count == inside.sum()
        assert (low == values[inside].min(axis=0)).all()
        assert (high == values[inside].max(axis=0)).all()
        np.testing.assert_allclose(total, values[inside].sum(axis=0), atol=1e-9)
        np.testing.assert_allclose(squares, (values[inside] ** 2).sum(axis=0), rtol=1e-12)


def test_an_evenly_sampled_recording_gets_50_to_100_samples_a_bucket():
    for step in (1e-6, 0.000714, 0.000736, 0.000760, 0.000761, 0.001, 0.01, 1.0, 60.0):
        width = 2.0 ** b.base_exponent(np.arange(500) * step)
        assert 49.9 < width / step < 100.1, step


def test_the_step_is_the_median_so_that_a_gap_or_a_repeated_time_does_not_matter():
    time = np.arange(500) * 0.001
    gap = np.concatenate([time, time + 3600, time[:50]])
    assert b.base_exponent(gap) == b.base_exponent(time)


def test_one_time_alone_tells_no_step():
    assert b.base_exponent(np.array([5.0, 5.0])) == 0


def test_a_bucket_is_narrowed_until_it_holds_at_most_100_samples():
    assert b.narrower(0, 200) == 0
    for fullest in (201, 5_000, 1_000_000):
        exponent = b.narrower(0, fullest)
        assert 50 <= fullest * 2.0**exponent <= 100
    assert b.narrower(b.MIN_EXPONENT, 1000) == b.MIN_EXPONENT
