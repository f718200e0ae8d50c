"""Posted rows, checked by column: what that takes and refuses is what each value by itself does."""

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.fields import empty

from common.rest.fields import NameField, NumberField, TimeField, WholeNumberField
from common.rest.rows import InvalidRows, TooLarge, read_rows
from machines.models import Machine


class Row(serializers.Serializer):
    name = NameField(Machine._meta.get_field("name"))
    at = TimeField(required=False, allow_null=True)
    value = NumberField(min_value=-10, max_value=10)
    kind = WholeNumberField(min_value=0, max_value=3, default=0)


def one_by_one(rows: list) -> tuple[list[dict], set[tuple[int, str]]]:
    """What the fields say of each row by itself: the valid rows, and row and field of what is wrong."""
    valid, wrong = [], set()
    for number, row in enumerate(rows):
        read = {}
        for name, field in Row().fields.items():
            try:
                read[name] = field.run_validation(row.get(name, empty))
            except serializers.ValidationError:
                wrong.add((number, name))
            except serializers.SkipField:
                read[name] = None
        wrong |= {(number, name) for name in row if name not in Row().fields}
        valid.append(read)
    return valid, wrong


def by_column(rows: list) -> tuple[list[dict], set[tuple[int, str]]]:
    try:
        columns = read_rows(rows, Row())
    except InvalidRows as error:
        return [], {(it["row"], it["field"]) for it in error.errors}
    lists = {name: column.tolist() if isinstance(column, np.ndarray) else column for name, column in columns.items()}
    lists["at"] = [at and at.replace(tzinfo=UTC) for at in lists["at"]]
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)], set()


plain_times = st.datetimes(datetime(1890, 1, 1), datetime(2026, 11, 1)).map(str)
offset_times = st.builds(
    lambda at, offset: at.isoformat(timespec="milliseconds") + offset,
    st.datetimes(datetime(1890, 1, 1), datetime(2026, 11, 1)),
    st.sampled_from(["Z", "+09:00", "-05:30", "+0900", "+09"]),
)
scraps = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.integers(), st.floats(), st.just([]))
rows_of_any_kind = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.one_of(st.text(max_size=3), st.sampled_from(["g1", " g1 ", "펌프"]), scraps),
            "value": st.one_of(st.floats(-10, 10), st.integers(-11, 11), scraps),
        },
        optional={
            "at": st.one_of(plain_times, offset_times, scraps),
            "kind": st.one_of(st.integers(-1, 4), scraps),
            "other": scraps,
        },
    ),
    max_size=8,
)
good_rows = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["g1", "펌프"]),
            "value": st.floats(-10, 10),
            "at": st.datetimes(datetime(1950, 1, 1), datetime(2026, 11, 1)).map(str),
        }
    ),
    max_size=30,
)


@given(rows=st.one_of(rows_of_any_kind, good_rows), zone=st.sampled_from(["Asia/Seoul", "America/New_York", "UTC"]))
def test_a_column_at_once_says_what_each_value_by_itself_does(rows, zone):
    with override_settings(TIME_ZONE=zone):
        valid, wrong = one_by_one(rows)
        found, named = by_column(rows)
    assert named == wrong
    if not wrong:
        assert found == valid


def test_a_thousand_times_within_an_hour_of_a_clock_change_are_each_right():
    start = datetime(2026, 11, 1, 0, 59, 0)
    rows = [{"name": "g1", "value": 0, "at": (start + timedelta(seconds=i)).isoformat()} for i in range(120)]
    with override_settings(TIME_ZONE="America/New_York"):
        with pytest.raises(InvalidRows) as caught:
            read_rows(rows, Row())
        assert {it["row"] for it in caught.value.errors} == set(range(60, 120))  # from 01:00:00 on, twice each
        columns = read_rows(rows[:60], Row())
    assert columns["at"].tolist() == [datetime(2026, 11, 1, 4, 59) + timedelta(seconds=i) for i in range(60)]


def test_columns_are_as_long_as_the_list_and_numbers_are_an_array():
    columns = read_rows([{"name": "g1", "value": 1}, {"name": "g2", "value": 0.5, "kind": 3}], Row())
    assert columns["name"] == ["g1", "g2"]
    assert columns["at"].tolist() == [None, None]
    assert columns["kind"] == [0, 3]
    assert columns["value"].dtype == np.float64
    assert columns["value"].tolist() == [1.0, 0.5]


def test_no_row_is_no_error():
    assert [len(column) for column in read_rows([], Row()).values()] == [0, 0, 0, 0]


def test_the_limit_of_rows(settings):
    settings.API_MAX_ROWS = 2
    read_rows([{"name": "g1", "value": 1}] * 2, Row())
    with pytest.raises(TooLarge, match="3 rows in one request; at most 2"):
        read_rows([{}] * 3, Row())


def test_a_time_an_hour_ahead_is_a_clock_and_more_is_a_mistake():
    now = datetime.now(UTC)
    rows = [{"name": "g1", "value": 1, "at": (now + timedelta(minutes=minutes)).isoformat()} for minutes in (59, 62)]
    assert by_column(rows)[1] == one_by_one(rows)[1] == {(1, "at")}


def test_a_long_value_is_shown_shortened():
    with pytest.raises(InvalidRows) as caught:
        read_rows([{"name": "g1", "value": "x" * 10_000}, {"name": "g1", "value": math.nan}], Row())
    assert len(json.dumps(caught.value.errors)) < 500


def test_a_number_has_bounds():
    """Without any, a whole column of them could not be checked, and NaN would pass."""
    with pytest.raises(TypeError, match="min_value"):
        NumberField()
