"""SQLAlchemy engines for SQLite and PostgreSQL: URL, session limits, broken sessions, errors as `StorageError`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from bot.errors import ConfigError, StorageError, UnstorableValue
from bot.inbox.sql.prepared import enable_prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

#: Both support ON CONFLICT.
Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"

# Session settings of PostgreSQL; those that the server's version does not know are left out, and so are those that
# DATABASE_URL sets itself, as in postgresql://…/bot?options=-c%20statement_timeout%3D60s. Zalo waits two seconds for
# its 200: a hanging server must cause a 503 rather than a full queue. And a machine that stalls or dies in a
# transaction must not keep its locks, because all others would wait for them.
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
    f"SELECT set_config(name, '{value}', false) FROM pg_settings"  # noqa: S608  constants
    f" WHERE name = '{name}' AND source <> 'client'"
    for name, value in _LIMITS.items()
)
# Settings of a connection, except those that DATABASE_URL has itself.
_CONNECT: Final = {
    "connect_timeout": 3,
    "client_encoding": "utf8",
    # Choose the host that takes writes, if there are several or after a failover.
    "target_session_attrs": "read-write",
    "prepare_threshold": None,  # see `enable_prepared`
    # Without these, TCP would wait a quarter of an hour for a server that has disappeared.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# read_only_sql_transaction: the session's server has become a standby.
_READ_ONLY_SESSION: Final = "25006"
# READONLY, IOERR, FULL, CANTOPEN: reopening the file may help, once there is space or the file is back.
_SQLITE_SESSION_BROKEN: Final = frozenset({8, 10, 13, 14})
_SEVERAL_HOSTS: Final = re.compile(r"(?P<before>[a-z+0-9]+://(?:[^/@]*@)?)(?P<hosts>[^/@?]+,[^/@?]+)(?P<after>[/?].*|)")


def parse_url(text: str) -> URL:
    """
    Return the URL of a database, with its driver; several hosts are given in the query of the URL.

    Raises:
        ConfigError: It is not the URL of a SQLite file or a PostgreSQL database.
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
    """Return the file of a SQLite URL; None for any other URL."""
    url = parse_url(text)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def read_only(text: str) -> str:
    """Return the URL that opens a SQLite file read-only; any other URL is returned as it is."""
    url = parse_url(text)
    if url.get_backend_name() == "sqlite":
        url = url.set(database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
    return url.render_as_string(hide_password=False)


def open_engine(url: URL) -> sa.Engine:
    """Return the engine for a URL from `parse_url`; it connects at first use."""
    engine = _open_sqlite(url) if url.get_backend_name() == "sqlite" else _open_postgres(url)
    sa.event.listen(engine, "handle_error", _give_up_broken_session)
    return engine


def storage_error(error: Exception) -> Exception:
    """Convert an error of SQLAlchemy or a driver to `StorageError` or `UnstorableValue`; return others as they are."""
    if isinstance(error, (sa.exc.DataError, UnicodeEncodeError, OverflowError)):
        return UnstorableValue(type(error).__name__)
    if isinstance(error, sa.exc.StatementError) and not isinstance(error, sa.exc.DBAPIError):
        return UnstorableValue(type(error).__name__)
    if isinstance(error, sa.exc.SQLAlchemyError):
        return StorageError(type(error).__name__)
    return error


def insert(table: sa.Table, dialect: str) -> Insert:
    """Return an INSERT for the table in the named dialect, which supports ON CONFLICT."""
    # Not above: PostgreSQL's dialect takes a tenth of a start to load, and a bot on SQLite needs nothing of it.
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


@contextmanager
def as_storage_errors() -> Iterator[None]:
    """Convert errors that the block raises by `storage_error`."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, UnicodeEncodeError, OverflowError) as error:
        raise storage_error(error) from error


def _open_sqlite(url: URL) -> sa.Engine:
    if url.database and "uri" not in url.query:
        _keep_private(url.database)
    # The values of a statement, such as a customer's text, must not get into an error and so into a log.
    engine = sa.create_engine(url, connect_args={"timeout": 5.0}, pool_size=20, max_overflow=50, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver would send BEGIN DEFERRED, and too late
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _keep_private(database: str) -> None:
    """Create the database file for its owner only; take the rights of others from an existing file."""
    with suppress(OSError):  # SQLite will raise the error
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
        connect_args={name: value for name, value in _CONNECT.items() if name not in url.query},
    )

    @sa.event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: object) -> None:
        raw.execute(_SET_LIMITS)
        raw.commit()

    enable_prepared(engine)
    return engine


def _give_up_broken_session(context: sa.engine.ExceptionContext) -> None:
    """Close a session that cannot write any more, and all others of the pool."""
    error = context.original_exception
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if getattr(error, "sqlstate", None) == _READ_ONLY_SESSION or code in _SQLITE_SESSION_BROKEN:
        context.is_disconnect = True
