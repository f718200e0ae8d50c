"""Errors of the API in one shape, RFC 9457 "problem details", whoever made them."""

import json
import logging
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.log import log_response
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.database.errors import DATABASE_ERRORS, Trouble, is_lost_reference, is_undone, trouble_of
from common.rest.rows import Conflict, TooLarge
from himmes.accounts.throttling import StrangerThrottle
from himmes.operations.logs import current_request_id

logger = logging.getLogger("django.himmes")
MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 2_000  # of a hundred rows some fields each
INVALID = "The request is invalid; nothing was changed."


TROUBLES = {
    Trouble.BUSY: "The database is busy with other writes.",
    Trouble.AWAY: "The database does not answer.",
    Trouble.READ_ONLY: "The database takes no writes just now.",
    Trouble.FULL: "The disk of the database is full.",
}


class Unavailable(exceptions.APIException):
    """The database takes no work; the message says what is known of what was sent."""

    status_code = 503

    def __init__(self, trouble: Trouble, error: BaseException, method: str | None):
        self.wait = trouble.retry_after  # seconds, which the exception handler sends as Retry-After
        if method in SAFE_METHODS:
            what = "Try again."
        elif is_undone(error):
            what = "Nothing was stored. Send it again."
        else:
            what = "It is not known whether this was stored. Send it again: what is stored counts as identical."
        super().__init__(f"{TROUBLES[trouble]} {what}")


def log_unavailable(request: HttpRequest, response: HttpResponse, error: BaseException) -> None:
    """One line, in place of the error with its traceback that Django would write."""
    log_response(
        "Answered 503 to %s %s: %s",
        request.method,
        request.path,
        f"{type(error).__name__}: {error}",
        response=response,
        request=request,
        level="warning",
    )


def problem(status: int, detail: str, errors: list[dict] | None = None, **more) -> dict:
    """The body of an error; `errors` names each field that is wrong, with its row in a list of rows."""
    title = HTTPStatus(status).phrase
    errors = [{name: _writable(value) for name, value in error.items()} for error in (errors or [])[:MAX_ERRORS]]
    detail = _writable(detail)
    if status >= 500 and (request_id := current_request_id()):
        more["request_id"] = request_id  # by which it is found in the log
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": errors,
        **more,
    }


def _writable(value):
    """A text without the half characters that JSON can name and UTF-8 can't write."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def answer(exc: Exception, context: dict) -> Response | None:
    """REST framework's exception handler; None for what is a fault of ours, which `ApiErrorsMiddleware` answers."""
    if isinstance(exc, ProtectedError):
        kinds = sorted({str(it._meta.verbose_name_plural) for it in exc.protected_objects})
        exc = Conflict(f"It can't be deleted while it has {' and '.join(kinds)}.")
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        throttle = StrangerThrottle()
        if not throttle.allow_request(context["request"], context["view"]):
            exc = exceptions.Throttled(throttle.wait())
    if is_lost_reference(exc):
        logger.warning("Answered with a conflict: %s", exc)
        exc = Conflict(
            "What this belongs to, or what belongs to it, was changed or deleted meanwhile. Try again: what is stored "
            "counts as identical."
        )
    failure = exc
    if isinstance(exc, DATABASE_ERRORS) and (trouble := trouble_of(exc)):
        exc = Unavailable(trouble, exc, context["request"].method)
    if isinstance(exc, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        exc = TooLarge(str(exc))
    # Whatever media type was asked for
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        errors = list(_by_field(exc.detail))
        detail = INVALID if any(it["field"] for it in errors) else " ".join(it["message"] for it in errors)
    else:
        errors = getattr(exc, "errors", [])
        detail = str(response.data["detail"])
    response.data = problem(response.status_code, detail, errors, **getattr(exc, "extra", {}))
    response.content_type = MEDIA_TYPE
    if isinstance(exc, Unavailable):
        log_unavailable(request, response, failure)
    return response


def _by_field(detail, field: str = ""):
    """Field and message of each error of a ValidationError, whose detail nests as the data does."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            plain = name in ("non_field_errors", "__all__") or isinstance(name, int)  # a place in a list
            yield from _by_field(inner, field if plain else f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list | tuple):
        for inner in detail:
            yield from _by_field(inner, field)
    else:
        yield {"field": field, "message": str(detail)}


class ApiErrorsMiddleware:
    """Middleware, the outermost: turns every other error page under /api/ into the API's shape."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path.startswith("/api/") or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith((MEDIA_TYPE, "text/csv")):
            return response
        status = response.status_code
        details = {
            400: "The request is malformed, or its Host header is none that this server is reached under.",
            404: "There is nothing at this address. /api/docs lists what there is.",
            500: "The server failed; its log says why. A list of rows is stored whole or, as perhaps here, not at all: "
            "post it again.",
        }
        # In place: headers such as those of CORS stay.
        response.content = json.dumps(problem(status, details.get(status) or HTTPStatus(status).description))
        response.headers["Content-Type"] = MEDIA_TYPE
        response.headers["Content-Length"] = str(len(response.content))
        return response
