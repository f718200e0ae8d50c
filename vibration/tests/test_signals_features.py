"""The features of a signal against closed forms."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vibration.signals.features import BAND_NAMES, ORDER_NAMES, features_of
from vibration.signals.orders import ORDERS, ShaftSource
from vibration.signals.reasons import Reason
from vibration.signals.transform import centred, quick_length, transform_of
from vibration.signals.units import STANDARD_GRAVITY

PHASES = st.floats(0, 2 * np.pi)
ROOT2 = 2**0.5


def sines(rate: float, seconds: float, *parts: tuple, noise: float = 0.0) -> np.ndarray:
    """The sum of sines, each (frequency in Hz, amplitude, phase), and of Gaussian noise."""
    time = np.arange(round(rate * seconds)) / rate
    values = sum((a * np.sin(2 * np.pi * f * time + p) for f, a, p in parts), np.zeros(len(time)))
    return values + noise * np.random.default_rng(1).normal(0, 1, len(time))


def approx(value: float, rel: float = 0.01):
    return pytest.approx(value, rel=rel, abs=0)


pytestmark = pytest.mark.filterwarnings("error")

# Of the values


def test_a_sine_has_the_numbers_of_a_sine_whatever_its_offset():
    found = features_of(sines(25_600, 1, (50, 3.0, 0.1)) + 9.8, 25_600, "m/s2")
    assert found.mean == approx(9.8, 1e-9)
    assert found.rms == approx(3 / ROOT2, 1e-6)
    assert found.peak == approx(3, 1e-4)
    assert found.crest_factor == approx(ROOT2, 1e-4)
    assert found.kurtosis == approx(1.5, 1e-6)


@pytest.mark.parametrize("offset", [1.0, -1.0, 1000.0])
def test_an_offset_changes_nothing_but_the_mean(offset):
    values = sines(25_600, 1, (24.7, 1, 0.3), (49.4, 0.5, 1), (3000, 0.2, 2), noise=0.1)
    plain, moved = (asdict(features_of(it, 25_600, "g", 1482)) for it in (values, values + offset))
    assert moved.pop("mean") == approx(plain.pop("mean") + offset, 1e-9)
    for name, value in plain.items():
        assert moved[name] == (approx(value, 1e-8) if isinstance(value, float) else value), name


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_values_of_another_type_have_the_features_of_the_same_numbers(dtype):
    values = np.rint(32_767 * np.sin(np.arange(5_120) / 3)).astype(dtype)
    assert features_of(values, 5_120, "g", 1500) == features_of(values.astype(np.float64), 5_120, "g", 1500)


@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1e99])
def test_a_factor_changes_amplitudes_alone(scale):
    values = sines(25_600, 1, (24.7, 1, 0.3), (49.4, 0.5, 1), (3000, 0.2, 2), noise=0.1)
    plain, other = (asdict(features_of(it, 25_600, "m/s2", None, 1500)) for it in (values, values * scale))
    alike = {"crest_factor", "kurtosis", "shaft_hz", "envelope_hz"}
    for name, value in plain.items():
        factor = 1 if name in alike else scale
        assert other[name] == (approx(value * factor, 1e-9) if isinstance(value, float) else value), name


# Velocity


@settings(deadline=None, max_examples=300)
@given(
    st.floats(10.5, 990) | st.floats(10.5, 14),
    st.floats(1, 10) | st.floats(1, 1.6),
    PHASES,
    st.sampled_from([2_560, 3_200, 4_096, 6_400, 10_000, 25_600, 51_200]),
    st.sampled_from([("m/s2", 1.0), ("g", STANDARD_GRAVITY)]),
)
def test_the_velocity_of_a_sine_is_right_within_one_percent(frequency, seconds, phase, rate, unit):
    name, factor = unit
    found = features_of(sines(rate, seconds, (frequency, 2.0, phase)) + 1, rate, name)
    assert found.velocity_rms == approx(2 * factor * 1000 / (2 * np.pi * frequency) / ROOT2)
    assert found.velocity_reason == Reason.NONE


@settings(deadline=None, max_examples=100)
@given(st.floats(10.5, 990), st.floats(1, 5), PHASES)
def test_a_signal_of_velocity_is_not_integrated(frequency, seconds, phase):
    found = features_of(sines(5_120, seconds, (frequency, 2.0, phase)), 5_120, "mm/s")
    assert found.velocity_rms == approx(2 / ROOT2)


def test_several_sines_add_up_by_their_squares_and_what_is_out_of_the_range_does_not_count():
    parts = [(20, 1.0, 0), (100, 4.0, 1), (600, 30.0, 2)]
    outside = [(3, 5.0, 0), (1100, 50.0, 1), (6000, 50.0, 2)]
    expected = sum((1000 * a / (2 * np.pi * f)) ** 2 / 2 for f, a, _p in parts) ** 0.5
    for seconds in (1, 2.7):
        found = features_of(sines(25_600, seconds, *parts, *outside), 25_600, "m/s2")
        assert found.velocity_rms == approx(expected)


@pytest.mark.parametrize(
    ("rate", "seconds", "unit", "reason"),
    [
        (25_600, 1, "", Reason.UNIT),
        (2_559, 1, "g", Reason.RATE),
        (1_359, 30, "m/s2", Reason.RATE),
        (25_600, 0.98, "m/s2", Reason.SHORT),
        (25_600, 0.98, "mm/s", Reason.SHORT),
    ],
)
def test_a_velocity_that_is_not_assessable_has_a_reason(rate, seconds, unit, reason):
    found = features_of(sines(rate, seconds, (50, 1, 0)), rate, unit)
    assert found.velocity_rms is None
    assert found.velocity_reason == reason


# Speed and orders


def test_a_measured_speed_is_taken_as_it_is():
    found = features_of(sines(5_120, 1, (26, 1, 0)), 5_120, "", 1500, 1480)
    assert (found.shaft_hz, found.shaft_source) == (25.0, ShaftSource.MEASURED)


@settings(deadline=None, max_examples=100)
@given(st.floats(0.91, 1.09), st.floats(15, 100), st.floats(1, 10), PHASES)
def test_the_speed_is_found_near_the_rated_one(slip, rated_hz, seconds, phase):
    assume(rated_hz * seconds > 32)
    parts = [(slip * rated_hz, 1.0, phase), (2 * slip * rated_hz, 0.4, 1)]
    found = features_of(sines(5_120, seconds, *parts, noise=0.02), 5_120, "", None, 60 * rated_hz)
    assert found.shaft_source == ShaftSource.FOUND
    assert found.shaft_hz == pytest.approx(slip * rated_hz, abs=0.05 / seconds)


@pytest.mark.parametrize(
    "parts", [[], [(40, 1.0, 0)], [(28, 1.0, 0)], [(20, 1.0, 0)]], ids=["noise", "far", "above", "below"]
)
def test_where_nothing_stands_out_near_it_the_rated_speed_is_taken(parts):
    found = features_of(sines(5_120, 2, *parts, noise=0.1), 5_120, "", None, 1440)
    assert (found.shaft_hz, found.shaft_source) == (24.0, ShaftSource.RATED)


def test_without_a_speed_there_are_no_orders():
    for rpm in (None, 0.0):
        found = features_of(sines(5_120, 1, (25, 1, 0)), 5_120, "", rpm)
        assert (found.shaft_hz, found.shaft_source, found.orders_reason) == (None, "", Reason.SPEED)
        assert [getattr(found, name) for name in ORDER_NAMES] == [None] * 10


def test_a_machine_that_stands_still_has_no_orders_of_its_rated_speed():
    found = features_of(sines(5_120, 1, (25, 1, 0)), 5_120, "", 0.0, 1500)
    assert (found.shaft_hz, found.orders_reason) == (None, Reason.SPEED)


@settings(deadline=None, max_examples=300)
@given(
    st.floats(4, 60) | st.floats(10.2, 12),
    st.floats(1, 10),
    st.lists(st.floats(0.5, 3), min_size=10, max_size=10),
    st.lists(PHASES, min_size=10, max_size=10),
    st.sampled_from([1_280, 5_120, 25_600]),
)
def test_orders_are_right_within_one_percent_with_all_others_beside(shaft, seconds, amplitudes, phases, rate):
    assume(shaft * seconds > 10.2)
    parts = [(order * shaft, *rest) for order, *rest in zip(ORDERS, amplitudes, phases, strict=True)]
    found = features_of(sines(rate, seconds, *parts, noise=0.002), rate, "", 60 * shaft)
    assert found.orders_reason == Reason.NONE
    assert [getattr(found, name) for name in ORDER_NAMES] == pytest.approx(amplitudes, rel=0.01)


@settings(deadline=None, max_examples=200)
@given(st.floats(10.2, 60), st.floats(1, 10), st.floats(-0.01, 0.01), PHASES, PHASES)
def test_so_is_1x_when_the_speed_is_off_by_a_percent(shaft, seconds, off, one, two):
    values = sines(5_120, seconds, (shaft, 1, one), (2 * shaft, 3, two), noise=0.002)
    found = features_of(values, 5_120, "", 60 * shaft * (1 + off))
    assert found.order_1_0 == approx(1)
    assert found.order_2_0 == approx(3)
    assert found.order_1_5 < 0.05  # what leaks from the others, which are 4 bins away or more


def test_what_does_not_turn_has_the_amplitude_of_the_noise():
    found = features_of(sines(25_600, 1, (25, 1, 0), noise=0.1), 25_600, "", 1500)
    assert found.order_1_0 == approx(1)
    others = [getattr(found, name) for name in ORDER_NAMES if name != "order_1_0"]
    assert max(others) < 0.01


def test_orders_beyond_half_the_rate_are_none():
    found = features_of(sines(500, 4, (60, 1, 0), (240, 0.5, 0), noise=0.01), 500, "", 3600)
    assert found.order_4_0 is None  # 240 Hz, but a part of what belongs to it is beyond 250 Hz
    assert found.order_3_5 is not None
    assert found.orders_reason == Reason.NONE
    found = features_of(sines(50, 4, (10, 1, 0)), 50, "", 3600)
    assert found.orders_reason == Reason.RATE


def test_a_signal_too_short_to_tell_orders_apart_has_none():
    values = sines(25_600, 0.25, (25, 1, 0))
    assert features_of(values, 25_600, "", 1500).orders_reason == Reason.SHORT
    assert features_of(values, 25_600, "", 1500).order_1_0 is None
    assert features_of(values, 25_600, "", 60 * 41).orders_reason == Reason.NONE


# Bands


def test_a_band_has_the_rms_of_the_sines_in_it():
    inside = [(31, 1.0, 0), (310, 2.0, 1), (3100, 3.0, 2), (13_000, 4.0, 3)]
    found = features_of(sines(51_200, 1, *inside), 51_200, "")
    assert [getattr(found, name) * ROOT2 for name in BAND_NAMES] == pytest.approx([1, 2, 3, 4], rel=1e-3)


@pytest.mark.parametrize(("rate", "bands"), [(40_000, 4), (39_999, 3), (10_000, 3), (9_999, 2), (1_359, 1), (199, 0)])
def test_a_band_beyond_half_the_rate_is_none(rate, bands):
    found = features_of(sines(rate, 1, noise=1.0), rate, "")
    assert [getattr(found, name) is not None for name in BAND_NAMES] == [True] * bands + [False] * (4 - bands)


@pytest.mark.parametrize("count", [1_024, 1_001, 4_095])
def test_all_bins_have_the_mean_square_of_the_windowed_samples(count):
    """Parseval's theorem."""
    values = np.random.default_rng(1).normal(0, 2, count)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(quick_length(count)) / quick_length(count))
    deviations = centred(values)[0]
    transform = transform_of(deviations, 1_000.0)
    windowed = deviations[: len(window)] * window
    assert transform.scale**2 * transform.mean_squares.sum() == approx((windowed**2).mean() / (window**2).mean(), 1e-12)


@pytest.mark.parametrize("count", [16, 17, 100, 1_001])
def test_the_window_on_the_transform_is_that_on_the_samples(count):
    values = np.random.default_rng(1).normal(0, 2, count)
    transform = transform_of(values, 1.0)
    size = transform.samples
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    expected = np.abs(np.fft.rfft(values[:size] * window)) / window.sum()
    expected[1 : (size + 1) // 2] *= 2
    assert transform.scale * transform.amplitude == pytest.approx(expected, rel=1e-12, abs=1e-14)


# Envelope


def blows(rate: float, seconds: float, each_hz: float, ringing_hz: float, noise: float) -> np.ndarray:
    """Bursts at a rate, each a ringing that fades within 1 ms, as a rolling bearing's defect excites them."""
    time = np.arange(round(rate * seconds)) / rate
    since = np.mod(time, 1 / each_hz)
    ringing = np.exp(-since / 0.001) * np.sin(2 * np.pi * ringing_hz * since)
    return ringing + noise * np.random.default_rng(1).normal(0, 1, len(time))


@settings(deadline=None, max_examples=100)
@given(st.floats(15, 380), st.floats(1, 5), st.floats(2_500, 9_000), st.floats(0, 0.1))
def test_blows_are_found_at_their_rate(each_hz, seconds, ringing_hz, noise):
    values = blows(25_600, seconds, each_hz, ringing_hz, noise) + sines(25_600, seconds, (24.7, 5, 0)) + 9.8
    found = features_of(values[: round(25_600 * seconds)], 25_600, "")
    assert found.envelope_reason == Reason.NONE
    assert found.envelope_hz == pytest.approx(each_hz, abs=0.2 / seconds)


@settings(deadline=None, max_examples=100)
@given(st.floats(10, 100), st.floats(0.2, 0.9), st.floats(700, 1_000), PHASES)
def test_a_modulated_tone_has_the_envelope_that_it_was_given(swing_hz, depth, carrier_hz, phase):
    time = np.arange(5_120) / 2_560
    values = 2 * (1 + depth * np.sin(2 * np.pi * swing_hz * time + phase)) * np.sin(2 * np.pi * carrier_hz * time)
    found = features_of(values, 2_560, "")
    assert found.envelope_peak == approx(2 * depth)
    assert found.envelope_hz == pytest.approx(swing_hz, abs=0.02)


def test_noise_has_an_envelope_whose_highest_swing_has_no_frequency():
    found = features_of(sines(25_600, 1, noise=1.0), 25_600, "")
    assert 0 < found.envelope_peak < 0.1
    assert found.envelope_hz is None
    assert found.envelope_reason == Reason.NONE


@pytest.mark.parametrize(("rate", "seconds", "reason"), [(2_000, 5, Reason.RATE), (25_600, 0.05, Reason.SHORT)])
def test_an_envelope_that_is_not_assessable_has_a_reason(rate, seconds, reason):
    found = features_of(sines(rate, seconds, noise=1.0), rate, "")
    assert (found.envelope_peak, found.envelope_hz, found.envelope_reason) == (None, None, reason)


# What is little, much or nothing


@pytest.mark.parametrize("value", [0.0, 0.1, -9.80665, 1e100])
def test_a_flat_signal_has_no_vibration_and_says_why(value):
    found = features_of(np.full(25_600, value), 25_600, "m/s2", None, 1500)
    assert (found.mean, found.rms, found.peak) == (value, 0, 0)
    assert (found.crest_factor, found.kurtosis, found.velocity_rms, found.order_1_0, found.envelope_peak) == (None,) * 5
    assert {found.velocity_reason, found.orders_reason, found.envelope_reason} == {Reason.FLAT}
    assert (found.shaft_hz, found.shaft_source) == (25.0, ShaftSource.RATED)


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1e100])
@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 18, 100, 2_560, 2_579])
@pytest.mark.parametrize("rate", [1.0, 100.0, 2_560.0, 1e6])
def test_any_count_size_and_rate_has_features_that_are_finite(count, scale, rate):
    values = scale * np.where(np.arange(count) % 3 == 0, 1.0, -1.0)
    for unit in ("m/s2", "mm/s", ""):
        for rpm, rated in ((None, None), (1480, None), (None, 1480), (0.001, None), (1e9, None)):
            found = asdict(features_of(values, rate, unit, rpm, rated))
            assert all(np.isfinite(it) for it in found.values() if isinstance(it, float))
            assert min(it for name, it in found.items() if isinstance(it, float) and name != "mean") >= 0


@pytest.mark.parametrize("count", [1, 2, 15])
def test_a_signal_of_few_samples_is_too_short(count):
    found = features_of(np.arange(count) * 1.0, 25_600, "g")
    assert {found.velocity_reason, found.orders_reason, found.envelope_reason} == {Reason.SHORT}
    assert found.mean == (count - 1) / 2


@pytest.mark.parametrize(
    ("values", "rate", "unit"), [([], 100, ""), ([1.0], 0, ""), ([1.0], np.nan, ""), ([1.0], 100, "m/s^2")]
)
def test_what_is_no_signal_is_refused(values, rate, unit):
    with pytest.raises(ValueError, match=r"have no features|is not a valid Unit"):
        features_of(np.array(values), rate, unit)


def test_a_state_of_a_labelled_recording_has_what_its_rate_allows():
    """About 1.36 kHz and no unit, as KAMP's files."""
    values = sines(1_359, 30, (24, 0.5, 0), (48, 0.2, 1), noise=0.05)
    found = features_of(values, 1_359, "", None, 1440)
    assert (found.velocity_reason, found.envelope_reason, found.orders_reason) == (Reason.UNIT, Reason.RATE, "")
    assert found.shaft_hz == approx(24, 1e-3)
    assert (found.order_1_0, found.order_2_0) == (approx(0.5), approx(0.2))
    assert found.band_10_100 == approx((0.5**2 / 2 + 0.2**2 / 2) ** 0.5, 0.02)
    assert found.band_100_1000 is None


@pytest.mark.parametrize("count", [16, 65_521, 25_600, 9_973])
def test_a_length_that_transforms_quickly_is_hardly_shorter(count):
    length = quick_length(count)
    assert count - length <= 0.01 * count
    for factor in (2, 3, 5, 7, 11):
        while length % factor == 0:
            length //= factor
    assert length == 1
