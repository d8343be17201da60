"""What tests of outgoing HTTP need: every connection of this process as it is made, and fetches that fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.net.addresses import AddressPolicy, public_ca_context
from bot.net.public import Fetched, FetchError, FetchFailure, fetch
from bot.zalo import MAX_IMAGE_BYTES

#: Made once: it takes some 20 ms.
TRUST = public_ca_context()
PUBLIC_ONLY = AddressPolicy(tls=TRUST)

_connected: list[tuple[str, int]] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "socket.connect":
        _connected.append(arguments[1][:2])


sys.addaudithook(_watch)  # for good, as Python has it: it sees every connection of this process


@contextmanager
def connections() -> Iterator[list[tuple[str, int]]]:
    """Give the addresses to which anything in this process connects meanwhile."""
    global _watching  # noqa: PLW0603
    _connected.clear()
    _watching = True
    try:
        yield _connected
    finally:
        _watching = False


def fetched(url: str, addresses: AddressPolicy, **limits: float) -> Fetched:
    """Fetch an image, at most as large as Zalo takes it."""
    return fetch(url, addresses, most=MAX_IMAGE_BYTES, **limits)


def failure_of(url: str, addresses: AddressPolicy, **limits: float) -> FetchFailure:
    """Return why the fetch fails, as it must."""
    with pytest.raises(FetchError) as caught:
        fetched(url, addresses, **limits)
    return caught.value.failure


def comes_to_an_end(url: str, addresses: AddressPolicy, **limits: float) -> bool:
    """Return whether there is an answer, or the one error that there may be: any other is raised."""
    try:
        fetched(url, addresses, **limits)
    except FetchError:
        return False
    return True
