"""The book of checks on both databases: who looks at which picture when, and what counts."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.image_health.schedule import AGAIN_AFTER, EVERY, EVERY_BAD, LEASE, Book, Entry, following, pause_after
from bot.image_health.verdict import Look
from bot.inbox.database import Database
from bot.inbox.tables import picture_checks
from bot.net.public import MAX_FETCH_SECONDS
from tests.support.rows import NOW

OK = Look("ok", 200, "JPEG", 1234, 640, 480)
DOWN, GONE, UNSEEN = Look("unreachable"), Look("not-found", 404), Look("behind-proxy")
looks = st.lists(st.sampled_from([OK, DOWN, GONE, UNSEEN]), max_size=6)


def due_at(database: Database, key: str) -> float:
    query = sa.select(picture_checks.c.due_at).where(picture_checks.c.key == key)
    with database.read() as connection:
        return float(connection.execute(query).scalar_one())


def after(*seen: Look) -> Entry:
    entry = Entry()
    for number, look in enumerate(seen):
        entry = following(entry, look, now=NOW + number)
    return entry


def test_a_failure_that_may_pass_counts_from_the_second_in_a_row() -> None:
    """Until then the picture stands as it did; what a server says of the picture counts at once."""
    assert after(OK, DOWN) == Entry(OK, NOW, 1)
    assert after(OK, DOWN, DOWN) == Entry(DOWN, NOW + 2, 2)
    assert after(OK, DOWN, OK, DOWN) == Entry(OK, NOW + 2, 1)
    assert after(OK, GONE) == Entry(GONE, NOW + 1, 1)
    assert after(GONE, DOWN) == Entry(DOWN, NOW + 1, 2)
    assert after(DOWN) == Entry(Look("not-checked"), None, 1)
    assert after(GONE, OK) == Entry(OK, NOW + 1)
    assert after(OK, UNSEEN) == Entry(UNSEEN, NOW + 1)


@given(seen=looks)
def test_what_is_well_is_well_at_once_and_bad_never_without_a_failure(seen: list[Look]) -> None:
    """Whatever came before."""
    entry = after(*seen)
    assert (entry.look.standing == "bad") <= (entry.failures > 0)
    if seen and seen[-1].standing != "bad":
        assert (entry.look, entry.failures) == (seen[-1], 0)
    if [look.standing for look in seen[-2:]] == ["bad", "bad"]:
        assert entry.look == seen[-1]


def test_a_picture_that_fails_is_looked_at_sooner() -> None:
    assert [pause_after(after(*[DOWN] * n)) for n in range(5)] == [EVERY, AGAIN_AFTER, *[EVERY_BAD] * 3]


def test_a_lease_is_longer_than_a_look() -> None:
    assert LEASE > MAX_FETCH_SECONDS * 2


def test_new_pictures_are_due_at_once(database: Database) -> None:
    """Those that are in the book stay as they are."""
    book = Book(database)
    book.expect(["a"], now=NOW)
    book.save("a", OK, now=NOW)
    book.expect(["b", "a", "b"], now=NOW + 1)
    assert book.entries() == {"a": Entry(OK, NOW), "b": Entry()}
    assert book.claim(now=NOW + 2) == "b"
    assert book.claim(now=NOW + 2) is None


def test_who_waits_longest_comes_first_and_a_claim_ends_with_its_lease(database: Database) -> None:
    book = Book(database)
    book.expect(["late"], now=NOW)
    book.expect(["early"], now=NOW - 1)
    assert [book.claim(now=NOW) for _ in range(3)] == ["early", "late", None]
    assert book.claim(now=NOW + LEASE - 1) is None
    assert {book.claim(now=NOW + LEASE), book.claim(now=NOW + LEASE)} == {"early", "late"}


@pytest.mark.parametrize(("look", "pause"), [(OK, EVERY), (DOWN, AGAIN_AFTER), (GONE, AGAIN_AFTER), (UNSEEN, EVERY)])
def test_the_next_look_comes_in_time_but_not_for_all_at_once(database: Database, look: Look, pause: float) -> None:
    book = Book(database)
    keys = [f"k{number}" for number in range(20)]
    book.expect(keys, now=NOW)
    for key in keys:
        book.save(key, look, now=NOW)
    pauses = {due_at(database, key) - NOW for key in keys}
    assert all(0.9 * pause - 1 <= found <= 1.1 * pause + 1 for found in pauses)
    assert len(pauses) > 10


def test_what_was_stored_comes_back(database: Database) -> None:
    """Before and after; also of a picture that was struck out meanwhile."""
    book = Book(database)
    book.expect(["a"], now=NOW)
    assert book.save("a", OK, now=NOW) == (Entry(), Entry(OK, NOW))
    assert book.save("a", DOWN, now=NOW + 1) == (Entry(OK, NOW), Entry(OK, NOW, 1))
    assert book.save("a", DOWN, now=NOW + 2) == (Entry(OK, NOW, 1), Entry(DOWN, NOW + 2, 2))
    huge = Look("too-large", 200, "PNG", 2**53, 2**32 - 1, 2**32 - 1)
    assert book.save("a", huge, now=NOW + 3)[1] == Entry(huge, NOW + 3, 3)
    assert book.entries() == {"a": Entry(huge, NOW + 3, 3)}
    book.forget("a")
    assert book.entries() == {}
    assert book.save("a", OK, now=NOW + 4) == (Entry(), Entry(OK, NOW + 4))
    assert book.entries() == {}


def test_pictures_that_were_not_well_can_be_hurried(database: Database) -> None:
    """But not one that somebody may be looking at."""
    book = Book(database)
    book.expect(["well", "bad", "looked-at"], now=NOW)
    book.save("well", OK, now=NOW)
    book.save("bad", GONE, now=NOW)
    book.save("looked-at", GONE, now=NOW)
    with database.write() as connection:
        connection.execute(sa.update(picture_checks).where(picture_checks.c.key == "looked-at").values(due_at=NOW))
    assert book.claim(now=NOW + 1) == "looked-at"
    book.hurry(now=NOW + 2)
    assert [book.claim(now=NOW + 2) for _ in range(2)] == ["bad", None]


def test_somebody_can_ask_for_a_look(database: Database) -> None:
    """At once, but not for one that is looked at anyway, nor twice within a minute."""
    book = Book(database)
    book.expect(["a", "b"], now=NOW)
    assert book.awaited(now=NOW) == {"a", "b"}
    assert not book.ask("a", now=NOW)
    assert book.claim(now=NOW) == "a"
    assert not book.ask("a", now=NOW + 1)
    for key in ("a", "b"):
        book.save(key, OK, now=NOW + 2)
    assert book.awaited(now=NOW + 2) == frozenset()
    assert [book.ask("a", now=NOW + 2 + after) for after in (0, LEASE, LEASE + 1, LEASE + 2)] == [
        False,
        False,
        True,
        False,
    ]
    assert book.awaited(now=NOW + 70) == {"a"}
    assert [book.claim(now=NOW + 70) for _ in range(2)] == ["a", None]
    assert not book.ask("unknown", now=NOW + 70)


def test_a_failure_that_may_pass_can_be_asked_after_once(database: Database) -> None:
    """The second settles it, and the minute begins anew."""
    book = Book(database)
    book.expect(["a"], now=NOW)
    book.save("a", OK, now=NOW)
    for after in (100, 101):
        assert book.ask("a", now=NOW + after)
        book.save("a", DOWN, now=NOW + after)
    assert not book.ask("a", now=NOW + 102)
    assert book.entries() == {"a": Entry(DOWN, NOW + 101, 2)}


def test_a_clock_that_was_set_right_stops_nothing(database: Database) -> None:
    """What was put off while it was years ahead is due."""
    book = Book(database)
    book.expect(["a"], now=NOW + 1e8)
    assert book.claim(now=NOW) == "a"
    assert book.claim(now=NOW + 1) is None


def test_several_processes_share_the_work(database_url: str) -> None:
    """Each picture is looked at once."""
    databases = [Database(database_url) for _ in range(4)]
    databases[0].migrate()
    keys = {f"k{number}" for number in range(40)}
    claimed: list[str] = []
    errors: list[Exception] = []

    def work(database: Database) -> None:
        book = Book(database)
        try:
            book.expect(keys, now=NOW)
            while (key := book.claim(now=NOW)) is not None:
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
    last = Book(databases[0])
    while (key := last.claim(now=NOW)) is not None:
        claimed.append(key)
    assert Counter(claimed) == Counter(keys)
    for database in databases:
        database.dispose()
