"""The page of three real recordings has what was measured; what measures it takes others of their shape, too."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from scripts.real_recordings import FEATURES, PAGES, STATES, Measured, main, measure, read, tables, with_tables, write
from vibration.formats.table import BadFile

ROOT = Path(settings.BASE_DIR)
IMAGES = "docs/images"
RATE_HZ, SHAFT_HZ = 25_000, 21.65
ONCE = {"healthy": 0.002, "unbalance": 0.02, "looseness": 0.006}  # amplitude at 1x
PICTURES = {"real-waveforms.svg", "real-spectra.svg", "real-envelopes.svg"}


def write_recording(path: Path, once: float, seed: int) -> None:
    """A second of four sensors, whose noise is less than the 1x of each state."""
    time = np.arange(RATE_HZ) / RATE_HZ
    noise = 0.002 * np.random.default_rng(seed).standard_normal((RATE_HZ, 4))
    values = once * np.sin(2 * np.pi * SHAFT_HZ * time)[:, None] + noise
    rows = [f"{at:.8f},{','.join(f'{it:.9g}' for it in row)}" for at, row in zip(time, values, strict=True)]
    path.write_text("\n".join(["timestamp,sensor_1,sensor_2,sensor_3,sensor_4", *rows, ""]))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    for seed, (state, once) in enumerate(ONCE.items()):
        write_recording(folder / f"{state}.csv", once, seed)
    return folder


@pytest.fixture
def documents(tmp_path) -> Path:
    """A folder with the pages of the project in it, and no picture."""
    for page in PAGES.values():
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / page).write_text((ROOT / page).read_text("utf-8"), "utf-8")
    (tmp_path / IMAGES).mkdir()
    return tmp_path


def test_speed_and_ratios_are_those_that_were_made(made):
    measured = measure(read(made))
    for state, once in ONCE.items():
        assert list(measured.shaft_hz[state].values()) == pytest.approx([SHAFT_HZ] * 4, abs=0.05)
        of = [it["order_1_0"] for it in measured.features[state].values()]
        assert of == pytest.approx([once] * 4, rel=0.05)


def test_pictures_measurements_and_tables_are_written(made, documents):
    measured = write(made, documents)
    pictures = {path.name: path.read_text("utf-8") for path in (documents / IMAGES).glob("*.svg")}
    assert pictures.keys() == PICTURES
    for text in pictures.values():
        assert text.count("<polyline ") == len(STATES) * 4
        assert "nan" not in text
    for page in PAGES.values():
        text = (documents / page).read_text("utf-8")
        assert "| 10.0" in text or "| 9.9" in text  # of 1x with the unbalance
        assert text != (ROOT / page).read_text("utf-8")
    kept = Measured(**json.loads((documents / IMAGES / "real-recordings.json").read_text()))
    assert kept == measured


@pytest.mark.parametrize("language", PAGES)
def test_the_tables_of_the_page_are_those_of_what_was_measured(language):
    measured = Measured(**json.loads((ROOT / IMAGES / "real-recordings.json").read_text()))
    assert measured.features.keys() == set(STATES)
    assert measured.features["healthy"]["sensor_1"].keys() == set(FEATURES)
    text = (ROOT / PAGES[language]).read_text("utf-8")
    assert with_tables(text, tables(measured, language)) == text


@pytest.mark.parametrize("page", PAGES.values())
def test_the_ranges_that_the_page_speaks_of_are_those_of_its_tables(page):
    """Of RMS, of 1x and 3x, the least and the greatest of the four sensors."""
    measured = Measured(**json.loads((ROOT / IMAGES / "real-recordings.json").read_text()))
    text = (ROOT / page).read_text("utf-8")
    for name, decimals in (("rms", 2), ("order_1_0", 1), ("order_3_0", 1)):
        for state in STATES[1:]:
            of = measured.features
            ratios = [of[state][it][name] / of["healthy"][it][name] for it in of[state]]
            ends = [f"{end:.{decimals}f}" for end in (min(ratios), max(ratios))]
            assert re.search(rf"{ends[0]}(?: to |~){ends[1]}", text), (name, state, ends)


def test_the_pictures_of_the_page_are_light_and_its_source_is_named():
    files = [ROOT / IMAGES / name for name in (*PICTURES, "real-recordings.json")]
    assert sum(path.stat().st_size for path in files) < 300_000
    for page in PAGES.values():
        text = (ROOT / page).read_text("utf-8")
        assert all(name in text for name in (*PICTURES, "L. C. Brito", "zx8pfhdtnb", "CC BY 4.0"))


def test_a_file_that_is_no_such_recording_is_refused_with_its_name(made, tmp_path, monkeypatch):
    for state in STATES:
        (tmp_path / f"{state}.csv").write_bytes((made / f"{state}.csv").read_bytes())
    other = (made / "healthy.csv").read_text().replace("sensor_4", "sensor_5", 1)
    (tmp_path / "looseness.csv").write_text(other)
    with pytest.raises(BadFile, match=r"looseness\.csv.*other sensors than healthy\.csv"):
        read(tmp_path)
    (tmp_path / "unbalance.csv").unlink()
    monkeypatch.setattr("sys.argv", ["real_recordings", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"unbalance\.csv"):
        main()
