"""What the inbox knows, for people: events one by one, what customers wrote, and how often each rule answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from bot.database import Database
from bot.inbox import Status
from bot.rules.engine import FALLBACK
from bot.tables import HAS_WORDS, IS_FAILED, IS_OPEN, events, good_rules


@dataclass(frozen=True, slots=True)
class Summary:
    """One line about an event; times are seconds since 1970."""

    id: int
    received_at: float
    oa_id: str
    name: str
    """Zalo's name of the event."""
    kind: str | None
    """The rules' word for it; None for an event that nobody may answer."""
    status: Status
    reason: str | None
    rule_id: str | None
    attempts: int
    error: str | None
    """The vendor's latest words, while they are a complaint."""


@dataclass(frozen=True, slots=True)
class Whole(Summary):
    """All that is known of an event."""

    user_id: str
    msg_id: str
    sent_at: float | None
    """By Zalo's clock."""
    text: str | None
    """A customer's words: mind who is shown them. None once they are erased."""
    rules_hash: str | None
    images: list[dict[str, str]] | None
    """What the decision sends, in order; None: nothing."""
    progress: int
    """How many of the images went out."""
    due_at: float
    attempted_at: float | None
    """Set while it is not known whether a picture went out."""
    resent: bool
    replied_at: float | None
    settled_at: float | None
    vendor_ids: list[dict[str, str]] | None


@dataclass(frozen=True, slots=True)
class Message:
    """A text that a customer wrote, and which rule the bot found for it."""

    id: int
    text: str
    oa_id: str
    user_id: str
    happened_at: float
    """Seconds since 1970: by Zalo's clock where the event says it, else when it came in."""
    rule_id: str | None
    """FALLBACK if the fallback was to answer; None if nothing was."""


class Reports:
    """Questions to the inbox; each is one short transaction that only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(
        self, most: int, *, status: Status | None = None, oa_id: str | None = None, before: int | None = None
    ) -> list[Summary]:
        """Return up to *most* events, newest first; for the next page, those *before* the last id of this one."""
        # Few are open: SQLite must not walk the whole table in the order of its ids to find them.
        place = events.c.id + 0 if status == "open" else events.c.id
        query = sa.select(*_columns(Summary)).order_by(place.desc()).limit(most)
        if status is not None:
            query = query.where(*_of(status))
        if oa_id is not None:
            query = query.where(events.c.oa_id == oa_id)
        if before is not None:
            query = query.where(place < before)
        return [Summary(**row) for row in self._rows(query)]

    def event(self, event_id: int) -> Whole | None:
        """Return all that is known of the event; None if there is none with that id."""
        rows = self._rows(sa.select(*_columns(Whole)).where(events.c.id == event_id))
        return Whole(**rows[0]) if rows else None

    def dead_ids(self) -> list[int]:
        """Return the ids of the dead letters, oldest first."""
        query = sa.select(events.c.id).where(*_of("dead")).order_by(events.c.id)
        return [row["id"] for row in self._rows(query)]

    def waiting(self) -> dict[Status, int]:
        """Return how many events are open, dead and parked: what is to be done yet, by the bot or by a person."""
        count = sa.func.count().label("n")
        failed = sa.select(events.c.status, count).where(IS_FAILED).group_by(events.c.status)
        found: dict[Status, int] = {"open": 0, "dead": 0, "parked": 0}
        found |= {row["status"]: row["n"] for row in self._rows(failed)}
        found["open"] = self._rows(sa.select(count).where(IS_OPEN))[0]["n"]
        return found

    def oldest_open(self) -> float | None:
        """Return when the oldest open event came in, in seconds since 1970; None if none is open."""
        # As above: the few that are open, not the table in the order of its ids.
        first = sa.select(sa.func.min(events.c.id + 0)).where(IS_OPEN).scalar_subquery()
        rows = self._rows(sa.select(events.c.received_at).where(events.c.id == first))
        return rows[0]["received_at"] if rows else None

    def rules_taken_at(self) -> float | None:
        """Return when good rules were last taken from the rules file, in seconds since 1970; None if never."""
        rows = self._rows(sa.select(sa.func.max(good_rules.c.loaded_at).label("latest")))
        latest: float | None = rows[0]["latest"]
        return latest

    def answers(self, *, since: float) -> dict[str, int]:
        """Return how many events each rule has answered since then, FALLBACK among them."""
        query = (
            sa.select(events.c.rule_id, sa.func.count().label("n"))
            .where(events.c.replied_at.is_not(None), events.c.replied_at >= since)
            .group_by(events.c.rule_id)
        )
        return {row["rule_id"]: row["n"] for row in self._rows(query)}

    def messages(self, most: int) -> list[Message]:
        """Return the latest texts that the rules were asked about, newest first."""
        return self._messages(most)

    def unmatched(self, most: int, *, since: float) -> list[Message]:
        """Return the latest texts that no rule matched, newest first, back to *since*."""
        no_rule = sa.or_(events.c.rule_id.is_(None), events.c.rule_id == FALLBACK)
        return self._messages(most, events.c.received_at >= since, no_rule)

    def _messages(self, most: int, *conditions: sa.ColumnElement[bool]) -> list[Message]:
        happened_at = sa.func.coalesce(events.c.sent_at, events.c.received_at).label("happened_at")
        decided = (events.c.kind == "text", events.c.text != "", events.c.rules_hash.is_not(None))
        query = (
            sa.select(*(happened_at if name == "happened_at" else events.c[name] for name in _names(Message)))
            .where(HAS_WORDS, *decided, *conditions)
            .order_by(events.c.received_at.desc(), events.c.id.desc())
            .limit(most)
        )
        return [Message(**row) for row in self._rows(query)]

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with self._database.read() as connection:
            return connection.execute(query).mappings().all()


def _of(status: Status) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for a status in the words of the index that holds it."""
    if status == "open":
        return (IS_OPEN,)
    is_it = events.c.status == status
    return (IS_FAILED, is_it) if status in {"dead", "parked"} else (is_it,)


def _columns(kind: type[Summary]) -> list[sa.Column[Any]]:
    return [events.c[name] for name in _names(kind)]


def _names(kind: type[Summary | Message]) -> list[str]:
    return [field.name for field in fields(kind)]
