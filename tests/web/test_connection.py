"""Detection of complete requests, however the bytes arrive."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from hypothesis import given
from hypothesis import strategies as st

from bot.web.connection import MAX_BODY_BYTES, MAX_HEAD_BYTES, REQUEST_SECONDS, BodyTooLargeError, Connection

# Making one takes longer than reading a request.
CONFIG = Config()
HEAD = b"POST /webhook HTTP/1.1\r\nHost: bot\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n"

bodies = st.binary(max_size=300)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a request as it is on the wire, and its body."""
    body = draw(bodies)
    kind = draw(st.sampled_from(["none", "length", "chunked"]))
    if kind == "none":
        return GET, b""
    if kind == "length":
        return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, body
    wire, rest = CHUNKED, body
    while rest:
        size = draw(st.integers(1, len(rest)))
        extension = draw(st.sampled_from([b"", b";name", b' ; name="a;b"']))
        wire += b"%x%s\r\n%s\r\n" % (size, extension, rest[:size])
        rest = rest[size:]
    trailer = draw(st.sampled_from([b"", b"Checksum: 1\r\n"]))
    return wire + b"0\r\n" + trailer + b"\r\n", body


class Pair:
    """A connection and the client at its other end."""

    def __init__(self) -> None:
        self.client, server = socket.socketpair()
        server.setblocking(False)
        self.connection = Connection(server, ("127.0.0.1", 1), ("127.0.0.1", 2))

    def send(self, data: bytes) -> object:
        """Send the bytes and return the next request, if it is whole."""
        self.client.sendall(data)
        assert self.connection.receive()
        return self.connection.next_request(CONFIG)

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.connection.sock.close()


def read_all(connection: Connection) -> None:
    """Read all available bytes."""
    while connection.receive():
        connection.next_request(CONFIG)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A new pair."""
    with Pair() as pair:
        yield pair


@given(sent=st.lists(requests(), min_size=1, max_size=3), data=st.data())
def test_requests_are_complete_at_their_last_byte(sent: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    """However the bytes arrive; each has its whole body."""
    wire = b"".join(one for one, _ in sent)
    with Pair() as pair:
        found = []
        while wire:
            size = data.draw(st.integers(1, len(wire)))
            request = pair.send(wire[:size])
            wire = wire[size:]
            while request is not None:
                found.append(request.body.read())
                request = pair.connection.next_request(CONFIG)
    assert found == [body for _, body in sent]


@pytest.mark.parametrize(
    "wire",
    [
        GET[:-1], GET[:-4], b"G", HEAD + b"Content-Length: 2\r\n\r\n1", CHUNKED, CHUNKED + b"1", CHUNKED + b"1\r\nx",
        CHUNKED + b"1\r\nx\r\n0\r\n", CHUNKED + b"0\r\nA: b\r\n", b"\r\nGET / HTTP/1.1\r\n",
    ],
)  # fmt: skip
def test_an_incomplete_request_has_a_deadline(pair: Pair, wire: bytes) -> None:
    """It counts from the first byte."""
    assert pair.send(wire) is None
    started = pair.connection.started
    assert started is not None
    assert pair.connection.deadline - started == pytest.approx(REQUEST_SECONDS, abs=0.1)


@pytest.mark.parametrize(
    "wire",
    [
        CHUNKED + b"x\r\n", CHUNKED + b"-1\r\nx\r\n", CHUNKED + b"1_0\r\n", CHUNKED + b"\r\n",
        CHUNKED + b"2\r\nabc\r\n", CHUNKED + b"1;a b\r\nx\r\n0\r\n\r\n", CHUNKED + b"f" * 9 + b"\r\n",
        HEAD + b"Content-Length: x\r\n\r\n", HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HEAD + b"no colon\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n", b"\r\n\r\n", b"x" * (MAX_HEAD_BYTES + 1),
    ],
)  # fmt: skip
def test_invalid_bytes_are_refused_at_once(pair: Pair, wire: bytes) -> None:
    """By gunicorn's parser, with its errors."""
    pair.client.sendall(wire)
    with pytest.raises((ParseException, OSError)) as raised:
        read_all(pair.connection)
    assert type(raised.value).__module__ == "gunicorn.http.errors"


def test_too_large_a_body_is_refused_by_its_length(pair: Pair) -> None:
    """Before it arrives."""
    with pytest.raises(BodyTooLargeError):
        pair.send(HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))


def test_expect_continue_is_answered(pair: Pair) -> None:
    """As curl needs before a large body."""
    assert pair.send(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n") is None
    assert pair.client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    request = pair.send(b"ok")
    assert request is not None


@pytest.mark.parametrize(
    ("client", "peer"),
    [
        (("192.0.2.1", 5), "192.0.2.1"), (("2001:db8:1:2:3::4", 5, 0, 0), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"), (("fe80::1%eth0", 5, 0, 2), "fe80::/64"), ("", ""), (b"", ""),
    ],
)  # fmt: skip
def test_connections_are_limited_per_network(client: object, peer: str) -> None:
    """A client with a /64 of IPv6 is one peer."""
    with socket.socket() as sock:
        assert Connection(sock, client, None).peer == peer
