"""Sessions that cannot write, values that cannot be stored, URLs, and databases that cannot hold the inbox."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import ConfigError, StorageError, UnstorableValue
from bot.inbox.database import Database
from bot.inbox.queue import Inbox
from bot.inbox.sql.engine import parse_url
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.sql.write_check import BoundedCheck
from tests.support.databases import Postgres, administer, new_postgres_database
from tests.support.queue import event
from tests.support.running import PATIENCE


def test_a_read_only_session_is_closed(postgres_url: str) -> None:
    """After a failover the pool has sessions of a standby; the next write uses a new session."""
    database = Database(postgres_url)
    database.migrate()
    writer = GroupCommitWriter(database)
    inbox = Inbox(database, writer)
    assert inbox.put(event("a"), b"{}", now=1.0)
    connections = [database.connect() for _ in range(4)]
    for connection in [*connections, *writer._connections.values()]:
        connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()
    for connection in connections:
        connection.close()
    assert inbox.put(event("b"), b"{}", now=2.0)
    try:
        database.check_writable()
    except StorageError:
        database.check_writable()
    writer.stop()
    database.dispose()


_FULL_DISK = """
import resource, sys
from bot.errors import StorageError
from bot.inbox.database import Database
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.queue import Inbox
from tests.support.queue import event
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = Database(sys.argv[1]); database.migrate()
writer = GroupCommitWriter(database); inbox = Inbox(database, writer)
inbox.put(event("a"), b"{}", now=1.0)
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
for write in (lambda: inbox.put(event("b"), b"{}", now=2.0), database.check_writable):
    try:
        write()
    except StorageError as error:
        print("refused", error)
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
print(inbox.put(event("b"), b"{}", now=3.0)); database.check_writable(); print("written")
writer.stop(); database.dispose()
"""


def test_a_full_disk_is_reported_and_recovered_from(tmp_path: Path) -> None:
    """Here no file may grow, which SQLite reports as a full disk; nothing is left behind."""
    command = [sys.executable, "-c", _FULL_DISK, f"sqlite:///{tmp_path / 'bot.db'}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.splitlines() == ["refused OperationalError"] * 2 + ["True", "written"]


def test_a_value_that_cannot_be_stored_is_no_outage(database: Database) -> None:
    """Retrying until the database is back would never end."""
    value = "half an emoji \ud83d"
    with pytest.raises(UnstorableValue), database.write() as connection:
        connection.execute(sa.text("SELECT :value"), {"value": value}).scalar()


def test_a_zero_byte_is_no_outage_either(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(UnstorableValue), database.write() as connection:
        connection.execute(sa.text("SELECT :value"), {"value": "a\0b"}).scalar()
    database.dispose()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "mysql://a/b", "no url", ""]
)
def test_an_unsuitable_database_is_refused_with_a_message(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: "):
        Database(url)


@pytest.mark.parametrize("port", [":5432", ""])
def test_a_url_may_name_several_hosts(port: str) -> None:
    url = parse_url(f"postgresql://u:p%40@a.example{port},b.example:5433/shop?application_name=bot")
    assert (url.username, url.password, url.database) == ("u", "p@", "shop")
    assert url.query == {"application_name": "bot", "host": (f"a.example{port}", "b.example:5433")}


def test_of_several_hosts_the_one_that_answers_is_used(postgres_url: str, tmp_path: Path) -> None:
    """The first is a folder without a server's socket."""
    url = sa.make_url(postgres_url)
    query = {**url.query, "host": (str(tmp_path), str(url.query["host"]))}
    database = Database(url.set(query=query).render_as_string(hide_password=False))
    database.migrate()
    database.check_writable()
    database.dispose()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "WIN1258"])
def test_an_encoding_other_than_utf8_is_refused(postgres: Postgres, encoding: str) -> None:
    """At the start, and not at the first emoji."""
    name = f"enc_{encoding.lower()}_{os.getpid()}"
    with administer(postgres.url).connect() as connection:
        connection.execute(
            sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
        )
    database = Database(sa.make_url(postgres.url).set(database=name).render_as_string(hide_password=False))
    with pytest.raises(ConfigError, match=f"encoding is {encoding}"):
        database.migrate()
    database.dispose()


def test_a_missing_right_to_create_tables_is_reported(postgres: Postgres) -> None:
    """As for every user but the owner since PostgreSQL 15."""
    url = sa.make_url(new_postgres_database(postgres.url))
    role = f"guest_{os.getpid()}"
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(sa.text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    database = Database(url.set(username=role, password=None).render_as_string(hide_password=False))
    with pytest.raises(ConfigError, match="GRANT CREATE ON SCHEMA public"):
        database.migrate()
    database.dispose()


def test_no_statement_is_prepared_in_the_session(postgres_url: str) -> None:
    """A pooler in transaction mode gives the next transaction another session, which does not know it."""
    database = Database(postgres_url)
    with database.read() as connection:
        for _ in range(20):
            connection.execute(sa.text("SELECT :n"), {"n": 1}).scalar()
        assert connection.execute(sa.text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0
    database.dispose()


def test_a_hanging_check_ends_at_its_time_limit() -> None:
    """Concurrent callers share one check."""
    ends, calls = threading.Event(), []

    def check() -> str:
        calls.append(1)
        ends.wait()
        return "fine"

    bounded = BoundedCheck(check)
    for _ in range(2):
        with pytest.raises(StorageError, match="in time"):
            bounded.result()
    ends.set()
    assert bounded.result() == "fine"
    assert calls == [1]


def test_the_url_overrides_the_limits_of_a_session(postgres_url: str) -> None:
    """An operator with a slow server may need longer ones."""
    url = sa.make_url(postgres_url).difference_update_query(["options"])
    chosen = url.update_query_dict({"options": "-c statement_timeout=77s"})
    for given, expected in ((url, ["5s", "10s"]), (chosen, ["5s", "77s"])):
        database = Database(given.render_as_string(hide_password=False))
        with database.read() as connection:
            assert [
                connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("lock_timeout", "statement_timeout")
            ] == expected
        database.dispose()
