"""Topics of unanswered messages that editors have hidden from the list, until an editor restores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.messages import MAX_TOPIC_CHARACTERS
from bot.inbox.tables import ignored_topics

#: How many ignored topics are kept; when there are more, the oldest is listed again.
MAX_IGNORED_TOPICS: Final = 500

_row = ignored_topics.c


@dataclass(frozen=True, slots=True)
class IgnoredTopic:
    """A topic that is hidden from the list."""

    name: str
    """The words that its messages share, without marks; `bot.analysis.topics.Topic.name`."""
    label: str
    """The same words as editors see them."""


class IgnoredTopics:
    """
    The ignored topics, for all editors and OAs; they outlive the messages, which retention deletes.

    Every method is one short transaction.

    Raises:
        StorageError: The database cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[IgnoredTopic]:
        """Return the ignored topics, the latest first."""
        query = sa.select(_row.name, _row.label).order_by(_row.ignored_at.desc(), _row.name)
        with self._database.read() as connection:
            return [IgnoredTopic(name, label) for name, label in connection.execute(query)]

    def add(self, topic: IgnoredTopic) -> None:
        """
        Ignore the topic from now on; the label is cut to `MAX_TOPIC_CHARACTERS`.

        Raises:
            ValueError: The name is empty or longer than a topic's name is.
        """
        if not 0 < len(topic.name) <= MAX_TOPIC_CHARACTERS:
            raise ValueError(f"the name of a topic has 1 to {MAX_TOPIC_CHARACTERS} characters, not {len(topic.name)}")
        values = {"label": topic.label[:MAX_TOPIC_CHARACTERS] or topic.name, "ignored_at": self._database.now()}
        added = self._database.insert(ignored_topics).values(name=topic.name, **values)
        with self._database.write() as connection:
            connection.execute(added.on_conflict_do_update(index_elements=[_row.name], set_=values))
            connection.execute(_DELETE_OLDEST, {"b_most": MAX_IGNORED_TOPICS})

    def take_back(self, name: str) -> None:
        """List the topic of that name again."""
        with self._database.write() as connection:
            connection.execute(sa.delete(ignored_topics).where(_row.name == name))


_DELETE_OLDEST = sa.delete(ignored_topics).where(
    _row.name.in_(sa.select(_row.name).order_by(_row.ignored_at.desc(), _row.name).offset(sa.bindparam("b_most")))
)
