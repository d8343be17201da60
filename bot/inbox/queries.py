"""Read-only queries on the inbox: events, messages, counts by status, replies and failures by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final, Literal

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.messages import Message
from bot.inbox.states import Status
from bot.inbox.tables import HAS_WORDS, IS_ECHO, IS_FAILED, IS_OPEN, IS_UNMATCHED, accounts, events, good_rules

ImageStatus = Literal["sent", "doubtful", "unsent"]


@dataclass(frozen=True, slots=True)
class EventRow:
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
class EventListItem(EventRow):
    """A summary with a little of what came in and of what went out."""

    beginning: str | None
    """The first of the customer's words: mind who is shown them. None once they are erased."""
    images: list[dict[str, str]] | None
    progress: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of events, newest first."""

    events: list[EventListItem]
    before: int | None
    """Where the next page begins; None: there is nothing further. A page that is not full may have one, too."""


@dataclass(frozen=True, slots=True)
class EventDetail(EventRow):
    """All that is known of an event."""

    key: str
    """By which it is known; log lines about it begin with the same letters."""
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

    def image_status(self, number: int) -> ImageStatus:
        """Return what is known of picture *number* of its images, counted from 1."""
        if number <= self.progress:
            return "sent"
        return "doubtful" if number == self.progress + 1 and self.attempted_at is not None else "unsent"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for; None: whatever."""

    status: Status | None = None
    oa_id: str | None = None
    customer: tuple[str, str] | None = None
    """The ids of an OA and of a user."""
    rule_id: str | None = None
    echoes: bool = True
    """False: without Zalo's repetitions of what the bot sent, which say nothing new to people."""

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return what no index holds."""
        oa_id, user_id = self.customer or (None, None)
        values = (
            (events.c.oa_id, self.oa_id),
            (events.c.oa_id, oa_id),
            (events.c.user_id, user_id),
            (events.c.rule_id, self.rule_id),
        )
        return [column == value for column, value in values if value is not None]


#: The largest number that an event can have.
MAX_EVENT_ID: Final = 2**63 - 1

#: So many events are looked at for one page of `EventQueries.listing`: rare ones must not cost a walk over a million.
MAX_SCANNED: Final = 20_000

#: So many texts are read for one page of `EventQueries.search`, which takes longer for each.
MAX_SEARCHED: Final = 5_000

_BEGINNING: Final = 160


class EventQueries:
    """Questions to the inbox; each is one short transaction that only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(
        self, most: int, *, status: Status | None = None, oa_id: str | None = None, before: int | None = None
    ) -> list[EventRow]:
        """Return up to *most* events, newest first; for the next page, those *before* the last id of this one."""
        query = _newest(_columns(EventRow), most, status, before)
        if oa_id is not None:
            query = query.where(events.c.oa_id == oa_id)
        return [EventRow(**row) for row in self._rows(query)]

    def listing(self, most: int, chosen: EventFilter | None = None, *, before: int | None = None) -> Listing:
        """
        Return a page of up to *most* of the events that are *chosen*.

        What no index holds is looked for among MAX_SCANNED events: then the page may not be full, or empty, and there
        is a next one all the same.
        """
        wanted = chosen or EventFilter()
        asked = wanted.conditions()
        floor = self._floor(wanted.status, before) if asked or wanted.status in _UNINDEXED else 0
        if floor:
            asked.append(events.c.id > floor)
        if not wanted.echoes:
            asked.append(sa.func.coalesce(events.c.reason, "") != "echo")
        # By their ids: what an index holds is not read to be sorted.
        found = self._items(_newest([events.c.id], most, wanted.status, before).where(*asked))
        full = len(found) == most
        return Listing(found, found[-1].id if full else floor + 1 if floor else None)

    def search(
        self, most: int, fits: Callable[[str], bool], chosen: EventFilter, *, before: int | None = None
    ) -> Listing:
        """
        Return a page of up to *most* of the events that are *chosen* and whose text fits.

        Up to MAX_SEARCHED texts are read for it, so that it may not be full, as in `listing`.
        """
        query = _newest([events.c.id, events.c.text], MAX_SEARCHED, chosen.status, before)
        texts = self._rows(query.where(*chosen.conditions(), sa.func.coalesce(events.c.text, "") != ""))
        ids = list(islice((row["id"] for row in texts if fits(row["text"])), most))
        found = self._items(ids)
        if len(ids) == most:
            return Listing(found, ids[-1])
        return Listing(found, texts[-1]["id"] if len(texts) == MAX_SEARCHED else None)

    def _items(self, ids: Sequence[int] | sa.Select[Any]) -> list[EventListItem]:
        """Return the events with these ids, newest first."""
        beginning = sa.func.substr(events.c.text, 1, _BEGINNING).label("beginning")
        columns: list[sa.Label[Any] | sa.Column[Any]] = [
            beginning if name == "beginning" else events.c[name] for name in _names(EventListItem)
        ]
        query = sa.select(*columns).where(events.c.id.in_(ids)).order_by(events.c.id.desc())
        return [EventListItem(**row) for row in self._rows(query)]

    def _floor(self, status: Status | None, before: int | None) -> int:
        """Return the id past which a page looks no further; 0 if there is nothing there."""
        indexed = None if status in _UNINDEXED else status
        rows = self._rows(_newest([events.c.id], 1, indexed, before).offset(MAX_SCANNED))
        return int(rows[0]["id"]) if rows else 0

    def event(self, event_id: int) -> EventDetail | None:
        """Return all that is known of the event; None if there is none with that id."""
        rows = self._rows(sa.select(*_columns(EventDetail)).where(events.c.id == event_id))
        return EventDetail(**rows[0]) if rows else None

    def find(self, key: str) -> EventDetail | None:
        """Return all that is known of the event with this key; None if it has not come in."""
        rows = self._rows(sa.select(*_columns(EventDetail)).where(events.c.key == key))
        return EventDetail(**rows[0]) if rows else None

    def is_empty(self) -> bool:
        """Return whether no event has ever come in, or none is left."""
        return not self._rows(sa.select(events.c.id).limit(1))

    def latest_texts(self, most: int) -> list[str]:
        """Return what customers wrote last, newest first."""
        query = sa.select(events.c.text).where(HAS_WORDS, events.c.kind == "text", events.c.text != "")
        return [row["text"] for row in self._rows(query.order_by(events.c.received_at.desc()).limit(most))]

    def count_foreign_echoes(self, *, since: float) -> int:
        """Return how many echoes came in of what the bot never sends, as it sends images and nothing else."""
        count = sa.select(sa.func.count().label("n")).where(
            IS_ECHO, events.c.reason == "echo", events.c.name != "oa_send_image", events.c.received_at > since
        )
        return int(self._rows(count)[0]["n"])

    def pause_reasons(self) -> dict[str, str]:
        """Return why nothing is sent at present, by OA, in the vendor's words."""
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

    def paused_accounts(self) -> dict[str, bool]:
        """Return of each OA that something was to be sent for whether nothing is sent for it at present."""
        rows = self._rows(sa.select(accounts.c.oa_id, (accounts.c.pauses > 0).label("closed")).order_by("oa_id"))
        return {row["oa_id"]: bool(row["closed"]) for row in rows}

    def rules_taken_at(self) -> float | None:
        """Return when good rules were last taken from the rules file, in seconds since 1970; None if never."""
        rows = self._rows(sa.select(sa.func.max(good_rules.c.loaded_at).label("latest")))
        latest: float | None = rows[0]["latest"]
        return latest

    def good_rules(self, digest: str) -> bytes | None:
        """Return the content of the rules file that had this digest and was in force, now or a short while ago."""
        rows = self._rows(sa.select(good_rules.c.content).where(good_rules.c.digest == digest))
        return rows[0]["content"] if rows else None

    def last_failure_by_rule(self, most: int, *, counts: Callable[[str], bool] = bool) -> dict[str, EventRow]:
        """
        Return of each rule the newest event whose error, the vendor's words, counts.

        Among the latest *most* of the dead letters, of the parked events, and of those that are tried again.
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
        """Return the latest texts that the rules were asked about, newest first."""
        return self._messages(most, HAS_WORDS, events.c.kind == "text", events.c.rules_hash.is_not(None))

    def answered_by(self, rule_id: str, most: int, *, since: float) -> list[Message]:
        """Return the latest texts that the rule, or FALLBACK, was to answer, newest first, back to *since*."""
        # By their ids, which are in the order of coming in, as the index of the rule's events has them.
        asked = (HAS_WORDS, events.c.rule_id == rule_id, events.c.received_at >= since)
        return self._messages(most, *asked, by=events.c.id.desc())

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


def _newest(
    columns: Sequence[sa.Label[Any] | sa.Column[Any]], most: int, status: Status | None, before: int | None
) -> sa.Select[Any]:
    # Few are open: SQLite must not walk the whole table in the order of its ids to find them.
    place = events.c.id + 0 if status == "open" else events.c.id
    query = sa.select(*columns).order_by(place.desc()).limit(most)
    if status is not None:
        query = query.where(*_of(status))
    return query if before is None else query.where(place < before)


def _of(status: Status) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for a status in the words of the index that holds it."""
    if status == "open":
        return (IS_OPEN,)
    is_it = events.c.status == status
    return (IS_FAILED, is_it) if status in {"dead", "parked"} else (is_it,)


def _columns(kind: type[EventRow]) -> list[sa.Column[Any]]:
    return [events.c[name] for name in _names(kind)]


def _names(kind: type[EventRow | Message]) -> list[str]:
    return [field.name for field in fields(kind)]
