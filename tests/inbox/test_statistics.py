"""The roll-up of events on both databases; it outlives the events."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.database import Database
from bot.inbox.retention import RetentionWorker
from bot.inbox.statistics.hour_counts import DELAY_BOUNDS, HOUR_SECONDS
from bot.inbox.statistics.rollup import SETTLING_SECONDS, Period, Statistics, median, start_of_day
from bot.inbox.tables import events
from bot.rules.engine import FALLBACK
from tests.support.rows import DAY, HOUR, NOW, keep, sqlite_plans, work_of
from tests.support.running import wait_until

SENT = {"status": "sent", "reason": "rule"}
KINDS: dict[str, dict[str, Any]] = {
    "answered": SENT,
    "fallback": {"status": "sent", "reason": "fallback", "rule_id": FALLBACK},
    "unanswered": {"status": "ignored", "reason": "no-match", "rule_id": None, "images": None},
    "failed": {"status": "dead", "reason": "refused"},
    "unclear": {"status": "parked", "reason": "unknown"},
    "waiting": {"status": "open", "reason": None, "rule_id": None},
    "silent": {"status": "ignored", "reason": "human"},
}


def roll_up(database: Database, now: float = NOW) -> int:
    """Count all hours that can be counted; return their number."""
    statistics, hours = Statistics(database), 0
    while statistics.roll_up(now=now):
        hours += 1
        assert hours < 100
    return hours


def month(database: Database, now: float = NOW) -> Period:
    return Statistics(database).period(now - 30 * DAY, now=now)


@pytest.mark.parametrize("outcome", KINDS)
@pytest.mark.parametrize("erased", [False, True], ids=["with-words", "erased"])
def test_every_message_is_counted_once_by_its_outcome(database: Database, outcome: str, erased: bool) -> None:
    """Before and after the roll-up, with or without its text."""
    gone = {"text": None, "body": None} if erased and outcome != "waiting" else {}
    for age in (0, 0, 5 * HOUR, 3 * DAY):
        keep(database, age=age, **KINDS[outcome] | gone)
    assert month(database).outcomes == {outcome: 4}
    assert roll_up(database) == 2
    assert month(database).outcomes == {outcome: 4}
    assert [sum(hour.values()) for _, hour in sorted(month(database).by_hour.items())] == [1, 1, 2]


def test_a_new_inbox_is_not_searched_hour_by_hour(database: Database) -> None:
    """Hours before its first event are not read."""
    keep(database, age=HOUR)

    def work(days: int) -> int:
        return work_of(database, lambda: Statistics(database).period(NOW - days * DAY, now=NOW))

    assert work(30) <= 2 * work(1)


def test_only_customers_messages_are_counted(database: Database) -> None:
    """Not the OA's own messages, other OAs', or receipts; an hour of only those does not stop the roll-up."""
    for age in (2 * HOUR, 5 * HOUR):
        keep(database, age=age, name="oa_send_image", kind=None, status="ignored", reason="echo")
        keep(database, age=age, status="ignored", reason="other-oa")
    keep(database, age=9 * HOUR, kind="sticker", status="ignored", reason="no-match")
    assert roll_up(database) == 3
    assert month(database).outcomes == {"silent": 1}


def test_the_counts_outlive_the_events(database: Database) -> None:
    """Later counts are added."""
    keep(database, age=3 * DAY, **SENT, replied_at=NOW - 3 * DAY + 0.6)
    keep(database, age=2 * DAY, **KINDS["fallback"], replied_at=NOW - 2 * DAY + 40)
    roll_up(database)
    before = month(database)
    with database.write() as connection:
        connection.execute(sa.delete(events))
    assert month(database) == before
    assert (before.by_rule, before.delays) == ({"bang-gia": 1, FALLBACK: 1}, {2: 1, 14: 1})
    keep(database, age=0, **SENT, replied_at=NOW + 0.6)
    assert month(database).by_rule == {"bang-gia": 2, FALLBACK: 1}


def test_an_hour_is_counted_once_it_is_over_and_settled(database: Database) -> None:
    """Events of the hour may be committed a little late."""
    start = int(NOW) // HOUR_SECONDS * HOUR_SECONDS
    keep(database, age=NOW - start, **SENT)
    over = start + HOUR_SECONDS + SETTLING_SECONDS
    assert not Statistics(database).roll_up(now=over - 1)
    assert Statistics(database).roll_up(now=over)


def test_an_hour_is_counted_again_while_its_events_may_change(database: Database) -> None:
    """After a replay or an outage nothing is counted twice, and a finished hour is not counted again."""
    event_id = keep(database, age=5 * HOUR, **KINDS["failed"])
    keep(database, age=5 * HOUR, **SENT, replied_at=NOW - 5 * HOUR + 1)
    keep(database, age=8 * HOUR, **SENT, replied_at=NOW - 8 * HOUR + 1)
    roll_up(database)
    statistics = Statistics(database)
    [start] = statistics.unfinished_hours(now=NOW)
    for _ in range(2):
        statistics.count_hour(start)
    assert month(database).outcomes == {"failed": 1, "answered": 2}
    with database.write() as connection:
        values = {"status": "sent", "reason": "rule", "rule_id": "menu", "replied_at": NOW}
        connection.execute(sa.update(events).where(events.c.id == event_id).values(**values))
    statistics.count_hour(start)
    assert month(database).outcomes == {"answered": 3}
    assert month(database).by_rule == {"bang-gia": 2, "menu": 1}
    assert statistics.unfinished_hours(now=NOW) == []


def test_rules_are_counted_by_the_day_in_vietnam(database: Database) -> None:
    """A period begins with a day; earlier answers are not in it."""
    midnight = start_of_day(NOW)
    for age, rule in ((NOW - midnight + 60, "hom-qua"), (NOW - midnight - 60, "hom-nay")):
        keep(database, age=age, rule_id=rule, **SENT, replied_at=NOW)
    roll_up(database, now=NOW + DAY)
    assert Statistics(database).period(midnight, now=NOW + DAY).by_rule == {"hom-nay": 1}


def test_old_events_are_counted_before_retention_deletes_them(database: Database) -> None:
    """In the worker's first round, also events older than the roll-up itself."""
    at = database.now()
    for days in (10, 20):
        keep(database, age=NOW - at + days * DAY, **SENT)
    worker = RetentionWorker(database, retention=DAY, memory=lambda: 0.0)
    worker.start()
    try:
        wait_until(lambda: not Statistics(database).last_received(), "the events to be deleted")
    finally:
        worker.stop()
    assert Statistics(database).period(at - 30 * DAY, now=at).outcomes == {"answered": 2}


@pytest.mark.parametrize("kind_of_database", ["sqlite"], indirect=True)
def test_no_query_reads_the_whole_table(database: Database) -> None:
    """An hour is read by the indexes of its parts."""
    keep(database, age=5 * HOUR)
    statistics = Statistics(database)

    def work() -> None:
        statistics.roll_up(now=NOW)
        statistics.period(NOW - 30 * DAY, now=NOW)
        statistics.unfinished_hours(now=NOW)

    plans = [plan for plan in sqlite_plans(database, work) if " events" in plan or " event_counts" in plan]
    assert plans
    assert [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan] == []


@given(seconds=st.lists(st.floats(min_value=0.001, max_value=20_000), min_size=1, max_size=50))
def test_the_median_is_accurate_to_the_width_of_a_class(seconds: list[float]) -> None:
    classes = Counter(next((n for n, b in enumerate(DELAY_BOUNDS) if s <= b), len(DELAY_BOUNDS)) for s in seconds)
    found = median(classes)
    assert found is not None
    low, high = sorted(seconds)[(len(seconds) - 1) // 2], sorted(seconds)[len(seconds) // 2]
    bounds = (0.0, *DELAY_BOUNDS, 2.0 * DELAY_BOUNDS[-1])
    assert max(b for b in bounds if b < low) <= found <= min((b for b in bounds if b >= high), default=bounds[-1])


def test_without_images_there_is_no_median() -> None:
    assert median({}) is None
