"""SQL statements that claim, renew and release events; their bound values have names that begin with b_."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.inbox import oa_limits
from bot.inbox.sql.prepared import PREPARED
from bot.inbox.states import STATE_COLUMNS
from bot.inbox.tables import IS_LEASED, IS_OPEN, IS_WAITING, accounts, events

_earlier = events.alias("earlier")
# OFFSET keeps PostgreSQL from turning this into a join: with old table statistics it would then read all open events of
# the OA for each event.
_has_turn = ~sa.exists(
    sa.select(_earlier.c.id)
    .where(
        _earlier.c.status == sa.literal_column("'open'"),
        _earlier.c.oa_id == events.c.oa_id,
        _earlier.c.user_id == events.c.user_id,
        _earlier.c.id < events.c.id,
    )
    .offset(sa.literal_column("0"))
)


def _due_of(oa_id: sa.ColumnElement[str]) -> sa.Select[int, str, float]:
    """Return the due events of the OA whose user has no earlier open event, oldest first."""
    return (
        sa.select(events.c.id, events.c.oa_id, events.c.due_at)
        .where(IS_WAITING, events.c.oa_id == oa_id, events.c.due_at <= sa.bindparam("b_now"), _has_turn)
        .order_by(events.c.due_at, events.c.id)
        .with_for_update(skip_locked=True, of=events)  # SQLite, which has one writer, leaves it out
    )


DUE_PROBE = (
    _due_of(sa.bindparam("b_oa")).with_only_columns(events.c.id).where(events.c.id != sa.bindparam("b_failed")).limit(1)
)

# A recursive query that takes one index lookup per OA, whatever its number of events.
_first_oa = sa.select(events.c.oa_id).where(IS_WAITING).order_by(events.c.oa_id).limit(1)
_waiting = sa.select(_first_oa.scalar_subquery().label("oa_id")).cte("waiting", recursive=True)
_next_oa = _first_oa.where(events.c.oa_id > _waiting.c.oa_id).correlate(_waiting).scalar_subquery()
_waiting = _waiting.union_all(sa.select(_next_oa).where(_waiting.c.oa_id.is_not(None)))
#: OAs that have open events which are not claimed.
WAITING_OAS = sa.select(_waiting.c.oa_id).where(_waiting.c.oa_id.is_not(None))
_oldest = (
    sa.select(events.c.due_at)
    .where(IS_WAITING, events.c.oa_id == _waiting.c.oa_id)
    .order_by(events.c.due_at)
    .limit(1)
    .correlate(_waiting)
    .scalar_subquery()
)
_account = accounts.c
_may_be_sent_to = sa.or_(
    _account.oa_id.is_(None),
    sa.and_(_account.pauses == 0, _account.next_slot <= sa.bindparam("b_ahead")),
    sa.and_(_account.pauses > 0, oa_limits.MAY_TRY),
)


def _listed(name: str, *, sqlite: bool) -> sa.ColumnElement[str]:
    """Return the values of the JSON list of the name."""
    if sqlite:
        return sa.func.json_each(sa.bindparam(name)).table_valued("value", name=name).c.value
    listed = sa.func.json_array_elements_text(sa.cast(sa.bindparam(name, type_=sa.Text), sa.JSON))
    return listed.table_valued("value", name=name).c.value


def _due(*, sqlite: bool) -> sa.Select[str, int, int, float, int, float, int]:
    """
    Return the statement for the OAs that have due events and may be called, each with its due events, oldest first.

    Of an OA that is paused, or that has no event whose turn it is, there is one row without an id. Those of the JSON
    list *b_full* are left out, unless they are paused. If many OAs have due events, only a few are read of each, as
    the others would not be claimed: *b_rows* in all, and up to *b_most* of each.
    """
    none: sa.ColumnElement[int] = sa.literal_column("0")
    pauses = sa.func.coalesce(_account.pauses, none)
    is_full = _waiting.c.oa_id.in_(sa.select(_listed("b_full", sqlite=sqlite)))
    oa = (
        sa.select(_waiting.c.oa_id, pauses.label("pauses"), sa.func.coalesce(_account.failures, none).label("failures"),
                  _account.closed_until, _account.failed_event, _account.next_slot)
        .select_from(_waiting.outerjoin(accounts, _account.oa_id == _waiting.c.oa_id))
        .where(_waiting.c.oa_id.is_not(None), _may_be_sent_to, _oldest <= sa.bindparam("b_now"))
        .where(sa.or_(pauses > none, ~is_full))
        .cte("oa")
    )  # fmt: skip
    least, greatest = (sa.func.min, sa.func.max) if sqlite else (sa.func.least, sa.func.greatest)
    some = greatest(sa.bindparam("b_rows", type_=sa.Integer) // sa.func.count(), sa.literal_column("1"))
    each = sa.select(least(some, sa.bindparam("b_most", type_=sa.Integer))).select_from(oa).scalar_subquery()
    ids = _due_of(oa.c.oa_id).limit(each).where(oa.c.pauses == none)
    if sqlite:  # it has no LATERAL
        due = events.alias("due")
        joined = oa.outerjoin(due, due.c.id.in_(ids.with_only_columns(events.c.id).correlate(oa)))
        return sa.select(*oa.c, due.c.id).select_from(joined).order_by(due.c.due_at, due.c.id)
    rows = ids.correlate(oa).lateral("due")
    return sa.select(*oa.c, rows.c.id).select_from(oa.outerjoin(rows, sa.true())).order_by(rows.c.due_at, rows.c.id)


DUE_ON_SQLITE, DUE_ON_POSTGRES = _due(sqlite=True), _due(sqlite=False).execution_options(**PREPARED)
_CLAIMED = ("id", "fence", "key", "oa_id", "user_id", "kind", "text", "sent_at", "received_at", *STATE_COLUMNS)


def _claim(is_chosen: sa.ColumnElement[bool]) -> sa.sql.dml.ReturningUpdate[Any]:
    return (
        sa.update(events)
        .where(is_chosen)
        .values(due_at=sa.bindparam("b_until"), leased=True, fence=events.c.fence + sa.literal_column("1"))
        .returning(*(events.c[name] for name in _CLAIMED))
    )


CLAIM_ON_SQLITE = _claim(events.c.id.in_(sa.bindparam("b_ids", expanding=True)))
# The same text for any number of ids, so that it is prepared once.
_among = sa.any_(sa.bindparam("b_ids", type_=sa.ARRAY(sa.BigInteger)))
CLAIM_ON_POSTGRES = _claim(events.c.id == _among).execution_options(**PREPARED)
_human = events.alias("human")
_human_at = (
    sa.select(sa.func.max(_human.c.received_at))
    .where(
        _human.c.oa_id == events.c.oa_id,
        _human.c.user_id == events.c.user_id,
        # The index covers both kinds, and SQLite does not recognize that the condition below is one of them.
        _human.c.reason.in_((sa.literal_column("'echo'"), sa.literal_column("'human'"))),
        _human.c.reason == sa.literal_column("'human'"),
    )
    .scalar_subquery()
)
HOLDERS = sa.select(events.c.id, events.c.fence, _human_at.label("human_at")).where(
    IS_OPEN, events.c.id.in_(sa.bindparam("b_ids", expanding=True))
)
RENEW = (
    sa.update(events)
    .where(IS_LEASED, events.c.id == sa.bindparam("b_id"), events.c.fence == sa.bindparam("b_fence"))
    .values(due_at=sa.bindparam("b_due"))
)
OVERDUE = sa.select(events.c.id, events.c.fence, events.c.due_at).where(
    IS_LEASED, events.c.due_at <= sa.bindparam("b_now")
)
RELEASE = (
    sa.update(events)
    .where(
        IS_LEASED,
        events.c.id == sa.bindparam("b_id"),
        events.c.fence == sa.bindparam("b_fence"),
        events.c.due_at == sa.bindparam("b_ends"),
    )
    .values(due_at=sa.bindparam("b_now"), leased=False, fence=events.c.fence + 1)
)
END_LEASES = sa.update(events).where(IS_LEASED).values(due_at=sa.bindparam("b_now"), leased=False)
WAKE = (
    sa.update(events)
    .where(
        IS_WAITING,
        events.c.oa_id == sa.bindparam("b_oa"),
        events.c.user_id == sa.bindparam("b_user"),
        events.c.reason == "unknown",
    )
    .values(due_at=sa.bindparam("b_now"))
)
