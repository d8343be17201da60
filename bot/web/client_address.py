"""The client's address behind trusted proxies (X-Forwarded-For), and its network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from flask import Request

Networks = Sequence[IPv4Network | IPv6Network]

_MAX_LENGTH: Final = 64
_MAX_HOPS: Final = 32
# A provider gives each customer a whole /64, so that a client may use any address of it.
_IPV6_PREFIX: Final = 64


def client_address(request: Request, trusted_proxies: Networks) -> str:
    """
    Return the client's address: the nearest hop that is not a trusted proxy. Entries before it may be forged.

    Ports are left out. A peer on a unix socket is on this machine and trusted; its address is empty, and so is the
    result if it names no client. If every address is trusted (``FORWARDED_ALLOW_IPS=*``), only the peer counts as a
    proxy.
    """
    peer = _without_port(request.remote_addr or "")
    forwarded = list(_forwarded(request))
    if any(network.prefixlen == 0 for network in trusted_proxies):
        return forwarded[0] if forwarded else peer
    hops = [peer, *forwarded]
    return next((hop for hop in hops if hop and not _is_in(hop, trusted_proxies)), hops[-1])


def client_network(address: str) -> str:
    """
    Return the part of an address that identifies a client: the /64 network for IPv6, else the address.

    >>> client_network("2001:db8::1:2:3:4")
    '2001:db8::/64'
    >>> client_network("198.51.100.1")
    '198.51.100.1'
    """
    parsed = _parsed(address)
    return str(ip_network((parsed, _IPV6_PREFIX), strict=False)) if isinstance(parsed, IPv6Address) else address


def _forwarded(request: Request) -> Iterator[str]:
    """Yield the addresses of X-Forwarded-For, the last one first."""
    written = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    for address in reversed(written[-_MAX_HOPS:]):
        if address.strip():
            yield _without_port(address.strip())[:_MAX_LENGTH]


def _without_port(address: str) -> str:
    """Return the address in ``192.0.2.1:443`` or ``[2001:db8::1]:443``; return others unchanged."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, colon, port = address.partition(":")
    return host if colon and port.isdecimal() and ":" not in port and "." in host else address


def _is_in(address: str, networks: Networks) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Parse an address; an IPv4-mapped IPv6 address becomes IPv4. None: it is not an address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
