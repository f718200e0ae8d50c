"""What a file is taken for by its first lines: the header, and refusals in true words."""

import gzip
import io
import re
import zlib
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vibration.csv.lines import UnreadableFile
from vibration.csv.reader import CsvReader
from vibration.csv.times import TIMES, Period, time_column

HEADER = "time,normal,unbalance,looseness,unbalance_looseness\n"
ROWS = "0,1,2,3,4\n0.5,2,3,4,5\n1,3,4,5,6\n"
READ = [(0.0, 1.0, 2.0, 3.0, 4.0), (0.5, 2.0, 3.0, 4.0, 5.0), (1.0, 3.0, 4.0, 5.0, 6.0)]
BELONG = "Five columns belong here: measured_time (seconds from the start) and a value for each state, normal, "
NO_PLACE = "Signals without these four states, such as three axes or one channel, cannot be stored yet"


def read(content: str, *, time: str = "seconds"):
    """The good rows, the rejected ones and the notes of a file."""
    period = Period(ZoneInfo("Asia/Seoul"))
    reader = CsvReader(io.BytesIO(content.encode()), time=time_column(time, period))
    batches = list(reader)
    rows = [(float(t), *map(float, v)) for batch in batches for t, v in zip(batch.time, batch.values, strict=True)]
    return rows, [row for batch in batches for row in batch.rejected], reader.notes


def refusal(content: str, **how) -> str:
    with pytest.raises(UnreadableFile) as error:
        read(content, **how)
    return str(error.value)


@pytest.mark.parametrize(
    ("head", "line", "told"),
    [
        ("# made by a logger\ntime_ms,temp,x,y,z\n", 2, "'time_ms', 'temp', 'x', 'y', 'z', which are not known"),
        ("# made by a logger\n# rate 1000, range 16\n\ntime_ms,temp,x,y,z\n", 4, "'time_ms', 'temp', 'x', 'y', 'z'"),
        (",time,x,y,z\n", 1, "(no name), 'time', 'x', 'y', 'z', of which (no name), 'x', 'y', 'z' are not known"),
        ("time,a,b,c,d\n", 1, "of which 'a', 'b', 'c', 'd' are not known"),
        ("note\ntime,,,,\n", 2, "(no name)"),
        ('"a,b",x,y,z,t\n', 1, "'a,b', 'x', 'y', 'z', 't', which are not known"),
        ("# time,x,y,z,t\n", 1, "'x', 'y', 'z', 't' are not known"),  # as numpy writes it
        ("x,y,z,t\n", 1, "'x', 'y', 'z', 't', which are not known"),  # as R does, without a name for the first column
        ("t,x,y,z,temp,\n", 1, "'temp', (no name), which are not known"),
        (",0,1,2,3\n", 1, "(no name), '0', '1', '2', '3', which are not known"),  # as pandas does
        ('note\n"a"\rb,x,y,z,t\n', 2, "'x', 'y', 'z', 't', which are not known"),
        ("time,0,1,2,3\n", 1, "of which '0', '1', '2', '3' are not known"),
        ("note\ntime,x\n", 2, "of which 'x' is not known"),
        ("x,x\n", 1, "'x', 'x', which are not known"),
        ("# z,ax,I1\n", 1, "'# z', 'ax', 'I1', which are not known"),
        ("a\tb\tc\td\n", 1, "'a', 'b', 'c', 'd', which are not known"),
        ("ch0;1;2;3;4;time\n", 1, "of which 'ch0', '1', '2', '3', '4' are not known"),
        ("# made by a logger\n# label,temp,speed (rpm),1\n", 2, "'speed (rpm)', '1', which are not known"),
        ("time;x;y;z;t\n", 1, "of which 'x', 'y', 'z', 't' are not known"),
        ("time;type3;type2;type1;normal\n", 1, "not separated as the rows are"),
        ("time_ms temp x y z\n", 1, "'time_ms', 'temp', 'x', 'y', 'z', which are not known"),
        ("# time x y z temp\n", 1, "'x', 'y', 'z', 'temp' are not known"),
        ("TOA5,station,CR1000,42,v1\nTIMESTAMP,RECORD,x,y,z\nTS,RN,g,g,g\n,,Avg,Avg,Avg\n", 2, "'TIMESTAMP', 'RECORD'"),
    ],
)
def test_a_line_of_other_names_above_the_rows_refuses_the_file(head, line, told):
    message = refusal(head + ROWS)
    assert message.startswith(f"line {line} looks like a header with the names ")
    assert told in message
    assert "; the rows below have 5 columns of numbers, separated by commas. " + BELONG in message
    assert "If these are the columns, name them so; if the line is not a header, remove it" in message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("\n", ",\n"), "line 1, the header, has an unknown column (no name); its columns are 'time', "),
        ('"Time, s",normal,type1,type2,type3\n', "line 1, the header, has an unknown column 'Time, s'"),
        ("note\n" + HEADER.replace("normal", "looseness"), "line 2, the header, repeats the column looseness"),
        ("note\ntime,normal\n", "line 2, the header, lacks the column unbalance"),
        (HEADER.replace("time", "time (ms)"), "line 1, the header, has 'ms' as the unit of the time, and seconds from"),
        (HEADER + "ms,g,g,g,g\n", "line 2, of units, has 'ms' as the unit of the time, and seconds from the start"),
        (HEADER + "normal,time,unbalance,looseness,unbalance_looseness\n", "line 2 is a header with other columns"),
    ],
)
def test_a_header_of_ours_with_a_fault_refuses_the_file_and_names_it(header, message):
    assert message in refusal(header + ROWS)


@pytest.mark.parametrize("lines", [1, 22, 40])
def test_a_header_below_a_long_text_is_found_and_the_text_is_rejected(lines):
    rows, rejected, _notes = read("name, value\n" * lines + HEADER + ROWS)
    assert rows == READ
    assert [row.line for row in rejected] == list(range(1, lines + 1))
    assert "it is above the rows: if it is text, skip it (on-error skip) or remove it" in (rejected[0].reason)


def test_text_above_rows_without_a_header_is_rejected_and_can_be_skipped():
    text = "# made by a logger\nPump 2, hall 3\nRate,1000\n# range=16, g=9.81, axis=x\n---\n,,,,\n"
    rows, rejected, _notes = read(text + ROWS)
    assert rows == READ
    assert [row.line for row in rejected] == [1, 2, 3, 4, 5, 6]


def test_a_comment_sign_before_our_own_header_is_none_of_its_names():
    assert read("# " + HEADER + ROWS)[:2] == (READ, [])


def test_a_row_of_units_below_the_header_is_taken_with_a_note():
    rows, rejected, notes = read(HEADER + "s,g,g,g,g\n" + ROWS)
    assert (rows, rejected) == (READ, [])
    assert notes == ["line 2 was taken for the units of the columns; values are stored as they are"]
    rows, rejected, _notes = read("normal,type1,type2,type3,time\nmm/s,mm/s,mm/s,mm/s,[s]\n1,2,3,4,0\n")
    assert (rows, rejected) == ([READ[0]], [])


def test_other_lines_between_the_header_and_the_rows_are_rejected_and_can_be_skipped():
    rows, rejected, _notes = read(HEADER + '"TS","RN","g","m","k"\n"","","Avg","Avg","Avg"\n' + ROWS)
    assert rows == READ
    assert [row.line for row in rejected] == [2, 3]


def test_a_header_with_other_columns_among_the_rows_ends_the_reading_above_it():
    """As when files were joined; with the rows below taken by their places, values would go to other states."""
    other = "time,unbalance,normal,looseness,unbalance_looseness\n"
    many = "".join(f"{time},1,2,3,4\n" for time in range(100))
    for second in (other, "time,x,y,z,temp\n", "t_s,x,y,z,temp\n"):
        for first, rows in ((HEADER, ROWS), ("", many)):
            count = rows.count("\n")
            reader = CsvReader(io.BytesIO((first + rows + second + rows).encode()))
            taken = []
            with pytest.raises(UnreadableFile, match=f"line {bool(first) + count + 1} is a header with other columns"):
                for batch in reader:
                    taken += batch.time.tolist()
            assert len(taken) == count


def test_a_header_of_other_columns_a_few_rows_below_the_beginning_refuses_the_file():
    """The line of numbers above it may be anything, such as the settings of a logger."""
    message = refusal("1000,16,4,2,1\ntime_ms,temp,x,y,z\n" + ROWS)
    assert (
        "line 2 looks like a header with the names 'time_ms', 'temp', 'x', 'y', 'z', below a row of numbers" in message
    )


def test_rows_with_decimal_commas_are_no_header_below_a_row():
    message = refusal("0,000;1,5;2,5;3,5;4,5\n0,001;1,5;2,5;3,5;4,5\n")
    assert message.startswith("line 1 has decimal commas, as in 0,000, in 5 columns separated by semicolons.")


def test_a_row_of_six_that_begins_with_a_date_is_a_bad_row_and_no_header():
    row = "2026-03-05T09:00:00,1,2,3,4"
    rows, rejected, _notes = read(f"{row},5\n{row}\n{row}\n", time="iso")
    assert len(rows) == 2
    assert rejected[0].reason.startswith("6 columns where 5 belong")


def test_a_time_that_is_not_the_first_cell_is_not_said_to_be():
    header = "normal,time,unbalance,looseness,unbalance_looseness\n"
    assert refusal(header + "1,0.5,2,3,4\n", time="iso").startswith("line 2 has the time 0.5, a number;")


@pytest.mark.parametrize("line", ["%%", "##", "//"])
def test_a_line_of_marks_above_the_rows_names_nothing(line):
    rows, rejected, _notes = read(f"{line}\n{ROWS}")
    assert rows == READ
    assert [row.line for row in rejected] == [1]


@pytest.mark.parametrize("header", ["", HEADER])
def test_decimal_commas_in_quotes_are_told_too(header):
    message = refusal(header + '"0,000","1,5","2,5","3,5","4,5"\n"0,001","1,5","2,5","3,5","4,5"\n')
    assert "has decimal commas, as in 0,000, in quotes. Export the numbers with a decimal point" in message


def test_a_first_row_that_has_no_time_refuses_no_file_of_dates():
    row = "2026-03-05T09:00:00,1,2,3,4\n"
    rows, rejected, _notes = read("NaN,1,2,3,4\n" + row, time="iso")
    assert len(rows) == 1
    assert [row.line for row in rejected] == [1]


def test_a_korean_cell_of_a_file_in_cp949_is_told_as_it_reads():
    content = (HEADER + ROWS + "끝,1,2,3,4\n").encode("cp949")
    [rejected] = [row for batch in CsvReader(io.BytesIO(content)) for row in batch.rejected]
    assert rejected.reason == "measured_time is '끝', not a number of seconds from the start"
    assert rejected.text == "끝,1,2,3,4"


@pytest.mark.parametrize("start", [b"\n", b"\xef\xbb\xbf\n"])
def test_gzip_data_that_are_cut_after_a_blank_line_are_said_to_be_cut(start):
    whole = gzip.compress(start + ROWS.encode() * 50)
    cut = next(
        whole[:end] for end in range(len(whole)) if zlib.decompressobj(wbits=31).decompress(whole[:end]) == start
    )
    with pytest.raises(UnreadableFile, match="the gzip data ends before its end mark"):
        list(CsvReader(io.BytesIO(cut)))


def test_the_same_header_among_the_rows_is_a_rejected_row():
    rows, rejected, _notes = read(HEADER + ROWS + HEADER + ROWS)
    assert rows == READ * 2
    assert [row.line for row in rejected] == [5]


@pytest.mark.parametrize(
    "footer", ["END,OF,LOG\n", "ERR,ERR,ERR,ERR,ERR\n", ",,,,\n", "400 rows\n", "nan,nan,nan,nan,nan\n"]
)
def test_a_line_among_the_rows_that_names_nothing_is_a_rejected_row(footer):
    rows, rejected, _notes = read(HEADER + ROWS + footer)
    assert rows == READ
    assert [row.line for row in rejected] == [5]


def lvm(channels: int) -> str:
    """A LabVIEW measurement file with its two headers, 22 lines, a line of names, and rows."""
    names = "\t".join(f"Untitled {number}" for number in range(channels))
    first = [
        "LabVIEW Measurement\t",
        "Writer_Version\t2",
        "Reader_Version\t2",
        "Separator\tTab",
        "Decimal_Separator\t.",
    ]
    first += ["Multi_Headings\tNo", "X_Columns\tOne", "Time_Pref\tRelative", "Operator\tlab", "Date\t2019/07/31"]
    first += ["Time\t14:48:23.123", "***End_of_Header***\t", "\t"]
    more = ["Channels\t" + str(channels), "Samples" + "\t400" * channels, "Date" + "\t2019/07/31" * channels]
    more += ["Time" + "\t14:48:23" * channels, "Y_Unit_Label" + "\tVolts" * channels]
    more += ["X_Dimension" + "\tTime" * channels, "X0" + "\t0.0" * channels, "Delta_X" + "\t0.001" * channels]
    more += ["***End_of_Header***" + "\t" * channels, f"X_Value\t{names}\tComment"]
    rows = ["\t".join([f"{number / 1000:.6f}", *["0.25"] * channels]) for number in range(100)]
    return "\n".join([*first, *more, *rows]) + "\n"


@pytest.mark.parametrize("channels", [2, 4])
def test_a_labview_file_is_refused_by_its_columns(channels):
    message = refusal(lvm(channels))
    assert "line 23 looks like a header with the names 'X_Value', 'Untitled 0', 'Untitled 1'" in message
    assert f"the rows below have {channels + 1} columns of numbers, separated by tabs" in message


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        (
            "time,x,y,z\n" + "0,1,2,3\n" * 3,
            ["line 1 looks like a header with the names 'time', 'x', 'y', 'z'", "4 columns of numbers", NO_PLACE],
        ),
        ("0.1\t0.2\t0.3\t0.4\n" * 3, ["line 1 has 4 columns of numbers, separated by tabs. " + BELONG, NO_PLACE]),
        ("1\t2\t3\t4\t5\t6\t7\t8\n" * 3, ["line 1 has 8 columns of numbers, separated by tabs. ", NO_PLACE]),
        ("1,2,3,4,5,6,7,8\n" * 3, ["line 1 has 8 columns of numbers, separated by commas. ", NO_PLACE]),
        ("# rig 7\n1;2\n3;4\n", ["line 2 has 2 columns of numbers, separated by semicolons. ", NO_PLACE]),
        ("1,2,3,4,5,\n" * 3, ["line 1 has 6 columns of numbers, separated by commas; the line ends with a separator"]),
        (HEADER + "0,1,2,3,4,5\n" * 3, ["line 2 has 6 columns", "where the header, line 1, names 5"]),
        ("0.1\n0.2\n0.3\n", ["its first lines are single numbers, one column. " + BELONG, NO_PLACE]),
        ("0 1 2 3 4\n1 1 2 3 4\n", ["line 1 has spaces between its columns, 5 numbers; separate them with , or ;"]),
        ((HEADER + ROWS).replace(",", "  "), ["line 2 has spaces between its columns, 5 numbers"]),
        ("  0.1   0.2   0.3\n  0.2   0.3   0.4\n", ["spaces between its columns, 3 numbers", NO_PLACE]),
        (
            HEADER.replace(",", ";") + "0,000;0,1;0,2;0,3;0,4\n",
            ["line 2 has decimal commas, as in 0,000, in 5 columns separated by semicolons", "with a decimal point"],
        ),
        ("0,000\t0,1\t0,2\t0,3\t0,4\n", ["line 1 has decimal commas, as in 0,000, in 5 columns separated by tabs"]),
        (
            HEADER.replace(",", "\t") + "0,000\t0,1\t0,2\t0,3\t0,4\n",
            ["line 2 has decimal commas, as in 0,000, in 5 columns separated by tabs"],
        ),
        ("0,5;1,5\n1,5;2,5\n", ["line 1 has decimal commas, as in 0,5, in 2 columns separated by semicolons"]),
        (
            "0,000,0,1,0,2,0,3,0,4\n" * 2,
            ["line 1 has 10 columns of numbers", "if these are five numbers with decimal commas"],
        ),
        (
            HEADER + "0.000,0.1,,,\n0.001,0.2,,,\n",
            ["nothing in any of the first 2 rows in the columns unbalance, looseness, unbalance_looseness. ", NO_PLACE],
        ),
        (
            "0.0,0.1,0.2,0.3,\n0.1,0.2,0.3,0.4,\n",
            ["there is nothing in any of the first 2 rows in the column unbalance_looseness. "],
        ),
        (
            "0.0,0.1,NaN,0.3,0.4\n0.1,0.2,nan,0.4,0.5\n",
            ["there is no number in any of the first 2 rows in the column unb"],
        ),
        ("0,1,2,3,good\n1,1,2,3,bad\n", ["is no number in any of the first 2 rows in the column unbalance_looseness"]),
        (
            "report\n" * 3 + "in 2024, we had,fun\n",
            ["not a CSV file of samples: line 1 is a text of 6 characters, and no "],
        ),
    ],
)
def test_rows_of_another_kind_are_refused_by_what_they_are(content, messages):
    message = refusal(content)
    for part in messages:
        assert part in message


def test_one_bad_row_among_good_ones_refuses_no_file():
    rows, rejected, _notes = read("0,1,2,3\n" + ROWS + "2,3,4,5,\n3,4,5,6,7,8\n4;1\n")
    assert rows == READ
    assert [row.line for row in rejected] == [1, 5, 6, 7]


@pytest.mark.parametrize("header", ["", HEADER])
@pytest.mark.parametrize(
    ("stamp", "told"),
    [
        ("1772668800.000", "seconds since 1970, 2026-03-05 09:00:00 Asia/Seoul; say --time epoch-s (in an upload"),
        ("1772668800000", "milliseconds since 1970, 2026-03-05 09:00:00 Asia/Seoul; say --time epoch-ms (in an upload"),
        ("1772668800000000", "microseconds since 1970, 2026-03-05 09:00:00 Asia/Seoul; say --time epoch-us (in an"),
        ("1.7726688e18", "nanoseconds since 1970, 2026-03-05 09:00:00 Asia/Seoul; say --time epoch-ns (in an upload"),
        ("2026-03-05T09:00:00.5", "a time of day, not seconds from the start; say --time iso (in an upload time=iso)"),
        ("2026-03-05 09:00:00+09:00", "a time of day, not seconds from the start; say --time iso"),
        ("05.03.2026 09:00", "not seconds from the start; write it as 2026-03-05T09:00:00.123 and say --time iso"),
        ("3/5/2026 9:00 AM", "not seconds from the start; write it as 2026-03-05T09:00:00.123 and say --time iso"),
        ("09:00:00.123", "not seconds from the start; write it as 2026-03-05T09:00:00.123 and say --time iso"),
    ],
)
def test_stamps_where_seconds_belong_refuse_the_file_and_say_what_they_are(header, stamp, told):
    message = refusal(f"{header}{stamp},1,2,3,4\n{stamp},1,2,3,4\n")
    assert message.startswith(f"line {2 if header else 1} begins with ")
    assert told in message


@pytest.mark.parametrize(
    ("time", "stamp", "told"),
    [
        ("epoch-s", "1772668800000", "milliseconds since 1970"),
        ("epoch-ms", "1772668800", "seconds since 1970"),
        ("epoch-s", "2026-03-05T09:00:00", "a time of day"),
        ("iso", "1772668800.5", "a number of seconds since 1970"),
        ("iso", "0.5", "a number; it is not a time of day"),
    ],
)
def test_another_kind_of_stamp_than_was_said_refuses_the_file(time, stamp, told):
    assert told in refusal(f"{stamp},1,2,3,4\n" * 2, time=time)


def test_a_unit_of_the_time_that_was_said_is_right():
    content = "time (ms),normal,type1,type2,type3\n1772668800000,1,2,3,4\n"
    assert len(read(content, time="epoch-ms")[0]) == 1
    assert "has 'ms' as the unit of the time, and --time epoch-s" in refusal(content, time="epoch-s")
    assert len(read(content.replace("1772668800000", "2026-03-05T09:00:00").replace("ms", "KST"), time="iso")[0]) == 1


def test_a_clock_that_is_set_while_it_logs_gives_rejected_rows():
    _rows, rejected, _notes = read("5,1,2,3,4\n6,1,2,3,4\n1772668800.5,1,2,3,4\n")
    assert [row.line for row in rejected] == [3]
    assert "which is a number of seconds since 1970" in rejected[0].reason


@pytest.mark.parametrize("name", ["Zq7*w9pL!x2", "a" * 200])
def test_of_what_does_not_look_like_a_name_only_the_length_is_told(name):
    message = refusal(f"{name},{name}1,{name}2,{name}3,{name}4\n" + ROWS)
    assert name[:8] not in message
    assert re.search(r"\(a text of \d+ characters", message)


pieces = [
    '"',
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    "#",
    " ",
    "  ",
    "\u3000",
    "\0",
    "\ufeff",
    "(s)",
    "[ms]",
    "nan",
    "-",
    "e5",
    "x",
]
pieces += ["0.1", "0,5", "1", "time", "normal", "시간", "1772668800.5", "2026-03-05T09:00:00", HEADER, "0,1,2,3,4\n"]


@given(st.sampled_from(TIMES), st.lists(st.sampled_from(pieces), max_size=30).map("".join))
@example("seconds", "#")
@example("seconds", 'x\n"a"\rb,x,y,z,t\n' + ROWS)
def test_whatever_is_in_a_file_it_is_read_or_refused_in_words(time, content):
    with suppress(UnreadableFile):
        read(content, time=time)
