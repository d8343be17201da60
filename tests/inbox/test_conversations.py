"""Customers who wrote last, what one of them wrote, and the events of a day; whatever else is in the inbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.inbox.conversations import Conversations
from bot.inbox.database import Database
from bot.inbox.period import period_of
from bot.inbox.queries import EventFilter, EventQueries, Listing
from bot.inbox.tables import events
from tests.support.clock import NOW
from tests.support.rows import DAY, HOUR, keep, work_of

ECHO = {"name": "oa_send_image", "kind": None, "text": None, "status": "ignored", "reason": "echo", "rule_id": None}


def ids(listing: Listing) -> list[int]:
    return [event.id for event in listing.events]


def pages(ask: Callable[[int | None], Listing]) -> list[int]:
    """Return the events of all pages."""
    found: list[int] = []
    before: int | None = None
    while True:
        listing = ask(before)
        found += ids(listing)
        before = listing.before
        if before is None:
            return found


def test_each_customer_is_listed_once_by_their_newest_message(database: Database) -> None:
    """Echoes and receipts do not count; the same user at another OA is another customer."""
    keep(database, user_id="a")
    b = keep(database, user_id="b", status="open", rule_id=None)
    other = keep(database, user_id="a", oa_id="oa2")
    a = keep(database, user_id="a", status="ignored", reason="no-match", rule_id=None)
    keep(database, **ECHO, user_id="b")
    queries = Conversations(database)
    assert ids(queries.latest(10, EventFilter())) == [a, other, b]
    assert pages(lambda before: queries.latest(1, EventFilter(), before=before)) == [a, other, b]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (EventFilter(rule_id="gia"), ["a1", "b1"]),
        (EventFilter(status="ignored"), ["c1", "a2"]),
        (EventFilter(status="dead"), []),
        (EventFilter(oa_id="oa1"), ["c1", "a2", "b1"]),
    ],
)
@pytest.mark.parametrize("most", [1, 10])
def test_customers_by_a_filter(database: Database, chosen: EventFilter, expected: list[str], most: int) -> None:
    """Each by their newest matching message, once over all pages."""
    numbers = {
        "a1": keep(database, user_id="a", rule_id="gia", text="a1"),
        "b1": keep(database, user_id="b", rule_id="gia", text="b1"),
        "a2": keep(database, user_id="a", rule_id=None, status="ignored", text="a2"),
        "c1": keep(database, user_id="c", rule_id=None, status="ignored", text="c1"),
    }
    expected = sorted(expected, key=lambda name: -numbers[name])
    queries = Conversations(database)
    assert pages(lambda before: queries.latest(most, chosen, before=before)) == [numbers[name] for name in expected]


def test_customers_by_words(database: Database) -> None:
    """By their newest matching message."""
    old = keep(database, user_id="a", text="còn hàng không")
    keep(database, user_id="a", text="cảm ơn")
    keep(database, user_id="b", text="chào shop")
    found = Conversations(database).latest(10, EventFilter(), lambda text: "hàng" in text)
    assert (ids(found), found.before) == ([old], None)


KINDS = st.sampled_from(
    [
        {},
        {"status": "open", "rule_id": None},
        {"status": "dead"},
        {"status": "ignored", "reason": "no-match"},
        ECHO,
        {"name": "oa_send_text", "kind": None, "status": "ignored", "reason": "human"},
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(st.sampled_from("ab"), KINDS), max_size=12), most=st.integers(1, 5))
def test_a_conversation_has_all_events_of_the_customer(
    database: Database, said: list[tuple[str, dict[str, Any]]], most: int
) -> None:
    """Page by page, newest first."""
    with database.write() as connection:
        connection.execute(sa.delete(events))
    numbers = [(keep(database, user_id=user, **values), user) for user, values in said]
    theirs = [number for number, user in reversed(numbers) if user == "a"]
    assert pages(lambda before: Conversations(database).of(("oa1", "a"), most, before=before)) == theirs


def test_a_day_has_its_events(database: Database) -> None:
    """From midnight to midnight, also if several processes stored them in another order."""
    midnight = NOW - 5 * DAY
    for age in (7.0, 6.0, 4.9, 3.0):
        keep(database, age=age * DAY)
    inside = [keep(database, age=NOW - midnight - more) for more in (DAY - 1, 0.0, DAY - 2)]
    for more in (DAY, -1.0, DAY + 60):
        keep(database, age=NOW - midnight - more)
    keep(database, age=HOUR)
    day = EventFilter(period=period_of(database, midnight, midnight + DAY))
    assert sorted(ids(EventQueries(database).listing(50, day))) == sorted([*inside, inside[0] - 2])


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_periods_at_the_ends(database: Database, count: int) -> None:
    """All or none, before the first event and after the last."""
    numbers = [keep(database, age=DAY * (count - n)) for n in range(count)]
    for since, until, expected in ((0.0, 1.0, []), (0.0, NOW * 2, numbers), (NOW + DAY, NOW + 2 * DAY, [])):
        chosen = EventFilter(period=period_of(database, since, until))
        assert ids(EventQueries(database).listing(50, chosen)) == expected[::-1]


def crowd(database: Database, count: int) -> None:
    """Store *count* messages of a hundred customers before and after those of one customer, one a minute."""
    with database.write() as connection:
        rows = [
            {
                "key": f"k{n}", "name": "user_send_text", "app_id": "1", "oa_id": "oa1", "user_id": f"u{n % 100}",
                "msg_id": "m", "kind": "text", "received_at": NOW - 60.0 * (count - n), "text": "x", "status": "sent",
                "due_at": NOW, "rule_id": "gia", "progress": 0,
            }
            for n in range(count)
        ]  # fmt: skip
        rows[0]["user_id"] = "first"
        connection.execute(sa.insert(events), rows)


def looked_up(database: Database) -> list[int]:
    """Return the cost of the latest customers, of the oldest conversation, and of a past hour."""
    queries, newest = Conversations(database), newest_id(database)
    hour = (NOW - DAY, NOW - DAY + HOUR)
    return [
        work_of(database, lambda: queries.latest(30, EventFilter())),
        work_of(database, lambda: queries.latest(30, EventFilter(), before=newest - 500)),
        work_of(database, lambda: queries.of(("oa1", "first"), 30)),
        work_of(database, lambda: EventQueries(database).listing(30, EventFilter(period=period_of(database, *hour)))),
    ]


def newest_id(database: Database) -> int:
    return EventQueries(database).recent(1)[0].id


def test_the_cost_does_not_grow_with_the_inbox(database: Database) -> None:
    """Twice the events cost the same, except one more lookup."""
    work: list[list[int]] = []
    for count in (6_000, 12_000):
        with database.write() as connection:
            connection.execute(sa.delete(events))
        crowd(database, count)
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE events")
        work.append(looked_up(database))
    for small, large in zip(*work, strict=True):
        assert large <= 1.1 * small + 100, work
