"""What a customer wrote, and which rule was found for it; free of SQLAlchemy, so that it loads at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: The words that the messages of a topic share are cut to so many where the topic is kept.
MAX_TOPIC_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Message:
    """A text that a customer wrote."""

    id: int
    """Of its event."""
    text: str
    oa_id: str
    user_id: str
    happened_at: float
    """Seconds since 1970: by Zalo's clock where the event says it, else when it came in."""
    rule_id: str | None
    """FALLBACK if the fallback was to answer; None if nothing was."""
