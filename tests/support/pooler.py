"""A stand-in for a pooler such as PgBouncer: its clients learn other process numbers than PostgreSQL's."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

# The message BackendKeyData: its kind and length; process number and secret follow, four bytes each.
_KEY = b"K\x00\x00\x00\x0c"


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """Give the URL by which the database is reached through the pooler, while the block runs."""
    direct = sa.make_url(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, f"{direct.query['host']}/.s.PGSQL.5432"), daemon=True).start()
        port = listener.getsockname()[1]
        through = sa.URL.create("postgresql", direct.username, host="127.0.0.1", port=port, database=direct.database)
        yield through.render_as_string()
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, path: str) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # the block has ended
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        threading.Thread(target=_relay, args=(client, server), daemon=True).start()
        threading.Thread(target=_relay_answers, args=(server, client), daemon=True).start()


def _relay(source: socket.socket, target: socket.socket) -> None:
    # Whichever direction ends first closes both sockets under the other.
    with source, target, contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def _relay_answers(server: socket.socket, client: socket.socket) -> None:
    """Relay what the server says, with another process number."""
    start = b""
    while _KEY not in start and (data := server.recv(65536)):
        if len(data) == 1:  # no encryption
            client.sendall(data)
        else:
            start += data
    before, _, after = start.partition(_KEY)
    client.sendall(before + _KEY + bytes(reversed(after[:4])) + after[4:])
    _relay(server, client)
