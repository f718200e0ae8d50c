"""Lists of rows as programs post them: checked column by column, reported row by row.

Checking 1,000 rows through a nested serializer takes longer than storing them. Here every column is taken at once:
numbers by numpy, texts once for each different value. Only where that fails is each value asked by itself; so what a
good row is, and what is wrong with a bad one, is in both cases said by the same serializer fields. Rows that come as
columns, from decoding.py, are made dictionaries only to say what is wrong with them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, TypedDict

from django.conf import settings
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.fields import SkipField, empty

from common.rest.decoding import DecodedRows
from common.rest.fields import ColumnField, messages_of

NAMED_ROWS = 100  # the bad rows that an answer names; it says how many there are
NAMED_FIELDS = 20  # of one row that it does not know


class BadValue(TypedDict):
    """What is wrong in a row; the field is empty when it is the row as a whole."""

    row: int
    field: str
    message: str


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class InvalidRows(APIException):
    """At least one row is not as it must be: `errors` lists row, field and message; nothing was stored."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid"

    def __init__(self, errors: dict[int, list[tuple[str, str]]], count: int):
        """`errors` has the fields and messages of each bad row by its index, of `count` rows."""
        self.count = count
        named = sorted(errors)[:NAMED_ROWS]
        self.errors: list[BadValue] = [
            {"row": row, "field": field, "message": message} for row in named for field, message in errors[row]
        ]
        are = "row is" if len(errors) == 1 else "rows are"
        told = f" The first {NAMED_ROWS} are listed." if len(errors) > NAMED_ROWS else ""
        super().__init__(f"{len(errors):,} of {count:,} {are} invalid; nothing was stored.{told} Rows count from 0.")


def read_rows(rows: Any, serializer: serializers.Serializer) -> dict:
    """The columns of a list of rows, or of DecodedRows, by the serializer's field names, each as long as the list.

    A column is a list of validated values; of a NumberField it is float64 (n,), of a TimeField datetime64[us] (n,) in
    UTC with NaT where no time is given. Raises InvalidRows, TooLarge when there are more than `API_MAX_ROWS` rows,
    ValidationError when it is no list.
    """
    if not isinstance(rows, list | DecodedRows):
        raise serializers.ValidationError("Post a JSON list of rows.")
    if len(rows) > settings.API_MAX_ROWS:
        raise TooLarge(f"{len(rows):,} rows in one request; at most {settings.API_MAX_ROWS:,} are allowed. Send parts.")
    if isinstance(rows, DecodedRows):
        read = {name: _read_column(field, rows.columns[name]) for name, field in serializer.fields.items()}
        if not any(wrong for _column, wrong in read.values()):
            return {name: column for name, (column, _wrong) in read.items()}
        rows = rows.as_dicts()
    errors: dict[int, list[tuple[str, str]]] = defaultdict(list)
    unknown = f"Unknown field. Known: {', '.join(serializer.fields)}."
    numbers: Sequence[int] = range(len(rows))  # of the rows whose fields can be looked at
    if not set(map(type, rows)) <= {dict}:
        numbers = [number for number, row in enumerate(rows) if isinstance(row, dict)]
        for number in set(range(len(rows))).difference(numbers):
            errors[number].append(("", "Must be a JSON object with the fields of a row."))
    looked_at = [rows[number] for number in numbers]
    known = dict.fromkeys(serializer.fields).keys()  # the serializer's own mapping is slow to look into
    for number, row in zip(numbers, looked_at, strict=True):
        if not row.keys() <= known:
            errors[number] += [(_shortened(name), unknown) for name in islice(row.keys() - known, NAMED_FIELDS)]
    given = _transposed(looked_at, known)
    columns = {}
    for name, field in serializer.fields.items():
        columns[name], wrong = _read_column(field, given[name])
        for position, message in wrong:
            errors[numbers[position]].append((name, message))
    if errors:
        raise InvalidRows(errors, len(rows))
    return columns


def sent_for(name: str, rows: list[dict] | DecodedRows) -> Sequence:
    """What was sent for a field, row by row, before it was looked at; `empty` where a row does not have it."""
    return rows.columns[name] if isinstance(rows, DecodedRows) else [row.get(name, empty) for row in rows]


def _transposed(rows: list[dict], names: Iterable[str]) -> dict[str, Sequence]:
    """The values of each of these keys; `empty` where a row does not have it."""
    order = tuple(rows[0]) if rows else ()
    if order and all(tuple(row) == order for row in rows):  # as one program writes them
        given = dict(zip(order, zip(*map(dict.values, rows), strict=True), strict=True))
        return {name: given.get(name) or [empty] * len(rows) for name in names}
    return {name: [row.get(name, empty) for row in rows] for name in names}


def _read_column(field: serializers.Field, values: Sequence) -> tuple:
    """The validated values of a field, and number and message of each row whose value is wrong."""
    if isinstance(field, ColumnField) and (array := field.run_column(values)) is not None:
        return array, []
    if set(map(type, values)) == {str} or set(map(id, values)) == {id(empty)}:
        outcomes = {value: _validated(field, value) for value in set(values)}
        found = [outcomes[value] for value in values]
    else:
        found = [_validated(field, value) for value in values]
    wrong = [(number, message) for number, (_value, messages) in enumerate(found) for message in messages]
    column = [value for value, _messages in found]
    return field.to_column(column) if isinstance(field, ColumnField) and not wrong else column, wrong


def _validated(field: serializers.Field, value: Any) -> tuple:
    try:
        return field.run_validation(value), []
    except serializers.ValidationError as error:
        return None, messages_of(error)
    except SkipField:
        return None, []


def _shortened(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
