"""A customer's text message and the rule that matched it; imports no SQLAlchemy, so that it loads fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: The longest name of a topic (the words that its messages share), in characters.
MAX_TOPIC_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Message:
    """A text that a customer wrote."""

    id: int
    """The id of its event."""
    text: str
    oa_id: str
    user_id: str
    happened_at: float
    """Seconds since 1970: Zalo's timestamp if the event has one, else when it came in."""
    rule_id: str | None
    """The rule that was chosen; FALLBACK for the fallback; None if nothing was to be sent."""
