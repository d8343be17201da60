"""SQLite or PostgreSQL behind one API: connections, transactions, migrations, clock."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

_MIGRATION_LOCK = 0x7A616C6F  # any number that is ours: "zalo"
# What a PostgreSQL server is told, as far as its version knows it. Zalo waits two seconds for its 200: a server that
# hangs must turn into a 503 sooner than into a full queue. And a machine that stands still in the middle of a
# transaction, or is gone, must not keep its locks: all others would wait for them.
_LIMITS = {
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "transaction_timeout": "15s",
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "2s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
_SET_LIMITS = "; ".join(
    f"SELECT set_config(name, '{value}', false) FROM pg_settings WHERE name = '{name}'"  # noqa: S608  constants
    for name, value in _LIMITS.items()
)
# Building an index takes as long as it takes.
_LIFT_LIMITS = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
)
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
        self._url = _driver_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _open_sqlite(self._url) if self._is_sqlite else _open_postgres(self._url)
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
        """Open a transaction that may write; it is durable once the block ends without an exception."""
        with self.connect() as connection, self.transaction(connection):
            yield connection

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
        """Open a connection that only reads."""
        with self._engine.connect() as connection:
            yield connection.execution_options(reads=True)

    def migrate(self) -> None:
        """Bring the tables to what this version needs; one process does it, the others wait for it."""
        if self._is_migrated():
            return
        # Not above: it takes a tenth of a second to load, and hardly any start needs it.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", "bot.inbox:migrations")
        with self.write() as connection:
            if not self._is_sqlite:
                connection.exec_driver_sql(_LIFT_LIMITS)
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _is_migrated(self) -> bool:
        # By turns: of two that turn a new SQLite file to WAL at once, one would fail.
        with self._exclusive() if self._is_sqlite else nullcontext(), self.read() as connection:
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


def _keep_private(database: str) -> None:
    """Create the file of the database for its owner alone; one that is there is closed to all others but its group."""
    with suppress(OSError):  # SQLite says what is wrong with it
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for path in (Path(database), *(Path(f"{database}{end}") for end in ("-wal", "-shm", "-lock", "-alive"))):
        with suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o007:
                path.chmod(mode & ~0o007)


def _driver_url(text: str) -> URL:
    url = make_url(text)
    return url if url.get_backend_name() == "sqlite" else url.set(drivername="postgresql+psycopg")


def _open_sqlite(url: URL) -> sa.Engine:
    if url.database and url.database != ":memory:" and "uri" not in url.query:
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


def _open_postgres(url: URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=5,
        max_overflow=20,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
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
