"""The spectra to look at against scipy's, and against sines and blows whose numbers are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibration.numbers.peaks import peaks_of
from vibration.numbers.spectrum import TOO_FEW, NoSpectrum
from vibration.signals.spectra import RATE_TOO_LOW, envelope_spectrum_of, spectrum_of
from vibration.tests.test_signals_features import blows, sines


def welch(values: np.ndarray, rate: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and amplitudes by scipy."""
    from scipy import signal

    frequency, squares = signal.welch(values, rate, "hann", size, detrend="constant", scaling="spectrum")
    twice = np.full(len(squares), 2.0)
    twice[0] = 1
    if size % 2 == 0:
        twice[-1] = 1
    return frequency, np.sqrt(twice * squares)


@settings(deadline=None, max_examples=60)
@given(st.integers(16, 6_000), st.integers(16, 6_000), st.floats(1, 60_000), st.integers(0, 1_000))
def test_a_spectrum_is_that_of_scipy(count, size, rate, seed):
    values = np.random.default_rng(seed).normal(3, 2, count)
    size = min(size, count)
    found = spectrum_of(values, rate, rate / size)
    frequency, amplitude = welch(values, rate, size)
    assert found.section_samples == size
    assert found.frequency == pytest.approx(frequency, rel=1e-12)
    assert found.amplitude[:, 0] == pytest.approx(amplitude, rel=1e-9, abs=1e-12)


def test_sections_are_as_long_as_the_resolution_wants_and_overlap_by_half():
    values = sines(25_600, 3.3, (50, 2, 0))
    for resolution, sections in ((0.5, 2), (1, 5), (10, 65)):
        found = spectrum_of(values, 25_600, resolution)
        assert (found.resolution, found.sections, found.is_short) == (resolution, sections, False)
        assert found.samples <= len(values)
        assert found.end == (found.samples - 1) / 25_600


def test_a_signal_shorter_than_a_section_is_one():
    found = spectrum_of(sines(25_600, 0.5, (50, 2, 0)), 25_600, 0.25)
    assert (found.sections, found.section_samples, found.is_short) == (1, 12_800, True)


def test_its_peaks_are_those_of_its_sines():
    found = peaks_of(spectrum_of(sines(25_600, 2, (50.3, 2, 0), (1180, 1, 1), noise=0.05), 25_600), 0)
    assert [it.frequency for it in found] == pytest.approx([50.3, 1180], abs=0.05)
    assert [it.amplitude for it in found] == pytest.approx([2, 1], rel=0.01)


@pytest.mark.parametrize("count", [0, 1, 15])
def test_few_samples_have_no_spectrum(count):
    for spectrum in (spectrum_of, envelope_spectrum_of):
        with pytest.raises(NoSpectrum, match=TOO_FEW):
            spectrum(np.ones(count), 25_600)


def test_the_spectrum_of_an_envelope_shows_the_rate_of_blows_and_its_multiples():
    values = blows(25_600, 2, 87.3, 4_000, 0.05) + sines(25_600, 2, (24.7, 5, 0))
    found = envelope_spectrum_of(values, 25_600)
    assert found.frequency[-1] < 400
    highest = sorted(it.frequency for it in peaks_of(found, 0))[:3]
    assert highest == pytest.approx([87.3, 2 * 87.3, 3 * 87.3], abs=0.1)


def test_a_flat_signal_has_an_envelope_without_a_swing():
    found = envelope_spectrum_of(np.full(25_600, 9.8), 25_600)
    assert not found.amplitude.any()
    assert peaks_of(found, 0) == []


def test_a_low_rate_has_no_band_for_an_envelope():
    with pytest.raises(NoSpectrum, match=RATE_TOO_LOW):
        envelope_spectrum_of(np.ones(5_000), 2_000)
    with pytest.raises(NoSpectrum, match=TOO_FEW):
        envelope_spectrum_of(np.arange(20.0), 25_600)
