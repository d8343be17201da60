"""Ignored topics on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.errors import UnstorableValue
from bot.inbox.database import Database
from bot.inbox.editing.ignored_topics import MAX_IGNORED_TOPICS, IgnoredTopic, IgnoredTopics
from bot.inbox.messages import MAX_TOPIC_CHARACTERS
from bot.inbox.retention import apply_retention
from bot.inbox.tables import ignored_topics
from tests.support.clock import NOW
from tests.support.rows import DAY, found, keep

TOPIC = IgnoredTopic("tuyen nhan vien", "tuyển nhân viên")


def test_a_topic_is_ignored_until_it_is_restored(database: Database) -> None:
    """Ignoring it twice does no harm; the latest label counts."""
    kept = IgnoredTopics(database)
    kept.add(IgnoredTopic(TOPIC.name, TOPIC.name))
    kept.add(TOPIC)
    assert kept.all() == [TOPIC]
    kept.take_back("another")
    assert kept.all() == [TOPIC]
    kept.take_back(TOPIC.name)
    assert kept.all() == []


def test_it_stays_ignored_when_retention_deletes_its_messages(database: Database) -> None:
    """A customer may ask the same years later."""
    old = keep(database, age=90 * DAY, text="có tuyển nhân viên không", status="ignored", rule_id=None)
    IgnoredTopics(database).add(TOPIC)
    while apply_retention(database, now=NOW, retention=30 * DAY):
        pass
    assert found(database, old) == {}
    assert IgnoredTopics(database).all() == [TOPIC]


@pytest.mark.parametrize("name", ["", "x" * (MAX_TOPIC_CHARACTERS + 1)])
def test_an_invalid_name_is_refused(database: Database, name: str) -> None:
    """Nothing is stored."""
    with pytest.raises(ValueError, match="1 to 200"):
        IgnoredTopics(database).add(IgnoredTopic(name, "x"))
    assert IgnoredTopics(database).all() == []


def test_a_name_with_nul(database: Database) -> None:
    """PostgreSQL cannot store NUL; SQLite keeps it."""
    kept = IgnoredTopics(database)
    try:
        kept.add(IgnoredTopic("a\0b", "y" * 900))
    except UnstorableValue:
        assert kept.all() == []
    else:
        assert kept.all() == [IgnoredTopic("a\0b", "y" * MAX_TOPIC_CHARACTERS)]


def test_over_the_limit_the_oldest_is_listed_again(database: Database) -> None:
    """It is listed again."""
    kept = IgnoredTopics(database)
    with database.write() as connection:
        rows = [{"name": f"n{n}", "label": "x", "ignored_at": NOW - 2 * DAY + n} for n in range(MAX_IGNORED_TOPICS)]
        connection.execute(sa.insert(ignored_topics), rows)
    kept.add(TOPIC)
    names = [topic.name for topic in kept.all()]
    assert len(names) == MAX_IGNORED_TOPICS
    assert names[0] == TOPIC.name
    assert "n0" not in names
