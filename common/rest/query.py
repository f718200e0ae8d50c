"""What a query string may ask for: the rules that hold for every query string of the API."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from common.rest.fields import TimeField, messages_of

FORMAT = "format"  # which the content negotiation reads from every query string
CACHE_BUSTER = "_"  # which scripts make up anew for each call, lest a cache answers it; it says nothing


def with_plus(time: str) -> str:
    """A time with its "+" again, which a query string takes for a space where nobody escaped it."""
    begin, _space, offset = time.rpartition(" ")
    is_time = re.search(r"\d\d:\d\d", begin.rpartition(" ")[2]) and re.fullmatch(r"\d\d:?\d\d", offset)
    return f"{begin}+{offset}" if is_time else time


class QueryTimeField(TimeField):
    """A time as a query string has it."""

    def to_internal_value(self, value: Any) -> datetime:
        return super().to_internal_value(with_plus(value))


class _InstantField(forms.Field):
    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return QueryTimeField(measured=False).to_internal_value(value)
        except ValidationError as error:
            raise forms.ValidationError(messages_of(error)) from None


class _SecondsField(forms.FloatField):
    def to_python(self, value: Any) -> Any:  # a float or None; the stubs say int
        number = super().to_python(value)
        if number is not None and not math.isfinite(number):
            raise forms.ValidationError(self.error_messages["invalid"])
        return number


class InstantFilter(django_filters.IsoDateTimeFilter):
    """An instant as the API takes it, see TimeField."""

    field_class = _InstantField


class SecondsFilter(django_filters.NumberFilter):
    """A time of a recording, in seconds."""

    field_class = _SecondsField

    def get_max_validator(self) -> None:
        return None


class PageQuery(serializers.Serializer):
    """Which part of a list; see `answer_list`."""

    limit = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text=f"행 수 / rows of the answer: at most {settings.API_MAX_RESULT_ROWS:,}, as also when left out. Where "
        "more are asked for, `X-Limit` says so.",
    )
    cursor = serializers.CharField(
        required=False, help_text="다음 쪽 / where it begins: from the `Link` of another one."
    )


def read_query(serializer_class: type[serializers.Serializer], query: QueryDict) -> dict:
    """What a query string asks for, by the fields of a serializer. Raises ValidationError."""
    serializer = serializer_class(data=query)
    _refuse_unknown(query, serializer.fields)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def read_filters(filterset_class: type[FilterSet], query: QueryDict, queryset: QuerySet) -> FilterSet:
    """The filters of a list as its query string has them, valid. Raises ValidationError."""
    filterset = filterset_class(query, queryset)
    _refuse_unknown(query, {**filterset.filters, **PageQuery().fields})
    if not filterset.is_valid():
        raise ValidationError(filterset.errors)
    return filterset


class StrictFilterBackend(DjangoFilterBackend):
    """The filters of a generic view, by `read_filters`."""

    def get_filterset_class(self, view: Any, queryset: QuerySet | None = None) -> type[FilterSet]:
        return view.filterset_class

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        return read_filters(view.filterset_class, request.query_params, queryset).qs


# Fields and filters that take a list of values
_REPEATABLE = serializers.ListField, serializers.MultipleChoiceField, django_filters.MultipleChoiceFilter


def _refuse_unknown(query: QueryDict, known: Mapping) -> None:
    """Raises ValidationError naming each parameter that is not known, empty, or given twice.

    `known` has the fields or filters by name. Passed over, a mistyped or empty one would show everything, and the first
    of two values would not count. The cache buster of scripts may be whatever it is.
    """
    wrong = {}
    for name, values in query.lists():
        if name == CACHE_BUSTER:
            continue
        if name not in known and name != FORMAT:
            wrong[name] = [f"Unknown parameter. Known: {', '.join(sorted({*known, FORMAT}))}."]
        elif "" in values:
            wrong[name] = ["Empty: give it a value or leave it out."]
        elif len(values) > 1 and not isinstance(known.get(name), _REPEATABLE):
            wrong[name] = ["Given more than once."]
    if wrong:
        raise ValidationError(wrong)
