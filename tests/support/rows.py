"""Insert events into the database in any state, without delivering them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events
from tests.support.clock import NOW

HOUR, DAY = 3600.0, 86_400.0

_numbers = itertools.count()
_TEXT: Mapping[str, Any] = {
    "name": "user_send_text", "app_id": "1", "oa_id": "oa1", "user_id": "u1", "msg_id": "m", "kind": "text",
    "sent_at": None, "text": "bảng giá", "body": b"{}", "status": "sent", "reason": "rule", "due_at": NOW,
    "rule_id": "bang-gia", "rules_hash": "f" * 64, "images": [{"image_url": "https://a.example/1.jpg"}],
}  # fmt: skip


def keep(database: Database, *, age: float = HOUR, **values: Any) -> int:
    """Store an event that came in *age* seconds before NOW, by default a sent text; return its id."""
    row = {**_TEXT, "key": f"key-{next(_numbers)}", "received_at": NOW - age, **values}
    with database.write() as connection:
        return int(connection.execute(sa.insert(events).values(**row).returning(events.c.id)).scalar_one())


def found(database: Database, event_id: int) -> dict[str, Any]:
    """Return the event's row, or {}."""
    with database.read() as connection:
        row = connection.execute(sa.select(events).where(events.c.id == event_id)).mappings().first()
    return dict(row or {})


def sqlite_plans(database: Database, work: Callable[[], object]) -> list[str]:
    """Return the SQLite query plans of *work*, one line per step."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    with database.read() as connection:
        engine = connection.engine
    sa.event.listen(engine, "before_cursor_execute", listen)
    work()
    sa.event.remove(engine, "before_cursor_execute", listen)
    queries = [(statement, values) for statement, values in asked if statement.startswith("SELECT")]
    with database.read() as connection:
        return [
            row[3]
            for statement, values in queries
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
