"""The peaks of a spectrum: as their definition has them, and the same tone whatever window and resolution."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vibration.numbers import peaks
from vibration.numbers.peaks import PEAKS, Peak, is_above_median, noise_factor, peaks_of, tone_at
from vibration.numbers.spectrum import Spectrum, reduced
from vibration.numbers.windows import FLAT_TOP, HANN
from vibration.signals.spectra import spectrum_of
from vibration.signals.units import STANDARD_GRAVITY
from vibration.signals.velocity import LOWEST_HZ, velocity_gain, velocity_spectrum
from vibration.tests.test_signals_features import blows, sines

RATE = 5_120.0
WINDOWS = st.sampled_from([HANN, FLAT_TOP])


# --- The definition, bin by bin and tone by tone


def peaks_by_definition(spectrum: Spectrum) -> list[Peak]:
    amplitude, window = spectrum.amplitude[:, 0], spectrum.window
    averages = spectrum.samples / spectrum.section_samples
    tones = tones_by_definition(amplitude, noise_factor(averages), spectrum.rounding[0], window)
    valleys = [valley(amplitude, one, two) for one, two in itertools.pairwise(tones)]
    edges = [0, *valleys, len(amplitude) - 1]
    found = []
    for tone, low, high in zip(tones, edges, edges[1:], strict=False):
        noise = noise_by_definition(amplitude, tone, tones, averages, window)
        centre, height = tone_at(amplitude, tone, max(low, window.half_lobe), high, noise, window)
        found.append(Peak(centre * spectrum.resolution, height))
    return sorted(found, key=lambda it: -it.amplitude)[:PEAKS]


def around(amplitude, tone):
    reach = max(peaks.AROUND_BINS, int(peaks.AROUND_SHARE * len(amplitude)))
    return np.arange(max(0, tone - reach), min(len(amplitude), tone + reach + 1))


def valley(amplitude, one, two):
    first, last = sorted((one, two))
    return first + int(np.argmin(amplitude[first : last + 1]))


def tones_by_definition(amplitude, factor, rounding, window):
    inner = amplitude[1:-1]
    found = 1 + np.flatnonzero((inner > amplitude[:-2]) & (inner >= amplitude[2:]))
    found = found[found >= window.half_lobe]
    found = found[amplitude[found] > max(factor * np.median(amplitude), rounding)]
    distance = max(window.lobe, peaks.PEAK_DISTANCE_SHARE * len(amplitude))
    chosen: list[int] = []
    for tone in found[np.argsort(-amplitude[found], kind="stable")].tolist():
        bins = np.abs(np.array(chosen, int) - tone)
        if (bins <= distance).any():
            continue
        if amplitude[tone] < peaks.LEAKAGE_FACTOR * (amplitude[chosen] * window.leakage(bins)).sum():
            continue
        if amplitude[tone] < factor * np.median(amplitude[around(amplitude, tone)]):
            continue
        if any(amplitude[valley(amplitude, tone, it)] > peaks.VALLEY_SHARE * amplitude[tone] for it in chosen):
            continue
        chosen.append(tone)
    return sorted(chosen)


def noise_by_definition(amplitude, tone, tones, averages, window):
    bins = around(amplitude, tone)
    skirts = np.zeros(len(bins))
    for it in tones:
        skirts += amplitude[it] * window.leakage(np.maximum(window.half_lobe, np.abs(bins - it)))
    noise = np.median(np.maximum(0, amplitude[bins] - peaks.SKIRTS_FACTOR * skirts))
    return float(noise) / (1 - 1 / (9 * averages)) ** 1.5


KINDS = {
    "noise": lambda rng, count: rng.normal(0, 1, count),
    "noise that wanders": lambda rng, count: np.cumsum(rng.normal(0, 1, count)),
    "blows": lambda rng, count: blows(RATE, count / RATE, rng.uniform(15, 120), 900, 0.05)[:count],
    "tones": lambda rng, count: sines(
        RATE, count / RATE, *((rng.uniform(5, 2_500), rng.lognormal(), 0) for _ in range(rng.integers(1, 40)))
    )[:count],
}


@settings(deadline=None, max_examples=120)
@given(
    st.sampled_from(list(KINDS)), st.integers(0, 9_999), st.integers(64, 12_000), st.sampled_from([0.5, 2, 20]), WINDOWS
)
def test_the_highest_are_those_of_the_definition(kind, seed, count, resolution, window):
    values = KINDS[kind](np.random.default_rng(seed), count)
    spectrum = spectrum_of(values, RATE, resolution, window)
    found, expected = peaks_of(spectrum, 0), peaks_by_definition(spectrum)
    assert len(found) == len(expected)
    for it, one in zip(found, expected, strict=True):
        assert (it.frequency, it.amplitude) == pytest.approx((one.frequency, one.amplitude), rel=1e-9, abs=0)


@settings(max_examples=200)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.sampled_from([1, 2, 4.5, 9]))
def test_to_count_tells_what_the_median_would(amplitude, height):
    values = np.array(amplitude, float)
    assert is_above_median(height, values, 1.5) == (height >= 1.5 * np.median(values))


# --- One tone


@settings(deadline=None, max_examples=150)
@given(WINDOWS, st.floats(0.2, 40), st.floats(0, 1), st.floats(0, 6.2), st.sampled_from([0, 0.02]))
@example(window=FLAT_TOP, resolution=40, share=0.0, phase=0.0, noise=0.02)
def test_the_amplitude_of_a_tone_is_its_own_whatever_window_resolution_and_place(
    window, resolution, share, phase, noise
):
    """At a bin or between two, from 3 bins above those that the mean left its mark on to as many below the last."""
    count = 20_480
    edge = window.half_lobe + window.lobe / 2 + 1
    place = edge + share * (RATE / resolution / 2 - 2 * edge)
    hz = place * resolution
    values = 3 + 2.5 * np.sin(2 * np.pi * hz * np.arange(count) / RATE + phase)
    values += noise * np.random.default_rng(1).normal(0, 1, count)
    spectrum = spectrum_of(values, RATE, resolution, window)
    found = peaks_of(spectrum, 0)[0]
    assert found.amplitude == pytest.approx(2.5, rel=0.02)
    assert found.frequency == pytest.approx(hz, abs=0.3 * spectrum.resolution)
    if window == FLAT_TOP:
        assert spectrum.amplitude.max() == pytest.approx(2.5, rel=0.02)  # without a look beside, which is its purpose


def test_a_window_is_that_of_scipy_and_so_is_its_noise_bandwidth():
    from scipy.signal import windows

    for window, name in ((HANN, "hann"), (FLAT_TOP, "flattop")):
        expected = windows.get_window(name, 480)
        assert window.samples(480) == pytest.approx(expected, abs=1e-12)
        assert window.noise_bandwidth == pytest.approx(480 * (expected**2).sum() / expected.sum() ** 2)


@pytest.mark.parametrize("window", [HANN, FLAT_TOP])
def test_leakage_is_the_greatest_that_the_transform_has_so_far_away(window):
    fine = 64  # parts of a bin
    size = 4_096
    transform = np.abs(np.fft.rfft(window.samples(size), fine * size)) / window.samples(size).sum()
    for bins in (window.half_lobe + 1, 10, 40):  # half a bin beside, where the sine of pi x is 1
        assert transform[fine * bins + fine // 2] == pytest.approx(window.leakage(np.array(bins + 0.5)), rel=0.02)
    assert HANN.leakage(np.array([10.0, 1e5])) == pytest.approx([1 / (np.pi * 990), 1 / (np.pi * 1e5 * (1e10 - 1))])


# --- A part of the range, and the velocity


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 2_560), st.floats(0, 2_560), st.integers(10, 2_000), st.integers(0, 99))
def test_no_line_is_lost_however_a_part_is_reduced(one, two, points, seed):
    low, high = sorted((one, two))
    rng = np.random.default_rng(seed)
    values = sines(RATE, 2, *((hz, 1, 0) for hz in rng.uniform(5, 2_500, 8)), noise=0.05)
    spectrum = spectrum_of(values, RATE, 0.5)
    frequency, amplitude = reduced(spectrum, points, low, high)
    inside = (spectrum.frequency >= low) & (spectrum.frequency <= high)
    assert len(frequency) == len(amplitude) <= points
    assert bool(len(frequency)) == bool(inside.any())
    half = (frequency[1] - frequency[0]) / 2 if len(frequency) > 1 else spectrum.resolution * inside.sum()
    for place in np.flatnonzero(inside & (spectrum.amplitude[:, 0] > 0.3)):
        near = np.abs(frequency - spectrum.frequency[place]) <= half + 1e-9
        assert amplitude[near].max() >= spectrum.amplitude[place, 0]
    if inside.any():
        assert amplitude.max() == spectrum.amplitude[inside].max()


def test_the_peaks_of_a_part_are_the_highest_there():
    values = sines(RATE, 4, *((hz, amplitude, 0) for amplitude, hz in enumerate(range(100, 1_100, 100), start=1)))
    spectrum = spectrum_of(values, RATE, 1)
    found = peaks_of(spectrum, 0, low_hz=150, high_hz=450)
    assert [(it.frequency, it.amplitude) for it in found] == [
        (pytest.approx(hz, rel=1e-3), pytest.approx(hz / 100, rel=0.01)) for hz in (400, 300, 200)
    ]


@settings(deadline=None, max_examples=60)
@given(WINDOWS, st.sampled_from([0.25, 1, 4]), st.floats(0, 1), st.sampled_from(["m/s2", "g"]))
def test_the_velocity_of_a_tone_is_its_acceleration_over_omega(window, resolution, share, unit):
    edge = resolution * (2 * window.lobe + 1)
    hz = max(edge, LOWEST_HZ + edge) + share * 1_500
    values = sines(RATE, 4, (hz, 2.0, 0.3), noise=0.001)
    gain = velocity_gain(unit)
    expected = 2.0 * (STANDARD_GRAVITY if unit == "g" else 1) / (2 * np.pi * hz) * 1_000
    found = peaks_of(spectrum_of(values, RATE, resolution, window), 0, low_hz=LOWEST_HZ, gain=gain)[0]
    assert (found.frequency, found.amplitude) == pytest.approx((hz, expected), rel=0.02)


def test_the_highest_in_velocity_are_not_those_in_acceleration():
    parts = [(40 * n, n**0.5, 0) for n in range(1, 13)]
    spectrum = spectrum_of(sines(RATE, 4, *parts), RATE, 1)
    found = peaks_of(spectrum, 0, gain=velocity_gain("m/s2"))
    assert [it.frequency for it in found] == pytest.approx([40, 80, 120, 160, 200], rel=1e-3)
    assert [it.amplitude for it in found] == pytest.approx(
        [1_000 / (80 * np.pi * n**0.5) for n in range(1, 6)], rel=0.02
    )
    assert peaks_of(spectrum, 0)[0].frequency == pytest.approx(480, rel=1e-3)


@pytest.mark.parametrize(("window", "resolution", "lowest"), [(HANN, 0.25, 2), (HANN, 4, 8), (FLAT_TOP, 1, 5)])
def test_the_lowest_bins_have_no_velocity(window, resolution, lowest):
    spectrum = spectrum_of(sines(RATE, 4, (0.6, 1, 0), (50, 1, 0), noise=0.1), RATE, resolution, window)
    velocity, found = velocity_spectrum(spectrum, "m/s2")
    assert found == lowest
    below = spectrum.frequency < lowest
    assert not velocity.amplitude[below].any()
    assert velocity.amplitude[~below, 0] == pytest.approx(
        spectrum.amplitude[~below, 0] / (2 * np.pi * spectrum.frequency[~below]) * 1_000
    )


def test_a_velocity_is_its_own_and_of_an_unknown_unit_there_is_none():
    spectrum = spectrum_of(sines(RATE, 4, (50, 1, 0)), RATE, 1)
    velocity, lowest = velocity_spectrum(spectrum, "mm/s")
    assert lowest == 0
    assert (velocity.amplitude == spectrum.amplitude).all()
    assert velocity_spectrum(spectrum, "") is None
    assert velocity_gain("") is None
