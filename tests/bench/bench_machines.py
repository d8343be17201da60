"""One, two and three `bot serve` on one PostgreSQL, the load in turn over them: what grows, what an event costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.sandbox.send_image import Account
from bot.sandbox.vendor import SandboxVendor
from tests.bench import load
from tests.bench.processes import family_seconds, group_seconds
from tests.bench.table import show
from tests.support.databases import Postgres, own_postgres
from tests.support.running import API_KEY, MAKER, TOKEN, Bot

pytestmark = pytest.mark.bench

MACHINES = (1, 2, 3)
ROUNDS = 2
USERS, TEXTS = 400, 3
EVENTS = USERS * TEXTS
CONNECTIONS = 32
#: A server of so many cores; what one costs is measured, that all are used alike is assumed.
SERVER_CORES = 8
RULES = "version: 1\nrules:\n" + "".join(
    f'  - {{id: so-{n}, keywords: [số {n}], reply: {{image_url: "https://shop.example/{n}.jpg"}}}}\n'
    for n in range(TEXTS)
)
SETTINGS = {"WEB_CONCURRENCY": "1", "SEND_RATE": "10000000", "LOG_LEVEL": "WARNING"}
COUNTERS = sa.text(
    "SELECT xact_commit, (SELECT wal_bytes FROM pg_stat_wal) AS wal,"
    " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections"
    " FROM pg_stat_database WHERE datname = current_database()"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one round shows; processor times in seconds for each event."""

    acks: float
    delivered: float
    bots: float
    postgres: float
    commits: float
    wal: float
    connections: int


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[Postgres]:
    """A server that syncs its log to the disk at each commit, as it does for customers."""
    with own_postgres(durable=True) as server:
        yield server


def texts(first_user: int) -> list[bytes]:
    """Return the first text of all users, then the second of all: of a user they are acknowledged one by one."""
    made = (MAKER.text(str(first_user + user), f"số {text}") for text in range(TEXTS) for user in range(USERS))
    return [load.request("/webhook", event.body, dict(event.headers)) for event in made]


def test_machines_on_one_postgres(tmp_path: Path, durable_postgres: Postgres) -> None:
    """
    Aim: an event costs the same on three machines as on one, and each image goes out once and in order.

    All of them, PostgreSQL, the vendor and the load share the cores of this machine, so that its rates hardly grow:
    where PostgreSQL becomes the limit is derived from what it uses for an event.
    """
    rounds: dict[int, list[Measured]] = {count: [] for count in MACHINES}
    for turn in range(ROUNDS):
        for count in MACHINES:
            with durable_postgres.migrated() as url:
                rounds[count].append(measure(count, 10**6 * (turn + 1), url, durable_postgres, tmp_path))
    found = {count: [median(column) for column in zip(*map(figures, rounds[count]), strict=True)] for count in MACHINES}
    rows = [
        (
            str(count),
            *(f"{value:.{digits}f}" for value, digits in zip(found[count], (0, 0, 0, 0, 2, 1, 0), strict=True)),
        )
        for count in MACHINES
    ]
    show(
        f"bot serve on one PostgreSQL with fsync, {CONNECTIONS} connections in turn over them",
        "machines acks/s events/s bot-us/event postgres-us/event commits/event WAL-kB/event connections",
        rows,
    )
    bot, postgres = found[MACHINES[-1]][2:4]
    show(
        f"derived, not measured: a server of {SERVER_CORES} cores that serves only PostgreSQL, at 70 % of its cores",
        "what events/s",
        [
            ("one core of bot serve", f"{1e6 / bot:.0f}"),
            ("PostgreSQL", f"{SERVER_CORES * 0.7 * 1e6 / postgres:.0f}"),
            ("cores of bot serve that keep it busy", f"{SERVER_CORES * 0.7 * bot / postgres:.0f}"),
        ],
    )
    assert bot + postgres < 3 * sum(found[1][2:4])


def measure(count: int, first_user: int, url: str, server: Postgres, folder: Path) -> Measured:
    """Return what a round with so many machines shows, once each user has all images in order and once."""
    with ExitStack() as running, SandboxVendor(Account(API_KEY, TOKEN)) as vendor:
        database = Database(url)
        running.callback(database.dispose)
        bots = [
            running.enter_context(Bot(folder / str(n), vendor.url, rules=RULES, DATABASE_URL=url, **SETTINGS))
            for n in range(count)
        ]
        used = [sum(group_seconds(bot.process.pid) for bot in bots), family_seconds(server.pid)]
        before, begun = counters(database), time.time()
        sent = load.run([bot.port for bot in bots], texts(first_user), CONNECTIONS)
        taken = vendor.wait_for_taken(EVENTS, timeout=120)
        after = counters(database)
        bot_seconds, postgres_seconds = (
            sum(group_seconds(bot.process.pid) for bot in bots) - used[0],
            family_seconds(server.pid) - used[1],
        )
        assert [bot.terminate() for bot in bots] == [0] * count
    assert sent.failures == 0
    check_order([(one.message.user_id, str(one.message.image)) for one in vendor.taken], first_user)
    return Measured(
        acks=sent.rate,
        delivered=EVENTS / (taken[-1].at - begun),
        bots=bot_seconds / EVENTS,
        postgres=postgres_seconds / EVENTS,
        commits=(after.xact_commit - before.xact_commit) / EVENTS,
        wal=float(after.wal - before.wal) / EVENTS,
        connections=after.connections,
    )


def counters(database: Database) -> sa.Row[int, float, int]:
    """Return what PostgreSQL counts."""
    with database.read() as connection:
        return connection.execute(COUNTERS).one()


def check_order(sent: Sequence[tuple[str, str]], first_user: int) -> None:
    """Fail unless each user got each image once, in the order of the texts."""
    images: dict[str, list[str]] = {}
    for user, image in sent:
        images.setdefault(user, []).append(image)
    wanted = [f"https://shop.example/{n}.jpg" for n in range(TEXTS)]
    assert images == {str(first_user + user): wanted for user in range(USERS)}


def figures(one: Measured) -> tuple[float, ...]:
    """Return a line's figures in the units of the table."""
    us = 1e6
    return (
        one.acks, one.delivered, one.bots * us, one.postgres * us, one.commits, one.wal / 1000, float(one.connections)
    )  # fmt: skip
