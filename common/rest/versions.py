"""Changes of one row by the API that wipe nobody else's: under its lock and, if If-Match asks for it, of a version."""

import hashlib
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="읽을 때 받은 `ETag`. 그 뒤에 바뀌었으면 412. / the `ETag` that came when it was read. "
    "If it was changed since, the answer is 412 and nothing is changed.",
)


class Changed(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It was changed since you read it; nothing was changed now. Read it again."
    default_code = "changed"


class Versioned(GenericAPIView):
    """Mixed into a view of one row: its answers have an ETag, by which a change may say what it is a change of.

    A change waits for others of the same row, and takes what they left in place of the fields that it does not have.
    """

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code == status.HTTP_200_OK and request.method != "OPTIONS":
            response.headers["ETag"] = _version_of(response.data)
        return response

    def lock(self, serializer: BaseSerializer) -> None:
        """In the transaction that then saves: the row as it is now. Raises Changed if If-Match names another."""
        # Of the row alone: joined to others, these would be locked too.
        rows = self.get_queryset().model._default_manager.select_for_update()
        changed: Any = serializer.instance  # there is one, as it is a change
        serializer.instance = row = get_object_or_404(rows, pk=changed.pk)
        named = self.request.headers.get("If-Match")
        if named is None:
            return
        known = {it.removeprefix("W/") for it in parse_etags(named)}  # whoever compresses an answer makes its tag weak
        if "*" not in known and _version_of(self.get_serializer(row).data) not in known:
            raise Changed


def _version_of(data: dict) -> str:
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'
