"""The webhook as Zalo sees it: real gunicorn, real sockets."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.zalo_events import SignedEvent
from bot.zalo import SIGNATURE_HEADER, sign
from tests.support.running import API_KEY, APP_ID, MAKER, OA_ID, OA_SECRET, PATIENCE, TOKEN, Bot

pytestmark = pytest.mark.xdist_group("webhook")

TEXT = {"event_name": "user_send_text", "sender": {"id": "1"}, "recipient": {"id": OA_ID}}
PAYLOADS = (Path(__file__).parents[1] / "data/payloads.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One bot for tests that leave nothing behind that matters to others."""
    with (
        SandboxVendor(Account(API_KEY, TOKEN)) as vendor,
        Bot(tmp_path_factory.mktemp("bot"), vendor.url, ZALO_VERIFIER="a_B-1", ZALO_OA_ID=OA_ID) as bot,
    ):
        yield bot


def signed(body: bytes) -> dict[str, str]:
    timestamp = str(json.loads(body).get("timestamp", ""))
    return {SIGNATURE_HEADER: sign(body, app_id=APP_ID, timestamp=timestamp, secret=OA_SECRET)}


def post(bot: Bot, body: bytes, headers: dict[str, str] | None = None, path: str = "/webhook") -> int:
    return requests.post(f"{bot.url}{path}", data=body, headers=headers or {}, timeout=PATIENCE).status_code


@pytest.mark.parametrize("line", PAYLOADS, ids=lambda line: json.loads(line)["event_name"])
def test_every_documented_payload_is_acknowledged(shared: Bot, line: str) -> None:
    """Signed as our app's; also with ids and time as integers, spaced otherwise, or escaped."""
    payload = json.loads(line) | {"app_id": APP_ID}
    as_integers = re.sub(r'"(\d+)"', r"\1", json.dumps(payload))
    for text in (
        json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
        json.dumps(payload, indent=1),
        as_integers,
    ):
        body = text.encode()
        assert post(shared, body, signed(body)) == 200


@pytest.mark.parametrize(
    "payload",
    [
        {"event_name": "user_send_hologram"}, {"event_name": 5, "sender": [], "message": "x"}, {"x": None},
        {"event_name": "user_send_text"}, {"event_name": "user_send_text", "sender": {"id": "1"}},
        TEXT | {"sender": {"id": "1" * 9999}, "message": {"text": 7}}, TEXT | {"message": {"text": "\x00\ud800"}},
    ],
)  # fmt: skip
def test_unknown_and_odd_events_are_acknowledged(shared: Bot, payload: dict[str, object]) -> None:
    """Zalo adds events at will; what nobody answers is still no error."""
    body = json.dumps(payload | {"app_id": APP_ID, "timestamp": "1787209817225"}).encode()
    assert post(shared, body, signed(body)) == 200


def test_the_probe_of_zalos_console_and_a_get(shared: Bot) -> None:
    """An unsigned empty object or body is how the console tries a URL; GET greets."""
    assert [post(shared, body) for body in (b"{}", b"", b" {} \n")] == [200, 200, 200]
    assert shared.get("/webhook").status_code == 200


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b"{", b"not json", b"\xff\xfe", b'"{}"', b"[" * 10_000])
def test_what_is_no_object_is_a_bad_request(shared: Bot, body: bytes) -> None:
    """Signed or not."""
    assert post(shared, body) == 400
    assert post(shared, body, {SIGNATURE_HEADER: sign(body, app_id=APP_ID, timestamp="", secret=OA_SECRET)}) == 400


def test_signatures_are_required(shared: Bot) -> None:
    """Missing, wrong, for another app, or for another body: 401."""
    event = MAKER.text("100", "bảng giá")
    header = event.headers[SIGNATURE_HEADER]
    wrong = [{}, {SIGNATURE_HEADER: ""}, {SIGNATURE_HEADER: header[:-1] + "x"}, {SIGNATURE_HEADER: "mac=" + "0" * 64}]
    assert [post(shared, event.body, headers) for headers in wrong] == [401] * 4
    assert post(shared, event.body + b" ", {SIGNATURE_HEADER: header}) == 401
    other = event.body.replace(APP_ID.encode(), b"1")
    timestamp = str(json.loads(other)["timestamp"])
    assert (
        post(shared, other, {SIGNATURE_HEADER: sign(other, app_id=APP_ID, timestamp=timestamp, secret=OA_SECRET)})
        == 401
    )
    assert post(shared, event.body, {SIGNATURE_HEADER: header.removeprefix("mac=").upper()}) == 200


def test_large_bodies_are_refused(shared: Bot) -> None:
    """413 over 256 KiB, also when the length is not said beforehand; exactly 256 KiB is read."""
    largest = json.dumps({"pad": ""}).encode()
    largest = largest.replace(b'""', b'"' + b"x" * (256 * 1024 - len(largest)) + b'"')
    assert len(largest) == 256 * 1024
    assert post(shared, largest) == 401
    assert post(shared, largest + b" ") == 413
    chunks = (b"x" * 65_536 for _ in range(8))
    assert requests.post(f"{shared.url}/webhook", data=chunks, timeout=PATIENCE).status_code == 413


def test_a_chunked_delivery_is_read(shared: Bot) -> None:
    """A proxy may forward without a Content-Length."""
    event = MAKER.text("103", "bảng giá")
    halves = iter([event.body[:50], event.body[50:]])
    assert (
        requests.post(f"{shared.url}/webhook", data=halves, headers=event.headers, timeout=PATIENCE).status_code == 200
    )


def test_a_delivery_cut_off_in_the_middle_stores_nothing(shared: Bot) -> None:
    """And the next one is served."""
    event = MAKER.text("104", "bảng giá")
    with socket.create_connection(("127.0.0.1", shared.port)) as connection:
        head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(event.body)}\r\n"
        head += f"{SIGNATURE_HEADER}: {event.headers[SIGNATURE_HEADER]}\r\n\r\n"
        connection.sendall(head.encode() + event.body[:40])
    assert shared.post(event).status_code == 200


def test_other_paths_and_methods(shared: Bot) -> None:
    """The domain check is served under its own name only; a token in the path means nothing here."""
    page = shared.get("/zalo_verifiera_B-1.html")
    assert page.ok
    assert '<meta name="zalo-platform-site-verification" content="a_B-1">' in page.text
    assert page.headers["Content-Type"].startswith("text/html")
    missing = ["/zalo_verifierx.html", "/webhook/x", "/console/", "/demo", "/static/../rules.yaml"]
    assert [shared.get(path).status_code for path in missing] == [404] * len(missing)
    assert requests.put(f"{shared.url}/webhook", timeout=PATIENCE).status_code == 405
    assert shared.get("/healthz").status_code == 200


def test_only_the_host_that_was_set_is_bound(shared: Bot) -> None:
    """A bot on 127.0.0.1 is out of reach at every other address of the machine."""
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", shared.port)):
        pass


def test_events_of_other_oas_are_acknowledged_and_not_answered(bot: Bot, vendor: SandboxVendor) -> None:
    """The console's Test button sends events of an OA that is not ours."""
    bot.kill()
    bot.environment["ZALO_OA_ID"] = OA_ID
    bot.start()
    body = json.dumps(json.loads(MAKER.text("101", "bảng giá").body) | {"recipient": {"id": "999"}}).encode()
    assert post(bot, body, signed(body)) == 200
    bot.deliver(MAKER.text("102", "bảng giá"))
    [taken] = vendor.wait_for_taken(1)
    assert taken.message.user_id == "102"


def test_fifty_redeliveries_at_once_on_four_processes_get_one_reply(bot: Bot, vendor: SandboxVendor) -> None:
    """Zalo delivers at least once."""
    bot.kill()
    bot.environment["WEB_CONCURRENCY"] = "4"
    bot.start()
    event = MAKER.text("101", "bảng giá")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: bot.post(event, num_retry=str(n)).status_code, range(50)))
    assert answers == [200] * 50
    vendor.wait_for_taken(1)
    assert bot.post(event).status_code == 200
    assert bot.terminate() == 0
    assert len(vendor.received) == 1


def test_a_forwarders_token(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Unsigned events are taken at the secret address and nowhere else."""
    event = MAKER.text("101", "bảng giá")
    with Bot(tmp_path, vendor.url, WEBHOOK_AUTH="token", WEBHOOK_TOKEN="geheim-und-lang") as bot:
        paths = ["/webhook", "/webhook/", "/webhook/falsch", "/webhook/gehei", "/webhook/geheim-und-lang"]
        answers = [post(bot, event.body, path=path) for path in paths]
        assert [answer == 200 for answer in answers] == [False, False, False, False, True]
        assert bot.get("/webhook/geheim-und-lang").ok
        vendor.wait_for_taken(1)
        assert "geheim-und-lang" not in bot.log_text()


def test_no_authentication_at_home(tmp_path: Path, vendor: SandboxVendor) -> None:
    """On the loopback address, for trying things out."""
    with Bot(tmp_path, vendor.url, WEBHOOK_AUTH="off") as bot:
        assert post(bot, MAKER.text("101", "bảng giá").body) == 200
        vendor.wait_for_taken(1)


@pytest.mark.parametrize(
    "header",
    [{"X-Forwarded-For": "203.0.113.5"}, {"X-Real-IP": "203.0.113.5"}, {"Forwarded": "for=203.0.113.5"}],
)
def test_without_authentication_proxied_requests_are_refused(
    tmp_path: Path, vendor: SandboxVendor, header: dict[str, str]
) -> None:
    """To the bot it looks as if this machine asked."""
    with Bot(tmp_path, vendor.url, WEBHOOK_AUTH="off") as bot:
        assert post(bot, MAKER.text("101", "bảng giá").body, header) == 401


def test_keep_alive_and_pipelined_errors_do_not_mix_bodies(shared: Bot) -> None:
    """A refused body is read to its end, so that the next request on the connection is understood."""
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=PATIENCE)
    event: SignedEvent = MAKER.text("105", "bảng giá")
    for headers, status in (({}, 401), (event.headers, 200), ({}, 401), (event.headers, 200)):
        connection.request("POST", "/webhook", body=event.body, headers=dict(headers))
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()
