"""SSRF-safe HTTPS GET: public addresses only, no proxy, one deadline over DNS, redirects and body."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from bot.net import bounded
from bot.net.addresses import AddressPolicy

#: Why there is no answer to judge.
FetchFailure = Literal[
    "bad-address",
    "unknown-host",
    "private-address",
    "unreachable",
    "tls",
    "too-slow",
    "broken-answer",
    "bad-redirect",
]

#: Seconds for the whole fetch: names, redirects and body.
MAX_FETCH_SECONDS: Final = 10.0
_MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES: Final = 64 * 1024
_HEADERS: Final = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "zalo-picture-bot",
}
# In this order: some are subclasses of others.
_FAILURES: Final[Mapping[type[Exception], FetchFailure]] = {
    bounded.AddressNotAllowed: "private-address",
    NameResolutionError: "unknown-host",
    bounded.TLSFailed: "tls",
    NewConnectionError: "unreachable",
    ConnectTimeoutError: "too-slow",
    ReadTimeoutError: "too-slow",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A server's answer."""

    url: str
    """The address after all redirects."""
    status: int
    content_type: str
    """The Content-Type header."""
    body: bytes
    """Decompressed; at most one byte more than was asked for; empty unless the status is 2xx."""
    claimed: int | None
    """The Content-Length of the whole body; None if there is none or the body is compressed."""
    redirected: bool = False


class FetchError(Exception):
    """There is no answer."""

    def __init__(self, failure: FetchFailure) -> None:
        super().__init__(failure)
        self.failure: FetchFailure = failure


def fetch(url: str, addresses: AddressPolicy, *, most: int, seconds: float = MAX_FETCH_SECONDS) -> Fetched:
    """
    Return the answer to a GET of *url* within *seconds*.

    Each name is resolved here, and the connection goes to exactly the address that *addresses* allow, also after each
    of up to three redirects (no DNS rebinding). Proxies of the environment, cookies and credentials are not used. At
    most *most* + 1 bytes of the body are read.

    Raises:
        FetchError: There is no answer; nothing that a server sends raises another error.
    """
    ends_at = time.monotonic() + seconds
    # A body longer than *most* is cut here; the adapter's own limit is an error, so it must be larger.
    with closing(bounded.Adapter(seconds, most + 2 * _CHUNK_BYTES, addresses)) as adapter:
        for redirects in range(1 + _MAX_REDIRECTS):
            answer = _get(adapter, _usable(url), ends_at, most)
            if isinstance(answer, Fetched):
                return replace(answer, redirected=redirects > 0)
            url = answer
    raise FetchError("bad-redirect")


def _usable(url: str) -> str:
    """Return the URL as it is sent: the host in ASCII, other letters escaped, without user, password and fragment."""
    try:
        parts = urlsplit(requests.Request("GET", url).prepare().url or "")
        usable = parts.scheme == "https" and bool((parts.hostname or "").strip(".")) and parts.port != 0
    except ValueError:  # requests raises subclasses of it for invalid URLs
        usable = False
    if not usable:
        raise FetchError("bad-address")
    return _without_user(parts)


def _without_user(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _get(adapter: bounded.Adapter, url: str, ends_at: float, most: int) -> Fetched | str:
    """Return the answer, or the URL that it redirects to; without a session there are no cookies and no proxies."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise FetchError("too-slow")
    try:
        request = requests.Request("GET", url, _HEADERS).prepare()
        with closing(adapter.send(request, stream=True, timeout=left)) as response:
            if response.status_code in _REDIRECTS:
                return _target(url, response.headers.get("Location"))
            return _fetched(url, response, most)
    except requests.RequestException as error:
        raise FetchError(_failure(bounded.cause_of(error))) from None
    except (HTTPError, OSError, ValueError):  # urllib3 errors that requests does not wrap
        raise FetchError("broken-answer") from None


def _fetched(url: str, response: requests.Response, most: int) -> Fetched:
    packed = "Content-Encoding" in response.headers
    claimed = None if packed else response.raw.length_remaining
    body = bytearray()
    if 200 <= response.status_code < 300:
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > most:
                break
    content_type = response.headers.get("Content-Type", "")
    return Fetched(url, response.status_code, content_type, bytes(body[: most + 1]), claimed)


def _target(url: str, location: str | None) -> str:
    """Return the target of a redirect that may be followed."""
    try:
        # http.client decodes header lines as Latin-1.
        target = urljoin(url, (location or "").strip().encode("latin-1").decode("utf-8", "replace"))
        _usable(target)
    except (ValueError, FetchError):
        raise FetchError("bad-redirect") from None
    if not location:
        raise FetchError("bad-redirect")
    return target


def _failure(cause: object) -> FetchFailure:
    return next((failure for kind, failure in _FAILURES.items() if isinstance(cause, kind)), "broken-answer")
