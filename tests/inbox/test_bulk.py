"""Bulk inserts and updates on both databases: rows are read back as written."""

from __future__ import annotations

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.inbox.database import Database
from bot.inbox.sql.bulk import BulkInsert, BulkUpdate
from bot.inbox.tables import events

INSERTED = ("key", "name", "app_id", "oa_id", "user_id", "msg_id", "kind", "sent_at", "received_at", "text", "body",
            "due_at", "status", "reason", "leased", "fence")  # fmt: skip
UPDATED = ("status", "images", "vendor_ids", "settled_at", "resent", "attempts", "error")

_WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
_TIME = st.floats(0, 4e9)
_IMAGES = st.none() | st.lists(st.dictionaries(st.text("abc", min_size=1), _WORDS, max_size=2), max_size=3)
ROWS = st.fixed_dictionaries(
    dict.fromkeys(("name", "app_id", "oa_id", "user_id", "msg_id"), _WORDS)
    | {
        "kind": st.none() | st.just("text"),
        "sent_at": st.none() | _TIME,
        "received_at": _TIME,
        "text": _WORDS,
        "body": st.binary(max_size=50),
        "due_at": _TIME,
        "status": st.sampled_from(["open", "ignored"]),
        "reason": st.none() | _WORDS,
        "leased": st.booleans(),
        "fence": st.integers(0, 9),
    }
)
CHANGES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["open", "sent"]),
        "images": _IMAGES,
        "vendor_ids": _IMAGES,
        "settled_at": st.none() | _TIME,
        "resent": st.booleans(),
        "attempts": st.integers(0, 99),
        "error": st.none() | _WORDS,
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(ROWS, CHANGES), min_size=1, max_size=5))
def test_written_rows_are_read_back(
    rows: list[tuple[dict[str, object], dict[str, object]]], database: Database
) -> None:
    """Every column of every row, after the insert and after the update."""
    insert, update = (BulkInsert(INSERTED, sqlite=database.is_sqlite), BulkUpdate(UPDATED, sqlite=database.is_sqlite))
    inserted = [{"key": f"k{number}"} | row for number, (row, _) in enumerate(rows)]
    with database.write() as connection:
        connection.execute(sa.delete(events))
        ids = insert(connection, inserted)
        changes = [
            {"id": ids[f"k{number}"], "fence": row["fence"], "human_since": None} | change
            for number, (row, change) in enumerate(rows)
        ]
        open_ids = {ids[f"k{number}"] for number, (row, _) in enumerate(rows) if row["status"] == "open"}
        assert update(connection, changes) == open_ids
        found = {row["key"]: dict(row) for row in connection.execute(sa.select(events)).mappings()}
    for number, (row, change) in enumerate(rows):
        expected = {"key": f"k{number}", "id": ids[f"k{number}"]} | row
        expected |= change if row["status"] == "open" else {}
        assert {name: found[f"k{number}"][name] for name in expected} == expected


def test_only_new_keys_get_an_id(database: Database) -> None:
    """A known key, and the second of two in one call, add nothing."""
    insert = BulkInsert(INSERTED, sqlite=database.is_sqlite)
    row = dict.fromkeys(INSERTED, "") | {"sent_at": None, "received_at": 1.0, "due_at": 1.0, "body": b"", "status": "x",
                                         "leased": False, "fence": 0}  # fmt: skip
    with database.write() as connection:
        first = insert(connection, [row | {"key": "a"}])
        second = insert(connection, [row | {"key": key} for key in ("a", "b", "b")])
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar() == 2
    assert (first.keys(), second.keys()) == ({"a"}, {"b"})


def test_an_event_of_another_claim_is_not_updated(database: Database) -> None:
    """The others of the same call are."""
    insert, update = (BulkInsert(INSERTED, sqlite=database.is_sqlite), BulkUpdate(["error"], sqlite=database.is_sqlite))
    row = dict.fromkeys(INSERTED, "") | {"sent_at": None, "received_at": 1.0, "due_at": 1.0, "body": b"",
                                         "status": "open", "leased": True, "fence": 2}  # fmt: skip
    with database.write() as connection:
        ids = insert(connection, [row | {"key": key} for key in ("a", "b")])
        changes = [
            {"id": ids["a"], "fence": 1, "human_since": None, "error": "late"},
            {"id": ids["b"], "fence": 2, "human_since": 0.0, "error": "in time"},
        ]
        assert update(connection, changes) == {ids["b"]}
        errors = connection.execute(sa.select(events.c.error).order_by(events.c.id)).scalars().all()
    assert errors == [None, "in time"]
