"""Costs of the inbox's frequent statements do not grow with the number of events."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.tables import accounts
from tests.support.queue import NOW, claim, event, keys, put, settle
from tests.support.rows import keep_waiting, work_of

PAUSED: dict[str, object] = {
    "oa_id": "paused", "pauses": 3, "failures": 9, "failed_events": 9, "failing_since": NOW - 100,
    "closed_until": NOW + 50, "trouble": "HTTP 401",
}  # fmt: skip
FEW, MANY = 100, 10_000
LOOKS: dict[str, Callable[[Inbox], object]] = {
    "for due events": claim,
    "for leases that nobody renewed": lambda inbox: inbox.overdue(now=NOW),
    "for times that lie too far ahead": lambda inbox: inbox.clamp_future_times(now=NOW),
}


@pytest.mark.parametrize("look", LOOKS)
def test_waiting_events_of_a_paused_oa_cost_nothing(look: str, inbox: Inbox, database: Database) -> None:
    """With an invalid key all customers of an OA wait, perhaps for days."""
    with database.write() as connection:
        connection.execute(sa.insert(accounts).values(PAUSED))
    keep_waiting(database, "paused", FEW)
    few = work_of(database, lambda: LOOKS[look](inbox))
    keep_waiting(database, "paused too", MANY)
    with database.write() as connection:
        connection.execute(sa.insert(accounts).values(PAUSED | {"oa_id": "paused too"}))
    assert work_of(database, lambda: LOOKS[look](inbox)) < 2 * few + 50


def test_a_claim_reads_few_events_of_each_oa(inbox: Inbox, database: Database) -> None:
    """If many OAs have waiting customers."""
    keep_waiting(database, "few", FEW)
    few = work_of(database, lambda: claim(inbox))
    keep_waiting(database, "many", MANY)
    assert work_of(database, lambda: claim(inbox)) < 4 * few


def test_storing_a_state_does_not_read_other_open_events(inbox: Inbox, database: Database) -> None:
    """Its event is found by its id."""
    keep_waiting(database, "few", FEW)
    few = work_of(database, lambda: settle(inbox, claim(inbox, 1)[0]))
    keep_waiting(database, "many", MANY)
    assert work_of(database, lambda: settle(inbox, claim(inbox, 1)[0])) < 4 * few


def test_with_more_oas_than_claims_the_oldest_events_come_first(inbox: Inbox) -> None:
    """They came in in the reverse order of their OAs."""
    for n in range(12):
        put(inbox, event(f"k{n}", oa=f"oa{90 - n}"), now=NOW + n)
    for first in (0, 5, 10):
        claims = claim(inbox, 5, now=NOW + 60)
        assert keys(claims) == [f"k{n}" for n in range(first, min(first + 5, 12))]
