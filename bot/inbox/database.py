"""SQLite or PostgreSQL behind one API: connections, transactions, migrations, clock."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from bot.errors import ConfigError
from bot.inbox.sql.engine import Insert, as_storage_errors, insert, open_engine, parse_url
from bot.inbox.tables import write_checks

_MIGRATION_LOCK = 0x7A616C6F  # an arbitrary number for our advisory lock: "zalo"
# No time limit: building an index may take long.
_LIFT_LIMITS = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
)
_INSUFFICIENT_PRIVILEGE = "42501"
# Alembic's own table.
_VERSIONS = sa.table("alembic_version", sa.column("version_num"))


def migrations() -> list[str]:
    """Return the Alembic revisions of the tables, the oldest first."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return sorted(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


class Database:
    """
    A SQLite file or a PostgreSQL server; safe to share between threads, but not across a fork.

    SQLite runs in WAL mode with ``synchronous=FULL``: a commit survives power loss. To wait for a lock, SQLite
    sleeps and retries, which can take nearly a second, so writers queue at a lock file instead.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = open_engine(self._url)
        self._turn = threading.Lock()
        self._lock_file: IO[bytes] | None = None
        self._alive_file: IO[bytes] | None = None
        self._clock: float | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file, so that all processes that use it are on this machine."""
        return self._is_sqlite

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """
        Open a transaction that may write; it is durable once the block ends without an exception.

        Raises:
            StorageError: The database cannot be reached, or refuses writes.
            UnstorableValue: The database refuses this value.
        """
        with as_storage_errors(), self.connect() as connection, self.transaction(connection):
            yield connection

    def insert(self, table: sa.Table) -> Insert:
        """Return an INSERT for the table in this database's dialect, which supports ON CONFLICT."""
        return insert(table, self._engine.dialect.name)

    def connect(self, *, autocommit: bool = False) -> sa.Connection:
        """Return a connection for many transactions, one after the other, or for single statements."""
        connection = self._engine.connect()
        return connection.execution_options(isolation_level="AUTOCOMMIT") if autocommit else connection

    @contextmanager
    def transaction(self, connection: sa.Connection) -> Iterator[None]:
        """Run the block in a transaction on *connection*; on SQLite, also hold the lock that writers queue for."""
        with self._exclusive() if self._is_sqlite else nullcontext(), connection.begin():
            yield

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """
        Open a connection that only reads.

        Raises:
            StorageError: The database cannot be reached.
        """
        with as_storage_errors(), self._engine.connect() as connection:
            yield connection.execution_options(reads=True)

    def migrate(self) -> None:
        """
        Migrate the tables to this version's revision; one process does it while the others wait.

        Raises:
            ConfigError: The database can never hold the inbox, because of its encoding or of missing rights.
            StorageError: It cannot be reached.
        """
        self._check_encoding()
        if self._is_migrated():
            return
        # Imported here because it takes a tenth of a second to load, and few starts migrate.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", "bot.inbox:migrations")
        with as_storage_errors(), self._explained_rights(), self.connect() as connection, self.transaction(connection):
            if not self._is_sqlite:
                connection.exec_driver_sql(_LIFT_LIMITS)
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def revision(self) -> str | None:
        """Return the revision of the tables; None if there are no tables yet."""
        with self.read() as connection:
            if not sa.inspect(connection).has_table(_VERSIONS.name):
                return None
            return connection.execute(sa.select(_VERSIONS.c.version_num)).scalar()

    def check_writable(self) -> None:
        """
        Write a row and commit it; connecting, or a write that is rolled back, works even on a full disk.

        Raises:
            StorageError: The database refuses writes, or has no tables.
        """
        added = self.insert(write_checks).values(id=1, checked_at=self.now())
        newer = {"checked_at": added.excluded.checked_at}
        with self.write() as connection:
            connection.execute(added.on_conflict_do_update(index_elements=[write_checks.c.id], set_=newer))

    def _check_encoding(self) -> None:
        if self._is_sqlite:
            return
        with self.read() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise ConfigError(
                f"DATABASE_URL: the database's encoding is {encoding}, which cannot hold what customers write;"
                " make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            )

    @contextmanager
    def _explained_rights(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE:
                raise
            raise ConfigError(
                "DATABASE_URL: this user may not create tables there; since PostgreSQL 15 only the owner may:"
                " make the user its owner, or GRANT CREATE ON SCHEMA public"
            ) from None

    def _is_migrated(self) -> bool:
        # One process at a time: if two switch a new SQLite file to WAL at once, one of them fails.
        with as_storage_errors(), self._exclusive() if self._is_sqlite else nullcontext(), self.read() as connection:
            if not sa.inspect(connection).has_table(_VERSIONS.name):
                return False
            return connection.execute(sa.select(_VERSIONS.c.version_num)).scalars().all() == migrations()[-1:]

    def now(self) -> float:
        """
        Return seconds since 1970 by the database's clock, which all machines that share the database use.

        The clock is read once and then continued by this machine's monotonic clock until the next `read_clock`. So a
        step of the machine's wall clock changes nothing, and `now` works while the database is unreachable.
        """
        clock = self._clock
        if clock is None:
            clock = self.read_clock()
        return clock + time.monotonic()

    def read_clock(self) -> float:
        """Read the database's clock for `now`; return its time minus that of `time.monotonic`, in seconds."""
        clock = self._server_time() - time.monotonic()
        self._clock = clock
        return clock

    def _server_time(self) -> float:
        if self._is_sqlite:
            return time.time()
        with self.read() as connection:
            return float(connection.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one())

    def live_alone(self) -> bool:
        """
        Mark this process as alive until `dispose` or until it ends, however it ends.

        Return whether no other process is alive for certain. On PostgreSQL that cannot be known: False.
        """
        if not self._is_sqlite:
            return False
        self._alive_file = _open_lock(Path(f"{self._url.database}-alive"))
        try:
            fcntl.flock(self._alive_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            alone = False
        else:
            alone = True
        fcntl.flock(self._alive_file, fcntl.LOCK_SH)
        return alone

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()
        for file in (self._lock_file, self._alive_file):
            if file is not None:
                file.close()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._turn:
            if self._lock_file is None:
                self._lock_file = _open_lock(Path(f"{self._url.database}-lock"))
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)


def _open_lock(path: Path) -> IO[bytes]:
    try:
        return open(path, "wb", opener=_open_private)
    except OSError as error:  # the lock file is beside the database, which cannot be opened either
        raise sa.exc.OperationalError("open the lock file", None, error) from None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
