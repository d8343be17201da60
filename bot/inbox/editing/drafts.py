"""Drafts of the rules file: one for each editor's browser, with a revision that keeps two tabs apart."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import drafts

#: The largest draft, in bytes; it is also the limit of the rules file.
MAX_DRAFT_BYTES: Final = 2_000_000
#: How many drafts are kept; when there are more, the one that was saved longest ago is deleted.
MAX_DRAFTS: Final = 100
#: A draft is deleted this long after it was last saved, in seconds.
KEPT_SECONDS: Final = 30 * 86_400.0

_ID_BYTES: Final = 24
_row = drafts.c


class DraftTooLarge(Exception):
    """The draft is larger than MAX_DRAFT_BYTES."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was last saved."""

    content: bytes
    base_digest: str
    """The digest of the rules file that the draft began from; empty if there was none."""
    revision: int
    """Grows by one with each save."""
    saved_at: float
    """Seconds since 1970."""


class DraftConflict(Exception):
    """Another tab of the browser has saved `draft` in the meantime; nothing was overwritten."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"revision {draft.revision}")
        self.draft = draft


class Drafts:
    """
    The drafts of all browsers, by the id in each browser's cookie; only a digest of the id is stored.

    Every method is one short transaction.

    Raises:
        StorageError: The database cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, browser_id: str) -> Draft | None:
        """Return the browser's draft; None if it has none."""
        with self._database.read() as connection:
            found = connection.execute(_select(_digest(browser_id))).one_or_none()
        return _draft(found) if found is not None else None

    def save(self, browser_id: str, draft: Draft, *, tab: str) -> Draft:
        """
        Save *draft*, whose `revision` is the last that *tab* saw; return it with its new revision.

        A draft that another tab has saved since that revision is not overwritten; one that *tab* saved itself is. A
        draft without content counts as discarded.

        Raises:
            DraftTooLarge: It is larger than MAX_DRAFT_BYTES.
            DraftConflict: Another tab has saved a different draft since.
        """
        if len(draft.content) > MAX_DRAFT_BYTES:
            raise DraftTooLarge
        digest = _digest(browser_id)
        values = {
            "content": draft.content or None,
            "base_digest": draft.base_digest,
            "saved_at": draft.saved_at,
            "tab": tab,
        }
        saved = self._database.insert(drafts).values(browser=digest, revision=draft.revision + 1, **values)
        saved = saved.on_conflict_do_update(
            index_elements=[_row.browser],
            set_={"revision": _row.revision + 1, **values},
            where=sa.or_(_row.tab == tab, _row.revision == draft.revision, _row.content.is_(None)),
        )
        with self._database.write() as connection:
            revision = connection.execute(saved.returning(_row.revision)).scalar()
            if revision is None:
                raise DraftConflict(_draft(connection.execute(_select(digest)).one()))
            connection.execute(_DELETE_OLDEST, {"b_most": MAX_DRAFTS})
        return replace(draft, revision=revision)

    def discard(self, browser_id: str, *, now: float) -> None:
        """Empty the browser's draft; its revision grows on: no later draft gets one that an open tab remembers."""
        emptied = {"content": None, "revision": _row.revision + 1, "saved_at": now, "tab": ""}
        with self._database.write() as connection:
            connection.execute(sa.update(drafts).where(_row.browser == _digest(browser_id)).values(emptied))

    def delete_old(self, *, now: float) -> int:
        """Delete drafts that were not saved for KEPT_SECONDS; return how many."""
        with self._database.write() as connection:
            return connection.execute(sa.delete(drafts).where(_row.saved_at < now - KEPT_SECONDS)).rowcount


def new_browser_id() -> str:
    """Return a random id that cannot be guessed."""
    return secrets.token_urlsafe(_ID_BYTES)


def _digest(browser_id: str) -> str:
    return hashlib.sha256(browser_id.encode(errors="replace")).hexdigest()


def _select(digest: str) -> sa.Select[Any]:
    columns = (_row.content, _row.base_digest, _row.revision, _row.saved_at)
    return sa.select(*columns).where(_row.browser == digest, _row.content.is_not(None))


def _draft(found: sa.Row[Any]) -> Draft:
    return Draft(bytes(found.content), found.base_digest, found.revision, found.saved_at)


_DELETE_OLDEST = sa.delete(drafts).where(
    _row.browser.in_(sa.select(_row.browser).order_by(_row.saved_at.desc()).offset(sa.bindparam("b_most")))
)
