"""Replay: an operator reopens a dead or parked event."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from bot import logs
from bot.inbox.database import Database
from bot.inbox.states import Status
from bot.inbox.tables import IS_FAILED, events
from bot.rules.engine import FALLBACK

log = logging.getLogger(__name__)

#: `reopened`; `settled`: the event is neither dead nor parked; `absent`: there is no such event; `late`: its
#: REPLY_WINDOW is over; `erased`: its text was erased, so that no rule can be chosen.
ReplayOutcome = Literal["reopened", "settled", "absent", "late", "erased"]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The outcome of a replay, and the event's status before it."""

    outcome: ReplayOutcome
    status: Status | None = None
    reason: str | None = None
    attempts: int = 0
    error: str | None = None


def replay(database: Database, event_id: int, *, now: float, window: float) -> ReplayResult:
    """
    Reopen a dead or parked event, in one transaction; a second call changes nothing.

    If no image of a dead event was sent, its rule is chosen again: usually its image was at fault and the rule has
    been fixed since. Any other event continues where it stopped: images that were sent are not sent again, but the
    uncertain image of a parked event is. Events older than *window* seconds (REPLY_WINDOW) are not reopened: they
    would be ignored.
    """
    with database.write() as connection:
        row = connection.execute(_FIND, {"b_id": event_id}).mappings().first()
        if row is None:
            return ReplayResult("absent")
        outcome = prospect(row, now=now, window=window)
        was = ReplayResult(outcome, row["status"], row["reason"], row["attempts"], row["error"])
        if outcome != "reopened":
            return was
        connection.execute(_REOPEN.values(**_fresh(row, now=now)), {"b_id": event_id})
    fields = {"was": was.status, "reason": was.reason, "attempts": was.attempts, "error": was.error}
    log.info("replayed", extra=logs.about(row["key"], event_id) | fields)
    return was


def prospect(row: Mapping[Any, Any], *, now: float, window: float) -> ReplayOutcome:
    """Return the outcome that a replay of the event would have; *row* has the fields of `EventDetail`."""
    if row["status"] not in {"dead", "parked"}:
        return "settled"
    if now - (row["sent_at"] or row["received_at"]) > window:
        return "late"
    return "reopened" if row["images"] or _has_words(row) else "erased"


def _fresh(row: sa.RowMapping, *, now: float) -> dict[str, Any]:
    """Return the columns that change; the error stays until the next call, and the new fence voids an old claim."""
    values = {
        "status": "open",
        "due_at": now,
        "fence": row["fence"] + 1,
        "attempts": 0,
        "attempted_at": None,
        "resent": False,
        "settled_at": None,
    }
    if row["status"] == "dead" and row["progress"] == 0 and _has_words(row):
        return values | dict.fromkeys(("reason", "rule_id", "rules_hash", "keyword", "runner_up", "images"))
    return values | {"reason": "fallback" if row["rule_id"] == FALLBACK else "rule"}


def _has_words(row: Mapping[Any, Any]) -> bool:
    return row["kind"] != "text" or row["text"] is not None


_FIND = sa.select(events).where(events.c.id == sa.bindparam("b_id")).with_for_update()
_REOPEN = sa.update(events).where(IS_FAILED, events.c.id == sa.bindparam("b_id"))
