"""Files of signals become captures: stored exactly, once, with their features; or refused with a true reason."""

import gzip
import io
import os
import struct
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from machines.models import Machine, PostConflict
from vibration.captures.importing import CaptureOptions, import_capture_file, new_captures
from vibration.captures.incoming import wrong_with
from vibration.captures.naming import CaptureNaming
from vibration.captures.reading import raw_samples, samples_of
from vibration.captures.understanding import Said, understand
from vibration.files.importing import Bounds, ImportedBefore, NotRegistered, OverBounds
from vibration.files.name_patterns import OF_CAPTURES, BadPattern, NamePattern
from vibration.files.names import BadName
from vibration.files.paths import open_file
from vibration.formats.mapping import Axis, Mapping
from vibration.formats.table import BadFile
from vibration.models import Capture, CaptureFeatures, ImportRun
from vibration.signals.codec import scaled

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 3, tzinfo=UTC)
RATE = 1_000.0


def signals(count: int = 500, seed: int = 1) -> np.ndarray:
    """(count, 3), with few enough digits to be written whole."""
    return np.random.default_rng(seed).normal(size=(count, 3)).round(6)


def csv_text(values: np.ndarray, head: str = "time (s),x (g),y (g),z (g)", first: int = 0) -> str:
    rows = [f"{(first + row) / RATE:.3f}," + ",".join(map(repr, them)) for row, them in enumerate(values.tolist())]
    return "\n".join([head, *rows]) + "\n"


@pytest.fixture
def a_file(tmp_path):
    def write(text: str | bytes | None = None, name: str = "pump3_de.csv") -> Path:
        path = tmp_path / name
        text = csv_text(signals()) if text is None else text
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def take(path: Path, **more):
    said = {name: more.pop(name) for name in list(more) if name in Said.__dataclass_fields__}
    naming = more.pop("naming", CaptureNaming())
    calls = {name: more.pop(name) for name in ("on_understood", "on_progress", "rejects", "bounds") if name in more}
    options = CaptureOptions(naming=naming, said=Said(**{"started_at": START} | said), **more)
    with open_file(path, follow=True) as stream:
        return import_capture_file(stream, path, options, **calls)


def counts(report) -> tuple[int, ...]:
    run = report.run
    return run.new, run.identical, run.conflicting, run.rejected


def test_the_axes_of_a_file_are_stored_exactly_with_their_features(a_file):
    report = take(a_file())
    assert (counts(report), report.run.outcome, report.run.kind) == ((3, 0, 0, 0), "complete", "captures")
    assert report.run.place == "pump3 / de"
    for column, axis in enumerate("xyz"):
        capture = Capture.objects.get(axis=axis)
        assert (samples_of(capture) == signals()[:, column]).all()
        assert (capture.started_at, capture.sampling_hz, capture.unit) == (START, RATE, "g")
        assert capture.source == "pump3_de.csv"
    assert CaptureFeatures.objects.count() == 3


def test_the_same_again_is_identical_and_other_samples_conflict(a_file):
    take(a_file())
    assert counts(take(a_file())) == (0, 3, 0, 0)
    others = signals()
    others[7, 1] += 0.5
    report = take(a_file(csv_text(others)))
    assert (counts(report), report.run.outcome) == ((0, 2, 1, 0), "problems")
    [problem] = report.problems
    assert "y at 2026-11-20T12:00:00+09:00: conflicting: not stored: another one is stored" in problem
    assert "(its samples are others)" in problem
    [problem] = take(a_file(csv_text(signals(400)[:, :1], "time (s),x (g)"))).problems
    assert "(500 samples, here 400 samples)" in problem


def test_another_unit_or_speed_is_another_capture(a_file):
    take(a_file())
    [problem, *_others] = take(a_file(), rpm=1_500.0).problems
    assert "(speed unknown, here speed 1500.0 rpm)" in problem
    [problem, *_others] = take(a_file(csv_text(signals(), "time (s),x,y,z"))).problems
    assert "(unit g, here unit unknown)" in problem


def test_a_file_imported_before_is_passed_over_where_once_is_enough(a_file):
    take(a_file())
    with pytest.raises(ImportedBefore):
        take(a_file(), once=True)
    assert counts(take(a_file(csv_text(signals(seed=2))), once=True)) == (0, 0, 3, 0)
    assert counts(take(a_file(), once=True, naming=CaptureNaming(sensor="nde"))) == (3, 0, 0, 0)


def test_an_unknown_machine_is_refused_where_it_may_not_be_registered(a_file):
    with pytest.raises(NotRegistered):
        take(a_file(), registered_by=None)
    assert not Machine.objects.exists() and not ImportRun.objects.exists()


def test_without_a_start_nothing_is_stored_and_what_to_say_is_told(a_file):
    report = take(a_file(), started_at=None)
    assert (report.run.outcome, counts(report)) == ("failed", (0, 0, 0, 0))
    assert "nothing tells when it begins" in report.run.message and "--started-at" in report.run.message
    assert not Capture.objects.exists()


def test_the_time_of_change_is_the_start_only_when_asked_for(a_file):
    path = a_file()
    os.utime(path, ns=(0, 1_795_000_000_123_456_789))
    report = take(path, started_at=None, start_from_mtime=True)
    assert report.run.outcome == "complete"
    start = datetime(2026, 11, 18, 11, 6, 40, 123456, tzinfo=UTC)
    assert set(Capture.objects.values_list("started_at", flat=True)) == {start}


def test_the_start_of_a_name_is_taken_and_is_plant_time(a_file):
    report = take(a_file(name="pump3_de_20261120_120000.csv"), started_at=None)
    assert report.run.place == "pump3 / de"
    assert set(Capture.objects.values_list("started_at", flat=True)) == {START}
    assert report.newest_local == START


def test_stamps_tell_the_start_and_nothing_may_be_said_beside(a_file):
    stamps = [(START + timedelta(milliseconds=row)).isoformat() for row in range(500)]
    text = "time,x (g)\n" + "".join(f"{at},{x!r}\n" for at, x in zip(stamps, signals()[:, 0].tolist(), strict=True))
    report = take(a_file(text))
    assert (report.run.outcome, "leave out --started-at" in report.run.message) == ("failed", True)
    assert counts(take(a_file(text), started_at=None)) == (1, 0, 0, 0)
    assert Capture.objects.get().started_at == START


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("x (g),y (g)\n1,2\n3,4\n5,6\n", {}, "nothing tells the sampling rate"),
        ("time (s),x (bar)\n0.000,1\n0.001,2\n0.002,4\n", {}, "which is none of m/s2, g, mm/s; say --unit"),
        ("time (s),x (g)\n0.000,1\n0.001,2\n0.001,4\n", {}, "the time 'time' repeats"),
        ("time (s),x (g)\n0.000,1\n0.001,nan\n0.002,4\n", {}, "line 3: 'x' is 'nan', not a number"),
        ("time_s,normal,unbalance\n0.000,1,2\n0.001,2,3\n0.002,4,5\n", {}, "import it with import_vibration"),
        ("x (g),y (g)\n1,2\n3,4\n5,6\n", {"rate_hz": 100.0, "axes": ("x",)}, "2 of its columns are axes"),
        (b"PK\x03\x04", {}, "this is an Excel workbook"),
        ("time (s),x (g)\n0.000,1\n0.001,2\n0.002,4\n", {"mapping": Mapping((Axis("a", "x"),))}, "no column 'a'"),
    ],
)
def test_what_is_no_capture_is_refused_with_its_reason_and_leaves_nothing(a_file, text, more, message):
    report = take(a_file(text), **more)
    assert report.run.outcome == "failed" and message in report.run.message
    assert not Capture.objects.exists() and not Machine.objects.exists()


def test_a_start_in_the_future_is_refused_and_nothing_of_the_file_is_stored(a_file):
    report = take(a_file(), started_at=timezone.now() + timedelta(hours=2))
    assert (report.run.outcome, counts(report)) == ("stopped", (0, 0, 0, 3))
    assert "is more than an hour in the future" in report.problems[0]
    assert not Capture.objects.exists()


def test_flat_clipped_and_gappy_captures_are_stored_and_told(a_file):
    values = signals(600)
    values[:, 0] = 1.0
    values[:, 1] = np.clip(np.sin(np.arange(600) / 20), -0.5, 0.5).round(6)
    text = csv_text(values[:300]) + csv_text(values[300:], first=400).partition("\n")[2]
    report = take(a_file(text))
    assert (counts(report), report.run.outcome) == ((6, 0, 0, 0), "complete")
    told = list(map(str, report.notes))
    assert "x: 2 of 2 captures: all samples are alike: a dead or disconnected sensor?" in told
    assert "y: 2 of 2 captures: the samples are cut off at an end of the range" in told
    assert "z: 2 of 2 captures: the times have a gap right before or behind" in told
    assert set(Capture.objects.values_list("started_at", flat=True)) == {START, START + timedelta(milliseconds=400)}


def wav(values: np.ndarray, rate: int = 8_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(values.astype("<i2").tobytes())
    return file.getvalue()


def test_whole_numbers_stay_whole_and_keep_their_scale(a_file):
    values = np.arange(-500, 500, dtype=np.int16)
    assert counts(take(a_file(wav(values), "pump3_de.wav"), axes=("z",), unit="g")) == (1, 0, 0, 0)
    capture = Capture.objects.get()
    assert (raw_samples(capture).dtype, capture.scale, capture.axis) == (np.int16, 2.0**-15, "z")
    assert (samples_of(capture) == values / 2**15).all()


def test_wide_whole_numbers_become_doubles_of_the_same_value(a_file):
    wide = np.array([-(2**31), 2**31 - 1, 123_456_789, -1], dtype="<i4")
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + wide.nbytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8_000,
        32_000,
        4,
        32,
        b"data",
        wide.nbytes,
    )
    assert counts(take(a_file(head + wide.tobytes(), "pump3_de.wav"))) == (1, 0, 0, 0)
    assert (samples_of(Capture.objects.get()) == wide.astype(float) * 2.0**-31).all()


def test_whole_numbers_of_a_text_are_worth_themselves(a_file):
    assert counts(take(a_file("x (g)\n" + "\n".join(map(str, range(-50, 50))) + "\n"), rate_hz=100.0)) == (1, 0, 0, 0)
    assert (samples_of(Capture.objects.get()) == np.arange(-50, 50)).all()


def test_gzip_and_cutting_into_seconds(a_file):
    path = a_file(gzip.compress(csv_text(signals(2_500)).encode()), "pump3_de.csv.gz")
    assert counts(take(path, split_s=1.0)) == (9, 0, 0, 0)
    assert list(Capture.objects.filter(axis="x").order_by("started_at").values_list("count", flat=True)) == [
        1_000,
        1_000,
        500,
    ]


def test_an_import_that_is_broken_off_is_completed_by_the_next(a_file, monkeypatch):
    monkeypatch.setattr("vibration.captures.importing.BATCH_SAMPLES", 1_000)

    def interrupt(report, done, of):
        if done:
            raise KeyboardInterrupt

    path = a_file(csv_text(signals(2_500)))
    with pytest.raises(KeyboardInterrupt):
        take(path, split_s=1.0, on_progress=interrupt)
    run = ImportRun.objects.get()
    assert (run.outcome, run.new, Capture.objects.count()) == ("interrupted", 1, 1)
    assert counts(take(path, split_s=1.0)) == (8, 1, 0, 0)


def test_a_file_that_takes_too_long_is_left_between_two_captures(a_file, monkeypatch):
    monkeypatch.setattr("vibration.captures.importing.BATCH_SAMPLES", 1_000)

    class Bounded(Bounds):
        def check(self, content_bytes, seconds):
            if Capture.objects.count() == 2:
                raise OverBounds("it takes longer than 30 s")

    report = take(a_file(csv_text(signals(2_500))), split_s=1.0, bounds=Bounded())
    assert (report.run.outcome, report.is_over_bounds, counts(report)) == ("failed", True, (2, 0, 0, 0))
    assert report.run.message == "it takes longer than 30 s; 2 of its captures are stored"


def test_a_file_that_holds_more_than_its_bounds_is_not_read(a_file):
    report = take(a_file(gzip.compress(b"0" * 5_000_000), "pump3_de.csv.gz"), bounds=Bounds(content_bytes=1_000_000))
    assert (report.run.outcome, report.is_over_bounds) == ("failed", True)
    assert "it holds more than 1,000,000 bytes, decompressed" in report.run.message


def test_conflicts_of_a_file_are_noted_for_people(a_file):
    take(a_file(), started_by="kim")
    take(a_file(csv_text(signals(seed=2))), started_by="kim")
    noted = PostConflict.objects.get()
    assert (noted.machine.name, noted.poster, noted.rows) == ("pump3", "kim", 3)


_NAMES = st.sampled_from(["x", "y (g)", "acc_z", "z[m/s²]", "rpm", "Temp", "label", "no", "radial", "", "time (s)"])
_NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda it: round(it, 4))


@settings(max_examples=150)
@given(
    names=st.lists(_NAMES, min_size=1, max_size=6),
    rows=st.integers(3, 40),
    data=st.data(),
    form=st.sampled_from([(",", "."), (";", ","), ("\t", "."), (";", ".")]),
    has_header=st.booleans(),
    split_s=st.none() | st.sampled_from([0.005, 0.01]),
)
def test_whatever_is_guessed_what_was_shown_is_what_becomes_a_capture(names, rows, data, form, has_header, split_s):
    separator, decimal = form
    columns = data.draw(st.lists(st.lists(_NUMBERS, min_size=rows, max_size=rows), min_size=len(names), max_size=6))
    columns = columns[: len(names)]
    lines = [separator.join(names)] if has_header else []
    for row in range(rows):
        cells = [f"{row / RATE:.3f}", *(repr(column[row]) for column in columns)]
        lines.append(separator.join(cells).replace(".", decimal))
    if has_header:
        lines[0] = "t (s)" + separator + lines[0]
    said = Said(started_at=START, split_s=split_s)
    try:
        found = understand(Path("pump3_de.csv"), "\n".join([*lines, ""]).encode(), said)
    except BadFile as error:
        assert error.reason and error.advice
        return
    shown = found.preview()
    place = CaptureNaming().place_of(found.path)
    if not found.is_storable:
        with pytest.raises(BadFile):
            new_captures(found, place)
        return
    made = {(it.axis, it.started_at.isoformat()): it for it in new_captures(found, place)}
    assert len(made) == len(shown)
    for it in shown:
        capture = made[it["axis"], it["started_at"]]
        assert (capture.unit, capture.sampling_hz, len(capture.values)) == (it["unit"], it["sampling_hz"], it["count"])
        values = scaled(capture.values, capture.scale)
        assert values[:5].tolist() == [float(number) * (it["scale"] or 1) for number in it["first"]]
        assert {field for field, _message in wrong_with(capture)} <= ({"rpm"} if (it["rpm"] or 1) < 0 else set())


def test_a_machine_that_stands_has_no_speed(a_file):
    rows = [f"{row / RATE:.3f},{row % 7},0" for row in range(100)]
    report = take(a_file("time (s),x (g),rpm\n" + "\n".join([*rows, ""])))
    assert (counts(report), Capture.objects.get().rpm) == ((1, 0, 0, 0), None)
    assert list(map(str, report.notes)) == ["the speed of 1 of 1 captures is 0: they are stored without one"]


def test_a_capture_whose_data_are_too_long_is_left_out_and_the_others_stay(a_file, monkeypatch):
    monkeypatch.setattr("vibration.captures.storing.MAX_BYTES", 1_000)
    values = signals()
    values[:, 1] = np.arange(500)
    report = take(a_file(csv_text(values)), skip_bad=True)
    assert (counts(report), report.run.outcome) == ((1, 0, 0, 2), "problems")
    assert "even when compressed" in report.problems[0]
    assert Capture.objects.get().axis == "y"


def test_what_was_shown_is_what_is_stored(a_file):
    shown = []
    take(a_file(), on_understood=lambda found: shown.extend(found.preview()))
    for it in shown:
        capture = Capture.objects.get(axis=it["axis"])
        assert it["first"] == samples_of(capture)[:5].tolist()
        assert (it["count"], it["unit"], it["sampling_hz"]) == (capture.count, capture.unit, capture.sampling_hz)
        assert datetime.fromisoformat(it["started_at"]) == capture.started_at


def test_what_a_person_takes_to_answer_is_no_time_of_the_import(a_file, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("vibration.captures.importing.clock.monotonic", lambda: now[0])
    report = take(a_file(), on_understood=lambda found: now.__setitem__(0, 3_600.0))
    assert report.run.seconds == 0.0


def test_each_column_is_told_with_its_use_and_why():
    text = b"time (s),x (g),rpm,label\n0.000,1,1500,a\n0.001,2,1500,a\n0.002,4,1500,a\n"
    found = understand(Path("pump3_de.csv"), text, Said())
    uses = [(it.column, it.use, it.axis, it.unit) for it in found.columns]
    axis = ("x", "axis", "x", "g")
    assert uses == [("time", "time", "", None), axis, ("rpm", "speed", "", None), ("label", "left out", "", None)]
    assert found.needs_start and not found.is_storable
    assert "'x' is the axis x, by its name" in map(str, found.columns[1].reasons)
    assert understand(Path("a.csv"), text, Said(rpm=1_480.0)).signals[0].rpm == 1_480.0
    assert found.signals[0].rpm == 1_500.0


def naming(pattern: str | None = None, **said) -> CaptureNaming:
    return CaptureNaming(**said, pattern=pattern and NamePattern(pattern, OF_CAPTURES))


@pytest.mark.parametrize(
    ("name", "pattern", "said", "expected"),
    [
        ("pump3_de.wav", None, {}, ("pump3", "de", None, None)),
        ("line_2_pump_de.tdms", None, {}, ("line_2_pump", "de", None, None)),
        ("pump3_de_20261120_120000.txt.gz", None, {}, ("pump3", "de", None, START)),
        ("20261120T030000Z.lvm", None, {"machine": "p", "sensor": "s"}, ("p", "s", None, START)),
        ("pump3_de_x_20261120_1200.h5", "{machine}_{sensor}_{axis}_{start}", {}, ("pump3", "de", "x", START)),
        ("z of pump3.csv", "{axis} of {machine}", {"sensor": "s"}, ("pump3", "s", "z", None)),
    ],
)
def test_a_name_tells_machine_sensor_axis_and_start(name, pattern, said, expected):
    place = naming(pattern, **said).place_of(Path(name))
    assert (place.machine, place.sensor, place.axis, place.started_at) == expected


@pytest.mark.parametrize(
    ("name", "pattern", "message"),
    [
        ("pump3.wav", "{machine}_{sensor}", "the name is not like"),
        ("pump.wav", None, "the name is not <machine>_<sensor>"),
        ("pump_20261120_120000_de.wav", None, "say --name-pattern '{machine}_{sensor}_{start}'"),
        ("pump_de_20261120_120000_001.wav", None, "is a time stamp, not a machine"),
        ("pump_de_" + "x" * 30 + ".wav", "{machine}_{sensor}_{axis}", "at most 20 are allowed"),
    ],
)
def test_a_name_that_does_not_tell_it_is_refused(name, pattern, message):
    with pytest.raises(BadName) as error:
        naming(pattern).place_of(Path(name))
    assert message in str(error.value)


@pytest.mark.parametrize("pattern", ["{machine}_{recording}", "{machine}_{axis}", "{machine}_{sensor}.wav"])
def test_a_pattern_of_captures_has_their_placeholders_alone(pattern):
    with pytest.raises(BadPattern):
        naming(pattern)
