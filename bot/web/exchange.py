"""A request and its response, which is sent in as few calls as possible."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from gunicorn.config import Config
from gunicorn.http import wsgi

from bot.web.connection import Connection
from bot.web.deferred import SUPPORTED, Deferred


class Exchange:
    """Gunicorn's response to a request, and the WSGI environment for the application."""

    def __init__(self, connection: Connection, request: Any, cfg: Config) -> None:
        self.connection = connection
        self.request = request
        self.deferred: Deferred | None = None
        """What the response waits for; None if nothing."""
        self._began = time.perf_counter()
        output: Any = Output(connection.sock)
        self.output = output
        self.response: Any
        self.environ: Any
        self.response, self.environ = wsgi.create(request, output, connection.client, connection.server, cfg)
        self.environ["wsgi.multithread"] = True
        self.environ[SUPPORTED] = True

    def send(self, body: Iterable[bytes]) -> None:
        """Send the head and the body; each piece of the body as the application yields it."""
        try:
            if isinstance(body, wsgi.FileWrapper):
                self.response.write_file(body)
            else:
                for piece in body:
                    self.response.write(piece)
                    self.output.flush()
            self.response.close()
            self.output.flush()
        finally:
            if (close := getattr(body, "close", None)) is not None:
                close()

    def duration(self) -> timedelta:
        """Return the time since the request was complete."""
        return timedelta(seconds=time.perf_counter() - self._began)


class Output:
    """Stands in for the socket that gunicorn writes to, and buffers until `flush`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._unsent = bytearray()
        self.has_sent = False

    def sendall(self, data: bytes) -> None:
        """Send *data* with the next `flush`."""
        self._unsent += data

    def flush(self) -> None:
        """Send the buffered bytes."""
        if self._unsent:
            self.has_sent = True
            self._sock.sendall(self._unsent)
            self._unsent = bytearray()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send part of a file, after the buffered bytes."""
        self.flush()
        return self._sock.sendfile(file, offset, count)
