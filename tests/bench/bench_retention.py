"""What the inbox does for each event and again and again, beside 1,000 and 1,000,000 settled events."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Inbox
from bot.inbox.retention import BATCH, apply_retention
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.states import StateChange
from bot.inbox.tables import accounts
from bot.zalo import Event
from tests.bench.shop import DAY, FILL
from tests.bench.table import show
from tests.support.rows import keep_waiting

pytestmark = pytest.mark.bench

SIZES = (1_000, 1_000_000)
#: Events of an OA that is paused, at most.
WAITING = 100_000
ROUNDS = 7
NOW = 1_790_000_000.0
RATE = RateLimit.per_minute(10_000_000)
LEASE = 30.0
AT_ONCE = 16


class Shop:
    """An inbox in which *settled* events lie, and as many wait for an OA that is paused, up to `WAITING`."""

    def __init__(self, path: Path, settled: int) -> None:
        self.settled = settled
        self.database = Database(f"sqlite:///{path}")
        self.database.migrate()
        start, step = NOW - 40 * DAY, 40 * DAY / settled
        with self.database.write() as connection:
            connection.exec_driver_sql(FILL, (settled, start, step, start, step))
            paused = {"oa_id": "paused", "pauses": 3, "failures": 9, "failed_events": 9, "closed_until": NOW + DAY}
            connection.execute(sa.insert(accounts).values(paused))
        keep_waiting(self.database, "paused", min(settled, WAITING))
        self.writer = GroupCommitWriter(self.database)
        self.inbox = Inbox(self.database, self.writer)
        self.numbers = itertools.count()

    def put(self) -> None:
        """Store a few events."""
        for _ in range(AT_ONCE):
            n = next(self.numbers)
            event = Event(f"k{n}", "user_send_text", "1", "oa1", f"c{n}", "m", NOW, "giá", "text", False, False)
            assert self.inbox.put(event, b"{}", now=NOW)

    def claim(self) -> None:
        """Claim them."""
        self.claims = self.inbox.claim(AT_ONCE, now=NOW, lease=LEASE, rate=RATE)
        assert len(self.claims) == AT_ONCE

    def settle(self) -> None:
        """Settle them."""
        self.inbox.save([StateChange(c, replace(c.state, status="ignored", settled_at=NOW)) for c in self.claims])

    def find_nothing_due(self) -> None:
        """Look for due events, of which there are none but those of the paused OA."""
        assert not self.inbox.claim(AT_ONCE, now=NOW, lease=LEASE, rate=RATE)

    def find_nothing_old(self) -> None:
        """Look for events to erase."""
        assert not apply_retention(self.database, now=NOW, retention=400 * DAY)

    def apply_retention(self) -> None:
        """Count and delete one batch."""
        assert apply_retention(self.database, now=NOW, retention=7 * DAY).deleted == BATCH

    def steps(self) -> Iterator[Callable[[], None]]:
        """Yield what is measured, in turn."""
        yield from (
            self.put,
            self.claim,
            self.settle,
            self.find_nothing_due,
            self.find_nothing_old,
            self.apply_retention,
        )

    def close(self) -> None:
        """Let go of the file."""
        self.writer.stop()
        self.database.dispose()


def test_cost_does_not_grow_with_what_is_settled(tmp_path: Path) -> None:
    """Aim: a claim costs the same; a batch of retention at most a few times as much, for its pages are not cached."""
    shops = [Shop(tmp_path / f"{size}.db", size) for size in SIZES]
    spent: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for shop in shops:
            for step in shop.steps():
                begun = time.perf_counter()
                step()
                spent.setdefault((step.__name__, shop.settled), []).append(time.perf_counter() - begun)
    for shop in shops:
        shop.close()
    small, large = SIZES
    costs = {key: median(times) * 1000 for key, times in spent.items()}
    names = list(dict.fromkeys(name for name, _ in costs))
    ratio = {name: costs[name, large] / costs[name, small] for name in names}
    rows = [(name, f"{costs[name, small]:.2f}", f"{costs[name, large]:.2f}", f"{ratio[name]:.2f}") for name in names]
    show(f"ms beside {small:,} and {large:,} settled events, SQLite", "step ms-small ms-large ratio", rows)
    assert all(value < (10 if name == "apply_retention" else 3) for name, value in ratio.items())
