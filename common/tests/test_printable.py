"""Text from outside, safe to look at."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.printable import printable

# What a terminal would obey or could not show: controls of both kinds, marks of direction, halves of characters
ESCAPED = {
    "\x1b]0;pwned\x07": r"\x1b]0;pwned\x07",
    "\x9b31m": r"\x9b31m",
    "a\nb\tc\rd": r"a\nb\tc\rd",
    "\u202egpj.exe": r"\u202egpj.exe",
    "a\u2066b\u2069": r"a\u2066b\u2069",
    "\u2028": r"\u2028",
    "\x7f": r"\x7f",
    "\udcff.csv": r"\udcff.csv",
    "\ufeff": r"\ufeff",
    "\0": r"\x00",
}


@pytest.mark.parametrize(("text", "shown"), ESCAPED.items(), ids=ESCAPED.values())
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "g1_sensor1.csv", "프레스 1호기　(가)", "µm²·½", "[red] :smile:", "'\\x1b'", "👍", "a\xa0b"]
)
def test_what_is_simply_seen_stays(text):
    assert printable(text) == text


def test_lines_stay_where_a_message_has_them():
    assert printable("a\n\tb\x1b\r", keep="\n\t") == "a\n\tb\\x1b\\r"


@given(st.text(st.characters()))
def test_any_text_can_be_written_and_holds_nothing_but_what_is_seen(text):
    shown = printable(text)
    shown.encode()
    assert all(letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in shown)
    assert printable(shown) == shown
