"""Each format gives the samples that were written, exactly, or says why not."""

import gzip
import io
from datetime import UTC, datetime

import h5py
import numpy as np
import polars as pl
import pytest
import scipy.io
from nptdms import ChannelObject, TdmsWriter

from vibration.formats import reading
from vibration.formats.reading import read_table
from vibration.formats.table import BadFile, kept
from vibration.tests.made_signals import lvm, noise, rows, times, wav, written

VALUES = noise()


def told(table) -> list[tuple]:
    return [(column.name, column.unit) for column in table.columns]


def refusal(path) -> str:
    with pytest.raises(BadFile) as error:
        read_table(path)
    return str(error.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_text_is_read_in_every_dialect(tmp_path, separator, decimal, encoding):
    if separator == decimal:
        return
    header = separator.join(["시간(s)", "x(g)", "y(g)", "z(g)"])
    text = "측정 장비 3\n\n" + header + "\n" + rows(times(60, 1000), VALUES, separator, decimal)
    table = read_table(written(tmp_path / "a.csv", text.replace("\n", "\r\n"), encoding))
    assert told(table) == [("시간", "s"), ("x", "g"), ("y", "g"), ("z", "g")]
    assert (np.column_stack([column.values for column in table.columns[1:]]) == VALUES).all()
    assert table.notes == ("측정 장비 3",)
    assert (table.separator, table.decimal) == (separator, decimal)
    assert table.place(0) == "line 4"


def test_numbers_are_the_doubles_that_python_reads(tmp_path):
    texts = ["0.1", "1e-7", "-1.7976931348623157e308", "4.9e-324", "123456789.123456789", "0.30000000000000004", "-0.0"]
    table = read_table(written(tmp_path / "a.csv", "x\n" + "\n".join(texts) + "\n"))
    values = table.columns[0].values
    assert values.tobytes() == np.array([float(text) for text in texts]).tobytes()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("ax (g)", ("ax", "g")),
        ("X[m/s²]", ("X", "m/s²")),
        ("accel_x m/s2", ("accel_x", "m/s2")),
        ("가속도 X (㎨)", ("가속도 X", "㎨")),
        ("sensor_1", ("sensor_1", "")),
        ("# x", ("x", "")),
        ('"x (g)"', ("x", "g")),
    ],
)
def test_a_name_is_read_with_its_unit(tmp_path, header, expected):
    table = read_table(written(tmp_path / "a.csv", f"{header},y\n1.5,2.5\n3.5,4.5\n"))
    assert told(table)[0] == expected


def test_a_row_of_units_stands_below_the_header(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "time,ax,temp\ns,[g],°C\n0.001,1,2\n0.002,3,4\n"))
    assert told(table) == [("time", "s"), ("ax", "g"), ("temp", "°C")]


def test_a_rate_stands_in_the_notes(tmp_path):
    for note, rate in (("Sampling rate: 25.6 kHz", 25_600), ("fs = 1000", 1000), ("샘플링 주파수(Hz);2048", 2048)):
        assert read_table(written(tmp_path / "a.csv", f"{note}\nx\n1.5\n2.5\n")).rate_hz == rate


def test_names_that_are_there_twice_or_missing_are_told_apart(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "x,x,,x\n1.5,2,3,4\n1.5,2,3,4\n"))
    assert [column.name for column in table.columns] == ["x", "x (2)", "column 3", "x (3)"]


def test_commas_within_quotes_are_decimal(tmp_path):
    table = read_table(written(tmp_path / "a.csv", 'x,y\n"0,5","1,25"\n"1,5","2,25"\n'))
    assert [column.values.tolist() for column in table.columns] == [[0.5, 1.5], [1.25, 2.25]]


def test_separators_at_the_ends_of_lines_make_no_column(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "x;y;\n1,5;2,5;\n3,5;4,5;\n"))
    assert [column.name for column in table.columns] == ["x", "y"]


def test_gzip_is_read_as_what_it_holds(tmp_path):
    text = "x,y,z,w\n" + rows(times(60, 1000), VALUES)
    path = written(tmp_path / "a.csv.gz", gzip.compress(text.encode()))
    assert (read_table(path).columns[1].values == VALUES[:, 0]).all()
    written(path, path.read_bytes()[:-20])
    assert refusal(path) == "the gzip data ends before its end mark: the file was cut off; copy it again"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x,y\n1.5,2\n3.5\n4.5,5\n", "line 3 has 1 column where the rows above have 2; repair the line, or remove it"),
        ("x,y\n1.5,2\n3.5,4\n4.", "line 4 has 1 column where the rows above have 2, and no line end: the file was cut "
         "off; copy it again, or remove the line"),
        ("x,y\n1.5,2.25\n3.5,4.75\n4.5,5.", "line 4 has no line end, and a shorter number than the lines above: the "
         "file was cut off; copy it again, or remove the line"),
        ("x\n1.5\n\n2.5\n", "line 3 is empty, between the rows of the only column; write the number that is missing, "
         "or remove the line"),
        ("", "it is empty; export it again"),
        ("Dear colleague,\nplease find attached\n", "no row of numbers is among its first 2 lines; export the signals "
         "as columns of numbers, separated by , ; | tabs or spaces"),
        (b"PK\x03\x04....", "this is an Excel workbook or a zip archive; export it as CSV, or unpack it"),
        (b"\x00\x01\x02\x03\xff", "it is neither text in UTF-8, UTF-16 or cp949 nor a format that is known; export it "
         "as CSV in UTF-8, or as WAV, Parquet, TDMS, MAT, HDF5 or .lvm"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_numbers_is_refused(tmp_path, text, reason):
    assert refusal(written(tmp_path / "a.csv", text)) == reason


def test_a_cell_that_is_no_number_is_found(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "x,y\n1.5,2\n\n2.5,x1\n3.5,4\n"))
    flaw = table.columns[1].flaw
    assert (table.place(flaw.row), flaw.text) == ("line 4", "x1")


def test_lvm_tells_start_unit_and_rate(tmp_path):
    table = read_table(written(tmp_path / "a.lvm", lvm(VALUES[:, :2], decimal=",")))
    assert told(table) == [("X_Value", "s"), ("Accel X", "g"), ("Accel Y", "g")]
    assert (table.columns[2].values == VALUES[:, 1]).all()
    assert table.started_at == datetime(2026, 3, 5, 13, 53, 29, 111_600)
    table = read_table(written(tmp_path / "a.lvm", lvm(VALUES[:, :2], x_columns="No")))
    assert told(table) == [("Accel X", "g"), ("Accel Y", "g")]
    assert table.rate_hz == 1000


def test_lvm_of_two_segments_or_fewer_rows_is_refused(tmp_path):
    text = lvm(VALUES[:, :2])
    again = text[text.index("Channels") :]
    assert "line 83 begins another segment" in refusal(written(tmp_path / "a.lvm", text + again))
    fewer = text[: text.rindex("\n", 0, -1) + 1]
    assert "its head tells 60 samples, and 59 rows follow" in refusal(written(tmp_path / "a.lvm", fewer))


@pytest.mark.parametrize(
    ("dtype", "bits", "scale"),
    [("<i2", 16, 2**-15), ("<i4", 24, 2**-23), ("<i4", 32, 2**-31), ("<f4", 32, None), ("<f8", 64, None)],
)
@pytest.mark.parametrize("is_extensible", [False, True])
def test_wav_is_read_exactly(tmp_path, dtype, bits, scale, is_extensible):
    data = (VALUES * 5000).astype(dtype)
    table = read_table(written(tmp_path / "a.wav", wav(data, 48_000, bits=bits, is_extensible=is_extensible)))
    assert table.rate_hz == 48_000
    for place, column in enumerate(table.columns):
        assert column.values.dtype == dtype
        assert (column.values == data[:, place]).all()
        assert column.scale == scale


def test_wav_is_what_scipy_writes(tmp_path):
    data = (VALUES * 5000).astype("<i2")
    scipy.io.wavfile.write(tmp_path / "a.wav", 51_200, data)
    assert (read_table(tmp_path / "a.wav").columns[2].values == data[:, 2]).all()


def test_parquet_is_read_exactly(tmp_path):
    stamps = pl.datetime_range(datetime(2026, 3, 5), datetime(2026, 3, 5, 0, 0, 1), "1ms", eager=True)[:60]
    frame = pl.DataFrame({"stamp": stamps, "ax (g)": VALUES[:, 0], "n": np.arange(60, dtype="i2"), "s": ["a"] * 60})
    frame.write_parquet(tmp_path / "a.parquet")
    stamp, ax, number, text = read_table(tmp_path / "a.parquet").columns
    assert stamp.text[1] == "2026-03-05T00:00:00.001000000"
    assert (ax.unit, ax.values.tobytes()) == ("g", VALUES[:, 0].copy().tobytes())
    assert number.values.dtype == np.int16
    assert text.values is None


def test_tdms_tells_step_start_unit_and_scale(tmp_path):
    about = {"wf_increment": 1 / 25_600, "wf_start_time": datetime(2026, 3, 5, 1, 2, 3, 500_000), "unit_string": "g"}
    scaled = {"NI_Number_Of_Scales": 1, "NI_Scaling_Status": "unscaled", "NI_Scale[0]_Scale_Type": "Linear"}
    scaled |= {"NI_Scale[0]_Linear_Slope": 0.25, "NI_Scale[0]_Linear_Y_Intercept": 0.0}
    scaled |= {"NI_Scale[0]_Linear_Input_Source": 0xFFFFFFFF}
    counts = (VALUES[:, 1] * 1000).astype("i2")
    file = io.BytesIO()
    with TdmsWriter(file) as writer:
        channels = [ChannelObject("g", "ax", VALUES[:, 0], about), ChannelObject("g", "ay", counts, about | scaled)]
        writer.write_segment(channels)
    path = written(tmp_path / "a.tdms", file.getvalue())
    ax, ay = read_table(path).columns
    assert (ax.values == VALUES[:, 0]).all()
    assert (ax.unit, ax.rate_hz, ax.started_at) == ("g", 25_600, datetime(2026, 3, 5, 1, 2, 3, 500_000, UTC))
    assert (ay.values.dtype, ay.scale) == (np.int16, 0.25)
    assert (ay.values == counts).all()
    assert "was cut off" in refusal(written(path, file.getvalue()[:-1]))


def test_mat_5_gives_vectors_and_the_rate(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"run": {"de": VALUES[:, :1], "fe": VALUES[:, 1], "fs": 12_000}})
    table = read_table(tmp_path / "a.mat")
    assert [column.name for column in table.columns] == ["de", "fe"]
    assert (table.columns[0].values == VALUES[:, 0]).all()
    assert table.rate_hz == 12_000
    written(tmp_path / "a.mat", (tmp_path / "a.mat").read_bytes()[:-9])
    assert "the MAT file is cut off or damaged" in refusal(tmp_path / "a.mat")


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">f8"])
def test_mat_5_is_what_scipy_writes(tmp_path, dtype, is_compressed):
    values = (10 * VALUES[:, :2] + (50 if dtype.startswith("u") else 0)).astype(dtype)
    arrays = {"run": {"de": values[:, 0], "in": {"fe": values[:, 1]}}, "of a cell": np.array([None], dtype=object)}
    arrays["of a cell"][0] = values[:5, 0]
    arrays |= {"both": values, "fs": 100.0, "note": "한글", "complex": values[:, 0] * 1j, "empty": np.zeros((0, 0))}
    scipy.io.savemat(tmp_path / "a.mat", arrays, do_compression=is_compressed, oned_as="column")
    table = read_table(tmp_path / "a.mat")
    found = {column.name: column.numbers.tolist() for column in table.columns if column.values is not None}
    columns = {"run.de": values[:, 0], "run.in.fe": values[:, 1], "of a cell": values[:5, 0]}
    columns |= {"both-1": values[:, 0], "both-2": values[:, 1]}
    assert found == {name: them.tolist() for name, them in columns.items()}
    assert table.rate_hz == 100
    assert "note: 한글" in table.notes


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_mat_file_with_any_wrong_byte_is_read_or_refused(tmp_path, is_compressed):
    """One wrong byte in the head of an array ended the process when scipy read it."""
    arrays = {"run": {"de": VALUES[:9, 0], "note": "abc"}, "cell": np.array(["a", 1], dtype=object)}
    scipy.io.savemat(tmp_path / "a.mat", arrays, do_compression=is_compressed)
    content = (tmp_path / "a.mat").read_bytes()
    refused = 0
    for place in range(124, len(content)):
        for byte in (0, content[place] ^ 1, content[place] ^ 8, 127, 255):
            damaged = content[:place] + bytes([byte]) + content[place + 1 :]
            try:
                reading.read_content(tmp_path / "a.mat", damaged)
            except BadFile:
                refused += 1
    assert refused > 100


@pytest.mark.parametrize("is_matlab", [False, True])
def test_hdf5_gives_datasets_units_and_the_rate(tmp_path, is_matlab):
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512 if is_matlab else 0) as file:
        dataset = file.create_dataset("run/acc", data=VALUES[:, :2].T.astype(">f4"))
        dataset.attrs["units"] = "m/s^2"
        file.create_dataset("run/fs", data=[[25_600.0]])
    if is_matlab:
        written(path, b"MATLAB 7.3 MAT-file, Platform: X".ljust(124) + b"\x00\x02IM" + path.read_bytes()[128:])
    table = read_table(path)
    assert told(table) == [("acc-1", "m/s^2"), ("acc-2", "m/s^2")]
    assert table.rate_hz == 25_600
    assert table.columns[1].values.dtype == np.float32
    assert (table.columns[1].values == VALUES[:, 1].astype("f4")).all()
    written(path, path.read_bytes()[:-100])
    assert "is cut off or damaged" in refusal(path)


@pytest.mark.parametrize("elsewhere", ["external", "virtual"])
def test_hdf5_is_not_led_to_other_files(tmp_path, elsewhere):
    """A file from outside may name any file of this machine as where its samples lie."""
    secret = written(tmp_path / "secret", b"12345678" * 8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        if elsewhere == "external":
            file.create_dataset("x", (8,), dtype="f8", external=[(str(secret), 0, 64)])
        else:
            layout = h5py.VirtualLayout((8,), dtype="f8")
            layout[:] = h5py.VirtualSource(str(secret), "x", shape=(8,))
            file.create_virtual_dataset("x", layout)
    assert refusal(tmp_path / "a.h5") == "the samples of x lie in another file; write all into one file"


def test_a_small_file_that_holds_much_is_refused_before_it_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (10**9,), dtype="f8", chunks=(1000,))
    much = "it holds 1,000,000,000 numbers, and at most 100,000,000 are read at once; split it into shorter files"
    assert refusal(tmp_path / "a.h5") == much
    path = written(tmp_path / "a.csv.gz", gzip.compress(b"x\n" + b"1\n" * (33 << 20), 1))
    assert refusal(path).startswith("it has more than 64 MB of text, which are read at once; split it into")


def test_a_small_file_does_not_hold_more_bytes_than_a_large_one(tmp_path):
    """Of few elements, each of many bytes or deep within others."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (1000,), dtype="S300000")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("x", (1000,), dtype=np.dtype([("a", "f8", (40_000,))]), chunks=(1,))
    scipy.io.savemat(tmp_path / "c.mat", {"run": {"x": np.zeros(34 << 20)}}, do_compression=True)
    pl.DataFrame({"x": np.zeros(34 << 20)}).write_parquet(tmp_path / "d.parquet")
    much = "it holds more than 256 MB of values, which are read at once; split it into shorter files"
    for name in ("a.h5", "b.h5", "c.mat", "d.parquet"):
        assert refusal(tmp_path / name) == much, name


def test_lists_in_parquet_are_left_unread(tmp_path):
    """One row may hold any number of values."""
    pl.DataFrame({"x": [1.5, 2.5], "many": [[1] * 9, [2]], "raw": [b"a", b"b"]}).write_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert [column.name for column in table.columns] == ["x", "many", "raw"]
    assert [column.values is None for column in table.columns] == [False, True, True]


def test_gzip_of_many_members_costs_what_it_is_long(tmp_path):
    """Taking each member off the rest of the file by a copy would take a minute here, and hours of 100 MB."""
    empty = gzip.compress(b"")
    path = written(tmp_path / "a.csv.gz", gzip.compress(b"x\n1.5\n") + 300_000 * empty + gzip.compress(b"2.5\n"))
    assert read_table(path).columns[0].values.tolist() == [1.5, 2.5]


def test_lvm_starts_at_its_first_sample_and_counts_from_there(tmp_path):
    text = lvm(VALUES[:, :2], x_columns="No").replace("X0\t0.0", "X0\t2.5")
    assert read_table(written(tmp_path / "a.lvm", text)).started_at == datetime(2026, 3, 5, 13, 53, 31, 611_600)
    text = lvm(VALUES[:, :2]).replace("Time_Pref\tRelative", "Time_Pref\tAbsolute")
    assert refusal(written(tmp_path / "a.lvm", text)) == (
        "its times count from 1904 (Time_Pref Absolute); write them relative to the start"
    )


def test_long_names_and_many_columns_cost_little(tmp_path):
    name = "a" + " " * 50_000 + "b"
    assert read_table(written(tmp_path / "a.csv", f"{name},y\n1.5,2\n2.5,3\n")).columns[0].name == "a"
    assert refusal(written(tmp_path / "a.csv", ("1.5," * 5_000 + "1\n") * 2)).startswith("it has 5,001 columns")


def test_a_format_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "find_spec", lambda package: None)
    assert refusal(written(tmp_path / "a.tdms", b"TDSm....")) == (
        "this is a TDMS file, and the package nptdms, which reads it, is not installed; "
        "run pip install -c constraints.txt -r requirements-formats.txt"
    )


def test_whole_numbers_keep_their_values_in_the_narrowest_dtype():
    assert kept(np.array([1, -2], dtype=np.int8)).dtype == np.int16
    assert kept(np.array([40_000], dtype=np.uint16)).dtype == np.int32
    assert kept(np.array([2**40], dtype=np.int64)).dtype == np.float64
    assert kept(np.array([2**53 + 1], dtype=np.int64)) is None
    assert kept(np.array([1.5], dtype=np.float16)).dtype == np.float32
    assert kept(np.array([1j])) is None
