"""Harmonic and sideband cursors against lines whose places are known: each within half a bin of the true multiple."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vibration.numbers.windows import FLAT_TOP, HANN
from vibration.signals.spectra import envelope_spectrum_of, spectrum_of
from vibration.spectra.cursors import harmonics, sidebands

RATE, SECONDS = 5_120.0, 4.0
TIME = np.arange(round(RATE * SECONDS)) / RATE
UNIT = np.random.default_rng(2).normal(0, 1, len(TIME))  # noise
SOON = settings(deadline=None, max_examples=40)
WINDOWS = st.sampled_from([HANN, FLAT_TOP])
OFF = st.floats(-0.5, 0.5)  # bins by which what is read from the chart is beside
PHASES = st.integers(0, 99)


def tones(parts: dict[float, float], seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """The sum of sines, amplitudes by frequency in Hz."""
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(parts))
    found = (
        amplitude * np.sin(2 * np.pi * hz * TIME + phase)
        for (hz, amplitude), phase in zip(parts.items(), phases, strict=True)
    )
    return sum(found, noise * UNIT)


def off_by_bins(cursors, true_hz, resolution: float) -> float:
    """The greatest distance of a cursor from the true place of its multiple."""
    assert cursors.lines
    return max(abs(it.hz - true_hz(it.multiple)) for it in cursors.lines) / resolution


# --- Multiples


@SOON
@given(st.floats(12, 120), OFF, WINDOWS, st.sampled_from([0.25, 0.5]), st.sampled_from([0, 0.02, 0.2]), PHASES)
def test_each_cursor_stands_on_the_true_multiple_also_the_twentieth(base, off, window, resolution, noise, seed):
    values = tones({n * base: 1 / n**0.5 for n in range(1, 21)}, seed, noise)
    spectrum = spectrum_of(values, RATE, resolution, window)
    found = harmonics(spectrum, base + off * resolution, 20)
    assert [it.multiple for it in found.lines] == list(range(1, 21))
    assert all(it.stands_out for it in found.lines)
    assert off_by_bins(found, lambda n: n * base, resolution) < 0.5
    assert found.base_hz == found.spacing_hz == pytest.approx(base, abs=0.5 / 20 * resolution)
    if not noise:
        assert [it.amplitude for it in found.lines] == pytest.approx([1 / n**0.5 for n in range(1, 21)], rel=0.02)


@SOON
@given(st.floats(20, 120), OFF, st.sets(st.integers(1, 20), min_size=3, max_size=12), WINDOWS, PHASES)
def test_of_those_that_are_missing_the_cursor_stands_where_they_would_be(base, off, missing, window, seed):
    there = set(range(1, 21)) - missing
    spectrum = spectrum_of(tones(dict.fromkeys([n * base for n in there], 1.0), seed, 0.05), RATE, 0.5, window)
    found = harmonics(spectrum, base + off * 0.5, 20)
    assert {it.multiple for it in found.lines if it.stands_out} == there
    assert off_by_bins(found, lambda n: n * base, 0.5) < 0.5
    assert max((it.amplitude for it in found.lines if it.multiple in missing), default=0) < 0.1


@SOON
@given(st.floats(30, 110), st.floats(-6, 6), PHASES)
def test_a_click_on_a_reduced_chart_finds_the_line_that_was_meant(base, off_hz, seed):
    spectrum = spectrum_of(tones({n * base: 1.0 for n in range(1, 11)}, seed, 0.05), RATE, 0.25)
    found = harmonics(spectrum, base + off_hz, 10, within_hz=6)
    assert off_by_bins(found, lambda n: n * base, 0.25) < 0.5


@SOON
@given(st.floats(5, 127), st.integers(0, 1_000))
def test_in_noise_alone_nothing_is_refined(base, seed):
    spectrum = spectrum_of(np.random.default_rng(seed).normal(0, 1, len(TIME)), RATE, 1)
    found = harmonics(spectrum, base, 20)
    assert [it.hz for it in found.lines] == pytest.approx([n * base for n in range(1, 21)])
    assert not any(it.stands_out for it in found.lines)


def test_a_line_beside_the_multiples_moves_no_cursor():
    spectrum = spectrum_of(tones({n * 50.1: 1.0 for n in range(1, 11)} | {215.0: 5.0}, 1), RATE, 0.5)
    assert off_by_bins(harmonics(spectrum, 50, 10), lambda n: n * 50.1, 0.5) < 0.1


def test_beyond_half_the_sampling_rate_there_are_none():
    spectrum = spectrum_of(tones({n * 600.3: 1.0 for n in range(1, 5)}), RATE, 0.5)
    assert [it.multiple for it in harmonics(spectrum, 600, 20).lines] == [1, 2, 3, 4]
    assert harmonics(spectrum, 2_600, 20).lines == []


def test_lines_closer_than_the_window_tells_apart_are_not_refined():
    spectrum = spectrum_of(tones({n * 1.5: 1.0 for n in range(1, 400)}), RATE, 0.5)
    found = harmonics(spectrum, 1.6, 5)
    assert (found.base_hz, [it.stands_out for it in found.lines]) == (1.6, [False] * 5)


def test_each_state_of_a_recording_has_its_own():
    one, two = spectrum_of(tones({60.2: 1.0}), RATE, 0.5), spectrum_of(tones({59.9: 3.0}), RATE, 0.5)
    both = type(one)(**vars(one) | {"amplitude": np.hstack([one.amplitude, two.amplitude]), "rounding": np.zeros(2)})
    for column, base in enumerate([60.2, 59.9]):
        assert harmonics(both, 60, 1, column=column).base_hz == pytest.approx(base, abs=0.01)


# --- Sidebands


@SOON
@given(st.floats(800, 1_400), st.floats(8, 60), OFF, OFF, st.sampled_from([0, 0.02]), WINDOWS)
@example(carrier=1_000.0, spacing=8.0, off=0.5, off_spacing=-0.5, noise=0.02, window=FLAT_TOP)
def test_amplitude_modulation_has_its_sidebands_on_both_sides(carrier, spacing, off, off_spacing, noise, window):
    """(1 + m cos) sin has sidebands of m / 2; with the square of it in the modulation, two to each side."""
    depth, second = 0.6, 0.3
    swing = depth * np.cos(2 * np.pi * spacing * TIME) + second * np.cos(4 * np.pi * spacing * TIME + 1)
    values = (1 + swing) * np.sin(2 * np.pi * carrier * TIME) + noise * UNIT
    resolution = 0.25
    found = sidebands(
        spectrum_of(values, RATE, resolution, window), carrier + off * resolution, spacing + off_spacing * resolution, 4
    )
    assert off_by_bins(found, lambda m: carrier + m * spacing, resolution) < 0.5
    assert (found.base_hz, found.spacing_hz) == pytest.approx((carrier, spacing), abs=0.1 * resolution)
    told = {it.multiple: it for it in found.lines}
    assert [it for it in told if told[it].stands_out] == [-2, -1, 0, 1, 2]
    assert [told[it].amplitude for it in (-2, -1, 0, 1, 2)] == pytest.approx([0.15, 0.3, 1, 0.3, 0.15], rel=0.03)
    assert max(told[it].amplitude for it in (-4, -3, 3, 4)) < 0.05


def test_without_its_carrier_the_sidebands_tell_where_it_would_be():
    parts = {1_000.3 + m * 20.2: 1.0 for m in (-2, -1, 1, 2)}
    found = sidebands(spectrum_of(tones(parts, 3, 0.05), RATE, 0.25), 1_000.2, 20, 3)
    assert off_by_bins(found, lambda m: 1_000.3 + m * 20.2, 0.25) < 0.5
    assert [it.multiple for it in found.lines if it.stands_out] == [-2, -1, 1, 2]


def test_where_nothing_stands_out_carrier_and_spacing_stay_as_they_were_given():
    found = sidebands(spectrum_of(UNIT, RATE, 1), 1_000.2, 20.3, 3)
    assert (found.base_hz, found.spacing_hz) == pytest.approx((1_000.2, 20.3))
    assert not any(it.stands_out for it in found.lines)


def test_sidebands_below_nothing_and_beyond_half_the_rate_are_left_out():
    spectrum = spectrum_of(UNIT, RATE, 1)
    assert [it.multiple for it in sidebands(spectrum, 50, 20, 5).lines] == [-2, -1, 0, 1, 2, 3, 4, 5]
    assert [it.multiple for it in sidebands(spectrum, 2_540, 20, 5).lines] == [-5, -4, -3, -2, -1, 0, 1]


@settings(deadline=None, max_examples=15)
@given(st.floats(70, 110), st.floats(18, 30), st.floats(4_000, 9_000), st.floats(0.3, 1), OFF)
def test_the_envelope_of_blows_that_swell_shows_their_rate_and_sidebands_at_that_of_the_swelling(
    each_hz, shaft_hz, ringing_hz, depth, off
):
    """A defect of the inner ring is struck at BPFI, and the load on it swells once a revolution."""
    rate, seconds = 25_600, 4
    time = np.arange(rate * seconds) / rate
    since = np.mod(time, 1 / each_hz)
    load = 1 + depth * np.cos(2 * np.pi * shaft_hz * (time - since))  # that of the instant of the blow
    values = load * np.exp(-since / 0.001) * np.sin(2 * np.pi * ringing_hz * since)
    values += np.random.default_rng(1).normal(0, 0.02, len(time)) + 5 * np.sin(2 * np.pi * 24.7 * time)
    spectrum = envelope_spectrum_of(values, rate)
    resolution = spectrum.resolution
    rates = harmonics(spectrum, each_hz + off * resolution, 3)
    assert off_by_bins(rates, lambda n: n * each_hz, resolution) < 0.5
    assert all(it.stands_out for it in rates.lines)
    about = sidebands(spectrum, each_hz + off * resolution, shaft_hz + off * resolution, 1)
    assert off_by_bins(about, lambda m: each_hz + m * shaft_hz, resolution) < 0.5
    assert all(it.stands_out for it in about.lines)
    lower, carrier, upper = (it.amplitude for it in about.lines)
    fading = [1 / np.hypot(1, 2 * np.pi * (each_hz + m * shaft_hz) * 0.001) for m in (-1, 0, 1)]  # of exp(-t / 1 ms)
    expected = [depth / 2 * fading[0] / fading[1], depth / 2 * fading[2] / fading[1]]
    assert [lower / carrier, upper / carrier] == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(("hz", "count"), [(0, 5), (-1, 5), (float("nan"), 5), (50, 0), (50, 101)])
def test_what_has_no_multiples_is_refused(hz, count):
    spectrum = spectrum_of(UNIT, RATE, 1)
    with pytest.raises(ValueError, match="multiples"):
        harmonics(spectrum, hz, count)
    with pytest.raises(ValueError, match="sidebands"):
        sidebands(spectrum, hz, 20, count)
    with pytest.raises(ValueError, match="sidebands"):
        sidebands(spectrum, 100, hz, count)
