"""Replay of dead and parked events, on both databases."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace as with_
from typing import Any

import pytest

from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Inbox
from bot.inbox.replay import ReplayResult, prospect, replay
from bot.inbox.states import StateChange
from bot.rules.engine import FALLBACK
from tests.support.rows import HOUR, NOW, found, keep

WINDOW = 48 * HOUR
TWO = [{"image_url": "https://a.example/1.jpg"}, {"image_url": "https://a.example/2.jpg"}]
DEAD = {"status": "dead", "reason": "refused", "attempts": 3, "error": "HTTP 400: bad picture", "settled_at": NOW}
PARKED = {"status": "parked", "reason": "unknown", "attempted_at": NOW - 60, "resent": True, "settled_at": NOW}
FRESH = {"status": "open", "attempts": 0, "attempted_at": None, "resent": False, "settled_at": None, "due_at": NOW}


def again(database: Database, event_id: int) -> ReplayResult:
    return replay(database, event_id, now=NOW, window=WINDOW)


def shown(row: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in like}


def test_a_dead_letter_without_a_sent_image_is_decided_again(database: Database) -> None:
    """Its image may be the cause; the error stays stored until there is a new outcome."""
    event_id = keep(database, **DEAD)
    assert again(database, event_id) == ReplayResult("reopened", "dead", "refused", 3, "HTTP 400: bad picture")
    row = found(database, event_id)
    undecided = {"images": None, "rule_id": None, "rules_hash": None, "reason": None}
    assert shown(row, FRESH | undecided) == FRESH | undecided
    assert (row["error"], row["text"]) == ("HTTP 400: bad picture", "bảng giá")


@pytest.mark.parametrize(("rule_id", "reason"), [("bang-gia", "rule"), (FALLBACK, "fallback")])
def test_a_partly_sent_event_continues_where_it_stopped(database: Database, rule_id: str, reason: str) -> None:
    """Sent images are not sent again, and the rule stays the same."""
    event_id = keep(database, **DEAD, images=TWO, progress=1, rule_id=rule_id, replied_at=NOW - 60)
    again(database, event_id)
    kept = {"images": TWO, "progress": 1, "rule_id": rule_id, "replied_at": NOW - 60, "reason": reason}
    assert shown(found(database, event_id), FRESH | kept) == FRESH | kept


def test_a_parked_event_sends_its_uncertain_image(database: Database) -> None:
    """The image was not at fault."""
    event_id = keep(database, **PARKED)
    assert again(database, event_id).outcome == "reopened"
    kept = {"images": TWO[:1], "progress": 0, "rule_id": "bang-gia", "reason": "rule"}
    assert shown(found(database, event_id), FRESH | kept) == FRESH | kept


@pytest.mark.parametrize("failed", [DEAD, PARKED], ids=["dead", "parked"])
def test_a_second_replay_changes_nothing(database: Database, failed: dict[str, Any]) -> None:
    """It returns that there is nothing to do."""
    event_id = keep(database, **failed)
    again(database, event_id)
    first = found(database, event_id)
    assert again(database, event_id).outcome == "settled"
    assert found(database, event_id) == first


@pytest.mark.parametrize("status", ["open", "sent", "ignored"])
def test_other_events_are_not_replayed(database: Database, status: str) -> None:
    """Their status is returned."""
    event_id = keep(database, status=status)
    before = found(database, event_id)
    done = again(database, event_id)
    assert (done.outcome, done.status) == ("settled", status)
    assert found(database, event_id) == before


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"age": WINDOW + 1}, "late"),
        ({"age": WINDOW - 1}, "reopened"),
        ({"age": HOUR, "sent_at": NOW - WINDOW - 1}, "late"),
        ({"age": WINDOW + HOUR, "sent_at": NOW - HOUR}, "reopened"),
        ({"text": None, "body": None, "images": None}, "erased"),
        ({"text": None, "body": None}, "reopened"),
        ({"text": "", "kind": "follow", "images": None}, "reopened"),
    ],
)
def test_events_that_would_be_ignored_are_refused(database: Database, values: dict[str, Any], outcome: str) -> None:
    """Older than REPLY_WINDOW by Zalo's clock, or undecided without a text."""
    event_id = keep(database, **DEAD | values)
    before = found(database, event_id)
    assert prospect(before, now=NOW, window=WINDOW) == outcome
    assert again(database, event_id).outcome == outcome
    assert (found(database, event_id) == before) is (outcome != "reopened")


def test_without_its_text_a_dead_letter_keeps_its_images(database: Database) -> None:
    """They were decided while the text was stored."""
    event_id = keep(database, **DEAD, text=None, body=None)
    again(database, event_id)
    assert shown(found(database, event_id), FRESH | {"images": TWO[:1]}) == FRESH | {"images": TWO[:1]}


def test_an_unknown_id(database: Database) -> None:
    """Nothing to be told of it."""
    assert again(database, 12345) == ReplayResult("absent")


def test_of_concurrent_replays_one_succeeds(database: Database) -> None:
    """Two operators, or a page and a command."""
    event_id = keep(database, **DEAD)
    outcomes: list[str] = []
    threads = [threading.Thread(target=lambda: outcomes.append(again(database, event_id).outcome)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["reopened", *["settled"] * 7]


def test_a_replayed_event_is_claimed_and_a_late_worker_changes_nothing(database: Database, inbox: Inbox) -> None:
    """A late save of its end by the former worker is refused."""
    keep(database, status="open", reason=None, images=None, due_at=NOW)
    rate = RateLimit.per_minute(1000)
    [claimed] = inbox.claim(1, now=NOW, lease=30, rate=rate)
    buried = StateChange(claimed, with_(claimed.state, status="dead", reason="refused", images=TWO))
    assert inbox.save([buried]) == ["saved"]
    assert again(database, claimed.id).outcome == "reopened"
    assert inbox.save([buried]) == ["lost"]
    [taken] = inbox.claim(1, now=NOW, lease=30, rate=rate)
    assert (taken.id, taken.text, taken.state.images) == (claimed.id, "bảng giá", None)


def test_the_log_has_the_cause_and_not_the_text(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Once a new outcome is stored, the cause is only in the log."""
    event_id = keep(database, **DEAD)
    with caplog.at_level(logging.INFO, logger="bot.inbox.replay"):
        again(database, event_id)
    [record] = caplog.records
    said = vars(record)
    assert (said["id"], said["was"], said["reason"], said["attempts"]) == (event_id, "dead", "refused", 3)
    assert said["error"] == "HTTP 400: bad picture"
    assert "bảng giá" not in str(said)
