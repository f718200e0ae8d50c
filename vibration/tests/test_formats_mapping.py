"""A mapping is guessed with its reasons, kept as JSON, and gives what it showed."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibration.formats.applying import MAX_SAMPLES, apply, preview
from vibration.formats.guessing import guess
from vibration.formats.mapping import Axis, BadMapping, Mapping, from_json
from vibration.formats.reading import read_table
from vibration.formats.table import BadFile, Column, Table
from vibration.tests.made_signals import noise, rows, times, wav, written

VALUES = noise()


def signals_of(path, **said):
    table = read_table(path)
    found = guess(table, **said)
    assert found.doubts == (), list(map(str, found.doubts))
    return apply(table, found.mapping)


def doubts_of(path, **said) -> list[str]:
    return list(map(str, guess(read_table(path), **said).doubts))


def refusal(table, mapping, **options) -> str:
    with pytest.raises(BadFile) as error:
        apply(table, mapping, **options)
    return str(error.value).removeprefix(f"{table.path}: ")


def table_of(tmp_path, time: list[str], header: str = "time,x,y,z") -> Table:
    return read_table(written(tmp_path / "a.csv", header + "\n" + rows(time, noise(len(time)))))


XYZ = Mapping(time="s", time_column="time", axes=tuple(Axis(name, name) for name in "xyz"))


def test_four_sensors_at_25_khz_need_their_header_only(tmp_path):
    values = noise(2_500, 4)
    text = "timestamp,sensor_1,sensor_2,sensor_3,sensor_4\n" + rows(times(2_500, 25_000), values)
    signals = signals_of(written(tmp_path / "healthy.csv", text))
    assert [signal.axis for signal in signals] == ["sensor_1", "sensor_2", "sensor_3", "sensor_4"]
    assert {signal.sampling_hz for signal in signals} == {25_000.0}
    assert {signal.unit for signal in signals} == {""}
    assert (np.column_stack([signal.values for signal in signals]) == values).all()


def test_a_header_below_a_note_has_milliseconds_and_a_temperature(tmp_path):
    text = "# made by a logger\ntime_ms,temp,x,y,z\n" + rows([f"{it},41.5" for it in range(60)], VALUES)
    path = written(tmp_path / "c01.csv", text)
    signals = signals_of(path)
    assert [(signal.axis, signal.sampling_hz) for signal in signals] == [("x", 1000), ("y", 1000), ("z", 1000)]
    assert guess(read_table(path)).mapping.left_out == ("temp",)


def test_epoch_seconds_without_a_header_tell_rate_and_start(tmp_path):
    time = [f"1772668800.{it:03d}" for it in range(60)]
    signals = signals_of(written(tmp_path / "c03.csv", rows(time, VALUES)))
    assert [signal.axis for signal in signals] == ["ch1", "ch2", "ch3"]
    assert {signal.sampling_hz for signal in signals} == {1000.0}
    assert signals[0].started_at == datetime(2026, 3, 5, tzinfo=UTC)


def test_three_axes_without_units_are_stored_as_unknown(tmp_path):
    found = guess(table_of(tmp_path, times(60, 1000, 3)))
    assert "nothing tells the unit of 'x'; it is stored as unknown" in map(str, found.reasons)
    assert found.is_sure


def test_columns_without_names_and_times_need_a_rate(tmp_path):
    path = written(tmp_path / "c06.tsv", "".join("\t".join(f"{it:.3f}" for it in row) + "\n" for row in VALUES))
    nothing = "nothing tells the sampling rate: there is no column of times, and the file says none"
    assert doubts_of(path) == [nothing]
    assert {signal.sampling_hz for signal in signals_of(path, rate_hz=2048)} == {2048}
    table = read_table(path)
    assert refusal(table, guess(table).mapping) == (
        "there is no time column, and nothing tells the sampling rate of 'column 1'; say the rate, or which column is "
        "the time"
    )


def test_korean_names_are_understood(tmp_path):
    text = "샘플링 장비 3\n시각;X축 가속도 [m/s²];가속도 Y [m/s²];온도;회전수\n"
    for row in range(60):
        text += f"2026-03-05 09:00:00,{row:03d};{VALUES[row, 0]:.6f};{VALUES[row, 1]:.6f};41;1780\n".replace(".", ",")
    table = read_table(written(tmp_path / "k.csv", text, "cp949"))
    signals = apply(table, guess(table).mapping, zone=ZoneInfo("Asia/Seoul"))
    assert [(it.axis, it.unit, it.rpm) for it in signals] == [("x", "m/s2", 1780.0), ("y", "m/s2", 1780.0)]
    assert signals[0].started_at == datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
    assert (signals[0].values == VALUES[:, 0]).all()


@pytest.mark.parametrize(
    ("time", "rate"),
    [
        (times(2_000, 25_000, 5), 25_000),
        (times(2_000, 25_600, 7), 25_600),
        ([f"{row * 5 // 4 / 1000:.3f}" for row in range(2_000)], 800),
        (times(2_000, 1_000 / 3, 3), 1_000 / 3),
        (times(2_000, 6_666.7, 6), 6_666.7),
        (times(2_000, 51_200, 9), 51_200),
    ],
)
def test_the_rate_is_the_one_that_the_times_tell(tmp_path, time, rate):
    (signal, *_) = apply(table_of(tmp_path, time), XYZ)
    assert signal.sampling_hz == pytest.approx(rate, rel=1e-3 if rate == 1_000 / 3 else 1e-9)


def test_a_rate_that_was_rounded_off_is_told_with_those_that_fit_as_well(tmp_path):
    table = table_of(tmp_path, [f"{row * 5 // 4 / 1000:.3f}" for row in range(800)])
    assert [str(it) for it in guess(table).reasons if it.code.startswith("rate")] == [
        "800 Hz is the sampling rate that fits the times; they are rounded or jitter, and 799.201341 to 800.806159 Hz "
        "fit as well"
    ]


def test_a_rate_that_few_rounded_times_leave_open_has_to_be_said(tmp_path):
    table = table_of(tmp_path, ["0.000", "0.001", "0.002", "0.003", "0.005", "0.006", "0.007", "0.008", "0.010"])
    assert [it.code for it in guess(table).doubts] == ["rate_uncertain"]
    found = guess(table, rate_hz=800)
    assert (found.is_sure, apply(table, found.mapping)[0].sampling_hz) == (True, 800)


@given(
    rate=st.integers(100, 60_000),
    count=st.integers(50, 3_000),
    decimals=st.integers(3, 9),
)
@settings(max_examples=200, deadline=None)
def test_the_rate_is_never_further_off_than_the_times_can_tell(rate, count, decimals):
    time = np.array([round(row / rate, decimals) for row in range(count)])
    if (np.diff(time) <= 0).any() or 10.0**-decimals > 0.3 / rate:
        return
    table = Table(None, "hdf5", (Column("time", "s", time), Column("x", values=np.zeros(count))))
    (signal,) = apply(table, Mapping(time="s", time_column="time", axes=(Axis("x", "x"),)))
    assert abs(signal.sampling_hz / rate - 1) <= 10.0**-decimals / time[-1] + 1e-12


def test_a_gap_cuts_and_is_told(tmp_path):
    time = [f"{row / 1000 + (0.5 if row >= 40 else 0):.3f}" for row in range(60)]
    table = table_of(tmp_path, time)
    signals = apply(table, XYZ, started_at=datetime(2026, 3, 5, tzinfo=UTC))
    assert [(it.axis, len(it.values), it.has_gap, it.offset_us) for it in signals[:2]] == [
        ("x", 40, True, 0),
        ("x", 20, True, 540_000),
    ]
    assert signals[1].started_at == datetime(2026, 3, 5, 0, 0, 0, 540_000, UTC)
    assert (np.concatenate([it.values for it in signals[:2]]) == VALUES[:, 0]).all()
    assert "the times have gaps (1); each stretch between them becomes a capture of its own" in map(
        str, guess(table).reasons
    )


def test_a_clock_that_drifts_is_told(tmp_path):
    time = np.cumsum(np.full(20_000, 1e-3) * (1 + 4e-4 * np.sin(np.arange(20_000) / 3_000)))
    table = table_of(tmp_path, [f"{at:.6f}" for at in time])
    assert {signal.clock_drifts for signal in apply(table, XYZ)} == {True}
    assert any(it.code == "clock_drifts" for it in guess(table).reasons)


def test_a_long_file_is_cut_on_request_and_the_rest_is_kept(tmp_path):
    table = table_of(tmp_path, times(60, 1000, 3))
    signals = apply(table, XYZ, split_s=0.025)
    assert [(it.axis, len(it.values), it.offset_us) for it in signals[:3]] == [
        ("x", 25, 0),
        ("x", 25, 25_000),
        ("x", 10, 50_000),
    ]
    assert (np.concatenate([it.values for it in signals[:3]]) == VALUES[:, 0]).all()


def test_counts_stay_counts_with_what_they_are_worth(tmp_path):
    data = (VALUES * 5000).astype("<i2")
    signals = signals_of(written(tmp_path / "a.wav", wav(data, 48_000)))
    assert [(it.axis, it.values.dtype.name, it.scale, it.sampling_hz) for it in signals] == [
        (name, "int16", 2**-15, 48_000) for name in ("ch1", "ch2", "ch3")
    ]


def test_a_counter_of_microseconds_is_no_number_since_1970(tmp_path):
    time = [str(400_000_000 + 1_000 * row) for row in range(60)]
    table = table_of(tmp_path, time, "time_us,x,y,z")
    found = guess(table)
    assert (found.mapping.time, found.is_sure) == ("us", True)
    assert apply(table, found.mapping)[0].sampling_hz == 1000


def test_commas_that_were_said_to_be_decimal_are_kept_in_the_mapping(tmp_path):
    path = written(tmp_path / "a.csv", "".join(f"0,{row:03d}\n" for row in range(60)))
    assert not guess(read_table(path), rate_hz=1000).is_sure
    found = guess(read_table(path, decimal=","), rate_hz=1000)
    assert found.is_sure
    kept = from_json(found.mapping.to_json())
    (signal,) = apply(read_table(path, separator=kept.separator, decimal=kept.decimal), kept)
    assert (signal.values == np.arange(60) / 1000).all()


def test_a_first_column_that_rises_evenly_is_the_time_whatever_its_name(tmp_path):
    found = guess(table_of(tmp_path, times(60, 1000, 3), "Zeit,a,b,c"))
    assert (found.mapping.time_column, found.mapping.time) == ("Zeit", "s")
    assert "'Zeit' is the time: it is the first column, and rises in even steps" in map(str, found.reasons)


def test_stamps_may_have_slashes_behind_the_year(tmp_path):
    table = table_of(tmp_path, [f"2026/03/05 09:00:00.{row:03d}" for row in range(60)])
    signals = apply(table, guess(table).mapping, zone=ZoneInfo("Asia/Seoul"))
    assert signals[0].started_at == datetime(2026, 3, 5, tzinfo=UTC)


def test_a_speed_in_millimetres_is_an_axis(tmp_path):
    table = table_of(tmp_path, times(60, 1000, 3), "time,speed (mm/s),rpm,y")
    found = guess(table)
    assert [(axis.name, axis.unit) for axis in found.mapping.axes] == [("speed", "mm/s"), ("y", "")]
    assert found.mapping.rpm_column == "rpm"


def test_how_the_time_is_written_can_be_said(tmp_path):
    table = table_of(tmp_path, [str(row) for row in range(60)])
    assert [it.code for it in guess(table).doubts] == ["time_unit"]
    found = guess(table, time="ms")
    assert (apply(table, found.mapping)[0].sampling_hz, found.is_sure) == (1000, True)
    without = guess(table, time="none", rate_hz=2000)
    assert (without.mapping.left_out, without.is_sure) == (("time",), True)
    only = read_table(written(tmp_path / "b.csv", "x\n1.5\n2.5\n"))
    assert [str(it) for it in guess(only, time="ms", rate_hz=2000).doubts] == [
        "the time was said to be written as ms, and no column is the time"
    ]


def test_an_axis_that_is_constant_is_told(tmp_path):
    text = "time,x,y\n" + rows(times(60, 1000, 3), np.column_stack([VALUES[:, 0], np.ones(60)]))
    path = written(tmp_path / "a.csv", text)
    assert "'y' has the same value throughout" in map(str, guess(read_table(path)).reasons)
    assert len(signals_of(path)) == 2


@pytest.mark.parametrize(
    ("header", "row", "doubt"),
    [
        ("time,x", "{n},1.5", "'time' is the time, and nothing tells in which unit: 0, 1, ..."),
        ("time,x", "0.0{n:02d},1.5", None),
        ("time (min),x", "0.0{n:02d},1.5", "'time' is the time, in a unit that is not read: min"),
        ("time,x,y (V)", "0.0{n:02d},1.5,2.5", "the unit of 'y' is V, which is none of m/s2, g, mm/s"),
        ("time,t,x", "0.0{n:02d},0.0{n:02d},2.5", "more than one column may be the time: time, t"),
        ("time,normal,unbalance,looseness,unbalance_looseness", "0.0{n:02d},1.5,2,3,4", "its columns are the four "
         "states of a rig, labelled; import it with import_vibration"),
        ("t,x", "12345678{n:02d},1.5", "'t' is the time, and nothing tells in which unit: 1234567800, 1234567801, ..."),
        ("time,comment", "0.0{n:02d},ok", "no column is a signal"),
        (None, "0,{n:03d}", "the commas may separate columns or be decimal commas"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_a_doubt(tmp_path, header, row, doubt):
    text = (f"{header}\n" if header else "") + "".join(row.format(n=number) + "\n" for number in range(60))
    doubts = doubts_of(written(tmp_path / "a.csv", text))
    assert doubt in doubts if doubt else not doubts


def test_of_forty_columns_somebody_has_to_choose(tmp_path):
    names = [f"c{place}" for place in range(40)]
    text = ",".join(["t", *names]) + "\n" + "".join(f"0.{n:03d}" + ",1.5" * 40 + "\n" for n in range(20))
    path = written(tmp_path / "a.csv", text)
    assert doubts_of(path) == ["40 columns may be signals (c0, c1, c2, c3, c4, c5, c6, c7 and 32 more); say which are"]
    table = read_table(path)
    reason = refusal(table, guess(table).mapping)
    assert reason.startswith("no column is said to be an axis, of 41: 't', 'c0', 'c1'")
    assert reason.endswith("say which are, by a mapping")
    chosen = Mapping(
        time="s", time_column="t", axes=(Axis("c3", "x"),), left_out=tuple(it for it in names if it != "c3")
    )
    assert [signal.axis for signal in apply(table, chosen)] == ["x"]


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (["0.001", "0.002", "0.002", "0.003"], "line 4: the time 'time' repeats: 0.002"),
        (["0.001", "0.002", "0.001", "0.003"], "line 4: the time 'time' falls back from 0.002: 0.001"),
        (["0.001", "0.002", "x", "0.003"], "line 4: the time 'time' is 'x', not a number"),
        ([f"{row**2 / 1000:.3f}" for row in range(40)], "the time 'time': the steps from sample to sample are uneven: "
         "0.001 to 0.077 s, usually 0.039 s"),
        (times(60, 0.5), "the sampling rate is 0.5 Hz; it must be from 1 to 1e+06 Hz"),
    ],
)  # fmt: skip
def test_times_that_make_no_signal_are_refused(tmp_path, time, reason):
    assert refusal(table_of(tmp_path, time), XYZ).startswith(reason)


def test_a_sample_that_is_none_is_refused_with_line_and_column(tmp_path):
    for cell, what in (("x1", "'x1', not a number"), ("NaN", "'NaN', not a number"), ("", "empty, not a number")):
        text = f"time,x,y\n0.001,1,2\n0.002,{cell},2\n0.003,1,2\n"
        table = read_table(written(tmp_path / "a.csv", text))
        mapping = Mapping(time="s", time_column="time", axes=(Axis("x", "x"), Axis("y", "y")))
        assert refusal(table, mapping).startswith(f"line 3: 'x' is {what}; repair the line")
    data = VALUES.copy()
    data[7, 1] = np.inf
    table = read_table(written(tmp_path / "a.wav", wav(data, 48_000)))
    assert refusal(table, guess(table).mapping) == "row 8: 'channel 2' is inf, not finite; repair the row"


def test_a_unit_that_nobody_knows_is_refused_until_it_is_said(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "x (V)\n1.5\n2.5\n"))
    found = guess(table, rate_hz=1000)
    assert refusal(table, found.mapping) == (
        "the unit of 'x' is 'V', which is none that is known; say the unit, or that it is unknown"
    )
    said = guess(table, rate_hz=1000, unit="")
    assert said.is_sure
    assert apply(table, said.mapping)[0].unit == ""


def test_a_file_in_another_unit_than_the_mapping_is_refused(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "x (g)\n1.5\n2.5\n"))
    mapping = Mapping(rate_hz=1000, axes=(Axis("x", "x", "m/s2"),))
    assert refusal(table, mapping).startswith("the unit of 'x' is g, as the file says, and the mapping says m/s2")


def test_a_file_with_other_columns_than_the_mapping_is_refused(tmp_path):
    table = table_of(tmp_path, times(60, 1000, 3), "time,x,y,w")
    assert refusal(table, XYZ) == (
        "it has no column 'z', which the mapping names; it has 'time', 'x', 'y', 'w'; use another mapping"
    )
    fewer = Mapping(time="s", time_column="time", axes=(Axis("x", "x"), Axis("y", "y")))
    assert refusal(table, fewer) == (
        "the mapping says nothing of the column 'w'; say that it is an axis, or that it is left out"
    )


def test_a_rate_that_contradicts_the_times_is_refused(tmp_path):
    table = table_of(tmp_path, times(60, 1000, 3))
    assert refusal(table, guess(table, rate_hz=800).mapping).startswith(
        "the times tell 1000 Hz (1000 to 1000), and 800"
    )


def test_more_samples_than_a_capture_holds_are_refused_or_cut():
    column = Column("x", values=np.zeros(MAX_SAMPLES + 1, dtype=np.int16))
    table = Table("a.h5", "hdf5", (column,), rate_hz=1000.0)
    mapping = Mapping(axes=(Axis("x", "x"),))
    assert refusal(table, mapping) == (
        "it has 1,000,001 samples of an axis without a gap, 1000 s at 1000 Hz; at most 1,000,000 make a capture; say "
        "into captures of how many seconds it is to be cut"
    )
    assert [len(it.values) for it in apply(table, mapping, split_s=900)] == [900_000, 100_001]
    assert "at most 1,000,000 make a capture; split at 1000 s or less" in refusal(table, mapping, split_s=2_000)
    assert refusal(table, mapping, split_s=1e-9) == (
        "cut every 1e-09 s it makes 1,000,001 captures; at most 100,000 come of a file; cut it into longer ones"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": 1}, "unknown key 'colour'; known: axes, time, time_column, rate_hz"),
        ({"version": 2}, "version is 2; 1 belongs here"),
        ({"rate_hz": "fast"}, 'rate_hz must be a number or null, not "fast"'),
        ({"rate_hz": True}, "rate_hz must be a number or null, not true"),
        ({"rate_hz": 0.1}, "rate_hz is 0.1; it must be from 1 to 1e+06"),
        ({"time": "hours"}, "time is 'hours'; one of 'none', 's', 'ms'"),
        ({"time": "none"}, "time and time_column belong together"),
        ({"start": "stamps"}, "start is 'stamps', and times in 's' are no instants"),
        ({"axes": [{"column": "x"}]}, "axes[0] lacks name"),
        ({"axes": [{"column": "x", "name": "x", "unit": 3}]}, "axes[0].unit must be a text or null, not 3"),
        ({"axes": [{"column": "x", "name": "x", "unit": "V"}]}, "axes: the unit of 'x': 'V' is a voltage"),
        ({"axes": [{"column": "x", "name": "x", "unit": "G"}]}, "axes: the unit of 'x' is written 'g', not 'G'"),
        ({"axes": [{"column": "x", "name": "n" * 21}]}, "axes: the name 'nnnnnnnnnnnnnnnnnnnnn' of column 'x' must"),
        ({"left_out": ["x"]}, "the column 'x' is there twice; it has one use"),
        ({"rpm": 1.0, "rpm_column": "n"}, "rpm and rpm_column both tell the speed"),
        ([], "a mapping is a JSON object"),
    ],
)  # fmt: skip
def test_json_that_is_no_mapping_is_refused_by_its_key(change, reason):
    data = json.loads(XYZ.to_json())
    text = json.dumps(data | change if isinstance(change, dict) else change)
    with pytest.raises(BadMapping) as error:
        from_json(text)
    assert str(error.value).startswith(reason)


NAMES = st.sampled_from(["time", "t", "시간 (ms)", "x", "ax (g)", "Y축", "z [m/s²]", "rpm", "temp", "", "q", "note"])
CELLS = st.sampled_from(
    ["{n}", "0.{n:03d}", "{v:.4f}", "1.5", "ok", "2026-03-05T09:00:00.{n:03d}", "17726688{n:02d}.5"]
)


@given(
    columns=st.lists(st.tuples(NAMES, CELLS), min_size=1, max_size=6), count=st.integers(3, 40), is_named=st.booleans()
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_guessed_what_was_shown_is_what_is_applied(tmp_path, columns, count, is_named):
    lines = [";".join(name for name, _ in columns)] if is_named else []
    lines += [";".join(cell.format(n=n, v=np.sin(n)) for _, cell in columns) for n in range(count)]
    path = written(tmp_path / "made.csv", "\n".join(lines) + "\n")
    try:
        table = read_table(path)
        found = guess(table)
        shown = found.mapping.to_json()
        first = preview(apply(table, found.mapping))
    except BadFile as error:
        assert error.reason and error.advice
        return
    again = from_json(json.loads(json.dumps(shown)))
    assert again == found.mapping
    assert preview(apply(read_table(path), again)) == first
    for signal in apply(table, again):
        column = next(axis.column for axis in again.axes if axis.name == signal.axis)
        assert np.isin(signal.values, table.column(column).values).all()
    used = [axis.column for axis in again.axes] + list(again.left_out) + [again.time_column, again.rpm_column]
    assert sorted(filter(None, used)) == sorted(column.name for column in table.columns)
