"""New captures out of what programs post: bytes with a query string, JSON, or parts with a description of each.

What is wrong is told by field, in a ValidationError: `samples` of bytes, `values` of JSON.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from rest_framework.exceptions import ValidationError

from common.rest.rows import InvalidRows, TooLarge
from machines.models import RegisteredBy
from vibration.api.capture_serializers import MAX_AXES, TYPES, BulkCapture, clean_axis
from vibration.captures.conflicts import Stored
from vibration.captures.incoming import NewCapture
from vibration.captures.storing import store_captures

MAX_CAPTURES = 100  # in one post: each costs some milliseconds, and all are in one transaction
SAMPLES, VALUES = "samples", "values"
LITTLE_ENDIAN = {name: np.dtype(name).newbyteorder("<") for name in TYPES}
INT16 = np.iinfo(np.int16)
EXACT_IN_A_DOUBLE = 2**53

Said = dict[str, Any]  # validated data of a description
Arrays = dict[str, np.ndarray]  # of each axis
Errors = dict[int, list[tuple[str, str]]]  # fields and messages of each bad row


def from_bytes(said: Said, body: bytes, source: str) -> list[NewCapture]:
    """Of samples that are interleaved axis by axis, little-endian. Raises ValidationError."""
    kind, axes = LITTLE_ENDIAN[said["dtype"]], said["axis"]
    each = kind.itemsize * len(axes)
    if len(body) % each:
        of_axes = f" of each of {len(axes)} axes" if len(axes) > 1 else ""
        raise ValidationError(
            {
                SAMPLES: f"{len(body):,} bytes are no multiple of {each}: one {said['dtype']}{of_axes} takes so many. "
                "Is the body cut off, or dtype or axis another one?"
            }
        )
    return _captures(said, _apart(np.frombuffer(body, kind), axes), source)


def from_json(said: Said, source: str) -> list[NewCapture]:
    """Of a PostedCapture. Raises ValidationError."""
    values, kind = said["values"], said["dtype"]
    if isinstance(values, dict):
        if "axis" in said:
            raise ValidationError({"axis": "Leave it out: the names of the axes are the keys of `values`."})
        return _captures(said, {axis: _numbers(them, kind, axis) for axis, them in _of_axes(values).items()}, source)
    if "axis" not in said:
        raise ValidationError({"axis": "This field is required with a list of values."})
    axes = said["axis"]
    if len(values) % len(axes):
        raise ValidationError(
            {VALUES: f"{len(values):,} values are no multiple of {len(axes)} axes: they come x0, y0, z0, x1, ..."}
        )
    return _captures(said, _apart(_numbers(values, kind), axes), source)


def from_parts(described: Any, part: Callable[[str], bytes | None], source: str) -> list[list[NewCapture]]:
    """Of a list of descriptions, each with the name of its `part`. Raises InvalidRows, TooLarge, ValidationError."""
    if not isinstance(described, list):
        raise ValidationError({"captures": "Must be a JSON list of objects, one for each part."})
    if len(described) > MAX_CAPTURES:
        raise _too_many(len(described))
    errors: Errors = {}
    found: list[list[NewCapture]] = []
    named: set[str] = set()
    for number, row in enumerate(described):
        try:
            said = _described(row)
            if said["part"] in named:
                raise ValidationError({"part": f'The part "{said["part"]}" belongs to another capture already.'})
            named.add(said["part"])
            body = part(said["part"])
            if body is None:
                raise ValidationError({"part": f'There is no file part "{said["part"]}", or more than one.'})
            found.append(from_bytes(said, body, source))
        except ValidationError as error:
            errors[number] = _fields_of(error)
    if errors:
        raise InvalidRows(errors, len(described))
    return found


def post(rows: Sequence[list[NewCapture]], poster: str) -> list[Stored]:
    """Store the captures of each row, all or none. Raises InvalidRows by these rows, and TooLarge."""
    captures = [it for row in rows for it in row]
    if len(captures) > MAX_CAPTURES:
        raise _too_many(len(captures))
    register = RegisteredBy.API if settings.API_REGISTERS_MACHINES else None
    try:
        return store_captures(captures, register=register, poster=poster)
    except InvalidRows as error:
        raise InvalidRows(_by_row(error, rows), len(rows)) from None


def _by_row(error: InvalidRows, rows: Sequence[list[NewCapture]]) -> Errors:
    """What is wrong with captures, told of the rows that they came in: what is so of each axis is told once."""
    row_of = [number for number, row in enumerate(rows) for _capture in row]
    captures = [it for row in rows for it in row]
    found: Errors = {}
    for bad in error.errors:
        number, field, message = row_of[bad["row"]], bad["field"], bad["message"]
        if field == SAMPLES and len(rows[number]) > 1:
            message = f"Axis {captures[bad['row']].axis}: {message}"
        if (field, message) not in found.setdefault(number, []):
            found[number].append((field, message))
    return found


def _described(row: Any) -> Said:
    posted = BulkCapture(data=row)
    posted.is_valid(raise_exception=True)
    return posted.validated_data


def _fields_of(error: ValidationError) -> list[tuple[str, str]]:
    detail = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    return [
        ("" if field == "non_field_errors" else field, str(message))
        for field, messages in detail.items()
        for message in (messages if isinstance(messages, list) else [messages])
    ]


def _too_many(count: int) -> TooLarge:
    return TooLarge(f"{count:,} captures in one request; at most {MAX_CAPTURES} are allowed. Send parts.")


def _captures(said: Said, arrays: Arrays, source: str) -> list[NewCapture]:
    return [
        NewCapture(
            said["machine_name"],
            said["sensor_no"],
            axis,
            said["started_at"],
            said["sampling_hz"],
            values,
            said["unit"],
            said.get("rpm"),
            said.get("scale"),
            source=source,
        )
        for axis, values in arrays.items()
    ]


def _apart(interleaved: np.ndarray, axes: list[str]) -> Arrays:
    table = interleaved.reshape(-1, len(axes))
    return {axis: np.ascontiguousarray(table[:, number]) for number, axis in enumerate(axes)}


def _of_axes(values: dict[str, Any]) -> dict[str, list]:
    if not 0 < len(values) <= MAX_AXES:
        raise ValidationError({VALUES: f"{len(values)} axes; send from 1 to {MAX_AXES}."})
    found: dict[str, list] = {}
    for name, them in values.items():
        try:
            axis = clean_axis(name)
        except ValidationError as error:
            raise ValidationError({VALUES: error.detail}) from None
        if axis in found:
            raise ValidationError({VALUES: f'The axis "{axis}" is named twice.'})
        if not isinstance(them, list):
            raise ValidationError({VALUES: f"Axis {axis}: send a list of numbers."})
        found[axis] = them
    return found


def _numbers(values: list, kind: str, axis: str = "") -> np.ndarray:
    """Numbers of JSON as an array of that type, each of them what was sent."""
    if not set(map(type, values)) <= {int, float}:
        place = next(it for it, value in enumerate(values) if type(value) not in (int, float))
        raise _bad_value(place, values, axis, "is not a number")
    try:
        numbers = np.array(values, np.float64)
    except OverflowError:
        place = max(range(len(values)), key=lambda it: abs(values[it]))
        raise _bad_value(place, values, axis, "is too large") from None
    # Rounded, two numbers that were sent would be one: the second would be taken for the first, sent again.
    for place in np.flatnonzero(np.abs(numbers) >= EXACT_IN_A_DOUBLE).tolist():
        if type(values[place]) is int and int(numbers[place]) != values[place]:
            raise _bad_value(place, values, axis, "has more digits than a double holds")
    if kind == "int16":
        fits = (numbers == np.trunc(numbers)) & (numbers >= INT16.min) & (numbers <= INT16.max)  # false for NaN
        if not fits.all():
            raise _bad_value(
                int(np.argmin(fits)), values, axis, f"is no whole number from {INT16.min:,} to {INT16.max:,}"
            )
    elif (too_large := np.isfinite(numbers) & (np.abs(numbers) > np.finfo(kind).max)).any():
        raise _bad_value(int(np.argmax(too_large)), values, axis, f"is too large for {kind}")
    return numbers.astype(kind)


def _bad_value(place: int, values: list, axis: str, what: str) -> ValidationError:
    shown = json.dumps(values[place], ensure_ascii=False)
    shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
    where = f"Axis {axis}: value" if axis else "Value"
    return ValidationError({VALUES: f"{where} {place} {what}: {shown}. Values count from 0."})
