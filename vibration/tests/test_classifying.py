"""New, identical, conflicting: as pure numbers, against a dictionary that does the same row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vibration.numbers.classifying import RowClass, classify
from vibration.numbers.samples import Samples

rows = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), max_size=30)


def samples(pairs):
    time = np.array([t for t, _ in pairs], dtype=float)
    return Samples(time, np.array([[v] * 4 for _, v in pairs], dtype=float).reshape(-1, 4))


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

    came = samples(batch)
    result = classify(came, samples(sorted(stored.items())), replace=replace)
    assert result.classes.tolist() == expected

    after = dict(stored)
    for row in result.insert:
        assert came.time[row] not in after
        after[came.time[row]] = came.values[row, 0]
    for row in result.replace:
        assert after[came.time[row]] != came.values[row, 0]
        after[came.time[row]] = came.values[row, 0]
    assert after == table
    assert (np.diff(came.time[result.insert]) > 0).all()


def test_a_difference_in_one_state_is_a_conflict():
    stored = Samples(np.array([1.0]), np.array([[1.0, 2.0, 3.0, 4.0]]))
    other = Samples(stored.time, stored.values.copy())
    other.values[0, 3] = np.nextafter(4.0, 5.0)
    assert classify(other, stored, replace=False).classes.tolist() == [RowClass.CONFLICTING]
    assert classify(stored, stored, replace=False).classes.tolist() == [RowClass.IDENTICAL]
