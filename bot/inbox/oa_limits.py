"""Rate limit (GCRA) and circuit breaker per OA, shared by all processes through the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.inbox.sql.engine import insert
from bot.inbox.tables import accounts

# One failing event may be at fault itself; several in a row mean that the vendor is. Where many calls are out at
# a time, so many in a row are no wonder as soon as some fail: then what counts is that none succeeds for a while.
_FAILURES_TO_PAUSE = 5
_SECONDS_TO_PAUSE = 1.0
_FIRST_PAUSE_SECONDS = 2.0
_MAX_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many calls in any minute: a steady stream, and a burst after silence."""

    interval: float
    """Seconds from call to call in the steady stream."""
    burst: float
    """Seconds of calls that may be ahead of the steady stream."""

    @classmethod
    def per_minute(cls, calls: int) -> RateLimit:
        """Return the rate at which no 60 seconds see more than *calls*: a tenth in a burst, the rest steady."""
        together = max(1, calls // 10)
        interval = 60.0 / max(1, calls - together)
        return cls(interval, (together - 1) * interval)


def available_calls(connection: sa.Connection, oa_ids: Iterable[str], *, now: float, rate: RateLimit) -> dict[str, int]:
    """Return how many calls each OA may make at this moment; its row stays locked until the commit."""
    wanted = sorted(set(oa_ids))
    rows = connection.execute(_LOCK, {"b_oas": wanted})
    slots = {row.oa_id: row.next_slot for row in rows}
    for oa_id in wanted:
        if oa_id not in slots:
            connection.execute(insert(accounts, connection.dialect.name).values(oa_id=oa_id).on_conflict_do_nothing())
    ahead = {oa_id: max(0.0, slots.get(oa_id, 0.0) - now) for oa_id in wanted}
    # The tiny term keeps a sum of intervals from falling short of itself.
    return {
        oa_id: max(0, int((rate.burst - s) / rate.interval + 1e-6) + 1) if s <= rate.burst + 1e-6 else 0
        for oa_id, s in ahead.items()
    }


def consume(connection: sa.Connection, calls: Mapping[str, int], *, now: float, rate: RateLimit) -> None:
    """Count *calls* of each OA against its rate; a negative number gives back."""
    for oa_id, number in calls.items():
        if number:
            connection.execute(_CHARGE, {"b_oa": oa_id, "b_now": now, "b_time": number * rate.interval})


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed in a way that may be the account's or the vendor's."""

    oa_id: str
    event_id: int
    trouble: str
    now: float
    at_once: bool = False
    """Pause the OA without waiting for more failures."""
    retry_after: float = 0.0
    is_repeated: bool = False
    """Whether the event's call before this one failed too."""


@dataclass(frozen=True, slots=True)
class FailureVerdict:
    """Whose a failure is: the event's own, or the OA's or the vendor's."""

    is_own: bool
    """A call for its OA has succeeded since the event failed last: the vendor answers others."""
    is_paused: bool
    """Nothing is sent for the OA now, but probes."""


def record_failure(connection: sa.Connection, failure: Failure) -> FailureVerdict:
    """
    Note the failure against its OA, unless it is the event's own.

    A paused OA is tried again with one event at a time, at growing intervals, until a call succeeds. As long as only
    one event has failed, another one may try at once.
    """
    row = connection.execute(_LOCK, {"b_oas": [failure.oa_id]}).one()
    if failure.is_repeated and row.failures == 0:
        return FailureVerdict(is_own=True, is_paused=False)
    failures = row.failures + 1
    since = min(row.failing_since, failure.now) if row.failures else failure.now
    events = row.failed_events + (row.failed_event != failure.event_id)
    if failure.retry_after > 0:
        events = max(events, 2)  # the vendor asks everybody to wait
    several = failures >= _FAILURES_TO_PAUSE and failure.now - since >= _SECONDS_TO_PAUSE
    pauses_now = failure.at_once or row.pauses > 0 or several
    # Calls that were in flight when the pause began say nothing new.
    news = row.closed_until <= failure.now or row.probing
    pauses = row.pauses + (pauses_now and news)
    pause = max(failure.retry_after, min(_FIRST_PAUSE_SECONDS * 2.0 ** min(pauses - 1, 30), _MAX_PAUSE_SECONDS))
    values = {
        "failures": failures,
        "failing_since": since,
        "failed_event": failure.event_id,
        "failed_events": events,
        "pauses": pauses,
        "trouble": failure.trouble,
        "probing": False,
        "closed_until": failure.now + pause if pauses_now and news else row.closed_until,
    }
    connection.execute(sa.update(accounts).where(accounts.c.oa_id == failure.oa_id).values(values))
    return FailureVerdict(is_own=False, is_paused=bool(pauses_now))


def record_success(connection: sa.Connection, oa_id: str) -> None:
    """Forget the OA's failures and resume sending."""
    fresh = {
        "failures": 0,
        "failing_since": 0.0,
        "failed_events": 0,
        "failed_event": None,
        "pauses": 0,
        "trouble": None,
        "probing": False,
        "closed_until": 0.0,
    }
    connection.execute(sa.update(accounts).where(accounts.c.oa_id == oa_id).values(fresh))


def try_probe(connection: sa.Connection, oa_id: str, *, now: float, until: float) -> bool:
    """Return whether the caller is the one that may try the paused OA, until then alone."""
    values = {"b_oa": oa_id, "b_now": now, "b_until": until}
    return connection.execute(_PROBE, values).rowcount > 0


def record_failures(connection: sa.Connection, failures: Sequence[Failure]) -> Sequence[FailureVerdict]:
    """Note several failures in one transaction."""
    return [record_failure(connection, failure) for failure in failures]


def record_successes(connection: sa.Connection, oa_ids: Sequence[str]) -> Sequence[None]:
    """Note the successes of several OAs in one transaction."""
    for oa_id in set(oa_ids):
        record_success(connection, oa_id)
    return [None] * len(oa_ids)


def consume_each(
    connection: sa.Connection, values: Sequence[tuple[Mapping[str, int], float, RateLimit]]
) -> Sequence[None]:
    for calls, now, rate in values:
        consume(connection, calls, now=now, rate=rate)
    return [None] * len(values)


_LOCK = sa.select(accounts).where(accounts.c.oa_id.in_(sa.bindparam("b_oas", expanding=True))).with_for_update()
_ahead = sa.case((accounts.c.next_slot > sa.bindparam("b_now"), accounts.c.next_slot), else_=sa.bindparam("b_now"))
_CHARGE = (
    sa.update(accounts)
    .where(accounts.c.oa_id == sa.bindparam("b_oa"))
    .values(next_slot=_ahead + sa.bindparam("b_time", type_=sa.Double))
)
#: The pause is over; or only one event has failed, and no other is trying.
MAY_TRY = sa.or_(
    accounts.c.closed_until <= sa.bindparam("b_now"),
    sa.and_(accounts.c.failed_events <= 1, accounts.c.probing.is_(False)),
)
_PROBE = (
    sa.update(accounts)
    .where(accounts.c.oa_id == sa.bindparam("b_oa"), MAY_TRY)
    .values(closed_until=sa.bindparam("b_until"), probing=True)
)
