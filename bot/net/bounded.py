"""HTTP adapter for requests: one deadline per call, a limit on the unpacked answer, public addresses only on demand."""

from __future__ import annotations

import http.client
import io
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)
from urllib3.util import Timeout
from urllib3.util.connection import create_connection

from bot.net.addresses import Address, AddressPolicy, public_ca_context, resolve

# A body up to this size, in bytes, is copied behind the head, so that both are sent in one segment.
_SMALL_BYTES: Final = 16 * 1024
# How far an answer may exceed its deadline, in seconds; it saves a system call at each read.
_TIMEOUT_SLACK_SECONDS: Final = 0.05
# Longer than a round trip.
_RESET_MILLISECONDS: Final = 300


class TLSFailed(SSLError):
    """The TLS handshake failed, so nothing was sent."""


class NeverRead(ConnectionError):
    """The server closed the connection, idle for long, before it read the request."""


class AddressNotAllowed(NewConnectionError):
    """None of the host's addresses may be connected to."""


class Adapter(HTTPAdapter):
    """
    Sends each request within *deadline* seconds, from resolving the name to the answer's last byte.

    Connecting may take half of the deadline, so that time is left for the answer. A body of more than *most_bytes*
    after decompression is an error. With *addresses*, connections go only to the addresses and trust only the
    certificates that the policy allows.
    """

    def __init__(
        self, deadline: float, most_bytes: int, addresses: AddressPolicy | None = None, *, pool_maxsize: int = 1
    ) -> None:
        self._deadline = deadline
        self._most_bytes = most_bytes
        self._addresses = addresses
        self._pools = {"http": partial(_Pool, addresses), "https": partial(_TlsPool, addresses)}
        super().__init__(pool_connections=1, pool_maxsize=pool_maxsize)

    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, *args: Any, **kwargs: Any
    ) -> Response:
        """Send the request; a *timeout* in seconds replaces the deadline."""
        seconds = self._deadline if timeout is None else timeout
        limit: Any = Timeout(connect=seconds / 2, total=seconds)
        response = super().send(request, stream, limit, *args, **kwargs)
        response.raw = LimitedBody(response.raw, self._most_bytes)
        return response

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, with our own connection classes."""
        if self._addresses is not None:
            kwargs["ssl_context"] = self._addresses.tls or public_ca_context()
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools for connections through the proxy; SOCKS proxies keep their own connection class."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Let requests choose the trusted certificates, unless the address policy has its own."""
        if self._addresses is None:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]


def cause_of(error: RequestException) -> object:
    """Return the exception of urllib3 or of this module that requests has wrapped."""
    cause = error.args[0] if error.args else error
    return getattr(cause, "reason", cause)


class LimitedBody:
    """The body of a urllib3 response; reading more than *most_bytes* after decompression is an error."""

    def __init__(self, raw: Any, most_bytes: int) -> None:
        self._raw = raw
        self._left = most_bytes

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        for chunk in self._raw.stream(amt, decode_content=decode_content):
            self._left -= len(chunk)
            if self._left < 0:
                self._raw.close()
                raise ProtocolError("the answer is too long")
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class _Incoming(io.RawIOBase):
    """Reads a connection until the deadline of the answer, even if the other side keeps sending byte by byte."""

    def __init__(self, raw: socket.SocketIO, sock: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_at = time.monotonic() + seconds
        self._timeout = seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the answer takes too long")
        if self._timeout - seconds > _TIMEOUT_SLACK_SECONDS:
            self._sock.settimeout(seconds)
            self._timeout = seconds
        return self._raw.readinto(buffer) or 0

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._sock = sock
        if (seconds := sock.gettimeout()) is not None:
            raw: Any = self.fp.detach()
            self.fp = io.BufferedReader(_Incoming(raw, sock, seconds))

    def begin(self) -> None:
        try:
            super().begin()
        except (http.client.RemoteDisconnected, BrokenPipeError) as error:
            if _is_reset(self._sock):
                raise NeverRead from error
            raise


def _is_reset(sock: socket.socket) -> bool:
    """
    Return whether the end of the data on *sock* is followed by a reset.

    TCP resets a connection if data arrives after the close, or was not read before it. That does not happen to a
    request that the server has read.
    """
    poller = select.poll()
    poller.register(sock, 0)  # errors and hang-ups are always reported
    return bool(poller.poll(_RESET_MILLISECONDS))


class _Connection(HTTPConnection):
    """A connection whose errors tell whether anything was sent before."""

    response_class = _Response
    addresses: AddressPolicy | None = None
    # Not `_buffer`, which is http.client's own.
    _unsent: list[bytes] | None = None
    """The parts of a request that are sent together; None: parts are sent at once."""

    def connect(self) -> None:
        self._connect_by = time.monotonic() + float(self.timeout or 0)
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection in time: {error}") from error
        except (ssl.SSLError, ValueError) as error:
            raise TLSFailed(error) from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection: {error}") from error
        try:
            self._seconds_left()
        except ConnectTimeoutError:
            self.close()
            raise

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, its head and a small body in one segment."""
        body = kwargs.get("body")
        is_small = body is None or (isinstance(body, bytes) and len(body) <= _SMALL_BYTES)
        self._unsent = [] if is_small else None
        try:
            super().request(*args, **kwargs)
            buffered = self._unsent
        finally:
            self._unsent = None
        if buffered:
            self.send(b"".join(buffered))

    def send(self, data: Any) -> None:
        """Send *data*, or buffer it until the request is complete."""
        if self._unsent is None:
            super().send(data)
        else:
            self._unsent.append(data)

    def _new_conn(self) -> socket.socket:
        """Return a connection to the first of the host's allowed addresses that accepts one."""
        found = self._resolve()
        allowed = [address for address in found if self.addresses is None or self.addresses.allows(address)]
        if not allowed:
            raise AddressNotAllowed(self, "none of the host's addresses may be connected to")
        failure: OSError | None = None
        for left, address in zip(range(len(allowed), 0, -1), allowed, strict=True):
            place, seconds = (str(address), self.port), self._seconds_left() / left
            try:
                sock = create_connection(place, seconds, self.source_address, self.socket_options)
            except OSError as error:
                failure = error
            else:
                sock.settimeout(self._seconds_left())  # for the TLS handshake
                return sock
        self._seconds_left()
        raise NewConnectionError(self, f"no connection: {failure}") from failure

    def _resolve(self) -> Sequence[Address]:
        """Resolve the name in a thread: getaddrinfo has no time limit and cannot be interrupted."""
        answers: queue.SimpleQueue[Sequence[Address] | Exception] = queue.SimpleQueue()
        ask = self.addresses.resolve if self.addresses is not None else resolve

        def run() -> None:
            try:
                answers.put(ask(self.host, self.port))
            except Exception as error:  # noqa: BLE001  it belongs to who waits
                answers.put(error)

        threading.Thread(target=run, name="resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=self._seconds_left())
        except queue.Empty:
            raise ConnectTimeoutError(self, "no address in time") from None
        if isinstance(answer, (OSError, ValueError)):
            raise NameResolutionError(self.host, self, socket.gaierror(str(answer))) from answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _seconds_left(self) -> float:
        left = self._connect_by - time.monotonic()
        if left <= 0:
            raise ConnectTimeoutError(self, "no connection in time")
        return left


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def __init__(self, addresses: AddressPolicy | None, *args: Any, **kwargs: Any) -> None:
        self._addresses = addresses
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.addresses = self._addresses
        return connection


class _TlsPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
