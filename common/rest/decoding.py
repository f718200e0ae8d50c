"""Lists of rows read from JSON straight into columns, where nothing in them needs a second look.

To read 1,000 rows as dictionaries, with a look for keys that come twice, takes longer than to store them. msgspec takes
only what has the shape of a row: the fields of a serializer, each of its JSON type. What it does not take is read by
`json` and then field by field; so what a good row is, and what is wrong with a bad one, is said there alone.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from rest_framework import serializers
from rest_framework.fields import empty

from common.rest.fields import NumberField, TextField, TimeField, WholeNumberField

_JSON_TYPES = {NumberField: float, WholeNumberField: int, TextField: str, TimeField: str}


class DecodedRows:
    """A list of rows in the shape that a serializer's fields want; the values themselves are still to be looked at."""

    def __init__(self, body: bytes, columns: dict[str, Sequence]):
        """`columns` has what was sent for each field, `empty` where a row does not have it."""
        self.body, self.columns = body, columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def as_dicts(self) -> list[dict]:
        """The rows as `json` reads them, for what has to be said of one."""
        return json.loads(self.body)


class RowDecoder:
    """Reads JSON lists of the rows of one serializer."""

    def __init__(self, serializer: type[serializers.Serializer]):
        fields = serializer().fields
        required = [(name, _json_type(field)) for name, field in fields.items() if field.required]
        self._optional = [name for name, field in fields.items() if not field.required]
        others = [(name, _json_type(fields[name]) | UnsetType, UNSET) for name in self._optional]
        # gc: rows of numbers and texts form no cycles
        row: Any = msgspec.defstruct("Row", [*required, *others], forbid_unknown_fields=True, gc=False)
        self._names: tuple[str, ...] = row.__struct_fields__
        self._texts = {name for name, field in fields.items() if isinstance(field, TextField | TimeField)}
        self._decoder = msgspec.json.Decoder(list[row])

    def decode(self, body: bytes) -> DecodedRows | None:
        """The rows; None when they need a second look: not of this shape, none at all, or with a key twice in one."""
        if b'\\"' in body:
            return None  # quotes are counted, and this one would be too many
        try:
            rows = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not rows:
            return None
        columns: dict[str, Sequence] = dict(
            zip(self._names, zip(*map(msgspec.structs.astuple, rows), strict=True), strict=True)
        )
        # Of a key that comes twice in a row, msgspec keeps the last value. As it lets no key pass that it does not
        # know, the quotes tell whether there is more than it has kept: two for each key and for each text.
        left_out = {name: columns[name].count(UNSET) for name in self._optional}
        keys = len(rows) * len(columns) - sum(left_out.values())
        texts = sum(len(rows) - columns[name].count(None) - left_out.get(name, 0) for name in self._texts)
        if body.count(b'"') != 2 * (keys + texts):
            return None
        for name in filter(left_out.get, left_out):
            columns[name] = tuple(empty if value is UNSET else value for value in columns[name])
        return DecodedRows(body, columns)


@cache
def decoder_of(serializer: type[serializers.Serializer]) -> RowDecoder:
    """One for all requests: to make it takes longer than to read a list."""
    return RowDecoder(serializer)


def _json_type(field: serializers.Field) -> Any:
    [kind] = {kind for known, kind in _JSON_TYPES.items() if isinstance(field, known)}
    return kind | None if field.allow_null else kind
