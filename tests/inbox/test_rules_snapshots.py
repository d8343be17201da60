"""Snapshots of the last valid rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bot.inbox.database import Database
from bot.inbox.editing.rules_snapshots import RulesSnapshots
from bot.inbox.sql.group_commit import GroupCommitWriter


def test_the_last_good_rules_are_the_latest_stored(database: Database) -> None:
    """Only the newest content is kept."""
    writer = GroupCommitWriter(database)
    snapshots = RulesSnapshots(database, writer)
    assert snapshots.last_good_rules() is None
    snapshots.keep_good_rules("1", b"one")
    snapshots.keep_good_rules("2", b"two")
    assert snapshots.last_good_rules() == b"two"
    writer.stop()


def test_concurrent_processes_may_store_the_same_rules(database: Database) -> None:
    """Every worker stores the rules that it has loaded."""
    writers = [GroupCommitWriter(database) for _ in range(4)]
    kept = [RulesSnapshots(database, writer) for writer in writers]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: kept[n % 4].keep_good_rules("1" if n < 20 else f"{n % 3}", b"rules"), range(40)))
    for writer in writers:
        writer.stop()
    assert kept[0].last_good_rules() == b"rules"
