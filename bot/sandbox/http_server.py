"""HTTP/1.1 server on asyncio for the sandbox: it can hang, cut a connection, or write an answer byte by byte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

_HEAD_LIMIT = 64 * 1024
_BODY_LIMIT = 2 * 1024 * 1024  # an image of 1 MB, and the form around it
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case, repeated headers are joined with a comma."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool = True


class Answerer:
    """
    Answers one request: call either `answer` or `cut`, now or later.

    Call both on the server's thread; they do nothing once the client is gone.
    """

    def __init__(self, connection: _Connection, *, keep_alive: bool) -> None:
        self._connection = connection
        self._keep_alive = keep_alive

    def answer(self, status: int, body: bytes, headers: Mapping[str, str], *, pace: float = 0.0) -> None:
        """
        Write the answer; a kept-alive connection then reads its next request.

        With a *pace* it is written byte by byte, that many seconds apart.
        """
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        if not self._keep_alive:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1")
        self._connection.finish(head + b"\r\n\r\n" + body, keep_alive=self._keep_alive, pace=pace)

    def cut(self) -> None:
        """Close the connection without an answer."""
        self._connection.abort()


Handle = Callable[[Request, Answerer], None]


class _BadRequest(Exception):
    """The bytes are not a request that this server can parse."""


class _Connection(asyncio.Protocol):
    """One client connection: each request is read after the previous one was answered."""

    def __init__(self, handle: Handle, connections: set[_Connection]) -> None:
        self._handle = handle
        self._connections = connections
        self._buffer = b""
        self._busy = False
        self._ended = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what asyncio gives a stream protocol
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._take_next()

    def eof_received(self) -> bool:
        self._ended = True
        self._take_next()
        return True  # half-closed: close once all requests are answered

    def finish(self, answer: bytes, *, keep_alive: bool, pace: float) -> None:
        if self._transport is None:
            return
        if pace and len(answer) > 1:
            self._transport.write(answer[:1])
            rest = partial(self.finish, answer[1:], keep_alive=keep_alive, pace=pace)
            asyncio.get_running_loop().call_later(pace, rest)
            return
        self._transport.write(answer)
        if not keep_alive:
            self._transport.close()
            return
        self._busy = False
        if self._buffer:
            # Deferred: a pipelining client would otherwise deepen the stack with each request.
            asyncio.get_running_loop().call_soon(self._take_next)
        elif self._ended:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _take_next(self) -> None:
        if self._busy or self._transport is None:
            return
        try:
            request, self._buffer = _split(self._buffer)
        except _BadRequest as error:
            self._busy = True
            Answerer(self, keep_alive=False).answer(HTTPStatus.BAD_REQUEST, str(error).encode(), {})
            return
        if request is not None:
            self._busy = True
            self._handle(request, Answerer(self, keep_alive=request.keep_alive))
        elif self._ended:
            self._transport.close()


def _split(buffer: bytes) -> tuple[Request | None, bytes]:
    """Return the first complete request in *buffer*, or None, and the rest."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > _HEAD_LIMIT:
            raise _BadRequest("head too large")
        return None, buffer
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    try:
        method, path, version = first.split(" ")
    except ValueError:
        raise _BadRequest("not an HTTP request line") from None
    headers = _headers(lines)
    start, length = end + 4, _length(headers)
    if len(buffer) < start + length:
        return None, buffer
    keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    body = buffer[start : start + length]
    return Request(method, path, headers, body, keep_alive), buffer[start + length :]


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _BadRequest("not a header line")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise _BadRequest("only bodies with a Content-Length are read here")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()) or len(length) > 9 or int(length) > _BODY_LIMIT:
        raise _BadRequest("unusable Content-Length")
    return int(length)


class HttpServer:
    """
    Serves on ``127.0.0.1``, on a port that the system chooses, until `stop`.

    *handle* is called on the server's own thread for each request and must not block.
    """

    def __init__(self, handle: Handle) -> None:
        self.port = 0
        self._handle = handle
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox-http", daemon=True)
        self._thread.start()
        self.accept()

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def accept(self) -> None:
        """Accept connections; after `refuse`, on the same port."""
        self._run(self._accept)

    def refuse(self) -> None:
        """Close the port and all connections: new ones are refused."""
        self._run(self._refuse)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call *call* on the server's thread in *seconds*; thread-safe."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, call)

    def stop(self) -> None:
        """Close everything and end the thread; a second call does nothing."""
        if self._loop.is_closed():
            return
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _accept(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(
                lambda: _Connection(self._handle, self._connections), "127.0.0.1", self.port, backlog=1024
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        # Connections that are being accepted at this moment.
        if accepting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(accepting)
        for connection in tuple(self._connections):
            connection.abort()
        while self._connections:
            await asyncio.sleep(0)

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result()
