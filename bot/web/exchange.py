"""A request and the response to it, sent to the client in as few pieces as it comes in."""

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
    """Gunicorn's response to a request, and the WSGI environment that the application gets."""

    def __init__(self, connection: Connection, request: Any, cfg: Config) -> None:
        self.connection = connection
        self.request = request
        self.deferred: Deferred | None = None
        """What the response waits for."""
        self._began = time.perf_counter()
        output: Any = Output(connection.sock)
        self.output = output
        self.response: Any
        self.environ: Any
        self.response, self.environ = wsgi.create(request, output, connection.client, connection.server, cfg)
        self.environ["wsgi.multithread"] = True
        self.environ[SUPPORTED] = True

    def send(self, body: Iterable[bytes]) -> None:
        """Send the head and the body, each piece as it comes."""
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
        """Return how long it has taken so far."""
        return timedelta(seconds=time.perf_counter() - self._began)


class Output:
    """Takes what gunicorn writes to a socket and sends it in one piece."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._unsent = bytearray()
        self.has_sent = False

    def sendall(self, data: bytes) -> None:
        """Send *data* with the next `flush`."""
        self._unsent += data

    def flush(self) -> None:
        """Send what there is."""
        if self._unsent:
            self.has_sent = True
            self._sock.sendall(self._unsent)
            self._unsent = bytearray()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send part of a file after what there is."""
        self.flush()
        return self._sock.sendfile(file, offset, count)
