"""Check the database, without creating or changing it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from bot.doctor.finding import Finding, Level, Texts, Words
from bot.errors import ConfigError, StorageError
from bot.files import FileSize
from bot.i18n import N_, NN_
from bot.inbox.database import Database, migrations
from bot.inbox.queries import EventQueries
from bot.inbox.sql.engine import parse_url
from bot.logs import single_line

_LEAST_FREE: Final = 500 * 1024 * 1024
_OLD_SECONDS: Final = 300.0
_WEEK_SECONDS: Final = 7 * 86_400.0
# Fewer texts may begin with # by chance, or because a shop's menu sends them.
_FEWEST, _MOST = 10, 100

TEXTS: Final[Texts] = {
    "db-address": Words(
        N_("DATABASE_URL: the address cannot be read."),
        N_("The bot does not start without a database."),
        N_(
            "Write it as sqlite:///bot.db or postgresql://name:password@host/database; special characters "
            "of the password are written as in %40."
        ),
    ),
    "db-absent": Words(N_("{file}: not there yet; the bot makes it at its first start.")),
    "db-no-directory": Words(
        N_("{file}: not there, and it cannot be made in {directory}."),
        N_("The bot stores each event before it acknowledges it."),
        N_("Make the directory, and let the bot's user write there."),
    ),
    "db-unreadable": Words(
        N_("{file}: cannot be opened as a SQLite file."),
        N_("The bot does not start, and what waits in it is not answered."),
        N_("Look at the permissions and at DATABASE_URL. If the file is damaged, restore it from a backup."),
    ),
    "db-size": Words(N_("Size: {used}; {free} of the disk is free.")),
    "db-disk-full": Words(
        N_("Only {free} of the disk is free (the database has {used})."),
        N_("Without room, no event can be taken."),
        N_("Free some space, or lower RETENTION."),
    ),
    "db-wal": Words(N_("SQLite is in WAL mode.")),
    "db-no-wal": Words(
        N_('SQLite is not in WAL mode but in "{mode}"; the rest was not looked at.'),
        N_(
            "The bot switches WAL on at its start. If it has run already, this may be a network drive, on "
            "which SQLite is not safe."
        ),
        N_("Keep the file on a disk of this machine, or use PostgreSQL."),
    ),
    "db-empty": Words(N_("There are no tables yet; the bot makes them at its first start.")),
    "db-version": Words(N_("The tables are of this version ({revision}).")),
    "db-older": Words(
        N_("The tables are of an older version, {revision} (this one needs {head}); their content was not looked at."),
        N_("The next start brings them up to date."),
        N_("Back the database up, then restart the bot."),
    ),
    "db-newer": Words(
        N_("The tables are of version {revision}, which this bot does not know (it uses {head})."),
        N_("An older bot cannot use the database of a newer one."),
        N_("Update the bot, or restore an older backup."),
    ),
    "db-read-only": Words(
        N_("The database cannot be written to."),
        N_("Each event is stored before it is acknowledged; without that, Zalo gets a 503."),
        N_(
            "Let the bot's user write to the file and its directory; with PostgreSQL look at the grants, "
            "and whether this is the primary server."
        ),
    ),
    "db-writable": Words(N_("It can be written to.")),
    "db-away": Words(
        N_("It does not answer ({reason})."),
        N_("Without the database no event can be taken."),
        N_("See whether the server runs, and look at the name and the password in DATABASE_URL."),
    ),
    "db-waiting": Words(N_("Events that wait for their reply: {count}.")),
    "db-waiting-long": Words(
        N_("Events that wait for their reply: {count}, the oldest for {minutes} minutes."),
        N_("Customers are waiting; after 48 hours they get no reply any more."),
        N_("See whether the bot runs and what /readyz says; look at them with: bot inbox --status open"),
    ),
    "db-dead": Words(
        N_("Dead letters: {count}."),
        N_("These customers did not get their picture."),
        N_("See why: bot inbox --status dead. When it is mended, send them again: bot replay --dead"),
    ),
    "db-parked": Words(
        N_("Parked events: {count}. It is not known whether the picture went out."),
        N_("The bot does not repeat them by itself: the customer might get two."),
        N_("Look: bot inbox --status parked. Where none arrived, send it again: bot replay ID"),
    ),
    "db-closed": Words(
        N_("OA {oa_id}: nothing is sent at present. {meaning}. The vendor says: {trouble}"),
        N_("Its events wait and are not lost; the bot keeps trying."),
        N_("Mend what the vendor says (an expired key, no credit, an OA that is not linked…)."),
    ),
    "syntax-filter/on": Words(
        N_('The latest {count} texts all begin with #: "Lọc cú pháp" (syntax filter) is probably ON.'),
        N_("Zalo then passes on only such texts, and nobody else gets an answer."),
        N_('Open the Webhook page of the Zalo app and switch "Lọc cú pháp" off.'),
    ),
    "own-replies/seen": Words(
        NN_(
            "In the last 7 days the OA sent {count} message that is neither this bot's nor a person's.",
            "In the last 7 days the OA sent {count} messages that are neither this bot's nor a person's.",
        ),
        N_("OA Manager probably answers keywords as well: customers get two answers."),
        N_("Switch the automatic replies of OA Manager off, or keep each keyword in one of the two places."),
    ),
    "which-secret/no-event": Words(
        N_("No event has ever come in."),
        N_("If somebody has written to the OA, events do not get here or are refused with 401 for a wrong key."),
        N_(
            "Run bot doctor --url …, and compare ZALO_OA_SECRET_KEY with the OA Secret Key of the Webhook "
            "page (not the App Secret Key)."
        ),
    ),
}


def check_database(url: str) -> Iterator[Finding]:
    """Yield the findings about the database; a missing file is not created."""
    try:
        place = parse_url(url)
    except ConfigError:
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
            return  # opening it as the bot does would switch the journal mode
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
    level: Level
    level, code = ("warning", "db-disk-full") if free < _LEAST_FREE else ("fine", "db-size")
    yield _database(level, code, used=FileSize(used), free=FileSize(free))
    if journal.lower() == "wal":
        yield _database("fine", "db-wal")
    else:
        yield _database("warning", "db-no-wal", mode=journal)


def _opened(url: str) -> Iterator[Finding]:
    database = Database(url)
    try:
        revision = database.revision()
        yield from _versions(revision)
        if not _is_writable(database, is_current=revision == migrations()[-1]):
            yield _database("problem", "db-read-only")
        elif revision is not None:
            yield _database("fine", "db-writable")
        if revision == migrations()[-1]:
            yield from _contents(database)
    except StorageError as error:
        # Only the class of the driver's error: its message may contain the address.
        yield _database("problem", "db-away", reason=str(error))
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


def _is_writable(database: Database, *, is_current: bool) -> bool:
    """Return whether a write succeeds or, if the schema is of another version, whether one can be begun."""
    try:
        if is_current:
            database.check_writable()
        else:
            with database.write():
                pass
    except StorageError:
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
    for oa_id, trouble in sorted(reports.pause_reasons().items()):
        yield _database("problem", "db-closed", oa_id=oa_id, trouble=single_line(trouble))
    yield from check_event_hints(database, now=database.now())


def check_event_hints(database: Database, *, now: float) -> Iterator[Finding]:
    """Yield the problems that the stored events indicate."""
    queries = EventQueries(database)
    texts, strange = queries.latest_texts(_MOST), queries.count_foreign_echoes(since=now - _WEEK_SECONDS)
    if queries.is_empty():
        yield _hint("unchecked", "which-secret/no-event")
    if len(texts) >= _FEWEST and all(text.startswith("#") for text in texts):
        yield _hint("warning", "syntax-filter/on", count=len(texts))
    if strange:
        yield _hint("warning", "own-replies/seen", count=strange)


def _hint(level: Level, code: str, **args: object) -> Finding:
    return Finding("by-hand", level, code, args)


def _database(level: Level, code: str, **args: object) -> Finding:
    return Finding("database", level, code, args)
