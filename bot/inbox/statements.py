"""The statements by which the inbox claims, holds and gives up events; their values are bound by name (b_…)."""

from __future__ import annotations

import sqlalchemy as sa

from bot.inbox import oa_limits
from bot.inbox.tables import IS_OPEN, accounts, events

_earlier = events.alias("earlier")
_has_turn = ~sa.exists().where(
    _earlier.c.status == sa.literal_column("'open'"),
    _earlier.c.oa_id == events.c.oa_id,
    _earlier.c.user_id == events.c.user_id,
    _earlier.c.id < events.c.id,
)
_eligible = (
    sa.select(events.c.id, events.c.oa_id)
    .where(IS_OPEN, events.c.leased.is_(False), events.c.due_at <= sa.bindparam("b_now"), _has_turn)
    .order_by(events.c.due_at, events.c.id)
    .with_for_update(skip_locked=True, of=events)  # SQLite, which has one writer, leaves it out
)
_account = accounts.c
_not_now = sa.select(_account.oa_id).where(sa.or_(_account.pauses > 0, _account.next_slot > sa.bindparam("b_ahead")))
DUE = _eligible.where(
    events.c.oa_id.not_in(_not_now), events.c.oa_id.not_in(sa.bindparam("b_full", expanding=True))
).limit(sa.bindparam("b_most"))
DUE_PROBE = _eligible.where(events.c.oa_id == sa.bindparam("b_oa"), events.c.id != sa.bindparam("b_failed")).limit(1)
MAY_PROBE = sa.select(_account.oa_id, _account.closed_until, _account.failed_event).where(
    _account.pauses > 0, oa_limits.MAY_TRY
)
FAILING_OAS = sa.select(_account.oa_id).where(_account.failures > 0)
CLAIM = (
    sa.update(events)
    .where(events.c.id.in_(sa.bindparam("b_ids", expanding=True)))
    .values(due_at=sa.bindparam("b_until"), leased=True, fence=events.c.fence + 1)
    .returning(events)
)
_human = events.alias("human")
_human_at = (
    sa.select(sa.func.max(_human.c.received_at))
    .where(
        _human.c.oa_id == events.c.oa_id,
        _human.c.user_id == events.c.user_id,
        # The index is for both kinds, and SQLite does not see that the one below is among them.
        _human.c.reason.in_((sa.literal_column("'echo'"), sa.literal_column("'human'"))),
        _human.c.reason == sa.literal_column("'human'"),
    )
    .scalar_subquery()
)
HOLDERS = (
    sa.select(events.c.id, events.c.fence, _human_at.label("human_at"))
    .where(IS_OPEN, events.c.id.in_(sa.bindparam("b_ids", expanding=True)))
    .with_for_update(of=events)
)
_is_held = (IS_OPEN, events.c.leased.is_(True))
RENEW = (
    sa.update(events)
    .where(*_is_held, events.c.id == sa.bindparam("b_id"), events.c.fence == sa.bindparam("b_fence"))
    .values(due_at=sa.bindparam("b_due"))
)
OVERDUE = sa.select(events.c.id, events.c.fence, events.c.due_at).where(
    *_is_held, events.c.due_at <= sa.bindparam("b_now")
)
RELEASE = (
    sa.update(events)
    .where(
        *_is_held,
        events.c.id == sa.bindparam("b_id"),
        events.c.fence == sa.bindparam("b_fence"),
        events.c.due_at == sa.bindparam("b_ends"),
    )
    .values(due_at=sa.bindparam("b_now"), leased=False, fence=events.c.fence + 1)
)
END_LEASES = sa.update(events).where(*_is_held).values(due_at=sa.bindparam("b_now"), leased=False)
WAKE = (
    sa.update(events)
    .where(
        IS_OPEN,
        events.c.leased.is_(False),
        events.c.oa_id == sa.bindparam("b_oa"),
        events.c.user_id == sa.bindparam("b_user"),
        events.c.reason == "unknown",
    )
    .values(due_at=sa.bindparam("b_now"))
)
