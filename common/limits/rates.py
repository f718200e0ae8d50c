"""Rates at which somebody may do something, counted before it is done; REST framework's throttles, but exact."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from common.database.errors import DATABASE_ERRORS, trouble_of
from common.limits.counting import UsedUp, take_quickly

if TYPE_CHECKING:  # it imports the throttles that settings name, which derive from these
    from rest_framework.views import APIView


class CountedRate(SimpleRateThrottle):
    """So many in a period that begins with the first of them."""

    # As `rate` has them; none, where that is None
    num_requests: int
    duration: int

    def allow_request(self, request: HttpRequest | Request, view: "APIView | None") -> bool:
        if self.rate is None:
            return True
        try:
            if (key := self.get_cache_key(request, view)) is not None:
                take_quickly(key, self.num_requests, self.duration)
        except UsedUp as used_up:
            self._wait_s = used_up.wait_s
            return False
        except DATABASE_ERRORS as error:
            if not trouble_of(error):
                raise
            # A database that takes no counts may well be read.
        return True

    def get_cache_key(self, request: HttpRequest | Request, view: "APIView | None") -> str | None:
        """Who it is that does it; None: nobody whose rate is limited."""
        raise NotImplementedError

    def wait(self) -> float:
        return self._wait_s


def caller_of(request: HttpRequest | Request) -> str:
    """Who calls: a program by its token, a person by his account."""
    token = getattr(request, "auth", None)
    return f"token-{token.pk}" if token else f"user-{request.user.pk}"


class ExportRate(CountedRate):
    """Of CSV downloads: each leaves an entry in the audit trail, which nobody can delete."""

    scope = "export"

    def get_cache_key(self, request: HttpRequest | Request, view: "APIView | None" = None) -> str:
        return self.cache_format % {"scope": self.scope, "ident": caller_of(request)}


def count_export(request: HttpRequest | Request) -> None:
    """Raises Throttled, which the API answers itself and `himmes.middleware.TooManyRequestsMiddleware` on pages."""
    rate = ExportRate()
    if not rate.allow_request(request, None):
        raise Throttled(rate.wait())
