"""CSV that a spreadsheet opens: no cell of it is a formula, wherever it is cut, and numbers are numbers."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.csv_export import SafeWriter, safe_text

SEPARATORS = [",", ";", "\t"]
NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?|-?inf")


def as_a_spreadsheet(text: str, separator: str) -> list[list[str]]:
    """The cells of a file where this is the list separator."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def formulas(text: str) -> list[tuple[str, str]]:
    """Each cell that a spreadsheet might run, with the separator by which it comes to be one."""
    found = []
    for separator in SEPARATORS:
        for row in as_a_spreadsheet(text, separator):
            for cell in row:
                begin = cell.lstrip(" \t\r\n\0")
                if begin.startswith(tuple("=+-@＝＋－＠")) and not NUMBER.fullmatch(begin):
                    found.append((cell, separator))
    return found


def written(rows) -> str:
    file = io.StringIO(newline="")
    writer = SafeWriter(file)
    for row in rows:
        writer.writerow(row)
    return file.getvalue()


texts = st.one_of(
    st.text(alphabet="=+-@＝＠;,\t\r\n\"' a1\0", max_size=12),
    st.text(max_size=20),
    st.lists(st.sampled_from(["=1+1", "a", ";", '"', " ", ",", "\t", "@x", "\r\n", "-2"]), max_size=8).map("".join),
)
rows = st.lists(st.tuples(texts, st.floats(allow_nan=False), texts, st.integers(), texts), max_size=4)


@given(rows)
@example([("a;=1+1", -1.0, "", -1, "")])
@example([('a;"=1+1"', -1.0, 'x;"', -1, "=1")])
@example([("a", -1.0, "b,;", -1, ";"), ("=1", 1.0, "", 1, "")])
def test_no_cell_is_a_formula_whatever_the_separator(rows):
    assert formulas(written(rows)) == []


@given(rows)
def test_what_was_written_comes_back_but_for_apostrophes(rows):
    back = as_a_spreadsheet(written(rows), ",")
    plain = [[str(cell).replace("'", "") for cell in row] for row in rows]
    assert [[cell.replace("'", "") for cell in row] for row in back] == plain
    assert [(float(row[1]), int(row[3])) for row in back] == [(row[1], row[3]) for row in rows]


@pytest.mark.parametrize("text", ["g1", "펌프 1", "a=b", "1-2", "", "a;b", "a; b=c", "1;2", "0,-1,2"])
def test_a_plain_text_stays_as_it_is(text):
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("-1", "'-1"),
        (" @SUM(A1)", "' @SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "+1', "a;' \"+1"),
        ("0\t-1\t2", "0\t'-1\t2"),
        ("=1;=2", "'=1;'=2"),
    ],
)
def test_an_apostrophe_stands_before_what_looks_like_a_formula(text, safe):
    assert safe_text(text) == safe
