"""Insert events into the database in any state, without delivering them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
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


def keep_waiting(database: Database, oa: str, count: int, *, due_at: float = NOW - HOUR) -> None:
    """
    Store *count* open events of the OA, each of another user, due one after the other.

    PostgreSQL counts them at once; its own background job might do so in the middle of a test.
    """
    numbers = sa.select(sa.literal(0).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n + 1 < count))
    key = sa.literal(f"{oa}-") + sa.cast(numbers.c.n, sa.Text)
    row = {
        "key": key, "name": "user_send_text", "app_id": "1", "oa_id": oa, "user_id": key, "msg_id": "m",
        "kind": "text", "received_at": NOW - HOUR, "text": "bảng giá", "status": "open",
        "due_at": due_at + numbers.c.n * 1e-4,
    }  # fmt: skip
    values = [v if isinstance(v, sa.ColumnElement) else sa.literal(v) for v in row.values()]
    with database.write() as connection:
        connection.execute(sa.insert(events).from_select([*row], sa.select(*values)))
        if not database.is_sqlite:
            connection.exec_driver_sql("ANALYZE events")


def work_of(database: Database, work: Callable[[], object]) -> int:
    """
    Return the database's cost of *work*, independent of the machine's load.

    For SQLite, the instructions of its virtual machine; for PostgreSQL, the rows that the steps of its plans read.
    """
    statements = _statements(database, work)
    with database.read() as connection:
        if database.is_sqlite:
            return _sqlite_instructions(connection, statements)
        return sum(_postgres_rows(connection, *one) for one in statements)


def _sqlite_instructions(connection: sa.Connection, statements: Sequence[tuple[str, Any]]) -> int:
    instructions = itertools.count()
    raw: Any = connection.connection.driver_connection
    raw.set_progress_handler(lambda: next(instructions) < 0, 1)
    for statement, values in statements:
        connection.exec_driver_sql(statement, values).close()
    raw.set_progress_handler(None, 1)
    return next(instructions)


def _postgres_rows(connection: sa.Connection, statement: str, values: Any) -> int:
    answer = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalar_one()
    plans, rows = [answer[0]["Plan"]], 0
    while plans:
        plan = plans.pop()
        plans += plan.get("Plans", [])
        read = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
        rows += int(read * plan["Actual Loops"])
    return rows


def sqlite_plans(database: Database, work: Callable[[], object]) -> list[str]:
    """Return the SQLite query plans of *work*, one line per step."""
    queries = [(sql, values) for sql, values in _statements(database, work) if sql.startswith("SELECT")]
    with database.read() as connection:
        return [
            row[3]
            for statement, values in queries
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]


def _statements(database: Database, work: Callable[[], object]) -> list[tuple[str, Any]]:
    """Return the statements that *work* executes, with their values."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE", "INSERT")):
            asked.append((statement, values))

    with database.read() as connection:
        engine = connection.engine
    sa.event.listen(engine, "before_cursor_execute", listen)
    work()
    sa.event.remove(engine, "before_cursor_execute", listen)
    return asked
