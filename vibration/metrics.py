"""Counts the rows that programs post, in this process. The records of imports say what became of files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import prometheus_client
from rest_framework.exceptions import ValidationError

from common.rest.rows import InvalidRows
from vibration.files.report import COUNTS
from vibration.models import ImportRun
from vibration.numbers.classifying import RowClass

ROWS = prometheus_client.Counter(
    "himmes_api_rows",
    "Rows that the API took in, by what became of each. A list with an invalid row is rejected as a whole.",
    ["data", "way", "row_class"],
)
# From 0 on: of what is not there before it is 1, Prometheus does not see that it has grown.
for _name in COUNTS:
    for _data, _way in (
        ("samples", "json"),
        ("samples", "upload"),
        ("diagnoses", "json"),
        ("captures", "json"),
        ("captures", "binary"),
    ):
        ROWS.labels(_data, _way, _name)


Classes = TypeVar("Classes", bound=Iterable[int])


class Counting(Protocol):
    def __call__(self, classes: Classes) -> Classes: ...


@contextmanager
def counting(data: str, way: str = "json") -> Iterator[Counting]:
    """Gives a function that counts the RowClass of each row and passes them on; an exception counts as refused."""

    def count(classes: Classes) -> Classes:
        for row_class, number in Counter(map(int, classes)).items():
            ROWS.labels(data, way, RowClass(row_class).name.lower()).inc(number)
        return classes

    try:
        yield count
    except (InvalidRows, ValidationError) as error:  # the latter is of a single row
        ROWS.labels(data, way, "rejected").inc(getattr(error, "count", 1))
        raise


def count_upload(run: ImportRun) -> None:
    """An uploaded file: an import, too."""
    for name in COUNTS:
        ROWS.labels("samples", "upload", name).inc(getattr(run, name))
