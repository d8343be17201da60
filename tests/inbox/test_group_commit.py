"""Group commit, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.group_commit import Writer


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    """A writer on a fresh database."""
    running = Writer(database)
    yield running
    running.stop()


def add(connection: sa.Connection, values: Sequence[int]) -> Sequence[int]:
    """Write nothing, but ask the database for each answer."""
    return [connection.execute(sa.select(sa.literal(value) + 1)).scalar_one() for value in values]


def lose(connection: sa.Connection, values: Sequence[None]) -> Sequence[None]:
    """Leave behind a connection whose line is cut in the middle of the transaction."""
    connection.invalidate()
    return values


def test_a_connection_that_is_lost_is_replaced(writer: Writer) -> None:
    """Whoever was part of that commit hears of it; the next ones are written."""
    assert writer.submit(add, 1).result() == 2
    with pytest.raises(sa.exc.SQLAlchemyError):
        writer.submit(lose, None).result()
    assert [writer.submit(add, n).result() for n in range(3)] == [1, 2, 3]
