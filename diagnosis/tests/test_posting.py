"""Lists of diagnoses of many machines: what is stored of each is found by few statements."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diagnosis.storage import writing
from diagnosis.storage.writing import post_diagnoses
from diagnosis.tests.world import ago
from vibration.numbers.classifying import RowClass

pytestmark = pytest.mark.django_db


def of_machines(count: int, each: int, *, confidence: float = 0.9) -> dict:
    """Columns of a list: so many diagnoses of each machine, by turns."""
    begin, numbers = ago(60_000).replace(tzinfo=None), range(count * each)
    return {
        "machine_name": [f"m{number % count}" for number in numbers],
        "detected_at": np.array(
            [begin.replace(microsecond=0, second=0) + timedelta(minutes=n // count) for n in numbers],
            "datetime64[us]",
        ),
        "fault_type": [0] * len(numbers),
        "model_name": ["cnn"] * len(numbers),
        "confidence": np.full(len(numbers), confidence),
    }


@pytest.mark.parametrize(("count", "each"), [(1, 1), (3, 200), (120, 3), (2, 1_100)])
def test_rows_of_many_machines_are_each_compared_with_what_is_stored(count, each):
    columns = of_machines(count, each)
    assert set(post_diagnoses(columns)) == {RowClass.NEW}
    assert set(post_diagnoses(columns)) == {RowClass.IDENTICAL}
    columns["confidence"][-1] = 0.1
    assert post_diagnoses(columns)[-2:] == [RowClass.IDENTICAL, RowClass.CONFLICTING][-min(2, count * each) :]


def test_a_statement_looks_for_what_is_stored_of_fifty_machines():
    columns = of_machines(120, 3)
    post_diagnoses(columns)
    with CaptureQueriesContext(connection) as queries:
        post_diagnoses(columns)
    looks = [it["sql"] for it in queries if it["sql"].startswith("SELECT") and "confidence" in it["sql"]]
    assert len(looks) == -(-120 // writing.MACHINES_PER_STATEMENT)
