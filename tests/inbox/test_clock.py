"""The database's clock, which all machines share."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.retention import RetentionWorker
from tests.support.running import wait_until


class Settable(Database):
    """A database whose clock can be set, and which can be away."""

    ahead = 0.0
    away = False

    def _server_time(self) -> float:
        if self.away:
            raise sa.exc.OperationalError("", {}, ConnectionError())
        return super()._server_time() + self.ahead


@pytest.fixture
def settable(database_url: str) -> Iterator[Settable]:
    database = Settable(database_url)
    yield database
    database.dispose()


def test_it_is_the_databases_and_not_this_machines(settable: Settable) -> None:
    """Also for the first who asks."""
    settable.ahead = -7200.0
    assert abs(settable.now() - (time.time() - 7200)) < 60


def test_a_step_is_followed_at_the_next_reading_and_not_before(settable: Settable) -> None:
    """In between it only goes forward, evenly."""
    before = settable.now()
    settable.ahead = -7200.0
    assert before <= settable.now() <= settable.now() < before + 60
    settable.read_clock()
    assert settable.now() < before - 7000


def test_the_caretaker_reads_it(settable: Settable) -> None:
    """So that every process that lasts follows a step within a minute."""
    settable.migrate()
    before = settable.now()
    settable.ahead = -7200.0
    retention_worker = RetentionWorker(settable, retention=0.0, memory=lambda: 0.0)
    retention_worker.start()
    wait_until(lambda: settable.now() < before - 7000, "the step to be followed")
    retention_worker.stop()


def test_it_goes_on_while_the_database_is_away(settable: Settable) -> None:
    """Whoever has a time to write down must not fail at that."""
    before = settable.now()
    settable.away = True
    with pytest.raises(sa.exc.OperationalError):
        settable.read_clock()
    assert before <= settable.now() < before + 60
