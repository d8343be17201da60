"""The vendor's client against the sandbox vendor, over real sockets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Settings
from bot.cpaas import Receipt, Vendor
from bot.errors import DeliveryError, Misconfigured, NotNow, OutcomeUnknown, Refused
from bot.sandbox.behaviour import Behaviour, answer, bad_gateway, cut, etelecom_code, hang, vendor_code
from bot.sandbox.contract import Account
from bot.sandbox.vendor import SandboxVendor

OA, USER = "388613280878808645", "246845883529197922"
IMAGE = {"image_url": "https://shop.example/bảng-giá.jpg"}


@pytest.fixture
def sandbox() -> Iterator[SandboxVendor]:
    """A vendor that behaves."""
    with SandboxVendor(Account("the-key", "the-token", "the-bearer")) as vendor:
        yield vendor


def client(url: str, **changes: object) -> Vendor:
    values: dict[str, object] = {
        "cpaas_base_url": url, "cpaas_api_key": "the-key", "cpaas_access_token": "the-token",
        "cpaas_bearer_token": "the-bearer", "send_timeout": 0.5,
    }  # fmt: skip
    return Vendor(Settings.model_validate(values | changes))


def send(vendor: Vendor, image: dict[str, str] = IMAGE) -> Receipt:
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
    """Zalo forbids both image fields together."""
    send(client(sandbox.url), {"attachment_id": "aBc"})
    assert json.loads(sandbox.received[0].request.body)["message"] == {"attachment_id": "aBc"}


def test_the_bearer_token_defaults_to_the_access_token() -> None:
    """As in the documentation's example."""
    with SandboxVendor(Account("the-key", "the-token")) as sandbox:
        send(client(sandbox.url, cpaas_bearer_token=None))
        assert sandbox.taken


def test_the_newest_revision_gets_its_key_alone() -> None:
    """Neither of the other two headers is sent."""
    with SandboxVendor(Account("the-key", api_key_only=True)) as sandbox:
        send(client(sandbox.url, cpaas_api_key_only=True))
        assert sandbox.taken


def test_netrc_and_redirects_do_not_change_the_request(
    sandbox: SandboxVendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ~/.netrc must not take the place of our header; a redirect would turn the POST into a GET."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    send(client(sandbox.url))
    sandbox.next(answer(302, headers={"Location": sandbox.url}))
    with pytest.raises(Misconfigured, match="302"):
        send(client(sandbox.url))


@pytest.mark.parametrize(
    ("behaviour", "receipt"),
    [
        (answer(200, {"code": 0, "data": {"msg_id": "m1"}, "referentId": "r1"}), Receipt("m1", "r1")),
        (answer(201, {"code": 200, "data": {"msg_id": "m1"}}), Receipt("m1", "")),
        (answer(200, {"data": {"file": "m2"}}), Receipt("m2", "")),
        (answer(200, {"code": 0, "data": {}, "message": "string", "errors": {"a": {}}}), Receipt("", "")),
        (answer(200, {"code": "0", "data": None}), Receipt("", "")),
        (answer(204, b""), Receipt("", "")),
    ],
)
def test_accepted(sandbox: SandboxVendor, behaviour: Behaviour, receipt: Receipt) -> None:
    """Every shape of success that the documents show."""
    sandbox.next(behaviour)
    assert send(client(sandbox.url)) == receipt


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        *((answer(status), Refused) for status in (400, 404, 405)),
        *((answer(status), Misconfigured) for status in (401, 403)),
        *((answer(status), NotNow) for status in (429, 500, 503)),
        *((answer(status), OutcomeUnknown) for status in (502, 504)),
        (bad_gateway(takes=True), OutcomeUnknown),
        (hang(), OutcomeUnknown),
        (cut(), OutcomeUnknown),
        (answer(200, b"<html>"), OutcomeUnknown),
        (answer(200, b""), OutcomeUnknown),
        (answer(200, "a string"), OutcomeUnknown),
        (answer(200, b"[" * 100_000), OutcomeUnknown),
        (vendor_code(-213, "User has not followed OA"), Refused),
        (vendor_code(-32, "limit"), NotNow),
        (vendor_code(-216, "Access token is invalid"), Misconfigured),
        (vendor_code(401, "Unauthorized"), Misconfigured),
        (vendor_code(504, "Gateway timeout"), OutcomeUnknown),
        (vendor_code(987654, "never heard of"), Refused),
        (vendor_code(1, "zalo: -221 OA is not verified"), Misconfigured),
        (answer(200, {"code": 0, "errors": {"error": -201}}), Refused),
        (answer(200, {"error": -230, "message": "expired"}), Refused),
        (answer(400, {"code": -32, "message": "limit"}), NotNow),
        (answer(500, {"code": -213}), Refused),
        (etelecom_code("unauthenticated", "no", status=401), Misconfigured),
        (etelecom_code("invalid_argument", "no", status=400), Refused),
        (etelecom_code("resource_exhausted", "slow down"), NotNow),
    ],
)
def test_refusals(sandbox: SandboxVendor, behaviour: Behaviour, error: type[DeliveryError]) -> None:
    """Every answer is one of four errors, by the most telling code in it."""
    sandbox.next(behaviour)
    with pytest.raises(DeliveryError) as caught:
        send(client(sandbox.url))
    assert type(caught.value) is error


def test_no_connection_is_not_an_unknown_outcome(sandbox: SandboxVendor) -> None:
    """Nothing went out: it is safe to try again, and says nothing of the event."""
    sandbox.refuse_connections()
    with pytest.raises(NotNow, match="no connection") as caught:
        send(client(sandbox.url))
    assert not caught.value.reached
    with pytest.raises(NotNow):
        send(client("http://no-such-host.invalid"))


def test_a_server_that_speaks_no_tls_was_never_reached() -> None:
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
        with pytest.raises(NotNow, match="SSL"):
            send(client(f"https://127.0.0.1:{server.getsockname()[1]}"))
        thread.join()


def test_a_connection_that_the_vendor_closed_meanwhile_is_made_anew(sandbox: SandboxVendor) -> None:
    """An idle connection that is gone costs nothing but a new one."""
    vendor = client(sandbox.url)
    send(vendor)
    sandbox.refuse_connections()
    sandbox.accept_connections()
    send(vendor)
    assert len(sandbox.taken) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7.0), ({"Retry-After": "9" * 30}, 3600.0), ({"Retry-After": "soon"}, 0.0), ({}, 0.0),
     ({"Retry-After": "Fri, 01 Jan 2027 00:00:30 GMT", "Date": "Fri, 01 Jan 2027 00:00:00 GMT"}, 30.0)],
)  # fmt: skip
def test_retry_after(sandbox: SandboxVendor, headers: dict[str, str], seconds: float) -> None:
    """In seconds or as a date; never longer than an hour."""
    sandbox.next(answer(429, headers=headers))
    with pytest.raises(NotNow) as caught:
        send(client(sandbox.url))
    assert caught.value.retry_after == seconds


def test_errors_hold_the_vendors_words_and_no_secret(sandbox: SandboxVendor) -> None:
    """A vendor that repeats the key must not bring it into our log."""
    sandbox.next(vendor_code(-201, "the-key for the-token with the-bearer is invalid" + "x" * 1000))
    with pytest.raises(Refused, match="is invalid") as caught:
        send(client(sandbox.url))
    assert not any(secret in str(caught.value) for secret in ("the-key", "the-token", "the-bearer"))
    assert len(str(caught.value)) < 400


def test_a_listening_port_that_never_accepts_is_a_timeout() -> None:
    """A vendor that hangs before reading is waited for no longer than the limit."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server, pytest.raises((NotNow, OutcomeUnknown)):
        send(client(f"http://127.0.0.1:{server.getsockname()[1]}"))
