"""Retention on both databases."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import StorageError
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.retention import BATCH, RetentionResult, RetentionWorker, apply_retention
from bot.inbox.tables import events, tallies
from bot.zalo import Event
from tests.support.rows import DAY, NOW, found, keep, sqlite_plans
from tests.support.running import wait_until

SETTLED = ["sent", "ignored", "dead"]
ALL = ["open", *SETTLED, "parked"]


def tend_all(database: Database, *, retention: float, now: float = NOW) -> RetentionResult:
    erased = deleted = 0
    while done := apply_retention(database, now=now, retention=retention):
        erased, deleted = erased + done.erased, deleted + done.deleted
    return RetentionResult(erased, deleted)


def counts(database: Database) -> Counter[tuple[Any, ...]]:
    with database.read() as connection:
        return Counter({tuple(row[:-1]): row[-1] for row in connection.execute(sa.select(tallies))})


def state(database: Database, event_id: int) -> str:
    row = found(database, event_id)
    if not row:
        return "deleted"
    return "erased" if row["text"] is None and row["body"] is None else "whole"


@pytest.mark.parametrize("status", ALL)
def test_texts_are_erased_after_retention_and_events_deleted_after_seven_days(database: Database, status: str) -> None:
    """Open events keep their text until they are settled; parked ones stay without it."""
    ages = {age: keep(database, age=age * DAY, status=status) for age in (0.9, 1.1, 6.9, 7.1, 400)}
    tend_all(database, retention=DAY)
    fate = {"open": ["whole"] * 5, "parked": ["whole", *["erased"] * 4]}
    expected = fate.get(status, ["whole", "erased", "erased", "deleted", "deleted"])
    assert [state(database, event_id) for event_id in ages.values()] == expected


@pytest.mark.parametrize("status", SETTLED)
def test_with_a_longer_retention_the_event_is_deleted_with_its_text(database: Database, status: str) -> None:
    """Not before, although it is older than seven days."""
    young, old = keep(database, age=29.9 * DAY, status=status), keep(database, age=30.1 * DAY, status=status)
    assert tend_all(database, retention=30 * DAY) == RetentionResult(erased=0, deleted=1)
    assert (state(database, young), state(database, old)) == ("whole", "deleted")


def test_an_answer_is_kept_for_the_longest_cooldown(database: Database) -> None:
    """Without its text; a cooldown may be longer than RETENTION."""
    young, old = keep(database, age=89 * DAY), keep(database, age=91 * DAY)
    while apply_retention(database, now=NOW, retention=DAY, memory=90 * DAY):
        pass
    assert (state(database, young), state(database, old)) == ("erased", "deleted")


def test_an_event_settled_late_loses_its_text_then(database: Database) -> None:
    """However long it was open."""
    event_id = keep(database, age=3 * DAY, status="open")
    tend_all(database, retention=DAY)
    with database.write() as connection:
        connection.execute(sa.update(events).values(status="sent"))
    assert tend_all(database, retention=DAY) == RetentionResult(erased=1)
    assert state(database, event_id) == "erased"


def test_a_redelivery_is_known_although_its_text_is_erased(database: Database, inbox: Inbox) -> None:
    """The duplicate filter outlives the text."""
    event = Event("k", "unknown", "1", "oa1", "u1", "m", None, "giá", None, False, False)
    assert inbox.put(event, b"{}", now=NOW - 6 * DAY)
    tend_all(database, retention=0.0)
    assert not inbox.put(event, b"{}", now=NOW)


def test_deleted_events_are_counted(database: Database) -> None:
    """By the day in Vietnam, which begins at 17:00 UTC, and by outcome; counts of a day add up."""
    evening = datetime(2026, 6, 30, 16, 59, 59, tzinfo=UTC).timestamp()
    for at in (evening, evening + 2, evening + 2):
        keep(database, age=NOW - at)
    tend_all(database, retention=DAY)
    keep(database, age=NOW - evening - 3)
    keep(database, age=NOW - evening - 3, kind=None, status="ignored", reason="echo", rule_id=None)
    tend_all(database, retention=DAY)
    sent = ("oa1", "text", "sent", "rule", "bang-gia")
    assert counts(database) == {
        (date(2026, 6, 30), *sent): 1,
        (date(2026, 7, 1), *sent): 3,
        (date(2026, 7, 1), "oa1", "", "ignored", "echo", ""): 1,
    }


def test_events_that_cannot_be_counted_are_not_deleted(database: Database) -> None:
    """Both are one transaction."""
    event_id = keep(database, age=99 * DAY)
    with database.write() as connection:
        tallies.drop(connection)
    with pytest.raises(StorageError):
        apply_retention(database, now=NOW, retention=DAY)
    assert state(database, event_id) == "whole"


def test_a_transaction_is_small(database: Database) -> None:
    """With any number of old events."""
    for _ in range(BATCH + 1):
        keep(database, age=99 * DAY)
    assert apply_retention(database, now=NOW, retention=DAY) == RetentionResult(deleted=BATCH)
    assert apply_retention(database, now=NOW, retention=DAY) == RetentionResult(deleted=1)
    assert not apply_retention(database, now=NOW, retention=DAY)


@dataclass(frozen=True)
class _Old:
    status: str
    days: float
    bare: bool


_olds = st.builds(_Old, st.sampled_from(ALL), st.sampled_from([0.5, 2.0, 6.5, 7.5, 20.0, 40.0]), st.booleans())


@settings(max_examples=25)
@given(olds=st.lists(_olds, max_size=12), days=st.sampled_from([0, 1, 7, 30]))
def test_any_mixture_of_events_ends_as_defined(database: Database, olds: list[_Old], days: int) -> None:
    """Each event independently of the others, and none is lost without being counted."""
    with database.write() as connection:
        connection.execute(sa.delete(events))
        connection.execute(sa.delete(tallies))
    bare = {"text": None, "body": None}
    ids = [keep(database, age=o.days * DAY, status=o.status, **(bare if o.bare else {})) for o in olds]
    tend_all(database, retention=days * DAY)
    for event_id, old in zip(ids, olds, strict=True):
        erased = old.bare or (old.status != "open" and old.days > days)
        gone = old.status in SETTLED and old.days > max(days, 7)
        assert state(database, event_id) == ("deleted" if gone else "erased" if erased else "whole")
    gone_by_status = Counter(o.status for o in olds if o.status in SETTLED and o.days > max(days, 7))
    counted: Counter[str] = Counter()
    for key, n in counts(database).items():
        counted[key[3]] += n
    assert counted == gone_by_status


def test_concurrent_processes_count_each_event_once(database_url: str) -> None:
    """Without waiting for each other's batches for ever."""
    databases = [Database(database_url) for _ in range(4)]
    databases[0].migrate()
    old = NOW - 99 * DAY
    rows = [{"key": f"k{n}", "user_id": f"u{n}", "received_at": old - n % 3 * DAY} for n in range(1000)]
    same = {
        "name": "x", "app_id": "1", "oa_id": "oa1", "msg_id": "", "body": b"{}", "text": "giá", "status": "ignored",
        "due_at": old,
    }  # fmt: skip
    with databases[0].write() as connection:
        connection.execute(sa.insert(events), [row | same for row in rows])
    errors: list[Exception] = []

    def work(one: Database) -> None:
        try:
            tend_all(one, retention=DAY)
        except Exception as error:  # noqa: BLE001  reported below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tend_all(databases[0], retention=DAY)
    assert errors == []
    assert sorted(counts(databases[0]).values()) == [333, 333, 334]
    with databases[0].read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar() == 0
    for one in databases:
        one.dispose()


def test_sqlite_finds_old_events_by_an_index(tmp_path: Path) -> None:
    """A query every minute must not read a million events."""
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    plans = sqlite_plans(database, lambda: apply_retention(database, now=NOW, retention=DAY))
    database.dispose()
    words, bare = (f"SEARCH events USING INDEX ix_events_{name} (received_at<?)" for name in ("words", "bare"))
    assert plans == [words, bare, words]


def test_the_worker_does_all_kinds_of_work(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """And logs the numbers."""
    age = NOW - time.time()
    ids = [keep(database, age=age + days * DAY, status=status) for days, status in
           itertools.product((2, 9), ("sent", "parked"))]  # fmt: skip
    bare = keep(database, age=age + 9 * DAY, text=None, body=None)
    with caplog.at_level(logging.INFO, logger="bot.inbox.retention"):
        retention_worker = RetentionWorker(database, retention=DAY, memory=lambda: 0.0)
        retention_worker.start()
        wait_until(lambda: bool(caplog.records), "the log line")
        retention_worker.stop()
    assert [state(database, event_id) for event_id in (*ids, bare)] == ["erased"] * 2 + ["deleted", "erased", "deleted"]
    said = vars(caplog.records[0])
    assert (said["erased"], said["deleted"]) == (3, 2)


def test_the_worker_survives_a_failing_database(empty_database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It logs the failure and continues with the next round."""
    database = Database(empty_database_url)
    retention_worker = RetentionWorker(database, retention=DAY, memory=lambda: 0.0)
    with caplog.at_level(logging.ERROR, logger="bot.inbox.retention"):
        retention_worker.start()
        wait_until(lambda: bool(caplog.records), "the log line")
        assert retention_worker._thread.is_alive()
        retention_worker.stop()
    assert "cannot tend" in caplog.text
    database.dispose()
