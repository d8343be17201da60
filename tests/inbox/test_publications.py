"""The log of publications: one order for all machines, and old contents are deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.editing.publications import MAX_DELETED, Publications
from bot.inbox.tables import publication_contents, publications
from bot.rules.publishing.history import MAX_VERSIONS
from bot.rules.publishing.publication_log import RULES, Change, Head, Overtaken


@pytest.fixture
def log(database: Database) -> Publications:
    """An empty log."""
    return Publications(database)


def put(log: Publications, *changes: Change) -> None:
    """Publish after the latest publication."""
    log.append(changes, after=log.head().sequence)


def test_the_head_has_the_latest_rules_and_the_latest_number(log: Publications) -> None:
    """Images count for the number, too."""
    assert log.head() == Head()
    put(log, Change("images/a.jpg", "1" * 64))
    assert log.head().rules_digest is None
    put(log, Change(RULES, "2" * 64, "0" * 64, {"author": "Hạnh"}), Change("images/b.jpg", "3" * 64))
    head, found = log.head(), log.since(0)
    assert (head.rules_digest, head.sequence) == ("2" * 64, found[-1].sequence)
    assert [row.file for row in found] == ["images/a.jpg", RULES, "images/b.jpg"]
    assert (found[1].replaced, found[1].info, found[1].published_at) == (
        "0" * 64,
        {"author": "Hạnh"},
        head.rules_published_at,
    )
    assert log.since(found[1].sequence) == [found[2]]
    assert log.images() == {"images/a.jpg": "1" * 64, "images/b.jpg": "3" * 64}


def test_an_overtaken_publication_stores_nothing(log: Publications) -> None:
    """Not even a part."""
    after = log.head().sequence
    put(log, Change(RULES, "1" * 64))
    with pytest.raises(Overtaken):
        log.append([Change("images/a.jpg", "2" * 64), Change(RULES, "3" * 64)], after=after)
    assert [row.digest for row in log.since(0)] == ["1" * 64]


def test_of_concurrent_publications_one_is_next(database: Database) -> None:
    """Each number follows the one that its publisher had seen."""
    logs = [Publications(database) for _ in range(4)]

    def publish(number: int) -> bool:
        log = logs[number % 4]
        try:
            log.append([Change(RULES, f"{number:064}")], after=0)
        except Overtaken:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(publish, range(12))) == 1
    assert len(logs[0].since(0)) == 1


def test_numbers_continue_with_a_new_database(database: Database, log: Publications) -> None:
    """Machines remember their position; a publication after a restored backup must be later."""
    put(log, Change(RULES, "1" * 64))
    before = log.head().sequence
    with database.write() as connection:
        connection.execute(sa.delete(publications))
    assert log.head().sequence == 0
    put(log, Change(RULES, "2" * 64))
    assert log.head().sequence > before


def test_contents_are_kept_while_something_needs_them(database: Database, log: Publications) -> None:
    """A stored, unpublished content stays for an hour; a replaced image content is deleted."""
    for digest in ("1" * 64, "2" * 64, "3" * 64):
        log.store(digest, digest.encode())
    put(log, Change("images/a.jpg", "1" * 64))
    put(log, Change("images/a.jpg", "2" * 64))
    assert log.content("1" * 64) == b"1" * 64
    with database.write() as connection:
        connection.execute(sa.update(publication_contents).values(stored_at=database.now() - 4000))
    log.store("3" * 64, b"3" * 64)
    put(log, Change(RULES, "4" * 64))
    assert [log.content(digit * 64) for digit in "123"] == [None, b"2" * 64, b"3" * 64]
    assert [row.digest for row in log.since(0)] == ["2" * 64, "4" * 64]


def test_former_rules_and_deleted_images_are_bounded(log: Publications) -> None:
    """As many versions as the history keeps; existing images are never forgotten."""
    put(log, Change("images/kept.jpg", "f" * 64))
    put(log, *(Change(f"images/{number}.jpg", "") for number in range(MAX_DELETED + 5)))
    for number in range(MAX_VERSIONS + 5):
        put(log, Change(RULES, f"{number:064}"))
    found = log.since(0)
    rules = [row.digest for row in found if row.file == RULES]
    assert rules == [f"{number:064}" for number in range(5, MAX_VERSIONS + 5)]
    deleted = [row.file for row in found if row.file != RULES and not row.digest]
    assert (len(deleted), deleted[0]) == (MAX_DELETED, "images/5.jpg")
    assert log.images() == {"images/kept.jpg": "f" * 64}
