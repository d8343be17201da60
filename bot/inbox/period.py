"""A period of time as a range of event ids, so that no index by time is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events

# Ids grow with time, except among concurrent processes and after a clock was set back.
_DISORDER_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Period:
    """The time from *since* to before *until*, in seconds since 1970; its events have ids *first_id* to *last_id*."""

    since: float
    until: float
    first_id: int
    last_id: int

    def conditions(self, of: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """Return the conditions for the events of this period; *of* is their table or an alias of it."""
        at, number = of.c.received_at, of.c.id
        return [number >= self.first_id, number <= self.last_id, at >= self.since, at < self.until]


def period_of(database: Database, since: float, until: float) -> Period:
    """Return the period from *since* to before *until*, by binary search: some 20 lookups by id in a million events."""
    with database.read() as connection:
        first = _first_id(connection, since - _DISORDER_SECONDS)
        return Period(since, until, first, _first_id(connection, until + _DISORDER_SECONDS) - 1)


def _first_id(connection: sa.Connection, at: float) -> int:
    """Return the first id of an event that came in at that time or later; one past the last if there is none."""
    # Two queries: for both in one, SQLite reads the whole table.
    low, last = (connection.execute(sa.select(end(events.c.id))).scalar() for end in (sa.func.min, sa.func.max))
    if low is None or last is None:
        return 1
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(_NEXT, {"b_id": middle}).one()
        if found.received_at >= at:
            high = middle
        else:
            low = found.id + 1
    return int(low)


_NEXT = (
    sa.select(events.c.id, events.c.received_at)
    .where(events.c.id >= sa.bindparam("b_id"))
    .order_by(events.c.id)
    .limit(1)
)
