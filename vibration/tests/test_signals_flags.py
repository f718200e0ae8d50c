"""Signals that were cut off or are dead are told from those that are not, on coarse grids too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibration.signals.flags import is_clipped, is_flat


def sine(count: int, periods: float, amplitude: float = 1.0, phase: float = 0.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * periods * np.arange(count) / count + phase)


def noise(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, count)


@pytest.mark.parametrize("values", [[0.0], [0.1] * 7, [-3] * 100, [1e100] * 5])
def test_values_that_are_all_alike_are_flat(values):
    assert is_flat(np.array(values))
    assert not is_clipped(np.array(values))


def test_one_other_value_makes_a_signal():
    assert not is_flat(np.array([0.1] * 99 + [0.1000001]))


@pytest.mark.parametrize("end", [-32768, 32767])
def test_int16_at_one_of_its_ends_are_clipped(end):
    values = np.rint(1000 * noise(1000)).astype(np.int16)
    assert not is_clipped(values)
    values[17] = end
    assert is_clipped(values)
    assert not is_clipped(values.astype(np.float64))  # which may go on beyond


@pytest.mark.parametrize(("value", "clipped"), [(16.0, True), (-16.0, True), (16.1, True), (-15.9, False)])
def test_a_value_at_the_measuring_range_is_clipped(value, clipped):
    values = noise(1000)
    values[500] = value
    assert is_clipped(values, 16.0) is clipped
    assert not is_clipped(values)


@pytest.mark.parametrize("limit", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sine_that_is_cut_off_is_clipped(limit, dtype):
    values = sine(25_600, 49.3) + 0.001 * noise(25_600)
    assert is_clipped(np.clip(values, -limit, limit).astype(dtype))
    assert is_clipped(np.clip(values, None, limit).astype(dtype))
    assert is_clipped(np.clip(values, -limit, None).astype(dtype))
    assert not is_clipped(values.astype(dtype))


@pytest.mark.parametrize("limit", [0.5, 0.8, 0.9])
def test_so_is_one_of_integers_that_is_cut_off_inside_their_range(limit):
    values = np.rint(1000 * sine(25_600, 49.3) + noise(25_600))
    assert is_clipped(np.clip(values, -1000 * limit, 1000 * limit).astype(np.int16))


def test_so_is_noise_that_is_cut_off():
    values = np.repeat(noise(5_000), 4) + 0.01 * noise(20_000)
    assert not is_clipped(values)
    assert is_clipped(np.clip(values, -2, 2))


@settings(deadline=None, max_examples=500)
@given(
    st.integers(1_000, 8_000),
    st.floats(0.5, 300) | st.integers(1, 300).map(float),
    st.floats(0, 7) | st.just(0.0) | st.just(np.pi / 2),
    st.floats(0.4, 3_000),
    st.floats(-1, 1) | st.just(0.0) | st.just(0.5),
)
def test_a_sine_on_a_grid_is_not_clipped_however_coarse(count, periods, phase, steps, offset):
    values = np.rint(sine(count, periods, steps, phase) + offset)
    assert not is_clipped(values.astype(np.int16))
    assert not is_clipped(values * 0.001)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.floats(0.01, 500), st.integers(1, 20))
def test_noise_on_a_grid_is_not_clipped_however_coarse(seed, steps, smooth):
    slow = np.convolve(noise(5_000, seed), np.ones(smooth) / smooth**0.5, "valid")
    values = np.rint(steps * slow)
    assert not is_clipped(values.astype(np.int16))
    assert not is_clipped(np.round(values * 0.01, 2))


def test_a_signal_that_hardly_moves_on_its_grid_is_not_clipped():
    values = np.full(5_000, 7, np.int16)
    values[::50] -= 1
    values[::700] -= 3
    assert not is_clipped(values)


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_tones_and_noise_of_few_decimals_are_not_clipped(decimals):
    time = np.arange(40_000) / 1_359
    values = 0.4 * np.sin(2 * np.pi * 30 * time) + 0.2 * np.sin(2 * np.pi * 60 * time + 1) + 0.05 * noise(40_000)
    assert not is_clipped(np.round(values, decimals))
