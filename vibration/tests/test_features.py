"""The features of a window against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vibration.numbers.features import Features, features_of
from vibration.numbers.states import MAX_VALUE

CYCLES = 2 * np.pi * np.arange(10_000) / 1_000  # ten whole cycles


def features(column) -> Features:
    [found] = features_of(np.array(column, dtype=float).reshape(-1, 1))
    return found


@pytest.mark.parametrize("amplitude", [1e-300, 1e-6, 2.5, 1e100])
def test_a_sine_has_the_features_of_the_textbook_at_any_size(amplitude):
    found = features(amplitude * np.sin(CYCLES))
    assert found.rms == pytest.approx(amplitude / math.sqrt(2), rel=1e-12, abs=0)
    assert found.peak == amplitude
    assert found.crest_factor == pytest.approx(math.sqrt(2))
    assert found.kurtosis == pytest.approx(1.5)


def test_a_square_wave_has_crest_factor_and_kurtosis_1():
    found = features([3.0, 3.0, -3.0, -3.0] * 100)
    assert found == Features(rms=3.0, peak=3.0, crest_factor=1.0, kurtosis=1.0)


def test_two_sines_add_their_squares():
    found = features(3 * np.sin(CYCLES) + 4 * np.sin(7 * CYCLES + 1))
    assert found.rms == pytest.approx(math.sqrt((9 + 16) / 2))


def test_gaussian_noise_has_kurtosis_3_and_one_impulse_lifts_it():
    noise = np.random.default_rng(1).normal(0, 2, 200_000)
    assert features(noise).kurtosis == pytest.approx(3, abs=0.05)
    noise[500] = 200
    assert features(noise).kurtosis > 100


def test_an_offset_counts_in_rms_and_peak_and_not_in_kurtosis():
    found = features(np.sin(CYCLES) - 5)
    assert found.peak == 6
    assert found.rms == pytest.approx(math.sqrt(25.5))
    assert found.kurtosis == pytest.approx(1.5)


def test_kurtosis_survives_an_offset_that_is_much_larger_than_the_vibration():
    vibration = np.round(np.sin(CYCLES) * 1000)
    assert features(vibration + 1e12).kurtosis == pytest.approx(features(vibration).kurtosis, rel=1e-12)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([], Features(None, None, None, None)),
        ([0.0, 0.0], Features(0.0, 0.0, None, None)),
        ([-0.1], Features(0.1, 0.1, 1.0, None)),
        ([0.1] * 1000, Features(pytest.approx(0.1), 0.1, pytest.approx(1.0), None)),
        ([1.0, -1.0], Features(1.0, 1.0, 1.0, 1.0)),
    ],
)
def test_what_is_not_defined_is_none(column, expected):
    assert features(column) == expected


def test_each_column_has_its_own():
    values = np.column_stack([np.sin(CYCLES), np.sign(np.cos(CYCLES)), np.zeros(len(CYCLES)), np.cos(CYCLES) + 2])
    assert features_of(values) == [features(column) for column in values.T]
    assert features_of(np.empty((0, 4))) == [features([])] * 4


@given(arrays(float, st.integers(1, 50), elements=st.floats(-MAX_VALUE, MAX_VALUE)))
def test_whatever_can_be_stored_has_finite_features_in_their_order(column):
    found = features(column)
    numbers = [it for it in vars(found).values() if it is not None]
    assert np.isfinite(numbers).all()
    assert 0 <= found.rms <= found.peak * (1 + 1e-9)
    assert (found.crest_factor is None) == (found.peak == 0)
    assert found.kurtosis is None or found.kurtosis >= 1 - 1e-9
