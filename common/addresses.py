"""Which address a request came from."""

from ipaddress import ip_address, ip_network

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


def address_of(request: HttpRequest | Request) -> str | None:
    """The address that a request came from: what the one trusted proxy says, or that of the connection.

    None when that is no address: a socket file has none, and a header that no proxy wrote may hold anything.
    """
    try:
        written = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # reads META, which both kinds have
        return str(ip_address(written or ""))
    except ValueError:
        return None


def counted_address_of(request: HttpRequest | Request) -> str | None:
    """The address that failures are counted by: of IPv6 its /64, as one host may have all the addresses of that."""
    if not (written := address_of(request)):
        return None
    address = ip_address(written)
    if address.version == 4:
        return written
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False).network_address)
