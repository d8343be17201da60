"""Conversations: the latest customers, and the events of one customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.queries import MAX_SEARCHED, EventFilter, EventQueries, Listing, newest_events
from bot.inbox.tables import IS_ECHO, IS_OPEN, IS_SETTLED_MESSAGE, events

#: How many messages are read at most for one page of `Conversations.latest`.
MAX_MESSAGES: Final = MAX_SEARCHED
# How many messages are read at first for each customer of the page.
_ROWS_A_CUSTOMER: Final = 5


class Conversations:
    """Queries on customers; each is a few short read-only transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = EventQueries(database)

    def latest(
        self,
        most: int,
        chosen: EventFilter,
        fits: Callable[[str], bool] | None = None,
        *,
        before: int | None = None,
    ) -> Listing:
        """
        Return up to *most* customers, each by their newest message that matches *chosen* and whose text *fits*.

        A customer whose newest message has an id from *before* on was on an earlier page. With a text search, a
        customer may be on two pages. At most MAX_MESSAGES are read, so a page may have fewer customers, or none, and
        still have a next page.
        """
        floor = self._queries.floor(chosen, before)
        for size in (most * _ROWS_A_CUSTOMER, MAX_MESSAGES):
            rows = self._messages(size, chosen, floor, before)
            newest: dict[tuple[str, str], int] = {}
            for row in rows:
                if fits is None or fits(row["text"] or ""):
                    newest.setdefault((row["oa_id"], row["user_id"]), row["id"])
            ids = list(newest.values())
            if before is not None and not fits:
                ids = self._without_later(ids, before, chosen)
            if len(ids) > most or len(rows) < size:
                break
        further = rows[-1]["id"] if len(rows) == size else floor + 1 if floor else None
        found = self._queries.items(ids[:most])
        return Listing(found, ids[most - 1] if len(ids) > most else further)

    def _messages(self, most: int, chosen: EventFilter, floor: int, before: int | None) -> list[sa.RowMapping]:
        columns = [events.c.id, events.c.oa_id, events.c.user_id, events.c.text]
        query = newest_events(columns, most, chosen.status, before).where(events.c.id > floor, *chosen.conditions())
        return self._rows(query.where(events.c.kind.is_not(None), events.c.user_id != ""))

    def of(self, customer: tuple[str, str], most: int, *, before: int | None = None) -> Listing:
        """Return up to *most* events of a customer, by the ids of the OA and the user, echoes included."""
        kinds = (IS_SETTLED_MESSAGE, IS_OPEN, IS_ECHO)
        theirs = [events.c.oa_id == customer[0], events.c.user_id == customer[1]]
        if before is not None:
            theirs.append(events.c.id < before)
        # There is one index for each kind; an event may be in both.
        parts = [
            sa.select(sa.select(events.c.id).where(kind, *theirs).order_by(events.c.id.desc()).limit(most).subquery())
            for kind in kinds
        ]
        together = sa.union(*parts).subquery()
        ids = [row["id"] for row in self._rows(sa.select(together.c.id).order_by(together.c.id.desc()).limit(most))]
        return Listing(self._queries.items(ids), ids[-1] if len(ids) == most else None)

    def _without_later(self, ids: list[int], before: int, chosen: EventFilter) -> list[int]:
        """Return the messages whose customers have no other chosen message with an id from *before* on."""
        later = events.alias("later")
        same = (later.c.oa_id == events.c.oa_id, later.c.user_id == events.c.user_id, later.c.id >= before)
        conditions = chosen.conditions(later) + ([later.c.status == chosen.status] if chosen.status else [])
        # The conditions of the two partial indexes that have a customer's messages.
        is_open = later.c.status == sa.literal_column("'open'")
        is_settled = sa.and_(later.c.kind.is_not(None), later.c.status != sa.literal_column("'open'"))
        newer = [sa.exists(sa.select(later.c.id).where(kind, *same, *conditions)) for kind in (is_open, is_settled)]
        rows = self._rows(sa.select(events.c.id).where(events.c.id.in_(ids), *(~one for one in newer)))
        kept = {row["id"] for row in rows}
        return [number for number in ids if number in kept]

    def _rows(self, query: sa.Select[Any]) -> list[sa.RowMapping]:
        with self._database.read() as connection:
            return list(connection.execute(query).mappings())
