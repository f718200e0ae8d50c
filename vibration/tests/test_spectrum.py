"""The amplitude spectrum and its peaks against sines whose numbers are known.

At 1 kHz a section has 500 samples, and the resolution is 2 Hz.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibration.csv.synthetic import sample_lines
from vibration.numbers.peaks import peaks_of
from vibration.numbers.spectrum import (
    MAX_SECTION,
    MIN_SECTION,
    NOT_EVEN,
    TOO_FEW,
    NoSpectrum,
    reduced,
    section_samples,
    spectrum_of,
)
from vibration.numbers.windows import HANN

RATE = 1_000.0  # Hz


def sines(count: int, *parts: tuple, rate: float = RATE, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and one column of the sum of sines, each (frequency in Hz, amplitude, phase)."""
    time = np.arange(count) / rate
    values = sum((a * np.sin(2 * np.pi * f * time + p) for f, a, p in parts), np.full(count, offset))
    return time, values[:, None]


def peaks(time, values) -> list[tuple[float, float]]:
    return [(it.frequency, it.amplitude) for it in peaks_of(spectrum_of(time, values), 0)]


def numbers_of(machine: int, sensor: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a synthetic file."""
    lines = "".join(sample_lines(machine, sensor, seconds, seed=1)).split()
    numbers = np.array([line.split(",") for line in lines], dtype=np.float64)
    return numbers[:, 0], numbers[:, 1:]


@pytest.mark.parametrize("count", [64, 65, 499, 500])  # even and odd, smooth and prime
def test_a_sine_at_a_bin_shows_its_amplitude_there_and_half_of_it_beside(count):
    place = count // 5
    spectrum = spectrum_of(*sines(count, (place * RATE / count, 2.5, 0.3)))
    amplitude = spectrum.amplitude[:, 0]
    assert amplitude[place - 1 : place + 2] == pytest.approx([1.25, 2.5, 1.25])
    assert np.delete(amplitude, [place - 1, place, place + 1]).max() < 1e-12
    assert len(amplitude) == count // 2 + 1
    assert spectrum.frequency[place] == pytest.approx(place * RATE / count)
    assert spectrum.sampling_frequency == pytest.approx(RATE)
    assert spectrum.resolution == pytest.approx(RATE / count)
    assert (spectrum.start, spectrum.end, spectrum.samples) == (0.0, (count - 1) / RATE, count)
    assert (spectrum.sections, spectrum.is_short) == (1, count < 500)


@pytest.mark.parametrize(("count", "sections"), [(500, 1), (501, 2), (750, 2), (1000, 3), (1001, 4), (9973, 39)])
def test_sections_of_half_a_second_overlap_by_half_and_cover_all_samples(count, sections):
    spectrum = spectrum_of(*sines(count, (100.0, 2.5, 0.3)))
    assert (spectrum.sections, spectrum.section_samples, spectrum.samples) == (sections, 500, count)
    assert spectrum.resolution == pytest.approx(2)
    assert spectrum.section_length == pytest.approx(0.5)
    assert spectrum.end == (count - 1) / RATE
    assert spectrum.amplitude[49:52, 0] == pytest.approx([1.25, 2.5, 1.25])


@pytest.mark.parametrize(
    ("rate", "count"), [(1e6, MAX_SECTION), (25_600, 12_800), (1358.7, 679), (800, 400), (100, MIN_SECTION)]
)
def test_a_section_lasts_half_a_second_within_bounds(rate, count):
    assert section_samples(1 / rate) == count


def test_the_powers_of_the_sections_are_averaged():
    """Welch's method by hand: numpy's transform of each section."""
    values = np.random.default_rng(1).normal(3, 2, (1_500, 2))
    window = np.hanning(501)[:500]
    expected = np.zeros((251, 2))
    for start in range(0, 1_001, 250):
        section = values[start : start + 500]
        expected += np.abs(np.fft.rfft((section - section.mean(axis=0)) * window[:, None], axis=0)) ** 2 / 5
    expected = 2 * np.sqrt(expected) / window.sum()
    spectrum = spectrum_of(np.arange(1_500) / RATE, values)
    assert spectrum.sections == 5
    assert spectrum.amplitude[1:-1] == pytest.approx(expected[1:-1])


def test_half_the_sampling_frequency_shows_its_amplitude():
    values = np.tile([1.5, -1.5], 50)[:, None]
    spectrum = spectrum_of(np.arange(100) / RATE, values)
    assert spectrum.frequency[-1] == pytest.approx(RATE / 2)
    assert spectrum.amplitude[-1, 0] == pytest.approx(1.5)


def test_a_constant_shows_nothing_and_has_no_peak():
    for value in (0.0, 0.1, -7.3, 1e100):
        spectrum = spectrum_of(*sines(1000, offset=value))
        assert spectrum.amplitude.max() <= 1e-12 * abs(value)
        assert peaks_of(spectrum, 0) == []


def test_the_energy_of_the_windowed_samples_is_that_of_the_spectrum():
    """Parseval's theorem; the amplitudes but the first and the last are of two bins each."""
    count = 480
    values = np.random.default_rng(1).normal(3, 2, (count, 1))
    window = np.hanning(count + 1)[:count]
    windowed = ((values[:, 0] - values.mean()) * window) ** 2
    bins = spectrum_of(np.arange(count) / RATE, values).amplitude[:, 0] * window.sum()
    assert windowed.sum() == pytest.approx((bins[0] ** 2 + (bins[1:-1] ** 2).sum() / 2 + bins[-1] ** 2) / count)


@settings(deadline=None, max_examples=400)
@given(st.integers(64, 1_700), st.floats(0, 1), st.floats(0, 2 * np.pi), st.sampled_from([1e-100, 1.0, 1e99]))
def test_a_sine_of_any_frequency_is_found_within_a_tenth_of_a_percent(count, share, phase, amplitude):
    """At a bin or between two, from 3 bins above 0 to 3 below half the sampling frequency."""
    bins = min(count, 500)
    place = 3 + share * (bins / 2 - 6)
    frequency = place * RATE / bins
    found = peaks(*sines(count, (frequency, amplitude, phase), offset=-3 * amplitude))
    assert len(found) == 1
    assert found[0][0] == pytest.approx(frequency, rel=1e-3)
    assert found[0][1] == pytest.approx(amplitude, rel=1e-3, abs=0)


@settings(deadline=None, max_examples=200)
@given(st.integers(24, 63), st.floats(0, 1), st.floats(0, 2 * np.pi))
def test_of_few_samples_a_sine_is_found_within_a_percent(count, share, phase):
    place = 3 + share * (count / 2 - 6)
    frequency = place * RATE / count
    assert np.array(peaks(*sines(count, (frequency, 1.0, phase)))) == pytest.approx(
        np.array([(frequency, 1.0)]), rel=0.01
    )


@settings(deadline=None, max_examples=200)
@given(st.floats(8, 350), st.floats(20, 130), st.floats(0.1, 10), st.floats(0, 2 * np.pi), st.floats(0, 2 * np.pi))
def test_two_sines_are_found_within_one_percent_and_the_higher_comes_first(first, apart, ratio, one, two):
    """At least 10 bins apart, one up to 10 times the other."""
    parts = [(first, 1.0, one), (first + apart, ratio, two)]
    found = peaks(*sines(2000, *parts))
    expected = sorted(((f, a) for f, a, _p in parts), key=lambda it: it[0])
    assert len(found) == 2
    assert np.array(sorted(found)) == pytest.approx(np.array(expected), rel=0.01)
    assert found[0][1] >= found[1][1]


def test_two_sines_in_noise_are_the_only_peaks():
    time, values = sines(20_000, (27.5, 2.0, 0), (55.2, 0.3, 1))
    found = peaks(time, values + np.random.default_rng(1).normal(0, 0.5, values.shape))
    assert np.array(found) == pytest.approx(np.array([(27.5, 2.0), (55.2, 0.3)]), rel=0.03)


def test_noise_alone_has_no_peaks():
    for seed, count in product(range(20), (100, 500, 2_000, 20_000)):
        values = np.random.default_rng(seed).normal(0, 1, (count, 4))
        spectrum = spectrum_of(np.arange(len(values)) / RATE, values)
        assert [peaks_of(spectrum, column) for column in range(4)] == [[]] * 4


def test_of_many_tones_the_five_highest_are_marked():
    found = peaks(*sines(5000, *((30.0 * n, 8.0 / n, n) for n in range(1, 9))))
    assert np.array(found) == pytest.approx(np.array([(30.0 * n, 8.0 / n) for n in range(1, 6)]), rel=1e-3)


def test_tones_that_the_window_cannot_tell_apart_are_one_peak():
    near = (HANN.lobe - 1) * 2.0
    [(frequency, amplitude)] = peaks(*sines(20_000, (100, 1.0, 0), (100 + near, 0.9, 0)))
    assert 100 < frequency < 100 + near
    assert amplitude == pytest.approx(np.hypot(1.0, 0.9), rel=0.01)  # the energy of both


def test_a_tone_whose_phase_jumps_is_one_peak_not_five():
    for seconds in (1.0, 5.0, 20.0, 60.0):
        spectrum = spectrum_of(*numbers_of(1, 1, seconds))
        for column in range(4):
            assert [it.frequency for it in peaks_of(spectrum, column)] == [pytest.approx(27.5, abs=1)]


# --- The same whatever the window -------------------------------------------------------------------------------------

WINDOWS_S = (1, 10, 60, 140)


def first_peaks(time, values, column: int = 0) -> np.ndarray:
    """Frequency and amplitude of the highest peak of windows of these lengths about the middle; one row each."""
    rows = []
    for length in WINDOWS_S:
        inside = np.abs(time - 70) <= length / 2
        found = peaks_of(spectrum_of(time[inside], values[inside]), column)
        assert len(found) == 1, (length, found)
        rows.append((found[0].frequency, found[0].amplitude))
    return np.array(rows)


@pytest.mark.parametrize(("column", "amplitude"), list(enumerate([0.6, 2.2, 0.9, 2.3])))
@pytest.mark.parametrize("sensor", [1, 2, 3, 4])
def test_the_amplitude_of_the_synthetic_tone_is_the_same_whatever_the_window(sensor, column, amplitude):
    found = first_peaks(*numbers_of(1, sensor, 140.0), column)
    assert found[:, 1] == pytest.approx(found[-1, 1], rel=0.05)
    assert found[-1, 1] == pytest.approx(amplitude, rel=0.03)
    assert found[:, 0] == pytest.approx(27.5, abs=0.6)


@pytest.mark.parametrize("drift", [0.0, 0.5, 2.0, 5.0, 10.0, 20.0])  # Hz in 140 s
def test_the_amplitude_of_a_tone_that_drifts_is_the_same_whatever_the_window(drift):
    step = 736e-6
    time = np.arange(round(140 / step)) * step
    frequency = 27.5 + drift * (time / 140 - 0.5)
    wave = 2.0 * np.sin(2 * np.pi * np.cumsum(frequency) * step)
    found = first_peaks(time, (wave + np.random.default_rng(3).normal(0, 0.35, len(time)))[:, None])
    assert found[:, 1] == pytest.approx(2.0, rel=0.05)
    assert found[:, 0] == pytest.approx(27.5, abs=0.1)


def test_no_mark_stands_below_the_curve():
    time, values = numbers_of(1, 1, 20.0)
    spectrum = spectrum_of(time, values)
    for column in range(4):
        [peak] = peaks_of(spectrum, column)
        assert peak.amplitude >= spectrum.amplitude[:, column].max()


def test_each_column_has_its_own_spectrum():
    time, one = sines(1000, (50, 1, 0))
    _time, two = sines(1000, (120, 3, 0))
    spectrum = spectrum_of(time, np.column_stack([one, two]))
    assert [peaks_of(spectrum, column)[0].frequency for column in (0, 1)] == pytest.approx([50, 120])


# --- Which samples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 15])
def test_too_few_samples_have_no_spectrum(count):
    with pytest.raises(NoSpectrum, match=TOO_FEW):
        spectrum_of(np.arange(count) / RATE, np.ones((count, 4)))


def test_where_no_section_fits_the_longest_stretch_between_gaps_is_taken():
    time, values = sines(1000, (100, 1, 0))
    kept = np.r_[0:200, 210:700, 703:900]
    spectrum = spectrum_of(time[kept], values[kept])
    assert (spectrum.samples, spectrum.start, spectrum.end) == (490, 0.21, 0.699)
    assert (spectrum.sections, spectrum.section_samples, spectrum.is_short) == (1, 490, True)
    assert peaks_of(spectrum, 0)[0].frequency == pytest.approx(100, rel=1e-3)
    with pytest.raises(NoSpectrum, match=TOO_FEW):
        spectrum_of(time[::50].repeat(5) + np.tile(np.arange(5) * 1e-4, 20), values[:100])


def test_no_section_has_a_gap_within_it():
    time, values = sines(4000, (100, 1, 0))
    kept = np.r_[0:200, 210:1300, 1303:1800, 1900:4000]
    spectrum = spectrum_of(time[kept], values[kept])
    assert (spectrum.samples, spectrum.sections) == (1090 + 2100, 4 + 8)
    assert (spectrum.start, spectrum.end, spectrum.is_short) == (0.21, 3.999, False)
    assert np.array([(it.frequency, it.amplitude) for it in peaks_of(spectrum, 0)]) == pytest.approx(
        np.array([(100, 1)]), rel=1e-3
    )


def test_one_section_that_is_not_even_is_left_out_and_of_many_there_is_no_spectrum():
    time, values = sines(5000, (100, 1, 0))
    time[1100:1300] += np.linspace(0, 1.4, 200) / RATE  # no gap, but late, and early again
    time[1300:] += 1.4 / RATE
    spectrum = spectrum_of(time, values)
    assert 4000 <= spectrum.samples < 5000
    assert peaks_of(spectrum, 0)[0].amplitude == pytest.approx(1, rel=1e-3)
    slower = np.cumsum(np.linspace(0.95, 1.05, 100_000)) / RATE
    with pytest.raises(NoSpectrum, match=NOT_EVEN):
        spectrum_of(slower, np.ones((100_000, 1)))


def test_times_rounded_to_microseconds_are_even_and_the_rate_is_not_rounded_with_them():
    rate = 1357.3  # a step of 736.76 us
    time, values = sines(50_000, (600.0, 1, 0), rate=rate)
    spectrum = spectrum_of(np.round(time, 6), values)
    assert (spectrum.sections, spectrum.samples) == (147, 50_000)
    assert spectrum.sampling_frequency == pytest.approx(rate, rel=1e-7)
    assert peaks_of(spectrum, 0)[0].frequency == pytest.approx(600, rel=1e-5)


def test_a_time_more_than_half_a_step_off_the_even_grid_leaves_no_spectrum():
    time, values = sines(1000, (100, 1, 0))
    jitter = np.random.default_rng(1).uniform(-0.2, 0.2, 1000) / RATE
    assert spectrum_of(time + jitter, values).samples == 1000
    moved = time.copy()
    moved[500:] += 0.45 / RATE  # no gap, but then it stays late
    assert spectrum_of(moved, values).samples == 1000
    slower = np.cumsum(np.linspace(0.8, 1.2, 1000)) / RATE
    with pytest.raises(NoSpectrum, match=NOT_EVEN):
        spectrum_of(slower, values)


def test_times_closer_than_any_sensor_samples_leave_no_spectrum():
    with pytest.raises(NoSpectrum, match=NOT_EVEN):
        spectrum_of(np.arange(20) * 5e-324, np.ones((20, 1)))


# --- Reduced to be drawn ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [10, 99, 125, 126, 250, 251, 1000, 2000])
def test_reduced_no_peak_is_lost(points):
    time, values = sines(2000, (100.3, 1, 0), (300.9, 5, 0))
    spectrum = spectrum_of(time, values)
    frequency, amplitude = reduced(spectrum, points)
    assert len(frequency) == len(amplitude) <= points
    assert amplitude.max() == spectrum.amplitude.max()
    group = frequency[1] - frequency[0] if points < 251 else 0
    place = spectrum.frequency[spectrum.amplitude[:, 0].argmax()]
    assert abs(frequency[amplitude[:, 0].argmax()] - place) <= group / 2 + 1e-9
    assert (np.diff(frequency) > 0).all()
    if points >= 251:
        assert (frequency == spectrum.frequency).all()
        assert (amplitude == spectrum.amplitude).all()
