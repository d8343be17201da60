"""Public addresses (SSRF): no other address is connected to, in any notation."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.net.addresses import AddressPolicy, is_public, resolve
from tests.support.outbound import PUBLIC_ONLY, TRUST, connections, failure_of

PUBLIC = ["8.8.8.8", "1.1.1.1", "203.113.131.1", "100.63.255.255", "2606:4700::1111", "2405:4800::1"]
NOT_PUBLIC = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
HOSTS = [
    "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost", "LOCALHOST.",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "10.0.0.1", "１２７.0.0.1",
]  # fmt: skip

special = st.sampled_from(NOT_PUBLIC).map(ipaddress.ip_address)
near_special = st.builds(
    lambda address, step: type(address)((int(address) + step) % 2**address.max_prefixlen), special, st.integers(0, 300)
)


def test_public_addresses() -> None:
    for text in PUBLIC:
        assert is_public(ipaddress.ip_address(text)), text


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_other_addresses_are_not_public(text: str) -> None:
    """Private, local, shared, documentation, multicast, metadata, and IPv4 embedded in IPv6 in every way."""
    assert not is_public(ipaddress.ip_address(text))


@given(address=st.one_of(st.ip_addresses(), near_special))
def test_addresses_private_to_ipaddress_are_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Our list may be stricter, never less strict."""
    assert not is_public(address) or (address.is_global and not address.is_multicast)


@given(addresses=st.lists(st.one_of(st.ip_addresses(), near_special).filter(lambda a: not is_public(a)), max_size=4))
def test_no_connection_is_made_to_other_addresses(
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    """Whatever a name resolves to."""
    policy = AddressPolicy(resolve=lambda _host, _port: addresses, tls=TRUST)
    with connections() as made:
        assert failure_of("https://anh.tiem.vn/a.jpg", policy) == "private-address"
    assert made == []


@pytest.mark.parametrize("host", HOSTS)
def test_numbers_in_any_notation_are_recognised(host: str) -> None:
    """They resolve as in the system, or are no address."""
    with connections() as made:
        failure = failure_of(f"https://{host}/latest/meta-data/", PUBLIC_ONLY, seconds=5)
    assert failure in {"private-address", "bad-address", "unknown-host"}
    assert made == []


def test_a_local_name_is_resolved_by_the_system() -> None:
    """By the default resolver of a policy."""
    assert {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} & set(resolve("localhost", 443))
