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
    """A database whose clock can be set, and which can be unreachable."""

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


def test_the_clock_is_that_of_the_database(settable: Settable) -> None:
    """Not this machine's, also at the first reading."""
    settable.ahead = -7200.0
    assert abs(settable.now() - (time.time() - 7200)) < 60


def test_a_step_of_the_clock_is_followed_at_the_next_reading(settable: Settable) -> None:
    """Until then the time only goes forward, evenly."""
    before = settable.now()
    settable.ahead = -7200.0
    assert before <= settable.now() <= settable.now() < before + 60
    settable.read_clock()
    assert settable.now() < before - 7000


def test_the_retention_worker_reads_the_clock(settable: Settable) -> None:
    """So that every process follows a step within a minute."""
    settable.migrate()
    before = settable.now()
    settable.ahead = -7200.0
    retention_worker = RetentionWorker(settable, retention=0.0, memory=lambda: 0.0)
    retention_worker.start()
    wait_until(lambda: settable.now() < before - 7000, "the step to be followed")
    retention_worker.stop()


def test_the_clock_continues_while_the_database_is_unreachable(settable: Settable) -> None:
    """Storing a time must not fail because of it."""
    before = settable.now()
    settable.away = True
    with pytest.raises(sa.exc.OperationalError):
        settable.read_clock()
    assert before <= settable.now() < before + 60
