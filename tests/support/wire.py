"""Raw HTTP over sockets, for what an HTTP client would not send or show."""

from __future__ import annotations

import re
import socket

from bot.sandbox.zalo_events import SignedEvent
from tests.support.running import PATIENCE


def written(event: SignedEvent, *, version: str = "1.1", connection: str = "") -> bytes:
    """Return the bytes of a webhook request."""
    headers = {"Host": "bot", "Content-Length": str(len(event.body)), **event.headers}
    if connection:
        headers["Connection"] = connection
    lines = [f"POST /webhook HTTP/{version}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + event.body


def answers(port: int, sent: bytes, wanted: int) -> tuple[list[int], bytes]:
    """Send the bytes at once; return the statuses of the first *wanted* answers, and everything read."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(sent)
        read = b""
        while len(found := whole_answers(read)) < wanted:
            piece = client.recv(65536)
            assert piece, f"closed after {read!r}"
            read += piece
        return found, read


def whole_answers(read: bytes) -> list[int]:
    """Return the statuses of the complete answers."""
    found = []
    while (head := re.match(rb"HTTP/1\.[01] (\d{3}).*?\r\n\r\n", read, re.DOTALL)) is not None:
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head[0])
        end = head.end() + (int(length[1]) if length else 0)
        if len(read) < end:
            break
        found.append(int(head[1]))
        read = read[end:]
    return found


def read_answer(client: socket.socket) -> tuple[int, bytes]:
    """Read one answer; return its status and its head."""
    read = b""
    while not (found := whole_answers(read)):
        piece = client.recv(65536)
        assert piece, f"closed after {read!r}"
        read += piece
    return found[0], read.partition(b"\r\n\r\n")[0]
