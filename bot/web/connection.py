"""A client's connection: buffer the received bytes until the request is complete, within a deadline."""

from __future__ import annotations

import io
import ipaddress
import re
import socket
import ssl
import time
from typing import Any, Final

from gunicorn.config import Config
from gunicorn.http import Request
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.unreader import Unreader

#: The time to receive a request, from first to last byte; Zalo waits two seconds for its answer.
REQUEST_SECONDS: Final = 1.5
#: The lowest rate of a large upload, in bytes per second: received bytes extend the deadline.
MIN_UPLOAD_RATE: Final = 64 * 1024
MAX_HEAD_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
_RECV_BYTES: Final = 64 * 1024
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_MAX_CHUNK_LINE: Final = 8192


class BodyTooLargeError(Exception):
    """The body is larger than MAX_BODY_BYTES."""


class ReceivedBytes(Unreader):
    """The received bytes, as the source that gunicorn's parser reads from instead of the socket."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def read(self, size: int | None = None, read_ahead: int | None = None) -> bytes:  # noqa: ARG002  gunicorn's
        """Return up to *size* bytes; None: all."""
        end = len(self.data) if size is None else size
        piece = bytes(self.data[:end])
        del self.data[:end]
        return piece

    def unread(self, data: Any) -> None:
        """Put *data* back at the front."""
        self.data[:0] = data


class Connection:
    """A socket and the request that is being received on it; not thread-safe."""

    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.peer = _network(client)
        self.received = ReceivedBytes()
        self.request: Any = None
        self.request_count = 0
        self.deadline = 0.0
        """When the connection is closed if it is idle or its request is incomplete; by `time.monotonic`."""
        self.started: float | None = None
        """When the first byte of the request came; None while the connection is idle."""
        self.is_busy = False
        """Whether a request is being answered."""
        self.is_lingering = False
        """Whether it only waits until the client has read the last response."""
        self.is_polled = False
        """Whether the event loop listens to it."""
        self.is_closed = False
        self._scanned = 0

    def receive(self) -> bool:
        """Read from the socket; return False if the client has closed its side."""
        try:
            data = self.sock.recv(_RECV_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        if not data or self.is_lingering:
            return bool(data)
        self.received.data += data
        return True

    def next_request(self, cfg: Config) -> Any:
        """
        Return gunicorn's next request, with its body in memory; None while it is incomplete.

        Raises:
            BodyTooLargeError: Its body is larger than MAX_BODY_BYTES.
            Exception: An error of gunicorn's parser: the bytes are not an HTTP request.
        """
        if not self.received.data and self.request is None:
            return None
        if self.started is None:
            self.started = time.monotonic()
        self.deadline = self.started + REQUEST_SECONDS + len(self.received.data) / MIN_UPLOAD_RATE
        if self.request is None and self._has_head():
            self.request_count += 1
            self.request = Request(cfg, self.received, self.client, self.request_count)
            self._scanned = 0
            if self.request._expected_100_continue:  # gunicorn would send it only after the body
                self.request._expected_100_continue = False
                self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = self.request
        if request is None or not self._has_body(request):
            return None
        request.body = io.BytesIO(request.body.read())
        self.request, self.started, self._scanned = None, None, 0
        return request

    def _has_head(self) -> bool:
        data = self.received.data
        if data.find(b"\r\n\r\n", max(0, self._scanned - 3)) >= 0:
            return True
        self._scanned = len(data)
        if len(data) > MAX_HEAD_BYTES:
            raise LimitRequestHeaders("the head is too large")
        # A bare LF is an error, which the parser raises.
        return data.count(b"\n") != data.count(b"\r\n")

    def _has_body(self, request: Any) -> bool:
        reader = request.body.reader
        if isinstance(reader, LengthReader):
            if reader.length > MAX_BODY_BYTES:
                raise BodyTooLargeError
            return len(self.received.data) >= reader.length
        if len(self.received.data) > MAX_BODY_BYTES:
            raise BodyTooLargeError
        return self._has_last_chunk()

    def _has_last_chunk(self) -> bool:
        """Return whether the last chunk and its trailers are here, or bytes that are not a chunk."""
        data = self.received.data
        while True:
            line_end = data.find(b"\r\n", self._scanned)
            if line_end < 0:
                return len(data) - self._scanned > _MAX_CHUNK_LINE
            line = _CHUNK_SIZE.fullmatch(data, self._scanned, line_end)
            if line is None:
                return True
            size = int(line[1], 16)
            if size == 0:
                return data.find(b"\r\n\r\n", line_end) >= 0
            end = line_end + 2 + size + 2
            if end > len(data):
                return False
            if data[end - 2 : end] != b"\r\n":
                return True
            self._scanned = end


def _network(client: Any) -> str:
    """Return the key of the peer's limit: the IPv4 address, the /64 of an IPv6 one, "" for a Unix socket."""
    if not isinstance(client, tuple):
        return ""
    address = ipaddress.ip_address(client[0].partition("%")[0])
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
