"""The inbox as a durable queue: put, claim, save, renew, release; leases with a fencing number; echoes."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from bot.inbox import clock, oa_limits, statements
from bot.inbox.database import Database
from bot.inbox.echoes import EchoVerdict, find_echo, read_echoes
from bot.inbox.oa_limits import Failure, FailureVerdict, RateLimit
from bot.inbox.sql.bulk import BulkInsert, BulkUpdate
from bot.inbox.sql.group_commit import Future, GroupCommitWriter
from bot.inbox.states import STATE_COLUMNS, Claim, Lease, SaveResult, State, StateChange
from bot.inbox.tables import IS_ECHO, events
from bot.zalo import Event

_DueRow = sa.Row[str, int, int, float, int, float, int]


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    most: int
    now: float
    lease: float
    rate: RateLimit
    claimed_by_oa: Mapping[str, int]
    share: int


class Inbox:
    """The queue of events; each call is one durable transaction, shared with concurrent writes by group commit."""

    def __init__(self, database: Database, writer: GroupCommitWriter) -> None:
        self._database = database
        self._writer = writer
        self._insert = BulkInsert(_ARRIVED, sqlite=database.is_sqlite)
        self._update = BulkUpdate((*STATE_COLUMNS, "leased"), sqlite=database.is_sqlite)

    def put(self, event: Event, body: bytes, *, now: float) -> bool:
        """
        Store the event durably; return False if its key is known already.

        Raises:
            Exception: The event may not be durable; do not acknowledge it.
        """
        return bool(self.submit(event, body, now=now).result())

    def submit(self, event: Event, body: bytes, *, now: float, refused: str | None = None) -> Future:
        """
        Queue the event to be stored; the result of the future is False if its key is known already.

        An event that cannot be answered is stored as ignored; *refused* is another reason to store it so.
        """
        reason = refused or _unanswerable(event)
        row = event_row(event, body, now=now) | {
            "status": "ignored" if reason else "open",
            "reason": reason,
        }
        # An echo also wakes the event that waits for it.
        return self._writer.submit(self._insert_rows, row, one_statement=reason != "echo")

    def claim(  # noqa: PLR0913  all by name
        self,
        most: int,
        *,
        now: float,
        lease: float,
        rate: RateLimit,
        claimed_by_oa: Mapping[str, int] | None = None,
        share: int = sys.maxsize,
    ) -> list[Claim]:
        """
        Claim up to *most* due events, oldest first, for *lease* seconds; if many OAs have some, a few of each OA.

        An event is due if it is not claimed, its time has come, its user has no earlier open event, and its OA may be
        called: the OA is not paused and *rate* allows a call. Each event is counted as one call. Of an OA whose pause
        is over, one event is claimed as a probe. No OA gets more than *share* claims; *claimed_by_oa* has the number
        that the caller has already.
        """
        claims: list[Claim] = self._writer.submit(
            _claim_each, ClaimRequest(most, now, lease, rate, claimed_by_oa or {}, share)
        ).result()
        return claims

    def save(self, changes: Sequence[StateChange]) -> list[SaveResult]:
        """
        Store new states and return for each: saved; lost, because another worker has claimed the event; or human,
        because a person has taken over.
        """
        if not changes:
            return []
        outcome: list[SaveResult] = self._writer.submit(self._save_each, changes, one_statement=True).result()
        return outcome

    def renew(self, claims: Iterable[Claim], *, now: float, lease: float) -> None:
        """Prolong the leases of *claims*."""
        values = [{"b_id": c.id, "b_fence": c.fence, "b_due": now + lease} for c in claims]
        if values:
            self._writer.submit(_renew_each, values).result()

    def overdue(self, *, now: float) -> list[Lease]:
        """Return the leases that have ended by this clock; the holder may be alive, if the clocks differ."""
        with self._database.read() as connection:
            return [Lease(*row) for row in connection.execute(statements.OVERDUE, {"b_now": now})]

    def release(self, leases: Collection[Lease], *, now: float) -> None:
        """Make due the events under exactly these leases, if they were not renewed since; a later save is lost."""
        if leases:
            self._writer.submit(_release_each, (leases, now)).result()

    def end_leases(self, *, now: float) -> None:
        """Make all claimed events due; call it only if no other process is alive."""
        self._writer.submit(_end_leases_each, now).result()

    def clamp_future_times(self, *, now: float, max_delay: float = clock.MAX_DELAY_SECONDS) -> None:
        """Make events due that wait longer than *max_delay* seconds because a clock was wrong."""
        self._writer.submit(clock.clamp_each, (now, max_delay)).result()

    def record_failure(self, failure: Failure) -> FailureVerdict:
        """Count a failed call against its OA, or return that the event itself is at fault."""
        verdict: FailureVerdict = self._writer.submit(oa_limits.record_failures, failure).result()
        return verdict

    def record_success(self, oa_id: str) -> None:
        """Resume sending for the OA and forget its failures."""
        self._writer.submit(oa_limits.record_successes, oa_id).result()

    def consume(self, calls: Mapping[str, int], *, now: float, rate: RateLimit) -> None:
        """Count more calls against each OA's rate limit than the claims did; a negative number gives calls back."""
        if any(calls.values()):
            self._writer.submit(oa_limits.consume_each, (calls, now, rate)).result()

    def last_reply(self, oa_id: str, user_id: str, rule_id: str, *, now: float) -> float | None:
        """
        Return when *rule_id* last answered the user.

        A time after *now* comes from a clock that was wrong; it does not tell how long ago the answer was.
        """
        query = sa.select(sa.func.max(events.c.replied_at)).where(
            events.c.oa_id == oa_id,
            events.c.user_id == user_id,
            events.c.rule_id == rule_id,
            events.c.replied_at.is_not(None),
            events.c.replied_at <= now + clock.TOLERANCE_SECONDS,
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def echoes_arrive(self, oa_id: str) -> bool:
        """Return whether Zalo has ever sent an echo for this OA."""
        query = sa.select(events.c.id).where(IS_ECHO, events.c.oa_id == oa_id, events.c.reason == "echo").limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def find_echo(self, claim: Claim) -> EchoVerdict:
        """Return whether an echo of the image of the claim's latest call has come."""
        state = claim.state
        images = state.images or []
        image_url = images[state.progress].get("image_url", "") if state.progress < len(images) else ""
        attempted_at = state.attempted_at or 0.0
        with self._database.read() as connection:
            sent, echoes = read_echoes(connection, claim.oa_id, claim.user_id, attempted_at)
        return find_echo(sent, echoes, attempted_at=attempted_at, image_url=image_url)

    # The operations of the group commit: each writes the values of several callers in one transaction.

    def _insert_rows(self, connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> Sequence[bool]:
        fresh = self._insert(connection, rows)
        for row in rows:
            if row["reason"] == "echo":
                connection.execute(
                    statements.WAKE, {"b_oa": row["oa_id"], "b_user": row["user_id"], "b_now": row["due_at"]}
                )
        # If a batch has two deliveries of one event, the first counts as new.
        return [fresh.pop(row["key"], None) is not None for row in rows]

    def _save_each(
        self, connection: sa.Connection, groups: Sequence[Sequence[StateChange]]
    ) -> Sequence[list[SaveResult]]:
        changes = [change for group in groups for change in group]
        saved = self._update(connection, [_updated_row(change) for change in changes])
        others = [change for change in changes if change.claim.id not in saved]
        human = _taken_over(connection, others) if others else set()
        return [[_result(change.claim.id, saved, human) for change in group] for group in groups]


def event_row(event: Event, body: bytes, *, now: float) -> dict[str, Any]:
    """Return the row of an event that came in at *now*, before a decision."""
    return {
        "key": event.key,
        "name": event.name,
        "app_id": event.app_id,
        "oa_id": event.oa_id,
        "user_id": event.user_id,
        "msg_id": event.msg_id,
        "kind": event.on,
        "sent_at": event.sent_at,
        "received_at": now,
        "text": event.text,
        "body": body,
        "due_at": now,
    }


def _unanswerable(event: Event) -> str | None:
    if event.is_echo:
        return "human" if event.by_human else "echo"
    return None if event.on else "not-answerable"


def _updated_row(change: StateChange) -> dict[str, Any]:
    return dict(
        zip(STATE_COLUMNS, _state_values(change.state), strict=True),
        id=change.claim.id,
        fence=change.claim.fence,
        leased=change.leased,
        human_since=change.unless_human_since,
    )


def _taken_over(connection: sa.Connection, changes: Sequence[StateChange]) -> set[int]:
    """Return the ids of the events that are still claimed here, but to whose user a person has written."""
    fences = {change.claim.id: change.claim.fence for change in changes}
    rows = connection.execute(statements.HOLDERS, {"b_ids": [*fences]})
    human_at = {row.id: row.human_at or 0.0 for row in rows if row.fence == fences[row.id]}
    return {
        change.claim.id
        for change in changes
        if change.unless_human_since is not None and human_at.get(change.claim.id, 0.0) > change.unless_human_since
    }


def _result(event_id: int, saved: set[int], human: set[int]) -> SaveResult:
    if event_id in saved:
        return "saved"
    return "human" if event_id in human else "lost"


def _claim_each(connection: sa.Connection, wishes: Sequence[ClaimRequest]) -> Sequence[list[Claim]]:
    return [_claim(connection, wish) for wish in wishes]


def _claim(connection: sa.Connection, wish: ClaimRequest) -> list[Claim]:
    rows = _due(connection, wish)
    taken = _within_limits(connection, [row for row in rows if row.id is not None], wish)
    for account in rows:
        probe = _due_probe(connection, account, wish.now) if account.pauses else None
        if probe and oa_limits.try_probe(connection, account.oa_id, now=wish.now, until=wish.now + wish.lease):
            taken.append(probe)
    if not taken:
        return []
    is_sqlite = connection.dialect.name == "sqlite"
    statement = statements.CLAIM_ON_SQLITE if is_sqlite else statements.CLAIM_ON_POSTGRES
    claimed = connection.execute(statement, {"b_ids": taken, "b_until": wish.now + wish.lease}).all()
    oa_is_failing = {row.oa_id for row in rows if row.failures}
    return [_claimed(row, oa_is_failing) for row in sorted(claimed, key=attrgetter("id"))]


def _due(connection: sa.Connection, wish: ClaimRequest) -> Sequence[_DueRow]:
    values = {
        "b_now": wish.now,
        "b_ahead": wish.now + wish.rate.burst,
        "b_full": json.dumps([oa_id for oa_id, count in wish.claimed_by_oa.items() if count >= wish.share]),
        "b_rows": _ROWS_PER_CLAIM * wish.most,
        "b_most": wish.most,
    }
    is_sqlite = connection.dialect.name == "sqlite"
    return connection.execute(statements.DUE_ON_SQLITE if is_sqlite else statements.DUE_ON_POSTGRES, values).all()


def _within_limits(connection: sa.Connection, due: Sequence[_DueRow], wish: ClaimRequest) -> list[int]:
    """Return the ids of the oldest events that the OAs' shares and rate limits allow, each counted as a call."""
    chosen: dict[str, list[int]] = {}
    slots: dict[str, float | None] = {}
    left = wish.most
    for row in due:
        ids = chosen.setdefault(row.oa_id, [])
        if left and len(ids) < wish.share - wish.claimed_by_oa.get(row.oa_id, 0):
            ids.append(row.id)
            slots[row.oa_id] = row.next_slot
            left -= 1
    return [
        event_id
        for oa_id, ids in sorted(chosen.items())  # in the same order in all processes, because each locks a row
        if ids
        for event_id in ids[: oa_limits.take(connection, oa_id, len(ids), slots[oa_id], now=wish.now, rate=wish.rate)]
    ]


def _due_probe(connection: sa.Connection, account: _DueRow, now: float) -> int | None:
    """Return an event to probe the paused OA with; if possible, not the one that failed."""
    values = {"b_now": now, "b_oa": account.oa_id, "b_failed": account.failed_event or 0}
    other: int | None = connection.scalars(statements.DUE_PROBE, values).first()
    if other is not None or account.closed_until > now:
        return other
    return connection.scalars(statements.DUE_PROBE, values | {"b_failed": 0}).first()


def _claimed(row: sa.Row[*tuple[Any, ...]], oa_is_failing: set[str]) -> Claim:
    state = State(*row[-len(STATE_COLUMNS) :])
    return Claim(
        id=row.id,
        fence=row.fence,
        key=row.key,
        oa_id=row.oa_id,
        user_id=row.user_id,
        kind=row.kind,
        text=row.text or "",
        happened_at=row.sent_at or row.received_at,
        received_at=row.received_at,
        oa_is_failing=row.oa_id in oa_is_failing,
        state=state,
    )


def _renew_each(connection: sa.Connection, groups: Sequence[Sequence[dict[str, Any]]]) -> Sequence[None]:
    connection.execute(statements.RENEW, [value for group in groups for value in group])
    return [None] * len(groups)


def _release_each(connection: sa.Connection, groups: Sequence[tuple[Collection[Lease], float]]) -> Sequence[None]:
    for leases, now in groups:
        values = [{"b_id": le.id, "b_fence": le.fence, "b_ends": le.ends_at, "b_now": now} for le in leases]
        connection.execute(statements.RELEASE, values)
    return [None] * len(groups)


def _end_leases_each(connection: sa.Connection, times: Sequence[float]) -> Sequence[None]:
    connection.execute(statements.END_LEASES, {"b_now": times[0]})
    return [None] * len(times)


# How many due events are read for each event that may be claimed, if many OAs have due events.
_ROWS_PER_CLAIM = 4
_state_values = attrgetter(*STATE_COLUMNS)
_ARRIVED = (
    "key", "name", "app_id", "oa_id", "user_id", "msg_id", "kind", "sent_at", "received_at", "text", "body", "due_at",
    "status", "reason",
)  # fmt: skip
