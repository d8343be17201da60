"""Snapshots of valid rules files, so that the bot still answers after a restart with a broken file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.sql.engine import insert
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.tables import good_rules

# How long earlier rules are kept, in seconds; the latest is always kept.
_KEPT_SECONDS: Final = 86_400.0


class RulesSnapshots:
    """The valid contents of the rules file. Each call is one short transaction; processes may store the same one."""

    def __init__(self, database: Database, writer: GroupCommitWriter) -> None:
        self._database = database
        self._writer = writer

    def last_good_rules(self) -> bytes | None:
        """Return the latest content of the rules file that was in force; None if there was none."""
        query = sa.select(good_rules.c.content).order_by(good_rules.c.loaded_at.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def keep_good_rules(self, digest: str, content: bytes) -> None:
        """Store the content as the latest valid rules file."""
        row = {"digest": digest, "content": content, "loaded_at": self._database.now()}
        self._writer.submit(_keep_each, row).result()


def _keep_each(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> Sequence[None]:
    # Several processes store the same content at once when they start.
    added = insert(good_rules, connection.dialect.name)
    newer = {"loaded_at": added.excluded.loaded_at}
    connection.execute(added.on_conflict_do_update(index_elements=[good_rules.c.digest], set_=newer), rows[-1])
    connection.execute(sa.delete(good_rules).where(good_rules.c.loaded_at < rows[-1]["loaded_at"] - _KEPT_SECONDS))
    return [None] * len(rows)
