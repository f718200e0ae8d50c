"""Limits on how often the API is called, counted where DJANGO_CACHE_URL says: by default in each server process."""

from ipaddress import ip_address, ip_network

from rest_framework.throttling import BaseThrottle

from machines.rates import CountedRate, caller_of


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


class CallerThrottle(CountedRate):
    """Of a program by its token, of a person by his account; generous, as a collector posts many times a second."""

    scope = "caller"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": caller_of(request)}


class StrangerThrottle(CountedRate):
    """Of requests without a valid login or token, by address; see `himmes.errors.answer`."""

    scope = "stranger"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": counted_address_of(request)}
