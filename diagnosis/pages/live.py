"""Pages whose middle keeps itself up to date: the browser asks each second, and mostly there is nothing to say."""

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from common.polls import mark_poll
from diagnosis.storage.current_states import current_version

T = TypeVar("T")
KEPT_S = 70  # a version lasts a minute at most


def kept_while(version: str, key: str, make: Callable[[], T]) -> T:
    """What `make` returns, kept for all who ask for it while the version stays.

    Under one key, so that what is kept does not grow with the versions.
    """
    kept = cache.get(key)
    if kept is None or kept[0] != version:
        kept = version, make()
        cache.set(key, kept, KEPT_S)
    return kept[1]


def render_live(request: HttpRequest, page: str, part: str, make_context: Callable[[str], dict]) -> HttpResponse:
    """The page; or only its part that changes, when htmx asks for it; or 204 when that is of the version it has.

    `make_context` takes the version, which the part's element sends back in the header `Known-Version`.
    """
    version = current_version()
    if request.headers.get("HX-Request") != "true":
        response = render(request, page, make_context(version) | {"version": version, "part": part})
    elif request.headers.get("Known-Version") == version:
        response = HttpResponse(status=204)
    else:
        response = render(request, part, make_context(version) | {"version": version})
    mark_poll(response, request.headers.get("HX-Request") == "true")
    patch_vary_headers(response, ["HX-Request"])
    # A browser going back must not find the part in place of the page.
    response.headers["Cache-Control"] = "no-store"
    return response
