"""
The indexes of the inbox's tables, as the migrations build them (a test compares).

They are apart from the tables because no query needs them at run time: SQLAlchemy loads the dialects of both databases
for the condition of a partial index, and PostgreSQL's is a thirtieth of the start of a bot on SQLite.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.inbox.tables import (
    HAS_WORDS,
    IS_BARE,
    IS_ECHO,
    IS_FAILED,
    IS_LEASED,
    IS_OPEN,
    IS_SETTLED_MESSAGE,
    IS_UNMATCHED,
    IS_WAITING,
    events,
    metadata,
    publications,
    rule_matches,
)

__all__ = ["metadata"]

_IS_REPLIED = events.c.replied_at.is_not(None)
_HAS_RULE = events.c.rule_id.is_not(None)
_HAS_RUNNER_UP = rule_matches.c.runner_up != sa.literal_column("''")


def _partial_index(name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool]) -> None:
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


_partial_index("ix_events_waiting", events.c.oa_id, events.c.due_at, events.c.id, where=IS_WAITING)
_partial_index("ix_events_leased", events.c.due_at, where=IS_LEASED)
_partial_index("ix_events_turn", events.c.oa_id, events.c.user_id, events.c.id, where=IS_OPEN)
_partial_index("ix_events_echo", events.c.oa_id, events.c.user_id, events.c.received_at, where=IS_ECHO)
_partial_index(
    "ix_events_replied", events.c.oa_id, events.c.user_id, events.c.rule_id, events.c.replied_at, where=_IS_REPLIED
)
_partial_index("ix_events_customer", events.c.oa_id, events.c.user_id, events.c.id, where=IS_SETTLED_MESSAGE)
_partial_index("ix_events_rule", events.c.rule_id, events.c.id, where=_HAS_RULE)
_partial_index("ix_events_words", events.c.received_at, where=HAS_WORDS)
_partial_index("ix_events_unmatched", events.c.received_at, where=IS_UNMATCHED)
_partial_index("ix_events_bare", events.c.received_at, where=IS_BARE)
_partial_index("ix_events_failed", events.c.status, events.c.id, where=IS_FAILED)
sa.Index("ix_rule_matches_rule", rule_matches.c.rule_id, rule_matches.c.starts_at)
_partial_index("ix_rule_matches_runner_up", rule_matches.c.runner_up, rule_matches.c.starts_at, where=_HAS_RUNNER_UP)
sa.Index("ix_publications_file", publications.c.file, publications.c.sequence)
