"""Samples come back from their bytes as they went in, to the last bit, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vibration.signals.codec import HEAD, Codec, DamagedCapture, decode, digest, encode, narrowed, scaled
from vibration.signals.grid import step_of

COUNTS = st.integers(1, 300)
pytestmark = pytest.mark.filterwarnings("error")
FINITE = {"allow_nan": False, "allow_infinity": False}
ANY = st.one_of(
    arrays(np.int16, COUNTS),
    arrays(np.float32, COUNTS, elements=st.floats(width=32, **FINITE)),
    arrays(np.float64, COUNTS, elements=st.floats(**FINITE)),
    arrays(np.float64, COUNTS, elements=st.integers(-9999, 9999).map(lambda it: it / 1000)),
    st.builds(np.multiply, arrays(np.int32, COUNTS), st.floats(-1e250, 1e250)),
    st.builds(np.multiply, arrays(np.int16, COUNTS), st.floats(-1e-280, 1e-280)),
)


def vibration(count: int = 25_600) -> np.ndarray:
    """Tones and noise on gravity, in m/s2."""
    time = np.arange(count) / 25_600
    tones = 2 * np.sin(2 * np.pi * 24.7 * time) + 0.6 * np.sin(2 * np.pi * 1180 * time)
    return 9.8 + tones + np.random.default_rng(1).normal(0, 0.5, count)


STEP = 156.9 / 2**15  # of a converter of 16 bits for +-16 g
CONVERTED = np.rint(vibration() / STEP).astype(np.int16)


@settings(deadline=None, max_examples=400)
@given(ANY)
def test_any_finite_values_come_back_to_the_last_bit(values):
    encoded = encode(values)
    found = decode(encoded.codec, encoded.data, len(values))
    assert found.astype(values.dtype).tobytes() == values.tobytes()
    assert found.dtype == narrowed(values).dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_so_do_the_smallest_the_greatest_and_both_zeros(dtype):
    info = np.finfo(dtype)
    values = np.array([0.0, -0.0, info.smallest_subnormal, -info.tiny, info.max, info.min, info.eps] * 500, dtype)
    encoded = encode(values)
    assert decode(encoded.codec, encoded.data, len(values)).astype(dtype).tobytes() == values.tobytes()


@pytest.mark.parametrize("values", [CONVERTED[::2], CONVERTED.astype(">i2"), vibration(999)[::-1]])
def test_so_do_values_that_lie_otherwise_in_memory(values):
    encoded = encode(values)
    assert np.array_equal(decode(encoded.codec, encoded.data, len(values)), values)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (CONVERTED, 1.2),
        (CONVERTED * STEP, 1.2),
        ((CONVERTED * STEP).astype(np.float32), 1.6),
        (CONVERTED * STEP + 0.0123, 1.9),  # with an offset: no grid from 0
        (np.rint(vibration() / STEP * 256).astype(np.float32) * np.float32(STEP / 256), 2.8),  # 24 bits
        (np.rint(vibration() / STEP * 256) * (STEP / 256), 2.8),  # as doubles
        (np.rint(vibration() * 1e5) / 1.02e3, 2.9),  # in another unit
        (np.round(vibration(), 4), 2.0),
    ],
)
def test_vibration_takes_few_bytes_a_sample(values, most):
    encoded = encode(values)
    assert encoded.codec == Codec.PCODEC
    assert len(encoded.data) / len(values) < most


@pytest.mark.parametrize("step", [1e-9, 0.1, STEP / 256, 1 / 3, 1000.0])
def test_the_step_of_a_grid_is_found(step):
    assert step_of(np.rint(1e5 * vibration()) * step) == pytest.approx(step, rel=1e-12)


@pytest.mark.parametrize("values", [vibration(), np.zeros(5), np.ones(1), np.array([1e308, -1e308, 3.0, 3.5])])
def test_values_on_no_grid_have_no_step(values):
    assert step_of(values) is None


def test_doubles_that_are_floats_are_kept_as_floats():
    values = vibration().astype(np.float32)
    assert encode(values.astype(np.float64)) == encode(values)
    assert narrowed(np.array([1e300, 0.5])).dtype == np.float64
    assert narrowed(np.array([0.1, 0.5])).dtype == np.float64
    assert narrowed(np.array([-0.0, 0.5])).dtype == np.float32


def test_what_cannot_be_packed_is_kept_as_it_is():
    values = np.array([1.1, -7.0])
    encoded = encode(values)
    assert encoded.codec == Codec.RAW
    assert len(encoded.data) == HEAD.size + 16
    assert decode(encoded.codec, encoded.data, 2).tolist() == [1.1, -7.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_is_refused(bad, dtype):
    with pytest.raises(ValueError, match="not a finite number"):
        encode(np.array([1.0, bad], dtype))


@pytest.mark.parametrize("values", [np.empty(0), np.ones((2, 2)), np.ones(3, np.int32), np.ones(3, np.complex128)])
def test_other_shapes_and_types_are_refused(values):
    with pytest.raises(ValueError, match="have no code"):
        encode(values)


@pytest.mark.parametrize("values", [CONVERTED[:500], np.array([1.5, 2.5])], ids=["packed", "raw"])
def test_any_bit_that_changed_is_noticed(values):
    encoded = encode(values)
    for place in range(8 * len(encoded.data)):
        data = bytearray(encoded.data)
        data[place // 8] ^= 1 << place % 8
        with pytest.raises(DamagedCapture):
            decode(encoded.codec, bytes(data), len(values))


@pytest.mark.parametrize("values", [CONVERTED[:500], np.array([1.5, 2.5])], ids=["packed", "raw"])
def test_data_that_are_cut_or_longer_are_noticed(values):
    encoded = encode(values)
    for data in [b"", encoded.data[:4], encoded.data[: HEAD.size], encoded.data[:-1], encoded.data + b"\0"]:
        with pytest.raises(DamagedCapture, match="bytes"):
            decode(encoded.codec, data, len(values))


@pytest.mark.parametrize("values", [CONVERTED[:500], np.array([1.5, 2.5])], ids=["packed", "raw"])
@pytest.mark.parametrize("more", [-1, 1])
def test_another_number_of_samples_is_noticed(values, more):
    encoded = encode(values)
    with pytest.raises(DamagedCapture, match="samples"):
        decode(encoded.codec, encoded.data, len(values) + more)


def test_a_codec_that_is_not_the_one_of_the_data_is_noticed():
    encoded = encode(CONVERTED[:500])
    with pytest.raises(DamagedCapture, match="not 500 samples"):
        decode(Codec.RAW, encoded.data, 500)
    with pytest.raises(DamagedCapture, match="codec 9"):
        decode(9, encoded.data, 500)
    raw = encode(np.array([1.5, 2.5]))
    with pytest.raises(DamagedCapture, match="cannot be read"):
        decode(Codec.PCODEC, raw.data, 2)


def test_the_numbers_of_codecs_never_change():
    assert {it.name: it.value for it in Codec} == {"RAW": 0, "PCODEC": 1}


def test_integers_with_a_scale_and_the_same_floats_have_one_digest():
    said = {"sampling_hz": 25_600, "unit": "m/s2", "rpm": 1480}
    floats = scaled(CONVERTED, STEP)
    assert digest(CONVERTED, scale=STEP, **said) == digest(floats, **said)
    assert len(digest(floats, **said)) == 32


def test_a_digest_does_not_depend_on_how_equal_numbers_are_kept():
    said = {"sampling_hz": 100.0, "unit": "g"}
    assert digest(np.array([0.0, 1.5]), **said) == digest(np.array([-0.0, 1.5], np.float32), **said)
    assert digest(np.array([0, 3], np.int16), scale=-0.5, **said) == digest(np.array([0.0, -1.5]), **said)
    assert digest(np.array([1.0]), sampling_hz=100, unit="g") == digest(np.array([1.0]), sampling_hz=100.0, unit="g")


@pytest.mark.parametrize(
    "other",
    [
        {"sampling_hz": 101.0},
        {"unit": "mm/s"},
        {"unit": ""},
        {"rpm": None},
        {"rpm": 0.0},
        {"rpm": 1481.0},
        {"scale": 2.0},
    ],
    ids=str,
)
def test_a_digest_changes_with_whatever_a_capture_says(other):
    said = {"sampling_hz": 100.0, "unit": "g", "rpm": 1480.0}
    values = np.array([1.0, 2.0])
    assert digest(values, **said) != digest(values, **said | other)


@pytest.mark.parametrize("other", [[1.0], [2.0, 1.0], [1.0, 2.0, 0.0], [1.0, np.nextafter(2, 3)]], ids=str)
def test_a_digest_changes_with_any_value(other):
    said = {"sampling_hz": 100.0, "unit": "g"}
    assert digest(np.array([1.0, 2.0]), **said) != digest(np.array(other), **said)
