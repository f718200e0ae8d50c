"""Lists in the API: a flat JSON array, sent while it is read.

Where more rows are there than one answer has, the next ones are behind its `Link` header (RFC 8288). What is listed,
and in which order, is for a `Listing` to say; docs/adr/0030-flat-lists.md says why it is so.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.encoding import force_bytes
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.csv_export import CsvRenderer
from common.database.keysets import FETCHED_ROWS, Key, ahead, behind, fields_of, order_of, read_by_key
from common.rest.query import CACHE_BUSTER, PageQuery, StrictFilterBackend

Rows = list[dict]


def _header(name: str, kind: OpenApiTypes, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=[200], description=description)


# For the schema of each list: what may be asked, and what its answer says beside the rows
LIST_PARAMETERS: list[OpenApiParameter | type[serializers.Serializer]] = [
    PageQuery,
    _header("Link", OpenApiTypes.STR, '다음 쪽 / `<address>; rel="next"`: the next rows; none: these are the last.'),
    _header("X-Limit", OpenApiTypes.INT, "줄어든 행 수 / rows that it may have, where `limit` was larger."),
]
TOTAL = _header("X-Total-Count", OpenApiTypes.INT, "전체 행 수 / rows of all pages.")


K = TypeVar("K")


class Listing(Protocol[K]):
    """Rows in a unique order. A key is the place of one of them; the cursor of a page is its text."""

    def key_of(self, cursor: str) -> K:
        """Raises UnknownCursor."""

    def cursor_of(self, key: K) -> str: ...

    def first(self, start: K | None, count: int) -> Rows:
        """Of the rows from `start` on the first ones, at most `count`; the id of a row is its cursor."""

    def key_at(self, start: K | None, number: int) -> K | None:
        """Of the row before which stand `number` others from `start` on; None if there are no more than these."""

    def read(self, start: K | None, before: K | None) -> Iterator[Rows]:
        """The rows from `start` on, as lists of 5,000 of which the last one is shorter; not `before` and beyond."""

    def total(self) -> int | None:
        """All rows; None where they would have to be counted one by one."""


class UnknownCursor(ValidationError):
    def __init__(self) -> None:
        super().__init__({"cursor": ["Not a position in the list. Start again, and follow the `Link` of each answer."]})


class TableRows:
    """The rows of a queryset, whose order must be a unique one. The cursor is the id of the row where a page begins."""

    def __init__(self, queryset: QuerySet, as_rows: Callable[[list], Rows], *, counted: bool = False):
        """`counted`: the table is so short that counting it costs nothing."""
        self.queryset, self.as_rows, self.counted = queryset, as_rows, counted
        self.order = order_of(queryset)
        self.fields = ["pk", *fields_of(self.order)]

    def key_of(self, cursor: str) -> Key:
        is_number = re.fullmatch(r"[0-9]{1,18}", cursor)
        # Also one that the filters leave out by now
        found = self.queryset.model.objects.filter(pk=cursor).values_list(*self.fields).first() if is_number else None
        if not found:
            raise UnknownCursor
        return found

    def cursor_of(self, key: Key) -> str:
        return str(key[0])

    def first(self, start: Key | None, count: int) -> Rows:
        return self.as_rows(list(self._since(start)[:count]))

    def key_at(self, start: Key | None, number: int) -> Key | None:
        keys = self._since(start).values_list(*self.fields)
        return next(iter(keys[number : number + 1]), None)

    def read(self, start: Key | None, before: Key | None) -> Iterator[Rows]:
        rows = self._since(start)
        if before:
            rows = rows.filter(ahead(self.order, before[1:]))
        return map(self.as_rows, read_by_key(rows))

    def total(self) -> int | None:
        return self.queryset.count() if self.counted else None

    def _since(self, start: Key | None) -> QuerySet:
        return self.queryset.filter(behind(self.order, start[1:], included=True)) if start else self.queryset


class FlatList(ListModelMixin, GenericAPIView):
    """Mixed into a generic view of a short table: its list is answered as all are."""

    filter_backends = [StrictFilterBackend]

    def list(  # type: ignore[override]  # the mixin's knows no answer that is sent while it is read
        self, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        found = self.filter_queryset(self.get_queryset())
        return answer_list(request, TableRows(found, lambda it: self.get_serializer(it, many=True).data, counted=True))


class LongList(APIView):
    """The view of a list that is also there as CSV; its `filterset_class` is for `read_filters`."""

    renderer_classes = [JSONRenderer, CsvRenderer]
    filter_backends = [StrictFilterBackend]  # where the schema finds the filters

    def get_renderers(self) -> list[BaseRenderer]:
        is_write = self.request.method == "POST" and hasattr(self, "post")
        return [JSONRenderer()] if is_write else super().get_renderers()


def answer_list(request: Request, listing: Listing[K]) -> HttpResponseBase:
    """A page of a list: as many rows as `limit` and `API_MAX_RESULT_ROWS` allow, and the address of those that follow.

    Where the next page begins is known before the first row is sent. A page that is sent while it is read has the rows
    up to there, also those that have arrived since. So pages share no row, and leave none out.
    """
    query = PageQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    asked, most = query.validated_data.get("limit"), settings.API_MAX_RESULT_ROWS
    limit = min(asked or most, most)
    cursor = query.validated_data.get("cursor")
    start = None if cursor is None else listing.key_of(cursor)
    if limit <= FETCHED_ROWS:
        rows = listing.first(start, limit + 1)
        following = str(rows.pop()["id"]) if len(rows) > limit else None
        response: HttpResponseBase = Response(rows)
    else:
        before = listing.key_at(start, limit)
        following = None if before is None else listing.cursor_of(before)
        response = _sent_while_read(request, listing.read(start, before))
    if following:
        response.headers["Link"] = f'<{_address_of(request, following)}>; rel="next"'
    if asked and asked > most:
        response.headers["X-Limit"] = str(most)
    if (total := listing.total()) is not None:
        response.headers["X-Total-Count"] = str(total)
    return response


def _address_of(request: Request, cursor: str) -> str:
    """Of the same list from another place on, as the caller knows this server."""
    query = request.query_params.copy()
    query.pop(CACHE_BUSTER, None)
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _sent_while_read(request: Request, batches: Iterator[Rows]) -> HttpResponseBase:
    rows = next(batches, [])  # before the answer begins, so that a database that is away is a 503
    if len(rows) < FETCHED_ROWS:
        return Response(rows)
    body = () if request.method == "HEAD" else _as_json(request, chain([rows], batches))
    return StreamingHttpResponse(body, content_type=request.accepted_renderer.media_type)


def _as_json(request: Request, batches: Iterable[Rows]) -> Iterator[bytes]:
    """One JSON array. Its end comes behind the last row only: what breaks off is no JSON, and no shorter list."""
    mark = b"["
    for rows in batches:
        yield mark + force_bytes(request.accepted_renderer.render(rows, request.accepted_media_type, {}))[1:-1]
        mark = b","
    yield b"]"
