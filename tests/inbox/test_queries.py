"""The read-only queries, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.queries import MAX_SCANNED, EventFilter, EventQueries, EventRow, Message
from bot.inbox.states import Status
from bot.inbox.tables import events
from bot.rules.engine import FALLBACK
from tests.support.rows import DAY, HOUR, NOW, found, keep, sqlite_plans

UNDECIDED = {"rule_id": None, "rules_hash": None, "images": None}


@pytest.fixture
def reports(database: Database) -> EventQueries:
    """The queries of an empty inbox."""
    return EventQueries(database)


def test_events_come_newest_first_and_page_by_page(database: Database, reports: EventQueries) -> None:
    """The next page begins after the last id of this one."""
    ids = [keep(database) for _ in range(5)]
    first = reports.recent(2)
    assert [event.id for event in first] == [ids[4], ids[3]]
    second = reports.recent(2, before=first[-1].id)
    assert [event.id for event in second] == [ids[2], ids[1]]
    assert [event.id for event in reports.recent(2, before=second[-1].id)] == [ids[0]]
    assert reports.recent(2, before=ids[0]) == []


def test_an_event_row_has_the_outcome(database: Database, reports: EventQueries) -> None:
    """And nothing of the customer's text."""
    event_id = keep(database, status="dead", reason="refused", attempts=2, error="HTTP 400")
    [summary] = reports.recent(5)
    assert summary == EventRow(
        event_id, NOW - HOUR, "oa1", "user_send_text", "text", "dead", "refused", "bang-gia", 2, "HTTP 400"
    )
    assert "bảng giá" not in str(summary)


@pytest.mark.parametrize("status", ["open", "sent", "ignored", "dead", "parked"])
def test_events_of_a_status_and_an_oa(database: Database, reports: EventQueries, status: Status) -> None:
    """Each filter alone, both together, and with pages."""
    statuses = ("open", "sent", "ignored", "dead", "parked")
    ids = {(s, oa, n): keep(database, status=s, oa_id=oa) for n in range(2) for s in statuses for oa in ("oa1", "oa2")}
    of_status = sorted((i for (s, _, _), i in ids.items() if s == status), reverse=True)
    assert [event.id for event in reports.recent(99, status=status)] == of_status
    assert [event.id for event in reports.recent(99, status=status, before=of_status[1])] == of_status[2:]
    both = [event.id for event in reports.recent(99, status=status, oa_id="oa2")]
    assert both == sorted((i for (s, oa, _), i in ids.items() if (s, oa) == (status, "oa2")), reverse=True)
    assert len(reports.recent(99, oa_id="oa2")) == len(statuses) * 2


def test_a_listing_has_the_beginning_of_the_text_and_the_images(database: Database, reports: EventQueries) -> None:
    """By which a person recognises the event."""
    pictures = [{"image_url": "https://a.example/1.jpg"}, {"attachment_id": "x"}]
    keep(database, text="giá " * 100, images=pictures, progress=1)
    [line] = reports.listing(5).events
    assert (line.beginning, line.images, line.progress) == (("giá " * 100)[:160], pictures, 1)


def test_a_listing_by_status_oa_and_customer(database: Database, reports: EventQueries) -> None:
    """Page by page, whatever is combined."""
    statuses: tuple[Status, ...] = ("open", "sent", "ignored", "dead", "parked")
    kinds = [*itertools.product(statuses, ("oa1", "oa2"), ("u1", "u2"))] * 2
    ids = {keep(database, status=status, oa_id=oa, user_id=user): (status, oa, user) for status, oa, user in kinds}
    customers = (None, ("oa1", "u2"))
    for status, oa_id, customer in itertools.product((None, *statuses), (None, "oa2"), customers):
        asked = ((status, oa_id, None), (None, *customer) if customer else (None, None, None))
        wanted = [i for i, row in ids.items() if all(_fits(ask, row) for ask in asked)]
        seen: list[int] = []
        chosen = EventFilter(status=status, oa_id=oa_id, customer=customer)
        page = reports.listing(3, chosen)
        while page.before is not None:
            seen += [line.id for line in page.events]
            page = reports.listing(3, chosen, before=page.before)
        assert [*seen, *(line.id for line in page.events)] == wanted[::-1]


def _fits(asked: Sequence[str | None], row: Sequence[str]) -> bool:
    return all(wanted in (None, value) for wanted, value in zip(asked, row, strict=True))


def test_a_listing_by_rule_and_without_echoes(database: Database, reports: EventQueries) -> None:
    """Most rows are echoes and add nothing."""
    menu, other = keep(database, rule_id="menu"), keep(database, rule_id="bang-gia")
    for _ in range(9):
        keep(database, kind=None, name="oa_send_image", status="ignored", reason="echo", rule_id=None)
    waiting = keep(database, status="open", reason=None, rule_id=None)
    listed = [line.id for line in reports.listing(3, EventFilter(echoes=False)).events]
    assert listed == [waiting, other, menu]
    assert [line.id for line in reports.listing(3, EventFilter(rule_id="menu")).events] == [menu]


def test_a_listing_reads_a_limited_number_of_events(database: Database, reports: EventQueries) -> None:
    """Rare events may be on a later page; none is skipped."""
    rare = [keep(database, oa_id="rare", status="ignored") for _ in range(2)]
    usual = found(database, rare[0]) | {"oa_id": "oa1", "status": "sent"}
    del usual["id"]
    with database.write() as connection:
        connection.execute(sa.insert(events), [{**usual, "key": f"usual-{n}"} for n in range(MAX_SCANNED - 1)])
    for asked in (EventFilter(oa_id="rare"), EventFilter(status="ignored"), EventFilter(customer=("rare", "u1"))):
        first = reports.listing(5, asked)
        assert ([line.id for line in first.events], first.before) == (rare[1:], rare[0] + 1)
        second = reports.listing(5, asked, before=first.before)
        assert ([line.id for line in second.events], second.before) == (rare[:1], None)


def test_dead_letters_that_may_still_be_answered(database: Database, reports: EventQueries) -> None:
    """By Zalo's clock if its time is known."""
    wanted = [keep(database, status="dead", age=HOUR), keep(database, status="dead", age=9 * DAY, sent_at=NOW - HOUR)]
    keep(database, status="dead", age=HOUR, sent_at=NOW - 9 * DAY)
    keep(database, status="dead", age=3 * DAY)
    keep(database, status="parked", age=HOUR)
    assert reports.replayable(since=NOW - 2 * DAY) == wanted


@pytest.mark.parametrize(
    ("progress", "attempted_at", "fates"),
    [(0, None, "unsent unsent"), (0, NOW, "doubtful unsent"), (1, NOW, "sent doubtful"), (2, None, "sent sent")],
)
def test_the_status_of_each_image(
    database: Database, reports: EventQueries, progress: int, attempted_at: float | None, fates: str
) -> None:
    """Sent, not sent, or a call without an answer."""
    event = reports.event(keep(database, progress=progress, attempted_at=attempted_at))
    assert event is not None
    assert [event.image_status(number) for number in (1, 2)] == fates.split()


def test_all_facts_of_an_event(database: Database, reports: EventQueries) -> None:
    """Every field is the row's."""
    event_id = keep(database, vendor_ids=[{"msg_id": "m", "referentId": "r"}], progress=1, replied_at=NOW, sent_at=NOW)
    whole = reports.event(event_id)
    assert whole is not None
    row = found(database, event_id)
    assert asdict(whole) == {name: row[name] for name in asdict(whole)}
    assert reports.event(event_id + 1) is None


def test_unfinished_events_are_counted(database: Database, reports: EventQueries) -> None:
    """Also when there are none."""
    assert reports.counts_by_status() == {"open": 0, "dead": 0, "parked": 0}
    dead = [keep(database, status="dead") for _ in range(3)]
    for status in ("open", "open", "parked", "sent", "ignored"):
        keep(database, status=status)
    assert reports.counts_by_status() == {"open": 2, "dead": 3, "parked": 1}
    assert reports.dead_ids() == dead


def test_messages_answered_by_a_rule(database: Database, reports: EventQueries) -> None:
    """The newest first, back to a time, while their texts are stored."""
    for days, text in ((3, "ba ngày"), (2, "hai ngày"), (1, "một ngày")):
        keep(database, rule_id="a", age=days * DAY, text=text)
    keep(database, rule_id="a", text=None, body=None)
    keep(database, rule_id="b", text="khác")
    assert [message.text for message in reports.answered_by("a", 9, since=NOW - 2.5 * DAY)] == ["một ngày", "hai ngày"]
    assert [message.text for message in reports.answered_by("a", 1, since=0)] == ["một ngày"]


def test_the_newest_failure_of_each_rule(database: Database, reports: EventQueries) -> None:
    """Of dead, parked and retried events, not of those that succeeded in the end."""
    keep(database, rule_id="a", status="dead", error="HTTP 400")
    newest = [
        keep(database, rule_id="a", status="parked", error="no answer"),
        keep(database, rule_id="b", status="open", error="HTTP 503"),
        keep(database, rule_id="c", status="dead", error="HTTP 404"),
    ]
    keep(database, rule_id="a", status="dead", error=None)
    keep(database, rule_id="d", status="sent")
    found = reports.last_failure_by_rule(9)
    assert {rule: (event.id, event.error) for rule, event in found.items()} == {
        "a": (newest[0], "no answer"),
        "b": (newest[1], "HTTP 503"),
        "c": (newest[2], "HTTP 404"),
    }


def test_only_the_latest_events_are_searched_for_failures(database: Database, reports: EventQueries) -> None:
    """A hundred thousand dead letters must not delay a page."""
    keep(database, rule_id="old", status="dead", error="HTTP 400")
    for _ in range(2):
        keep(database, rule_id="new", status="dead", error="HTTP 400")
    assert set(reports.last_failure_by_rule(2)) == {"new"}
    assert set(reports.last_failure_by_rule(3)) == {"new", "old"}


def test_unmatched_texts_are_those_that_no_rule_matched(database: Database, reports: EventQueries) -> None:
    """Answered by the fallback or not at all, with any outcome."""
    wanted = [
        keep(database, status="ignored", reason="no-match", rule_id=None, text="một"),
        keep(database, status="sent", reason="fallback", rule_id=FALLBACK, text="hai"),
        keep(database, status="ignored", reason="fallback-cooldown", rule_id=FALLBACK, text="ba"),
        keep(database, status="ignored", reason="human", rule_id=FALLBACK, text="bốn"),
        keep(database, status="ignored", reason="no-match", rule_id=None, kind="image", text="beside a photo"),
        keep(database, status="parked", reason="unknown", rule_id=FALLBACK, text="năm", sent_at=NOW - 2 * HOUR),
    ]
    keep(database, text="a rule matched")
    keep(database, status="ignored", reason="cooldown", text="a rule matched, a second time")
    keep(database, status="ignored", reason="stale", **UNDECIDED)
    keep(database, status="ignored", reason="not-answerable", kind=None, **UNDECIDED)
    keep(database, status="sent", kind="image", text="a rule for images matched")
    keep(database, status="ignored", reason="no-match", rule_id=None, kind="image", text="")
    keep(database, status="ignored", reason="no-match", rule_id=None, text="")
    keep(database, status="ignored", reason="no-match", rule_id=None, text=None, body=None)
    keep(database, status="ignored", reason="no-match", rule_id=None, age=8 * DAY)
    keep(database, status="open", **UNDECIDED)
    messages = reports.unmatched(99, since=NOW - 7 * DAY)
    assert [message.id for message in messages] == wanted[::-1]
    assert messages[0] == Message(wanted[-1], "năm", "oa1", "u1", NOW - 2 * HOUR, FALLBACK)
    assert [message.id for message in reports.unmatched(2, since=NOW - 7 * DAY)] == wanted[:-3:-1]


def test_messages_are_the_latest_texts_with_their_decisions(database: Database, reports: EventQueries) -> None:
    """Newest first by arrival, up to a limit."""
    old, young = keep(database, age=2 * DAY, rule_id=None, status="ignored"), keep(database, age=DAY)
    assert [(m.id, m.rule_id) for m in reports.messages(9)] == [(young, "bang-gia"), (old, None)]
    assert [m.id for m in reports.messages(1)] == [young]


def test_sqlite_uses_an_index(tmp_path: Path) -> None:
    """A page of the console must not read a million events."""
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    reports = EventQueries(database)

    def ask() -> None:
        reports.recent(9)
        for status in ("open", "dead", "parked", "sent"):
            reports.recent(9, status=status, before=99)  # type: ignore[arg-type]
            reports.listing(9, EventFilter(status=status, oa_id="oa1"), before=99)  # type: ignore[arg-type]
        reports.replayable(since=NOW)
        reports.event(1)
        reports.dead_ids()
        reports.counts_by_status()
        reports.last_failure_by_rule(9)
        reports.messages(9)
        reports.unmatched(9, since=NOW)
        reports.answered_by("a", 9, since=NOW)

    plans = sqlite_plans(database, ask)
    database.dispose()
    assert plans.pop(0) == "SCAN events"  # newest first by id, and no further than the page
    assert "SCAN events" not in plans
    assert len(plans) >= 10
