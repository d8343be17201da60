"""Quotas of the OAs, stored now and then on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.errors import StorageError
from bot.inbox.database import Database
from bot.inbox.retention import RetentionWorker
from bot.inbox.statistics.quotas import QuotaRecorder, quotas_left
from bot.inbox.tables import quotas
from bot.metrics import counts
from bot.metrics.counts import QuotaLeft


def stored(database: Database, oa_id: str) -> list[QuotaLeft]:
    """Return the stored quotas of the OA."""
    query = sa.select(quotas.c.oa_id, quotas.c.kind, quotas.c.left, quotas.c.size).where(quotas.c.oa_id == oa_id)
    with database.read() as connection:
        return [QuotaLeft(*row) for row in connection.execute(query)]


def test_only_changed_quotas_are_stored(database: Database) -> None:
    """So that a newer report of another machine is not overwritten; a quota of a single customer is not the OA's."""
    recorder = QuotaRecorder(database)
    counts.quota("q1", "sub_quota", left=150, size=2000)
    counts.quota("q1", "reply", left=3, size=8)
    recorder.store()
    assert stored(database, "q1") == [QuotaLeft("q1", "sub_quota", 150, 2000)]
    with database.write() as connection:
        connection.execute(sa.update(quotas).where(quotas.c.oa_id == "q1").values(left=20))
    recorder.store()
    assert QuotaLeft("q1", "sub_quota", 20, 2000) in quotas_left(database)
    counts.quota("q1", "sub_quota", left=19, size=2000)
    recorder.store()
    assert QuotaLeft("q1", "sub_quota", 19, 2000) in quotas_left(database)


def test_the_last_report_is_stored_when_the_process_ends(database: Database) -> None:
    """A restart loses nothing."""
    caretaker = RetentionWorker(database, retention=1e9, memory=lambda: 0.0)
    caretaker.start()
    counts.quota("q2", "sub_quota", left=7, size=None)
    caretaker.stop()
    assert stored(database, "q2") == [QuotaLeft("q2", "sub_quota", 7, None)]


def test_quotas_are_stored_once_the_database_is_reachable(empty_database_url: str) -> None:
    """Here it has no table yet."""
    counts.quota("q3", "sub_quota", left=1, size=9)
    database = Database(empty_database_url)
    recorder = QuotaRecorder(database)
    with pytest.raises(StorageError):
        recorder.store()
    database.migrate()
    recorder.store()
    assert stored(database, "q3") == [QuotaLeft("q3", "sub_quota", 1, 9)]
    database.dispose()
