"""The book of checks: which picture is to be looked at next, and what the latest look showed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import sqlalchemy as sa

from bot.image_health.verdict import Look
from bot.inbox.database import Database
from bot.inbox.tables import picture_checks

#: Seconds to the next look at a picture: at one that is well, after a first failure, and after more of them.
EVERY: Final = 6 * 3600.0
AGAIN_AFTER: Final = 600.0
EVERY_BAD: Final = 1800.0
#: Seconds in which a look is over, or its process is not there any more.
LEASE: Final = 60.0
_NOT_CHECKED: Final = Look("not-checked")
# Looks that were put off by the same time drift apart.
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Entry:
    """What the book says of a picture."""

    look: Look = _NOT_CHECKED
    """The latest that counts."""
    checked_at: float | None = None
    """When that was, in seconds since 1970."""
    failures: int = 0
    """Looks in a row that found it bad."""


def following(entry: Entry, look: Look, *, now: float) -> Entry:
    """
    Return what the book says after one more look.

    A failure that may pass counts from the second in a row: until then the picture stands as it did.
    """
    if look.standing != "bad":
        return Entry(look, now)
    if look.may_pass and entry.failures == 0:
        return replace(entry, failures=1)
    return Entry(look, now, entry.failures + 1)


def pause_after(entry: Entry) -> float:
    """Return in how many seconds the picture is to be looked at next; without jitter."""
    return (EVERY, AGAIN_AFTER, EVERY_BAD)[min(entry.failures, 2)]


class Book:
    """
    The table of checks, shared by all processes; each call is one short transaction.

    A claim puts the next look off for as long as a look may last. Who is later than that has still looked at the
    picture, so what it found is taken as well.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert(picture_checks).on_conflict_do_nothing(index_elements=[picture_checks.c.key])

    def expect(self, keys: Iterable[str], *, now: float) -> None:
        """Put the pictures that are not in the book yet into it, due at once."""
        new = sorted(set(keys) - self._known())
        if new:
            with self._database.write() as connection:
                connection.execute(self._insert, [{"key": key, "due_at": now} for key in new])

    def hurry(self, *, now: float) -> None:
        """Make due at once the pictures that were not well when they were looked at."""
        with self._database.write() as connection:
            connection.execute(_HURRY, {"b_now": now})

    def ask(self, key: str, *, now: float) -> bool:
        """
        Make a picture due at once because somebody wants to know; return whether it is.

        It is not if its verdict is of the last minute, or if somebody may be looking: nobody's server is pestered.
        """
        with self._database.write() as connection:
            return connection.execute(_ASK, {"b_key": key, "b_now": now}).rowcount > 0

    def awaited(self, *, now: float) -> frozenset[str]:
        """Return the keys of the pictures that are due, or are being looked at."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(_AWAITED, {"b_now": now}))

    def claim(self, *, now: float) -> str | None:
        """Return the key of a picture that is due, the one that waits longest; None if none is."""
        times = {"b_now": now, "b_far": now + 2 * EVERY}
        with self._database.read() as connection:
            if connection.scalar(_DUE, times) is None:
                return None  # without a place among the writers
        with self._database.write() as connection:
            key: str | None = connection.scalar(_DUE_MINE, times)
            connection.execute(_PUT_OFF, {"b_key": key, "b_due": now + LEASE})
        return key

    def save(self, key: str, look: Look, *, now: float) -> tuple[Entry, Entry]:
        """Store what a look showed; return what the book said before and what it says now."""
        with self._database.write() as connection:
            row = connection.execute(_ENTRY, {"b_key": key}).mappings().first()
            before = _entry(row) if row else Entry()
            after = following(before, look, now=now)
            pause = pause_after(after) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  no secret
            values = {name: getattr(after.look, name) for name in _LOOK}
            values |= {"checked_at": after.checked_at, "failures": after.failures, "due_at": now + pause}
            connection.execute(_SAVE, {"b_key": key, **values})
        return before, after

    def forget(self, key: str) -> None:
        """Strike a picture out that no rule names any more."""
        with self._database.write() as connection:
            connection.execute(sa.delete(picture_checks).where(picture_checks.c.key == key))

    def entries(self) -> dict[str, Entry]:
        """Return all that the book says, by the pictures' keys."""
        with self._database.read() as connection:
            return {row["key"]: _entry(row) for row in connection.execute(sa.select(picture_checks)).mappings()}

    def _known(self) -> set[str]:
        with self._database.read() as connection:
            return set(connection.scalars(sa.select(picture_checks.c.key)))


def _entry(row: sa.RowMapping) -> Entry:
    return Entry(Look(**{name: row[name] for name in _LOOK}), row["checked_at"], row["failures"])


_LOOK: Final = tuple(field.name for field in fields(Look))
_key = picture_checks.c.key == sa.bindparam("b_key")
_ENTRY: Final[sa.Select[Any]] = sa.select(picture_checks).where(_key).with_for_update()
_DUE: Final[sa.Select[Any]] = (
    sa.select(picture_checks.c.key)
    # A time so far ahead was written by a clock that has since been set right.
    .where(sa.or_(picture_checks.c.due_at <= sa.bindparam("b_now"), picture_checks.c.due_at > sa.bindparam("b_far")))
    .order_by(picture_checks.c.due_at)
    .limit(1)
)
_DUE_MINE: Final = _DUE.with_for_update(skip_locked=True)  # SQLite, which has one writer, leaves it out
_PUT_OFF: Final = sa.update(picture_checks).where(_key).values(due_at=sa.bindparam("b_due"))
_SAVE: Final = (
    sa.update(picture_checks)
    .where(_key)
    .values({name: sa.bindparam(name) for name in (*_LOOK, "checked_at", "failures", "due_at")})
)
_now = sa.bindparam("b_now", type_=sa.Double)
_is_awaited = picture_checks.c.due_at <= _now + LEASE  # somebody may be looking
_HURRY: Final = sa.update(picture_checks).where(picture_checks.c.failures > 0, sa.not_(_is_awaited)).values(due_at=_now)
_is_fresh = picture_checks.c.checked_at.between(_now - LEASE, _now)
_ASK: Final = (
    sa.update(picture_checks)
    .where(_key, sa.not_(_is_awaited), sa.or_(picture_checks.c.checked_at.is_(None), sa.not_(_is_fresh)))
    .values(due_at=_now)
)
_AWAITED: Final[sa.Select[Any]] = sa.select(picture_checks.c.key).where(_is_awaited)
