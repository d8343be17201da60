"""A customer's conversation with the shop: messages and the images sent, each image with its echoes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.inbox.queries import EventListItem
from bot.web.console.messages.event_timeline import EventTableRow, row

Speaker = Literal["customer", "person"]


@dataclass(slots=True)
class Turn:
    """One message or action of a side, and the bot's answer."""

    speaker: Speaker
    """The customer, or a person who answered from OA Manager."""
    row: EventTableRow
    confirmed: int = 0
    """How many of the images have an echo, which proves that they were sent."""


def turns(newest_first: Iterable[EventListItem]) -> list[Turn]:
    """
    Return the conversation in these events of one customer, the oldest first.

    An echo belongs to the latest image before it that has none. Echoes whose message is not among the events are
    left out, and so are events that are no messages, such as receipts.
    """
    found: list[Turn] = []
    for event in reversed(list(newest_first)):
        if event.reason == "echo":
            unconfirmed = (turn for turn in reversed(found) if turn.confirmed < len(turn.row.event.images or ()))
            if answered := next(unconfirmed, None):
                answered.confirmed += 1
        elif event.reason == "human" and event.kind is None:
            found.append(Turn("person", row(event)))
        elif event.kind is not None:
            found.append(Turn("customer", row(event)))
    return found
