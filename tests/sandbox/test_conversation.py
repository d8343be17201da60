"""The demo's conversation: calls, images and final state of a message."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from bot import zalo
from bot.sandbox import script
from bot.sandbox.conversation import LATE_SECONDS, Change, Conversation, Outcome
from bot.sandbox.send_image import PATH, Account
from bot.sandbox.vendor import SandboxVendor
from bot.sandbox.webhook_client import Webhook
from bot.sandbox.zalo_events import EventMaker
from tests.support.running import PATIENCE, wait_until

OA, USER, OTHER = "388613280878808645", "246845883529197922", "246845883529197923"
MAKER = EventMaker("360846524940903967", "testOAsecretKey0001", OA)
OPEN = Outcome("open", "", "", None)


class Bot:
    """Stands in for the bot: it has a webhook and an inbox, and calls the vendor on request."""

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
        """Call the vendor, whatever the outcome."""
        body = {"message": {"image_url": image}, "oa_id": OA, "recipient": {"user_id": user_id}}
        headers = {"API-KEY": "k", "Content-Type": "application/json", "accept": "*/*", "accessToken": "t"}
        try:
            requests.post(
                self.vendor.url + PATH,
                json.dumps(body).encode(),
                headers={**headers, "Authorization": "Bearer t"},
                timeout=PATIENCE,
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
def conversation(vendor: SandboxVendor, bot: Bot) -> Iterator[Conversation]:
    webhook = Webhook(bot.url)
    conversation = Conversation(MAKER, webhook, bot.inbox.get)
    vendor.listen(conversation.on_vendor_call)
    yield conversation
    conversation.stop()
    webhook.close()


def until(conversation: Conversation, is_there: str, user_id: str = USER) -> list[Change]:
    """Return the user's changes once *is_there* holds for one: sent, arrived, or a status of the inbox."""
    deadline = time.monotonic() + PATIENCE
    changes: list[Change] = []
    while time.monotonic() < deadline:
        changes += conversation.changes(user_id, len(changes), timeout=0.5)
        for change in changes:
            if is_there == change.what or (change.message.outcome and change.message.outcome.status == is_there):
                return changes
    raise AssertionError(f"no {is_there}: {changes}")


def test_the_steps_of_a_message(conversation: Conversation, bot: Bot) -> None:
    """The message, the webhook's answer, the image, the final state; times count from the sending."""
    message = conversation.say(USER, "text", "menu")
    assert message.delivery is not None
    assert message.delivery.status == 200
    bot.send("https://shop.example/menu.jpg")
    until(conversation, "image")
    bot.end(0, "sent", "rule", "menu")
    last = until(conversation, "sent")[-1]
    changes = conversation.changes(USER, 0, timeout=0)
    assert changes[0].what == "sent"
    assert changes[0].message.text == "menu"
    final = changes[-1].message
    assert [shown.message.image for shown in final.images] == ["https://shop.example/menu.jpg"]
    assert 0 < final.images[0].seconds < PATIENCE
    assert last.message.number == final.number == 1


def test_a_call_belongs_to_the_first_message_that_was_open(conversation: Conversation, bot: Bot) -> None:
    """Replies keep their order, so the second image belongs to the second message once the first has ended."""
    conversation.say(USER, "text", "menu")
    conversation.say(USER, "text", "giá")
    bot.send("https://shop.example/menu.jpg")
    bot.end(0, "sent", "rule", "menu")
    bot.send("https://shop.example/gia.jpg")
    bot.end(1, "sent", "rule", "gia")

    def received() -> list[Change]:
        return [change for change in conversation.changes(USER, 0, timeout=0) if change.what == "image"]

    wait_until(lambda: len(received()) == 2, "both images")
    assert [(c.message.number, c.message.images[-1].message.image[-8:]) for c in received()] == [
        (1, "menu.jpg"),
        (2, "/gia.jpg"),
    ]


def test_failed_calls_show_no_image(conversation: Conversation, vendor: SandboxVendor, bot: Bot) -> None:
    """Each is listed with its status; after a cut connection the image may have been sent."""
    conversation.say(USER, "text", "menu")
    vendor.next(script.answer(503), script.cut())
    bot.send("https://shop.example/menu.jpg")
    bot.send("https://shop.example/menu.jpg")
    message = until(conversation, "image")[-1].message
    assert [call.status for call in message.calls] == [503, None]
    assert len(message.images) == 1


def test_customers_do_not_see_each_other(conversation: Conversation, bot: Bot) -> None:
    """An image for one is no change for another."""
    conversation.say(USER, "text", "menu")
    conversation.say(OTHER, "follow")
    bot.send("https://shop.example/chao.jpg", OTHER)
    changes = until(conversation, "image", OTHER)
    assert {change.message.user_id for change in changes} == {OTHER}
    assert all(change.what != "image" for change in conversation.changes(USER, 0, timeout=0))


def test_a_message_without_answer(conversation: Conversation, bot: Bot) -> None:
    """The inbox's state is a change, too."""
    conversation.say(USER, "sticker")
    bot.end(0, "ignored", "no-match")
    message = until(conversation, "ignored")[-1].message
    assert message.is_over
    assert message.outcome
    assert message.outcome.reason == "no-match"


def test_a_refusal_of_the_webhook(conversation: Conversation, bot: Bot) -> None:
    """A status other than 200 is shown, and the message is not over."""
    bot.status = 503
    message = conversation.say(USER, "text", "menu")
    assert message.delivery is not None
    assert message.delivery.status == 503
    assert not message.is_over


def test_stop_wakes_waiting_pages(conversation: Conversation) -> None:
    """They get no changes, at once."""
    got: list[list[Change]] = []
    waiting = threading.Thread(target=lambda: got.append(conversation.changes(USER, 0, timeout=PATIENCE)))
    waiting.start()
    conversation.stop()
    waiting.join(PATIENCE)
    assert got == [[]]
    assert conversation.stopped


def test_a_slow_vendor_is_not_shown_as_late() -> None:
    """The demo's "slow" must not be called late."""
    assert LATE_SECONDS > 3
