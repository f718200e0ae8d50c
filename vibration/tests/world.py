"""The small world that the tests speak of: files and recordings of g1 / sensor1."""

import gzip
from pathlib import Path

import numpy as np

from vibration.files.importing import Options, Report, import_file
from vibration.files.paths import open_file
from vibration.models import Recording, VibrationData, VibrationRollup
from vibration.numbers.buckets import FACTOR, LEVELS, Buckets, coarsen, summarise
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.storage.rollups import read_buckets, read_level
from vibration.storage.tails import roll_up
from vibration.storage.writing import open_recording, write_samples

# The first five rows of KAMP's g1_sensor1.csv and the last, as they stand there.
KAMP_ROWS = """\
0,-0.853307,-3.464579,0.5552186,3.919664
0.000736,-0.740463,-2.448986,-0.234687,4.145351
0.001472,-0.13863,-1.922383,-0.009,2.941685
0.002208,0.0494426,-0.90679,-0.272301,2.603155
0.002944,-0.289088,-0.568259,-0.986978,1.361874
139.999712,-0.441677,-2.245376,1.333480,-2.184656
"""


def write_csv(path: Path, text: str | bytes) -> Path:
    """A file with this content; compressed when the name ends in .gz."""
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def import_csv(path: Path, options: Options, **more) -> Report:
    """Import a file as the command does."""
    with open_file(path, follow=True) as stream:
        return import_file(stream, path, options, **more)


def make_samples(count: int, *, step: float = 0.001, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Times and values as a file would hold them, rounded to a few decimals."""
    random = np.random.default_rng(seed)
    return np.round(np.arange(count) * step, 6), np.round(random.normal(0, 2, (count, len(STATES))), 6)


def make_recording(count: int, *, machine: str = "g1", sensor: str = "sensor1", **more) -> Recording:
    """A recording of `count` samples at 1 kHz, written as the importer does."""
    recording = open_recording(machine, sensor)
    if count:
        write_samples(recording, Samples(*make_samples(count, **more)))
    recording.refresh_from_db()
    return recording


def as_csv(time: np.ndarray, values: np.ndarray) -> str:
    return "".join(f"{t!r},{','.join(map(repr, row))}\n" for t, row in zip(time.tolist(), values.tolist(), strict=True))


def stored_rows() -> list[tuple]:
    """Every sample in the database, with the name of its recording instead of a number."""
    place = ("recording__sensor__machine__name", "recording__sensor__sensor_no", "recording__name")
    fields = [*place, "measured_time", "collected_at", *STATES]
    return list(VibrationData.objects.order_by(*place, "measured_time").values_list(*fields))


def stored_rollups() -> list[tuple]:
    """Every rollup row that there is once all tails are rolled up, likewise."""
    for recording in Recording.objects.exclude(tail_from=None):
        roll_up(recording)
        recording.save()
    place = ("recording__sensor__machine__name", "recording__sensor__sensor_no", "recording__name")
    numbers = [field.name for field in VibrationRollup._meta.concrete_fields if field.name != "recording"]
    return list(VibrationRollup.objects.order_by(*place, "level", "bucket").values_list(*place, *numbers))


def assert_rollups_fit(recording: Recording, samples: Samples) -> None:
    """The rollups are, bit for bit, those of the samples before the tail; whoever reads gets those of all samples.

    `samples` are all that there ever were, in order of time.
    """
    whole = summarise(samples, recording.rollup_exponent)
    tail_from = whole.index[-1] + 1 if recording.tail_from is None else recording.tail_from
    rolled = whole.part(0, int(np.searchsorted(whole.index, tail_from)))
    assert recording.tail_count == whole.count.sum() - rolled.count.sum()
    for level in range(LEVELS):
        kept = read_buckets(VibrationRollup.objects.of(recording, level))
        for name in Buckets.__dataclass_fields__:
            assert getattr(kept, name).tobytes() == getattr(rolled, name).tobytes(), (level, name)
        read = read_level(recording, level, int(whole.index[0]), int(whole.index[-1]))
        for name in ("index", "count", "minimum", "maximum"):
            assert getattr(read, name).tobytes() == getattr(whole, name).tobytes(), (level, name)
        for name in ("total", "squares"):  # a bucket that has samples in both is added up in another order
            np.testing.assert_allclose(getattr(read, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
        rolled, whole = coarsen(rolled, FACTOR) if len(rolled) else rolled, coarsen(whole, FACTOR)
