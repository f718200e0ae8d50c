"""The smaller commands."""

import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from vibration.csv.synthetic import row_count, sample_lines
from vibration.models import Recording, VibrationData
from vibration.tests.world import make_recording


def test_the_synthetic_files_have_the_rows_and_the_first_column_of_the_real_ones():
    assert [row_count(sensor, 140.0) for sensor in (1, 2, 3, 4)] == [190_218, 184_211, 196_079, 183_969]
    times = [line.split(",")[0] for line in "".join(sample_lines(1, 1, 140.0, seed=1)).splitlines()]
    assert times[:5] == ["0", "0.000736", "0.001472", "0.002208", "0.002944"]
    assert times[-1] == "139.999712"
    assert len(times) == len(set(times)) == 190_218
    assert "1.84" in times  # no trailing zeros


def test_the_same_seed_makes_the_same_file_and_another_seed_another():
    one, same, other = ("".join(sample_lines(1, 1, 2.0, seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert "".join(sample_lines(2, 1, 2.0, 1)) != one
    assert "".join(sample_lines(1, 1, 40.0, 1)).startswith(one)


def test_make_sample_csv_never_writes_over_a_file(tmp_path):
    real = tmp_path / "g2_sensor1.csv"
    real.write_text("real data")
    with pytest.raises(CommandError, match=r"g2_sensor1.csv already exists; nothing was written"):
        call_command("make_sample_csv", tmp_path, seconds=0.1, stdout=StringIO())
    assert [path.name for path in tmp_path.iterdir()] == ["g2_sensor1.csv"]
    assert real.read_text() == "real data"


@pytest.mark.parametrize("option", [{"machines": 0}, {"sensors": -1}, {"seconds": -1.0}, {"seconds": float("nan")}])
def test_make_sample_csv_refuses_numbers_that_make_no_sense(tmp_path, option):
    with pytest.raises(CommandError, match="must be"):
        call_command("make_sample_csv", tmp_path, **option)


def test_make_sample_csv_says_that_its_files_are_synthetic(tmp_path):
    out = StringIO()
    call_command("make_sample_csv", tmp_path / "new", machines=1, sensors=5, seconds=0.1, stdout=out)
    assert "5 synthetic files" in out.getvalue()
    assert len(list((tmp_path / "new").iterdir())) == 5


@pytest.mark.django_db
def test_delete_recording_undoes_an_import():
    make_recording(100)
    kept = make_recording(100, sensor="sensor2")
    out = StringIO()
    call_command("delete_recording", "g1", "sensor1", "--no-input", stdout=out)
    assert out.getvalue() == "Deleted g1 / sensor1 / default with 100 samples.\n"
    assert list(Recording.objects.all()) == [kept]
    assert VibrationData.objects.count() == 100


@pytest.mark.django_db
def test_delete_recording_asks_and_takes_only_yes(monkeypatch):
    make_recording(100)
    monkeypatch.setattr(sys, "stdin", StringIO("y\n"))
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("delete_recording", "g1", "sensor1")
    with pytest.raises(CommandError, match="There is no recording g1 / sensor1 / other"):
        call_command("delete_recording", "g1", "sensor1", "other")
    assert Recording.objects.exists()
