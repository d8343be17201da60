"""The demo's past messages: plausible, decided by the rules, reproducible."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from bot.inbox.database import Database
from bot.inbox.past_events import add_past_events
from bot.inbox.queries import EventQueries
from bot.rules.engine import RuleSet
from bot.rules.validate import validate
from bot.sandbox.past_messages import past_events
from bot.sandbox.zalo_events import EventMaker
from tests.support.rows import NOW

SAMPLE = Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml"
MAKER = EventMaker("1", "secret", "2")


def rules_of(content: bytes) -> RuleSet:
    """Return the rules of the file."""
    rules = validate(content, today=date(2026, 9, 21)).rules
    assert rules is not None
    return rules


def test_the_messages_are_the_same_each_time() -> None:
    """A few hundred of the last two weeks, none in the future, most answered."""
    rules = rules_of(SAMPLE.read_bytes())
    past = past_events(rules, MAKER, now=NOW)
    assert [one.event.text for one in past] == [one.event.text for one in past_events(rules, MAKER, now=NOW)]
    assert 200 < len(past) < 600
    assert all(NOW - 15 * 86_400 < one.received_at < NOW for one in past)
    counts = Counter(one.status for one in past)
    assert counts["sent"] > len(past) / 2
    assert all(one.images or one.status == "ignored" for one in past)


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "America/Los_Angeles", "Pacific/Auckland"])
def test_customers_write_during_the_shops_day(zone: str) -> None:
    """On each of the days that the console shows."""
    rules = rules_of(f"timezone: {zone}\n".encode() + SAMPLE.read_bytes().replace(b"timezone: Asia/Ho_Chi_Minh\n", b""))
    times = [datetime.fromtimestamp(one.received_at, rules.zone) for one in past_events(rules, MAKER, now=NOW)]
    assert {at.hour for at in times} == set(range(8, 23))
    today = datetime.fromtimestamp(NOW, rules.zone).date()
    assert {(today - at.date()).days for at in times} >= set(range(1, 14))
    assert max((today - at.date()).days for at in times) <= 14


def test_rules_without_examples_have_past_messages_too() -> None:
    """All of them unanswered."""
    rules = rules_of(b"rules:\n  - {id: a, keywords: [a b], reply: {attachment_id: x}}\n")
    assert {one.status for one in past_events(rules, MAKER, now=NOW)} == {"ignored"}


def test_the_queries_find_them(database: Database) -> None:
    """Like delivered messages."""
    rules = rules_of(SAMPLE.read_bytes())
    past = past_events(rules, MAKER, now=NOW)
    add_past_events(database, past, rules_hash=rules.digest)
    texts = sum(1 for one in past if one.event.text)
    assert len(EventQueries(database).messages(10_000)) == texts
    newest = EventQueries(database).recent(1)[0]
    assert newest.received_at == max(one.received_at for one in past)
