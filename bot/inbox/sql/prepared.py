"""Prepared statements on PostgreSQL: planned once for many executions, except behind a pooler."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Final

import sqlalchemy as sa

#: Execution options of a statement that is executed often and by the same plan, whatever its values are.
PREPARED: Final = {"is_prepared": True}

# A plan that was right for a small table is wrong for a large one.
_PLAN_SECONDS: Final = 5.0
# The statement is not known, is known already, or returns other columns since a migration.
_UNUSABLE: Final = frozenset({"26000", "42P05", "0A000"})


def enable_prepared(engine: sa.Engine) -> None:
    """
    Prepare statements that have the option `PREPARED`, in sessions that are PostgreSQL's own.

    A pooler may give each transaction another session, where a statement is not prepared. It is recognized by the
    process number of the session, which it replaces: with it, a client could cancel what runs in another session. If a
    prepared statement turns out to be unusable, nothing is prepared any more; the writer repeats what failed.
    """
    is_unusable = threading.Event()

    @sa.event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: object) -> None:
        if not is_unusable.is_set() and _is_direct(raw):
            raw.prepare_threshold = sys.maxsize  # of psycopg: never, unless asked to

    @sa.event.listens_for(engine, "do_execute")
    def _on_execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        if not context.execution_options.get("is_prepared"):
            return False
        _plan_anew(cursor, context.root_connection.info)
        cursor.execute(statement, parameters, prepare=True)
        return True

    @sa.event.listens_for(engine, "handle_error")
    def _on_error(context: sa.engine.ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) in _UNUSABLE:
            is_unusable.set()
            context.is_disconnect = True


def _is_direct(raw: Any) -> bool:
    """Return whether the session's process number is the one that PostgreSQL gave the client."""
    [pid] = raw.execute("SELECT pg_backend_pid()").fetchone()
    raw.commit()
    return bool(pid == raw.info.backend_pid)


def _plan_anew(cursor: Any, session: dict[str, Any]) -> None:
    """Discard the session's plans if they are old; *session* keeps their time."""
    now = time.monotonic()
    if now - session.setdefault("planned_at", now) > _PLAN_SECONDS:
        session["planned_at"] = now
        cursor.execute("DISCARD PLANS")
