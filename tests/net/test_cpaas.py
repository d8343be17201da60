"""The vendor's client against the sandbox vendor, over real sockets."""

from __future__ import annotations

import contextlib
import gzip
import json
import select
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Settings
from bot.cpaas import MAX_ANSWER_BYTES, SEND_IMAGE_PATH, CpaasClient, Quota, Receipt
from bot.errors import (
    DeliveryError,
    Misconfigured,
    NotNow,
    OutcomeUnknown,
    PictureExpired,
    PictureRefused,
    Refused,
)
from bot.sandbox.script import Script, answer, bad_gateway, cut, dribble, etelecom_code, hang, vendor_code
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import PATIENCE, SandboxVendor

OA, USER = "388613280878808645", "246845883529197922"
#: Seconds for a call that is to fail.
BRIEF = 3.0
IMAGE = {"image_url": "https://shop.example/bảng-giá.jpg"}


@pytest.fixture
def sandbox() -> Iterator[SandboxVendor]:
    """A vendor without failures."""
    with SandboxVendor(Account("the-key", "the-token", "the-bearer")) as vendor:
        yield vendor


def client(url: str, **changes: object) -> CpaasClient:
    values: dict[str, object] = {
        "cpaas_base_url": url, "cpaas_api_key": "the-key", "cpaas_access_token": "the-token",
        "cpaas_bearer_token": "the-bearer", "send_timeout": PATIENCE,
    }  # fmt: skip
    return CpaasClient(Settings.model_validate(values | changes))


def send(vendor: CpaasClient, image: dict[str, str] = IMAGE) -> Receipt:
    return vendor.send_image(oa_id=OA, user_id=USER, image=image)


def test_the_request_is_exactly_the_documented_one(sandbox: SandboxVendor) -> None:
    """Five headers, three keys, one image field."""
    receipt = send(client(sandbox.url))
    [received] = sandbox.received
    request = received.request
    assert (request.method, request.path) == ("POST", "/api/vendor/v1/zalo/oa-send-image")
    expected = {
        "accept": "*/*", "content-type": "application/json", "api-key": "the-key", "accesstoken": "the-token",
        "authorization": "Bearer the-bearer",
    }  # fmt: skip
    assert {name: request.headers[name] for name in expected} == expected
    assert json.loads(request.body) == {"message": IMAGE, "oa_id": OA, "recipient": {"user_id": USER}}
    assert receipt.msg_id == sandbox.taken[0].msg_id
    assert receipt.referent_id == "sandbox-1"


def test_attachment_ids_are_sent_alone(sandbox: SandboxVendor) -> None:
    """Zalo forbids both image fields in one request."""
    send(client(sandbox.url), {"attachment_id": "aBc"})
    assert json.loads(sandbox.received[0].request.body)["message"] == {"attachment_id": "aBc"}


def test_the_bearer_token_defaults_to_the_access_token() -> None:
    """As in the documentation's example."""
    with SandboxVendor(Account("the-key", "the-token")) as sandbox:
        send(client(sandbox.url, cpaas_bearer_token=None))
        assert sandbox.taken


def test_the_newest_revision_gets_only_the_api_key() -> None:
    """Neither of the other two headers is sent."""
    with SandboxVendor(Account("the-key", api_key_only=True)) as sandbox:
        send(client(sandbox.url, cpaas_api_key_only=True))
        assert sandbox.taken


def test_netrc_and_redirects_do_not_change_the_request(
    sandbox: SandboxVendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ~/.netrc must not replace our header; a redirect would turn the POST into a GET."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    send(client(sandbox.url))
    sandbox.next(answer(302, headers={"Location": sandbox.url}))
    with pytest.raises(Misconfigured, match="302"):
        send(client(sandbox.url))


def test_calls_go_through_the_proxy_of_the_environment(sandbox: SandboxVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the whole URL; the vendor's name is not resolved here."""
    monkeypatch.setenv("http_proxy", sandbox.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with contextlib.suppress(DeliveryError):
        send(client("http://vendor.invalid"))
    assert [received.request.path for received in sandbox.received] == [f"http://vendor.invalid{SEND_IMAGE_PATH}"]


@pytest.mark.parametrize(
    ("script", "receipt"),
    [
        (answer(200, {"code": 0, "data": {"msg_id": "m1"}, "referentId": "r1"}), Receipt("m1", "r1")),
        (answer(201, {"code": 200, "data": {"msg_id": "m1"}}), Receipt("m1", "")),
        (answer(200, {"data": {"file": "m2"}}), Receipt("m2", "")),
        (answer(200, {"code": 0, "data": {}, "message": "string", "errors": {"a": {}}}), Receipt("", "")),
        (answer(200, {"code": "0", "data": None}), Receipt("", "")),
        (answer(204, b""), Receipt("", "")),
        (
            answer(200, {"msg_id": "m3", "quota": {"quota_type": "reply", "remain": 7, "total": 8}}),
            Receipt("m3", "", Quota("reply", 7, 8)),
        ),
        (
            answer(200, {"code": 0, "data": {"quota": {"quota_type": "Xin chào", "remain": "0"}}}),
            Receipt("", "", Quota("other", 0, None)),
        ),
        (answer(200, {"code": 0, "data": {"quota": {"remain": -1, "total": 8}}, "quota": [5]}), Receipt("", "")),
    ],
)
def test_every_documented_success_is_accepted(sandbox: SandboxVendor, script: Script, receipt: Receipt) -> None:
    """Every shape of success that the documents show."""
    sandbox.next(script)
    assert send(client(sandbox.url)) == receipt


@pytest.mark.parametrize(
    ("script", "error"),
    [
        *((answer(status), Refused) for status in (400, 404, 405)),
        *((answer(status), Misconfigured) for status in (401, 403)),
        (answer(302, b" " * 2 * MAX_ANSWER_BYTES, headers={"Location": "https://a.example/"}), Misconfigured),
        *((answer(status), NotNow) for status in (429, 500, 503)),
        *((answer(status), OutcomeUnknown) for status in (502, 504)),
        (bad_gateway(takes=True), OutcomeUnknown),
        (cut(), OutcomeUnknown),
        (answer(200, b"<html>"), OutcomeUnknown),
        (answer(200, b""), OutcomeUnknown),
        (answer(200, "a string"), OutcomeUnknown),
        (answer(200, b"[" * 100_000), OutcomeUnknown),
        (answer(200, b" " * MAX_ANSWER_BYTES + b'{"code": 0}'), OutcomeUnknown),
        (vendor_code(-213, "User has not followed OA"), Refused),
        (vendor_code(-32, "limit"), NotNow),
        (vendor_code(-216, "Access token is invalid"), Misconfigured),
        (vendor_code(401, "Unauthorized"), Misconfigured),
        (vendor_code(504, "Gateway timeout"), OutcomeUnknown),
        (vendor_code(987654, "never heard of"), Refused),
        (vendor_code(1, "zalo: -221 OA is not verified"), Misconfigured),
        (answer(200, {"code": 0, "errors": {"error": -201}}), PictureRefused),
        (vendor_code(-210, "parameter is over the limit"), PictureRefused),
        (vendor_code(-100, "attachment_id was expired"), PictureExpired),
        (answer(200, {"error": -230, "message": "expired"}), Refused),
        (answer(400, {"code": -32, "message": "limit"}), NotNow),
        (answer(500, {"code": -213}), Refused),
        (etelecom_code("unauthenticated", "no", status=401), Misconfigured),
        (etelecom_code("invalid_argument", "no", status=400), Refused),
        (etelecom_code("resource_exhausted", "slow down"), NotNow),
    ],
)
def test_every_refusal_becomes_one_of_four_errors(
    sandbox: SandboxVendor, script: Script, error: type[DeliveryError]
) -> None:
    """By the most specific code in it."""
    sandbox.next(script)
    with pytest.raises(DeliveryError) as caught:
        send(client(sandbox.url))
    assert type(caught.value) is error


JPEG = b"\xff\xd8\xff\xe0 a picture"


def test_an_upload_is_exactly_the_documented_request(sandbox: SandboxVendor) -> None:
    """Type and OA in the query, the file in a form, the same credentials; the token is returned."""
    token = client(sandbox.url).upload_file(oa_id=OA, name="menu.jpg", content=JPEG)
    [uploaded], [received] = sandbox.uploaded, sandbox.received
    assert token == uploaded.token
    assert (uploaded.upload.oa_id, uploaded.upload.type, uploaded.upload.name) == (OA, "UpLoadFile", "menu.jpg")
    assert uploaded.upload.content == JPEG
    request = received.request
    assert (request.method, request.path) == ("POST", f"/api/vendor/v1/zalo/upload-file?type=UpLoadFile&oaId={OA}")
    expected = {"accept": "*/*", "api-key": "the-key", "accesstoken": "the-token", "authorization": "Bearer the-bearer"}
    assert {name: request.headers[name] for name in expected} == expected
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="menu.jpg"\r\nContent-Type: image/jpeg\r\n' in request.body


def test_the_type_of_uploads_is_a_setting(sandbox: SandboxVendor) -> None:
    """The documents do not say which type is for images."""
    client(sandbox.url, cpaas_upload_type="image").upload_file(oa_id=OA, name="menu.png", content=JPEG)
    assert sandbox.uploaded[0].upload.type == "image"
    assert b"Content-Type: image/png" in sandbox.received[0].request.body


@pytest.mark.parametrize(
    ("script", "token"),
    [
        (answer(200, {"code": 0, "data": {"token": "t1"}}), "t1"),
        (answer(201, {"data": {"attachment_id": "t2"}}), "t2"),
        (answer(200, {"token": "t3"}), "t3"),
        (answer(200, {"data": {"token": 12345678901234567890}}), "12345678901234567890"),
    ],
)
def test_the_token_of_an_upload_is_found(sandbox: SandboxVendor, script: Script, token: str) -> None:
    """Under the vendor's name or Zalo's, in an envelope or without."""
    sandbox.next_upload(script)
    assert client(sandbox.url).upload_file(oa_id=OA, name="menu.jpg", content=JPEG) == token


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(503), NotNow),
        (answer(401), Misconfigured),
        (answer(404), Refused),
        (cut(), OutcomeUnknown),
        (vendor_code(-210, "file is over the limit"), PictureRefused),
        (answer(204, b""), Refused),
        (answer(200, {"code": 0, "data": {}}), Refused),
        (answer(200, {"code": 0, "data": {"token": ""}}), Refused),
    ],
)
def test_failed_uploads_raise_the_errors_of_sends(
    sandbox: SandboxVendor, script: Script, error: type[DeliveryError]
) -> None:
    """By the same table; a success without a token is a refusal."""
    sandbox.next_upload(script)
    with pytest.raises(DeliveryError) as caught:
        client(sandbox.url).upload_file(oa_id=OA, name="menu.jpg", content=JPEG)
    assert type(caught.value) is error


def test_no_connection_is_not_an_unknown_outcome(sandbox: SandboxVendor) -> None:
    """Nothing was sent: it is safe to try again, and says nothing about the event."""
    sandbox.refuse_connections()
    with pytest.raises(NotNow, match="no connection") as caught:
        send(client(sandbox.url))
    assert not caught.value.reached
    with pytest.raises(NotNow):
        send(client("http://no-such-host.invalid"))


def test_a_failed_tls_handshake_is_no_unknown_outcome() -> None:
    """The handshake comes before the request."""

    def greet(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            while connection.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet, args=(server,))
        thread.start()
        with pytest.raises(NotNow, match="TLS"):
            send(client(f"https://127.0.0.1:{server.getsockname()[1]}"))
        thread.join()


def test_a_hanging_tls_handshake_is_no_unknown_outcome() -> None:
    """The other side never answers, so the image cannot have been sent."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(NotNow, match="no connection") as caught:
        send(client(f"https://127.0.0.1:{server.getsockname()[1]}", send_timeout=BRIEF))
    assert not caught.value.reached


def test_a_vendor_that_does_not_answer_is_a_timeout(sandbox: SandboxVendor) -> None:
    """It has read the request."""
    sandbox.next(hang())
    with pytest.raises(OutcomeUnknown):
        send(client(sandbox.url, send_timeout=BRIEF))


def test_a_slow_answer_is_a_timeout(sandbox: SandboxVendor) -> None:
    """SEND_TIMEOUT is for the whole call; byte by byte this answer would take half a minute."""
    vendor = client(sandbox.url, send_timeout=BRIEF)
    sandbox.next(dribble(0.1), dribble(0.1, answer(503)))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            send(vendor)


def _squeezed(coding: str, size: int) -> bytes:
    """Return a compressed success whose JSON is *size* bytes longer than necessary."""
    body = b'{"code": 0, "pad": "' + b" " * size + b'"}'
    return gzip.compress(body) if coding == "gzip" else zlib.compress(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_the_limit_of_an_answer_counts_decompressed_bytes(sandbox: SandboxVendor, coding: str) -> None:
    """Otherwise some kilobytes could become gigabytes."""
    packed = _squeezed(coding, 64 * 1024 * 1024)
    sandbox.next(answer(200, packed, headers={"Content-Encoding": coding}))
    vendor = client(sandbox.url)
    tracemalloc.start()
    with pytest.raises(OutcomeUnknown):
        send(vendor)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MAX_ANSWER_BYTES
    assert send(vendor).msg_id


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_answer_is_decompressed(sandbox: SandboxVendor, coding: str) -> None:
    sandbox.next(answer(200, _squeezed(coding, 1000), headers={"Content-Encoding": coding}))
    assert send(client(sandbox.url)) == Receipt("", "")


def test_an_answer_may_come_in_pieces(sandbox: SandboxVendor) -> None:
    """If it is complete in time; the next call has its own deadline."""
    sandbox.always(dribble(0.0005))
    vendor = client(sandbox.url)
    assert [send(vendor).msg_id for _ in range(2)] == [taken.msg_id for taken in sandbox.taken]


def test_a_connection_that_the_vendor_closed_is_replaced(sandbox: SandboxVendor) -> None:
    """An idle connection that was closed only costs a new one."""
    vendor = client(sandbox.url)
    send(vendor)
    sandbox.refuse_connections()
    sandbox.accept_connections()
    send(vendor)
    assert len(sandbox.taken) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7.0), ({"Retry-After": "9" * 30}, 60.0), ({"Retry-After": "soon"}, 0.0), ({}, 0.0),
     ({"Retry-After": "Fri, 01 Jan 2027 00:00:30 GMT", "Date": "Fri, 01 Jan 2027 00:00:00 GMT"}, 30.0)],
)  # fmt: skip
def test_retry_after(sandbox: SandboxVendor, headers: dict[str, str], seconds: float) -> None:
    """In seconds or as a date; never longer than an hour."""
    sandbox.next(answer(429, headers=headers))
    with pytest.raises(NotNow) as caught:
        send(client(sandbox.url))
    assert caught.value.retry_after == seconds


def test_errors_have_the_vendors_words_and_no_secret(sandbox: SandboxVendor) -> None:
    """A vendor that repeats the key must not put it into our log."""
    sandbox.next(vendor_code(-201, "the-key for the-token with the-bearer is invalid" + "x" * 1000))
    with pytest.raises(Refused, match="is invalid") as caught:
        send(client(sandbox.url))
    assert not any(secret in str(caught.value) for secret in ("the-key", "the-token", "the-bearer"))
    assert len(str(caught.value)) < 400


def test_a_listening_port_that_never_accepts_is_a_timeout() -> None:
    """A vendor that hangs before it reads is waited for up to the limit."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server, pytest.raises((NotNow, OutcomeUnknown)):
        send(client(f"http://127.0.0.1:{server.getsockname()[1]}", send_timeout=BRIEF))


@pytest.mark.parametrize("field", ["message", "msg", "code", "errors"])
def test_any_words_of_the_vendor_can_be_stored(sandbox: SandboxVendor, field: str) -> None:
    """Lone surrogates, which many JSON writers produce, NUL, line breaks, endless text."""
    sandbox.next(answer(400, {field: "nope \ud83d\0\n\x1b[31m" + "x" * 5_000}))
    with pytest.raises(Refused) as caught:
        send(client(sandbox.url))
    words = str(caught.value)
    words.encode()
    assert words.isprintable()
    assert len(words) < 400


@pytest.mark.parametrize(
    ("given", "kept"), [("abc\ud83d", "abc"), ("a\0b", "ab"), ("7" * 200, ""), (7, "7"), (["7"], ""), (None, "")]
)
def test_any_id_can_be_stored_or_is_dropped(sandbox: SandboxVendor, given: object, kept: str) -> None:
    sandbox.next(answer(200, {"code": 0, "data": {"msg_id": given}, "referentId": given}))
    assert send(client(sandbox.url)) == Receipt(kept, kept)


def test_the_token_of_an_upload_can_be_stored(sandbox: SandboxVendor) -> None:
    """One that is too long counts as missing."""
    vendor = client(sandbox.url)
    sandbox.next_upload(answer(200, {"data": {"token": "a\ud83d"}}), answer(200, {"data": {"token": "a" * 5_000}}))
    assert vendor.upload_file(oa_id=OA, name="a.jpg", content=b"\xff\xd8\xff\xe0") == "a"
    with pytest.raises(Refused):
        vendor.upload_file(oa_id=OA, name="a.jpg", content=b"\xff\xd8\xff\xe0")


class ClosingServer:
    """Answers the first request of each connection, and closes it when the next one arrives, without reading that."""

    def __init__(self, *, reads: bool) -> None:
        self.answered = 0
        self._reads = reads
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while not data.endswith(b"}}"):
                data += connection.recv(65536)
            self.answered += 1
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"code":0}')
            data = b""
            if self._reads:
                while not data.endswith(b"}}"):
                    data += connection.recv(65536)
            else:
                select.select([connection], [], [])
            connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()


def test_a_call_on_a_closing_connection_is_repeated() -> None:
    """Over another connection, and its outcome is known."""
    server = ClosingServer(reads=False)
    vendor = client(server.url, send_timeout=5.0)
    for n in range(6):
        send(vendor)
        assert server.answered == n + 1
    server.close()


def test_a_connection_closed_after_the_request_is_an_unknown_outcome() -> None:
    """The image may have been sent, so it is not sent again."""
    server = ClosingServer(reads=True)
    vendor = client(server.url, send_timeout=5.0)
    send(vendor)
    with pytest.raises(OutcomeUnknown):
        send(vendor)
    assert server.answered == 1
    server.close()
