"""Synthetic captures tell the stories that they are said to tell, and are made once."""

from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from machines.models import Machine
from vibration.management.sample_captures import DAY, Place, make_captures
from vibration.models import Capture, CaptureFeatures
from vibration.signals.flags import is_clipped, is_flat
from vibration.signals.synthetic import AXES, DAYS, SCALE_G, Story, synthetic
from vibration.tests.captures_world import at, days_ago, stored

SOME_DAYS = np.arange(0.25, DAYS, 5)


def said(story: Story, day: float, seed: int = 1):
    return synthetic(story, day, np.random.default_rng([seed, int(day * 100)]))


@pytest.mark.parametrize("story", Story)
def test_the_same_seed_makes_the_same_signals_and_another_one_others(story):
    first, again, other = said(story, 10), said(story, 10), said(story, 10, seed=2)
    for axis in AXES:
        assert first.axes[axis].tobytes() == again.axes[axis].tobytes() != other.axes[axis].tobytes()
    assert first.rpm == again.rpm


def test_a_stop_and_a_dead_sensor_are_flat_and_nothing_else_is():
    flat = {(story, day) for story in Story for day in SOME_DAYS if is_flat(said(story, day).axes["x"])}
    assert flat == {(Story.MOVED, 30.25), (Story.DEAD, 80.25), (Story.DEAD, 85.25)}
    assert said(Story.MOVED, 30.25).rpm is None
    assert said(Story.MOVED, 30.25).axes["z"][0] * SCALE_G == pytest.approx(1, abs=SCALE_G)  # gravity is there


def test_now_and_then_one_is_clipped_and_a_speed_is_missing():
    found = [said(Story.MOVED, day) for day in np.arange(0.1, 30, 0.1)]
    assert 0 < sum(is_clipped(it.axes["x"]) for it in found) < 30
    assert 10 < sum(it.rpm is None for it in found) < 60


@pytest.fixture
def captured(db):
    """Of each story, a capture a day; all samples are kept."""
    places = [Place(f"m{number}", "accel1", story) for number, story in enumerate(Story)]
    end = timezone.now().replace(microsecond=0)
    assert sum(make_captures(places, end=end, every=DAY, seed=1, kept_for=None)) == 4 * 3 * (DAYS + 1)


def feature(story: Story, name: str, axis: str = "x") -> np.ndarray:
    """float64 (days,), NaN where it is not assessable."""
    rows = CaptureFeatures.objects.filter(sensor__machine__name=f"m{list(Story).index(story)}", axis=axis)
    return np.array(list(rows.order_by("started_at").values_list(name, flat=True)), np.float64)


def test_the_features_tell_the_stories(captured):
    first_order = feature(Story.UNBALANCE, "order_1_0")
    assert np.nanmedian(first_order[85:]) > 4 * np.nanmedian(first_order[:60])
    for name, times in (("order_0_5", 5), ("kurtosis", 1.5)):
        values = feature(Story.LOOSENESS, name)
        assert np.nanmedian(values[70:]) > times * np.nanmedian(values[:70]), name
    for axis, step in (("x", 1.8), ("y", 0.5)):
        level = feature(Story.MOVED, "order_1_0", axis)
        assert np.nanmedian(level[46:]) / np.nanmedian(level[:30]) == pytest.approx(step, rel=0.1)
    flat = Capture.objects.filter(is_flat=True)
    assert set(flat.values_list("sensor__machine__name", flat=True)) == {"m2", "m3"}
    assert set(Capture.objects.values_list("source", flat=True)) == {"synthetic"}


@pytest.mark.django_db
def test_the_command_leaves_features_of_what_is_older_than_samples_are_kept_and_is_called_once(settings):
    settings.KEEP_CAPTURES = 14 * DAY
    out = StringIO()
    call_command("make_sample_captures", "--every-hours=24", stdout=out)
    assert "1,092 synthetic captures of 4 machines: m1, m2, m3, m4" in out.getvalue()
    assert all(title.startswith("synthetic: ") for title in Machine.objects.values_list("title", flat=True))
    assert CaptureFeatures.objects.count() == Capture.objects.count() == 1_092
    # 15 days, and the reference of each axis
    assert Capture.objects.filter(has_samples=True).count() in {12 * 15, 12 * 16}
    assert Capture.objects.filter(unit="m/s2").exists()
    out = StringIO()
    call_command("prune_captures", "--no-input", "--pause=0", stdout=out)
    assert Capture.objects.filter(has_samples=True, started_at__lt=days_ago(14)).count() == 12
    with pytest.raises(CommandError, match=r"There are captures of m1 already; nothing was made\."):
        call_command("make_sample_captures")


@pytest.mark.django_db
def test_it_does_not_mix_with_real_captures():
    stored(at(days_ago(1), machine="m3"))
    with pytest.raises(CommandError, match="There are captures of m3 already"):
        call_command("make_sample_captures")
    for wrong in ("--every-hours=0", "--every-hours=25", "--seed=-1"):
        with pytest.raises(CommandError):
            call_command("make_sample_captures", wrong)
