"""Rates at which somebody may do something, counted before it is done; REST framework's throttles, but exact."""

from rest_framework.exceptions import Throttled
from rest_framework.throttling import SimpleRateThrottle

from common.database.errors import DATABASE_ERRORS, trouble_of
from common.limits.counting import UsedUp, take_quickly


class CountedRate(SimpleRateThrottle):
    """So many in a period that begins with the first of them."""

    def allow_request(self, request, view) -> bool:
        if self.rate is None:
            return True
        try:
            take_quickly(self.get_cache_key(request, view), self.num_requests, self.duration)
        except UsedUp as used_up:
            self._wait_s = used_up.wait_s
            return False
        except DATABASE_ERRORS as error:
            if not trouble_of(error):
                raise
            # A database that takes no counts may well be read.
        return True

    def wait(self) -> float:
        return self._wait_s


def caller_of(request) -> str:
    """Who calls: a program by its token, a person by his account."""
    token = getattr(request, "auth", None)
    return f"token-{token.pk}" if token else f"user-{request.user.pk}"


class ExportRate(CountedRate):
    """Of CSV downloads: each leaves an entry in the audit trail, which nobody can delete."""

    scope = "export"

    def get_cache_key(self, request, view=None):
        return self.cache_format % {"scope": self.scope, "ident": caller_of(request)}


def count_export(request) -> None:
    """Raises Throttled, which the API answers itself and `himmes.middleware.TooManyRequestsMiddleware` on pages."""
    rate = ExportRate()
    if not rate.allow_request(request, None):
        raise Throttled(rate.wait())
