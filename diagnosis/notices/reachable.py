"""Which addresses webhooks may go to: public ones, and networks that the settings name.

Otherwise anybody who may subscribe could have this server ask what only it can reach: itself, the plant's network, the
services of a cloud that give away its keys.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

IP = IPv4Address | IPv6Address
_NAT64 = ip_network("64:ff9b::/96")
# All else is local to something, or is given to nobody.
_GLOBAL_UNICAST = ip_network("2000::/3")


class Unreachable(Exception):
    """There is no address of this name."""


class Refused(Exception):
    """A name has only addresses that webhooks may not go to."""


def addresses_of(host: str, port: int, *, needs_listing: bool) -> list[IP]:
    """Those of a name that may be connected to, in the order in which they are to be tried; never empty.

    `needs_listing`: only in networks that the settings name. Raises Unreachable or Refused.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # also of what is no name
        raise Unreachable(host) from error
    resolved = [ip_address(str(address[0]).partition("%")[0]) for *_rest, address in found]
    allowed = [it for it in resolved if is_listed(it) or (not needs_listing and is_public(it))]
    if not allowed:
        raise Refused(host)
    return list(dict.fromkeys(allowed))


def is_listed(address: IP) -> bool:
    return any(_behind(address) in network for network in settings.WEBHOOK_ALLOWED_NETWORKS)


def is_public(address: IP) -> bool:
    meant = _behind(address)
    if isinstance(meant, IPv6Address) and meant not in _GLOBAL_UNICAST:
        return False
    return meant.is_global and not meant.is_multicast and not meant.is_reserved


def _behind(address: IP) -> IP:
    """The IPv4 address that an IPv6 address stands for, or else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    translated = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or translated or address
