"""Statements are prepared in PostgreSQL's own sessions only, and planned anew as tables grow."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.sql.prepared import PREPARED
from tests.support.pooler import pooled
from tests.support.queue import event

_PREPARED = sa.text("SELECT statement, name FROM pg_prepared_statements")
_COUNT = "SELECT count(*) FROM events WHERE id = %s"


@pytest.fixture
def direct(postgres_url: str) -> Database:
    """A migrated database on PostgreSQL."""
    return Database(postgres_url)


def test_a_statement_that_is_meant_to_be_is_prepared_and_no_other(direct: Database) -> None:
    """Preparing costs a round trip, so it is for what the bot executes often."""
    with direct.connect() as connection:
        connection.exec_driver_sql(_COUNT, (1,), PREPARED)
        connection.exec_driver_sql("SELECT 1")
        assert [statement for statement, _ in connection.execute(_PREPARED)] == [_COUNT.replace("%s", "$1")]
    direct.dispose()


def test_behind_a_pooler_nothing_is_prepared(postgres_url: str) -> None:
    """It may give the next transaction another session, where the statement does not exist."""
    with pooled(postgres_url) as url:
        database = Database(url)
        with database.connect() as connection:
            assert connection.exec_driver_sql(_COUNT, (1,), PREPARED).scalar() == 0
            assert connection.execute(_PREPARED).all() == []
        database.dispose()


def test_an_event_is_stored_where_its_prepared_statement_has_vanished(direct: Database) -> None:
    """So it would be behind a pooler that is not recognized; from then on nothing is prepared."""
    writer = GroupCommitWriter(direct)
    inbox = Inbox(direct, writer)
    assert inbox.put(event("a"), b"{}", now=1.0)
    for connection in writer._connections.values():
        connection.connection.cursor().execute('DEALLOCATE "_pg3_0"')
    assert inbox.put(event("b"), b"{}", now=2.0)
    assert not inbox.put(event("b"), b"{}", now=3.0)
    for connection in writer._connections.values():
        assert connection.execute(_PREPARED).all() == []
    writer.stop()
    direct.dispose()


def test_a_plan_for_a_small_table_does_not_outlive_its_time(direct: Database) -> None:
    """A plan that reads a whole table of ten rows would do so with a million, until PostgreSQL analyses the table."""
    with direct.connect() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE grown (id bigint PRIMARY KEY, body text)")
        query = "SELECT body FROM grown WHERE id < %s"
        for number in range(10):
            connection.exec_driver_sql(query, (number,), PREPARED)
        [(_, name)] = connection.execute(_PREPARED)
        before = _plan(connection, name)
        connection.exec_driver_sql("INSERT INTO grown SELECT n, repeat('x', 100) FROM generate_series(1, 50000) AS n")
        assert _plan(connection, name) == before
        connection.info["planned_at"] = time.monotonic() - 60
        connection.exec_driver_sql(query, (1,), PREPARED)
        assert _plan(connection, name) != before
    direct.dispose()


def _plan(connection: sa.Connection, name: str) -> str:
    """Return the first line of the statement's plan, with the rows that PostgreSQL expects."""
    return str(connection.exec_driver_sql(f'EXPLAIN EXECUTE "{name}" (5)').scalar())
