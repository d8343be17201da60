"""Snapshots of the rules file: the contents that were in force, so that a restart with a broken file still answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.sql.engine import insert
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.tables import good_rules

# How long former rules are kept; what counts is the latest.
_KEPT_SECONDS: Final = 86_400.0


class RulesSnapshots:
    """Each call is one short transaction; any number of processes may keep the same content at once."""

    def __init__(self, database: Database, writer: GroupCommitWriter) -> None:
        self._database = database
        self._writer = writer

    def last_good_rules(self) -> bytes | None:
        """Return the content of the rules file that was in force last."""
        query = sa.select(good_rules.c.content).order_by(good_rules.c.loaded_at.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def keep_good_rules(self, digest: str, content: bytes) -> None:
        """Keep the content as that of the last good rules file."""
        row = {"digest": digest, "content": content, "loaded_at": self._database.now()}
        self._writer.submit(_keep_each, row).result()


def _keep_each(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> Sequence[None]:
    # Several processes keep the same content at the same moment when they start.
    added = insert(good_rules, connection.dialect.name)
    newer = {"loaded_at": added.excluded.loaded_at}
    connection.execute(added.on_conflict_do_update(index_elements=[good_rules.c.digest], set_=newer), rows[-1])
    connection.execute(sa.delete(good_rules).where(good_rules.c.loaded_at < rows[-1]["loaded_at"] - _KEPT_SECONDS))
    return [None] * len(rows)
