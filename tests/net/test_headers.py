"""The fast parser of answers' headers, against that of http.client."""

from __future__ import annotations

import http.client
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.net.bounded import parse_headers

NAMES = st.sampled_from([b"Content-Length", b"content-length", b"Transfer-Encoding", b"X-Quota", b"Set-Cookie", b"a"])
VALUES = st.binary(max_size=20) | st.sampled_from([b"12", b" chunked ", b"\tb: c", b"", b"x\xe1\xbb\x9d"])
LINES = st.one_of(
    st.builds(lambda name, value, end: name + b":" + value + end, NAMES, VALUES, st.sampled_from([b"\r\n", b"\n"])),
    st.builds(lambda value: b" " + value + b"\r\n", VALUES),
    st.builds(lambda value: value + b"\r\n", VALUES),
)
MOST = 100


@given(lines=st.lists(LINES, max_size=6), rest=st.binary(max_size=30))
def test_headers_equal_those_of_http_client(lines: list[bytes], rest: bytes) -> None:
    """For any bytes of a server; the bytes after them stay in the file."""
    sent = b"".join(lines) + b"\r\n" + rest
    ours, theirs = io.BytesIO(sent), io.BytesIO(sent)
    found, expected = parse_headers(ours), http.client.parse_headers(theirs)
    assert [(k, v.strip(" \t")) for k, v in found.items()] == [(k, v.strip(" \t")) for k, v in expected.items()]
    assert ours.read() == theirs.read()


@pytest.mark.parametrize("headers", [b"a: b\r\n" * (MOST + 1), b"a: " + b"b" * 70_000 + b"\r\n"], ids=["many", "long"])
def test_headers_without_end_are_refused(headers: bytes) -> None:
    """As in http.client."""
    for parse in (parse_headers, http.client.parse_headers):
        with pytest.raises(http.client.HTTPException):
            parse(io.BytesIO(headers + b"\r\n"))


def test_a_value_of_spaces_is_read_in_linear_time() -> None:
    """Not in quadratic time."""
    assert parse_headers(io.BytesIO(b"a:" + b" " * 60_000 + b"\r\n\r\n"))["a"] == ""
