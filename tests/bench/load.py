"""A load from keep-alive connections that costs little itself, so that what is measured is the server."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.running import MAKER


def gunicorn(module: str) -> tuple[str, ...]:
    """Return the command of a Flask application of tests.bench under gunicorn, as the bot configures it."""
    options = ("-k", "gthread", "--threads", "32", "--keep-alive", "30", "-b", "127.0.0.1:{port}")
    return ("-m", "gunicorn", f"tests.bench.{module}:app", *options)


#: The command of a bare Flask route.
BARE = gunicorn("bare")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one load run saw; times in seconds."""

    rate: float
    """Answers per second."""
    latencies: tuple[float, ...]
    """Sorted."""
    failures: int
    """Answers other than 200."""

    def percentile(self, share: float) -> float:
        """Return the latency that *share* of the answers did not exceed."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.started = 0.0
        self.answer = b""

    def send(self, request: bytes) -> None:
        self.answer = b""
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> int | None:
        """Return the status once the answer is whole."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError(f"the server closed the connection after {self.answer!r}")
        self.answer += piece
        head, blank, body = self.answer.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        return int(head[9:12]) if len(body) >= length else None


def run(port: int | Sequence[int], requests: Sequence[bytes], connections: int) -> Measured:
    """
    Send all *requests*, over so many connections at a time, each waiting for its answer.

    Of several ports each gets as many connections, as behind a load balancer.
    """
    ports = [port] if isinstance(port, int) else port
    selector = selectors.DefaultSelector()
    waiting = iter(requests)
    latencies, failures = [], 0
    begun = time.perf_counter()
    for number in range(connections):
        connection = _Connection(ports[number % len(ports)])
        connection.send(next(waiting))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    open_connections = connections
    while open_connections:
        for key, _ in selector.select():
            connection = key.data
            status = connection.read()
            if status is None:
                continue
            latencies.append(time.perf_counter() - connection.started)
            failures += status != 200
            request = next(waiting, None)
            if request is None:
                selector.unregister(connection.socket)
                connection.socket.close()
                open_connections -= 1
            else:
                connection.send(request)
    return Measured(len(latencies) / (time.perf_counter() - begun), tuple(sorted(latencies)), failures)


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of one POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def deliveries(start: int, count: int) -> list[bytes]:
    """Return requests with signed events of *count* users, which no rule answers."""
    events = (MAKER.text(str(start + n), "xin chào shop, cho mình hỏi chút") for n in range(count))
    return [request("/webhook", event.body, dict(event.headers)) for event in events]
