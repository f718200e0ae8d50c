"""The shape of an answer: what its fields are is what is sent."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from rest_framework import serializers

from common.rest.shapes import Column, MillisecondColumn, Shape


class Point(Shape):
    x = serializers.FloatField(source="place.x")
    label = serializers.CharField(required=False)
    row = serializers.IntegerField(required=False)
    tags = Column(child=serializers.CharField(), required=False)
    color = serializers.CharField(allow_null=True)


def test_an_answer_has_the_fields_in_their_order_each_from_its_source():
    place = SimpleNamespace(x=1)
    found = Point.of({"color": "red", "tags": ["a"], "row": 3, "label": "A", "place": place})
    assert json.dumps(found) == '{"x": 1.0, "label": "A", "row": 3, "tags": ["a"], "color": "red"}'
    assert tuple(found) == Point.names()


@pytest.mark.parametrize("empty", [{}, {"label": "", "tags": []}, {"label": None, "tags": None}])
def test_what_is_optional_and_empty_is_left_out_and_nothing_else(empty):
    place = SimpleNamespace(x=0)
    assert Point.of({"place": place, "row": 0, "color": None} | empty) == {"x": 0.0, "row": 0, "color": None}


def test_columns_are_sent_as_json_has_them():
    class Columns(Shape):
        whole = Column(child=serializers.IntegerField())
        known = Column(child=serializers.FloatField(allow_null=True))
        at = MillisecondColumn()

    values = {"whole": np.array([1, 2], np.int8), "known": np.array([0.5, np.nan]), "at": np.array([1_500, 2_000])}
    assert json.dumps(Columns.of(values)) == '{"whole": [1, 2], "known": [0.5, null], "at": [1.5, 2.0]}'
