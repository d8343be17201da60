"""What a customer's phone shows, and the way of each message through the bot, as it happens."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from bot import zalo
from bot.sandbox.send_image import Picture
from bot.sandbox.vendor import Handled
from bot.sandbox.webhook_client import Delivery, Webhook
from bot.sandbox.zalo_events import EventMaker, SignedEvent

Kind = Literal["text", "sticker", "follow"]

#: Seconds after which a message that nobody has dealt with is called late.
LATE = 8.0
_POLL = 0.04


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the bot's inbox says of an event."""

    status: str
    """open, sent, ignored, dead or parked."""
    reason: str
    rule_id: str
    """Empty while it is not decided, and where no rule answers."""
    settled_at: float | None
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the vendor for a message."""

    seconds: float
    """From the customer's sending to the vendor's dealing with it."""
    status: int | None
    """None: the vendor gave no answer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on the customer's phone."""

    picture: Picture
    seconds: float
    """From the customer's sending to the picture's arrival."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something a customer did, and what has become of it so far."""

    number: int
    """1 for the first of this story."""
    user_id: str
    kind: Kind
    text: str
    key: str
    """The event key that the bot's inbox knows it by."""
    at: float
    """Seconds since 1970."""
    delivery: Delivery | None = None
    calls: tuple[Call, ...] = ()
    shown: tuple[Shown, ...] = ()
    outcome: Outcome | None = None
    late: bool = False

    @property
    def over(self) -> bool:
        """Nothing more will become of it."""
        return self.outcome is not None and self.outcome.status != "open"


@dataclass(frozen=True, slots=True)
class Change:
    """What is new: the message was sent, its last picture was shown, or anything else about it."""

    what: Literal["sent", "shown", "progress"]
    message: Message


class Story:
    """
    The customers of a sandbox: what they send goes to the webhook, signed; what comes back is theirs to see.

    *outcome* returns what the bot's inbox says of an event key, or None if it does not know it.
    """

    def __init__(self, maker: EventMaker, webhook: Webhook, outcome: Callable[[str], Outcome | None]) -> None:
        self._maker = maker
        self._webhook = webhook
        self._outcome = outcome
        self._changed = threading.Condition()
        self._messages: dict[int, Message] = {}
        self._changes: dict[str, list[Change]] = {}
        self._handled: queue.SimpleQueue[Handled | None] = queue.SimpleQueue()  # None: just look up
        self._thread = threading.Thread(target=self._follow, name="sandbox-story", daemon=True)
        self._stopped = False
        self._thread.start()

    def say(self, user_id: str, kind: Kind, text: str = "") -> Message:
        """Let a customer send a message or follow the OA; return it once the webhook has answered."""
        event = self._event(user_id, kind, text)
        key = zalo.parse(zalo.decode(event.body), event.body).key
        with self._changed:
            number = len(self._messages) + 1
            at = int(event.timestamp) / 1000
            message = Message(number, user_id, kind, text, key, at)
            self._tell("sent", message)
        self._handled.put(None)
        delivery = self._webhook.deliver(event)
        with self._changed:
            message = replace(self._messages[number], delivery=delivery)
            self._tell("progress", message)
            return message

    def hear(self, handled: Handled) -> None:
        """Take note of a call of the vendor; give this to `SandboxVendor.listen`."""
        self._handled.put(handled)

    def changes(self, user_id: str, after: int, *, timeout: float) -> list[Change]:
        """Return the customer's changes from number *after* on, waiting up to *timeout* seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._changes.get(user_id, ())) > after, timeout)
            return self._changes.get(user_id, [])[after:]

    def stop(self) -> None:
        """End the story: whoever waits for changes gets none."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._handled.put(None)
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

    def _tell(self, what: Literal["sent", "shown", "progress"], message: Message) -> None:
        self._messages[message.number] = message
        self._changes.setdefault(message.user_id, []).append(Change(what, message))
        self._changed.notify_all()

    def _follow(self) -> None:
        while not self._stopped:
            try:
                handled = self._handled.get(timeout=_POLL if self._unfinished() else None)
            except queue.Empty:
                handled = None
            if handled:
                self._note(handled)
            self._look_up()

    def _unfinished(self) -> list[Message]:
        with self._changed:
            return [message for message in self._messages.values() if not message.over]

    def _note(self, handled: Handled) -> None:
        """Add a call of the vendor to the message that it was made for."""
        picture = handled.received.picture
        if picture is None:
            return
        with self._changed:
            mine = [message for message in self._messages.values() if message.user_id == picture.user_id]
        for message in mine:
            outcome = self._outcome(message.key)
            # Replies to one user keep their order: the call is for the first message that was open then.
            if outcome and (outcome.settled_at or handled.at) >= handled.at:
                self._add_call(message.number, outcome, handled, picture)
                return

    def _add_call(self, number: int, outcome: Outcome, handled: Handled, picture: Picture) -> None:
        with self._changed:
            message = replace(self._messages[number], outcome=outcome)
            seconds = handled.at - message.at
            message = replace(message, calls=(*message.calls, Call(seconds, handled.status)))
            if handled.msg_id:
                message = replace(message, shown=(*message.shown, Shown(picture, seconds)))
            self._tell("shown" if handled.msg_id else "progress", message)

    def _look_up(self) -> None:
        """Ask the bot's inbox about what is not over, and tell what is new."""
        found = [(message, self._outcome(message.key)) for message in self._unfinished()]
        # A call is queued before the bot hears of its outcome: told first, no message ends without its picture.
        while not self._handled.empty():
            if handled := self._handled.get():
                self._note(handled)
        for message, outcome in found:
            late = time.time() - message.at > LATE
            with self._changed:
                known = self._messages[message.number]
                if not known.over and (outcome, late) != (known.outcome, known.late):
                    self._tell("progress", replace(known, outcome=outcome, late=late))
