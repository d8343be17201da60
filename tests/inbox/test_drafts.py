"""Drafts of the console on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.editing.drafts import (
    KEPT_SECONDS,
    MAX_DRAFT_BYTES,
    MAX_DRAFTS,
    Draft,
    DraftConflict,
    Drafts,
    DraftTooLarge,
)
from bot.inbox.retention import RetentionWorker
from bot.inbox.tables import drafts
from tests.support.clock import NOW
from tests.support.running import wait_until

DRAFT = Draft("rules: # nháp\r\n".encode(), "ab" * 32, 0, NOW)


def test_a_draft_is_read_back_by_its_browser_only(database: Database) -> None:
    """Byte by byte."""
    kept = Drafts(database)
    anything = replace(DRAFT, content=b"\x00\xff\r\n half a letter")
    assert kept.save("one", anything, tab="a") == replace(anything, revision=1)
    assert kept.open("one") == replace(anything, revision=1)
    assert kept.open("two") is None


def test_a_tab_can_save_repeatedly(database: Database) -> None:
    """Also if it never received the answer to its last save."""
    kept = Drafts(database)
    for revision in (0, 1, 1):
        last = kept.save("one", replace(DRAFT, content=b"%d" % revision, revision=revision), tab="a")
    assert last.revision == 3
    assert kept.open("one") == last


def test_a_tab_does_not_overwrite_the_draft_of_another_tab(database: Database) -> None:
    """The later one gets the other draft; with its revision it may overwrite that."""
    kept = Drafts(database)
    kept.save("one", replace(DRAFT, content=b"from a"), tab="a")
    theirs = kept.save("one", replace(DRAFT, content=b"from b", revision=1), tab="b")
    with pytest.raises(DraftConflict) as refused:
        kept.save("one", replace(DRAFT, content=b"a again", revision=1), tab="a")
    assert refused.value.draft == kept.open("one") == theirs
    mine = kept.save("one", replace(DRAFT, content=b"a again", revision=theirs.revision), tab="a")
    assert kept.open("one") == mine
    with pytest.raises(DraftConflict):
        kept.save("one", theirs, tab="b")


def test_after_a_draft_was_discarded_older_tabs_overwrite_nothing(database: Database) -> None:
    """A new draft has another revision than the discarded one."""
    kept = Drafts(database)
    kept.save("one", DRAFT, tab="a")
    kept.discard("one", now=NOW)
    assert kept.open("one") is None
    anew = kept.save("one", replace(DRAFT, content=b"anew"), tab="b")
    with pytest.raises(DraftConflict):
        kept.save("one", replace(DRAFT, revision=1), tab="a")
    assert kept.open("one") == anew


def test_of_concurrent_saves_one_succeeds(database: Database) -> None:
    """The others get a conflict."""
    kept, together = Drafts(database), threading.Barrier(4)

    def save(tab: str) -> str:
        together.wait()
        try:
            kept.save("one", replace(DRAFT, content=tab.encode()), tab=tab)
        except DraftConflict as conflict:
            return conflict.draft.content.decode()
        return tab

    with ThreadPoolExecutor() as pool:
        answers = set(pool.map(save, "abcd"))
    found = kept.open("one")
    assert found is not None
    assert answers == {found.content.decode()}


def test_too_large_a_draft_is_refused_and_the_former_stays(database: Database) -> None:
    """A rules file of that size is refused as well."""
    kept = Drafts(database)
    kept.save("one", replace(DRAFT, content=b"#" * MAX_DRAFT_BYTES), tab="a")
    with pytest.raises(DraftTooLarge):
        kept.save("one", replace(DRAFT, content=b"#" * (MAX_DRAFT_BYTES + 1)), tab="a")
    assert kept.open("one") is not None


def test_a_draft_over_the_limit_deletes_the_oldest(database: Database) -> None:
    """The table is bounded for any number of browsers."""
    kept = Drafts(database)
    for number in range(MAX_DRAFTS + 1):
        kept.save(f"browser {number}", replace(DRAFT, saved_at=NOW + number), tab="a")
    assert kept.open("browser 0") is None
    assert kept.open("browser 1") is not None
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(drafts)).scalar_one() == MAX_DRAFTS


def test_old_drafts_are_deleted_by_retention(database: Database) -> None:
    """Thirty days after they were saved."""
    kept, now = Drafts(database), database.now()
    for name, age in (("old", KEPT_SECONDS + 1), ("young", KEPT_SECONDS - 3600)):
        kept.save(name, replace(DRAFT, saved_at=now - age), tab="a")
    worker = RetentionWorker(database, retention=timedelta(days=30).total_seconds(), memory=lambda: 0.0)
    worker.start()
    wait_until(lambda: kept.open("old") is None, "the old draft to go")
    worker.stop()
    assert kept.open("young") is not None
