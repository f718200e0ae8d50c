"""Three recordings of a rotor rig side by side: their pictures and tables of docs/real-recordings.md.

    python -m scripts.real_recordings FOLDER

FOLDER holds healthy.csv, unbalance.csv and looseness.csv. Their columns are understood as an import of captures
understands them, and the features are those that are stored with captures. What was measured is kept in
docs/images/real-recordings.json, of which the tables of the page are made in each language.
"""

import argparse
import json
import os
import re
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "unused-" * 8)

import django

django.setup()

from scripts.small_multiples import Panel, draw  # noqa: E402
from vibration.captures.understanding import Said, understand  # noqa: E402
from vibration.formats.applying import Signal  # noqa: E402
from vibration.formats.table import BadFile  # noqa: E402
from vibration.signals.features import features_of  # noqa: E402
from vibration.signals.orders import SECONDS_PER_MINUTE, ShaftSource, shaft_of  # noqa: E402
from vibration.signals.spectra import envelope_spectrum_of, spectrum_of  # noqa: E402
from vibration.signals.transform import centred, transform_of  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
STATES = ("healthy", "unbalance", "looseness")  # the files, without their ending; the first is what others are held to
STATED_RPM = 1238.0  # by who made them
SHOWN_S, SHOWN_HZ = 0.2, 150.0
MARKED_ORDERS = (1, 2, 3)
FEATURES = (
    *("rms", "peak", "crest_factor", "kurtosis", "order_1_0", "order_2_0", "order_3_0"),
    *("band_10_100", "band_100_1000", "band_1000_5000", "envelope_peak"),
)

Signals = dict[str, dict[str, Signal]]  # by state, then by sensor


@dataclass
class Measured:
    """What the tables show; by state, then by sensor."""

    shaft_hz: dict[str, dict[str, float | None]]  # None: no peak stands out near the stated speed
    speed_hz: dict[str, float]  # of each state, the median of what was found
    envelope_hz: dict[str, dict[str, float | None]]  # of the strongest swing; None: it does not stand out
    features: dict[str, dict[str, dict[str, float]]]  # of FEATURES, in the recordings' own unit


def read(folder: Path) -> Signals:
    """The signals of all files. Raises BadFile for one that can't be taken for captures of the same sensors."""
    signals: Signals = {}
    for state in STATES:
        path = folder / f"{state}.csv"
        found = understand(path, path.read_bytes(), Said())
        if found.problem:
            raise found.problem
        if found.doubts or not found.signals:
            raise BadFile(path, "; ".join(map(str, found.doubts)) or "it has no signal", "give the files as published")
        signals[state] = {it.axis: it for it in found.signals}
        if signals[state].keys() != signals[STATES[0]].keys():
            raise BadFile(path, f"it has other sensors than {STATES[0]}.csv", "give three files of one rig")
    return signals


def measure(signals: Signals) -> Measured:
    """The speed of each recording, found near the stated one, and the features by that speed."""
    shafts, speeds, swings, features = {}, {}, {}, {}
    for state, sensors in signals.items():
        shafts[state] = {name: found_shaft(it) for name, it in sensors.items()}
        found = [hz for hz in shafts[state].values() if hz is not None]
        speeds[state] = statistics.median(found) if found else STATED_RPM / SECONDS_PER_MINUTE
        rpm = speeds[state] * SECONDS_PER_MINUTE
        of = {name: features_of(it.values, it.sampling_hz, it.unit, rpm=rpm) for name, it in sensors.items()}
        swings[state] = {name: it.envelope_hz for name, it in of.items()}
        features[state] = {name: {it: getattr(found, it) for it in FEATURES} for name, found in of.items()}
    return Measured(shafts, speeds, swings, features)


def found_shaft(signal: Signal) -> float | None:
    """Hz of the peak within a tenth of the stated speed, if one stands out."""
    transform = transform_of(centred(signal.values)[0], signal.sampling_hz)
    shaft = shaft_of(transform, None, STATED_RPM)
    return shaft.hz if shaft.source == ShaftSource.FOUND else None


# --- Pictures


def pictures(signals: Signals, measured: Measured) -> dict[str, str]:
    """The text of each SVG file, by its name."""
    waveforms, spectra, envelopes = (_no_panels(signals) for _picture in range(3))
    for state, sensors in signals.items():
        marks = [order * measured.speed_hz[state] for order in MARKED_ORDERS]
        for name, signal in sensors.items():
            values = np.asarray(signal.values, np.float64)
            waveforms[name][state] = _waveform(values, signal.sampling_hz)
            for panels, of in ((spectra, spectrum_of), (envelopes, envelope_spectrum_of)):
                spectrum = of(values, signal.sampling_hz)
                shown = spectrum.frequency <= SHOWN_HZ
                panels[name][state] = Panel(spectrum.frequency[shown], spectrum.amplitude[shown, 0], marks)
    return {
        "real-waveforms.svg": draw(waveforms, title="Waveforms", unit="s", is_signed=True),
        "real-spectra.svg": draw(spectra, title="Spectra", unit="Hz"),
        "real-envelopes.svg": draw(envelopes, title="Spectra of the envelope", unit="Hz"),
    }


def _no_panels(signals: Signals) -> dict[str, dict[str, Panel]]:
    """By sensor, then by state, as they are drawn."""
    return {name: {} for name in signals[STATES[0]]}


def _waveform(values: np.ndarray, sampling_hz: float, buckets: int = 140) -> Panel:
    """The first SHOWN_S seconds less their mean, the least and the greatest value of each bucket."""
    deviations, _mean = centred(values)
    shown = deviations[: round(SHOWN_S * sampling_hz)]
    parts = np.array_split(shown, buckets)
    extremes = np.array([(it.min(), it.max()) for it in parts]).ravel()
    return Panel(np.linspace(0, len(shown) / sampling_hz, len(extremes)), extremes)


# --- Tables

WORDS = {
    "en": {
        "recording": "Recording",
        "feature": "Feature",
        "rms": "RMS",
        "peak": "peak",
        "crest_factor": "crest factor",
        "kurtosis": "kurtosis",
        "order": "amplitude at {}x",
        "band": "RMS {} to {} Hz",
        "envelope_peak": "strongest swing of the envelope",
        "none": "does not stand out",
    },
    "ko": {
        "recording": "녹화",
        "feature": "특징값",
        "rms": "RMS",
        "peak": "피크",
        "crest_factor": "파고율",
        "kurtosis": "첨도",
        "order": "{}x 진폭",
        "band": "{}~{} Hz RMS",
        "envelope_peak": "포락선의 가장 큰 변동",
        "none": "두드러지지 않음",
    },
}
PAGES = {"en": "docs/real-recordings.md", "ko": "docs/ko/real-recordings.md"}


def tables(measured: Measured, language: str) -> dict[str, str]:
    """The Markdown of each table, by the name that its place in the page has."""
    words, sensors = WORDS[language], list(measured.shaft_hz[STATES[0]])
    made = {}
    for name, found in (("speed", measured.shaft_hz), ("envelope", measured.envelope_hz)):
        rows = [
            [f"`{state}`", *(words["none"] if hz is None else f"{hz:.1f} Hz" for hz in of.values())]
            for state, of in found.items()
        ]
        made[name] = _table([words["recording"], *sensors], rows)
    healthy = measured.features[STATES[0]]
    for state in STATES[1:]:
        of = measured.features[state]
        rows = [
            [feature_name(name, words), *(f"{of[it][name] / healthy[it][name]:.2f}" for it in sensors)]
            for name in FEATURES
        ]
        made[state] = _table([words["feature"], *sensors], rows)
    return made


def feature_name(name: str, words: dict[str, str]) -> str:
    kind, *parts = name.split("_")
    if kind == "order":
        return words["order"].format(parts[0])
    if kind == "band":
        return words["band"].format(*(f"{int(it):,}" for it in parts))
    return words[name]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_tables(page: str, made: dict[str, str]) -> str:
    """The text of a page with these tables in their places."""
    for name, table in made.items():
        places = list(re.finditer(rf"(?<=<!-- {name} -->\n\n)(?:\|[^\n]*\n)*", page))
        if len(places) != 1:
            raise ValueError(f"the page has {len(places)} places for the table of {name}, not one")
        page = page[: places[0].start()] + table + page[places[0].end() :]
    return page


def write(folder: Path, root: Path = ROOT) -> Measured:
    """Pictures, measurements and tables of the files in a folder, into the documents below another."""
    signals = read(folder)
    measured = measure(signals)
    for name, text in pictures(signals, measured).items():
        (root / "docs" / "images" / name).write_text(text, encoding="utf-8")
    (root / "docs" / "images" / "real-recordings.json").write_text(json.dumps(asdict(measured), indent=1) + "\n")
    for language, page in PAGES.items():
        path = root / page
        path.write_text(with_tables(path.read_text(encoding="utf-8"), tables(measured, language)), encoding="utf-8")
    return measured


def main() -> None:
    parser = argparse.ArgumentParser("real_recordings", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where healthy.csv, unbalance.csv and looseness.csv are")
    try:
        write(parser.parse_args().folder)
    except (BadFile, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
