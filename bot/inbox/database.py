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

_MIGRATION_LOCK = 0x7A616C6F  # any number that is ours: "zalo"
# Building an index takes as long as it takes.
_LIFT_LIMITS = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
)
_INSUFFICIENT_PRIVILEGE = "42501"
# Alembic's own table.
_VERSIONS = sa.table("alembic_version", sa.column("version_num"))


def migrations() -> list[str]:
    """Return the versions that the tables have had, the oldest first, as Alembic names them."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return sorted(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


class Database:
    """
    SQLite file or PostgreSQL server behind one set of calls; safe for threads, not across a fork.

    SQLite runs in WAL mode with ``synchronous=FULL``: a commit survives power loss. Its own waiting for a
    lock is a sleeping retry loop with tails near a second, so writers queue at a lock file instead.
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
        """Whether it is a file on this machine, and every process that shares it therefore is too."""
        return self._is_sqlite

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """
        Open a transaction that may write; it is durable once the block ends without an exception.

        Raises:
            StorageError: The database cannot be reached, or does not take writes.
            UnstorableValue: It takes others, but not this one.
        """
        with as_storage_errors(), self.connect() as connection, self.transaction(connection):
            yield connection

    def insert(self, table: sa.Table) -> Insert:
        """Return an INSERT for the table in this database's dialect, which can say what is done ON CONFLICT."""
        return insert(table, self._engine.dialect.name)

    def connect(self) -> sa.Connection:
        """Return a connection for many transactions, one after the other."""
        return self._engine.connect()

    @contextmanager
    def transaction(self, connection: sa.Connection) -> Iterator[None]:
        """Hold a transaction on *connection*, and SQLite's only place for a writer, until the block ends."""
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
        Bring the tables to what this version needs; one process does it, the others wait for it.

        Raises:
            ConfigError: The database cannot hold the inbox, whatever is tried: of its encoding, or of its rights.
            StorageError: It cannot be reached.
        """
        self._check_encoding()
        if self._is_migrated():
            return
        # Not above: it takes a tenth of a second to load, and hardly any start needs it.
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
        """Return the version that the tables have; None if there are none yet."""
        with self.read() as connection:
            if not sa.inspect(connection).has_table(_VERSIONS.name):
                return None
            return connection.execute(sa.select(_VERSIONS.c.version_num)).scalar()

    def check_writable(self) -> None:
        """
        Write a row and commit it: to connect, or to write and undo it, works on a full disk too.

        Raises:
            StorageError: It takes no writes, or has no tables.
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
        # By turns: of two that turn a new SQLite file to WAL at once, one would fail.
        with as_storage_errors(), self._exclusive() if self._is_sqlite else nullcontext(), self.read() as connection:
            if not sa.inspect(connection).has_table(_VERSIONS.name):
                return False
            return connection.execute(sa.select(_VERSIONS.c.version_num)).scalars().all() == migrations()[-1:]

    def now(self) -> float:
        """
        Return seconds since 1970 by the database's clock, which all machines that share it agree on.

        After the first reading this machine's monotonic clock counts on until `read_clock`: a step of its wall clock
        moves nothing, and nobody waits for a database that is away, nor fails with it.
        """
        clock = self._clock
        if clock is None:
            clock = self.read_clock()
        return clock + time.monotonic()

    def read_clock(self) -> float:
        """Read the database's clock, so that `now` follows it; return how far it is ahead of the monotonic one."""
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
        Count as alive until `dispose`, or until this process ends in whatever way.

        Return whether it is certain that no other process is: it never is on PostgreSQL, where leases must end.
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
    except OSError as error:  # it stands beside the database, which cannot be opened either
        raise sa.exc.OperationalError("open the lock file", None, error) from None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
