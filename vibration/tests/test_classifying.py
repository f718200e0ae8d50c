"""New, identical, conflicting: as pure numbers, against a dictionary that does the same row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vibration.numbers.classifying import RowClass, classify

rows = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), max_size=30)


def arrays(pairs):
    time = np.array([t for t, _ in pairs], dtype=float)
    values = np.array([[v] * 4 for _, v in pairs], dtype=float).reshape(-1, 4)
    return time, values


@given(rows.filter(bool), st.dictionaries(st.integers(0, 8), st.integers(0, 2)), st.booleans())
def test_a_batch_is_classed_as_if_its_rows_came_one_by_one(batch, stored, replace):
    expected, table = [], dict(stored)
    for time, value in batch:
        if time not in table:
            expected.append(RowClass.NEW)
            table[time] = value
        elif table[time] == value:
            expected.append(RowClass.IDENTICAL)
        else:
            expected.append(RowClass.CONFLICTING)
            if replace:
                table[time] = value

    time, values = arrays(batch)
    result = classify(time, values, *arrays(sorted(stored.items())), replace=replace)
    assert result.classes.tolist() == expected

    after = dict(stored)
    for row in result.insert:
        assert time[row] not in after
        after[time[row]] = values[row, 0]
    for row in result.replace:
        assert after[time[row]] != values[row, 0]
        after[time[row]] = values[row, 0]
    assert after == table
    assert (np.diff(time[result.insert]) > 0).all()


def test_a_difference_in_one_state_is_a_conflict():
    time, values = np.array([1.0]), np.array([[1.0, 2.0, 3.0, 4.0]])
    other = values.copy()
    other[0, 3] = np.nextafter(4.0, 5.0)
    assert classify(time, other, time, values, replace=False).classes.tolist() == [RowClass.CONFLICTING]
    assert classify(time, values, time, values, replace=False).classes.tolist() == [RowClass.IDENTICAL]
