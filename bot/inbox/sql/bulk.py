"""Insert and update many events in one call: `executemany` on SQLite, one JSON document on PostgreSQL."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from bot.inbox.sql.prepared import PREPARED
from bot.inbox.tables import events

Row = Mapping[str, Any]

_GUARDS = ("fence", "human_since")
# The index is for both kinds of echo, and SQLite does not see that 'human' alone is among them.
# With a bare status PostgreSQL would rather read all open events, by a partial index, than look some up by their ids.
_CLAIM_HOLDS = """events.status || '' = 'open' AND events.fence = given.fence AND (
    given.human_since IS NULL OR coalesce((
        SELECT max(human.received_at) FROM events AS human
        WHERE human.oa_id = events.oa_id AND human.user_id = events.user_id
        AND human.reason IN ('echo', 'human') AND human.reason = 'human'
    ), 0) <= given.human_since
)"""
_VALID_CLAIMS_ON_SQLITE = f"""
    SELECT events.id FROM (
        SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS fence,
        json_extract(value, '$[2]') AS human_since FROM json_each(?)
    ) AS given JOIN events ON events.id = given.id WHERE {_CLAIM_HOLDS}
"""  # noqa: S608


class BulkInsert:
    """Inserts events at a fifth of the cost per row of SQLAlchemy's executemany."""

    def __init__(self, columns: Sequence[str], *, sqlite: bool) -> None:
        self._rows = _Rows(columns)
        names = ", ".join(columns)
        if sqlite:
            marks = ", ".join("?" * len(columns))
            self._sql = f"INSERT INTO events ({names}) VALUES ({marks}) ON CONFLICT (key) DO NOTHING"  # noqa: S608
        else:
            self._sql = (
                f"INSERT INTO events ({names}) SELECT {', '.join(self._rows.given.values())} FROM {self._rows.document}"  # noqa: S608
                " ON CONFLICT (key) DO NOTHING RETURNING key, id"
            )
        self._insert = self._by_executemany if sqlite else self._by_document

    def __call__(self, connection: sa.Connection, rows: Sequence[Row]) -> dict[str, int]:
        """Insert the *rows*; return the id of each whose key was new, by key."""
        return self._insert(connection, rows)

    def _by_executemany(self, connection: sa.Connection, rows: Sequence[Row]) -> dict[str, int]:
        # The transaction holds SQLite's write lock, and ids are never reused: new ids are above the highest before.
        last = connection.exec_driver_sql("SELECT max(id) FROM events").scalar() or 0
        connection.exec_driver_sql(self._sql, self._rows.tuples(rows))
        added = connection.exec_driver_sql("SELECT key, id FROM events WHERE id > ?", (last,))
        return dict(tuple(row) for row in added)

    def _by_document(self, connection: sa.Connection, rows: Sequence[Row]) -> dict[str, int]:
        added = connection.exec_driver_sql(self._sql, (self._rows.json(rows),), PREPARED)
        return dict(tuple(row) for row in added)


class BulkUpdate:
    """Updates columns of claimed events, where the claim still holds and no person has taken over since."""

    def __init__(self, columns: Sequence[str], *, sqlite: bool) -> None:
        self._rows = _Rows((*columns, "id", *(() if sqlite else _GUARDS)))
        if sqlite:
            changes = ", ".join(f"{name} = ?" for name in columns)
            self._sql = f"UPDATE events SET {changes} WHERE id = ?"  # noqa: S608
        else:
            changes = ", ".join(f"{name} = {self._rows.given[name]}" for name in columns)
            self._sql = (
                f"UPDATE events SET {changes} FROM {self._rows.document}"  # noqa: S608
                f" WHERE events.id = given.id AND events.id = ANY(%s) AND {_CLAIM_HOLDS} RETURNING events.id"
            )
        self._update = self._by_executemany if sqlite else self._by_document

    def __call__(self, connection: sa.Connection, rows: Sequence[Row]) -> set[int]:
        """
        Return the ids of the events that were updated.

        Each of *rows* has the columns, the id, the claim's fence, and human_since: a time, or None if it does not
        matter who has written.
        """
        return self._update(connection, rows)

    def _by_executemany(self, connection: sa.Connection, rows: Sequence[Row]) -> set[int]:
        guards = json.dumps([(row["id"], *(row[name] for name in _GUARDS)) for row in rows])
        valid_ids = set(connection.exec_driver_sql(_VALID_CLAIMS_ON_SQLITE, (guards,)).scalars())
        if valid_ids:
            connection.exec_driver_sql(self._sql, self._rows.tuples([row for row in rows if row["id"] in valid_ids]))
        return valid_ids

    def _by_document(self, connection: sa.Connection, rows: Sequence[Row]) -> set[int]:
        # The list shows PostgreSQL how few rows there are; otherwise it would join the document to the whole table.
        ids = [row["id"] for row in rows]
        return set(connection.exec_driver_sql(self._sql, (self._rows.json(rows), ids), PREPARED).scalars())


class _Rows:
    """Converts values of event columns for the drivers."""

    def __init__(self, columns: Sequence[str]) -> None:
        types = {name: sa.Double() if name == "human_since" else events.c[name].type for name in columns}
        self._take = itemgetter(*columns)
        self._json = [name for name, kind in types.items() if isinstance(kind, sa.JSON)]
        self._bytes = [name for name, kind in types.items() if isinstance(kind, sa.LargeBinary)]
        self.given = {name: _as_column(f"given.{name}", kind) for name, kind in types.items()}
        """PostgreSQL's expression for each column of a row of the document."""
        self._types = types

    @property
    def document(self) -> str:
        """PostgreSQL's table of the rows of a document."""
        described = ", ".join(f"{name} {_type_in_document(kind)}" for name, kind in self._types.items())
        return f"json_to_recordset(%s::json) AS given ({described})"

    def tuples(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """Return the rows for sqlite3."""
        return [self._take(row) for row in self._with_json_as_text(rows)]

    def json(self, rows: Sequence[Row]) -> str:
        """Return the rows as a JSON document, with values of JSON columns as text and bytes in base64."""
        rows = self._with_json_as_text(rows)
        for name in self._bytes:
            rows = [{**row, name: base64.b64encode(row[name]).decode()} for row in rows]
        return json.dumps(rows, ensure_ascii=False)

    def _with_json_as_text(self, rows: Sequence[Row]) -> Sequence[Row]:
        for name in self._json:
            rows = [{**row, name: json.dumps(row[name])} if row[name] is not None else row for row in rows]
        return rows


def _type_in_document(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, (sa.String, sa.LargeBinary, sa.JSON)):
        return "text"
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  only where it is used: see `bot.inbox.sql.engine`

    return kind.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]


def _as_column(given: str, kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.LargeBinary):
        return f"decode({given}, 'base64')"
    return f"{given}::json" if isinstance(kind, sa.JSON) else given
