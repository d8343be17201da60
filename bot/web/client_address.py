"""Who really asks: the client's address behind trusted web servers (X-Forwarded-For), and its network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from flask import Request

Networks = Sequence[IPv4Network | IPv6Network]

_MAX_LENGTH: Final = 64
_MAX_HOPS: Final = 32
# One customer of a provider gets a whole /64, and can ask from any address of it.
_IPV6_PREFIX: Final = 64


def client_address(request: Request, trusted_proxies: Networks) -> str:
    """
    Return who asks: trusted web servers say for whom they do, others can say what they like.

    That is the nearest hop that is no trusted web server, for what stands before it anybody may have written. Ports are
    left out. Whoever asks by a unix socket is on this machine and trusted: its address is empty, as is the answer if it
    names nobody. Where every address is trusted (``FORWARDED_ALLOW_IPS=*``), only the peer is taken for a web server.
    """
    peer = _without_port(request.remote_addr or "")
    forwarded = list(_forwarded(request))
    if any(network.prefixlen == 0 for network in trusted_proxies):
        return forwarded[0] if forwarded else peer
    hops = [peer, *forwarded]
    return next((hop for hop in hops if hop and not _is_in(hop, trusted_proxies)), hops[-1])


def client_network(address: str) -> str:
    """
    Return what of an address tells one client from another: of IPv6 the network of 64 bits.

    >>> client_network("2001:db8::1:2:3:4")
    '2001:db8::/64'
    >>> client_network("198.51.100.1")
    '198.51.100.1'
    """
    parsed = _parsed(address)
    return str(ip_network((parsed, _IPV6_PREFIX), strict=False)) if isinstance(parsed, IPv6Address) else address


def _forwarded(request: Request) -> Iterator[str]:
    """Yield the addresses of X-Forwarded-For, the one that was added last first."""
    written = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    for address in reversed(written[-_MAX_HOPS:]):
        if address.strip():
            yield _without_port(address.strip())[:_MAX_LENGTH]


def _without_port(address: str) -> str:
    """Return the address of ``192.0.2.1:443`` or ``[2001:db8::1]:443``, and others as they are."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, colon, port = address.partition(":")
    return host if colon and port.isdecimal() and ":" not in port and "." in host else address


def _is_in(address: str, networks: Networks) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Return the address; one of IPv4 that came over an IPv6 socket as what it is. None: it is none."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
