"""A customer's conversation with the shop: messages, the images that went out, and Zalo's echoes folded into them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.inbox.queries import EventListItem
from bot.web.console.event_timeline import EventTableRow, row

Speaker = Literal["customer", "person"]


@dataclass(slots=True)
class Turn:
    """What one side said or did, and what the bot made of it."""

    speaker: Speaker
    """The customer; or a person who answered from OA Manager."""
    row: EventTableRow
    confirmed: int = 0
    """How many of the images Zalo has repeated to us, which proves that they went out."""


def turns(newest_first: Iterable[EventListItem]) -> list[Turn]:
    """
    Return the conversation in these events of one customer, the oldest first.

    An echo belongs to the latest image before it that has none; one whose message is not among the events, and what
    nobody says, as a receipt, is left out.
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
