"""SQLite files for tests: copies of one that was migrated once."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from bot.inbox.database import Database


def new_sqlite_database(path: Path) -> str:
    """Return the URL of the SQLite file *path*, migrated if it is new: a copy, which takes less than the migrations."""
    if not path.exists():
        path.write_bytes(_migrated_sqlite())
    return f"sqlite:///{path}"


@functools.cache
def _migrated_sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bot.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


def migrate(url: str) -> None:
    """Migrate the database to the current schema."""
    database = Database(url)
    database.migrate()
    database.dispose()
