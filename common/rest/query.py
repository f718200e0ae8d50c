"""What a query string may ask for: the rules that hold for every query string of the API."""

import math
import re
from datetime import datetime

import django_filters
from django import forms
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from common.rest.fields import TimeField

# What lists and content negotiation read from the same query string
OTHER_PARAMETERS = {"cursor", "limit", "format"}
CACHE_BUSTER = "_"  # which scripts make up anew for each call, lest a cache answers it; it says nothing


def with_plus(time: str) -> str:
    """A time with its "+" again, which a query string takes for a space where nobody escaped it."""
    begin, _space, offset = time.rpartition(" ")
    is_time = re.search(r"\d\d:\d\d", begin.rpartition(" ")[2]) and re.fullmatch(r"\d\d:?\d\d", offset)
    return f"{begin}+{offset}" if is_time else time


class QueryTimeField(TimeField):
    """A time as a query string has it."""

    def to_internal_value(self, value) -> datetime:
        return super().to_internal_value(with_plus(value))


class _InstantField(forms.Field):
    def to_python(self, value):
        if value in self.empty_values:
            return None
        try:
            return QueryTimeField(measured=False).to_internal_value(value)
        except ValidationError as error:
            raise forms.ValidationError([str(message) for message in error.detail]) from None


class _SecondsField(forms.FloatField):
    def to_python(self, value):
        number = super().to_python(value)
        if number is not None and not math.isfinite(number):
            raise forms.ValidationError(self.error_messages["invalid"])
        return number


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantFilter(django_filters.Filter):
    """An instant as the API takes it, see TimeField."""

    field_class = _InstantField


@extend_schema_field(OpenApiTypes.DOUBLE)
class SecondsFilter(django_filters.Filter):
    """A time of a recording, in seconds."""

    field_class = _SecondsField


class StrictFilterBackend(DjangoFilterBackend):
    """Answers a parameter that nobody knows as it answers a wrong value."""

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset(request, queryset, view)
        refuse_unknown(request.query_params, set(filterset.filters) | OTHER_PARAMETERS)
        return super().filter_queryset(request, queryset, view)


def refuse_unknown(query, known: set[str], repeatable: set[str] = frozenset()) -> None:
    """Raises ValidationError naming each parameter that is not known, empty, or given twice.

    Passed over, a mistyped or empty one would show everything, and the first of two values would not count. The cache
    buster of scripts may be whatever it is.
    """
    wrong = {}
    for name in query:
        if name == CACHE_BUSTER:
            continue
        if name not in known:
            wrong[name] = [f"Unknown parameter. Known: {', '.join(sorted(known))}."]
        elif "" in query.getlist(name):
            wrong[name] = ["Empty: give it a value or leave it out."]
        elif len(query.getlist(name)) > 1 and name not in repeatable:
            wrong[name] = ["Given more than once."]
    if wrong:
        raise ValidationError(wrong)


def read_query(serializer_class: type[serializers.Serializer], query, repeatable: set[str] = frozenset()) -> dict:
    """What a query string asks for, validated by the fields of a serializer. Raises ValidationError."""
    serializer = serializer_class(data=query)
    refuse_unknown(query, {*serializer.fields, "format"}, repeatable)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def parameters_of(filterset: type[FilterSet]) -> list[OpenApiParameter]:
    """A filter set's parameters for the OpenAPI schema of a view that is no generic one."""
    types = {InstantFilter: OpenApiTypes.DATETIME, SecondsFilter: OpenApiTypes.DOUBLE}
    found = []
    for name, it in filterset.base_filters.items():
        choices = getattr(it.extra.get("choices"), "values", None)
        kind = OpenApiTypes.INT if choices else types.get(type(it), OpenApiTypes.STR)
        many = isinstance(it, django_filters.MultipleChoiceFilter)
        found.append(OpenApiParameter(name, kind, enum=choices, many=many, description=it.extra["help_text"]))
    return found
