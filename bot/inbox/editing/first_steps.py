"""The first steps of a shop in the console: which were taken, by any editor, and whether the list is still shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import first_steps

Step = Literal["message", "looked", "rule", "tried", "published"]

_BEGUN: Final = "begun"
_CLOSED: Final = "closed"
_row = first_steps.c


@dataclass(frozen=True, slots=True)
class StepsTaken:
    """The list as it stands."""

    begun_at: float
    """Seconds since 1970; what happened before does not count."""
    chat_link: str
    """Where a customer's message is written; empty where that is a real customer's telephone."""
    done: frozenset[str]


class FirstSteps:
    """
    The one list that all editors share. A list that was never begun, or that was closed, is None and takes no steps.

    Every method is one short transaction or two; each raises `StorageError` when the database is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def taken(self) -> StepsTaken | None:
        """Return the list."""
        rows = self._rows()
        if _BEGUN not in rows or _CLOSED in rows:
            return None
        begun_at, link = rows[_BEGUN]
        return StepsTaken(begun_at, link or "", frozenset(rows.keys() - {_BEGUN}))

    def is_settled(self) -> bool:
        """Return whether the list was ever begun or closed."""
        return bool(self._rows())

    def begin(self, *, chat_link: str = "") -> None:
        """Begin the list, if nobody has."""
        self._add(_BEGUN, chat_link or None)

    def close(self) -> None:
        """Show the list no more."""
        self._add(_CLOSED)

    def take(self, step: Step) -> None:
        """Note that the step was taken."""
        taken = self.taken()
        if taken is not None and step not in taken.done:
            self._add(step)

    def _rows(self) -> dict[str, tuple[float, str | None]]:
        """Return when each was done, and its link."""
        query = sa.select(_row.step, _row.done_at, _row.link)
        with self._database.read() as connection:
            return {step: (done_at, link) for step, done_at, link in connection.execute(query)}

    def _add(self, step: str, link: str | None = None) -> None:
        values = {"step": step, "done_at": self._database.now(), "link": link}
        with self._database.write() as connection:
            connection.execute(self._database.insert(first_steps).values(values).on_conflict_do_nothing())
