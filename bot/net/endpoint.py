"""Client for many POST requests to one server: connection pool, proxy and certificates are set up once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import Timeout

from bot.net import bounded

# The size of a chunk that is decompressed at once, in bytes.
_CHUNK_BYTES: Final = 10 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's response."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """The headers by name; names are case-insensitive."""
    body: bytes
    """Decompressed; empty for a redirect."""


class Endpoint:
    """
    One server; safe for threads. A call takes half the CPU time of one through `requests`.

    Proxies and root certificates are those of the environment, as `requests` finds them. There are no cookies, no
    redirects, and no credentials from ~/.netrc.
    """

    def __init__(self, url: str, seconds: float, most_bytes: int, *, connections: int) -> None:
        """*seconds* is the deadline of a call, *most_bytes* the limit of an answer after decompression."""
        self._adapter = bounded.Adapter(seconds, most_bytes, pool_maxsize=connections)
        self._most_bytes = most_bytes
        self._timeout = Timeout(connect=seconds / 2, total=seconds)
        with requests.Session() as session:
            found: Mapping[str, Any] = session.merge_environment_settings(url, {}, False, None, None)
        self._proxies = found["proxies"]
        request = requests.Request("POST", url).prepare()
        self._pool: HTTPConnectionPool = self._adapter.get_connection_with_tls_context(
            request, found["verify"], proxies=self._proxies, cert=found["cert"]
        )  # type: ignore[assignment]  # types-requests names its base class
        self._adapter.cert_verify(self._pool, url, found["verify"], found["cert"])

    def target(self, url: str) -> str:
        """Return the request target for a URL of this server: its path or, for some proxies, the whole URL."""
        return self._adapter.request_url(requests.Request("POST", url).prepare(), self._proxies)

    def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """
        Send the request and read the answer.

        Raises:
            urllib3.exceptions.HTTPError: There was no answer; see `was_never_read`.
        """
        raw = self._pool.urlopen(
            "POST",
            target,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
        )
        if 300 <= raw.status < 400:
            raw.close()  # the body of a redirect is not used
        chunks = bounded.LimitedBody(raw, self._most_bytes).stream(_CHUNK_BYTES, decode_content=True)
        return Answer(raw.status, raw.reason or "", raw.headers, b"".join(chunks))


def was_never_read(error: HTTPError) -> bool:
    """Return whether the server did not read the request, because it had closed the connection before."""
    return isinstance(error, ProtocolError) and any(isinstance(inner, bounded.NeverRead) for inner in error.args)
