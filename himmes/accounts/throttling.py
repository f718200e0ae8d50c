"""Rate limits of the API, counted where DJANGO_CACHE_URL says: by default in each server process."""

from common.addresses import counted_address_of
from common.limits.rates import CountedRate, caller_of


class CallerThrottle(CountedRate):
    """Of a program by its token, of a person by his account; generous, as a collector posts many times a second."""

    scope = "caller"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": caller_of(request)}


class StrangerThrottle(CountedRate):
    """Of requests without a valid login or token, by address; see `himmes.api.errors.answer`."""

    scope = "stranger"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": counted_address_of(request)}
