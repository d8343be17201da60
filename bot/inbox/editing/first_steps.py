"""First steps of a shop in the console: which of them an editor has done, and whether the checklist is still open."""

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
    """The state of the checklist."""

    begun_at: float
    """Seconds since 1970; earlier events do not count."""
    chat_link: str
    """URL of the chat in which a customer's message is written; empty if that is a real customer's phone."""
    done: frozenset[str]


class FirstSteps:
    """
    The checklist that all editors share. If it was never begun, or was closed, it is None and no step is stored.

    Every method is one or two short transactions; each raises `StorageError` if the database cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def taken(self) -> StepsTaken | None:
        """Return the checklist; None if it was never begun or is closed."""
        rows = self._rows()
        if _BEGUN not in rows or _CLOSED in rows:
            return None
        begun_at, link = rows[_BEGUN]
        return StepsTaken(begun_at, link or "", frozenset(rows.keys() - {_BEGUN}))

    def is_settled(self) -> bool:
        """Return whether the checklist was ever begun or closed."""
        return bool(self._rows())

    def begin(self, *, chat_link: str = "") -> None:
        """Begin the checklist, unless it was begun before."""
        self._add(_BEGUN, chat_link or None)

    def close(self) -> None:
        """Close the checklist for good."""
        self._add(_CLOSED)

    def take(self, step: Step) -> None:
        """Store that the step was done."""
        taken = self.taken()
        if taken is not None and step not in taken.done:
            self._add(step)

    def _rows(self) -> dict[str, tuple[float, str | None]]:
        """Return the time and the link of each stored step."""
        query = sa.select(_row.step, _row.done_at, _row.link)
        with self._database.read() as connection:
            return {step: (done_at, link) for step, done_at, link in connection.execute(query)}

    def _add(self, step: str, link: str | None = None) -> None:
        values = {"step": step, "done_at": self._database.now(), "link": link}
        with self._database.write() as connection:
            connection.execute(self._database.insert(first_steps).values(values).on_conflict_do_nothing())
