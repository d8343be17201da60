"""The schedule of image checks on both databases: claims, intervals, results that count."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.image_health.schedule import (
    CHECK_SECONDS,
    FIRST_RETRY_SECONDS,
    LEASE_SECONDS,
    RETRY_SECONDS,
    CheckSchedule,
    CheckState,
    next_state,
    seconds_until_next,
)
from bot.image_health.verdict import CheckResult
from bot.inbox.database import Database
from bot.inbox.tables import picture_checks
from bot.net.public import MAX_FETCH_SECONDS
from tests.support.rows import NOW

OK = CheckResult("ok", 200, "JPEG", 1234, 640, 480)
DOWN, GONE, UNSEEN = CheckResult("unreachable"), CheckResult("not-found", 404), CheckResult("behind-proxy")
results = st.lists(st.sampled_from([OK, DOWN, GONE, UNSEEN]), max_size=6)


def due_at(database: Database, key: str) -> float:
    query = sa.select(picture_checks.c.due_at).where(picture_checks.c.key == key)
    with database.read() as connection:
        return float(connection.execute(query).scalar_one())


def state_after(*seen: CheckResult) -> CheckState:
    state = CheckState()
    for number, result in enumerate(seen):
        state = next_state(state, result, now=NOW + number)
    return state


def test_a_temporary_failure_counts_from_the_second_in_a_row() -> None:
    """Until then the former result stays; a permanent fault counts at once."""
    assert state_after(OK, DOWN) == CheckState(OK, NOW, 1)
    assert state_after(OK, DOWN, DOWN) == CheckState(DOWN, NOW + 2, 2)
    assert state_after(OK, DOWN, OK, DOWN) == CheckState(OK, NOW + 2, 1)
    assert state_after(OK, GONE) == CheckState(GONE, NOW + 1, 1)
    assert state_after(GONE, DOWN) == CheckState(DOWN, NOW + 1, 2)
    assert state_after(DOWN) == CheckState(CheckResult("not-checked"), None, 1)
    assert state_after(GONE, OK) == CheckState(OK, NOW + 1)
    assert state_after(OK, UNSEEN) == CheckState(UNSEEN, NOW + 1)


@given(seen=results)
def test_a_success_counts_at_once_and_bad_needs_a_failure(seen: list[CheckResult]) -> None:
    """For any history."""
    state = state_after(*seen)
    assert (state.result.status == "bad") <= (state.failures > 0)
    if seen and seen[-1].status != "bad":
        assert (state.result, state.failures) == (seen[-1], 0)
    if [result.status for result in seen[-2:]] == ["bad", "bad"]:
        assert state.result == seen[-1]


def test_a_failing_image_is_checked_sooner() -> None:
    assert [seconds_until_next(state_after(*[DOWN] * n)) for n in range(5)] == [
        CHECK_SECONDS,
        FIRST_RETRY_SECONDS,
        *[RETRY_SECONDS] * 3,
    ]


def test_a_lease_is_longer_than_a_check() -> None:
    assert LEASE_SECONDS > MAX_FETCH_SECONDS * 2


def test_new_images_are_due_at_once(database: Database) -> None:
    """Those in the schedule keep their state."""
    schedule = CheckSchedule(database)
    schedule.add_missing(["a"], now=NOW)
    schedule.save("a", OK, now=NOW)
    schedule.add_missing(["b", "a", "b"], now=NOW + 1)
    assert schedule.states() == {"a": CheckState(OK, NOW), "b": CheckState()}
    assert schedule.claim(now=NOW + 2) == "b"
    assert schedule.claim(now=NOW + 2) is None


def test_the_longest_due_comes_first_and_a_claim_ends_with_its_lease(database: Database) -> None:
    schedule = CheckSchedule(database)
    schedule.add_missing(["late"], now=NOW)
    schedule.add_missing(["early"], now=NOW - 1)
    assert [schedule.claim(now=NOW) for _ in range(3)] == ["early", "late", None]
    assert schedule.claim(now=NOW + LEASE_SECONDS - 1) is None
    assert {schedule.claim(now=NOW + LEASE_SECONDS), schedule.claim(now=NOW + LEASE_SECONDS)} == {"early", "late"}


@pytest.mark.parametrize(
    ("result", "pause"),
    [(OK, CHECK_SECONDS), (DOWN, FIRST_RETRY_SECONDS), (GONE, FIRST_RETRY_SECONDS), (UNSEEN, CHECK_SECONDS)],
)
def test_the_next_check_comes_in_time_but_not_for_all_at_once(
    database: Database, result: CheckResult, pause: float
) -> None:
    schedule = CheckSchedule(database)
    keys = [f"k{number}" for number in range(20)]
    schedule.add_missing(keys, now=NOW)
    for key in keys:
        schedule.save(key, result, now=NOW)
    pauses = {due_at(database, key) - NOW for key in keys}
    assert all(0.9 * pause - 1 <= found <= 1.1 * pause + 1 for found in pauses)
    assert len(pauses) > 10


def test_a_stored_result_is_read_back(database: Database) -> None:
    """Before and after; also of an image that was removed in the meantime."""
    schedule = CheckSchedule(database)
    schedule.add_missing(["a"], now=NOW)
    assert schedule.save("a", OK, now=NOW) == (CheckState(), CheckState(OK, NOW))
    assert schedule.save("a", DOWN, now=NOW + 1) == (CheckState(OK, NOW), CheckState(OK, NOW, 1))
    assert schedule.save("a", DOWN, now=NOW + 2) == (CheckState(OK, NOW, 1), CheckState(DOWN, NOW + 2, 2))
    huge = CheckResult("too-large", 200, "PNG", 2**53, 2**32 - 1, 2**32 - 1)
    assert schedule.save("a", huge, now=NOW + 3)[1] == CheckState(huge, NOW + 3, 3)
    assert schedule.states() == {"a": CheckState(huge, NOW + 3, 3)}
    schedule.forget("a")
    assert schedule.states() == {}
    assert schedule.save("a", OK, now=NOW + 4) == (CheckState(), CheckState(OK, NOW + 4))
    assert schedule.states() == {}


def test_bad_images_can_be_rechecked(database: Database) -> None:
    """But not one that may be in progress."""
    schedule = CheckSchedule(database)
    schedule.add_missing(["well", "bad", "looked-at"], now=NOW)
    schedule.save("well", OK, now=NOW)
    schedule.save("bad", GONE, now=NOW)
    schedule.save("looked-at", GONE, now=NOW)
    with database.write() as connection:
        connection.execute(sa.update(picture_checks).where(picture_checks.c.key == "looked-at").values(due_at=NOW))
    assert schedule.claim(now=NOW + 1) == "looked-at"
    schedule.recheck_failing(now=NOW + 2)
    assert [schedule.claim(now=NOW + 2) for _ in range(2)] == ["bad", None]


def test_a_check_can_be_requested(database: Database) -> None:
    """At once, but not for one in progress, nor twice within a minute."""
    schedule = CheckSchedule(database)
    schedule.add_missing(["a", "b"], now=NOW)
    assert schedule.pending(now=NOW) == {"a", "b"}
    assert not schedule.request("a", now=NOW)
    assert schedule.claim(now=NOW) == "a"
    assert not schedule.request("a", now=NOW + 1)
    for key in ("a", "b"):
        schedule.save(key, OK, now=NOW + 2)
    assert schedule.pending(now=NOW + 2) == frozenset()
    assert [
        schedule.request("a", now=NOW + 2 + after) for after in (0, LEASE_SECONDS, LEASE_SECONDS + 1, LEASE_SECONDS + 2)
    ] == [
        False,
        False,
        True,
        False,
    ]
    assert schedule.pending(now=NOW + 70) == {"a"}
    assert [schedule.claim(now=NOW + 70) for _ in range(2)] == ["a", None]
    assert not schedule.request("unknown", now=NOW + 70)


def test_after_a_temporary_failure_one_more_check_can_be_requested(database: Database) -> None:
    """The second one decides, and the minute starts again."""
    schedule = CheckSchedule(database)
    schedule.add_missing(["a"], now=NOW)
    schedule.save("a", OK, now=NOW)
    for after in (100, 101):
        assert schedule.request("a", now=NOW + after)
        schedule.save("a", DOWN, now=NOW + after)
    assert not schedule.request("a", now=NOW + 102)
    assert schedule.states() == {"a": CheckState(DOWN, NOW + 101, 2)}


def test_a_corrected_clock_stops_nothing(database: Database) -> None:
    """Checks that were scheduled years ahead are due."""
    schedule = CheckSchedule(database)
    schedule.add_missing(["a"], now=NOW + 1e8)
    assert schedule.claim(now=NOW) == "a"
    assert schedule.claim(now=NOW + 1) is None


def test_several_processes_share_the_work(database_url: str) -> None:
    """Each image is checked once."""
    databases = [Database(database_url) for _ in range(4)]
    databases[0].migrate()
    keys = {f"k{number}" for number in range(40)}
    claimed: list[str] = []
    errors: list[Exception] = []

    def work(database: Database) -> None:
        schedule = CheckSchedule(database)
        try:
            schedule.add_missing(keys, now=NOW)
            while (key := schedule.claim(now=NOW)) is not None:
                claimed.append(key)
        except Exception as error:  # noqa: BLE001  reported below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    # Who finds its picture just taken by another may go home early; nobody takes one twice.
    assert set(Counter(claimed).values()) <= {1}
    last = CheckSchedule(databases[0])
    while (key := last.claim(now=NOW)) is not None:
        claimed.append(key)
    assert Counter(claimed) == Counter(keys)
    for database in databases:
        database.dispose()
