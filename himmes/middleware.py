"""The language and the headers of each answer, and that of a page which was asked for too often."""

import math
import re

from django.core.exceptions import DisallowedHost
from django.http.request import split_domain_port
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.utils import translation
from rest_framework.exceptions import Throttled

# Nothing here needs any of these.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "browsing-topics",
        "camera",
        "display-capture",
        "encrypted-media",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)

MAX_PORT = 65_535
PORT = re.compile("[1-9][0-9]{0,4}")


class LanguageMiddleware(LocaleMiddleware):
    """Pages speak the reader's language. The API speaks English, so that a program always reads the same."""

    def process_request(self, request):
        if not request.path.startswith(("/api/", "/metrics")):
            return super().process_request(request)
        translation.activate("en")
        request.LANGUAGE_CODE = "en"
        return None


class PortMiddleware:
    """Refuses a Host whose port can't be; Django looks at its name alone, and the whole comes back in addresses."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        host = request.headers.get("Host", "")
        _name, port = split_domain_port(host)
        if port and not (PORT.fullmatch(port) and int(port) <= MAX_PORT):
            raise DisallowedHost(f"Invalid HTTP_HOST header: {host[:100]!r}. There is no such port.")
        return self.get_response(request)


class HeadersMiddleware:
    """Headers that Django has no setting for, on each answer, static files and errors included."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # Static files and the timeline say themselves how they may be kept.
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "POST" and request.resolver_match and request.resolver_match.url_name == "logout":
            response.headers["Clear-Site-Data"] = '"cache"'
        return response


class TooManyRequestsMiddleware:
    """Says on a page what the API says as a problem: that this was asked for too often, and how long to wait."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, Throttled):
            return None
        seconds = max(1, math.ceil(getattr(exception, "wait", None) or 0))
        response = render(request, "429.html", {"seconds": seconds}, status=429)
        response.headers["Retry-After"] = str(seconds)
        return response
