"""Shared fixtures: both databases, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from tests.support.databases import Postgres, new_postgres_database
from tests.support.sqlite import new_sqlite_database

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --kills, to run the crash test for longer than CI does."""
    parser.addoption("--kills", type=int, default=5, help="how often the crash test kills the bot")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the long tests first, which mostly wait, then the groups: no worker is left with one of them at the end."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("long", "xdist_group")])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL server of this test worker."""
    server = Postgres()
    yield server
    server.end()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, nothing in it."""
    with postgres.migrated() as url:
        yield url


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
    return new_postgres_database(request.getfixturevalue("postgres").url)


@pytest.fixture
def database_url(kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database of each kind, nothing in it."""
    if kind_of_database == "sqlite":
        return new_sqlite_database(tmp_path / "bot.db")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of each kind."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def writer(database: Database) -> Iterator[GroupCommitWriter]:
    """The writer of the database."""
    running = GroupCommitWriter(database)
    yield running
    running.stop()


@pytest.fixture
def inbox(database: Database, writer: GroupCommitWriter) -> Inbox:
    """An empty inbox."""
    return Inbox(database, writer)
