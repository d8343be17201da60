"""Files of the inbox: access rights, and erased texts are gone from the disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.tables import events
from tests.support.rows import keep

WORDS = "một câu rất riêng tư của khách"


@pytest.fixture
def umask() -> None:
    """The most permissive umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.usefixtures("umask")
def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """They have customers' texts."""
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    database.live_alone()
    keep(database, text=WORDS)
    found = modes(tmp_path)
    assert {"bot.db", "bot.db-wal", "bot.db-shm", "bot.db-lock", "bot.db-alive"} <= set(found)
    assert set(found.values()) == {0o600}
    database.dispose()


@pytest.mark.usefixtures("umask")
def test_files_of_a_former_version_lose_the_rights_of_others(tmp_path: Path) -> None:
    """The rights of a group, such as one for backups, stay."""
    for name, mode in (("bot.db", 0o644), ("bot.db-lock", 0o666)):
        (tmp_path / name).touch(mode)
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    assert not [name for name, mode in modes(tmp_path).items() if mode & 0o007]
    assert modes(tmp_path)["bot.db"] == 0o640
    database.dispose()


def test_erased_texts_are_gone_from_the_disk(tmp_path: Path) -> None:
    """Not only from the tables: SQLite would leave them in its free pages."""
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    database.migrate()
    for number in range(50):
        keep(database, text=f"{WORDS} {number}", rule_id=None)
    with database.write() as connection:
        connection.execute(sa.update(events).values(text=None, body=None))
        connection.execute(sa.delete(events))
    database.dispose()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert WORDS.encode() not in left


def test_a_lock_file_of_another_user_is_reported(tmp_path: Path) -> None:
    """As after a run with sudo."""
    (tmp_path / "bot.db-alive").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    with pytest.raises(sa.exc.OperationalError):
        database.live_alone()
    database.dispose()
