"""An https server on this machine with scripted answers, and an address policy that allows only it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

import trustme

from bot.net.addresses import Address, AddressPolicy

HOST = "anh.tiem.vn"
HERE = ipaddress.ip_address("127.0.0.1")
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x11\x08\x01\xe0\x02\x80\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x02"
    + bytes(396)
    + b"\xff\xd9"
)
"""A minimal JPEG of 640 by 480 pixels: header and end mark."""
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    + (640).to_bytes(4)
    + (480).to_bytes(4)
    + b"\x08\x02\x00\x00\x00"
    + bytes(4)
    + (380).to_bytes(4)
    + b"IDAT"
    + bytes(384)
    + b"\x00\x00\x00\x00IEND\xaeB`\x82"
)

#: Bytes to send before closing, or a function of the connection.
Answer = bytes | Callable[[ssl.SSLSocket], None]


def ok(body: bytes, content_type: str = "image/jpeg", *, length: int | None = None) -> bytes:
    """Return an answer with status 200; *length* is the claimed Content-Length."""
    return (
        bare(200, f"Content-Type: {content_type}", f"Content-Length: {len(body) if length is None else length}") + body
    )


def bare(status: int, *headers: str) -> bytes:
    """Return an answer without a body."""
    return "\r\n".join((f"HTTP/1.1 {status} As Told", *headers, "", "")).encode("latin-1")


class ImageServer:
    """Answers each path as scripted and records the requests. `addresses` resolve every name to this server."""

    def __init__(self, name: str = HOST, *, expires: datetime | None = None) -> None:
        self.authority = trustme.CA()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = self.authority.issue_cert(name) if expires is None else self._expired(name, expires)
        issued.configure_cert(self._tls)
        self.answers: dict[str, Answer] = {}
        self.requests: list[bytes] = []
        self.connections = 0
        self.ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []

    def _expired(self, name: str, expires: datetime) -> trustme.LeafCert:
        return self.authority.issue_cert(name, not_before=datetime(2020, 1, 1), not_after=expires)  # noqa: DTZ001  theirs

    def url(self, path: str, answer: Answer, *, host: str = HOST) -> str:
        """Return the URL of *path*, and script its answer."""
        self.answers[path] = answer
        return f"https://{host}:{self.port}{path}"

    @property
    def addresses(self) -> AddressPolicy:
        """The policy that allows this server, trusts its authority, and resolves every name to it."""
        return self.policy()

    def policy(
        self,
        *,
        allows: Callable[[Address], bool] = lambda address: address == HERE,
        resolve: Callable[[str, int], Sequence[Address]] = lambda _host, _port: [HERE],
        trusts: bool = True,
    ) -> AddressPolicy:
        """Return a policy with some parts replaced."""
        tls = ssl.create_default_context()
        if trusts:
            self.authority.configure_trust(tls)
        return AddressPolicy(allows, resolve, tls)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, raw)

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(10)  # a client that never ends the handshake, as some tests want
        # A client may close early: at its limit, or when it does not trust the certificate.
        with raw, contextlib.suppress(OSError), self._tls.wrap_socket(raw, server_side=True) as line:
            request = b""
            while b"\r\n\r\n" not in request and (more := line.recv(65536)):
                request += more
            if not request:
                return
            self.requests.append(request)
            path = request.split(b" ")[1].decode()
            answer = self.answers.get(path, bare(404))
            if isinstance(answer, bytes):
                line.sendall(answer)
                line.unwrap()
            else:
                answer(line)
