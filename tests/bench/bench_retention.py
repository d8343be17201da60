"""The cost of a claim, of an acknowledgement and of a batch of retention beside 1,000 and 1,000,000 settled events."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from bot.inbox.database import Database
from bot.inbox.oa_limits import RateLimit
from bot.inbox.queue import Inbox
from bot.inbox.retention import BATCH, apply_retention
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.inbox.states import StateChange
from bot.zalo import Event
from tests.bench.shop import DAY, FILL
from tests.bench.table import show

pytestmark = pytest.mark.bench

SIZES = (1_000, 1_000_000)
ROUNDS = 7
NOW = 1_790_000_000.0
RATE = RateLimit.per_minute(10_000_000)
LEASE = 30.0
AT_ONCE = 16


class Shop:
    """An inbox in which *settled* events lie."""

    def __init__(self, path: Path, settled: int) -> None:
        self.settled = settled
        self.database = Database(f"sqlite:///{path}")
        self.database.migrate()
        start, step = NOW - 40 * DAY, 40 * DAY / settled
        with self.database.write() as connection:
            connection.exec_driver_sql(FILL, (settled, start, step, start, step))
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

    def look(self) -> None:
        """Find that nothing is too old."""
        assert not apply_retention(self.database, now=NOW, retention=400 * DAY)

    def apply_retention(self) -> None:
        """Count and delete one batch."""
        assert apply_retention(self.database, now=NOW, retention=7 * DAY).deleted == BATCH

    def steps(self) -> Iterator[Callable[[], None]]:
        """Yield what is measured, in turn."""
        yield from (self.put, self.claim, self.settle, self.look, self.apply_retention)

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
    rows = [(name, f"{costs[name, small]:.1f}", f"{costs[name, large]:.1f}", f"{ratio[name]:.2f}") for name in names]
    show(f"ms beside {small:,} and {large:,} settled events, SQLite", "step ms-small ms-large ratio", rows)
    assert ratio["claim"] < 3
    assert ratio["put"] < 3
    assert ratio["look"] < 3
    assert ratio["tend"] < 10
