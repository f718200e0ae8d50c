"""Limits on how often the API is called. They count in the cache, by default one of each server process."""

from ipaddress import ip_address, ip_network

from rest_framework.throttling import BaseThrottle, SimpleRateThrottle


def address_of(request) -> str | None:
    """The address that a request came from: what the one trusted proxy says, or that of the connection.

    None when that is no address: a socket file has none, and a header that no proxy wrote may hold anything.
    """
    try:
        return str(ip_address(BaseThrottle().get_ident(request) or ""))
    except ValueError:
        return None


def counted_address_of(request) -> str | None:
    """The address that failures are counted by: of IPv6 its /64, as one host may have all the addresses of that."""
    if not (written := address_of(request)):
        return None
    address = ip_address(written)
    if address.version == 4:
        return written
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False).network_address)


class PeriodThrottle(SimpleRateThrottle):
    """Counts the calls of the last period.

    REST framework also counts calls that are yet to come: after the clock was put back, whoever had called before would
    be refused until it is there again. Here those count that are less than a period away, as other servers' clocks
    differ a little.
    """

    def allow_request(self, request, view) -> bool:
        if self.rate is None:
            return True
        self.key, self.now = self.get_cache_key(request, view), self.timer()
        self.history = [at for at in self.cache.get(self.key, []) if abs(self.now - at) < self.duration]
        return self.throttle_failure() if len(self.history) >= self.num_requests else self.throttle_success()


class CallerThrottle(PeriodThrottle):
    """Of a program by its token, of a person by his account; generous, as a collector posts many times a second."""

    scope = "caller"

    def get_cache_key(self, request, view):
        caller = f"token-{request.auth.pk}" if request.auth else f"user-{request.user.pk}"
        return self.cache_format % {"scope": self.scope, "ident": caller}


class StrangerThrottle(PeriodThrottle):
    """Of requests without a valid login or token, by address; see `himmes.errors.answer`."""

    scope = "stranger"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": counted_address_of(request)}
