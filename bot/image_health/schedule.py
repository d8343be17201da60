"""Schedule and last result of image checks (table `picture_checks`), shared by all processes."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import sqlalchemy as sa

from bot.image_health.verdict import DOUBT_CODES, CheckResult
from bot.inbox.database import Database
from bot.inbox.tables import picture_checks

#: Seconds to the next check of a good image, after a first failure, and after more failures.
CHECK_SECONDS: Final = 6 * 3600.0
FIRST_RETRY_SECONDS: Final = 600.0
RETRY_SECONDS: Final = 1800.0
#: The lease of a check, in seconds: after it, the process that claimed the check has died.
LEASE_SECONDS: Final = 60.0
_NOT_CHECKED: Final = CheckResult("not-checked")
# Jitter, so that checks scheduled together drift apart.
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class CheckState:
    """The state of an image's checks."""

    result: CheckResult = _NOT_CHECKED
    """The latest result that counts."""
    checked_at: float | None = None
    """When it was checked, in seconds since 1970."""
    failures: int = 0
    """Number of consecutive failed checks."""


def next_state(state: CheckState, result: CheckResult, *, now: float) -> CheckState:
    """
    Return the state after one more check.

    A temporary failure counts from the second in a row: until then the previous result stays.
    """
    if result.status != "bad":
        return CheckState(result, now)
    if result.is_transient and state.failures == 0:
        return replace(state, failures=1)
    return CheckState(result, now, state.failures + 1)


def seconds_until_next(state: CheckState) -> float:
    """Return the seconds until the next check, without jitter."""
    return (CHECK_SECONDS, FIRST_RETRY_SECONDS, RETRY_SECONDS)[min(state.failures, 2)]


class CheckSchedule:
    """
    The table of checks, shared by all processes; each call is one short transaction.

    A claim postpones the next check by the lease. The result of a check that takes longer is accepted as well.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert(picture_checks).on_conflict_do_nothing(index_elements=[picture_checks.c.key])

    def add_missing(self, keys: Iterable[str], *, now: float) -> None:
        """Add the images that are not in the schedule, due at once."""
        new = sorted(set(keys) - self._known())
        if new:
            with self._database.write() as connection:
                connection.execute(self._insert, [{"key": key, "due_at": now} for key in new])

    def recheck_failing(self, *, now: float) -> None:
        """Make the images whose last check failed due at once."""
        with self._database.write() as connection:
            connection.execute(_RECHECK_FAILING, {"b_now": now})

    def request(self, key: str, *, now: float) -> bool:
        """
        Make an image due at once on a user's request; return whether it is due.

        It is not if it was checked within the last minute or a check may be in progress, to spare the image's server.
        """
        with self._database.write() as connection:
            return connection.execute(_REQUEST, {"b_key": key, "b_now": now}).rowcount > 0

    def pending(self, *, now: float) -> frozenset[str]:
        """Return the keys of the images that are due, or are being checked."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_PENDING, {"b_now": now}))

    def claim(self, *, now: float) -> str | None:
        """Claim the image that is due the longest and return its key; None if none is due."""
        times = {"b_now": now, "b_far": now + 2 * CHECK_SECONDS}
        with self._database.read() as connection:
            if connection.scalar(_DUE, times) is None:
                return None  # without the write lock
        with self._database.write() as connection:
            key: str | None = connection.scalar(_DUE_LOCKED, times)
            connection.execute(_POSTPONE, {"b_key": key, "b_due": now + LEASE_SECONDS})
        return key

    def save(self, key: str, result: CheckResult, *, now: float) -> tuple[CheckState, CheckState]:
        """Store the result of a check; return the state before and after."""
        with self._database.write() as connection:
            row = connection.execute(_STATE, {"b_key": key}).mappings().first()
            before = _state(row) if row else CheckState()
            after = next_state(before, result, now=now)
            pause = seconds_until_next(after) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  no secret
            values = {column: getattr(after.result, name) for name, column in _COLUMNS.items()}
            values |= {"checked_at": after.checked_at, "failures": after.failures, "due_at": now + pause}
            connection.execute(_SAVE, {"b_key": key, **values})
        return before, after

    def forget(self, key: str) -> None:
        """Remove an image that no rule names any more."""
        with self._database.write() as connection:
            connection.execute(sa.delete(picture_checks).where(picture_checks.c.key == key))

    def states(self) -> dict[str, CheckState]:
        """Return the states by image key."""
        with self._database.read() as connection:
            return {row["key"]: _state(row) for row in connection.execute(sa.select(picture_checks)).mappings()}

    def bad_keys(self) -> set[str]:
        """Return the keys of the images whose latest result is bad."""
        with self._database.read() as connection:
            return set(connection.scalars(_BAD))

    def _known(self) -> set[str]:
        with self._database.read() as connection:
            return set(connection.scalars(sa.select(picture_checks.c.key)))


def _state(row: sa.RowMapping) -> CheckState:
    return CheckState(
        CheckResult(**{name: row[column] for name, column in _COLUMNS.items()}), row["checked_at"], row["failures"]
    )


# The columns have older names than the fields.
_COLUMNS: Final = {field.name: field.name for field in fields(CheckResult)} | {
    "code": "word",
    "http_status": "status",
    "format": "form",
}
_BAD: Final = sa.select(picture_checks.c.key).where(picture_checks.c.word.not_in(["ok", *DOUBT_CODES]))
_key = picture_checks.c.key == sa.bindparam("b_key")
_STATE: Final[sa.Select[Any]] = sa.select(picture_checks).where(_key).with_for_update()
_DUE: Final[sa.Select[Any]] = (
    sa.select(picture_checks.c.key)
    # A time so far ahead comes from a clock that has been corrected since.
    .where(sa.or_(picture_checks.c.due_at <= sa.bindparam("b_now"), picture_checks.c.due_at > sa.bindparam("b_far")))
    .order_by(picture_checks.c.due_at)
    .limit(1)
)
_DUE_LOCKED: Final = _DUE.with_for_update(skip_locked=True)  # ignored by SQLite, which has one writer
_POSTPONE: Final = sa.update(picture_checks).where(_key).values(due_at=sa.bindparam("b_due"))
_SAVE: Final = (
    sa.update(picture_checks)
    .where(_key)
    .values({name: sa.bindparam(name) for name in (*_COLUMNS.values(), "checked_at", "failures", "due_at")})
)
_now = sa.bindparam("b_now", type_=sa.Double)
_is_pending = picture_checks.c.due_at <= _now + LEASE_SECONDS  # a check may be in progress
_RECHECK_FAILING: Final = (
    sa.update(picture_checks).where(picture_checks.c.failures > 0, sa.not_(_is_pending)).values(due_at=_now)
)
_is_fresh = picture_checks.c.checked_at.between(_now - LEASE_SECONDS, _now)
_REQUEST: Final = (
    sa.update(picture_checks)
    .where(_key, sa.not_(_is_pending), sa.or_(picture_checks.c.checked_at.is_(None), sa.not_(_is_fresh)))
    .values(due_at=_now)
)
_PENDING: Final[sa.Select[Any]] = sa.select(picture_checks.c.key).where(_is_pending)
