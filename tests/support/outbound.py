"""Helpers for tests of outgoing HTTP: record the connections of this process, and fetch images."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.net.addresses import AddressPolicy, public_ca_context
from bot.net.public import Fetched, FetchError, FetchFailure, fetch
from bot.zalo import MAX_IMAGE_BYTES

#: Created once, because it takes about 20 ms.
TRUST = public_ca_context()
PUBLIC_ONLY = AddressPolicy(tls=TRUST)

_connected: list[tuple[str, int]] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "socket.connect":
        _connected.append(arguments[1][:2])


sys.addaudithook(_watch)  # an audit hook cannot be removed


@contextmanager
def connections() -> Iterator[list[tuple[str, int]]]:
    """Yield the list of addresses that this process connects to during the block."""
    global _watching  # noqa: PLW0603
    _connected.clear()
    _watching = True
    try:
        yield _connected
    finally:
        _watching = False


def fetched(url: str, addresses: AddressPolicy, **limits: float) -> Fetched:
    """Fetch an image of at most the size that Zalo takes."""
    return fetch(url, addresses, most=MAX_IMAGE_BYTES, **limits)


def failure_of(url: str, addresses: AddressPolicy, **limits: float) -> FetchFailure:
    """Return why the fetch fails; it must."""
    with pytest.raises(FetchError) as caught:
        fetched(url, addresses, **limits)
    return caught.value.failure


def comes_to_an_end(url: str, addresses: AddressPolicy, **limits: float) -> bool:
    """Return whether there is an answer; FetchError gives False, any other error is raised."""
    try:
        fetched(url, addresses, **limits)
    except FetchError:
        return False
    return True
