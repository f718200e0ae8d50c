"""Limits on request bodies, checked against the head before any of the body is kept.

The worker asks as soon as it has read a head, and the middleware asks for servers that do not.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from himmes.api.errors import MEDIA_TYPE, problem

UPLOAD_PATHS = {"/api/vibration-data/csv", "/vibration/upload/preview", "/vibration/upload/store"}
STRANGERS_BYTES = 64 * 1024  # without a token or a login; far more than the login form needs
REFUSAL = "himmes.refusal"  # in the environ: what the worker has found
_WORDS = {
    411: _("This server does not accept chunked bodies."),
    413: _("What you sent is larger than this page accepts."),
    503: _("The server is busy with other large uploads. Send it again later."),
}


@dataclass(frozen=True)
class Refusal:
    """Why a body is not read."""

    status: int
    detail: str  # for programs
    retry_after: int | None = None  # seconds


BUSY = Refusal(503, "The server holds as many large bodies as it can. Send it again.", retry_after=5)


def limit_of(environ: dict) -> int:
    """The bytes that a body may have, by its address and by whether its sender shows any credentials at all."""
    path = environ.get("PATH_INFO", "").rstrip("/")
    if path in UPLOAD_PATHS:
        limit = settings.API_MAX_UPLOAD_BYTES
    elif path.startswith("/api/"):
        limit = settings.API_MAX_BODY_BYTES
    else:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return limit if _has_credentials(environ) else min(limit, STRANGERS_BYTES)


def refusal_of(environ: dict) -> Refusal | None:
    """Why the body of a request with this head is not to be read; None when it is."""
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return Refusal(411, "Send the body with a Content-Length; this server reads no chunked bodies.")
    length = environ.get("CONTENT_LENGTH") or "0"
    return too_large(environ) if length.isascii() and length.isdigit() and int(length) > limit_of(environ) else None


def too_large(environ: dict) -> Refusal:
    """What to say of a body that is larger than `limit_of` allows."""
    limit = limit_of(environ)
    if not _has_credentials(environ):
        return Refusal(413, f"A body of more than {limit:,} bytes needs a token or a login.")
    if environ.get("PATH_INFO", "").rstrip("/") in UPLOAD_PATHS:
        return Refusal(413, f"An upload may have at most {limit:,} bytes. Compress the file, or use import_vibration.")
    return Refusal(413, f"The body has more than {limit:,} bytes, the limit of one request. Send parts.")


class BodyLimitMiddleware:
    """Answers for a body that is too large, before anything further in touches it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal = request.META.get(REFUSAL) or refusal_of(request.META)
        return self.get_response(request) if refusal is None else _answer(request, refusal)


class NoFiles(FileUploadHandler):
    """For every page but those that take files: no part of a form is written to the disk."""

    def new_file(self, *args, **kwargs):
        raise SuspiciousOperation("A file was sent to a page that accepts none.")

    def receive_data_chunk(self, raw_data, start):
        raise AssertionError("not reached: new_file refuses")

    def file_complete(self, file_size):
        return None


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    status = refusal.status
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse(problem(status, refusal.detail), status=status, content_type=MEDIA_TYPE)
    else:
        response = render(None, "body_refused.html", {"words": _WORDS[status]}, status=status)
    if refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _has_credentials(environ: dict) -> bool:
    """Whether there is something to look up; what it is worth is asked later."""
    return "HTTP_AUTHORIZATION" in environ or f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
