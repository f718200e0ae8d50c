"""What counts as a gap where times are rounded."""

import numpy as np
import pytest

from vibration.numbers.evenness import quantum_of, spacings_of
from vibration.numbers.peaks import peaks_of
from vibration.numbers.spectrum import NOT_EVEN, TOO_FEW, NoSpectrum, spectrum_of

TONE_HZ = 50.0


def stamped(rate: float, kept: np.ndarray, decimals: int, way=np.floor) -> tuple[np.ndarray, np.ndarray]:
    """Samples of a tone of amplitude 1 at these places of an even grid, and their rounded times."""
    time = kept / rate
    return way(time * 10**decimals + 1e-9) / 10**decimals, np.sin(2 * np.pi * TONE_HZ * time)[:, None]


@pytest.mark.parametrize(
    ("step", "quantum"), [(1, 1), (0.5, 0.1), (0.01, 0.01), (0.00125, 1e-5), (0.000736, 1e-6), (1 / 1357.3, 0)]
)
def test_what_times_are_rounded_to_is_found(step, quantum):
    assert quantum_of(np.arange(5_000) * step) == pytest.approx(quantum)


@pytest.mark.parametrize("way", [np.floor, np.rint])
@pytest.mark.parametrize("rate", [400, 640, 800, 833, 900, 952, 999, 1000])
@pytest.mark.parametrize("count", [60, 800, 8_000])
def test_whole_milliseconds_hold_no_gap_where_no_sample_is_missing(rate, way, count):
    spectrum = spectrum_of(*stamped(rate, np.arange(count), 3, way))
    assert spectrum.samples == count
    assert spectrum.sampling_frequency == pytest.approx(rate, abs=2 * rate / count)
    [peak] = peaks_of(spectrum, 0)
    assert (peak.frequency, peak.amplitude) == pytest.approx((TONE_HZ, 1), rel=0.01)


@pytest.mark.parametrize("decimals", [1, 2, 4, 5])
def test_other_roundings_are_no_gaps_either(decimals):
    rate = 0.8 * 10**decimals
    assert spectrum_of(*stamped(rate, np.arange(2_000), decimals)).sampling_frequency == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize("missing", range(4))
@pytest.mark.parametrize("count", [100, 800, 20_000])
@pytest.mark.parametrize(("rate", "decimals"), [(1000, 3), (1000, 6), (800, 6), (1357.3, 6)])
def test_without_each_fourth_sample_there_is_no_spectrum(rate, decimals, count, missing):
    number = np.arange(count)
    with pytest.raises(NoSpectrum, match=TOO_FEW):
        spectrum_of(*stamped(rate, number[number % 4 != missing], decimals))


def test_a_real_gap_between_rounded_times_is_one():
    spectrum = spectrum_of(*stamped(800, np.r_[0:300, 330:1200], 3))
    assert (spectrum.samples, spectrum.start) == (870, 0.412)
    assert spacings_of(stamped(800, np.arange(800), 3)[0])[0].step == pytest.approx(1 / 800, rel=0.01)


def test_samples_lost_here_and_there_leave_the_longest_stretch():
    number = np.arange(8_000)
    kept = number[np.random.default_rng(1).random(8_000) > 0.02]
    edges = np.flatnonzero(np.diff(kept) > 1)
    spectrum = spectrum_of(*stamped(1000, kept, 3))
    assert spectrum.samples == np.diff(edges).max()
    assert peaks_of(spectrum, 0)[0].frequency == pytest.approx(TONE_HZ, rel=1e-3)


def test_jitter_of_a_fifth_of_a_step_is_even_and_a_rate_that_changes_is_not():
    even = np.arange(20_000) / 1000
    jitter = np.random.default_rng(1).uniform(-0.2, 0.2, 20_000) / 1000
    values = np.sin(2 * np.pi * TONE_HZ * even)[:, None]
    for decimals in (5, 6, 9):
        assert spectrum_of(np.round(even + jitter, decimals), values).samples == 20_000
    for count in (1_000, 20_000):
        with pytest.raises(NoSpectrum, match=NOT_EVEN):
            spectrum_of(np.round(np.cumsum(np.linspace(0.95, 1.05, count)) / 1000, 6), values[:count])


def test_samples_within_a_thousandth_of_a_second_are_not_rounded_to_seconds():
    """And so a gap among them is one."""
    time = np.arange(40) / 51_200
    assert quantum_of(time) == 0
    time[20:] += 20 / 51_200
    assert [spacing.stretches(time) for spacing in spacings_of(time)] == [[(0, 20), (20, 40)]]
