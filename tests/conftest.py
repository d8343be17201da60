"""Shared fixtures: both databases, fresh for each test."""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.group_commit import GroupCommitWriter
from tests.support.databases import Postgres, end_postgres, new_postgres_database
from tests.support.sqlite import new_sqlite_database

# Imports and collection make hundreds of thousands of objects that stay to the end. To search them for garbage over and
# over takes as long as to make them.
gc.disable()

_RUN_FOLDER = pytest.StashKey[Path]()

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --kills, to run the crash test for longer than CI does."""
    parser.addoption("--kills", type=int, default=5, help="how often the crash test kills the bot")


def pytest_configure(config: pytest.Config) -> None:
    """Give all workers of this run one folder for what they share; who starts the workers deletes it."""
    if hasattr(config, "workerinput"):
        config.stash[_RUN_FOLDER] = Path(config.workerinput["run_folder"])
        return
    # Not below pytest's base folder, on which pytest changes the rights whenever another run starts.
    folder = config.stash[_RUN_FOLDER] = Path(tempfile.mkdtemp(prefix="bot-tests-"))

    def clean_up() -> None:
        end_postgres(folder / "postgres")
        shutil.rmtree(folder)

    config.add_cleanup(clean_up)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker the folder."""
    node.workerinput["run_folder"] = str(node.config.stash[_RUN_FOLDER])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Collect garbage from here on, but not among what was imported and collected."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the long tests first, which mostly wait, then the groups: no worker is left with one of them at the end."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("long", "xdist_group")])


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """The PostgreSQL server of this run."""
    return Postgres(pytestconfig.stash[_RUN_FOLDER] / "postgres")


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
