"""Chat of the demo: what each customer sends and receives, and how each message passes through the bot."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from bot import zalo
from bot.sandbox.send_image import ImageMessage
from bot.sandbox.vendor import VendorCall
from bot.sandbox.webhook_client import Delivery, Webhook
from bot.sandbox.zalo_events import EventMaker, SignedEvent

Kind = Literal["text", "sticker", "follow"]

#: Seconds after which an unsettled message is shown as late.
LATE_SECONDS = 8.0
_POLL_SECONDS = 0.04


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of an event in the bot's inbox."""

    status: str
    """open, sent, ignored, dead or parked."""
    reason: str
    rule_id: str
    """"" until the decision, and if no rule answers."""
    settled_at: float | None
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Call:
    """One vendor call for a message."""

    seconds: float
    """From the customer's message to the vendor's handling."""
    status: int | None
    """None if the vendor gave no answer."""


@dataclass(frozen=True, slots=True)
class ReceivedImage:
    """An image on the customer's phone."""

    message: ImageMessage
    seconds: float
    """From the customer's message to the image's arrival."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message or other action of a customer, and its state."""

    number: int
    """1 for the first of this conversation."""
    user_id: str
    kind: Kind
    text: str
    key: str
    """The event key in the bot's inbox."""
    at: float
    """Seconds since 1970."""
    delivery: Delivery | None = None
    calls: tuple[Call, ...] = ()
    images: tuple[ReceivedImage, ...] = ()
    outcome: Outcome | None = None
    is_late: bool = False

    @property
    def is_over(self) -> bool:
        """Whether its state is final."""
        return self.outcome is not None and self.outcome.status != "open"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a message: sent, an image arrived, or another state."""

    what: Literal["sent", "image", "progress"]
    message: Message


class Conversation:
    """
    The customers of a sandbox: their messages go to the webhook, signed, and the images come back to them.

    *outcome* returns the state of an event key in the bot's inbox, or None if it is unknown there.
    """

    def __init__(self, maker: EventMaker, webhook: Webhook, outcome: Callable[[str], Outcome | None]) -> None:
        self._maker = maker
        self._webhook = webhook
        self._outcome = outcome
        self._changed = threading.Condition()
        self._messages: dict[int, Message] = {}
        self._changes: dict[str, list[Change]] = {}
        self._calls: queue.SimpleQueue[VendorCall | None] = queue.SimpleQueue()  # None: only look up
        self._thread = threading.Thread(target=self._follow, name="conversation", daemon=True)
        self._stopped = False
        self._thread.start()

    def say(self, user_id: str, kind: Kind, text: str = "") -> Message:
        """Send a customer's message or follow; return it once the webhook has answered."""
        event = self._event(user_id, kind, text)
        key = zalo.parse(zalo.decode(event.body), event.body).key
        with self._changed:
            number = len(self._messages) + 1
            at = int(event.timestamp) / 1000
            message = Message(number, user_id, kind, text, key, at)
            self._add_change("sent", message)
        self._calls.put(None)
        delivery = self._webhook.deliver(event)
        with self._changed:
            message = replace(self._messages[number], delivery=delivery)
            self._add_change("progress", message)
            return message

    def on_vendor_call(self, call: VendorCall) -> None:
        """Record a vendor call; a listener for `SandboxVendor.listen`."""
        self._calls.put(call)

    def changes(self, user_id: str, after: int, *, timeout: float) -> list[Change]:
        """Return the customer's changes from number *after* on, waiting up to *timeout* seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._changes.get(user_id, ())) > after, timeout)
            return self._changes.get(user_id, [])[after:]

    def stop(self) -> None:
        """End the conversation; waiting calls of `changes` return nothing."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._calls.put(None)
        self._thread.join()

    @property
    def stopped(self) -> bool:
        """Whether there will be no more changes."""
        return self._stopped

    def _event(self, user_id: str, kind: Kind, text: str) -> SignedEvent:
        if kind == "follow":
            return self._maker.follow(user_id)
        if kind == "sticker":
            return self._maker.attachment(user_id, "sticker")
        return self._maker.text(user_id, text)

    def _add_change(self, what: Literal["sent", "image", "progress"], message: Message) -> None:
        self._messages[message.number] = message
        self._changes.setdefault(message.user_id, []).append(Change(what, message))
        self._changed.notify_all()

    def _follow(self) -> None:
        while not self._stopped:
            try:
                call = self._calls.get(timeout=_POLL_SECONDS if self._open_messages() else None)
            except queue.Empty:
                call = None
            if call:
                self._add_to_message(call)
            self._poll_inbox()

    def _open_messages(self) -> list[Message]:
        with self._changed:
            return [message for message in self._messages.values() if not message.is_over]

    def _add_to_message(self, call: VendorCall) -> None:
        """Add a vendor call to the message that it answers."""
        sent = call.received.message
        if sent is None:
            return
        with self._changed:
            mine = [message for message in self._messages.values() if message.user_id == sent.user_id]
        for message in mine:
            outcome = self._outcome(message.key)
            # Replies to one user keep their order: the call is for the first message that was open then.
            if outcome and (outcome.settled_at or call.at) >= call.at:
                self._add_call(message.number, outcome, call, sent)
                return

    def _add_call(self, number: int, outcome: Outcome, call: VendorCall, sent: ImageMessage) -> None:
        with self._changed:
            message = replace(self._messages[number], outcome=outcome)
            seconds = call.at - message.at
            message = replace(message, calls=(*message.calls, Call(seconds, call.status)))
            if call.msg_id:
                message = replace(message, images=(*message.images, ReceivedImage(sent, seconds)))
            self._add_change("image" if call.msg_id else "progress", message)

    def _poll_inbox(self) -> None:
        """Poll the bot's inbox for the open messages, and announce changes."""
        found = [(message, self._outcome(message.key)) for message in self._open_messages()]
        # Calls are queued before the bot learns their outcome; handle them first: images precede the final state.
        while not self._calls.empty():
            if call := self._calls.get():
                self._add_to_message(call)
        for message, outcome in found:
            late = time.time() - message.at > LATE_SECONDS
            with self._changed:
                known = self._messages[message.number]
                if not known.is_over and (outcome, late) != (known.outcome, known.is_late):
                    self._add_change("progress", replace(known, outcome=outcome, is_late=late))
