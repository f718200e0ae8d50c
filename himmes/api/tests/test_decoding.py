"""Lists of rows read straight into columns: what that takes is what `json` and the fields make of the same bytes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.rest.bodies import each_once
from common.rest.decoding import decoder_of
from common.rest.rows import InvalidRows, read_rows, sent_for
from common.tests.test_rows import Row, plain_times

decode = decoder_of(Row).decode


def outcome(rows) -> tuple | list:
    """What `read_rows` makes of rows, as texts that tell each bit; or what it says is wrong."""
    try:
        columns = read_rows(rows, Row())
    except InvalidRows as error:
        return error.errors
    return sorted((name, repr(list(column))) for name, column in columns.items())


def parsed(body: bytes) -> list:
    return json.loads(body.decode(), object_pairs_hook=each_once)


numbers = st.one_of(
    st.integers(-20, 20).map(str),
    st.integers(-(10**30), 10**30).map(str),
    st.floats(-10, 10).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map("{:.25g}".format),
    st.sampled_from(["-0", "-0.0", "1e-400", "1e400", "NaN", "-Infinity", "true", '"1"', "null", "01", "1."]),
)
names = st.one_of(
    st.sampled_from(["g1", "설비 1호기", " g1 ", "", 'a"b', "a\\b", "\x00", "\ud800"]), st.text(max_size=5)
)
texts = st.builds(lambda name, ascii: json.dumps(name, ensure_ascii=ascii), names, st.booleans())
pairs = st.one_of(
    st.tuples(st.just("name"), texts),
    st.tuples(st.just("value"), numbers),
    st.tuples(st.just("at"), st.one_of(plain_times.map(json.dumps), st.just("null"), texts)),
    st.tuples(st.just("kind"), st.one_of(st.integers(-1, 4).map(str), st.just("2.0"))),
    st.tuples(st.sampled_from(["other", "n\\u0061me"]), texts),
)
good = st.tuples(st.just(("name", '"g1"')), st.just(("value", "1.5"))).map(list)
bodies = st.lists(st.builds(lambda known, more: known + more, good, st.lists(pairs, max_size=3)), max_size=4).map(
    lambda rows: "[" + ", ".join("{" + ", ".join(f'"{key}": {value}' for key, value in row) + "}" for row in rows) + "]"
)


@given(bodies)
def test_what_is_decoded_is_what_json_and_the_fields_make_of_it(text):
    body = text.encode("utf-8", "surrogatepass")
    rows = decode(body)
    if rows is None:
        return
    known = parsed(body)  # what it raises is what must not have been decoded
    assert len(rows) == len(known)
    assert outcome(rows) == outcome(known)
    assert list(sent_for("at", rows)) == sent_for("at", known)


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "g1", "value": 1.5}]',
        '[{"name": "\\uc124\\ube44", "value": 1, "at": null, "kind": 2}, {"name": "g1", "value": -0.0}]',
        '[{"value": 12345678901234567890, "name": "g1", "at": "2026-11-22T09:30:00.123456"}]\n',
    ],
)
def test_the_usual_is_decoded(text):
    rows = decode(text.encode())
    assert rows is not None
    assert outcome(rows) == outcome(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "g1", "value": 1, "value": 2}]',
        '[{"name": "g1", "value": 1, "\\u0076alue": 2}]',
        '[{"name": "g1", "value": 1, "at": null, "at": null}]',
        '[{"name": "g1", "value": 1, "kind": 1, "kind": 1}, {"name": "g1", "value": 1}]',
        '[{"name": "g1", "value": "1"}]',
        '[{"name": "g1", "value": true}]',
        '[{"name": "g1", "value": NaN}]',
        '[{"name": "g1", "value": 1, "other": 1}]',
        '[{"name": "g1"}]',
        '{"name": "g1", "value": 1}',
        "[]",
        "[",
        "[" * 100_000,
    ],
)
def test_what_needs_a_second_look_is_not_decoded(text):
    assert decode(text.encode()) is None


def test_a_value_that_its_field_refuses_is_told_as_ever():
    text = '[{"name": "g1", "value": 1}, {"name": "g1", "value": 11, "at": "yesterday"}]'
    rows = decode(text.encode())
    assert rows is not None
    assert {(it["row"], it["field"]) for it in outcome(rows)} == {(1, "value"), (1, "at")}
    assert outcome(rows) == outcome(json.loads(text))


def test_numbers_are_read_to_the_last_bit():
    random = np.random.default_rng(1)
    values = random.normal(0, 3, 2_000)
    text = json.dumps([{"name": "g1", "value": value} for value in values.clip(-10, 10).tolist()])
    assert read_rows(decode(text.encode()), Row())["value"].tobytes() == values.clip(-10, 10).tobytes()
