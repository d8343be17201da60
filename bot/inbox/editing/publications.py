"""The log of publications in the database: rules files and images, in one order for all machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import publication_contents, publications
from bot.rules.publishing.history import MAX_VERSIONS
from bot.rules.publishing.publication_log import RULES, Change, Head, Overtaken, Publication

#: How many deleted images are remembered, for machines that were off when they were deleted.
MAX_DELETED: Final = 1_000

_APPEND_LOCK: Final = 0x7A616C70  # an arbitrary number for our advisory lock, not that of the migrations
# A content is stored before its publication, and fetched some time after it: it is kept this long, in seconds.
_UNUSED_KEPT_SECONDS: Final = 3_600.0


class Publications:
    """
    A `PublicationLog` in the database; each call is one short transaction.

    A sequence number is the time in milliseconds, or the next free number within the same millisecond. So a database
    that is new or restored from a backup continues with higher numbers than machines remember. Only the latest
    publication of an image is kept, and the latest MAX_VERSIONS of the rules file; contents that no kept publication
    uses are deleted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self) -> Head:
        """Return the latest sequence number and the latest rules of the log."""
        with self._database.read() as connection:
            latest = connection.execute(_LATEST_RULES).first()
            sequence = connection.execute(_LAST).scalar() or 0
        return Head(sequence, latest.digest, latest.published_at) if latest else Head(sequence)

    def since(self, sequence: int) -> list[Publication]:
        """Return the publications after that number, in order."""
        query = sa.select(publications).where(publications.c.sequence > sequence).order_by(publications.c.sequence)
        with self._database.read() as connection:
            return [_publication(row) for row in connection.execute(query).mappings()]

    def images(self) -> Mapping[str, str]:
        """Return the digest of each published image that was not deleted, by name."""
        query = sa.select(publications.c.file, publications.c.digest)
        query = query.where(publications.c.file != RULES, publications.c.digest != "")
        with self._database.read() as connection:
            return {row.file: row.digest for row in connection.execute(query)}

    def content(self, digest: str) -> bytes | None:
        """Return the content with that digest."""
        query = sa.select(publication_contents.c.content).where(publication_contents.c.digest == digest)
        with self._database.read() as connection:
            found: bytes | None = connection.execute(query).scalar()
        return None if found is None else bytes(found)

    def store(self, digest: str, content: bytes) -> None:
        """Store a content before its publication."""
        added = self._database.insert(publication_contents)
        added = added.values(digest=digest, content=content, stored_at=self._database.now())
        newer = {"stored_at": added.excluded.stored_at}
        with self._database.write() as connection:
            connection.execute(added.on_conflict_do_update(index_elements=[publication_contents.c.digest], set_=newer))

    def append(self, changes: Sequence[Change], *, after: int) -> None:
        """
        Publish all of the changes, or none.

        Raises:
            Overtaken: There is already a publication after that number.
        """
        now = self._database.now()
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_APPEND_LOCK)))
            last = connection.execute(_LAST).scalar() or 0
            if last > after:
                raise Overtaken
            first = max(last + 1, int(now * 1000))
            _forget_former(connection, changes)
            rows = [_row(change, first + number, now) for number, change in enumerate(changes)]
            connection.execute(sa.insert(publications), rows)
            _prune(connection, now)


_LAST: Final = sa.select(sa.func.max(publications.c.sequence))
_LATEST_RULES: Final = (
    sa.select(publications.c.digest, publications.c.published_at)
    .where(publications.c.file == RULES)
    .order_by(publications.c.sequence.desc())
    .limit(1)
)


def _publication(row: sa.RowMapping) -> Publication:
    return Publication(**{**row, "info": row["info"] or {}})


def _row(change: Change, sequence: int, now: float) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "file": change.file,
        "digest": change.digest,
        "replaced": change.replaced,
        "published_at": now,
        "info": dict(change.info) or None,
    }


def _forget_former(connection: sa.Connection, changes: Sequence[Change]) -> None:
    """Delete the earlier publications of the images in *changes*."""
    images = [change.file for change in changes if change.file != RULES]
    if images:
        connection.execute(sa.delete(publications).where(publications.c.file.in_(images)))


def _prune(connection: sa.Connection, now: float) -> None:
    """Delete publications and contents beyond what is kept."""
    for condition, most in (
        (publications.c.file == RULES, MAX_VERSIONS),
        (sa.and_(publications.c.file != RULES, publications.c.digest == ""), MAX_DELETED),
    ):
        kept = sa.select(publications.c.sequence).where(condition).order_by(publications.c.sequence.desc())
        oldest = connection.execute(kept.offset(most - 1).limit(1)).scalar()
        if oldest is not None:
            connection.execute(sa.delete(publications).where(condition, publications.c.sequence < oldest))
    is_used = sa.exists().where(publications.c.digest == publication_contents.c.digest)
    is_old = publication_contents.c.stored_at < now - _UNUSED_KEPT_SECONDS
    connection.execute(sa.delete(publication_contents).where(is_old, ~is_used))
