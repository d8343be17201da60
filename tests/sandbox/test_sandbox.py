"""The sandbox vendor and the maker of Zalo's events, over real sockets."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from zalo.sdk.utils.MacUtils import MacUtils

from bot import zalo
from bot.sandbox import script
from bot.sandbox.send_image import PATH, Account
from bot.sandbox.vendor import PATIENCE, Received, SandboxVendor
from bot.sandbox.webhook_client import Echo, Webhook
from bot.sandbox.zalo_events import ATTACHMENTS, EventMaker, SignedEvent

OA = "388613280878808645"
USER = "246845883529197922"
URL = "https://shop.example/bang-gia.jpg"
RIGHT_BODY: dict[str, Any] = {"message": {"image_url": URL}, "oa_id": OA, "recipient": {"user_id": USER}}
RIGHT_HEADERS = {
    "accept": "*/*",
    "Content-Type": "application/json",
    "API-KEY": "key-1",
    "accessToken": "token-1",
    "Authorization": "Bearer bearer-1",
}
MAKER = EventMaker("360846524940903967", "testOAsecretKey0001", OA)


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    with SandboxVendor(Account("key-1", "token-1", "bearer-1", oa_ids=frozenset({OA}))) as vendor:
        yield vendor


def send(
    vendor: SandboxVendor,
    body: object = None,
    headers: dict[str, str | None] | None = None,
    *,
    user_id: str = USER,
    timeout: float = PATIENCE,
) -> requests.Response:
    """Send the documented request with these changes."""
    content = body if isinstance(body, bytes) else json.dumps(body or request_for(user_id)).encode()
    with requests.Session() as session:
        given_headers = {**RIGHT_HEADERS, **(headers or {})}
        return session.post(vendor.url + PATH, data=content, headers=given_headers, timeout=timeout)


def request_for(user_id: str) -> dict[str, Any]:
    return {**RIGHT_BODY, "recipient": {"user_id": user_id}}


class TestRightRequest:
    def test_is_taken_and_answered_as_documented(self, vendor: SandboxVendor) -> None:
        """The answer names the sent image, and has Zalo's and the vendor's user ids."""
        answer = send(vendor)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        said = answer.json()
        (taken,) = vendor.taken
        assert said["code"] == 0
        assert said["message"] == "OK"
        assert said["referentId"]
        assert said["data"]["msg_id"] == taken.msg_id
        assert (said["data"]["oa_id"], said["data"]["zl_user_id"]) == (OA, USER)
        assert said["data"]["recipient_id"] == USER
        assert said["data"]["user_id"] != USER
        assert (taken.message.user_id, taken.message.oa_id) == (USER, OA)
        assert (taken.message.field, taken.message.image) == ("image_url", URL)

    def test_an_attachment_is_an_image_too(self, vendor: SandboxVendor) -> None:
        """`attachment_id` alone is the other documented form."""
        assert send(vendor, {**RIGHT_BODY, "message": {"attachment_id": "aBc"}}).status_code == 200
        assert vendor.taken[0].message.field == "attachment_id"

    def test_api_key_alone(self) -> None:
        """An account of the newest revision sends one key and neither of the other headers."""
        none: dict[str, str | None] = {"accessToken": None, "Authorization": None}
        with SandboxVendor(Account("key-1", api_key_only=True)) as vendor:
            assert send(vendor, headers=none).status_code == 200
            assert send(vendor, headers={**none, "accessToken": "token-1"}).status_code == 400
            assert send(vendor, headers={**none, "Authorization": "Bearer token-1"}).status_code == 400
            assert len(vendor.taken) == 1

    def test_the_bearer_is_the_access_token_unless_given(self) -> None:
        """As in the documentation's own example."""
        with SandboxVendor(Account("key-1", "token-1")) as vendor:
            assert send(vendor).status_code == 401
            assert send(vendor, headers={"Authorization": "Bearer token-1"}).status_code == 200


class TestWrongRequest:
    @pytest.mark.parametrize("name", ["API-KEY", "accessToken", "Authorization"])
    @pytest.mark.parametrize("value", [None, "other", ""])
    def test_credentials(self, vendor: SandboxVendor, name: str, value: str | None) -> None:
        """A missing and a wrong credential are 401; the answer does not tell the right one."""
        answer = send(vendor, headers={name: value})
        assert answer.status_code == 401
        assert answer.json()["code"] == 401
        assert RIGHT_HEADERS[name] not in answer.text
        assert vendor.received[0].fault
        assert vendor.taken == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [("accept", "application/json"), ("Content-Type", "text/plain"), ("Content-Type", None)],
    )
    def test_fixed_headers(self, vendor: SandboxVendor, name: str, value: str | None) -> None:
        """The other two headers must be the documented ones."""
        assert send(vendor, headers={name: value}).status_code == 400
        assert vendor.taken == []

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"\xff",
            b"[" * 100_000,
            {"message": {"image_url": URL}, "oa_id": OA},
            {**RIGHT_BODY, "tracking_id": "1"},
            {**RIGHT_BODY, "message": {}},
            {**RIGHT_BODY, "message": {"image_url": URL, "attachment_id": "a"}},
            {**RIGHT_BODY, "message": {"image_url": URL, "attachment_id": ""}},
            {**RIGHT_BODY, "message": {"image_url": ""}},
            {**RIGHT_BODY, "message": {"image_url": None}},
            {**RIGHT_BODY, "message": {"text": "hi"}},
            {**RIGHT_BODY, "message": [URL]},
            {**RIGHT_BODY, "oa_id": int(OA)},
            {**RIGHT_BODY, "oa_id": ""},
            {**RIGHT_BODY, "oa_id": "١٢٣"},
            {**RIGHT_BODY, "recipient": {"user_id": int(USER)}},
            {**RIGHT_BODY, "recipient": {"user_id": USER, "name": "Na"}},
            {**RIGHT_BODY, "recipient": USER},
        ],
    )
    def test_bodies(self, vendor: SandboxVendor, body: object) -> None:
        """Anything but exactly the documented body is 400 and says why."""
        answer = send(vendor, body)
        assert answer.status_code == 400
        assert answer.json()["message"]
        assert vendor.taken == []

    def test_another_account_s_oa(self, vendor: SandboxVendor) -> None:
        """An OA that is not the account's is 403."""
        assert send(vendor, {**RIGHT_BODY, "oa_id": "1"}).status_code == 403

    def test_another_path(self, vendor: SandboxVendor) -> None:
        """Only the documented path exists."""
        answer = requests.post(f"{vendor.url}/vendor/v1/zalo/oa-send-image", headers=RIGHT_HEADERS, timeout=PATIENCE)
        assert answer.status_code == 404

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_another_method(self, vendor: SandboxVendor, method: str) -> None:
        """Only POST is allowed, and the answer says so."""
        answer = requests.request(method, vendor.url + PATH, headers=RIGHT_HEADERS, timeout=PATIENCE)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")

    def test_an_invalid_request_uses_no_script(self, vendor: SandboxVendor) -> None:
        """The script waits for a valid request."""
        vendor.next(script.answer(503))
        assert send(vendor, b"{}").status_code == 400
        assert send(vendor).status_code == 503


class TestBehaviour:
    def test_scripts_are_used_once_in_order(self, vendor: SandboxVendor) -> None:
        """Each script is used once, in order."""
        vendor.next(script.answer(503, headers={"Retry-After": "7"}), script.answer(429, {"code": -32}))
        first, second, third = send(vendor), send(vendor), send(vendor)
        assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
        assert (second.status_code, second.json()) == (429, {"code": -32})
        assert third.status_code == 200
        assert len(vendor.taken) == 1

    def test_of_one_user(self, vendor: SandboxVendor) -> None:
        """A user's own script comes before everybody's."""
        vendor.always(script.answer(500))
        vendor.always(script.answer(404), user_id="1")
        vendor.next(script.answer(201), user_id="1")
        statuses = [send(vendor, user_id=user).status_code for user in ("1", "1", "1", "2", "2")]
        assert statuses == [201, 404, 404, 500, 500]
        vendor.always(script.OK)
        vendor.always(script.OK, user_id="1")
        assert [send(vendor, user_id=user).status_code for user in ("1", "2")] == [200, 200]

    def test_unused_scripts_can_be_dropped(self, vendor: SandboxVendor) -> None:
        """What was said of the next requests of a user can be taken back."""
        vendor.next(script.answer(500), user_id=USER)
        vendor.forget(user_id=USER)
        vendor.forget()
        assert send(vendor).status_code == 200

    @pytest.mark.parametrize("takes", [True, False])
    def test_bad_gateway(self, vendor: SandboxVendor, takes: bool) -> None:
        """A 502 looks the same whether or not the image was sent."""
        vendor.next(script.bad_gateway(takes=takes))
        assert send(vendor).status_code == 502
        assert len(vendor.taken) == takes

    def test_refusals_inside_200(self, vendor: SandboxVendor) -> None:
        """In the vendor's own shape, and in eTelecom's."""
        vendor.next(
            script.vendor_code(-213, "user has not followed OA"),
            script.etelecom_code("unauthenticated", "bad key"),
        )
        assert send(vendor).json() == {
            "code": -213,
            "data": {},
            "message": "user has not followed OA",
            "referentId": "",
        }
        assert send(vendor).json() == {"code": "unauthenticated", "msg": "bad key"}
        assert vendor.taken == []

    def test_no_content(self, vendor: SandboxVendor) -> None:
        """204 has no body, and the connection stays open."""
        vendor.next(script.answer(204))
        with requests.Session() as session:
            answers = [
                session.post(vendor.url + PATH, json=RIGHT_BODY, headers=RIGHT_HEADERS, timeout=PATIENCE)
                for _ in range(2)
            ]
        assert [(answer.status_code, len(answer.content) > 0) for answer in answers] == [
            (204, False),
            (200, True),
        ]
        assert len(vendor.taken) == 2

    def test_unreadable(self, vendor: SandboxVendor) -> None:
        """Bytes are sent as they are."""
        vendor.next(script.answer(200, b"<html>"))
        assert send(vendor).content == b"<html>"

    def test_late(self, vendor: SandboxVendor) -> None:
        """The image is sent late even if the caller has given up."""
        vendor.next(script.late(0.3))
        with pytest.raises(requests.ReadTimeout):
            send(vendor, timeout=0.05)
        (received,) = vendor.wait_for(1)
        (taken,) = vendor.wait_for_taken(1)
        assert taken.at - received.at >= 0.29

    def test_cut(self, vendor: SandboxVendor) -> None:
        """The connection closes without a byte."""
        vendor.next(script.cut(), script.cut(takes=False))
        for _ in range(2):
            connection = HTTPConnection(vendor.url.removeprefix("http://"), timeout=PATIENCE)
            connection.request("POST", PATH, json.dumps(RIGHT_BODY), RIGHT_HEADERS)
            with pytest.raises((RemoteDisconnected, ConnectionResetError)):
                connection.getresponse()
            connection.close()
        assert len(vendor.taken) == 1
        assert [handled.status for handled in vendor.handled] == [None, None]

    def test_hang_and_release(self, vendor: SandboxVendor) -> None:
        """A request that hangs is answered once released."""
        vendor.next(script.hang())
        answers: list[int] = []
        caller = threading.Thread(target=lambda: answers.append(send(vendor).status_code))
        caller.start()
        vendor.wait_for_taken(1)
        assert answers == []
        vendor.release()
        caller.join(PATIENCE)
        assert answers == [200]
        assert len(vendor.taken) == 1

    def test_down_and_up_again(self, vendor: SandboxVendor) -> None:
        """Down, it refuses connections and drops the open ones; up again, it has the same address."""
        with requests.Session() as session:
            session.post(vendor.url + PATH, json=RIGHT_BODY, headers=RIGHT_HEADERS, timeout=PATIENCE)
            vendor.refuse_connections()
            with pytest.raises(requests.ConnectionError, match="refused"):
                session.post(vendor.url + PATH, json=RIGHT_BODY, headers=RIGHT_HEADERS, timeout=PATIENCE)
        with pytest.raises(requests.ConnectionError, match="refused"):
            send(vendor)
        vendor.accept_connections()
        assert send(vendor).status_code == 200


class TestWaiting:
    def test_a_failed_wait_lists_what_arrived(self, vendor: SandboxVendor) -> None:
        """The counts and the last requests, without keys."""
        send(vendor)
        with pytest.raises(TimeoutError) as failure:
            vendor.wait_for(2, timeout=0.01)
        said = str(failure.value)
        assert "1 requests arrived, 1 images went out" in said
        assert URL in said
        assert "key-1" not in said

    def test_waiting_for_a_condition(self, vendor: SandboxVendor) -> None:
        """It is checked with each request."""

        def second_user(received: Any) -> bool:
            return any(one.message.user_id == "2" for one in received)

        caller = threading.Thread(target=lambda: [send(vendor, user_id=user) for user in ("1", "2")])
        caller.start()
        received: list[Received] = vendor.wait_for(second_user)
        caller.join()
        assert len(received) == 2


class TestHttp:
    """The sandbox's HTTP server: keep-alive, pipelining and slow writers."""

    RAW = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in RIGHT_HEADERS.items())
        + "Content-Length: {}\r\n\r\n{}"
    )

    def raw(self, user_id: str) -> bytes:
        body = json.dumps(request_for(user_id))
        return self.RAW.format(len(body), body).encode()

    @given(cuts=st.lists(st.integers(0, 1500), max_size=6))
    def test_pipelined_requests_in_any_pieces(self, cuts: list[int]) -> None:
        """However the bytes of four requests are cut up, four answers come back in order."""
        stream = b"".join(self.raw(str(user)) for user in range(4))
        edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
        with (
            SandboxVendor(Account("key-1", "token-1", "bearer-1")) as vendor,
            socket.create_connection(("127.0.0.1", int(vendor.url.rsplit(":", 1)[1]))) as client,
        ):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start, end in itertools.pairwise(edges):
                client.sendall(stream[start:end])
            client.shutdown(socket.SHUT_WR)
            seen = b"".join(iter(lambda: client.recv(65536), b""))
        assert [taken.message.user_id for taken in vendor.taken] == ["0", "1", "2", "3"]
        assert seen.count(b"HTTP/1.1 200 OK\r\n") == 4

    @pytest.mark.parametrize(
        "stream",
        [
            b"GARBAGE\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nno colon\r\n\r\n",
            b"POST / HTTP/1.1\r\nX: " + b"a" * 70_000,
        ],
    )
    def test_invalid_bytes_get_400_and_a_close(self, vendor: SandboxVendor, stream: bytes) -> None:
        """The answer comes first, then the connection closes."""
        with socket.create_connection(("127.0.0.1", int(vendor.url.rsplit(":", 1)[1]))) as client:
            client.sendall(stream)
            client.settimeout(PATIENCE)
            seen = b"".join(iter(lambda: client.recv(65536), b""))
        assert seen.startswith(b"HTTP/1.1 400 ")
        assert vendor.received == []

    def test_connection_close(self, vendor: SandboxVendor) -> None:
        """A caller that asks for it gets its connection closed."""
        answer = send(vendor, headers={"Connection": "close"})
        assert answer.headers["Connection"] == "close"

    def test_keeps_connections(self, vendor: SandboxVendor) -> None:
        """A pooled caller opens one connection for many requests."""
        connection = HTTPConnection(vendor.url.removeprefix("http://"), timeout=PATIENCE)
        connection.connect()
        mine = connection.sock
        for _ in range(20):
            connection.request("POST", PATH, json.dumps(RIGHT_BODY), RIGHT_HEADERS)
            assert connection.getresponse().read()
        assert connection.sock is mine
        connection.close()
        assert len(vendor.taken) == 20


class TestEvents:
    @pytest.mark.parametrize("text", ["bảng giá", "", 'a"\\\n', "🍰" * 500])
    def test_signature_is_the_one_of_zalo_s_own_kit(self, text: str) -> None:
        """Zalo's SDK computes the same MAC for the same bytes."""
        event = MAKER.text(USER, text, at=1_787_209_817.225)
        expected = MacUtils.build_mac(MAKER.app_id, event.body.decode(), event.timestamp, "testOAsecretKey0001")
        assert event.headers[zalo.SIGNATURE_HEADER] == f"mac={expected}"
        assert event.timestamp == "1787209817225"

    @pytest.mark.parametrize("kind", sorted(ATTACHMENTS))
    def test_every_kind_of_attachment_may_be_answered(self, kind: Any) -> None:
        """The bot reads each as an event of this user."""
        event = _read(MAKER.attachment(USER, kind))
        assert (event.user_id, event.oa_id, event.on) == (USER, OA, kind)
        assert len(event.msg_id) == 20

    def test_other_answerable_events(self) -> None:
        """Text, follow and "chat now"."""
        events = [MAKER.text(USER, "menu"), MAKER.follow(USER), MAKER.chat_now(USER)]
        assert [_read(event).on for event in events] == ["text", "follow", "chat_now"]
        assert {_read(event).user_id for event in events} == {USER}

    def test_events_without_answer(self) -> None:
        """Receipts, groups, anonymous users, management."""
        events = [
            MAKER.unfollow(USER),
            MAKER.reacted(USER, "a4d0243feee163bd3af2"),
            MAKER.received(USER, "a4d0243feee163bd3af2"),
            MAKER.seen(USER, ["a4d0243feee163bd3af2"]),
            MAKER.submitted_info(USER, "Na", "84912345678"),
            MAKER.tagged(USER, "khách quen"),
            MAKER.group_text(USER, "f414c8f76fa586fbdfb4", "menu"),
            MAKER.anonymous_text("anon-3f6d0b2a", "menu"),
        ]
        assert [_read(event).on for event in events] == [None] * len(events)

    def test_echoes(self) -> None:
        """The bot's own, and a human's."""
        ours = _read(MAKER.oa_sent_image(USER, URL, msg_id="b2db3895fe26797f2030"))
        human = _read(MAKER.oa_sent_text(USER, "dạ", admin_id="4572947693969771653"))
        assert (ours.is_echo, ours.by_human, ours.msg_id) == (True, False, "b2db3895fe26797f2030")
        assert (human.is_echo, human.by_human, human.user_id) == (True, True, USER)

    def test_fresh_by_default(self) -> None:
        """Two messages of the same words are two events."""
        first, second = MAKER.text(USER, "menu"), MAKER.text(USER, "menu")
        assert first.msg_id != second.msg_id
        assert _read(first).key != _read(second).key


def _read(event: SignedEvent) -> zalo.Event:
    payload = zalo.decode(event.body)
    zalo.verify(
        event.body,
        payload,
        event.headers[zalo.SIGNATURE_HEADER],
        app_id=MAKER.app_id,
        secret="testOAsecretKey0001",
    )
    return zalo.parse(payload, event.body)


class Listener:
    """A webhook with scripted answers, then 200, that records the requests."""

    def __init__(self, *statuses: int) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.changed = threading.Condition()
        script = list(statuses)
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with listener.changed:
                    listener.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    listener.changed.notify_all()
                self.send_response(script.pop(0) if script else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.came) >= count, 10), self.came
            return list(self.came)

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    listener = Listener(*getattr(request, "param", ()))
    yield listener
    listener.stop()


class TestWebhook:
    def test_posts_as_zalo_does(self, listener: Listener) -> None:
        """The exact bytes, with Zalo's headers."""
        webhook = Webhook(listener.url)
        event = MAKER.text(USER, "menu")
        delivery = webhook.deliver(event, num_retry=2)
        webhook.close()
        ((headers, body),) = listener.came
        assert delivery.status == 200
        assert delivery.seconds > 0
        assert body == event.body
        assert headers["user-agent"] == "ZaloWebhook"
        assert headers["x-zevent-server"] == "OA OpenAPI"
        assert headers["x-zevent-signature"].startswith("mac=")
        assert headers["num_retry"] == "2"

    def test_a_refused_connection_is_no_answer(self) -> None:
        """Not an exception."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        webhook = Webhook(f"http://127.0.0.1:{port}/webhook")
        assert webhook.deliver(MAKER.follow(USER)).status is None
        webhook.close()

    @pytest.mark.parametrize("keeps", [True, False])
    def test_each_sent_image_has_an_echo(self, vendor: SandboxVendor, listener: Listener, keeps: bool) -> None:
        """With the vendor's `msg_id` or another; refused images have none."""
        with Echo(MAKER, listener.url) as echo:
            echo.keeps_msg_id = keeps
            vendor.listen(echo)
            vendor.next(script.answer(503), script.bad_gateway(takes=True))
            send(vendor)
            send(vendor)
            ((_, body),) = listener.wait_for(1)
        event = zalo.parse(zalo.decode(body), body)
        assert (event.name, event.user_id, event.by_human) == ("oa_send_image", USER, False)
        assert (event.msg_id == vendor.taken[0].msg_id) is keeps

    @pytest.mark.parametrize("listener", [(503, 500)], indirect=True)
    def test_an_echo_is_redelivered_until_200(self, vendor: SandboxVendor, listener: Listener) -> None:
        """With the same bytes and a counting `num_retry`."""
        with Echo(MAKER, listener.url, intervals=(0.01, 0.02, 60)) as echo:
            vendor.listen(echo)
            send(vendor)
            came = listener.wait_for(3)
        assert [headers.get("num_retry") for headers, _ in came] == [None, "1", "2"]
        assert len({body for _, body in came}) == 1

    def test_echo_switched_off(self, vendor: SandboxVendor, listener: Listener) -> None:
        """Off, nothing is posted."""
        with Echo(MAKER, listener.url) as echo:
            vendor.listen(echo)
            echo.enabled = False
            send(vendor)
            echo.enabled = True
            send(vendor, user_id="7")
            ((_, body),) = listener.wait_for(1)
        assert zalo.parse(zalo.decode(body), body).user_id == "7"
