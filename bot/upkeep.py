"""What keeps the inbox fit: failed events are tried again, and old ones are erased, counted and deleted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.database import Database
from bot.inbox import Status
from bot.rules.engine import FALLBACK
from bot.tables import HAS_WORDS, IS_BARE, IS_FAILED, IS_OVER, events, tallies

log = logging.getLogger(__name__)

#: Zalo redelivers for hours: no key is forgotten before this.
KEPT_SECONDS: Final = 7 * 86_400.0
# While a batch is written, acknowledgements wait: it is as small as is still quick.
_BATCH = 250
_BATCHES = 20
# The customers' day: Vietnam is seven hours ahead of UTC, in summer too.
_UTC_OFFSET = 7 * 3600.0
_EPOCH = date(1970, 1, 1)

#: `reopened`; `settled`: it is neither dead nor parked; `absent`: there is no such event; `late`: its REPLY_WINDOW
#: is over; `erased`: the text to decide about is gone.
Outcome = Literal["reopened", "settled", "absent", "late", "erased"]


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of the wish to try an event again, and how the event stood before."""

    outcome: Outcome
    status: Status | None = None
    reason: str | None = None
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Tended:
    """How many events lost their text, and how many were counted and deleted."""

    erased: int
    deleted: int


def replay(database: Database, event_id: int, *, now: float, window: float) -> Replay:
    """
    Make a dead or parked event open again, in one transaction; doing it twice does it once.

    A dead letter of which no picture went out is decided anew: most often it died of its picture, and the rule has
    been mended. Any other goes on with its pictures where it stopped, and those that went out are not sent again;
    of a parked one, the picture in doubt is. Events older than *window* seconds stay as they are: REPLY_WINDOW
    would only have them ignored.
    """
    with database.write() as connection:
        row = connection.execute(_FIND, {"b_id": event_id}).mappings().first()
        outcome = _outcome(row, now=now, window=window)
        if row is None:
            return Replay(outcome)
        was = Replay(outcome, row["status"], row["reason"], row["attempts"], row["error"])
        if outcome != "reopened":
            return was
        connection.execute(_REOPEN.values(**_fresh(row, now=now)), {"b_id": event_id})
    fields = {"event": event_id, "was": was.status, "reason": was.reason, "attempts": was.attempts, "error": was.error}
    log.info("replayed", extra=fields)
    return was


def _outcome(row: sa.RowMapping | None, *, now: float, window: float) -> Outcome:
    if row is None:
        return "absent"
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
        return values | {"reason": None, "rule_id": None, "rules_hash": None, "images": None}
    return values | {"reason": "fallback" if row["rule_id"] == FALLBACK else "rule"}


def _has_words(row: sa.RowMapping) -> bool:
    return row["kind"] != "text" or row["text"] is not None


def tend(database: Database, *, now: float, retention: float) -> Tended:
    """
    Erase and delete what is older than *retention* seconds, some thousand events at most: call it every minute.

    Texts and bodies are erased once the event is settled. The event itself, which is the duplicate filter, is kept
    for KEPT_SECONDS at least; then it is counted in `tallies` and deleted by the same transaction. Open events are
    not touched, and parked ones not deleted. Any number of processes may do so at once.
    """
    forget_before = now - max(retention, KEPT_SECONDS)
    deleted = erased = 0
    for _ in range(_BATCHES):
        with database.write() as connection:
            ids = _some(connection, _WITH_WORDS, forget_before) or _some(connection, _BARE, forget_before)
            if ids:
                _count(connection, connection.execute(_DELETE, {"b_ids": ids}).all())
                deleted += len(ids)
                continue
            ids = _some(connection, _ERASABLE, now - retention)
            if not ids:
                break
            connection.execute(_ERASE, {"b_ids": ids})
            erased += len(ids)
    if deleted or erased:
        log.info("retention", extra={"erased": erased, "deleted": deleted})
    return Tended(erased=erased, deleted=deleted)


def _some(connection: sa.Connection, query: sa.Select[Any], before: float) -> Sequence[int]:
    return connection.scalars(query, {"b_before": before}).all()


def _count(connection: sa.Connection, rows: Sequence[Any]) -> None:
    """Add the events to the counts of their days, in an order that is the same for all processes."""
    keys = (
        (_day(row.received_at), row.oa_id, row.kind or "", row.status, row.reason or "", row.rule_id or "")
        for row in rows
    )
    names = [column.name for column in tallies.primary_key]
    values = [dict(zip(names, key, strict=True)) | {"n": n} for key, n in sorted(Counter(keys).items())]
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    added = insert(tallies)
    added = added.on_conflict_do_update(index_elements=names, set_={"n": tallies.c.n + added.excluded.n})
    connection.execute(added, values)


def _day(at: float) -> date:
    return _EPOCH + timedelta(days=(at + _UTC_OFFSET) // 86_400)


def _oldest(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the query for the next batch; what another process holds is left to it."""
    return (
        sa.select(events.c.id)
        .where(*conditions, events.c.received_at < sa.bindparam("b_before"))
        .order_by(events.c.received_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)  # SQLite, which has one writer, leaves it out
    )


_WITH_WORDS = _oldest(HAS_WORDS, IS_OVER)
_BARE = _oldest(IS_BARE)
_ERASABLE = _oldest(HAS_WORDS)
_CHOSEN = events.c.id.in_(sa.bindparam("b_ids", expanding=True))
_DELETE = (
    sa.delete(events)
    .where(_CHOSEN)
    .returning(events.c.received_at, events.c.oa_id, events.c.kind, events.c.status, events.c.reason, events.c.rule_id)
)
_ERASE = sa.update(events).where(_CHOSEN).values(text=None, body=None)
_FIND = sa.select(events).where(events.c.id == sa.bindparam("b_id")).with_for_update()
_REOPEN = sa.update(events).where(IS_FAILED, events.c.id == sa.bindparam("b_id"))
