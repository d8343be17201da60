"""Clamp times that lie in the future because a clock was wrong, so that nothing waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from bot.inbox.statements import WAITING_OAS
from bot.inbox.tables import IS_LEASED, IS_WAITING, accounts, events

#: A time further ahead was written by a clock that has since been set right.
MAX_DELAY_SECONDS: Final = 2 * 3600.0
#: So much two clocks may differ.
TOLERANCE_SECONDS: Final = 60.0


def clamp_each(connection: sa.Connection, times: Sequence[tuple[float, float]]) -> Sequence[None]:
    """Make due what is put off too far, for each pair of the time and of the longest delay, in seconds."""
    for now, max_delay in times:
        for statement in _CLAMP:
            connection.execute(statement, {"b_now": now, "b_soon": now + TOLERANCE_SECONDS, "b_far": now + max_delay})
    return [None] * len(times)


# By OA, as the index has them; and an event that nobody has claimed yet was not put off by anybody: the clock of who
# stored it was ahead.
_waits = (IS_WAITING, events.c.oa_id.in_(WAITING_OAS))
_CLAMP = tuple(
    sa.update(column.table).where(*conditions, column > sa.bindparam(far)).values({column: sa.bindparam("b_now")})
    for far, column, *conditions in (
        ("b_soon", events.c.due_at, *_waits, events.c.fence == 0),
        ("b_far", events.c.due_at, *_waits),
        ("b_far", events.c.due_at, IS_LEASED),
        ("b_far", accounts.c.next_slot),
        ("b_far", accounts.c.closed_until),
    )
)
