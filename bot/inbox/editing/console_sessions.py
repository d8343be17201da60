"""Sessions of the console: revocable, and a random signing key shared by all processes through the database."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import console_keys, console_sessions

_KEY_BYTES: Final = 32
_ID_BYTES: Final = 24
_ONLY_ROW: Final = 1


class ConsoleSessions:
    """
    The open sessions. Only a digest of each id is stored, so that a leaked database opens no session.

    Every method is one short transaction.

    Raises:
        StorageError: The database cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def signing_key(self) -> bytes:
        """Return the random signing key; the first call creates and stores it."""
        query = sa.select(console_keys.c.key)
        with self._database.read() as connection:
            found: bytes | None = connection.execute(query).scalar()
        if found is not None:
            return bytes(found)
        fresh = self._database.insert(console_keys).values(id=_ONLY_ROW, key=secrets.token_bytes(_KEY_BYTES))
        with self._database.write() as connection:
            connection.execute(fresh.on_conflict_do_nothing())
            return bytes(connection.execute(query).scalar_one())

    def begin(self, *, now: float, keep: float) -> str:
        """Begin a session and return its id; delete sessions that began more than *keep* seconds ago."""
        session_id = secrets.token_urlsafe(_ID_BYTES)
        with self._database.write() as connection:
            connection.execute(console_sessions.delete().where(console_sessions.c.began_at < now - keep))
            connection.execute(console_sessions.insert().values(digest=_digest(session_id), began_at=now))
        return session_id

    def began_at(self, session_id: str) -> float | None:
        """Return when the session began, in seconds since 1970; None if it does not exist or was ended."""
        query = sa.select(console_sessions.c.began_at).where(console_sessions.c.digest == _digest(session_id))
        with self._database.read() as connection:
            found: float | None = connection.execute(query).scalar()
        return found

    def end(self, session_id: str) -> None:
        """End the session; every copy of its cookie becomes invalid."""
        with self._database.write() as connection:
            connection.execute(console_sessions.delete().where(console_sessions.c.digest == _digest(session_id)))

    def end_all(self) -> None:
        """End every session."""
        with self._database.write() as connection:
            connection.execute(console_sessions.delete())


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode(errors="replace")).hexdigest()
