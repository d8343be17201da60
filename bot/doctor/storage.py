"""Whether the database and the rules file are in order; neither is made or changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.migration import MigrationContext
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.doctor.finding import Finding, Level, Section
from bot.doctor.signs import check_signs
from bot.inbox.database import Database, migrations
from bot.inbox.queries import EventQueries
from bot.inbox.tables import accounts
from bot.redaction import one_line
from bot.rules.validate import validate

_LEAST_FREE: Final = 500 * 1024 * 1024
_OLD_SECONDS: Final = 300.0


def check_rules(path: Path, *, today: date) -> Finding:
    """Return whether the rules file is usable."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return _finding("rules", "problem", "rules-absent", file=path)
    except OSError as error:
        return _finding("rules", "problem", "rules-unreadable", file=path, reason=type(error).__name__)
    verdict = validate(data, today=today, folder=path.parent)
    errors = sum(problem.severity == "error" for problem in verdict.problems)
    warnings = len(verdict.problems) - errors
    if verdict.rules is None:
        return _finding("rules", "problem", "rules-errors", file=path, count=errors)
    rules = len(verdict.rules.file.rules)
    level: Level = "warning" if warnings else "fine"
    return _finding(
        "rules", level, "rules-warnings" if warnings else "rules", file=path, count=rules, warnings=warnings
    )


def check_publishing(path: Path) -> Finding:
    """Return whether the console can put another rules file there; nothing is written."""
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return _finding("rules", "problem", "publish-no-directory", file=path, directory=folder)
    return _finding("rules", "fine", "publish", file=path)


def check_database(url: str) -> Iterator[Finding]:
    """Yield how the database stands; a file that does not exist is not made."""
    try:
        place = make_url(url)
    except (ValueError, SQLAlchemyError):
        yield _database("problem", "db-address")
        return
    if place.get_backend_name() == "sqlite":
        file = Path(place.database or "")
        if not file.exists():
            yield _absent(file)
            return
        journal = _journal(file)
        if journal is None:
            yield _database("problem", "db-unreadable", file=file)
            return
        yield from _file(file, journal)
        if journal.lower() != "wal":
            return  # to open it as the bot does would switch it over
    yield from _opened(url)


def _absent(file: Path) -> Finding:
    directory = file.absolute().parent
    if not os.access(directory, os.W_OK | os.X_OK):
        return _database("problem", "db-no-directory", file=file, directory=directory)
    return _database("fine", "db-absent", file=file)


def _journal(file: Path) -> str | None:
    """Return the file's journal mode; None if it cannot be read as a database."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error:
        return None
    return mode


def _file(file: Path, journal: str) -> Iterator[Finding]:
    used = sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists())
    free = shutil.disk_usage(file.absolute().parent).free
    level: Level = "warning" if free < _LEAST_FREE else "fine"
    yield _database(level, "db-disk-full" if level == "warning" else "db-size", used=_mega(used), free=_mega(free))
    if journal.lower() == "wal":
        yield _database("fine", "db-wal")
    else:
        yield _database("warning", "db-no-wal", mode=journal)


def _opened(url: str) -> Iterator[Finding]:
    database = Database(url)
    try:
        with database.read() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
        yield from _versions(revision)
        if not _is_writable(database, has_tables=revision is not None):
            yield _database("problem", "db-read-only")
        elif revision is not None:
            yield _database("fine", "db-writable")
        if revision == migrations()[-1]:
            yield from _contents(database)
    except SQLAlchemyError as error:
        # Of the driver's words only the kind: they may name the address.
        yield _database("problem", "db-away", reason=type(error).__name__)
    finally:
        database.dispose()


def _versions(revision: str | None) -> Iterator[Finding]:
    *older, head = migrations()
    if revision is None:
        yield _database("fine", "db-empty")
    elif revision == head:
        yield _database("fine", "db-version", revision=revision)
    elif revision in older:
        yield _database("warning", "db-older", revision=revision, head=head)
    else:
        yield _database("problem", "db-newer", revision=revision, head=head)


def _is_writable(database: Database, *, has_tables: bool) -> bool:
    """Return whether a write would be taken; it is tried in a transaction that changes nothing and is undone."""
    try:
        with database.connect() as connection, connection.begin() as transaction:
            if has_tables:
                connection.execute(sa.update(accounts).where(sa.false()).values(failures=0))
            transaction.rollback()
    except SQLAlchemyError:
        return False
    return True


def _contents(database: Database) -> Iterator[Finding]:
    reports = EventQueries(database)
    waiting, oldest = reports.counts_by_status(), reports.oldest_open()
    age = 0.0 if oldest is None else max(0.0, database.now() - oldest)
    if age > _OLD_SECONDS:
        yield _database("warning", "db-waiting-long", count=waiting["open"], minutes=round(age / 60))
    else:
        yield _database("fine", "db-waiting", count=waiting["open"])
    for status in ("dead", "parked"):
        if waiting[status]:
            yield _database("warning", f"db-{status}", count=waiting[status])
    for oa_id, trouble in sorted(_troubles(database).items()):
        yield _database("problem", "db-closed", oa_id=oa_id, trouble=one_line(trouble))
    yield from check_signs(database, now=database.now())


def _troubles(database: Database) -> dict[str, str]:
    query = sa.select(accounts.c.oa_id, accounts.c.trouble).where(accounts.c.pauses > 0)
    with database.read() as connection:
        return {row.oa_id: row.trouble or "" for row in connection.execute(query)}


def _mega(size: int) -> str:
    return f"{size / 1024**2:.1f} MB" if size < 1024**3 else f"{size / 1024**3:.0f} GB"


def _database(level: Level, code: str, **args: object) -> Finding:
    return _finding("database", level, code, **args)


def _finding(section: Section, level: Level, code: str, **args: object) -> Finding:
    return Finding(section, level, code, args)
