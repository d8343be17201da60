"""Clamp times that lie in the future because a clock was wrong, so that nothing waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from bot.inbox.statements import WAITING_OAS
from bot.inbox.tables import IS_LEASED, IS_WAITING, accounts, events

#: A time further in the future than this, in seconds, comes from a clock that was wrong and has been corrected.
MAX_DELAY_SECONDS: Final = 2 * 3600.0
#: How far two correct clocks may differ, in seconds.
TOLERANCE_SECONDS: Final = 60.0


def clamp_each(connection: sa.Connection, times: Sequence[tuple[float, float]]) -> Sequence[None]:
    """Make events due that wait too long; each of *times* is a pair: now, and the longest delay, in seconds."""
    for now, max_delay in times:
        for statement in _CLAMP:
            connection.execute(statement, {"b_now": now, "b_soon": now + TOLERANCE_SECONDS, "b_far": now + max_delay})
    return [None] * len(times)


# By OA, because the index is by OA. An event that was never claimed (fence 0) has no reason to wait: if it is due in
# the future, the clock of the process that stored it was ahead.
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
