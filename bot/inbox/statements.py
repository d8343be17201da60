"""SQL statements that claim, renew and release events; their bound values have names that begin with b_."""

from __future__ import annotations

import sqlalchemy as sa

from bot.inbox import oa_limits
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


def _due(*, sqlite: bool) -> sa.Select[int, str]:
    """Return the statement for up to *b_most* due events of the OAs in the JSON list *b_oas*, *b_each* of each OA."""
    if sqlite:  # it has no LATERAL
        oa = sa.func.json_each(sa.bindparam("b_oas")).table_valued("value", name="oa").c.value
        ids = _due_of(oa).with_only_columns(events.c.id).limit(sa.bindparam("b_each")).correlate(oa.table)
        of_oa = events.alias("of_oa")
        found = sa.select(of_oa.c.id, of_oa.c.oa_id).select_from(oa.table.join(of_oa, of_oa.c.id.in_(ids)))
    else:
        listed = sa.func.json_array_elements_text(sa.cast(sa.bindparam("b_oas", type_=sa.Text), sa.JSON))
        oa = listed.table_valued("value", name="oa").c.value
        rows = _due_of(oa).limit(sa.bindparam("b_each")).correlate(oa.table).lateral("of_oa")
        found = sa.select(rows.c.id, rows.c.oa_id).select_from(oa.table.join(rows, sa.true()))
    return found.order_by(sa.text("of_oa.due_at, of_oa.id")).limit(sa.bindparam("b_most"))


DUE_ON_SQLITE, DUE_ON_POSTGRES = _due(sqlite=True), _due(sqlite=False)
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
#: OAs that have due events and may be called, with the rows of their accounts.
DUE_OAS = (
    sa.select(_waiting.c.oa_id, _account.pauses, _account.failures, _account.closed_until, _account.failed_event)
    .select_from(_waiting.outerjoin(accounts, _account.oa_id == _waiting.c.oa_id))
    .where(_waiting.c.oa_id.is_not(None), _may_be_sent_to, _oldest <= sa.bindparam("b_now"))
)
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
