"""Public IP addresses (IANA registries, minus tunnels and cloud metadata), and the resolution of names to them."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import certifi

Address = IPv4Address | IPv6Address

# The IPv6 range that IANA allocates for the internet: mapped IPv4, NAT64, local and multicast addresses lie outside.
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
# Public by the registries, but they lead elsewhere.
_BLOCKED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "2002::/16",  # 6to4: embeds any IPv4 address
        "2001::/23",  # protocol assignments, among them Teredo, which embeds IPv4 as well
        "3fff::/20",  # documentation
        "192.0.0.0/24",  # protocol assignments; metadata service of Oracle Cloud
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # metadata service of Azure
    )
)


def is_public(address: Address) -> bool:
    """Return whether *address* is on the public internet by IANA's registries: not private, no cloud metadata."""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _BLOCKED)


def resolve(host: str, port: int) -> list[Address]:
    """
    Return the addresses of *host*, a name or any form of a number, in the system's order.

    Raises:
        OSError: There is none.
        UnicodeError: *host* cannot be a name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found))


@cache
def public_ca_context() -> ssl.SSLContext:
    """Return a TLS context that trusts only the public certificate authorities, not those added to this machine."""
    return ssl.create_default_context(cafile=certifi.where())


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be connected to, how a name is resolved, and which certificates are trusted."""

    allows: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], Sequence[Address]] = resolve
    tls: ssl.SSLContext | None = None
    """None: that of `public_ca_context`, which takes some time to read and is read when it is needed."""
