"""The inbox on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from bot.inbox import oa_limits
from bot.inbox.database import Database
from bot.inbox.indexes import metadata
from bot.inbox.oa_limits import Failure, RateLimit
from bot.inbox.queries import EventQueries
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.states import StateChange
from bot.inbox.tables import accounts, good_rules
from tests.support.queue import LEASE, NOW, RATE, claim, event, keys, put, settle


def test_migrations_build_exactly_the_declared_tables(database: Database) -> None:
    """Every declared column and index is in the migrations, and the reverse."""
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_concurrent_migrations_are_harmless(empty_database_url: str) -> None:
    """Two processes that start at the same moment both find the tables."""
    errors: list[Exception] = []

    def migrate() -> None:
        try:
            opened = Database(empty_database_url)
            opened.migrate()
            opened.dispose()
        except Exception as error:  # noqa: BLE001  reported below
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_current_database_is_not_migrated(database: Database) -> None:
    """A start then need not load Alembic."""
    with database.write() as connection:
        good_rules.drop(connection)
    database.migrate()
    with database.read() as connection:
        assert not sa.inspect(connection).has_table(good_rules.name)


def test_an_older_database_is_migrated(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    config = Config()
    config.set_main_option("script_location", "bot.inbox:migrations")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    database.migrate()
    test_migrations_build_exactly_the_declared_tables(database)
    database.dispose()


def test_a_known_key_is_not_stored_again(inbox: Inbox) -> None:
    """A redelivery is recognised, also among many at the same moment."""
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(inbox.put(event("a"), b"{}", now=NOW))) for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 49 + [True]
    assert keys(claim(inbox)) == ["a"]


def test_one_users_events_come_one_at_a_time_in_order(inbox: Inbox) -> None:
    """A later event of the same user waits for the earlier one; another user's does not."""
    put(inbox, event("a1"), event("a2"), event("b1", user="u2"))
    first = claim(inbox)
    assert keys(first) == ["a1", "b1"]
    assert claim(inbox) == []
    assert settle(inbox, first[0]) == "saved"
    assert keys(claim(inbox)) == ["a2"]


def test_after_a_release_another_worker_claims_the_event(inbox: Inbox) -> None:
    """The first worker's save is refused."""
    put(inbox, event("a"))
    [late] = claim(inbox)
    assert inbox.overdue(now=NOW + LEASE - 1) == []
    [lease] = inbox.overdue(now=NOW + LEASE)
    assert claim(inbox, now=NOW + LEASE) == []
    inbox.release([lease], now=NOW + LEASE)
    assert settle(inbox, late) == "lost"
    [second] = claim(inbox, now=NOW + LEASE)
    assert settle(inbox, late) == "lost"
    assert settle(inbox, second) == "saved"
    assert settle(inbox, second) == "lost"


def test_a_renewed_lease_is_not_released(inbox: Inbox) -> None:
    """Long work is not given to another worker, whatever the other's clock shows."""
    put(inbox, event("a"))
    [claimed] = claim(inbox)
    seen = inbox.overdue(now=NOW + 10**8)
    inbox.renew([claimed], now=NOW + 20, lease=LEASE)
    inbox.release(seen, now=NOW + 10**8)
    assert inbox.overdue(now=NOW + 40) == []
    assert claim(inbox, now=NOW + 10**8) == []
    assert settle(inbox, claimed) == "saved"


def test_a_delayed_event_is_no_longer_claimed(inbox: Inbox) -> None:
    """A later renewal, or an echo during the claim, leaves its due time unchanged."""
    put(inbox, event("a"))
    [claimed] = claim(inbox)
    unknown = replace(claimed.state, reason="unknown", due_at=NOW + 99)
    assert inbox.save([StateChange(claimed, unknown, leased=True)]) == ["saved"]
    put(inbox, event("e", name="oa_send_image"))
    assert inbox.overdue(now=NOW + 98) == []
    inbox.save([StateChange(claimed, unknown)])
    inbox.renew([claimed], now=NOW, lease=LEASE)
    assert claim(inbox, now=NOW + 98) == []
    assert keys(claim(inbox, now=NOW + 99)) == ["a"]


def test_a_due_time_far_in_the_future_is_corrected(inbox: Inbox) -> None:
    """An event delayed by a clock that was years ahead becomes due once the clock is right."""
    put(inbox, event("a"), now=NOW + 10**8)
    assert claim(inbox) == []
    inbox.clamp_future_times(now=NOW)
    assert keys(claim(inbox)) == ["a"]


def test_a_new_event_from_the_future_is_corrected_sooner(inbox: Inbox) -> None:
    """From a process whose clock is an hour ahead; an event that waits for its next attempt still waits."""
    put(inbox, event("a"))
    [claimed] = claim(inbox)
    inbox.save([StateChange(claimed, replace(claimed.state, due_at=NOW + 3600))])
    put(inbox, event("b", user="u2"), now=NOW + 3600)
    inbox.clamp_future_times(now=NOW)
    assert keys(claim(inbox)) == ["b"]
    inbox.clamp_future_times(now=NOW, max_delay=60.0)
    assert keys(claim(inbox)) == ["a"]


def test_claims_stop_at_the_rate_limit(inbox: Inbox) -> None:
    """After the burst they continue as time passes; another OA has its own limit."""
    put(inbox, *(event(f"a{n}", user=f"u{n}") for n in range(20)), event("b", oa="oa2"))
    rate = RateLimit.per_minute(40)
    taken = claim(inbox, 50, rate=rate)
    assert keys(taken) == ["a0", "a1", "a2", "a3", "b"]
    for claimed in taken:
        settle(inbox, claimed)
    assert claim(inbox, 50, now=NOW + 1, rate=rate) == []
    assert len(claim(inbox, 50, now=NOW + 2 * rate.interval, rate=rate)) == 2


@pytest.mark.parametrize("calls", [1, 2, 7, 10, 60, 4000])
def test_no_minute_has_more_calls_than_the_rate(inbox: Inbox, database_url: str, calls: int) -> None:
    """With any rate and two machines that claim as often as possible, for every window of 60 seconds."""
    other = Database(database_url)
    writer = GroupCommitWriter(other)
    rate, times, number, now = RateLimit.per_minute(calls), [], 0, NOW
    while now < NOW + 150:
        put(inbox, *(event(f"{number + n}", user=f"u{number + n}") for n in range(3)), now=now)
        number += 3
        machine = (inbox, Inbox(other, writer))[number % 2]
        for claimed in claim(machine, 4000, now=now, rate=rate):
            times.append(now)
            settle(machine, claimed)
        now += 7.5
    writer.stop()
    other.dispose()
    assert times
    assert max(sum(start <= t < start + 60 for t in times) for start in times) <= calls


def test_failures_of_several_events_pause_the_oa_until_a_probe_succeeds(inbox: Inbox, database: Database) -> None:
    """One event is tried at growing intervals; nothing else is sent."""
    put(inbox, *(event(f"a{n}", user=f"u{n}") for n in range(9)), event("b", oa="oa2"))
    claims = claim(inbox, 6)
    failures = [Failure("oa1", c.id, "HTTP 503", NOW + n / 4 - 1) for n, c in enumerate(claims[:5])]
    paused = [inbox.record_failure(failure).is_paused for failure in failures]
    assert paused == [False] * 4 + [True]
    assert EventQueries(database).pause_reasons() == {"oa1": "HTTP 503"}
    assert keys(claim(inbox)) == ["b"]
    [probe] = claim(inbox, now=NOW + 3)
    assert claim(inbox, now=NOW + 3) == []
    inbox.record_failure(Failure("oa1", probe.id, "HTTP 503", NOW + 3))
    assert claim(inbox, now=NOW + 5) == []
    [probe] = claim(inbox, now=NOW + 8)
    inbox.record_success("oa1")
    assert EventQueries(database).pause_reasons() == {}
    assert len(claim(inbox, now=NOW + 8)) == 1


def test_failures_at_one_moment_do_not_pause_the_oa(inbox: Inbox) -> None:
    """Several of many concurrent calls may fail; the OA is paused if none succeeds for some time."""
    put(inbox, *(event(f"a{n}", user=f"u{n}") for n in range(20)))
    claims = claim(inbox, 20)
    assert not any(inbox.record_failure(Failure("oa1", c.id, "HTTP 503", NOW)).is_paused for c in claims)
    inbox.record_success("oa1")
    assert not any(inbox.record_failure(Failure("oa1", c.id, "HTTP 503", NOW + 2)).is_paused for c in claims)
    assert inbox.record_failure(Failure("oa1", claims[0].id, "HTTP 503", NOW + 3)).is_paused


def test_if_only_one_event_has_failed_another_probe_is_sent_at_once(inbox: Inbox) -> None:
    """The event itself may be at fault: others do not wait for it, and it comes last."""
    put(inbox, *(event(key, user=key) for key in "abc"))
    [failed] = claim(inbox, 1)
    verdicts = [inbox.record_failure(Failure("oa1", failed.id, "HTTP 500", NOW + n)) for n in range(5)]
    assert [verdict.is_paused for verdict in verdicts] == [False] * 4 + [True]
    inbox.save([StateChange(failed, replace(failed.state, due_at=NOW, error="HTTP 500"))])
    assert keys(claim(inbox, now=NOW + 4)) == ["b"]
    assert claim(inbox, now=NOW + 4) == []
    inbox.record_success("oa1")
    [again, other] = claim(inbox, now=NOW + 4)
    assert (again.key, other.key) == ("a", "c")
    verdict = inbox.record_failure(Failure("oa1", again.id, "HTTP 500", NOW + 5, is_repeated=True, at_once=True))
    assert (verdict.is_own, verdict.is_paused) == (True, False)


def test_an_oa_gets_no_more_than_its_share(inbox: Inbox) -> None:
    """Other OAs behind it in the queue do not wait for it."""
    put(inbox, *(event(f"a{n}", user=f"u{n}") for n in range(9)), event("b", oa="oa2"))
    first = inbox.claim(5, now=NOW, lease=LEASE, rate=RATE, share=3)
    assert keys(first) == ["a0", "a1", "a2", "b"]
    put(inbox, event("c", user="u10", oa="oa2"))
    assert keys(inbox.claim(5, now=NOW, lease=LEASE, rate=RATE, claimed_by_oa={"oa1": 3, "oa2": 1}, share=3)) == ["c"]


def test_calls_that_another_process_has_just_made_count(inbox: Inbox, database: Database) -> None:
    """Also if they were counted after this process has read the number of available calls."""
    put(inbox, event("a"))
    rate = RateLimit.per_minute(40)  # four at once
    claim(inbox, rate=rate)
    with database.write() as connection:
        seen = connection.scalars(sa.select(accounts.c.next_slot)).one()
        oa_limits.consume(connection, {"oa1": 2}, now=NOW, rate=rate)
        assert oa_limits.take(connection, "oa1", 3, seen, now=NOW, rate=rate) == 1
        assert oa_limits.take(connection, "oa1", 3, None, now=NOW, rate=rate) == 0


def test_an_echo_wakes_the_event_that_waits_for_it(inbox: Inbox) -> None:
    """Before its due time."""
    put(inbox, event("a"))
    [claimed] = claim(inbox)
    state = replace(claimed.state, reason="unknown", attempted_at=NOW, due_at=NOW + 60)
    inbox.save([StateChange(claimed, state)])
    put(inbox, event("e", name="oa_send_image"), now=NOW + 1)
    [woken] = claim(inbox, now=NOW + 1)
    assert inbox.find_echo(woken) == "came"
    assert inbox.echoes_arrive("oa1")
    assert not inbox.echoes_arrive("oa2")


def test_the_echo_of_an_earlier_image_is_not_matched_to_a_later_one(inbox: Inbox) -> None:
    """It is recognised by its msg_id."""
    put(inbox, event("a"), event("b"))
    [first] = claim(inbox)
    sent = replace(first.state, status="sent", replied_at=NOW, vendor_ids=[{"msg_id": "m1", "referentId": ""}])
    inbox.save([StateChange(first, sent)])
    [second] = claim(inbox)
    state = replace(second.state, attempted_at=NOW + 1, due_at=NOW + 60)
    inbox.save([StateChange(second, state)])
    second = replace(second, state=state)
    put(inbox, event("e1", name="oa_send_image", msg_id="m1"), now=NOW + 2)
    assert inbox.find_echo(second) == "none"
    put(inbox, event("e2", name="oa_send_image", msg_id="m2"), now=NOW + 3)
    assert inbox.find_echo(second) == "came"


def test_a_takeover_by_a_human_stops_a_send(inbox: Inbox) -> None:
    """The check is part of the write before the send."""
    put(inbox, event("a"), event("b", user="u2"))
    claims = claim(inbox)
    human = replace(event("h", name="oa_send_text"), by_human=True)
    put(inbox, human, now=NOW + 1)
    begin = [StateChange(c, replace(c.state, attempted_at=NOW), unless_human_since=NOW - 1800) for c in claims]
    assert inbox.save(begin) == ["human", "saved"]


def test_saved_states_are_read_back(inbox: Inbox) -> None:
    """Every field."""
    put(inbox, event("a"))
    [claimed] = claim(inbox)
    state = replace(
        claimed.state, reason="rule", due_at=NOW + 1, attempts=3, rule_id="bang-gia", rules_hash="f" * 64,
        images=[{"image_url": "https://a.example/ả.jpg"}], progress=0, attempted_at=NOW, resent=True, replied_at=NOW,
        error="HTTP 500: lỗi", vendor_ids=[{"msg_id": "m", "referentId": "r"}],
    )  # fmt: skip
    assert inbox.save([StateChange(claimed, state)]) == ["saved"]
    [again] = claim(inbox, now=NOW + 1)
    assert replace(again.state, due_at=state.due_at) == state


def test_a_lone_process_may_end_the_leases_of_dead_ones(database: Database, database_url: str, inbox: Inbox) -> None:
    """On SQLite the file system knows which processes live; on PostgreSQL leases end by themselves."""
    others = [Database(database_url), Database(database_url)]
    assert [other.live_alone() for other in others] == [database.is_sqlite, False]
    for other in others:
        other.dispose()
    assert database.live_alone() is database.is_sqlite
    put(inbox, event("a"), event("b", user="u2"))
    dead, waiting = claim(inbox)
    inbox.save([StateChange(waiting, replace(waiting.state, due_at=NOW + 20))])
    inbox.end_leases(now=NOW + 1)
    assert keys(claim(inbox, now=NOW + 1)) == [dead.key]
    assert settle(inbox, dead) == "lost"
