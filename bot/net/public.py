"""What stands at an https address of the public internet: fetched without trust, without a proxy, and not for long."""

from __future__ import annotations

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

import requests

from bot.net.addresses import Address, Guard

#: Why nothing came that can be judged.
Trouble = Literal[
    "bad-address",
    "unknown-host",
    "private-address",
    "unreachable",
    "tls",
    "too-slow",
    "broken-answer",
    "bad-redirect",
]

#: Zalo takes pictures of at most 1 MB.
MOST_BYTES: Final = 1024 * 1024
#: Seconds for all of it: names, redirects and body.
LONGEST_FETCH: Final = 10.0
_MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "zalo-picture-bot",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A server's answer."""

    url: str
    """Where it came from in the end."""
    status: int
    content_type: str
    """As the server says."""
    body: bytes
    """At most one byte more than was asked for; empty unless the status is 2xx."""
    claimed: int | None
    """The length of the whole body, as the server says."""
    redirected: bool = False


@dataclass(frozen=True, slots=True)
class NotFetched:
    """Why there is no answer."""

    trouble: Trouble


class _End(Exception):
    """It ends here."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


def fetch(url: str, guard: Guard, *, seconds: float = LONGEST_FETCH, most: int = MOST_BYTES) -> Fetched | NotFetched:
    """
    Return what a GET of *url* brings within *seconds*, or why it brings nothing; no answer is an exception.

    Every address is looked up here and judged by *guard*, and the connection goes to the very address that was judged,
    also after each of up to three redirects. Proxies of the environment, cookies and credentials play no part.
    At most *most* bytes of the body and one more are read.
    """
    ends_at = time.monotonic() + seconds
    try:
        for redirects in range(1 + _MOST_REDIRECTS):
            answer = _get(_parsed(url), guard, ends_at, most)
            if isinstance(answer, Fetched):
                return replace(answer, redirected=redirects > 0)
            url = answer
        return NotFetched("bad-redirect")
    except _End as end:
        return NotFetched(end.trouble)


def _parsed(url: str) -> SplitResult:
    """Return the parts of the address as it is sent: the host in ASCII, other letters escaped."""
    try:
        parts = urlsplit(requests.Request("GET", url).prepare().url or "")
        usable = parts.scheme == "https" and bool((parts.hostname or "").strip(".")) and parts.port != 0
    except ValueError:  # what requests raises for addresses is one too
        usable = False
    if not usable:
        raise _End("bad-address")
    return parts


def _get(parts: SplitResult, guard: Guard, ends_at: float, most: int) -> Fetched | str:
    """Return the answer, or where it redirects to."""
    host, port = (parts.hostname or "").rstrip("."), parts.port or 443
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _connected(host, port, guard, ends_at) as secured:
        try:
            return _ask(_Connection(host, port, _Line(secured, ends_at)), parts.geturl(), path, most)
        except TimeoutError:
            raise _End("too-slow") from None
        except (OSError, http.client.HTTPException, ValueError):
            raise _End("broken-answer") from None


def _ask(connection: http.client.HTTPConnection, url: str, path: str, most: int) -> Fetched | str:
    connection.request("GET", path, headers=_HEADERS)
    with closing(connection.getresponse()) as response:
        if response.status in _REDIRECTS:
            return _target(url, response.headers.get("Location"))
        claimed, body = response.length, b""
        if 200 <= response.status < 300:
            body = response.read(most + 1)
            if claimed is not None and len(body) < min(claimed, most + 1):
                raise _End("broken-answer")
        return Fetched(url, response.status, response.headers.get("Content-Type", ""), body, claimed)


def _target(url: str, location: str | None) -> str:
    """Return where the redirect leads, if it may be followed."""
    try:
        # Header lines are read as Latin-1, whatever was meant.
        target = urljoin(url, (location or "").strip().encode("latin-1").decode("utf-8", "replace"))
        _parsed(target)
    except (ValueError, _End):
        raise _End("bad-redirect") from None
    if not location:
        raise _End("bad-redirect")
    return target


def _connected(host: str, port: int, guard: Guard, ends_at: float) -> ssl.SSLSocket:
    """Return a TLS connection with one of the host's addresses, each of which was judged before."""
    allowed = [address for address in _looked_up(host, port, guard, ends_at) if guard.allows(address)]
    if not allowed:
        raise _End("private-address")
    for left, address in zip(range(len(allowed), 0, -1), allowed, strict=True):
        try:
            raw = socket.create_connection((str(address), port), timeout=_left(ends_at) / left)
        except OSError:
            continue
        return _secured(raw, host, guard.tls, ends_at)
    _left(ends_at)
    raise _End("unreachable")


def _looked_up(host: str, port: int, guard: Guard, ends_at: float) -> Sequence[Address]:
    """Look the name up in a thread: the system's way has no time limit, and cannot be stopped."""
    answers: queue.SimpleQueue[Sequence[Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(guard.look_up(host, port))
        except Exception as error:  # noqa: BLE001  it belongs to who waits
            answers.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=_left(ends_at))
    except queue.Empty:
        raise _End("too-slow") from None
    if isinstance(answer, (OSError, ValueError)):
        raise _End("unknown-host")
    if isinstance(answer, Exception):
        raise answer
    return answer


def _secured(raw: socket.socket, host: str, tls: ssl.SSLContext, ends_at: float) -> ssl.SSLSocket:
    with raw:  # an empty shell, once it is wrapped
        try:
            raw.settimeout(_left(ends_at))
            return tls.wrap_socket(raw, server_hostname=host)
        except TimeoutError:
            raise _End("too-slow") from None
        except (ssl.SSLError, ValueError):
            raise _End("tls") from None
        except OSError:
            raise _End("unreachable") from None


def _left(ends_at: float) -> float:
    """Return how many seconds are left; there is no waiting for less than any."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise _End("too-slow")
    return left


class _Line:
    """A connection that ends at its time, however steadily the other side dribbles."""

    def __init__(self, secured: ssl.SSLSocket, ends_at: float) -> None:
        self._secured = secured
        self._ends_at = ends_at

    def sendall(self, data: bytes) -> None:
        self._secured.settimeout(_left(self._ends_at))
        self._secured.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def receive_into(self, buffer: Any) -> int:
        self._secured.settimeout(_left(self._ends_at))
        return self._secured.recv_into(buffer)

    def close(self) -> None:
        """Not yet: the library closes once it has read the headers, the body comes by the same line."""


class _Incoming(io.RawIOBase):
    """What the line brings, as a file."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.receive_into(buffer)


class _Connection(http.client.HTTPConnection):
    """HTTP/1.1 on a line that stands already."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, host: str, port: int, line: _Line) -> None:
        super().__init__(host, port)
        self.sock: Any = line

    def connect(self) -> None:
        """Never: a second connection would go to an address that nobody has judged."""
        raise http.client.NotConnected
