"""Connections on which one call takes a bounded time in all, and brings an answer of bounded size."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError
from urllib3.util import Timeout

#: An answer is some hundred bytes; whoever sends more than this is not answering.
MOST_BYTES: Final = 1024 * 1024


class TLSFailed(SSLError):
    """The TLS connection never came to be, so that nothing was sent over it."""


class Adapter(HTTPAdapter):
    """Takes a `timeout` for the whole call, where `requests` takes it for each single read."""

    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, *args: Any, **kwargs: Any
    ) -> Response:
        """
        Send the request; a *timeout* in seconds lasts from connecting to the answer's last byte.

        None leaves on a connection that took more than half of it: there would be no time left for its answer.
        """
        if isinstance(timeout, (int, float)):
            timeout = Timeout(connect=timeout / 2, total=timeout)
        return super().send(request, stream, timeout, *args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, with connections of our kind."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools for connections through the proxy; those through SOCKS keep their own kind."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager


class _Incoming(io.RawIOBase):
    """What a connection brings, until its time or its measure is full."""

    def __init__(self, raw: socket.SocketIO, sock: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_at = time.monotonic() + seconds
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(seconds)
        count = self._raw.readinto(buffer) or 0
        self._left -= count
        if self._left < 0:
            raise OSError("the answer is too long")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if (seconds := sock.gettimeout()) is not None:
            raw: Any = self.fp.detach()
            self.fp = io.BufferedReader(_Incoming(raw, sock, seconds))


class _Bounded(HTTPConnection):
    """Knows of each failure whether it came before anything was sent."""

    response_class = _Response

    def connect(self) -> None:
        begun = time.monotonic()
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection in time: {error}") from error
        except ssl.SSLError as error:
            raise TLSFailed(error) from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection: {error}") from error
        if isinstance(self.timeout, (int, float)) and time.monotonic() - begun > self.timeout:
            self.close()
            raise ConnectTimeoutError(self, "no connection in time")

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None and isinstance(self.timeout, (int, float)):
            # The answer before has left behind what remained of its own time.
            self.sock.settimeout(self.timeout)
        super().request(*args, **kwargs)


class _BoundedTls(_Bounded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTls


_POOLS: Final = {"http": _Pool, "https": _TlsPool}
