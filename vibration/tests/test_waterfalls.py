"""A waterfall shows every line of its spectra, at its time and frequency, and says what it leaves out."""

from datetime import timedelta

import numpy as np
import pytest

from vibration.captures.storing import remove_samples
from vibration.models import CaptureAxis
from vibration.signals.transform import centred, transform_of
from vibration.spectra.outline import EDGES, coded, decibels, outline_of
from vibration.tests.captures_world import START, at, stored, tone
from vibration.trends import waterfall
from vibration.trends.reading import Span
from vibration.trends.remarks import Code
from vibration.trends.waterfall import waterfall_of

RATE = 2_560.0
SPAN = Span(START, START + timedelta(days=1))


def a_second(hz: float, amplitude: float = 1.0, rate: float = RATE) -> np.ndarray:
    return tone(int(rate), amplitude, hz=hz, rate=rate)


@pytest.mark.parametrize("hz", [6, 24.6, 255.5, 301.3, 1_000.2])
@pytest.mark.parametrize("seconds", [0.5, 1, 7.3])
def test_a_line_stands_in_the_band_of_an_outline_where_it_is(hz, seconds):
    values = tone(int(seconds * RATE), hz=hz, rate=RATE)
    transform = transform_of(centred(values)[0], RATE)
    found = decibels(outline_of(transform))
    band = int(np.argmax(found))
    assert EDGES[band] - transform.resolution <= hz <= EDGES[band + 1] + transform.resolution
    assert -1.5 < found[band] < 0.1  # dB; between two bins a Hann window takes up to 1.42 from the higher one


def test_amplitudes_are_coded_to_four_parts_in_a_thousand():
    amplitude = 10 ** np.random.default_rng(1).uniform(-100, 100, 1_000)
    assert np.abs(10 ** (decibels(coded(amplitude)) / 20) / amplitude - 1).max() < 0.004
    assert decibels(coded(np.zeros(1)))[0] == -np.inf


@pytest.mark.django_db
def test_each_line_is_in_the_image_whatever_its_size():
    lines = [30.0, 260.0, 999.0]
    stored(*(at(START + timedelta(hours=number), a_second(hz)) for number, hz in enumerate(lines)))
    axis = CaptureAxis.objects.get()
    for rows in (5, 50, 1_000):
        found = waterfall_of(axis, SPAN, columns=100, rows=rows)
        assert found.levels.shape == (len(found.frequency) - 1, 3)
        assert found.time.tolist() == [0, 3_600, 7_200]
        assert found.levels.max(axis=0).tolist() == [255] * 3
        for column, hz in enumerate(lines):
            row = int(np.argmax(found.levels[:, column]))
            assert found.frequency[row] - 4 <= hz <= found.frequency[row + 1] + 4


@pytest.mark.django_db
def test_of_many_captures_the_first_of_each_part_is_shown_and_told(monkeypatch):
    stored(*(at(START + timedelta(minutes=20 * number), a_second(50)) for number in range(60)))
    axis = CaptureAxis.objects.get()
    found = waterfall_of(axis, SPAN, columns=24, rows=10)
    assert (found.captures, len(found.time)) == (60, 20)
    assert [(it.code, it.numbers) for it in found.remarks] == [(Code.THINNED, {"every_s": 3_600})]
    monkeypatch.setattr(waterfall, "MOST_STARTS", 30)
    assert waterfall_of(axis, SPAN, columns=24, rows=10).time.tolist() == found.time.tolist()


@pytest.mark.django_db
def test_above_half_a_rate_nothing_is_drawn():
    stored(at(START, a_second(50)), at(START + timedelta(hours=1), a_second(50, rate=1_280), sampling_hz=1_280))
    found = waterfall_of(CaptureAxis.objects.get(), SPAN, columns=100, rows=100)
    above = found.frequency[:-1] > 660
    assert not found.levels[above, 1].any()
    assert found.levels[above, 0].all()
    assert [it.code for it in found.remarks] == [Code.RATES]


@pytest.mark.django_db
def test_units_are_one_and_removed_samples_are_told():
    captures = stored(
        at(START, a_second(50, 1 / 9.80665), unit="g"),
        at(START + timedelta(hours=1), a_second(50), unit="m/s2"),
    )
    axis = CaptureAxis.objects.get()
    found = waterfall_of(axis, SPAN, columns=9, rows=9)
    assert found.unit == "m/s2"
    assert found.levels.max(axis=0).tolist() == [255, 255]
    remove_samples([it.pk for it in captures])
    assert waterfall_of(axis, SPAN, columns=9, rows=9).captures == 2
    assert waterfall_of(axis, Span(START - timedelta(days=2), START), columns=9, rows=9).remarks == [(Code.NONE, {})]
