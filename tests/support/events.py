"""Events in the database of a running bot."""

from __future__ import annotations

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events
from tests.support.running import Bot

ASK = "shop ơi bang gia"


def rows(bot: Bot) -> list[sa.RowMapping]:
    """Return the events of the bot's database, oldest first."""
    return table_rows(bot.environment["DATABASE_URL"], events)


def table_rows(url: str, table: sa.Table) -> list[sa.RowMapping]:
    """Return all rows of a table, oldest first."""
    database = Database(url)
    with database.read() as connection:
        found = list(connection.execute(sa.select(table).order_by(*table.primary_key)).mappings())
    database.dispose()
    return found


def statuses(bot: Bot) -> list[str]:
    """Return the statuses of the customers' events, oldest first."""
    return [row["status"] for row in rows(bot) if row["reason"] not in ("echo", "human")]


def settled(bot: Bot) -> bool:
    """Return whether no event is open."""
    return "open" not in statuses(bot)
