"""Shapes of answers, each told once: the schema quotes the class, and the answer is made by it.

A `Shape` holds a value for each field, in their order; optional texts and lists that are empty are left out. What the
answer is made of stands in a comment of each shape: its docstring is for the readers of the schema.
"""

import math
from functools import cache, cached_property
from typing import Any

import numpy as np
from rest_framework import serializers

_EMPTY: tuple = (None, "", [], {})


class Shape(serializers.Serializer):  # without a docstring, which the schema would give to each shape that has none
    @classmethod
    def of(cls, values: object) -> dict:
        """The answer; each field is taken from where its `source` says, of a mapping or of attributes."""
        return _only(cls).to_representation(values)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Of the fields. The answer to rows by the thousand is `dict(zip(names, row))`, where no value is looked at."""
        return tuple(_only(cls).fields)

    def to_representation(self, instance: Any) -> dict:
        told = super().to_representation(instance)
        for name in self._optional:
            if told.get(name, 0) in _EMPTY:
                del told[name]
        return told

    @cached_property
    def _optional(self) -> list[str]:
        return [name for name, field in self.fields.items() if not field.required]


@cache
def _only(shape: type[Shape]) -> Shape:
    """One for all answers: to make its fields takes longer than to make an answer of them."""
    return shape()


class Column(serializers.ListField):
    """A list of values that are what JSON has already, or an array: they are not looked at one by one.

    Where its child may be null, NaN is.
    """

    def to_representation(self, data: list | np.ndarray) -> list:
        if isinstance(data, list):
            return data
        values = data.tolist()
        return [None if math.isnan(value) else value for value in values] if self.child.allow_null else values


class MillisecondColumn(Column):
    """Instants, in microseconds since 1970 as they are read, int64 (n,), and in milliseconds as JavaScript has them."""

    def __init__(self, **kwargs: Any):
        super().__init__(child=serializers.FloatField(), **kwargs)

    def to_representation(self, data: list | np.ndarray) -> list:
        return super().to_representation(np.asarray(data) / 1_000)
