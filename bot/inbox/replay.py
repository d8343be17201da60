"""Replay: open a dead or parked event again because an operator says so."""

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

#: `reopened`; `settled`: it is neither dead nor parked; `absent`: there is no such event; `late`: its REPLY_WINDOW
#: is over; `erased`: the text to decide about is gone.
ReplayOutcome = Literal["reopened", "settled", "absent", "late", "erased"]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What became of the wish to try an event again, and how the event stood before."""

    outcome: ReplayOutcome
    status: Status | None = None
    reason: str | None = None
    attempts: int = 0
    error: str | None = None


def replay(database: Database, event_id: int, *, now: float, window: float) -> ReplayResult:
    """
    Make a dead or parked event open again, in one transaction; doing it twice does it once.

    A dead letter of which no picture went out is decided anew: most often it died of its picture, and the rule has
    been mended. Any other goes on with its pictures where it stopped, and those that went out are not sent again;
    of a parked one, the picture in doubt is. Events older than *window* seconds stay as they are: REPLY_WINDOW
    would only have them ignored.
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
    """Return what would become of the wish to replay the event, given its row or all the fields of a report's Whole."""
    if row["status"] not in {"dead", "parked"}:
        return "settled"
    if now - (row["sent_at"] or row["received_at"]) > window:
        return "late"
    return "reopened" if row["images"] or _has_words(row) else "erased"


def _fresh(row: sa.RowMapping, *, now: float) -> dict[str, Any]:
    """Return what changes; the error stays until there is a new one or none, and a late worker's lease is void."""
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
