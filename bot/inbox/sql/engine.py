"""SQLAlchemy engines for SQLite and PostgreSQL: URL, session limits, broken sessions, errors as `StorageError`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url

from bot.errors import ConfigError, StorageError, UnstorableValue

#: Both can say what is done ON CONFLICT.
Insert = sqlite.Insert | postgresql.Insert

# What a PostgreSQL server is told, as far as its version knows it. Zalo waits two seconds for its 200: a server that
# hangs must turn into a 503 sooner than into a full queue. And a machine that stands still in the middle of a
# transaction, or is gone, must not keep its locks: all others would wait for them.
_LIMITS: Final = {
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "transaction_timeout": "15s",
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "2s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
_SET_LIMITS: Final = "; ".join(
    f"SELECT set_config(name, '{value}', false) FROM pg_settings WHERE name = '{name}'"  # noqa: S608  constants
    for name, value in _LIMITS.items()
)
# read_only_sql_transaction: the server that the session is on has become a standby.
_READ_ONLY_SESSION: Final = "25006"
# READONLY, IOERR, FULL, CANTOPEN: what opening the file anew may cure, once there is space or the file is back.
_SQLITE_SESSION_BROKEN: Final = frozenset({8, 10, 13, 14})
_SEVERAL_HOSTS: Final = re.compile(r"(?P<before>[a-z+0-9]+://(?:[^/@]*@)?)(?P<hosts>[^/@?]+,[^/@?]+)(?P<after>[/?].*|)")


def parse_url(text: str) -> URL:
    """
    Return the URL of a database, with the driver that is used; several hosts stand in its query.

    Raises:
        ConfigError: It names no file or server that the inbox can be kept in.
    """
    several = _SEVERAL_HOSTS.fullmatch(text)
    if several is not None:
        hosts = "&".join(f"host={host}" for host in several["hosts"].split(","))
        path, _, query = several["after"].partition("?")
        text = f"{several['before']}{path}?{query}{'&' if query else ''}{hosts}"
    try:
        url = make_url(text)
    except (ValueError, sa.exc.ArgumentError):
        raise ConfigError("DATABASE_URL: not a database URL, sqlite:///… or postgresql://…") from None
    if url.get_backend_name() == "sqlite":
        if not url.database or ":memory:" in url.database or "mode=memory" in text:
            raise ConfigError("DATABASE_URL: a database in memory keeps nothing; name a file, as in sqlite:///bot.db")
        return url
    if url.get_backend_name() != "postgresql":
        raise ConfigError("DATABASE_URL: only sqlite:///… and postgresql://… can be used")
    return url.set(drivername="postgresql+psycopg")


def sqlite_file(text: str) -> Path | None:
    """Return the file that the URL of a SQLite database names; None for a server."""
    url = parse_url(text)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def read_only(text: str) -> str:
    """Return the URL by which a SQLite file is opened for reading; that of a server is the same."""
    url = parse_url(text)
    if url.get_backend_name() == "sqlite":
        url = url.set(database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
    return url.render_as_string(hide_password=False)


def open_engine(url: URL) -> sa.Engine:
    """Return the engine for a URL of `parse_url`; it connects when it is used."""
    engine = _open_sqlite(url) if url.get_backend_name() == "sqlite" else _open_postgres(url)
    sa.event.listen(engine, "handle_error", _give_up_broken_session)
    return engine


def storage_error(error: Exception) -> Exception:
    """Return an error of SQLAlchemy or a driver as `StorageError` or `UnstorableValue`, any other as it is."""
    if isinstance(error, (sa.exc.DataError, UnicodeEncodeError, OverflowError)):
        return UnstorableValue(type(error).__name__)
    if isinstance(error, sa.exc.StatementError) and not isinstance(error, sa.exc.DBAPIError):
        return UnstorableValue(type(error).__name__)
    if isinstance(error, sa.exc.SQLAlchemyError):
        return StorageError(type(error).__name__)
    return error


def insert(table: sa.Table, dialect: str) -> Insert:
    """Return an INSERT for the table, by the dialect's name, which can say what is done ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@contextmanager
def as_storage_errors() -> Iterator[None]:
    """Raise what goes wrong in the block as `storage_error` says."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, UnicodeEncodeError, OverflowError) as error:
        raise storage_error(error) from error


def _open_sqlite(url: URL) -> sa.Engine:
    if url.database and "uri" not in url.query:
        _keep_private(url.database)
    # What a statement carried, a customer's words among it, has no business in an error and so in a log.
    engine = sa.create_engine(url, connect_args={"timeout": 5.0}, pool_size=20, max_overflow=50, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver's own BEGIN would come too late and be DEFERRED
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _keep_private(database: str) -> None:
    """Create the file of the database for its owner alone; one that is there is closed to all others but its group."""
    with suppress(OSError):  # SQLite says what is wrong with it
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for path in (Path(database), *(Path(f"{database}{end}") for end in ("-wal", "-shm", "-lock", "-alive"))):
        with suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o007:
                path.chmod(mode & ~0o007)


def _open_postgres(url: URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=5,
        max_overflow=20,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "client_encoding": "utf8",
            # Of several hosts, and after a failover, the one that takes writes.
            "target_session_attrs": "read-write",
            # A pooler that gives each transaction another session knows no statement that was prepared in one.
            "prepare_threshold": None,
            # A server that is gone says nothing, and TCP would wait for it for a quarter of an hour.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )

    @sa.event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: object) -> None:
        raw.execute(_SET_LIMITS)
        raw.commit()

    return engine


def _give_up_broken_session(context: sa.engine.ExceptionContext) -> None:
    """Have a session closed that cannot write any more, and with it all others of the pool."""
    error = context.original_exception
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if getattr(error, "sqlstate", None) == _READ_ONLY_SESSION or code in _SQLITE_SESSION_BROKEN:
        context.is_disconnect = True
