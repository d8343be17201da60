"""What the demo tells of a message: its calls, its pictures, its end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from bot import zalo
from bot.sandbox import conversation, script
from bot.sandbox.conversation import Change, Outcome, Story
from bot.sandbox.send_image import PATH, Account
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.webhook_client import Webhook
from bot.sandbox.zalo_events import EventMaker

OA, USER, OTHER = "388613280878808645", "246845883529197922", "246845883529197923"
MAKER = EventMaker("360846524940903967", "testOAsecretKey0001", OA)
OPEN = Outcome("open", "", "", None)


class Bot:
    """Stands where the bot stands: it has a webhook and an inbox, and calls the vendor when told to."""

    def __init__(self, vendor: SandboxVendor) -> None:
        self.inbox: dict[str, Outcome] = {}
        self.keys: list[str] = []
        self.status = 200
        self.vendor = vendor
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = zalo.parse(zalo.decode(body), body).key
                if bot.status == 200:
                    bot.keys.append(key)
                    bot.inbox[key] = OPEN
                self.send_response(bot.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Keep the test's output clean."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def send(self, image: str, user_id: str = USER) -> None:
        """Call the vendor, whatever comes of it."""
        body = {"message": {"image_url": image}, "oa_id": OA, "recipient": {"user_id": user_id}}
        headers = {"API-KEY": "k", "Content-Type": "application/json", "accept": "*/*", "accessToken": "t"}
        try:
            requests.post(
                self.vendor.url + PATH,
                json.dumps(body).encode(),
                headers={**headers, "Authorization": "Bearer t"},
                timeout=5,
            )
        except requests.ConnectionError:
            return

    def end(self, message: int, status: str, reason: str, rule_id: str = "") -> None:
        self.inbox[self.keys[message]] = Outcome(status, reason, rule_id, time.time())

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def vendor() -> Iterator[SandboxVendor]:
    with SandboxVendor(Account("k", "t")) as vendor:
        yield vendor


@pytest.fixture
def bot(vendor: SandboxVendor) -> Iterator[Bot]:
    bot = Bot(vendor)
    yield bot
    bot.stop()


@pytest.fixture
def told(vendor: SandboxVendor, bot: Bot) -> Iterator[Story]:
    webhook = Webhook(bot.url)
    told = Story(MAKER, webhook, bot.inbox.get)
    vendor.listen(told.hear)
    yield told
    told.stop()
    webhook.close()


def until(told: Story, is_there: str, user_id: str = USER) -> list[Change]:
    """Return the user's changes once one of them is *is_there*: sent, shown, or a status of the inbox."""
    deadline = time.monotonic() + 10
    changes: list[Change] = []
    while time.monotonic() < deadline:
        changes += told.changes(user_id, len(changes), timeout=0.5)
        for change in changes:
            if is_there == change.what or (change.message.outcome and change.message.outcome.status == is_there):
                return changes
    raise AssertionError(f"no {is_there}: {changes}")


def test_from_sent_to_shown(told: Story, bot: Bot) -> None:
    """The message, the webhook's answer, the picture, the end; times count from the sending."""
    message = told.say(USER, "text", "menu")
    assert message.delivery is not None
    assert message.delivery.status == 200
    bot.send("https://shop.example/menu.jpg")
    until(told, "shown")
    bot.end(0, "sent", "rule", "menu")
    last = until(told, "sent")[-1]
    changes = told.changes(USER, 0, timeout=0)
    assert changes[0].what == "sent"
    assert changes[0].message.text == "menu"
    final = changes[-1].message
    assert [shown.picture.image for shown in final.shown] == ["https://shop.example/menu.jpg"]
    assert 0 < final.shown[0].seconds < 10
    assert last.message.number == final.number == 1


def test_a_call_belongs_to_the_first_message_that_was_open(told: Story, bot: Bot) -> None:
    """Replies keep their order, so the second picture is the second message's once the first has ended."""
    told.say(USER, "text", "menu")
    told.say(USER, "text", "giá")
    bot.send("https://shop.example/menu.jpg")
    bot.end(0, "sent", "rule", "menu")
    bot.send("https://shop.example/gia.jpg")
    bot.end(1, "sent", "rule", "gia")
    deadline = time.monotonic() + 10
    while len(shown := [c for c in told.changes(USER, 0, timeout=0) if c.what == "shown"]) < 2:
        assert time.monotonic() < deadline, shown
        told.changes(USER, len(told.changes(USER, 0, timeout=0)), timeout=0.2)
    assert [(c.message.number, c.message.shown[-1].picture.image[-8:]) for c in shown] == [
        (1, "menu.jpg"),
        (2, "/gia.jpg"),
    ]


def test_calls_that_fail_show_nothing(told: Story, vendor: SandboxVendor, bot: Bot) -> None:
    """Each is told with its status; a dropped line may still have sent the picture."""
    told.say(USER, "text", "menu")
    vendor.next(script.answer(503), script.cut())
    bot.send("https://shop.example/menu.jpg")
    bot.send("https://shop.example/menu.jpg")
    message = until(told, "shown")[-1].message
    assert [call.status for call in message.calls] == [503, None]
    assert len(message.shown) == 1


def test_customers_do_not_see_each_other(told: Story, bot: Bot) -> None:
    """A picture for one is no change for another."""
    told.say(USER, "text", "menu")
    told.say(OTHER, "follow")
    bot.send("https://shop.example/chao.jpg", OTHER)
    changes = until(told, "shown", OTHER)
    assert {change.message.user_id for change in changes} == {OTHER}
    assert all(change.what != "shown" for change in told.changes(USER, 0, timeout=0))


def test_nobody_answers(told: Story, bot: Bot) -> None:
    """The inbox's verdict is a change of its own."""
    told.say(USER, "sticker")
    bot.end(0, "ignored", "no-match")
    message = until(told, "ignored")[-1].message
    assert message.over
    assert message.outcome
    assert message.outcome.reason == "no-match"


def test_the_webhook_refuses(told: Story, bot: Bot) -> None:
    """A status other than 200 is told, and the message is not over."""
    bot.status = 503
    message = told.say(USER, "text", "menu")
    assert message.delivery is not None
    assert message.delivery.status == 503
    assert not message.over


def test_stop_wakes_who_waits(told: Story) -> None:
    """A page that waits for changes gets none, at once."""
    got: list[list[Change]] = []
    waiting = threading.Thread(target=lambda: got.append(told.changes(USER, 0, timeout=60)))
    waiting.start()
    told.stop()
    waiting.join(10)
    assert got == [[]]
    assert told.stopped


def test_patience_is_longer_than_a_slow_vendor() -> None:
    """The demo's "slow" must not be called late."""
    assert conversation.LATE > 3
