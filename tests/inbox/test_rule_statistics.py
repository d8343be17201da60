"""Statistics of one rule on both databases; they outlive the events."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.statistics.hour_counts import HOUR_SECONDS
from bot.inbox.statistics.rollup import MATCHES_KEPT_SECONDS, Statistics, start_of_day
from bot.inbox.statistics.rule_statistics import RuleStatistics, rule_counts, rule_statistics
from bot.inbox.tables import events, rule_matches
from bot.rules.engine import FALLBACK
from tests.support.rows import DAY, HOUR, NOW, keep, sqlite_plans

TOO_BIG, BLOCKED = "HTTP 400: -201: Image size is over the limit", "HTTP 200: code -217, blocked"


def answered(database: Database, rule_id: str = "bang-gia", *, age: float = HOUR, **values: object) -> None:
    """Store an answer of the rule."""
    keep(database, rule_id=rule_id, age=age, replied_at=NOW - age + 1, **values)


def roll_up(database: Database) -> None:
    while Statistics(database).roll_up(now=NOW):
        pass


def found(database: Database, rule_id: str = "bang-gia") -> RuleStatistics:
    return rule_statistics(database, rule_id, NOW - 29 * DAY, now=NOW)


@pytest.fixture(params=["live", "rolled-up", "erased"])
def stored(database: Database, request: pytest.FixtureRequest) -> Database:
    """Events of several days: present, counted, or counted and deleted."""
    answered(database, keyword="bảng giá")
    answered(database, keyword="bảng giá", runner_up="khuyen-mai", age=30 * HOUR)
    answered(database, keyword="giá bao nhiêu", runner_up="khuyen-mai", age=3 * DAY)
    answered(database, keyword=None, age=3 * DAY)
    answered(database, "khuyen-mai", keyword="giá rẻ", runner_up="bang-gia", age=3 * DAY)
    answered(database, FALLBACK, age=3 * DAY)
    answered(database, keyword="bảng giá", age=31 * DAY)
    keep(database, status="dead", reason="refused", error=TOO_BIG, age=2 * DAY)
    keep(database, status="dead", reason="refused", error=BLOCKED, age=2 * DAY)
    keep(database, status="parked", reason="unknown", error=None, age=2 * DAY)
    keep(database, status="ignored", reason="cooldown", keyword="bảng giá", age=2 * DAY)
    if request.param == "live":
        # The hours before are empty; each costs a few queries.
        Statistics(database).count_hour(int(NOW - 4 * DAY) // HOUR_SECONDS * HOUR_SECONDS)
    else:
        roll_up(database)
    if request.param == "erased":
        with database.write() as connection:
            connection.execute(sa.delete(events))
    return database


def test_answers_and_failures_are_counted_by_day(stored: Database) -> None:
    """Failures of its image apart from others; events without an answer do not count."""
    by_day = {start: dict(counts) for start, counts in found(stored).by_day.items()}
    assert by_day == {
        start_of_day(NOW - HOUR): {"answered": 1},
        start_of_day(NOW - 30 * HOUR): {"answered": 1},
        start_of_day(NOW - 2 * DAY): {"failed": 1, "undelivered": 2},
        start_of_day(NOW - 3 * DAY): {"answered": 2},
    }
    assert found(stored, FALLBACK).outcomes == {"answered": 1}
    counts = rule_counts(stored, NOW - 29 * DAY, now=NOW)
    assert counts.failures == {"bang-gia": 1}
    assert (counts.replies["bang-gia"], counts.replies[FALLBACK]) == (4, 1)


def test_keywords_are_counted(stored: Database) -> None:
    """Answers without a known keyword, too."""
    assert found(stored).keywords == {"bảng giá": 2, "giá bao nhiêu": 1, "": 1}
    assert not found(stored, FALLBACK).keywords


def test_runners_up_and_winners_are_counted(stored: Database) -> None:
    """The rules it wins against, and those it loses to."""
    assert found(stored).runners_up == {"khuyen-mai": 2}
    assert found(stored).winners == {"khuyen-mai": 1}
    assert found(stored, "khuyen-mai").runners_up == {"bang-gia": 1}
    assert found(stored, "khuyen-mai").winners == {"bang-gia": 2}


def test_an_hour_that_is_counted_again_counts_once(database: Database) -> None:
    """A replayed event moves to another rule."""
    event_id = keep(database, status="dead", reason="refused", error=TOO_BIG, age=5 * HOUR, keyword="giá")
    roll_up(database)
    assert found(database).outcomes == {"failed": 1}
    with database.write() as connection:
        changed = sa.update(events).where(events.c.id == event_id)
        connection.execute(
            changed.values(status="sent", rule_id="menu", keyword="thực đơn", error=None, replied_at=NOW - 4 * HOUR)
        )
    for start in Statistics(database).unfinished_hours(now=NOW):
        Statistics(database).count_hour(start)
    assert not found(database).outcomes
    assert found(database, "menu").outcomes == {"answered": 1}
    assert found(database, "menu").keywords == {"thực đơn": 1}


def test_old_counts_of_keywords_are_deleted(database: Database) -> None:
    """Once no page shows them."""
    answered(database, keyword="cũ", age=MATCHES_KEPT_SECONDS + 2 * DAY)
    answered(database, keyword="mới", age=3 * HOUR)
    roll_up(database)
    with database.read() as connection:
        assert list(connection.scalars(sa.select(rule_matches.c.keyword))) == ["mới"]


def test_the_indexes_are_used(tmp_path: Path) -> None:
    """The matches of other rules are not read."""
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    plans = sqlite_plans(database, lambda: found(database))
    database.dispose()
    matches = [plan for plan in plans if "rule_matches" in plan]
    assert len(matches) == 2
    assert all("ix_rule_matches_" in plan for plan in matches)
