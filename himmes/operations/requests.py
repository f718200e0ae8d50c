"""Each request gets an id, a line in the log, and its place in the metrics."""

import logging
import re
import time
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from common.addresses import address_of
from common.polls import is_poll
from himmes.operations import metrics
from himmes.operations.logs import about

logger = logging.getLogger("himmes.requests")
REQUEST_ID = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._=-]{8,64}", re.ASCII)
_QUIET = {"healthz", "readyz", "metrics", "static"}  # asked for every few seconds, or by the dozen


class NamedRequest(HttpRequest):
    """A request that has its id."""

    id: str


class RequestLogMiddleware:
    """Middleware, the outermost. A duration ends when the answer begins: rows of a CSV are still to be sent then."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: NamedRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request.id = id_of(request)
        with about(request):
            response = self.get_response(request)
            response.headers[REQUEST_ID] = request.id
            seconds = time.perf_counter() - started
            view = view_of(request)
            metrics.count_request(request, response, view, seconds)
            status = response.status_code
            is_quiet = status < 400 and (view in _QUIET or is_poll(response))
            logger.log(
                logging.DEBUG if is_quiet else logging.INFO,
                "%s %s %s",
                request.method,
                request.path.encode("unicode_escape").decode(),
                status,
                extra={
                    "status": status,
                    "duration_ms": round(seconds * 1_000, 1),
                    "address": address_of(request),
                    **_caller(request),
                },
            )
        return response


def id_of(request: HttpRequest) -> str:
    """What the proxy calls the request, or a new id: from elsewhere the header could be anybody's."""
    given = request.headers.get(REQUEST_ID, "")
    return given if settings.BEHIND_PROXY and _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


def view_of(request: HttpRequest) -> str:
    """The name of what answered: one of a few dozen, however many addresses are tried."""
    if request.resolver_match:
        return request.resolver_match.view_name
    if request.path_info in ("/healthz", "/readyz"):
        return request.path_info[1:]
    return "static" if request.path.startswith(settings.STATIC_URL) else "none"


def _caller(request: HttpRequest) -> dict:
    """The numbers of user and token, as far as they are known: the database, which may be away, is not asked."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject) and not hasattr(request, "_cached_user"):
        user = None
    return {"user": getattr(user, "pk", None), "token": getattr(getattr(request, "auth", None), "pk", None)}
