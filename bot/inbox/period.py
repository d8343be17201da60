"""A stretch of time as the events that came in meanwhile: found by their ids, so that no index of times is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events

# Ids go up as events come in, but for what several processes store at once, and for clocks that are set back.
_DISORDER_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Period:
    """From *since* to before *until*, in seconds since 1970; all its events have ids from *first_id* to *last_id*."""

    since: float
    until: float
    first_id: int
    last_id: int

    def conditions(self, of: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """Return what the events of this time fulfil; *of* is their table or an alias of it."""
        at, number = of.c.received_at, of.c.id
        return [number >= self.first_id, number <= self.last_id, at >= self.since, at < self.until]


def period_of(database: Database, since: float, until: float) -> Period:
    """Return the time from *since* to before *until*; some twenty look-ups by id for each end of a million events."""
    with database.read() as connection:
        first = _first_id(connection, since - _DISORDER_SECONDS)
        return Period(since, until, first, _first_id(connection, until + _DISORDER_SECONDS) - 1)


def _first_id(connection: sa.Connection, at: float) -> int:
    """Return the first id of an event that came in at that time or later; one past the last if there is none."""
    # One at a time: SQLite reads the whole table for both.
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
