"""Past events for the demo: insert events of earlier days as if they had been delivered then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.queue import event_row
from bot.inbox.tables import events
from bot.zalo import Event


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event and its final state."""

    event: Event
    body: bytes
    received_at: float
    """Seconds since 1970, as is `settled_at`."""
    settled_at: float
    status: str
    """`sent`, `ignored` or `dead`."""
    reason: str
    rule_id: str | None
    images: tuple[Mapping[str, str], ...]
    keyword: str | None = None
    runner_up: str | None = None
    error: str | None = None
    """The vendor's error text, if it refused the images."""


def add_past_events(database: Database, past: Iterable[PastEvent], *, rules_hash: str) -> None:
    """Store the events, the oldest first, as decided by the rules with the digest *rules_hash*."""
    rows = [_row(one, rules_hash) for one in sorted(past, key=lambda one: one.received_at)]
    if rows:
        with database.write() as connection:
            connection.execute(sa.insert(events), rows)


def _row(past: PastEvent, rules_hash: str) -> dict[str, Any]:
    was_sent = past.status == "sent"
    return event_row(past.event, past.body, now=past.received_at) | {
        "status": past.status,
        "reason": past.reason,
        "attempts": 1 if past.images else 0,
        "rule_id": past.rule_id,
        "rules_hash": rules_hash,
        "keyword": past.keyword,
        "runner_up": past.runner_up,
        "images": [dict(image) for image in past.images] or None,
        "progress": len(past.images) if was_sent else 0,
        "replied_at": past.settled_at if was_sent else None,
        "settled_at": past.settled_at,
        "error": past.error,
    }
