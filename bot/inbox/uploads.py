"""Tokens of uploaded images, and a lease on each upload, so that one process does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot.inbox import oa_limits
from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.sql.engine import Insert
from bot.inbox.tables import accounts, uploads

_FIRST_PAUSE_SECONDS: Final = 2.0
_MAX_PAUSE_SECONDS: Final = 60.0
# A token that was not renewed for so long, in seconds, is unused: one in use is uploaded again every few days.
_KEPT_SECONDS: Final = 30 * 86_400.0
# A time further in the future than this, in seconds, comes from a clock that was wrong.
MAX_DELAY_SECONDS: Final = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class UploadKey:
    """The key of an upload token; a token of one OA is invalid for another."""

    oa_id: str
    digest: str
    """SHA-256 of the image file, in hex."""
    type: str
    """CPAAS_UPLOAD_TYPE; each type has its own tokens."""


@dataclass(frozen=True, slots=True)
class UploadState:
    """The state of an image file's upload; times are seconds since 1970 by the database's clock."""

    token: str | None
    uploaded_at: float
    claimed_until: float
    failures: int
    """Consecutive failed uploads."""
    not_before: float
    refused: bool
    """Whether the image was at fault in the latest failure, so that another try will hardly help."""
    trouble: str
    """Why the latest upload failed; empty if it did not."""

    def is_under_way(self, now: float) -> bool:
        """Return whether a process is uploading it."""
        return now < self.claimed_until < now + MAX_DELAY_SECONDS

    def pause(self, now: float) -> float:
        """Return the seconds to wait before the next upload; 0 if it may begin now."""
        return self.not_before - now if now < self.not_before < now + MAX_DELAY_SECONDS else 0.0


class Uploads:
    """The tokens of all processes that share the database; each call is one short transaction."""

    def __init__(self, database: Database, rate: RateLimit) -> None:
        self._database = database
        self._rate = rate
        self._claim = _claiming(database.insert(uploads))

    def find(self, key: UploadKey) -> UploadState | None:
        """Return the state of the upload; None if there was none."""
        with self._database.read() as connection:
            row = connection.execute(_FIND, _names(key)).mappings().first()
        if row is None:
            return None
        values = dict(row) | {"uploaded_at": row["uploaded_at"] or 0.0, "trouble": row["trouble"] or ""}
        return UploadState(**values)

    def oa_ids(self) -> frozenset[str]:
        """Return the OAs for which something has been sent."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(sa.select(accounts.c.oa_id)))

    def claim(
        self, key: UploadKey, *, now: float, lease: float, newer_than: float, only_if_spare: bool = False
    ) -> bool:
        """
        Return whether the caller should upload the image; if so, no other process will for *lease* seconds.

        False if another process is uploading it, if the latest failure is too recent, or if there is a token newer
        than *newer_than*. An upload counts against the OA's rate limit; with *only_if_spare* it must leave enough
        calls for customers.
        """
        values = {
            **_names(key),
            "b_now": now,
            "b_until": now + lease,
            "b_far": now + MAX_DELAY_SECONDS,
            "b_newer": newer_than,
        }
        with self._database.write() as connection:
            if only_if_spare and not oa_limits.has_spare_call(connection, key.oa_id, now=now, rate=self._rate):
                return False
            taken = connection.execute(self._claim, values).first() is not None
            if taken:
                oa_limits.consume(connection, {key.oa_id: 1}, now=now, rate=self._rate)
        return taken

    def store_token(self, key: UploadKey, token: str, *, now: float) -> None:
        """Store the token of an upload, and delete unused ones."""
        fresh = {
            "token": token,
            "uploaded_at": now,
            "claimed_until": now,
            "failures": 0,
            "not_before": 0.0,
            "refused": False,
            "trouble": None,
        }
        with self._database.write() as connection:
            connection.execute(_UPDATE.values(fresh), _names(key))
            connection.execute(_FORGET, {"b_before": now - _KEPT_SECONDS})

    def record_failure(
        self, key: UploadKey, trouble: str, *, now: float, refused: bool, retry_after: float | None = 0.0
    ) -> None:
        """
        Record a failed upload; the pause before the next try grows with each failure, and is *retry_after* at least.

        None: there is no pause.
        """
        with self._database.write() as connection:
            before = connection.execute(_FIND.with_for_update(), _names(key)).one().failures
            pause = max(retry_after or 0.0, min(_FIRST_PAUSE_SECONDS * 2.0 ** min(before, 30), _MAX_PAUSE_SECONDS))
            values = {
                "claimed_until": now,
                "failures": before + 1,
                "not_before": now if retry_after is None else now + pause,
                "refused": refused,
                "trouble": trouble,
            }
            connection.execute(_UPDATE.values(values), _names(key))

    def end_leases(self, *, now: float) -> None:
        """End all leases on uploads; call it only if no other process is alive."""
        with self._database.write() as connection:
            connection.execute(sa.update(uploads).where(uploads.c.claimed_until > now).values(claimed_until=now))

    def failure_reasons(self, *, now: float) -> dict[str, str]:
        """Return why the latest upload of an image failed, by OA id; only for recent failures."""
        query = sa.select(uploads.c.oa_id, uploads.c.trouble).where(uploads.c.not_before > now - _MAX_PAUSE_SECONDS)
        with self._database.read() as connection:
            return {row.oa_id: row.trouble or "" for row in connection.execute(query.order_by(uploads.c.not_before))}


def _names(key: UploadKey) -> dict[str, str]:
    return {"b_oa": key.oa_id, "b_digest": key.digest, "b_type": key.type}


def _claiming(insert: Insert) -> sa.Insert:
    taken = insert.values(
        oa_id=sa.bindparam("b_oa"),
        digest=sa.bindparam("b_digest"),
        type=sa.bindparam("b_type"),
        claimed_until=sa.bindparam("b_until"),
    )
    free = (
        sa.or_(column <= sa.bindparam("b_now"), column > sa.bindparam("b_far"))
        for column in (uploads.c.claimed_until, uploads.c.not_before)
    )
    old = sa.or_(uploads.c.uploaded_at.is_(None), uploads.c.uploaded_at <= sa.bindparam("b_newer"))
    return taken.on_conflict_do_update(
        index_elements=[uploads.c.oa_id, uploads.c.digest, uploads.c.type],
        set_={"claimed_until": taken.excluded.claimed_until},
        where=sa.and_(*free, old),
    ).returning(uploads.c.oa_id)


_IS_IT = sa.and_(
    uploads.c.oa_id == sa.bindparam("b_oa"),
    uploads.c.digest == sa.bindparam("b_digest"),
    uploads.c.type == sa.bindparam("b_type"),
)
_FIND = sa.select(
    uploads.c.token,
    uploads.c.uploaded_at,
    uploads.c.claimed_until,
    uploads.c.failures,
    uploads.c.not_before,
    uploads.c.refused,
    uploads.c.trouble,
).where(_IS_IT)
_UPDATE = sa.update(uploads).where(_IS_IT)
_FORGET = sa.delete(uploads).where(uploads.c.claimed_until < sa.bindparam("b_before"))
