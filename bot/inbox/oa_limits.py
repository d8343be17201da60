"""Rate limit (GCRA) and circuit breaker per OA, shared by all processes through the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.inbox.sql.engine import insert
from bot.inbox.sql.prepared import PREPARED
from bot.inbox.tables import accounts

# One failing event may be at fault itself; several in a row mean that the vendor is. With many concurrent calls,
# several failures in a row happen by chance, so no call may have succeeded for some time either.
_FAILURES_TO_PAUSE = 5
_SECONDS_TO_PAUSE = 1.0
_FIRST_PAUSE_SECONDS = 2.0
_MAX_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit on calls per minute: a steady stream of calls, and a burst after a quiet time."""

    interval: float
    """Seconds between two calls of the steady stream."""
    burst: float
    """How far a burst may run ahead of the steady stream, in seconds."""

    @classmethod
    def per_minute(cls, calls: int) -> RateLimit:
        """Return the limit that allows at most *calls* in any 60 seconds: a tenth as a burst, the rest steadily."""
        together = max(1, calls // 10)
        interval = 60.0 / max(1, calls - together)
        return cls(interval, (together - 1) * interval)


def available_calls(connection: sa.Connection, oa_ids: Iterable[str], *, now: float, rate: RateLimit) -> dict[str, int]:
    """Return how many calls each OA may make now; the rows of the OAs stay locked until the commit."""
    wanted = sorted(set(oa_ids))
    rows = connection.execute(_LOCK, {"b_oas": wanted})
    slots = {row.oa_id: row.next_slot for row in rows}
    for oa_id in wanted:
        if oa_id not in slots:
            connection.execute(insert(accounts, connection.dialect.name).values(oa_id=oa_id).on_conflict_do_nothing())
    return {oa_id: _calls(slots.get(oa_id, 0.0) - now, rate) for oa_id in wanted}


def _calls(ahead: float, rate: RateLimit) -> int:
    """Return how many calls an OA may make now whose calls so far run so many seconds ahead of the steady stream."""
    ahead = max(0.0, ahead)
    # The small term makes up for rounding in a sum of intervals.
    return max(0, int((rate.burst - ahead) / rate.interval + 1e-6) + 1) if ahead <= rate.burst + 1e-6 else 0


def take(  # noqa: PLR0913  what an account is, and what is wanted of it
    connection: sa.Connection, oa_id: str, most: int, seen_slot: float | None, *, now: float, rate: RateLimit
) -> int:
    """
    Count up to *most* calls of the OA, as many as it may make now, against its rate limit; return how many.

    *seen_slot* is its `next_slot` as it was read without a lock: if it is still the same, one statement is enough.
    """
    if seen_slot is not None:
        allowed = min(most, _calls(seen_slot - now, rate))
        values = {"b_oa": oa_id, "b_now": now, "b_time": allowed * rate.interval, "b_seen": seen_slot}
        if connection.execute(_CHARGE_IF_UNCHANGED, values).rowcount:
            return allowed
    allowed = min(most, available_calls(connection, [oa_id], now=now, rate=rate)[oa_id])
    consume(connection, {oa_id: allowed}, now=now, rate=rate)
    return allowed


def has_spare_call(connection: sa.Connection, oa_id: str, *, now: float, rate: RateLimit) -> bool:
    """
    Return whether the OA may make a call that no customer waits for.

    It may not while its calls fail, nor if that left less than half of a burst, or no call, for customers.
    """
    free = available_calls(connection, [oa_id], now=now, rate=rate)[oa_id]
    row = connection.execute(_LOCK, {"b_oas": [oa_id]}).one()
    burst = int(rate.burst / rate.interval + 1e-6) + 1
    return row.failures == 0 and row.pauses == 0 and free > max(1, burst // 2)


def consume(connection: sa.Connection, calls: Mapping[str, int], *, now: float, rate: RateLimit) -> None:
    """Count *calls* of each OA against its rate limit; a negative number gives calls back."""
    for oa_id, number in calls.items():
        if number:
            connection.execute(_CHARGE, {"b_oa": oa_id, "b_now": now, "b_time": number * rate.interval})


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call whose cause may be the OA's account or the vendor."""

    oa_id: str
    event_id: int
    trouble: str
    now: float
    at_once: bool = False
    """Whether to pause the OA without waiting for more failures."""
    retry_after: float = 0.0
    is_repeated: bool = False
    """Whether the event's call before this one failed too."""


@dataclass(frozen=True, slots=True)
class FailureVerdict:
    """What caused a failure: the event itself, or the OA or the vendor."""

    is_own: bool
    """Whether the event itself is at fault: other calls for its OA have succeeded since its last failure."""
    is_paused: bool
    """Whether the OA is paused: only probes are sent for it."""


def record_failure(connection: sa.Connection, failure: Failure) -> FailureVerdict:
    """
    Count the failure against its OA, unless the event itself is at fault.

    A paused OA is probed with one event at a time, at growing intervals, until a call succeeds. While only one event
    has failed, a probe with another event may be sent at once.
    """
    row = connection.execute(_LOCK, {"b_oas": [failure.oa_id]}).one()
    if failure.is_repeated and row.failures == 0:
        return FailureVerdict(is_own=True, is_paused=False)
    failures = row.failures + 1
    since = min(row.failing_since, failure.now) if row.failures else failure.now
    events = row.failed_events + (row.failed_event != failure.event_id)
    if failure.retry_after > 0:
        events = max(events, 2)  # the vendor's Retry-After is for all calls
    several = failures >= _FAILURES_TO_PAUSE and failure.now - since >= _SECONDS_TO_PAUSE
    pauses_now = failure.at_once or row.pauses > 0 or several
    # Calls that began before the pause say nothing new.
    is_first = row.closed_until <= failure.now or row.probing
    pauses = row.pauses + (pauses_now and is_first)
    pause = max(failure.retry_after, min(_FIRST_PAUSE_SECONDS * 2.0 ** min(pauses - 1, 30), _MAX_PAUSE_SECONDS))
    values = {
        "failures": failures,
        "failing_since": since,
        "failed_event": failure.event_id,
        "failed_events": events,
        "pauses": pauses,
        "trouble": failure.trouble,
        "probing": False,
        "closed_until": failure.now + pause if pauses_now and is_first else row.closed_until,
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
    """Return whether the caller may probe the paused OA; until the time *until* nobody else may."""
    values = {"b_oa": oa_id, "b_now": now, "b_until": until}
    return connection.execute(_PROBE, values).rowcount > 0


def record_failures(connection: sa.Connection, failures: Sequence[Failure]) -> Sequence[FailureVerdict]:
    """Count several failures in one transaction."""
    return [record_failure(connection, failure) for failure in failures]


def record_successes(connection: sa.Connection, oa_ids: Sequence[str]) -> Sequence[None]:
    """Record successes of several OAs in one transaction."""
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
_CHARGE_IF_UNCHANGED = _CHARGE.where(accounts.c.next_slot == sa.bindparam("b_seen")).execution_options(**PREPARED)
#: True if the pause is over, or if only one event has failed and no probe is under way.
MAY_TRY = sa.or_(
    accounts.c.closed_until <= sa.bindparam("b_now"),
    sa.and_(accounts.c.failed_events <= 1, accounts.c.probing.is_(False)),
)
_PROBE = (
    sa.update(accounts)
    .where(accounts.c.oa_id == sa.bindparam("b_oa"), MAY_TRY)
    .values(closed_until=sa.bindparam("b_until"), probing=True)
)
