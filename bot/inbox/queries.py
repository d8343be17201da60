"""Read-only queries on the inbox: events, messages, counts by status, replies and failures by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final, Literal

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.messages import Message
from bot.inbox.period import Period
from bot.inbox.states import Status
from bot.inbox.tables import HAS_WORDS, IS_ECHO, IS_FAILED, IS_OPEN, IS_UNMATCHED, accounts, events, good_rules

ImageStatus = Literal["sent", "doubtful", "unsent"]


@dataclass(frozen=True, slots=True)
class EventRow:
    """The main facts of an event; times are seconds since 1970."""

    id: int
    received_at: float
    oa_id: str
    name: str
    """Zalo's event_name, such as ``user_send_text``."""
    kind: str | None
    """Its `on:` value in the rules file; None for an event that cannot be answered."""
    status: Status
    reason: str | None
    rule_id: str | None
    attempts: int
    error: str | None
    """The error of the latest call; None if it succeeded."""


@dataclass(frozen=True, slots=True)
class EventListItem(EventRow):
    """An event in a list, with the beginning of its text and its images."""

    beginning: str | None
    """The beginning of the customer's text, which is personal data; None once it is erased."""
    images: list[dict[str, str]] | None
    progress: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of events, newest first."""

    events: list[EventListItem]
    before: int | None
    """The *before* of the next page; None: this is the last page. A page that is not full may have a next page."""


@dataclass(frozen=True, slots=True)
class EventDetail(EventRow):
    """All facts of an event."""

    key: str
    """The key of the duplicate filter, in hex; log lines show its beginning."""
    user_id: str
    msg_id: str
    sent_at: float | None
    """Zalo's timestamp."""
    text: str | None
    """The customer's text, which is personal data; None once it is erased."""
    rules_hash: str | None
    images: list[dict[str, str]] | None
    """The images of the decision, in order; None: nothing is sent."""
    progress: int
    """How many of the images were sent."""
    due_at: float
    attempted_at: float | None
    """When the latest call began, while it is not known whether it sent its image; else None."""
    resent: bool
    replied_at: float | None
    settled_at: float | None
    vendor_ids: list[dict[str, str]] | None

    def image_status(self, number: int) -> ImageStatus:
        """Return the status of image *number*, counted from 1."""
        if number <= self.progress:
            return "sent"
        return "doubtful" if number == self.progress + 1 and self.attempted_at is not None else "unsent"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """The conditions of a list of events; None: no condition."""

    status: Status | None = None
    oa_id: str | None = None
    customer: tuple[str, str] | None = None
    """The ids of an OA and of a user."""
    rule_id: str | None = None
    period: Period | None = None
    echoes: bool = True
    """False: without Zalo's echoes of messages that the bot sent."""

    def conditions(self, of: sa.FromClause = events) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that no index supports, on the events or an alias of them."""
        oa_id, user_id = self.customer or (None, None)
        values = ((of.c.oa_id, self.oa_id), (of.c.oa_id, oa_id), (of.c.user_id, user_id), (of.c.rule_id, self.rule_id))
        found = [column == value for column, value in values if value is not None]
        return found + (self.period.conditions(of) if self.period else [])


#: The largest id of an event.
MAX_EVENT_ID: Final = 2**63 - 1

#: How many events `EventQueries.listing` reads for one page at most, so that a rare status does not cost a full scan.
MAX_SCANNED: Final = 20_000

#: How many texts `EventQueries.search` reads for one page at most; each takes longer.
MAX_SEARCHED: Final = 5_000

_BEGINNING: Final = 160


class EventQueries:
    """Queries on the inbox; each is one short read-only transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(
        self, most: int, *, status: Status | None = None, oa_id: str | None = None, before: int | None = None
    ) -> list[EventRow]:
        """Return up to *most* events, newest first; for the next page, pass the last id of this one as *before*."""
        query = newest_events(_columns(EventRow), most, status, before)
        if oa_id is not None:
            query = query.where(events.c.oa_id == oa_id)
        return [EventRow(**row) for row in self._rows(query)]

    def listing(self, most: int, chosen: EventFilter | None = None, *, before: int | None = None) -> Listing:
        """
        Return a page of up to *most* events that match *chosen*.

        Conditions that no index supports are checked on MAX_SCANNED events. So the page may have fewer events, or
        none, and still have a next page.
        """
        wanted = chosen or EventFilter()
        conditions = wanted.conditions()
        floor = self.floor(wanted, before)
        if floor:
            conditions.append(events.c.id > floor)
        if not wanted.echoes:
            conditions.append(sa.func.coalesce(events.c.reason, "") != "echo")
        # By id: the index gives the order, so nothing is sorted.
        found = self.items(newest_events([events.c.id], most, wanted.status, before).where(*conditions))
        full = len(found) == most
        return Listing(found, found[-1].id if full else floor + 1 if floor else None)

    def search(
        self, most: int, fits: Callable[[str], bool], chosen: EventFilter, *, before: int | None = None
    ) -> Listing:
        """
        Return a page of up to *most* events that match *chosen* and whose text fits.

        At most MAX_SEARCHED texts are read for it, so that the page may not be full, as in `listing`.
        """
        query = newest_events([events.c.id, events.c.text], MAX_SEARCHED, chosen.status, before)
        texts = self._rows(query.where(*chosen.conditions(), sa.func.coalesce(events.c.text, "") != ""))
        ids = list(islice((row["id"] for row in texts if fits(row["text"])), most))
        found = self.items(ids)
        if len(ids) == most:
            return Listing(found, ids[-1])
        return Listing(found, texts[-1]["id"] if len(texts) == MAX_SEARCHED else None)

    def items(self, ids: Sequence[int] | sa.Select[Any]) -> list[EventListItem]:
        """Return the events with these ids, newest first."""
        beginning = sa.func.substr(events.c.text, 1, _BEGINNING).label("beginning")
        columns: list[sa.Label[Any] | sa.Column[Any]] = [
            beginning if name == "beginning" else events.c[name] for name in _names(EventListItem)
        ]
        query = sa.select(*columns).where(events.c.id.in_(ids)).order_by(events.c.id.desc())
        return [EventListItem(**row) for row in self._rows(query)]

    def floor(self, chosen: EventFilter, before: int | None) -> int:
        """Return the lowest id that is read for a page; 0: no bound is needed, or no event is below it."""
        indexed = None if chosen.status in _UNINDEXED else chosen.status
        is_short = chosen.period is not None and chosen.period.last_id - chosen.period.first_id < MAX_SCANNED
        if is_short or (indexed == chosen.status and not chosen.conditions()):
            return 0
        rows = self._rows(newest_events([events.c.id], 1, indexed, before).offset(MAX_SCANNED))
        floor = int(rows[0]["id"]) if rows else 0
        return 0 if chosen.period and floor < chosen.period.first_id else floor

    def event(self, event_id: int) -> EventDetail | None:
        """Return the event with that id; None if there is none."""
        rows = self._rows(sa.select(*_columns(EventDetail)).where(events.c.id == event_id))
        return EventDetail(**rows[0]) if rows else None

    def find(self, key: str) -> EventDetail | None:
        """Return the event with this key; None if it has not come in."""
        rows = self._rows(sa.select(*_columns(EventDetail)).where(events.c.key == key))
        return EventDetail(**rows[0]) if rows else None

    def is_empty(self) -> bool:
        """Return whether there are no events: none has come in, or all were deleted."""
        return not self._rows(sa.select(events.c.id).limit(1))

    def latest_texts(self, most: int) -> list[str]:
        """Return the latest texts of customers, newest first."""
        query = sa.select(events.c.text).where(HAS_WORDS, events.c.kind == "text", events.c.text != "")
        return [row["text"] for row in self._rows(query.order_by(events.c.received_at.desc()).limit(most))]

    def count_foreign_echoes(self, *, since: float) -> int:
        """Return how many echoes are of messages that are no images: another program or a person sent them."""
        count = sa.select(sa.func.count().label("n")).where(
            IS_ECHO, events.c.reason == "echo", events.c.name != "oa_send_image", events.c.received_at > since
        )
        return int(self._rows(count)[0]["n"])

    def pause_reasons(self) -> dict[str, str]:
        """Return why each paused OA is paused, in the vendor's words, by OA id."""
        rows = self._rows(sa.select(accounts.c.oa_id, accounts.c.trouble).where(accounts.c.pauses > 0))
        return {row["oa_id"]: row["trouble"] or "" for row in rows}

    def dead_ids(self) -> list[int]:
        """Return the ids of the dead letters, oldest first."""
        query = sa.select(events.c.id).where(*_of("dead")).order_by(events.c.id)
        return [row["id"] for row in self._rows(query)]

    def replayable(self, *, since: float) -> list[int]:
        """Return the ids of the dead letters that happened since then, oldest first."""
        happened_at = sa.func.coalesce(events.c.sent_at, events.c.received_at)
        query = sa.select(events.c.id).where(*_of("dead"), happened_at >= since).order_by(events.c.id)
        return [row["id"] for row in self._rows(query)]

    def counts_by_status(self) -> dict[Status, int]:
        """Return the numbers of open, dead and parked events, which the bot or a person must still handle."""
        count = sa.func.count().label("n")
        failed = sa.select(events.c.status, count).where(IS_FAILED).group_by(events.c.status)
        found: dict[Status, int] = {"open": 0, "dead": 0, "parked": 0}
        found |= {row["status"]: row["n"] for row in self._rows(failed)}
        found["open"] = self._rows(sa.select(count).where(IS_OPEN))[0]["n"]
        return found

    def oldest_open(self) -> float | None:
        """Return when the oldest open event came in, in seconds since 1970; None if none is open."""
        # As above: read the few open events, not the table in the order of its ids.
        first = sa.select(sa.func.min(events.c.id + 0)).where(IS_OPEN).scalar_subquery()
        rows = self._rows(sa.select(events.c.received_at).where(events.c.id == first))
        return rows[0]["received_at"] if rows else None

    def paused_accounts(self) -> dict[str, bool]:
        """Return whether each OA is paused, by its id; OAs without any call are left out."""
        rows = self._rows(sa.select(accounts.c.oa_id, (accounts.c.pauses > 0).label("closed")).order_by("oa_id"))
        return {row["oa_id"]: bool(row["closed"]) for row in rows}

    def rules_taken_at(self) -> float | None:
        """Return when a valid rules file was last loaded, in seconds since 1970; None if never."""
        rows = self._rows(sa.select(sa.func.max(good_rules.c.loaded_at).label("latest")))
        latest: float | None = rows[0]["latest"]
        return latest

    def good_rules(self, digest: str) -> bytes | None:
        """Return the content of the rules file with this digest, if it is in force or was within the last day."""
        rows = self._rows(sa.select(good_rules.c.content).where(good_rules.c.digest == digest))
        return rows[0]["content"] if rows else None

    def last_failure_by_rule(self, most: int, *, counts: Callable[[str], bool] = bool) -> dict[str, EventRow]:
        """
        Return the newest event of each rule whose error *counts*, by rule id.

        Of dead, parked and retried events, the latest *most* each are read.
        """
        statuses: tuple[Status, ...] = ("dead", "parked", "open")
        found = sorted((event for s in statuses for event in self._complaints(most, s)), key=lambda event: event.id)
        return {event.rule_id: event for event in found if event.rule_id is not None and counts(event.error or "")}

    def _complaints(self, most: int, status: Status) -> list[EventRow]:
        place = events.c.id + 0 if status == "open" else events.c.id
        latest = sa.select(events.c.id, events.c.rule_id, events.c.error).where(
            *_of(status), events.c.error.is_not(None)
        )
        bounded = latest.order_by(place.desc()).limit(most).subquery()
        newest = sa.select(sa.func.max(bounded.c.id)).group_by(bounded.c.rule_id, bounded.c.error)
        return [EventRow(**row) for row in self._rows(sa.select(*_columns(EventRow)).where(events.c.id.in_(newest)))]

    def messages(self, most: int) -> list[Message]:
        """Return the latest texts that the rules have decided about, newest first."""
        return self._messages(most, HAS_WORDS, events.c.kind == "text", events.c.rules_hash.is_not(None))

    def answered_by(self, rule_id: str, most: int, *, since: float) -> list[Message]:
        """Return the latest texts for which the rule, or FALLBACK, was chosen, newest first, back to *since*."""
        # By id, which is the order in which they came in and that of the index of the rule's events.
        conditions = (HAS_WORDS, events.c.rule_id == rule_id, events.c.received_at >= since)
        return self._messages(most, *conditions, by=events.c.id.desc())

    def unmatched(self, most: int, *, since: float) -> list[Message]:
        """Return the latest texts that no rule matched, newest first, back to *since*."""
        return self._messages(most, IS_UNMATCHED, events.c.received_at >= since)

    def _messages(
        self, most: int, *conditions: sa.ColumnElement[bool], by: sa.ColumnElement[Any] | None = None
    ) -> list[Message]:
        happened_at = sa.func.coalesce(events.c.sent_at, events.c.received_at).label("happened_at")
        columns = (happened_at if name == "happened_at" else events.c[name] for name in _names(Message))
        query = (
            sa.select(*columns)
            .where(*conditions, events.c.text != "")
            .order_by(*((events.c.received_at.desc(), events.c.id.desc()) if by is None else (by,)))
            .limit(most)
        )
        with self._database.read() as connection:
            return [Message(*row) for row in connection.execute(query).all()]

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with self._database.read() as connection:
            return connection.execute(query).mappings().all()


_UNINDEXED: Final = frozenset({"sent", "ignored"})


def newest_events(
    columns: Sequence[sa.Label[Any] | sa.Column[Any]], most: int, status: Status | None, before: int | None
) -> sa.Select[Any]:
    # Few events are open: keep SQLite from reading the whole table in the order of its ids to find them.
    place = events.c.id + 0 if status == "open" else events.c.id
    query = sa.select(*columns).order_by(place.desc()).limit(most)
    if status is not None:
        query = query.where(*_of(status))
    return query if before is None else query.where(place < before)


def _of(status: Status) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for a status, worded as in its partial index."""
    if status == "open":
        return (IS_OPEN,)
    is_it = events.c.status == status
    return (IS_FAILED, is_it) if status in {"dead", "parked"} else (is_it,)


def _columns(kind: type[EventRow]) -> list[sa.Column[Any]]:
    return [events.c[name] for name in _names(kind)]


def _names(kind: type[EventRow | Message]) -> list[str]:
    return [field.name for field in fields(kind)]
