"""Fetching from public addresses, against a misbehaving server on this machine."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.net.addresses import Address, AddressPolicy
from bot.net.public import Fetched
from bot.zalo import MAX_IMAGE_BYTES
from tests.support.image_server import HERE, HOST, JPEG, ImageServer, bare, ok
from tests.support.outbound import PUBLIC_ONLY, TRUST, comes_to_an_end, connections, failure_of, fetched
from tests.support.ports import free_port
from tests.support.running import PATIENCE

PRIVATE = ipaddress.ip_address("10.0.0.5")
_BEGINS = [
    "",
    "/",
    "//",
    "https://",
    "https://10.0.0.5/",
    "https://[::1]",
    "https://2130706433:",
    f"https://{HOST}@10.1.1.1/",
]


@pytest.fixture(scope="module")
def server() -> Iterator[ImageServer]:
    with ImageServer() as running:
        yield running


def test_an_image_is_fetched(server: ImageServer) -> None:
    """With its status, type and final URL."""
    url = server.url("/a.jpg?w=1", ok(JPEG))
    assert fetched(url, server.addresses) == Fetched(url, 200, "image/jpeg", JPEG, len(JPEG))


def test_the_request_has_no_private_data(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cookie, no credentials of the URL or the environment, and no proxy."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    server.url("/in.jpg", ok(JPEG))
    url = server.url("/out.jpg", bare(302, "Set-Cookie: a=b", "Location: /in.jpg"))
    server.requests.clear()
    assert fetched(url.replace("https://", "https://na:hush@"), server.addresses).body == JPEG
    first, second = server.requests
    assert first.startswith(b"GET /out.jpg HTTP/1.1\r\n")
    names = {line.partition(b":")[0] for line in (first + second).split(b"\r\n")[1:] if b": " in line}
    assert names == {b"Host", b"Accept", b"Accept-Encoding", b"Connection", b"User-Agent"}
    assert b"hush" not in first + second


def test_other_letters_of_a_url_are_escaped(server: ImageServer) -> None:
    """As in browsers; the part after # is not sent."""
    server.answers["/%E1%BA%A3nh%20b%C3%A1nh.jpg?c=%C4%91"] = ok(JPEG)
    assert fetched(f"https://{HOST}:{server.port}/ảnh bánh.jpg?c=đ#x", server.addresses).body == JPEG


def test_names_with_marks_are_resolved_in_ascii_form(server: ImageServer) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[Address]:
        asked.append(host)
        return []

    failure_of("https://ảnh.tiệm.vn/a.jpg", server.policy(resolve=resolve))
    assert asked == ["xn--nh-jlt.xn--tim-mt5a.vn"] or asked[0].startswith("xn--")


@pytest.mark.parametrize(
    "url",
    ["", "a.jpg", "http://anh.tiem.vn/a.jpg", "ftp://anh.tiem.vn/", "https://", "https:///a", "https://[", "https://./",
     "https://a:b/", "https://anh.tiem.vn:0/", "https://anh.tiem.vn:99999/", "file:///etc/passwd", "https://a\x00b/",
     "https://a b/", f"https://{'a' * 64}.vn/"],
)  # fmt: skip
def test_only_https_urls_are_fetched(url: str) -> None:
    """Not plain http either."""
    with connections() as made:
        assert failure_of(url, PUBLIC_ONLY) in {"bad-address", "unknown-host"}
    assert made == []


@given(url=st.text(max_size=60).map(lambda text: f"https://{text}") | st.text())
def test_no_url_raises_another_error(url: str) -> None:
    """Whatever an editor typed."""
    failure_of(url, AddressPolicy(resolve=_nothing, tls=TRUST))


def _without_dns(host: str, port: int) -> list[Address]:
    """Resolve numbers as the system does, one name to this machine, and no other name."""
    if host == HOST:
        return [HERE]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [ipaddress.ip_address(place[0]) for *_, place in found]


def _nothing(_host: str, _port: int) -> list[Address]:
    raise OSError("no such name")


def test_an_unknown_name_is_reported(server: ImageServer) -> None:
    url = server.url("/a.jpg", ok(JPEG))
    assert failure_of(url, server.policy(resolve=_nothing)) == "unknown-host"


def test_a_bug_of_ours_is_raised(server: ImageServer) -> None:
    """It is not reported as a fault of the server."""

    def resolve(_host: str, _port: int) -> list[Address]:
        raise LookupError("ours")

    with pytest.raises(LookupError):
        fetched(server.url("/a.jpg", ok(JPEG)), server.policy(resolve=resolve))


def test_only_allowed_addresses_are_tried_in_order(server: ImageServer) -> None:
    """The first is private; on the second nothing listens."""
    dead = ipaddress.ip_address("127.0.0.2")
    addresses = server.policy(
        allows=lambda address: address in {dead, HERE}, resolve=lambda _host, _port: [PRIVATE, dead, HERE]
    )
    with connections() as made:
        assert fetched(server.url("/a.jpg", ok(JPEG)), addresses).body == JPEG
    assert made == [("127.0.0.2", server.port), ("127.0.0.1", server.port)]


def test_a_name_is_resolved_once_for_each_connection(server: ImageServer) -> None:
    """A later change of the name does not matter (DNS rebinding)."""
    answers = iter([[HERE], [PRIVATE], [PRIVATE]])
    addresses = server.policy(resolve=lambda _host, _port: next(answers))
    with connections() as made:
        assert fetched(server.url("/a.jpg", ok(JPEG)), addresses).body == JPEG
    assert made == [("127.0.0.1", server.port)]


def test_the_target_of_a_redirect_is_checked(server: ImageServer) -> None:
    """Also if the same name now resolves to a private network."""
    url = server.url("/out.jpg", bare(302, f"Location: https://{HOST}:{server.port}/in.jpg"))
    answers = iter([[HERE], [PRIVATE]])
    with connections() as made:
        failure = failure_of(url, server.policy(resolve=lambda _host, _port: next(answers)))
    assert failure == "private-address"
    assert made == [("127.0.0.1", server.port)]


@pytest.mark.parametrize("target", ["https://10.0.0.5/", "https://169.254.169.254/latest/", "https://[::1]:22/"])
def test_no_redirect_leads_into_a_private_network(server: ImageServer, target: str) -> None:
    """By IP address."""
    numbers = server.policy(resolve=lambda host, _port: [HERE if host == HOST else ipaddress.ip_address(host)])
    with connections() as made:
        failure = failure_of(server.url("/out.jpg", bare(307, f"Location: {target}")), numbers)
    assert failure == "private-address"
    assert len(made) == 1


@pytest.mark.parametrize(
    "headers",
    [(), ("Location:",), ("Location: http://anh.tiem.vn/a.jpg",), ("Location: ftp://anh.tiem.vn/",),
     ("Location: file:///etc/passwd",), ("Location: https://[",), ("Location: javascript:alert(1)",)],
)  # fmt: skip
def test_a_redirect_to_a_url_without_https_is_refused(server: ImageServer, headers: tuple[str, ...]) -> None:
    assert failure_of(server.url("/out.jpg", bare(301, *headers)), server.addresses) == "bad-redirect"


def test_a_redirect_is_followed_without_its_body(server: ImageServer) -> None:
    """The body may be endless."""

    def endless(line: ssl.SSLSocket) -> None:
        line.sendall(bare(302, "Location: /in.jpg"))
        while True:
            line.sendall(bytes(65536))

    server.url("/in.jpg", ok(JPEG))
    assert fetched(server.url("/out.jpg", endless), server.addresses).body == JPEG


def test_three_redirects_are_followed_and_no_more(server: ImageServer) -> None:
    """Relative ones too, with any letters; a loop ends."""
    server.url("/3.jpg", ok(JPEG))
    server.url("/2.jpg", bare(308, "Location: 3.jpg"))
    server.answers["/%E1%BA%A3nh.jpg"] = bare(303, "Location: ./2.jpg")
    server.answers["/1.jpg"] = bare(301).replace(b"\r\n\r\n", "\r\nLocation: /ảnh.jpg\r\n\r\n".encode())
    server.requests.clear()
    answer = fetched(f"https://{HOST}:{server.port}/1.jpg", server.addresses)
    assert answer == Fetched(f"https://{HOST}:{server.port}/3.jpg", 200, "image/jpeg", JPEG, len(JPEG), redirected=True)
    assert len(server.requests) == 4
    server.requests.clear()
    assert failure_of(server.url("/0.jpg", bare(301, "Location: /0.jpg")), server.addresses) == "bad-redirect"
    assert len(server.requests) == 4


@settings(max_examples=25)
@given(
    target=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40),
    begin=st.sampled_from(_BEGINS),
)
def test_no_redirect_raises_another_error_or_reaches_other_addresses(
    server: ImageServer, begin: str, target: str
) -> None:
    """For any header of a server; connections go only to the allowed address."""
    url = server.url("/out.jpg", bare(302, f"Location: {begin}{target}"))
    with connections() as made:
        comes_to_an_end(url, server.policy(resolve=_without_dns), seconds=5)
    assert {address for address, _port in made} <= {"127.0.0.1"}


@pytest.mark.parametrize("status", [204, 304, 400, 401, 404, 429, 500, 503, 599, 999])
def test_answers_with_another_status_are_returned_without_a_body(server: ImageServer, status: int) -> None:
    url = server.url("/a.jpg", bare(status, "Content-Length: 4") + b"body")
    answer = fetched(url, server.addresses)
    assert (answer.status, answer.body) == (status, b"")


def test_an_endless_body_is_read_up_to_the_limit(server: ImageServer) -> None:
    """And one byte more, to show that there is more."""

    def endless(line: ssl.SSLSocket) -> None:
        line.sendall(bare(200, "Content-Type: image/jpeg") + JPEG)
        while True:
            line.sendall(bytes(65536))

    body = fetched(server.url("/endless.jpg", endless), server.addresses).body
    assert len(body) == MAX_IMAGE_BYTES + 1
    assert body.startswith(JPEG)


@pytest.mark.parametrize("headers", [(), ("Connection: close",), ("Connection: close", f"Content-Length: {len(JPEG)}")])
def test_a_body_may_end_with_the_connection(server: ImageServer, headers: tuple[str, ...]) -> None:
    """As with servers that send no length, or close anyway."""
    assert fetched(server.url("/a.jpg", bare(200, *headers) + JPEG), server.addresses).body == JPEG


def test_a_compressed_body_is_decompressed(server: ImageServer) -> None:
    """Though we ask for none; its decompressed length is not known before."""
    packed = gzip.compress(JPEG)
    server.url("/a.jpg", bare(200, "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed)
    answer = fetched(f"https://{HOST}:{server.port}/a.jpg", server.addresses)
    assert (answer.body, answer.claimed) == (JPEG, None)


def test_a_compressed_body_is_decompressed_up_to_the_limit(server: ImageServer) -> None:
    """Some kilobytes would become 64 MB."""
    packed = gzip.compress(JPEG + bytes(64 * 1024 * 1024))
    url = server.url("/a.jpg", bare(200, "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed)
    tracemalloc.start()
    body = fetched(url, server.addresses).body
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(body) == MAX_IMAGE_BYTES + 1
    assert peak < 8 * MAX_IMAGE_BYTES


def test_a_chunked_body_is_joined(server: ImageServer) -> None:
    chunked = bare(200, "Transfer-Encoding: chunked") + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    assert fetched(server.url("/a.jpg", chunked), server.addresses).body == b"abcde"


@pytest.mark.parametrize(
    "answer",
    [
        ok(JPEG, length=len(JPEG) + 1),
        ok(b"", length=5),
        ok(JPEG, length=10**30),
        bare(200, "Transfer-Encoding: chunked") + b"5\r\nab",
        bare(200, "Transfer-Encoding: chunked") + b"zz\r\nab\r\n0\r\n\r\n",
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=range(11),
)
def test_an_incomplete_or_invalid_answer_is_reported(server: ImageServer, answer: bytes) -> None:
    """Also one that claims to be longer than it is."""
    assert failure_of(server.url("/a.jpg", answer), server.addresses) == "broken-answer"


def test_an_answer_is_cut_at_its_claimed_length(server: ImageServer) -> None:
    """As in every client."""
    assert fetched(server.url("/a.jpg", ok(JPEG, length=10)), server.addresses).body == JPEG[:10]


@settings(max_examples=25)
@given(
    answer=st.binary(max_size=80) | st.binary(max_size=60).map(lambda junk: b"HTTP/1.1 200 OK\r\n" + junk + b"\r\n\r\n")
)
def test_no_answer_raises_another_error(server: ImageServer, answer: bytes) -> None:
    """For any bytes."""
    comes_to_an_end(server.url("/junk", answer), server.addresses)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", bare(200, "Content-Length: 9999")])
def test_a_server_that_sends_slowly_is_a_timeout(server: ImageServer, begin: bytes) -> None:
    """In the status, the headers or the body: each byte comes in time, all of them never."""

    def dribble(line: ssl.SSLSocket) -> None:
        line.sendall(begin or b"H")
        while not server.ending.wait(0.02):
            line.sendall(b"x")

    assert failure_of(server.url("/slow.jpg", dribble), server.addresses, seconds=0.5) == "too-slow"


def test_a_server_that_does_not_answer_is_a_timeout(server: ImageServer) -> None:
    """After the request."""
    url = server.url("/silent.jpg", lambda _line: server.ending.wait(5) and None)
    assert failure_of(url, server.addresses, seconds=0.3) == "too-slow"


def test_a_server_without_tls_handshake_is_a_timeout(server: ImageServer) -> None:
    """It listens, but never speaks TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://{HOST}:{listener.getsockname()[1]}/a.jpg"
        assert failure_of(url, server.addresses, seconds=0.3) == "too-slow"


def test_a_hanging_resolver_is_a_timeout(server: ImageServer) -> None:
    """The system's resolver has no time limit."""
    done = threading.Event()

    def resolve(_host: str, _port: int) -> list[Address]:
        done.wait(PATIENCE)
        return [HERE]

    assert failure_of(server.url("/a.jpg", ok(JPEG)), server.policy(resolve=resolve), seconds=0.2) == "too-slow"
    done.set()


def test_a_refused_connection_is_reported(server: ImageServer) -> None:
    assert failure_of(f"https://{HOST}:{free_port()}/a.jpg", server.addresses) == "unreachable"


def test_untrusted_certificates_are_refused(server: ImageServer) -> None:
    """Of an unknown authority, for another name, expired; and no TLS at all."""
    url = server.url("/a.jpg", ok(JPEG))
    server.requests.clear()
    assert failure_of(url, server.policy(trusts=False)) == "tls"
    assert failure_of(server.url("/a.jpg", ok(JPEG), host="khac.tiem.vn"), server.addresses) == "tls"
    assert failure_of(server.url("/a.jpg", ok(JPEG), host="127.0.0.1"), server.addresses) == "tls"
    assert server.requests == []
    with ImageServer(expires=datetime(2021, 1, 1)) as old:  # noqa: DTZ001  as trustme wants it
        assert failure_of(old.url("/a.jpg", ok(JPEG)), old.addresses) == "tls"
    assert (
        failure_of(url, AddressPolicy(allows=lambda _: True, resolve=lambda _host, _port: [HERE], tls=TRUST)) == "tls"
    )
