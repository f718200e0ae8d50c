"""Reading files as they really arrive."""

import gzip
import io
import math
import re
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vibration.csv.lines import MAX_LINE_BYTES, PIECE_BYTES, Lines, UnreadableFile
from vibration.csv.numbers import BadRow, parse_row
from vibration.csv.reader import CsvReader
from vibration.csv.times import time_column
from vibration.tests.world import KAMP_ROWS

SECONDS = time_column("seconds")


def read(content: str | bytes, **options):
    """All good rows, and all rejected ones, of a file."""
    reader = CsvReader(io.BytesIO(content.encode() if isinstance(content, str) else content), **options)
    batches = list(reader)
    rows = [(float(t), *map(float, v)) for batch in batches for t, v in zip(batch.time, batch.values, strict=True)]
    return rows, [row for batch in batches for row in batch.rejected], reader


GOOD = "0,1,2,3,4\n0.5,-1.5,2e-3,.25,4.\n"
GOOD_ROWS = [(0.0, 1.0, 2.0, 3.0, 4.0), (0.5, -1.5, 0.002, 0.25, 4.0)]


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        "\n\n" + GOOD.replace("\n", "\n\n"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace(",", " , "),
        '\n" 0","1 ","2","3","4"\n"0.5", "-1.5" ,"2e-3",".25","4."\n',
        '"0","1","2","3","4"\n"0.5","-1.5","2e-3",".25","4."\n',
        "measured_time,normal,unbalance,looseness,unbalance_looseness\n" + GOOD,
        "\ufeffTime,Normal,Type1,Type2,Type3\r\n" + GOOD.replace("\n", "\r\n"),
        "time (s);normal;type 1;type 2;type 3\n" + GOOD.replace(",", ";"),
        "시간,정상,질량 불균형,지지 불량,복합 불량\n" + GOOD,
        ("시간,정상,질량 불균형,지지 불량,복합 불량\n" + GOOD).encode("cp949"),
        gzip.compress(GOOD.encode()),
    ],
)
def test_a_file_as_it_comes_in_the_field_is_read(content):
    rows, rejected, _reader = read(content)
    assert rows == GOOD_ROWS
    assert rejected == []


def test_columns_are_found_by_their_names_in_any_order_and_case():
    rows, rejected, _reader = read("TYPE3,Looseness,type1,NORMAL,Measured_Time\n4,3,2,1,0\n")
    assert (rows, rejected) == ([(0.0, 1.0, 2.0, 3.0, 4.0)], [])
    rows, rejected, _reader = read("TYPE3,Looseness,type1,NORMAL,Measured_Time\n4,3,2,1,0\n4,3,2,1,\n")
    assert rows == [(0.0, 1.0, 2.0, 3.0, 4.0)]
    assert rejected[0].reason == "measured_time is empty"


def test_a_title_before_the_header_is_a_rejected_row_with_its_number():
    rows, rejected, _reader = read(
        "회전기계 진동, 2024년\n\ntime,normal,type1,type2,type3\n".encode("cp949") + GOOD.encode()
    )
    assert rows == GOOD_ROWS
    assert [row.line for row in rejected] == [1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2,3,4", "4 columns where 5 belong"),
        ("1,2,3,4,5,6", "6 columns where 5 belong"),
        ("text", "1 column where 5 belong"),
        ("1,2,3,4,5,", "6 columns where 5 belong; the line ends with a separator"),
        ("1,2,abc,4,5", "unbalance is 'abc', not a number"),
        ("1,2,3,4,", "unbalance_looseness is empty"),
        ("1,NaN,3,4,5", "normal is 'NaN', not finite"),
        ("1,2,3,inf,5", "looseness is 'inf', not finite"),
        ("1,2,3,-Infinity,5", "looseness is '-Infinity', not finite"),
        ("1,2,3,1e400,5", "looseness is 1e400; at most 1e+100 is allowed"),
        ("-1,2,3,4,5", "measured_time is -1, which is negative"),
        ("1e11,2,3,4,5", "measured_time is 1e11; at most 10000000000 s are allowed"),
        ("1,2,3,4,1_0", "unbalance_looseness is '1_0', not a number"),
        ("1,2,3,4,0x10", "unbalance_looseness is '0x10', not a number"),
        ("1,2,3,4,1 2", "unbalance_looseness is '1 2', not a number"),
        ("1,2,3,4,５", "unbalance_looseness is '５', not a number"),
        (
            "measured_time,normal,unbalance,looseness,unbalance_looseness",
            "measured_time is 'measured_time', not a number of seconds from the start",
        ),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_reason_and_its_neighbours_are_kept(row, reason):
    rows, rejected, _reader = read(f"0,1,2,3,4\n{row}\n0.5,-1.5,2e-3,.25,4.\n")
    assert rows == GOOD_ROWS
    assert [(bad.line, bad.reason, bad.text) for bad in rejected] == [(2, reason, row)]


def test_a_cut_last_line_is_rejected_and_named_as_cut():
    _rows, rejected, _reader = read(GOOD + "1,2,3")
    assert rejected[0].reason == (
        "3 columns where 5 belong; the file ends here without a line end: it seems to be cut off"
    )


def test_a_whole_last_line_without_line_end_is_taken_and_noted():
    rows, rejected, reader = read(GOOD.rstrip("\n"))
    assert (rows, rejected) == (GOOD_ROWS, [])
    assert reader.notes == ["line 2, the last, has no line end; it was taken as complete: 0.5,-1.5,2e-3,.25,4."]
    assert read(GOOD)[2].notes == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"\n" * 70 + b"0,1,2,3,4\n", "begins with blank lines only"),
        ("안녕".encode("utf-16"), "unknown encoding"),
        (GOOD.encode("utf-16-le"), "unknown encoding"),
        (b"\xff\xfa\x81,1,2,3,4\n", "unknown encoding: line 1 is neither UTF-8 nor cp949"),
        (b"PK\x03\x04 and so on", "an Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xfd7zXZ\x00", "xz-compressed"),
        (gzip.compress(gzip.compress(b"0,1,2,3,4\n")), "gzip-compressed twice"),
        (b"0,5;1,2;2,0;3,1;4,0\n", "line 1 has decimal commas"),
        (b"0.1 1 2 3 4\n", "line 1 has spaces between its columns"),
        (b"Dear colleague,\nplease find the data attached.\n", "not a CSV file of samples"),
        (b"<html><body>Log in</body></html>", "not a CSV file of samples"),
        (b"0,1,2,3,4\r0.5,1,2,3,4\r", "lines end in CR alone"),
        (
            b"time,ax,ay,az,aT\n0,1,2,3,4\n",
            "the names 'time', 'ax', 'ay', 'az', 'aT', of which 'ax', 'ay', 'az', 'aT' are not known",
        ),
        (b"time,normal,unbalance,looseness\n0,1,2,3\n", "lacks the column unbalance_looseness"),
        (b"time,normal,type1,type1,type2\n0,1,2,3,4\n", "repeats the column unbalance"),
        (b"time,normal,type1,type2,type3,rpm\n0,1,2,3,4,5\n", "unknown column 'rpm'"),
        (
            b"time,normal,type1,type2,type3,%s\n0,1,2,3,4,5\n" % (b"x" * 101),
            "unknown column (a text of 101 characters; a name has at most 100)",
        ),
        (
            b"time,normal,%stype1,type2,type3\n0,1,2,3,4\n" % (b" " * 5_000),
            "line 1 looks like a header, but it has 5,029 bytes, and a header at most 4,096",
        ),
    ],
)
def test_a_file_that_is_something_else_is_refused_in_words(content, message):
    with pytest.raises(UnreadableFile, match=re.escape(message)):
        read(content)


SECRET = "Zq7*w9pL!x2#v8@k5^m3$n6"


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f"{SECRET}\n",
        f"# Settings of this installation\nKEY={SECRET}\n",
        f"{SECRET},{SECRET},{SECRET},{SECRET},{SECRET}\n",
        f"time,normal,{SECRET}\n0,1,2,3,4\n",
        f"0,5;{SECRET};{SECRET};{SECRET};{SECRET}\n",
    ],
)
def test_a_file_that_is_no_table_is_not_told(content):
    """The message stands in the record of the import, which more people may read than the file."""
    with pytest.raises(UnreadableFile) as error:
        read(content)
    assert SECRET[:8] not in str(error.value)


def test_of_a_bad_cell_the_beginning_is_told_and_nothing_that_a_terminal_obeys():
    _rows, rejected, _reader = read(f"0,1,2,3,4\n1,{'a' * 25},2,3,4\n2,\x1b[31mred,2,3,4\n")
    assert [row.reason for row in rejected] == [
        f"normal is '{'a' * 20}…', not a number",
        r"normal is '\x1b[31mred', not a number",
    ]


ALPHABET = "([])\"' ,;\t-_+.eE0x"


@pytest.mark.parametrize("pump", [*ALPHABET, "()", "[]", "0.", "0,", "0;", "1e", '"0",', "가", "time,", "0\r"])
def test_no_line_takes_much_longer_than_it_is_long(pump):
    """Twenty lines of 64 kB, at the beginning and further down: with anything quadratic, many minutes."""
    lines = [(pump * 65_000)[:65_000] + end for end in ("", "x", ",1,2,3,4", "x,1,2,3,4")] * 5
    content = "\n".join([*lines, "0,1,2,3,4", *lines]).encode()
    started = time.thread_time()
    with suppress(UnreadableFile):
        read(content)
    assert time.thread_time() - started < 10


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"0,1,2,3,4\n" + b"\n" * 30_000_000),
        gzip.compress(b"0,1,2,3,4\n" + b"1" * 30_000_000),
        gzip.compress(b"0,1,2,3,4\n") + gzip.compress(b"") * 50_000,
    ],
    ids=["blank lines", "a line without end", "gzip members with nothing in them"],
)
def test_reading_can_be_ended_where_nothing_comes_of_it(content):
    calls = []

    class Enough(Exception):
        pass

    def check(content_bytes):
        calls.append(content_bytes)
        if len(calls) == 12:
            raise Enough

    with pytest.raises(Enough):
        list(CsvReader(io.BytesIO(content), check=check))
    assert calls == sorted(calls)


def test_a_truncated_gzip_file_gives_its_rows_and_then_an_error():
    lines = [f"{i},1,2,3,{i % 7}\n" for i in range(20_000)]
    cut = gzip.compress("".join(lines).encode())[:-2000]
    rows = []
    with pytest.raises(UnreadableFile, match="ends before its end mark"):
        for batch in CsvReader(io.BytesIO(cut), batch_rows=1000):
            rows += batch.time.tolist()
    assert rows == [float(i) for i in range(len(rows))]
    assert 10_000 < len(rows) < 20_000


def test_damaged_gzip_data_is_named():
    damaged = bytearray(gzip.compress(GOOD.encode() * 1000))
    damaged[-6] ^= 0xFF  # in the checksum
    with pytest.raises(UnreadableFile, match="gzip data is damaged"):
        read(bytes(damaged))


def test_a_line_without_end_takes_no_memory_and_is_rejected():
    batches = list(CsvReader(io.BytesIO(b"1" * 5_000_000 + b"\n0,1,2,3,4\n")))
    assert len(batches[0].raw[0]) < 100_000
    assert "a line of more than 65536 bytes" in batches[0].rejected[0].reason
    assert batches[0].lines.tolist() == [2]


def test_wide_lines_end_a_batch_early_so_that_the_memory_stays_bounded():
    wide = b"0.1," + b"1.234567," * 1000 + b"1\n"
    batches = list(CsvReader(io.BytesIO(b"0,1,2,3,4\n" + wide * 3000)))
    assert max(sum(map(len, batch.raw)) for batch in batches) < 10_000_000
    assert sum(len(batch.rejected) for batch in batches) == 3000
    assert max(len(row.text) for row in batches[0].rejected) == 500


def test_a_small_gzip_file_that_is_cut_gives_its_rows_too():
    rows = []
    with pytest.raises(UnreadableFile, match="ends before its end mark"):
        for batch in CsvReader(io.BytesIO(gzip.compress(GOOD.encode())[:-8])):
            rows += batch.time.tolist()
    assert rows == [0.0, 0.5]


def test_a_file_that_breaks_off_after_a_quote_gives_its_rows():
    rows, rejected, _reader = read(GOOD + '1.25,1,2,3,"')
    assert rows == GOOD_ROWS
    assert "it seems to be cut off" in rejected[0].reason


def test_joined_files_with_a_byte_order_mark_in_the_middle_are_read():
    rows, rejected, _reader = read("bad\n\ufeff" + GOOD)
    assert rows == GOOD_ROWS
    assert len(rejected) == 1


def test_batches_have_the_asked_size_and_know_their_lines():
    text = "time,normal,type1,type2,type3\n" + "".join(f"{i},1,2,3,4\n" for i in range(25))
    batches = [batch for batch in CsvReader(io.BytesIO(text.encode()), batch_rows=10) if len(batch.lines)]
    assert [batch.lines.tolist() for batch in batches] == [[*range(2, 12)], [*range(12, 22)], [*range(22, 27)]]
    assert batches[1].text(12) == "10,1,2,3,4"


# Whatever a line holds, a block of such lines gives the same whether polars or our own parser reads it.
field = st.one_of(
    st.floats().map(repr),
    st.floats(-1e3, 1e3).map(lambda x: f"{x:.7g}"),
    st.decimals(allow_nan=False, allow_infinity=False, places=20).map(str),
    st.text(alphabet="0123456789.eE+-_ \"'ainfNx\r\t", max_size=8),
    st.sampled_from(['"1', '1"', '"1"', '"1"2', '""', "1e", "+.5", "-", "null", "NA", "1d5", "٣"]),
)


stamp = st.one_of(
    st.integers(0, 4 * 10**18).map(str),
    st.integers(0, 2 * 10**18).map(lambda ns: f"{ns // 10**9}.{ns % 10**9:09d}"),
    st.datetimes().map(str),
    st.sampled_from(['"1772668800"', '1"772668800"', '"17726688"00', '"1772668800', '""1772668800""', "1772668800 "]),
    st.sampled_from(['"2026-03-05 09:00:00"', '2026-03-05 "09:00:00"', "2026-03-05T09:00:00Z"]),
)


@pytest.mark.parametrize("time", ["seconds", "epoch-s", "epoch-ms", "iso"])
@given(lines=st.lists(st.tuples(st.one_of(field, stamp), st.lists(field, max_size=5)), min_size=1, max_size=4))
@example(lines=[("1", ["2", "3", "4", "5"]), ("1", ["2", "3", "4", "-0.0"])])
@example(lines=[("1", ["2", "3", "4", "4.9406564584124654e-324"])])
@example(lines=[("1", ["2", "3", "4", '"5']), ('6"', [])])
@example(lines=[("4e8", ["2", "3", "4", "5"]), ("5e9", ["2", "3", "4", "5"])])
@example(lines=[('1"772668800"', ["2", "3", "4", "5"])])
def test_polars_and_the_line_parser_agree(time, lines):
    stamps = {"seconds": b"0", "epoch-s": b"1772668800", "epoch-ms": b"1772668800000", "iso": b"2026-03-05T09:00:00"}
    reader = CsvReader(io.BytesIO(stamps[time] + b",1,2,3,4\n"), time=time_column(time))
    block = [",".join([first, *others]).encode() + b"\n" for first, others in lines]
    one_by_one = time_column(time)
    expected = []
    for line in block:
        try:
            expected.append(parse_row(line, b",", one_by_one.read))
        except BadRow:
            expected = None  # then polars must leave the block to the line parser
            break
    numbers = reader._parse_block(block)
    if numbers is not None:
        assert expected is not None
        times, values = numbers
        assert times.tobytes() == np.array([row[0] for row in expected], dtype=times.dtype).tobytes()
        assert values.tobytes() == np.array([row[1:] for row in expected]).tobytes()


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100))
def test_a_number_is_the_double_nearest_to_its_text(number):
    text = repr(number).encode()
    parsed = parse_row(b"0,%s,0,0,0" % text, b",", SECONDS.read)[1]
    assert parsed == number
    assert math.copysign(1, parsed) == (1 if number == 0 else math.copysign(1, number))


def test_the_kamp_rows_keep_every_digit():
    rows, rejected, _reader = read(KAMP_ROWS)
    assert rejected == []
    assert rows == [tuple(map(float, line.split(","))) for line in KAMP_ROWS.splitlines()]


def test_the_line_behind_one_that_is_too_long_is_read_where_a_piece_ends_between_them():
    first, last = b"0,0,0,0,0\n", b"1,1,1,1,1\n"
    filled = MAX_LINE_BYTES + PIECE_BYTES - len(first)
    content = first + b"x" * (filled - 1) + b"\n" + last
    lines = list(Lines(io.BytesIO(content), lambda read: None))
    assert lines == [first, b"x" * MAX_LINE_BYTES, last]
